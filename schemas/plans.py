"""What a dunning plan is: ordered steps with day offsets and actions.

A plan file (YAML) and the body of ``collections.plan.publish.v1`` have this
one shape. What is not here cannot be evaluated, and is refused by name.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.events import Role
from schemas.fields import Amount, Channel

__all__ = ["Action", "Plan", "Step"]


class Action(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that a step does. The task fields are for ``channel: task`` (S2-09)."""

    channel: Channel
    task_type: Annotated[str, Meta(max_length=64)] = ""
    summary: Annotated[str, Meta(max_length=200)] = ""
    responsible: Annotated[str, Meta(max_length=128)] = ""


class Step(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A step: due ``offset_days`` after the due date (negative: a courtesy, R7).

    ``fees`` are decimal amounts per currency, claimed once per item (R22).
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


class Plan(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """An ordered, versioned list of steps (S0-22, S2-03)."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=50)]
    name: Annotated[str, Meta(max_length=200)] = ""
    after_last: Literal["stop"] = "stop"
    item_grace_days: Annotated[int, Meta(ge=0, le=365)] = 0
    account_grace_days: Annotated[int, Meta(ge=0, le=365)] = 0
    next_business_day: bool = False
