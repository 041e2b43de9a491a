"""R19: whatever providers say, in whatever order and how often, the same stands in the end; and it costs what it touches."""

import datetime
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.audit import audit_journal
from processors.partition import Partition
from schemas import commands, events
from schemas.facts import ReminderDecided, ReminderEnded
from schemas.journal import JournalEntry, TickPassed, encode_entry
from schemas.outcomes import OutcomeReported
from schemas.plans import Action, Plan, Step
from tests.processors.test_decide_properties import ACTS, PLANS, START, Act, play
from tests.scenarios.law import free_law
from tests.scenarios.on_core import Record, Stage

ACCOUNT = "acme:C1"
DAY = datetime.date(2026, 2, 2)
PLAN = Plan(
    id="default",
    version=1,
    steps=(
        Step(name="first", offset_days=0, actions=(Action(channel="email"), Action(channel="letter"))),
        Step(name="second", offset_days=15, actions=(Action(channel="email"),)),
    ),
)
WHO: Any = {"company": "acme", "customer": "C1"}
Word = tuple[str, str]


def staged(count: int = 1) -> tuple[Stage, ReminderDecided]:
    """Give an account whose reminder is on its way by mail and letter, with nothing heard of it yet."""
    stage = Stage()
    stage.fold(free_law("acme"))
    stage.fold(commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLAN))
    contact = events.Contact(email="ana@c1.test", address=("Calle 1",))
    stage.fold(events.CustomerUpserted(**WHO, occurred_at="2026-01-01", name="Ana", contacts=(contact,)))
    for number in range(count):
        stage.fold(
            events.InvoiceIssued(
                **WHO, occurred_at="2026-01-02", document=f"INV-{number:04}", currency="USD", amount="10.00", due_date=DAY
            )
        )  # fmt: skip
    [reminder] = [fact for fact in tick(stage, DAY) if isinstance(fact, ReminderDecided)]
    return stage, reminder


def tick(stage: Stage, day: datetime.date) -> list[Any]:
    """Let a day's tick pass."""
    at = datetime.datetime.combine(day, datetime.time(9), tzinfo=datetime.UTC)
    return stage.fold(TickPassed(at=at, mode="played"))


def say(stage: Stage, reminder: ReminderDecided, word: Word) -> list[Any]:
    """Say the fate of a delivery, a day after."""
    channel, status = word
    address = {"email": "ana@c1.test", "letter": "Calle 1"}[channel]
    error = {"failed": "carrier_refused"}.get(status, "")
    return stage.fold(
        OutcomeReported(
            **WHO,
            occurred_at="2026-02-03",
            reminder=reminder.id,
            channel=channel,  # type: ignore[arg-type]  # one of the two
            status=status,  # type: ignore[arg-type]  # one of the fates
            error_type=error,  # type: ignore[arg-type]  # a known one
            address=address,
        )
    )


def standing(stage: Stage, reminder: ReminderDecided) -> dict[str, Any]:
    """Give what stands: of the reminder, its items, the account, and the register of the law."""
    account = stage.partition.account(ACCOUNT)
    row = account.reminders[reminder.id]
    items = [
        (each.item, each.step, each.plan, each.sent_on, each.sent_level_on, each.pay_by_on, each.shift_days, each.plan_finished)
        for each in account.items.values()
    ]  # fmt: skip
    return {
        "status": row.status,
        "deliveries": row.deliveries,
        "items": sorted(items),
        "contact": account.row.last_contact_on,
        "open": account.row.open_reminder,
        "bad": sorted(account.row.failed_channels),
        "opted_out": account.row.opted_out,
        "register": sorted(account.contacts),
    }


