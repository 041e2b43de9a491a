"""What a dunning plan is: ordered steps with day offsets and actions, and what comes after the last.

A plan file (YAML) and the body of ``collections.plan.publish.v1`` have this
one shape. What is not here cannot be evaluated, and is refused by name.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.events import Role
from schemas.fields import Amount, Channel, Currency, Trust

__all__ = ["Action", "Anchor", "Conditions", "Plan", "Step"]

Anchor = Literal[
    "due_date",
    "end_of_month",  # of the month in which offset_days after the due date falls
    "last_reminder",  # the last sent one of the item; none sent: the due date and the offsets so far
]


class Action(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that a step does. The task fields are for ``channel: task`` (S2-09).

    A ``task_type`` of ``call`` or ``visit`` (``llamada``, ``visita``) has someone contact the
    debtor: it waits for the law like a message does.
    """

    channel: Channel
    task_type: Annotated[str, Meta(max_length=64)] = ""
    summary: Annotated[str, Meta(max_length=200)] = ""
    responsible: Annotated[str, Meta(max_length=128)] = ""


class Conditions(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """When a step is for an item: all that is given here must hold; of a list, one (R34).

    ``min_total`` and ``max_total`` are decimal amounts per currency, limits
    included: of what the account has to be dunned for in the item's currency.
    A currency that is not named has no limit.
    """

    trust: Annotated[tuple[Trust, ...], Meta(max_length=3)] = ()
    currencies: Annotated[tuple[Currency, ...], Meta(max_length=50)] = ()
    countries: Annotated[
        tuple[Annotated[str, Meta(min_length=2, max_length=2)], ...], Meta(max_length=250)
    ] = ()
    groups: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=100)] = ()
    min_total: dict[Currency, Amount] = {}
    max_total: dict[Currency, Amount] = {}


class Step(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A step: due ``offset_days`` after its anchor (before the due date: a courtesy, R7).

    ``blocking``: its task is to be done or skipped, or has timed out after
    ``timeout_days``, before the item goes on (R28). ``must_not_skip``: no
    entry by age jumps over it (R3). ``when``: for whom it is.
    ``fees`` are decimal amounts per currency, claimed once per item (R22).
    ``cc`` are the roles whose contacts get a copy of its mail (B-13).
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    offset_days: Annotated[int, Meta(ge=-365, le=3650)]
    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=8)]
    automatic: bool = True
    template: Annotated[str, Meta(max_length=64)] = ""
    attach_invoices: bool = False
    pay_by_days: Annotated[int, Meta(ge=0, le=90)] = 7
    role: Role = "main"
    fees: dict[str, Amount] = {}
    anchor: Anchor = "due_date"
    must_not_skip: bool = False
    blocking: bool = False
    timeout_days: Annotated[int, Meta(ge=1, le=365)] | None = None
    when: Conditions | None = None
    cc: Annotated[tuple[Role, ...], Meta(max_length=5)] = ()


class Plan(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """An ordered, versioned list of steps (S0-22, S2-03).

    ``entry`` is where an item that comes late begins (R3). ``after_last``
    (R18): ``repeat`` the last step ``repeat_every_days`` after it was sent,
    ``repeat_at_most`` times; ``escalate`` hands the item over to
    ``escalate_to``; ``write_off`` asks a person. These come ``after_last_days``
    after the last step was sent (None: the days to pay that it gives). A level
    waits ``part_paid_delay_days`` once ``part_paid_percent`` of an item are paid (R9).
    ``correction``: who was reminded of an invoice that is then cancelled is told so (R13).
    """

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=50)]
    name: Annotated[str, Meta(max_length=200)] = ""
    entry: Literal["first", "by_age"] = "first"
    after_last: Literal["stop", "repeat", "escalate", "write_off"] = "stop"
    repeat_every_days: Annotated[int, Meta(ge=1, le=365)] | None = None
    repeat_at_most: Annotated[int, Meta(ge=1, le=100)] | None = None
    escalate_to: Literal["agency", "legal"] | None = None
    after_last_days: Annotated[int, Meta(ge=0, le=3650)] | None = None
    item_grace_days: Annotated[int, Meta(ge=0, le=365)] = 0
    account_grace_days: Annotated[int, Meta(ge=0, le=365)] = 0
    correction: bool = False
    next_business_day: bool = False
    part_paid_percent: Annotated[int, Meta(ge=1, le=99)] | None = None
    part_paid_delay_days: Annotated[int, Meta(ge=1, le=365)] | None = None
