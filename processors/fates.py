"""The fates of one delivery, in whatever order they are said (R19): which one stands, and what it means.

Providers promise no order: a letter can come back before its printing is known,
a mail can be delivered and bounce. The worst that was said stands; what was
said twice is said once.
"""

from typing import Final

from schemas.outcomes import DeliveryStatus, ErrorType, OutcomeReported

__all__ = [
    "ADDRESS_ERRORS",
    "REACHED",
    "UNREACHED",
    "contradicts",
    "error_of",
    "is_afterword",
    "says_stop",
    "word",
    "worst",
]

# What is wrong with an address, and stays so until a person mends it. What a provider has against us
# (``provider_refused``: a sender that is not verified) is not: mended once, it must not wait for each customer.
ADDRESS_ERRORS: Final = frozenset(
    {
        "address_missing",
        "address_refused",
        "address_bounced",
        "address_suppressed",
        "number_unreachable",
        "opted_out",
        "letter_returned",
    }
)
REACHED: Final = frozenset({"accepted", "delivered", "complained"})  # as far as anyone knows
UNREACHED: Final = frozenset({"failed", "returned", "bounced"})
_RANK: Final = {"accepted": 0, "delivered": 1, "complained": 2, "failed": 3, "returned": 4, "bounced": 5}
_ONLY_AFTERWARDS: Final = frozenset({"delivered", "bounced", "returned", "complained"})
_ERRORS: Final[dict[str, ErrorType]] = {
    "bounced": "address_bounced",
    "returned": "letter_returned",
    "complained": "complaint",
}


def is_afterword(status: DeliveryStatus, *, before: str) -> bool:
    """Say whether a status is of what became of a delivery once a provider had it; it implies that one had."""
    return status in _ONLY_AFTERWARDS or (status == "failed" and before in _RANK and before != "failed")


def worst(one: str, other: DeliveryStatus) -> DeliveryStatus:
    """Give which of two fates stands, in whatever order they came; what is no fate yet gives way."""
    return other if one not in _RANK or _RANK[other] > _RANK[one] else one  # type: ignore[return-value]  # a fate


def contradicts(one: str, other: str) -> bool:
    """Say whether two words on a delivery cannot both be true: refused by the provider, and delivered by it."""
    return {one, other} == {"failed", "delivered"}


def word(event: OutcomeReported) -> str:
    """Name what was said of which delivery: a word that comes again says nothing new."""
    return f"{event.channel}/{event.status}"


def error_of(event: OutcomeReported) -> ErrorType:
    """Give what was wrong; a status that says it by itself needs no error type."""
    return event.error_type or _ERRORS.get(event.status, "")


def says_stop(event: OutcomeReported) -> bool:
    """Say whether it is the customer's word that nothing shall come by this channel any more (R15)."""
    return event.status == "complained" or event.error_type == "opted_out"
