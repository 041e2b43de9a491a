"""What Twilio's error codes mean for a message: later, never, or nobody knows. No network here.

::

    says something of          codes such as                    so
    the recipient              21211 21614 21610 30005 30006    this message never (next channel, R19)
    the text                   21602 21617 30007                this message never
    the route                  21408 21612 30008                this message never
    us: account, sender, URL   20003 21606 21703 30034          later: no message is at fault; lag shows it
    the load                   20429 21611 30001, 503           later
    nothing (500, 502, 504)                                     nobody knows

Numbers and meanings are those of Twilio's Error and Warning Dictionary
(https://www.twilio.com/docs/api/errors, one page a code, as published in 2026). The provider adds codes and
says that it does; one that is not here is taken by its HTTP status. It refuses to hold against a number
what passes: a handset that is switched off (30003) may be written to again.
"""

from typing import Final, Literal

from msgspec import Struct

from notifiers.channel import PermanentError, TemporaryError, UncertainError
from schemas.outcomes import ErrorType

__all__ = ["Refusal", "error_of", "error_type_of"]

_Of = Literal["recipient", "text", "route", "us", "load"]

_CODES: Final[dict[_Of, tuple[int, ...]]] = {
    "recipient": (
        *(21211, 21214, 21217, 21265, 21266, 21268, 21604, 21610, 21614, 21635),
        *(30003, 30004, 30005, 30006, 30630),
    ),
    "text": (21602, 21605, 21617, 21618, 21619, 21658, 30007, 30019, 30038, 30039, 30044),
    # One country or one carrier, by our sender: others are reached.
    "route": (
        *(21408, 21612, 21662, 30008, 30010, 30018, 30024, 30036, 30040, 30041, 30043, 30450, 30453, 30485),
    ),
    "us": (
        *(10001, 20001, 20003, 20005, 20006, 20008, 20104, 20107, 20403, 20404, 21210, 21212, 21219, 21264),
        *(21267, 21401, 21601, 21603, 21606, 21607, 21608, 21609, 21616, 21624, 21626, 21657, 21659, 21660),
        *(21661, 21663, 21668, 21701, 21702, 21703, 21704, 21705, 21709, 21715, 30002, 30023, 30027, 30032),
        *(30033, 30034, 30035, 30037, 30042, 90010),
    ),
    "load": (14107, 20429, 20503, 21611, 21730, 30001, 30017, 30022, 30454, 63038),
}
_OF: Final[dict[int, _Of]] = {code: about for about, codes in _CODES.items() for code in codes}
_TYPES: Final[dict[_Of, ErrorType]] = {
    "recipient": "address_refused",
    "text": "content_refused",
    "route": "carrier_refused",
    "us": "provider_refused",
    "load": "provider_unavailable",
}
# What is said more exactly than by whom it is about; a status callback has the same words.
_EXACTLY: Final[dict[int, ErrorType]] = {
    21610: "opted_out",
    30003: "bounce_gave_up",  # switched off, without signal, roaming: tried until the carrier's patience ended
    30004: "carrier_refused",
    30005: "number_unreachable",
    30006: "number_unreachable",
    30007: "carrier_refused",
    30010: "cap_reached",
    30017: "bounce_gave_up",
    30020: "provider_unavailable",
    30021: "provider_unavailable",
    30023: "cap_reached",
    30027: "cap_reached",
    30036: "expired",
    30410: "bounce_gave_up",
    30454: "cap_reached",
    30500: "provider_unavailable",
    30630: "opted_out",
    63038: "cap_reached",
}
_TOO_MANY: Final = 429
_DOWN: Final = 503  # the only one of the 5xx by which nothing was begun
_OF_US: Final = (401, 403, 404, 405, 407, 408, 425)


class Refusal(Struct, frozen=True, kw_only=True):
    """An answer that is no acceptance; ``code`` 0: it had none, the answer was not the provider's own. ``retry_after_s``: see `TemporaryError`."""

    status: int
    code: int = 0
    text: str = ""
    retry_after_s: float = 0.0


def error_of(refusal: Refusal) -> TemporaryError | PermanentError | UncertainError:
    """Say what becomes of a message that was answered so."""
    about = _OF.get(refusal.code)
    detail = _said(refusal)
    if about in ("recipient", "text", "route"):
        return PermanentError(error_type=error_type_of(refusal.code), detail=detail)
    if about in ("us", "load") or refusal.status in (_TOO_MANY, _DOWN, *_OF_US):
        return TemporaryError(detail, retry_after_s=refusal.retry_after_s)
    if 400 <= refusal.status < 500:
        return PermanentError(error_type="provider_refused", detail=detail)
    return UncertainError(detail)


def error_type_of(code: int, *, otherwise: ErrorType = "provider_refused") -> ErrorType:
    """Give the closed type of a code; ``otherwise`` is that of one that is not known: whose refusal it was."""
    about = _OF.get(code)
    return _EXACTLY.get(code, otherwise if about is None else _TYPES[about])


def _said(refusal: Refusal) -> str:
    code = f" (code {refusal.code})" if refusal.code else ""
    return f"{refusal.status}{code}: {refusal.text or 'no word of why'}"[:500]
