"""What notifiers report of a delivery: one fact per change of its fate."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.events import _AccountFact
from schemas.fields import Channel, Text

__all__ = ["DeliveryStatus", "ErrorType", "OutcomeReported"]

DeliveryStatus = Literal["accepted", "failed", "superseded", "unknown"]
ErrorType = Literal[
    "",
    "address_missing",
    "address_refused",
    "content_refused",
    "provider_refused",
    "provider_unavailable",
    "template_error",
    "interrupted",
]


class OutcomeReported(_AccountFact, frozen=True, kw_only=True, tag="notify.outcome.reported.v1"):
    """The fate of one delivery: (reminder, channel, status) is its natural key.

    ``occurred_at`` is the worker's now: the wall clock with a live journal,
    the newest tick with a played one (DESIGN section 4).
    """

    reminder: Annotated[str, Meta(min_length=1, max_length=64)]
    channel: Channel
    status: DeliveryStatus
    provider_id: Text = ""
    error_type: ErrorType = ""
    detail: Text = ""
