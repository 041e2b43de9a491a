"""S1-24, B-09: the monthly statement brings the statement of account as PDF: what moved, what is open, by age, per currency."""

import datetime
import io
from typing import get_args

import msgspec
import pypdf
import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from infra.database.queries.aged import AgedRow, Bucket
from infra.database.queries.statement import CurrencyStatement, OpenItem, Statement, StatementLine
from notifiers.channel import Attachment
from notifiers.enclosing import statements
from notifiers.enclosing.statements import StatementPress, enclosing_statements
from notifiers.writing.render import Renderer, templates_folder
from notifiers.writing.samples import sample_reminder
from notifiers.writing.words import LANGUAGES, Words, words_of
from schemas.facts import ReminderDecided
from schemas.movement import MovementKind
from tests.infra.database.filled import Filled

ACCOUNT = "acme:C1"
LAYOUTS = templates_folder() / "layout"
PRESS = StatementPress(LAYOUTS)
TICK = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def told(sqlite_engine: Engine) -> Engine:
    """Give a read model in which a customer owes in two currencies, has paid a part and has credit."""
    filled = Filled(sqlite_engine)
    filled.customer(ACCOUNT, "Ñandú & Hijos")
    filled.moves(
        ACCOUNT,
        [
            ("01-01", "issued", 100_000, "I1", "01-31"),
            ("02-05", "issued", 50_000, "I2", "03-05"),
            ("02-10", "received", 120_000, "credit:payment/P1"),
            ("02-10", "applied", -80_000, "I1"),
            ("02-10", "applied", -80_000, "credit:payment/P1"),
        ],
    )
    filled.moves("acme:C2", [("02-01", "issued", 77, "I9", "02-28")])
    return sqlite_engine


def monthly(language: str = "en", *, from_: str | None = "2026-02-01") -> ReminderDecided:
    """Make the statement message of 1 March."""
    return msgspec.structs.replace(
        sample_reminder(kind="statement", language=language),
        account=ACCOUNT,
        company="acme",
        customer="C1",
        customer_name="Ñandú & Hijos",
        tick=TICK,
        time_zone="UTC",
        statement_from=None if from_ is None else datetime.date.fromisoformat(from_),
    )


def text_of(pdf: bytes) -> str:
    """Read a PDF's words."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


def long_statement(language: str) -> bytes:
    """Set a statement of several pages: for whoever judges files."""
    line = StatementLine(
        date=TICK.date(), kind="issued", document="F-1", due_on=None, amount_minor=100, balance_minor=100
    )
    open_ = OpenItem(
        item="F-1", reference="PO 1", issued_on=TICK.date(), due_on=TICK.date(), amount_minor=100, open_minor=100, days_overdue=3
    )  # fmt: skip
    aged = AgedRow(
        account=ACCOUNT, name="", currency="USD", open_count=1, receivables_minor=1, credit_minor=1,
        buckets=(Bucket(count=1, amount_minor=1),) * 5,
    )  # fmt: skip
    of = CurrencyStatement(
        currency="USD", opening_minor=0, lines=(line,) * 60, closing_minor=100, open_items=(open_,) * 60,
        line_count=60, open_count=60, conditional=(), aged=aged,
    )  # fmt: skip
    found = Statement(
        account=ACCOUNT, name="", first_on=None, as_of=TICK.date(), bucket_names=(), currencies=(of, of)
    )
    return PRESS.print(found, reminder=monthly(language))


def test_the_statement_goes_with_its_mail(told: Engine) -> None:
    """The mail names it; the PDF says from which balance to which, each movement, and what is open."""
    renderer = Renderer(enclose=enclosing_statements(told, press=PRESS, otherwise=None))
    message = renderer.message(monthly(), "email")
    (made,) = message.attachments
    assert ("statement-of-account-2026-03-01.pdf", "application/pdf") == (made.name, made.media_type)
    assert made.name in message.text
    assert made.name in message.html
    said = text_of(made.content)
    for words in (
        "Statement of account", "Feb 1, 2026 to Mar 1, 2026", "Ñandú & Hijos", "opening balance $1,000.00",
        "invoice I2", "payment P1", "-$1,200.00", "balance $300.00", "I1", "29", "$200.00", "$500.00", "Total open $700.00",
        "Credit not yet applied: $400.00",
    ):  # fmt: skip
        assert words in said, words
    assert "I9" not in said


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [
        (
            "es-CL",
            "estado-de-cuenta-2026-03-01.pdf",
            ("Estado de cuenta", "saldo inicial", "nota", "factura", "pago"),
        ),
        (
            "pt",
            "extrato-de-conta-2026-03-01.pdf",
            ("Extrato de conta", "saldo inicial", "fatura", "pagamento"),
        ),
    ],
)
def test_it_is_in_the_customer_s_language(
    told: Engine, language: str, name: str, words: tuple[str, ...]
) -> None:
    """Words, days, figures, the file's name, and the language that a screen reader reads it in."""
    (made,) = enclosing_statements(told, press=PRESS, otherwise=None)(
        monthly(language), words=words_of(language)
    )
    assert name == made.name
    said = text_of(made.content)
    assert [] == [each for each in words if each != "nota" and each not in said]
    catalog = pypdf.PdfReader(io.BytesIO(made.content)).root_object
    assert language[:2] == str(catalog["/Lang"])[:2]
    assert "/StructTreeRoot" in catalog


def test_only_a_statement_brings_one(told: Engine) -> None:
    """Reminders, and statements of a company that wants no PDF, have none; what else goes along comes behind it."""
    invoice = Attachment(name="I1.pdf", media_type="application/pdf", content=b"%PDF-1.7")

    def others(reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
        assert (reminder.account, words) == (ACCOUNT, words_of("en"))
        return (invoice,)

    enclose = enclosing_statements(told, press=PRESS, otherwise=others)
    assert (invoice,) == enclose(monthly(from_=None), words=words_of("en"))
    assert [True, False] == [each is not invoice for each in enclose(monthly(), words=words_of("en"))]


def test_nobody_is_sent_a_book(told: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account with more lines than people read gets its message without the PDF, and the log says so."""
    monkeypatch.setattr(statements, "LINES_MAX", 2)
    enclose = enclosing_statements(told, press=PRESS, otherwise=None)
    assert 1 == len(enclose(monthly(), words=words_of("en")))
    monkeypatch.setattr(statements, "LINES_MAX", 1)
    with capture_logs() as logged:
        assert () == enclose(monthly(), words=words_of("en"))
    assert ["statement_left_out"] == [each["event"] for each in logged]


def test_every_movement_has_a_word() -> None:
    """In each language; a kind that is new must not stop statements."""
    for language in LANGUAGES:
        words = msgspec.toml.decode((LAYOUTS / f"statement.{language}.toml").read_bytes())
        assert set(get_args(MovementKind)) == set(words["movements"]), language
