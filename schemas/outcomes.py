"""What notifiers, and later providers, report of a delivery: one fact per change of its fate.

::

    dispatched ─► accepted ─► delivered | complained          it reached the customer
        │  │         └──────► bounced | returned | failed     it did not, in the end
        │  └─► unknown ─► accepted | failed
        └─► failed | superseded                               it never left
"""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.events import _AccountFact
from schemas.fields import Channel, Text

__all__ = ["DeliveryStatus", "ErrorType", "OutcomeReported"]

DeliveryStatus = Literal[
    "accepted",
    "failed",
    "superseded",
    "unknown",
    "delivered",  # the provider handed it over: to the mail server, the handset, the letter box
    "bounced",  # accepted, and sent back by the other side
    "returned",  # a letter that came back
    "complained",  # it arrived, and the reader called it unwanted
]
ErrorType = Literal[
    "",
    "address_missing",
    "address_refused",
    "content_refused",
    "provider_refused",
    "provider_unavailable",
    "template_error",
    "interrupted",
    "address_bounced",  # permanent: there is no such address
    "bounce_gave_up",  # transient, until the other side's patience ended: a full mailbox, a server away, a phone that is off
    "complaint",
    "address_suppressed",  # on our list of addresses that are not written to, or on the provider's
    "carrier_refused",  # a carrier or filter stopped it
    "number_unreachable",  # no such phone, or a land line
    "opted_out",  # the reader told the provider to stop
    "letter_returned",
    "expired",  # it was too old before it could be handed over
    "cap_reached",  # a limit of the day, ours or the provider's
    "outside_sandbox",  # while things are tried out it would have reached somebody else: it was stopped at the last moment
]


class OutcomeReported(_AccountFact, frozen=True, kw_only=True, tag="notify.outcome.reported.v1"):
    """The fate of one delivery: (reminder, channel, status) is its natural key.

    ``occurred_at`` is the worker's now: the wall clock with a live journal,
    the newest tick with a played one (DESIGN section 4); of what a provider says later, its
    time. ``address`` is where it went, as the reminder had it: what is said of an address
    that the customer has no more condemns no other. Order and repetition do not matter (R19).
    """

    reminder: Annotated[str, Meta(min_length=1, max_length=64)]
    channel: Channel
    status: DeliveryStatus
    provider_id: Text = ""
    error_type: ErrorType = ""
    detail: Text = ""
    address: Text = ""
