"""One document under two customers is found where all accounts meet (SEMANTICS 2.2, DESIGN 1)."""

import datetime

from msgspec.structs import replace
from sqlalchemy import Engine

from infra.database.engine import reading, writing
from infra.database.queries.exceptions import exception_lines
from infra.projection.batch import Batch
from infra.projection.duplicates import DUPLICATE_DOCUMENT, record_duplicates
from infra.projection.rows import project_row
from schemas.events import CreditNoteIssued, InvoiceIssued
from schemas.rows import CreditRow, ItemRow, RowKey, encode_key, encode_row

_AT = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
_LATER = _AT + datetime.timedelta(days=1)


def _item(account: str, document: str, *, issued_on: datetime.date) -> ItemRow:
    company, _, customer = account.partition(":")
    return ItemRow(
        account=account,
        item=document,
        document=InvoiceIssued(
            company=company,
            customer=customer,
            occurred_at=str(issued_on),
            document=document,
            currency="USD",
            amount="10",
        ),
        currency="USD",
        amount_minor=1000,
        open_minor=1000,
        issued_on=issued_on,
        due_on=issued_on,
    )


def _note(account: str, document: str, *, received_on: datetime.date) -> CreditRow:
    company, _, customer = account.partition(":")
    return CreditRow(
        account=account,
        credit=f"credit_note/{document}",
        credit_kind="credit_note",
        document=CreditNoteIssued(
            company=company,
            customer=customer,
            occurred_at=str(received_on),
            document=document,
            currency="USD",
            amount="10",
        ),
        currency="USD",
        amount_minor=1000,
        effective_minor=1000,
        rest_minor=1000,
        received_on=received_on,
    )


def _project(engine: Engine, *rows: ItemRow | CreditRow, at: datetime.datetime = _AT) -> int:
    batch = Batch()
    items: list[tuple[str, str]] = []
    notes: list[tuple[str, str]] = []
    for row in rows:
        company = row.account.partition(":")[0]
        kind, name = ("item", row.item) if isinstance(row, ItemRow) else ("credit", row.credit)
        (items if kind == "item" else notes).append((company, name))
        project_row(
            batch, key=encode_key(RowKey(kind, row.account, name)), value=encode_row(row), partition=0
        )
    with writing(engine) as connection:
        batch.apply(connection)
        return record_duplicates(connection, items=items, credit_notes=notes, recorded_at=at)


def _found(engine: Engine) -> list[tuple[str, str, str, str, datetime.datetime]]:
    with reading(engine) as connection:
        lines, _ = exception_lines(connection, reason=DUPLICATE_DOCUMENT, lines_max=10)
    return [(one.account, one.key, one.first, one.second, one.recorded_at) for one in lines]


def _content(account: str, document: str, day: str) -> str:
    return f'{{"account":"{account}","document":"{document}","date":"{day}","currency":"USD","amount_minor":1000}}'


def test_the_later_document_is_reported_with_both(engine: Engine) -> None:
    """The exception names the account of the later invoice, and shows both; once, however often written."""
    first = _item("acme:C2", "I1", issued_on=datetime.date(2026, 3, 1))
    second = _item("acme:C1", "I1", issued_on=datetime.date(2026, 3, 2))
    assert 0 == _project(engine, first)
    assert 1 == _project(engine, second)
    assert 1 == _project(engine, replace(second, open_minor=0), at=_LATER)
    said = (
        "acme:C1",
        "acme/I1",
        _content("acme:C2", "I1", "2026-03-01"),
        _content("acme:C1", "I1", "2026-03-02"),
        _AT,
    )
    assert [said] == _found(engine)


def test_the_order_of_arrival_does_not_matter(engine: Engine) -> None:
    """Partitions are read in any order; the same account is named."""
    second = _item("acme:C1", "I1", issued_on=datetime.date(2026, 3, 2))
    _project(engine, second)
    _project(engine, _item("acme:C2", "I1", issued_on=datetime.date(2026, 3, 1)))
    assert ["acme:C1"] == [each[0] for each in _found(engine)]


def test_other_companies_and_other_kinds_are_no_duplicates(engine: Engine) -> None:
    """A document's id is unique per company and kind of document."""
    day = datetime.date(2026, 3, 1)
    rows = [_item("acme:C1", "I1", issued_on=day), _item("beta:C1", "I1", issued_on=day)]
    assert 0 == _project(engine, *rows, _note("acme:C2", "I1", received_on=day))


def test_credit_notes_are_compared_too(engine: Engine) -> None:
    """The same credit note under two customers is an exception."""
    day = datetime.date(2026, 3, 1)
    assert 1 == _project(
        engine, _note("acme:C1", "N1", received_on=day), _note("acme:C2", "N1", received_on=day)
    )
    assert [("acme:C2", "acme/credit_note/N1")] == [each[:2] for each in _found(engine)]
