"""An account's statement: lines with a running balance, open items, days overdue, credit."""

import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading, writing
from infra.database.queries.statement import (
    Part,
    Statement,
    StatementLine,
    currency_sums,
    moved_lines,
    statement,
)
from infra.projection.batch import Batch
from infra.projection.facts import project_fact
from schemas.codec import encode
from schemas.facts import ConditionalPaymentChanged
from tests.infra.database.filled import Filled, day
from tests.infra.database.rows_read import counting_rows

AT = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)

_STORY: list[tuple[Any, ...]] = [
    ("01-01", "issued", 1000, "I1", "01-31"),
    ("01-05", "issued", 500, "I2", "03-05"),
    ("02-10", "received", 1200, "credit:payment/P1"),
    ("02-10", "applied", -800, "I1"),
    ("02-10", "applied", -800, "credit:payment/P1"),
    ("02-20", "credit_note_issued", 100, "credit:credit_note/N1"),
    ("02-20", "applied", -100, "I2"),
    ("02-20", "applied", -100, "credit:credit_note/N1"),
]


@pytest.fixture
def told(engine: Engine) -> Filled:
    """Give a read model with one account's story."""
    filled = Filled(engine)
    filled.customer("acme:C1", "Ñandú")
    filled.moves("acme:C1", _STORY)
    filled.moves("acme:C2", [("01-01", "issued", 77, "I9", "01-31")])
    return filled


def asked(engine: Engine, on: str, *, account: str = "acme:C1", first: str | None = None) -> Statement:
    """Ask for a statement that is there."""
    with reading(engine) as connection:
        found = statement(connection, account=account, as_of=day(on), first_on=day(first) if first else None)
    assert found is not None
    return found


def lines(found: tuple[StatementLine, ...]) -> list[tuple[str, str, str, int, int]]:
    """Write lines as (day, kind, document, amount, balance)."""
    return [
        (f"{one.date:%m-%d}", one.kind, one.document, one.amount_minor, one.balance_minor) for one in found
    ]


@pytest.mark.usefixtures("told")
def test_lines_run_to_the_balance(engine: Engine) -> None:
    """Documents raise the balance, money and notes lower it; applications do neither and are no lines."""
    (of,) = asked(engine, "02-28").currencies
    assert [
        ("01-01", "issued", "I1", 1000, 1000),
        ("01-05", "issued", "I2", 500, 1500),
        ("02-10", "received", "payment/P1", -1200, 300),
        ("02-20", "credit_note_issued", "credit_note/N1", -100, 200),
    ] == lines(of.lines)
    assert (0, 200) == (of.opening_minor, of.closing_minor)
    assert of.aged is not None
    assert of.closing_minor == of.aged.receivables_minor - of.aged.credit_minor


@pytest.mark.usefixtures("told")
def test_open_items_are_as_late_as_on_that_day(engine: Engine) -> None:
    """Days overdue count from the due date; the original amount stays beside the open one."""
    found = asked(engine, "02-28")
    (of,) = found.currencies
    assert [("I1", 200, 28), ("I2", 400, -5)] == [
        (one.item, one.open_minor, one.days_overdue) for one in of.open_items
    ]
    assert of.aged is not None
    assert [(1, 400), (1, 200), (0, 0), (0, 0), (0, 0)] == [
        (each.count, each.amount_minor) for each in of.aged.buckets
    ]
    assert (400, "Ñandú") == (of.aged.credit_minor, found.name)


@pytest.mark.usefixtures("told")
def test_what_was_before_is_the_opening_balance(engine: Engine) -> None:
    """With a first day, lines begin there and go on from the balance before."""
    (of,) = asked(engine, "02-15", first="02-01").currencies
    assert 1500 == of.opening_minor
    assert [("02-10", "received", "payment/P1", -1200, 300)] == lines(of.lines)
    (quiet,) = asked(engine, "02-15", first="02-12").currencies
    assert (300, (), 300) == (quiet.opening_minor, quiet.lines, quiet.closing_minor)


def test_currencies_have_their_own_lines(engine: Engine, told: Filled) -> None:
    """The running balance is one per currency."""
    told.moves("acme:C1", [("01-02", "issued", 9, "I3", "01-31")], currency="CLP")
    found = asked(engine, "02-28")
    assert [("CLP", 9), ("USD", 200)] == [(of.currency, of.closing_minor) for of in found.currencies]


