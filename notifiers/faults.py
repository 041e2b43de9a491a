"""Faults that nobody had foreseen, of a channel, a template, a provider's client: each is told of, and stays where it was.

One delivery waits, fails or is in doubt by it; the channel goes on, and so do all others. It refuses to
swallow: the log has the trace and the delivery, and the tally counts it (alert ``SendingBreaks``).
"""

from typing import Final, Literal

import structlog

from infra.metrics.tally import Tally
from notifiers.channel import TemporaryError
from schemas.fields import Channel

__all__ = ["FAULT", "FaultError", "Faults", "Within"]

FAULT: Final = "fault"
Within = Literal["send", "find", "write", "prepare", "gate", "law", "tend"]
_log = structlog.get_logger(__name__)


class FaultError(TemporaryError):
    """An error of ours kept a delivery from being handed over: it was certainly not taken, and nobody else is at fault.

    It is tried again with ever longer waits, for days: time enough to mend it.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail, provider_down=False)


class Faults:
    """Tells of the faults of one channel.

    Args:
        channel: whose.
        sendings: counts them, as outcome ``fault``, beside how their attempts end.
    """

    def __init__(self, channel: Channel, *, sendings: Tally) -> None:
        self._channel = channel
        self._sendings = sendings

    def told(self, error: Exception, *, within: Within, reminder: str = "") -> str:
        """Log and count a fault, from where it is caught; give it in a few words, without what it may quote."""
        _log.error("send_broke", reminder=reminder, channel=self._channel, within=within, exc_info=error)
        self._sendings.add(self._channel, FAULT)
        return f"{_WORDS[within]} failed: {type(error).__name__}"


_WORDS: Final[dict[Within, str]] = {
    "send": "the channel",
    "find": "asking the provider",
    "write": "writing it",
    "prepare": "preparing it",
    "gate": "a gate",
    "law": "asking the law",
    "tend": "the channel's upkeep",
}
