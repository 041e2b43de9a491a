"""A notifier as a process that dies where it is told to: before or after any call that leaves the loop.

The points are taken from the classes that the loop calls: their public methods, whichever there are.
"""

import functools
import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from kafka import KafkaConsumer, KafkaProducer

import notifiers.mail.ses
import notifiers.sms.opening  # noqa: F401 - loaded once, before processes are made of it
from infra.database.engine import open_engine
from infra.database.send_doubts import Doubts
from infra.database.send_ledger import SendLedger
from infra.database.send_waits import Waits
from infra.metrics.pulse import Pulses
from infra.settings import Settings
from notifiers import assembly, doubt
from notifiers.dispatch import Dispatcher, sendings_tally
from notifiers.serving import serve
from notifiers.settings import SendSettings
from notifiers.writing.render import Renderer
from schemas.fields import Channel as ChannelName

__all__ = ["ORDER_NONE", "POINTS", "Control", "reason_file", "sender"]

ORDER_NONE: Final = -1
_SESSION_MS: Final = 6_000
_ASKED_AGAIN_S: Final = 8.0
# What a channel is asked; its class depends on the settings.
_OF_A_CHANNEL: Final = ("send", "find")
_CALLED: Final[Mapping[type, Sequence[str]]] = {
    SendLedger: [name for name in vars(SendLedger) if not name.startswith("_")],
    Waits: [name for name in vars(Waits) if not name.startswith("_")],
    Doubts: [name for name in vars(Doubts) if not name.startswith("_")],
    Dispatcher: [
        name for name in vars(Dispatcher) if not name.startswith("_") and name not in ("closed", "pause")
    ],
    Renderer: [name for name in vars(Renderer) if not name.startswith("_")],
    KafkaConsumer: ["poll", "commit"],
    KafkaProducer: ["send"],
}
POINTS: Final = tuple(
    f"{when} {place}"
    for place in (
        *(f"{owner.__name__}.{name}" for owner, names in _CALLED.items() for name in names),
        *(f"Channel.{name}" for name in _OF_A_CHANNEL),
    )
    for when in ("before", "after")
)
_NUMBERS: Final = {name: number for number, name in enumerate(POINTS)}
# Of each process: how often it has passed each point, and, last, the point to die at.
if TYPE_CHECKING:
    Control = SynchronizedArray[int]
else:
    Control = SynchronizedArray


def sender(
    environment: Mapping[str, str], *, member: str, channels: Sequence[ChannelName], control: Control
) -> None:
    """Serve these channels until SIGTERM, or until the point that ``control`` orders."""
    os.environ.update(environment)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.ERROR)
    _make_mortal(control)
    assembly._SESSION_MS = _SESSION_MS  # a zombie need not sleep for so long
    vars(doubt)["_ASKED_AGAIN_S_MIN"] = _ASKED_AGAIN_S  # nor a doubt be waited for
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    settings = Settings()
    engine = open_engine(settings.database)
    try:
        serve(
            channels,
            settings=settings,
            send=SendSettings(),
            engine=engine,
            member=member,
            stopping=stopping,
            pulses=Pulses(channels, stalled_s=0.0),
            sendings=sendings_tally(channels=channels),
        )
    except Exception as error:
        reason_file(settings.data_dir, member=member).write_text(f"{type(error).__name__}: {error}")
        raise


def reason_file(folder: Path, *, member: str) -> Path:
    """Name the file in which a notifier that gives up says why."""
    return folder / f"gave-up-{member}"


def _make_mortal(control: Control) -> None:
    for owner, names in _CALLED.items():
        for name in names:
            setattr(
                owner, name, _mortal(getattr(owner, name), name=f"{owner.__name__}.{name}", control=control)
            )
    opened = assembly.open_channel

    def open_mortal(*given: Any, **named: Any) -> Any:
        channel = opened(*given, **named)
        for name in _OF_A_CHANNEL:
            if hasattr(channel, name):
                object.__setattr__(
                    channel, name, _mortal(getattr(channel, name), name=f"Channel.{name}", control=control)
                )
        return channel

    assembly.open_channel = open_mortal


def _mortal(function: Callable[..., Any], *, name: str, control: Control) -> Callable[..., Any]:
    before, after = _NUMBERS[f"before {name}"], _NUMBERS[f"after {name}"]

    @functools.wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        _pass(control, before)
        result = function(*given, **named)
        _pass(control, after)
        return result

    return called


def _pass(control: Control, number: int) -> None:
    raw: Any = control.get_obj()
    raw[number] += 1
    if raw[len(POINTS)] == number:
        os.kill(os.getpid(), signal.SIGKILL)
