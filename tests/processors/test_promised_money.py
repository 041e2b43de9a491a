"""Random histories of customers who promise, pay and are merged: one payment keeps one promise, wherever both are (R35, SEMANTICS 2.6)."""

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.account import Account
from schemas import commands, events
from schemas.journal import SourceEvent, TickPassed
from tests.scenarios.on_core import Stage, _hold_true

CUSTOMERS = ("C1", "C2", "C3")
START = datetime.date(2026, 1, 5)


class Act(NamedTuple):
    """What happens at a customer, so many days after what was before it."""

    after_days: int
    verb: str
    who: int
    other: int
    number: int


VERBS = (
    *("invoice", "promise", "promise", "pay", "pay", "loose", "loose", "for-another"),
    *("reverse", "refund", "merge", "merge", "send", "withdraw", "amend", "tick"),
)
ACTS = st.builds(
    Act,
    after_days=st.sampled_from((0, 0, 0, 1, 2, 5)),
    verb=st.sampled_from(VERBS),
    who=st.integers(0, 2),
    other=st.integers(1, 2),
    number=st.integers(1, 4),
)


class _Told(NamedTuple):
    stage: Stage
    payments: list[tuple[str, str]]
    promises: list[tuple[str, str]]
    invoices: list[tuple[str, str]]


def _event(act: Act, told: _Told, *, index: int, day: datetime.date) -> SourceEvent | None:
    """Make the event of an act; None: there is nothing yet that it could be about."""
    who = CUSTOMERS[act.who]
    other = CUSTOMERS[(act.who + act.other) % 3]
    said: dict[str, Any] = {"company": "acme", "customer": who, "occurred_at": day.isoformat()}
    asked = said | {"command": f"command-{index}"}
    amount = f"{25 * act.number}.00"
    match act.verb:
        case "invoice":
            told.invoices.append((who, f"INV-{index}"))
            due = day + datetime.timedelta(days=7)
            return events.InvoiceIssued(
                **said, document=f"INV-{index}", currency="USD", amount="100.00", due_date=due
            )
        case "promise":
            told.promises.append((who, asked["command"]))
            return commands.MakePromise(
                **asked, due_on=day + datetime.timedelta(days=3 * act.number), amount=amount
            )
        case "pay" | "loose" | "for-another":
            told.payments.append((who, f"P-{index}"))
            lines: tuple[events.PaymentLine, ...] = ()
            mine = [document for owner, document in told.invoices if owner == who]
            if act.verb == "loose":
                lines = (events.PaymentLine(document="NOBODYS"),)
            elif act.verb == "for-another":
                lines = (events.PaymentLine(document=f"INV-{act.number}", amount="10.00", customer=other),)
            elif mine:
                lines = (events.PaymentLine(document=mine[act.number % len(mine)]),)
            return events.PaymentReceived(
                **said, payment=f"P-{index}", currency="USD", amount=amount, lines=lines
            )
        case "merge":
            return events.CustomerMerged(**said | {"occurred_at": _at(day, index)}, into=other)
        case "tick":
            return None
    return _of_known(act, told, index=index, said=said, asked=asked, other=other)


def _of_known(
    act: Act, told: _Told, *, index: int, said: dict[str, Any], asked: dict[str, Any], other: str
) -> SourceEvent | None:
    known = {"withdraw": told.promises, "amend": told.invoices}.get(act.verb, told.payments)
    if not known:
        return None
    owner, name = known[act.number % len(known)]
    if act.verb == "send" and owner == other:
        return None
    mine, ordered = said | {"customer": owner}, asked | {"customer": owner}
    made: dict[str, Callable[[], SourceEvent]] = {
        "reverse": lambda: events.PaymentReversed(**mine, payment=name),
        "refund": lambda: events.RefundPaid(
            **mine, refund=f"R-{index}", credit=name, currency="USD", amount=f"{10 * act.number}.00"
        ),
        "send": lambda: commands.TransferPayment(
            **ordered, payment=name, to_customer=other, amount=None if act.number % 2 else "5.00"
        ),
        "withdraw": lambda: commands.WithdrawPromise(**ordered, promise=name),
        "amend": lambda: events.InvoiceAmended(
            **mine, document=name, revision=index, amount=f"{20 * act.number}.00"
        ),
    }
    return made[act.verb]()


def _at(day: datetime.date, index: int) -> str:
    """Give each merger its own second: of two of one second the first counts (2.2)."""
    return f"{day.isoformat()}T12:{index // 60:02}:{index % 60:02}Z"


def _counts_once(accounts: list[Account], *, payments: list[tuple[str, str]]) -> None:
    """A promise has received what payments say that they count for it; none counts for more than it is."""
    for holder in accounts:
        rows = {} if holder.arrangements is None else holder.arrangements.promises
        for row in rows.values():
            if row.status in {"moved", "withdrawn"}:
                continue
            counted_minor = sum(
                credit.promised.get(row.promise, 0)
                for account in accounts
                for credit in account.credits.values()
            )
            assert counted_minor == row.received_minor, (holder.id, row)
    for owner, payment in payments:
        home = next(each for each in accounts if each.id == f"acme:{owner}")
        first = home.credits[f"payment/{payment}"]
        counted_minor = sum(
            minor
            for account in accounts
            for credit in account.credits.values()
            if credit.credit.split("@")[0] == first.credit
            for promise, minor in credit.promised.items()
            if promise
        )
        still_minor = 0 if first.ended_on is not None else first.amount_minor
        assert counted_minor <= still_minor, (payment, counted_minor)


BEFORE = [  # each has promised and paid, in full or in part, before any of them is merged
    Act(0, verb, who, 1, number)
    for who, number in ((0, 1), (1, 2), (2, 1))
    for verb in ("promise", "pay", "loose")
]
MERGED = st.builds(Act, st.just(1), st.just("merge"), st.integers(0, 2), st.integers(1, 2), st.just(1))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(ACTS, max_size=5),
    st.lists(MERGED, min_size=1, max_size=3),
    st.lists(ACTS, min_size=1, max_size=15),
)
def test_one_payment_keeps_one_promise(first: list[Act], merged: list[Act], then: list[Act]) -> None:
    """R35, SEMANTICS 2.6: over random histories of three customers no minor unit counts for two promises, none is forgotten."""
    told = _Told(Stage(), [], [], [])
    stage, day = told.stage, START
    for number, who in enumerate(CUSTOMERS):
        said: dict[str, Any] = {"company": "acme", "customer": who, "occurred_at": "2026-01-01"}
        stage.fold(
            events.InvoiceIssued(
                **said, document=f"INV-{number}", currency="USD", amount="100.00", due_date=START
            )
        )
        told.invoices.append((who, f"INV-{number}"))
    for index, act in enumerate([*BEFORE, *first, *merged, *then], start=10):
        day += datetime.timedelta(days=act.after_days)
        event = _event(act, told, index=index, day=day)
        if event is not None:
            stage.fold(event)
        elif act.verb == "tick":
            at = datetime.datetime.combine(day, datetime.time(20), tzinfo=datetime.UTC)
            stage.fold(TickPassed(at=at, mode="played"))
        accounts = [stage.partition.account(f"acme:{who}") for who in CUSTOMERS]
        _counts_once(accounts, payments=told.payments)
    _hold_true(stage)
