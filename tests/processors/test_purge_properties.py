"""Forgetting changes no sum and no decision, whatever happened; and nothing forgotten comes back (SEMANTICS 2.2).

Two books hear the same: one forgets after 400 days, the other practically
never. What is said of business that is alive must be the same in both.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from processors import purge
from schemas import commands, events
from schemas.facts import ExceptionRaised, LedgerFact
from schemas.journal import SourceEvent, TickPassed
from schemas.plans import Action, Plan, Step
from schemas.rows import AccountRow, CreditRow, Row, SeenRow, decode_key, decode_row
from tests.scenarios.on_core import Stage, _hold_true

START = datetime.date(2024, 1, 1)
WHO: dict[str, Any] = {"company": "acme", "customer": "C1"}
ALIVE_DAYS = 150  # of what is this old, events may still speak; it cannot be forgotten yet
PLAN = Plan(
    id="default",
    version=1,
    steps=(
        Step(name="first", offset_days=0, actions=(Action(channel="email"), Action(channel="task"))),
        Step(name="second", offset_days=10, actions=(Action(channel="task"),)),
        Step(name="third", offset_days=300, actions=(Action(channel="task"),)),
    ),
)
VERBS = (
    "invoice",
    "invoice",
    "invoice",
    "settle",
    "settle",
    "settle",
    "settle",
    "pay",
    "pay-loose",
    "pay-two",
    "reverse",
    "cancel",
    "amend",
    "credit-note",
    "unapply",
    "refund",
    "exclude",
    "note",
)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens some days after what was before it; ``number`` chooses of what and how much."""

    after_days: int
    verb: str
    number: int
    accepted: bool


ACTS = st.builds(
    Act,
    after_days=st.sampled_from((0, 0, 1, 1, 3, 3, 20, 60, 250, 401)),
    verb=st.sampled_from(VERBS),
    number=st.integers(0, 11),
    accepted=st.sampled_from((True, True, True, False)),
)


class Business:
    """Makes events that speak only of what is alive."""

    def __init__(self) -> None:
        self.invoices: list[tuple[datetime.date, str]] = []
        self.amounts: dict[str, str] = {}
        self.payments: list[tuple[datetime.date, str]] = []

    def event(self, act: Act, *, index: int, day: datetime.date) -> SourceEvent | None:
        """Give what happens; None when there is nothing that it could happen to."""
        told = {**WHO, "occurred_at": day.isoformat()}
        amount: dict[str, Any] = {"currency": "USD", "amount": f"{10 * (1 + act.number)}.00"}
        match act.verb:
            case "invoice":
                self.invoices.append((day, f"I{index}"))
                self.amounts[f"I{index}"] = amount["amount"]
                due = day + datetime.timedelta(days=act.number * 4)
                return events.InvoiceIssued(**told, **amount, document=f"I{index}", due_date=due)
            case "pay" | "pay-two" | "pay-loose":
                count = {"pay": 1, "pay-two": 2, "pay-loose": 0}[act.verb]
                lines = tuple(
                    events.PaymentLine(document=each) for each in self._alive(day, act.number, count)
                )
                self.payments.append((day, f"P{index}"))
                return events.PaymentReceived(**told, **amount, payment=f"P{index}", lines=lines)
            case "settle":
                names = self._alive(day, act.number, 1)
                if names:
                    self.payments.append((day, f"P{index}"))
                    amount["amount"] = self.amounts[names[0]]
                lines = tuple(events.PaymentLine(document=each) for each in names)
                return events.PaymentReceived(**told, **amount, payment=f"P{index}", lines=lines)
            case "note":
                return commands.AddNote(**told, command=f"c{index}", text="called")
            case _:
                return self._follow(act, told=told, amount=amount, index=index, day=day)

    def _follow(
        self, act: Act, *, told: dict[str, Any], amount: dict[str, Any], index: int, day: datetime.date
    ) -> SourceEvent | None:
        names = self._alive(day, act.number, 1)
        paid = [name for on, name in self.payments if (day - on).days < ALIVE_DAYS]
        if act.verb in ("reverse", "refund", "unapply") and paid:
            payment = paid[act.number % len(paid)]
            if act.verb == "reverse":
                return events.PaymentReversed(**told, payment=payment)
            if act.verb == "refund":
                return events.RefundPaid(**told, **amount, refund=f"F{index}", of="payment", credit=payment)
            lines = tuple(events.ReconciliationLine(action="unapply", document=each) for each in names)
            if not lines:
                return None
            return events.ReconciliationRecorded(
                **told, reconciliation=f"X{index}", payment=payment, lines=lines
            )
        if not names or act.verb not in SPEAK_OF_INVOICES:
            return None
        return SPEAK_OF_INVOICES[act.verb](told, amount, names[0], index)

    def _alive(self, day: datetime.date, number: int, count: int) -> list[str]:
        alive = [name for on, name in self.invoices if (day - on).days < ALIVE_DAYS]
        return (
            list(dict.fromkeys(alive[(number + each) % len(alive)] for each in range(count))) if alive else []
        )


SPEAK_OF_INVOICES: dict[str, Callable[[dict[str, Any], dict[str, Any], str, int], SourceEvent]] = {
    "cancel": lambda told, _, name, __: events.InvoiceCancelled(**told, document=name),
    "amend": lambda told, amount, name, index: events.InvoiceAmended(
        **told, document=name, revision=index + 1, amount=amount["amount"]
    ),
    "credit-note": lambda told, amount, name, index: events.CreditNoteIssued(
        **told, **amount, document=f"N{index}", invoice=name
    ),
    "exclude": lambda told, _, name, index: commands.ExcludeItem(
        **told, command=f"c{index}", document=name, reason="claim"
    ),
}