LATER = [("", 1), ("bounced", 1), ("bounced", 2), ("delivered", 1), ("complained", 2), ("returned", 1)]
WORDS = st.sampled_from(
    [*itertools.product(("email", "letter"), ("accepted", "delivered", "bounced", "returned", "complained"))]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(words: list[Word], shuffle: Any) -> None:
    """Any order of the same words, each as often as it likes, leaves the same account, and the audit finds nothing."""
    shuffled = [*words, *words[::2]]
    shuffle.shuffle(shuffled)
    found = []
    for said in (words, shuffled):
        stage, reminder = staged()
        for word in said:
            say(stage, reminder, word)
        for later in (DAY + datetime.timedelta(days=each) for each in (2, 5, 8)):
            tick(stage, later)
        assert [] == audit_journal({0: stage.records}).problems
        found.append(standing(stage, reminder))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "words",
    [
        [("email", "accepted"), ("email", "failed"), ("letter", "failed")],
        [("email", "failed"), ("email", "delivered"), ("letter", "failed")],
        [("email", "accepted"), ("email", "failed"), ("letter", "superseded")],
    ],
)
def test_refusals_said_late_leave_the_same(words: list[Word]) -> None:
    """A provider that refuses after it has accepted: nothing is consumed, and nothing counts as a contact."""
    found = []
    for said in itertools.permutations(words):
        stage, reminder = staged()
        for word in said:
            say(stage, reminder, word)
        stands = standing(stage, reminder)
        assert ("failed" if stands["status"] != "superseded" else "superseded", None) == (
            stands["status"],
            stands["contact"],
        )
        found.append((stands["items"], stands["register"], stands["deliveries"]["email"]))
    assert len({str(each) for each in found}) == 1


def test_many_items_are_given_back_in_facts_that_fit() -> None:
    """DESIGN 3.6: 700 items, 200 of which the reminder does not name: all are given back, and all go out again."""
    stage, reminder = staged(700)
    assert 200 == reminder.unlisted
    say(stage, reminder, ("email", "accepted"))
    say(stage, reminder, ("letter", "returned"))
    facts = say(stage, reminder, ("email", "bounced"))
    ended = [fact for fact in facts if isinstance(fact, ReminderEnded)]
    assert 700 == sum(len(each.given_back) for each in ended)
    account = stage.partition.account(ACCOUNT)
    assert {-1} == {item.step for item in account.items.values()}
    [again] = [
        fact for fact in tick(stage, DAY + datetime.timedelta(days=4)) if isinstance(fact, ReminderDecided)
    ]
    assert (500, 200, {"task"}) == (
        len(again.items),
        again.unlisted,
        {each.channel for each in again.deliveries},
    )
    assert [] == audit_journal({0: stage.records}).problems


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ACTS, st.sampled_from(LATER)), min_size=5, max_size=25), st.integers(0, 1))
def test_whatever_comes_back_every_step_is_sent_once_or_explained(
    acts: list[tuple[Act, tuple[str, int]]], index: int
) -> None:
    """R31, R19 over random histories in which deliveries come back at any time: the audit finds nothing, rows are the state."""
    stage, day = Stage(), START
    stage.fold(
        commands.PublishPlan(company="acme", occurred_at="2026-01-01", command="plan", plan=PLANS[index])
    )
    for number, (act, (status, back)) in enumerate(acts):
        day += datetime.timedelta(days=act.after_days)
        if act.verb != "plan":
            play(stage, act, index=number, day=day)
        come_back(stage, status, back=back, day=day)
    assert [] == audit_journal({0: stage.records}).problems
    rebuilt = Partition(number=0)
    rebuilt.restore(list(stage.partition.rows().items()))
    last = TickPassed(
        at=datetime.datetime.combine(day, datetime.time(20), tzinfo=datetime.UTC), mode="played"
    )
    record = Record(10_000, 0, encode_entry(JournalEntry(event=last, id="last", source="story")))
    assert stage.partition.step([record], cursor="").facts == rebuilt.step([record], cursor="").facts


def come_back(stage: Stage, status: str, *, back: int, day: datetime.date) -> None:
    """Say what became of an earlier reminder's first delivery."""
    decided = stage.decided.get(ACCOUNT, [])
    rows = stage.partition.account(ACCOUNT).reminders if decided else {}
    row = rows.get(decided[-back]) if status and back <= len(decided) else None
    if row is None:
        return
    channel = next(iter(row.deliveries))
    stage.fold(
        OutcomeReported(
            **WHO,
            occurred_at=day.isoformat(),
            reminder=row.reminder,
            channel=channel,  # type: ignore[arg-type]  # the delivery's own
            status=status,  # type: ignore[arg-type]  # one of the fates
        )
    )


def test_costs_nothing_where_nothing_is_said() -> None:
    """An account that no provider speaks of keeps no word of it, and its rows are as small as before."""
    stage, reminder = staged()
    say(stage, reminder, ("email", "accepted"))
    row = stage.partition.account(ACCOUNT).reminders[reminder.id]
    assert [] == row.told
    assert () == stage.partition.account(ACCOUNT).row.failed_channels
