"""Random histories of three customers with everything that is arranged with them, merged and with items sent to and fro: nothing is lost on the way (SEMANTICS 2.6)."""

import datetime
from collections import Counter
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.account import Account
from schemas import commands, events
from schemas.facts import Movement
from schemas.journal import SourceEvent, TickPassed
from tests.processors.test_arrangement_properties import ACTS, event_of
from tests.processors.test_decide_properties import ITEMS, PLANS, START, Act, answer
from tests.scenarios.on_core import Stage, _hold_true

CUSTOMERS = ("C1", "C2", "C3")


class At(NamedTuple):
    """An act, and at which customer it happens."""

    who: int
    act: Act


class Move(NamedTuple):
    """A customer, an item or a payment goes to another customer."""

    who: int
    other: int
    what: str
    item: str
    part: bool


HERE = st.builds(At, st.integers(0, 2), ACTS)
MOVES = st.builds(
    Move,
    st.integers(0, 2),
    st.integers(1, 2),
    st.sampled_from(("customer", "customer", "item", "payment")),
    st.sampled_from(ITEMS[:3]),
    st.booleans(),
)


def _moves(move: Move, *, index: int, day: datetime.date) -> SourceEvent:
    told: dict[str, Any] = {
        "company": "acme",
        "customer": CUSTOMERS[move.who],
        "occurred_at": f"{day.isoformat()}T12:{index // 60:02}:{index % 60:02}Z",
    }
    other = CUSTOMERS[(move.who + move.other) % 3]
    if move.what == "customer":
        return events.CustomerMerged(**told, into=other)
    if move.what == "item":
        return commands.TransferItem(
            **told, command=f"command-{index}", document=move.item, to_customer=other
        )
    return commands.TransferPayment(
        **told,
        command=f"command-{index}",
        payment=f"P-{move.item}",
        to_customer=other,
        amount="7.00" if move.part else None,
    )


def _play(stage: Stage, step: At | Move, *, index: int, day: datetime.date) -> None:
    if isinstance(step, Move):
        stage.fold(_moves(step, index=index, day=day))
    elif step.act.verb != "outcome":
        who = CUSTOMERS[step.who]
        if step.act.verb not in {"cancel", "amend"} or _has_issued(stage, who, step.act.item):
            stage.fold(replace(event_of(step.act, index=index, day=day), customer=who))
    at = datetime.datetime.combine(day, datetime.time(20), tzinfo=datetime.UTC)
    facts = stage.fold(TickPassed(at=at, mode="played"))
    assert [] == stage.fold(TickPassed(at=at, mode="played")), "R26: a second look decides nothing new"
    if isinstance(step, At):
        answer(stage, step.act, day=day, facts=facts)


def _has_issued(stage: Stage, who: str, document: str) -> bool:
    """Say whether a document is a customer's own: billing cancels and amends it under his name."""
    item = stage.partition.account(f"acme:{who}").items.get(document)
    return item is not None and not item.moved_from


def _nothing_is_lost(stage: Stage, accounts: list[Account]) -> None:
    """What goes out comes in, and nobody is left with something to pay, or to be asked for, who is somebody else by now."""
    way: Counter[str] = Counter()
    for fact in stage.log:
        if isinstance(fact, Movement) and fact.kind in {"transferred_out", "transferred_in"}:
            way["item" if fact.item else "credit"] += fact.amount_minor
    assert not any(way.values()), way
    for account in accounts:
        if account.row.merged_into:
            assert [] == [item.item for item in account.items.values() if item.open_minor]
            assert [] == [credit.credit for credit in account.credits.values() if credit.rest_minor]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(HERE, HERE, HERE, MOVES), min_size=8, max_size=35), st.integers(0, 1))
def test_nothing_is_lost_on_the_way(steps: list[At | Move], index: int) -> None:
    """SEMANTICS 2.6: over random histories of three customers all that goes comes, and no sum is wrong."""
    stage = Stage()
    stage.fold(
        commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLANS[index])
    )
    day = START
    for number, step in enumerate(steps):
        day += datetime.timedelta(days=step.act.after_days if isinstance(step, At) else 1)
        _play(stage, step, index=number, day=day)
        _nothing_is_lost(stage, [stage.partition.account(f"acme:{who}") for who in CUSTOMERS])
    _hold_true(stage)