def books(*, retention_days: int, restores: bool = False) -> Stage:
    """Open books with a plan."""
    stage = Stage(restores=restores)
    told: dict[str, Any] = {"company": "acme", "occurred_at": "2024-01-01"}
    stage.fold(commands.PublishPlan(**told, command="plan", plan=PLAN))
    stage.fold(
        commands.ConfigureCompany(
            **told,
            command="profile",
            name="Acme",
            time_zone="America/Santiago",
            currency="USD",
            retention_days=retention_days,
        )
    )
    return stage


def play(stage: Stage, acts: list[Act]) -> datetime.date:
    """Let everything happen, each followed by its day's tick and the notifier's answer; give the last day."""
    business, day = Business(), START
    for index, act in enumerate(acts):
        day += datetime.timedelta(days=act.after_days)
        event = business.event(act, index=index, day=day)
        if event is not None:
            stage.fold(event)
        _tick(stage, day, accepted=act.accepted)
    return day


def _tick(stage: Stage, day: datetime.date, *, accepted: bool = True) -> list[LedgerFact]:
    at = datetime.datetime.combine(day, datetime.time(15), tzinfo=datetime.UTC)
    facts = stage.take(TickPassed(at=at, mode="played")) if accepted else _fail(stage, at)
    _hold_true(stage)
    return facts


def _fail(stage: Stage, at: datetime.datetime) -> list[LedgerFact]:
    from tests.scenarios.script import Notifying

    stage.answers[""] = Notifying(line=0, channel="", status="failed", error_type="provider_unavailable")
    facts = stage.take(TickPassed(at=at, mode="played"))
    del stage.answers[""]
    return facts


def rows(stage: Stage) -> dict[bytes, Row]:
    """Give the account's rows."""
    return {
        key: decode_row(value)
        for key, value in stage.partition.rows().items()
        if decode_key(key).owner == "acme:C1"
    }


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTS, min_size=5, max_size=30))
def test_forgetting_changes_no_sum_and_no_decision(acts: list[Act]) -> None:
    """Every movement, reminder and word is the same; what is left is as it is where nothing is forgotten."""
    forgetting, keeping = books(retention_days=400), books(retention_days=36_500)
    for stage in (forgetting, keeping):
        day = play(stage, acts)
        _tick(stage, day + datetime.timedelta(days=401))
        _tick(stage, day + datetime.timedelta(days=802))
    assert keeping.log == forgetting.log
    kept, left = rows(keeping), rows(forgetting)
    assert {key: row for key, row in left.items() if not isinstance(row, AccountRow)} == {
        key: kept[key] for key, row in left.items() if not isinstance(row, AccountRow)
    }
    one, other = keeping.partition.account("acme:C1").row, forgetting.partition.account("acme:C1").row
    assert (one.balances, one.version, one.sequence) == (other.balances, other.version, other.sequence)


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTS, min_size=5, max_size=25))
def test_a_worker_that_takes_over_forgets_the_same(acts: list[Act]) -> None:
    """What goes at which tick depends on the rows alone: a replay and a worker that restarted agree."""
    stages = [books(retention_days=400, restores=restores) for restores in (False, True)]
    with mock.patch.object(purge, "PURGED_ROWS_MAX", 3):  # so that what is due goes over several ticks
        for stage in stages:
            day = play(stage, acts)
            for later in (401, 402, 403, 802, 803):
                _tick(stage, day + datetime.timedelta(days=later))
    assert stages[0].log == stages[1].log
    assert stages[0].partition.rows() == stages[1].partition.rows()


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTS, min_size=5, max_size=25))
def test_nothing_that_was_forgotten_comes_back(acts: list[Act]) -> None:
    """All that was ever sent is sent again: no movement, no row; what is forgotten is said to be too old."""
    stage = books(retention_days=400)
    day = play(stage, acts)
    _tick(stage, day + datetime.timedelta(days=401))
    _tick(stage, day + datetime.timedelta(days=802))
    told = [event for event in stage.told[2:] if not isinstance(event, TickPassed)]
    before = stage.partition.rows()
    items = set(stage.partition.account("acme:C1").items)
    for event in told:
        for fact in stage.fold(event):
            assert isinstance(fact, ExceptionRaised), fact
            assert fact.reason in ("too_old", "outcome_refused"), fact
    assert items == set(stage.partition.account("acme:C1").items)
    assert _without_header(before) == _without_header(stage.partition.rows())


def test_a_late_word_is_remembered_as_long_as_any() -> None:
    """A payment bounces 60 days after the ledger's newest tick: it is the bounce that counts, not the tick."""
    stage = books(retention_days=400)
    day = play(stage, [Act(0, "pay-loose", 3, True), Act(60, "reverse", 0, True)])
    assert datetime.date(2024, 3, 1) == day
    _tick(stage, START + datetime.timedelta(days=402))
    assert ["payment/P0"] == [each.credit for each in rows(stage).values() if isinstance(each, CreditRow)]
    _tick(stage, day + datetime.timedelta(days=401))
    assert [] == [each for each in rows(stage).values() if isinstance(each, CreditRow | SeenRow)]
    told = [event for event in stage.told[2:] if not isinstance(event, TickPassed)]
    assert 2 == len(told)
    for event in told:
        assert ["too_old"] == [fact.reason for fact in stage.fold(event) if isinstance(fact, ExceptionRaised)]


def _without_header(stored: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {key: value for key, value in stored.items() if decode_key(key).kind != "account"}
