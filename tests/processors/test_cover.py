"""What credit covers of what could be dunned (R8, R11, R12), for any items and any credit."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from processors.cover import cover
from processors.credit_index import CreditIndex, Left
from schemas.events import CreditNoteIssued, InvoiceIssued
from schemas.rows import CreditRow, ItemRow, Name

DAY = datetime.date(2026, 1, 1)


def item(number: int, *, open_minor: int, due_in: int) -> ItemRow:
    """Make an open item that is due some days after the first."""
    document = InvoiceIssued(
        company="acme",
        customer="C1",
        occurred_at="2026-01-01",
        document=f"I{number}",
        currency="USD",
        amount="1",
    )
    return ItemRow(
        account="acme:C1",
        item=document.document,
        document=document,
        currency="USD",
        amount_minor=open_minor,
        open_minor=open_minor,
        issued_on=DAY,
        due_on=DAY + datetime.timedelta(days=due_in),
    )


amounts = st.integers(0, 300)
cases = st.lists(
    st.tuples(st.integers(1, 100), st.integers(0, 3), st.sampled_from((0, 15, 30))), min_size=1, max_size=8
)


@given(cases, amounts, amounts)
def test_the_rest_is_what_no_credit_covers(
    told: list[tuple[int, int, int]], cash_minor: int, notes_minor: int
) -> None:
    """R8: the rest is the total less all credit, never below nothing; nothing left: all is covered."""
    items = [item(number, open_minor=each[0], due_in=each[1]) for number, each in enumerate(told)]
    levels = {f"I{number}": each[2] for number, each in enumerate(told)}
    found = cover(items, levels=levels, left=Left(cash_minor, notes_minor))
    total_minor = sum(each[0] for each in told)
    assert (total_minor, max(0, total_minor - cash_minor - notes_minor)) == (
        found.total_minor,
        found.rest_minor,
    )
    assert (found.rest_minor == 0) == (found.covered == set(levels))


@given(cases, amounts)
def test_notes_clear_the_highest_levels_as_a_whole(
    told: list[tuple[int, int, int]], notes_minor: int
) -> None:
    """R12: a covered level is above all that are not, and no level is covered in part."""
    items = [item(number, open_minor=each[0], due_in=each[1]) for number, each in enumerate(told)]
    levels = {f"I{number}": each[2] for number, each in enumerate(told)}
    found = cover(items, levels=levels, left=Left(0, notes_minor))
    covered = {levels[name] for name in found.covered}
    left = {level for name, level in levels.items() if name not in found.covered}
    assert not covered & left
    assert not covered or not left or min(covered) > max(left)


@given(cases, amounts)
def test_money_covers_the_oldest(told: list[tuple[int, int, int]], cash_minor: int) -> None:
    """R11: what is covered is older than what is not."""
    items = [item(number, open_minor=each[0], due_in=each[1]) for number, each in enumerate(told)]
    found = cover(items, levels={each.item: 0 for each in items}, left=Left(cash_minor, 0))
    ages = [(each.due_on, each.item) for each in items if each.item in found.covered]
    others = [(each.due_on, each.item) for each in items if each.item not in found.covered]
    assert not ages or not others or max(ages) < min(others)


def test_index_follows_what_is_left_of_each_credit() -> None:
    """R12: a note that names no invoice counts apart; what is used up counts no more."""
    index = CreditIndex()
    index.fill([note("A", left=30), note("B", left=20, named=True)])
    assert Left(20, 30) == index.left("USD")
    index.set(note("A", left=5))
    index.set(note("B", left=0, named=True))
    assert (Left(0, 5), ["credit_note/A"]) == (index.left("USD"), list(index.names("USD")))


def note(name: str, *, left: int, named: bool = False) -> CreditRow:
    """Make a credit note with so much left."""
    document = CreditNoteIssued(
        company="acme", customer="C1", occurred_at="2026-01-01", document=name, currency="USD", amount="1"
    )
    return CreditRow(
        account="acme:C1",
        credit=f"credit_note/{name}",
        credit_kind="credit_note",
        document=document,
        currency="USD",
        amount_minor=100,
        effective_minor=100,
        rest_minor=left,
        names=[Name(document="X")] if named else [],
        received_on=DAY,
    )