@pytest.mark.usefixtures("told")
def test_an_account_is_known_or_not(engine: Engine) -> None:
    """Nothing known is None; nothing moved yet is an empty statement."""
    with reading(engine) as connection:
        assert statement(connection, account="acme:C3", as_of=day("02-28")) is None
        empty = statement(connection, account="acme:C1", as_of=datetime.date(2025, 12, 31))
    assert empty is not None
    assert () == empty.currencies


@pytest.mark.usefixtures("told")
def test_a_cheque_that_has_not_cleared_is_shown_and_is_no_part_of_the_balance(engine: Engine) -> None:
    """S1-21: exposure stays; as of a past day it is what it was then."""
    batch = Batch()
    for number, (state, on) in enumerate(
        (("received", "02-10"), ("deposited", "02-15"), ("cleared", "02-20"))
    ):
        changed = ConditionalPaymentChanged(
            id=f"acme:C1/{100 + number}",
            account="acme:C1",
            payment="CH-1",
            means="cheque",
            state=state,  # type: ignore[arg-type]  # one of its states
            currency="USD",
            amount_minor=300,
            on=day(on),
        )
        project_fact(batch, value=encode(changed), offset=100 + number, recorded_at=AT)
    with writing(engine) as connection:
        batch.apply(connection)
    shown = {
        on: [(each.payment, each.state) for of in asked(engine, on).currencies for each in of.conditional]
        for on in ("02-09", "02-12", "02-18", "02-28")
    }
    expected = {
        "02-09": [],
        "02-12": [("CH-1", "received")],
        "02-18": [("CH-1", "deposited")],
        "02-28": [],
    }
    assert expected == shown
    (of,) = asked(engine, "02-12").currencies
    assert 300 == of.closing_minor


def _much(engine: Engine) -> None:
    """Let an account have 300 documents in each of two currencies, and 300 payments."""
    filled = Filled(engine)
    filled.customer("acme:C1", "Ñandú")
    for currency in ("EUR", "USD"):
        filled.moves(
            "acme:C1",
            [("01-05", "issued", 100 + each, f"{currency}-{each:03}", "02-01") for each in range(300)],
            currency=currency,
        )
    filled.moves("acme:C1", [("01-06", "received", 1, f"credit:payment/P{each:03}") for each in range(300)])


def test_a_part_of_a_statement_reads_no_more_than_it_gives(engine: Engine) -> None:
    """A page has the newest lines and the oldest documents; balances and counts are of all (issue 7: never load everything)."""
    _much(engine)
    on = day("02-28")
    with reading(engine) as connection:
        whole = statement(connection, account="acme:C1", as_of=on)
        with counting_rows() as read:
            found = statement(connection, account="acme:C1", as_of=on, part=Part(skip=20, most=10))
    assert whole is not None
    assert found is not None
    assert read.count < 60
    for all_of, of in zip(whole.currencies, found.currencies, strict=True):
        assert all_of.lines[-30:-20] == of.lines
        assert all_of.open_items[20:30] == of.open_items
        assert (len(all_of.lines), len(all_of.open_items)) == (of.line_count, of.open_count)
        assert (all_of.line_count, all_of.open_count) == (of.line_count, of.open_count)
        assert (all_of.opening_minor, all_of.closing_minor) == (of.opening_minor, of.closing_minor)
        assert all_of.lines[-1].balance_minor == of.closing_minor


def test_lines_are_walked_from_any_of_them(engine: Engine) -> None:
    """What is left out before is counted by SQL, and who stops early has read a few hundred of a million."""
    _much(engine)
    with reading(engine) as connection:
        sums = currency_sums(connection, account="acme:C1", as_of=day("02-28"), first_on=None)
        with counting_rows() as read:
            walk = moved_lines(
                connection, account="acme:C1", currency="USD", as_of=day("02-28"), first_on=None, skip=250
            )
            some = [next(walk).document for _ in range(3)]
    assert ["USD-250", "USD-251", "USD-252"] == some
    assert read.count <= 200
    assert (300, 600) == (sums["EUR"].line_count, sums["USD"].line_count)
