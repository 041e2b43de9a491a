"""The register of contacts that the law asks for, as rows: every delivery, call attempt and conversation."""

import datetime
from typing import Literal

from schemas.row import StateRow

__all__ = ["ContactKind", "ContactRow"]

ContactKind = Literal["delivery", "call_attempt", "conversation"]


class ContactRow(StateRow, kw_only=True, tag="contact"):
    """A contact that was made, or tried (section 5).

    ``contact`` is ``'<message>/<channel>'`` or ``'note/<command>'``;
    ``channel`` is ``call`` for calls and conversations. ``on`` is a day of
    the debtor's zone, ``until`` the first day on which it may be forgotten.
    """

    account: str
    contact: str
    channel: str
    contact_kind: ContactKind
    on: datetime.date
    occurred_at: str
    until: datetime.date
