"""Rows of reminders and tasks: what was proposed or sent, and what people have to do (R19, R28)."""

import datetime
from typing import Literal

from msgspec import Struct

from schemas.charges import Charge
from schemas.fields import Channel
from schemas.outcomes import DeliveryStatus
from schemas.row import StateRow

__all__ = ["Awaited", "Before", "Proposal", "ReminderRow", "ReminderRowItem", "TaskRow"]


class ReminderRowItem(Struct, kw_only=True, gc=False, array_like=True):
    """An item's step in a reminder."""

    item: str
    step_index: int
    step: str
    plan: str
    plan_version: int
    step_due_on: datetime.date


class Awaited(Struct, kw_only=True, gc=False, array_like=True):
    """A step that waits for a task to be done (R28)."""

    task: str
    step: ReminderRowItem


class Before(Struct, kw_only=True, gc=False, array_like=True):
    """Where an item stood before its last step was consumed by ``reminder``: given back if that reached nobody (R19)."""

    reminder: str
    plan: str
    plan_version: int
    step: int
    shift_days: int
    plan_finished: bool
    sent_on: datetime.date | None
    sent_level_on: datetime.date | None
    pay_by_on: datetime.date | None


class Proposal(Struct, kw_only=True, gc=False, omit_defaults=True):
    """What people have said of a reminder that waits, or waited, for them (R19).

    ``revision`` counts what was proposed; ``content`` is a digest of the
    last of it. ``now_because`` is the reason for which the gap does not count.
    ``template`` '' and ``attach_invoices`` None are as its step says. ``edits`` counts how often people changed it.
    ``asked_minor`` is what the last revision asked for each item that it names, ``total_minor`` by currency for
    all (empty: not kept): what asks for more by now is not what was approved.
    ``charged_on`` is the day up to which its interest was computed (None: not kept), ``charge_minor`` what lateness cost then, by currency (R22).
    """

    proposed_on: datetime.date
    revision: int = 0
    content: str = ""
    approved: bool = False
    approved_by: str = ""
    now_because: str = ""
    channels: tuple[Channel, ...] | None = None
    text: str = ""
    next_on: datetime.date | None = None
    template: str = ""
    attach_invoices: bool | None = None
    edits: int = 0
    asked_minor: dict[str, int] = {}
    total_minor: dict[str, int] = {}
    charged_on: datetime.date | None = None
    charge_minor: dict[str, int] = {}


class ReminderRow(StateRow, kw_only=True, tag="reminder"):
    """A reminder and the fate of its deliveries (R19).

    ``pay_by_on`` is what it gives the customer, if it is a level;
    ``unlisted`` counts items that are in it and not in ``items``.
    ``cancelled``: a person has called it back, and it ends so unless it was
    accepted meanwhile; ``ended_by`` and ``ended_because`` are that person's.
    ``rested``: its reader has said "I have paid", which puts the next one off once (S4-17).
    ``spare_minor`` is, by currency, how much the total was above the company's minimum (R8) when it was
    decided, with all that was known then: credits up to ``sequence``. ``now_because``: a person had it
    go, whatever banks say (R5).
    ``told`` are the later words on its deliveries that were taken, as ``'<channel>/<status>'``;
    ``version`` is the account's, on which it was decided (R32; 0: not kept); ``contact_before`` is the account's last contact before this one.
    """

    account: str
    reminder: str
    tick: datetime.datetime
    status: Literal["proposed", "open", "sent", "failed", "superseded", "dropped", "cancelled"] = "open"
    step: str = ""
    items: list[ReminderRowItem]
    deliveries: dict[str, DeliveryStatus | Literal["dispatched"]]
    pay_by_on: datetime.date | None = None
    unlisted: int = 0
    ended_on: datetime.date | None = None
    retracted: list[str] = []
    wrong: list[str] = []
    charges: tuple[Charge, ...] = ()
    proposal: Proposal | None = None
    cancelled: bool = False
    ended_by: str = ""
    ended_because: str = ""
    sequence: int = 0
    spare_minor: dict[str, int] = {}
    now_because: bool = False
    tasks_done: list[str] = []
    rested: bool = False
    told: list[str] = []
    contact_before: datetime.date | None = None
    version: int = 0


class TaskRow(StateRow, kw_only=True, tag="task"):
    """Something that a person has to do; the row goes when it is over (R28).

    ``timeout_on`` is the day on which it is over by itself (None: never).
    ``unlisted`` counts items that wait for it and are not in ``items``;
    ``pay_by_days`` is what a step's task gives the customer once it is done.
    """

    account: str
    task: str
    task_type: str
    opened_on: datetime.date
    due_on: datetime.date
    summary: str = ""
    responsible: str = ""
    items: list[str] = []
    blocking: bool = False
    timeout_on: datetime.date | None = None
    unlisted: int = 0
    pay_by_days: int = 0
