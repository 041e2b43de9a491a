"""A customer's statement of account as PDF, to go with its message (S1-24, B-09): per currency what moved, what is open, by age.

It is of the read model as it was when the message was written, as of the end of the tick's company day: a job goes only
while its account is what was judged (R32). It refuses accounts with more lines than anybody reads on paper.
"""

import datetime
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import structlog
import typst
from msgspec import Struct
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.queries.statement import CurrencyStatement, Statement, statement, statement_lines
from notifiers.channel import Attachment
from notifiers.paper.press import STANDARDS, PaperError, quoted
from notifiers.writing.figures import amount_text, short_day_text
from notifiers.writing.render import Enclose
from notifiers.writing.view import company_day
from notifiers.writing.words import Words
from schemas.facts import ReminderDecided

__all__ = ["LINES_MAX", "StatementPress", "enclosing_statements"]

LINES_MAX: Final = 1_000
_CREDIT_KINDS: Final = ("payment", "credit_note", "write_off")
_log = structlog.get_logger(__name__)


class _Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    file: str
    period: str
    customer: str
    tax_id: str
    on: str
    movement: str
    document: str
    due: str
    amount: str
    balance: str
    opening: str
    closing: str
    nothing_moved: str
    open: str
    issued: str
    late: str
    rest: str
    total: str
    by_age: str
    ages: tuple[str, str, str, str, str]
    credit: str
    conditional: str
    page: str
    movements: dict[str, str]


class StatementPress:
    """Sets statements with a warm typst compiler. Not thread-safe.

    Args:
        layouts: the folder with ``statement.typ`` and its words.
        fonts: a folder with more fonts than come along.
    """

    def __init__(self, layouts: Path, *, fonts: Path | None = None) -> None:
        self._layouts = layouts
        self._compiler = typst.Compiler(
            root=str(layouts), font_paths=[] if fonts is None else [str(fonts)], ignore_system_fonts=True
        )

    def print(self, found: Statement, *, reminder: ReminderDecided) -> bytes:
        """Set one; the same input gives the same bytes.

        Args:
            found: the statement.
            reminder: the message that it goes with: whose it is, in which language, on which paper.

        Raises:
            PaperError: typst refuses: no font has a character.
        """
        words = _words_of(self._layouts, reminder.language)
        page = _page(found, reminder=reminder, words=words)
        data = msgspec.json.encode(page).decode()
        source = f'#import "statement.typ": print\n#print(json(bytes({quoted(data)})))'
        try:
            pdf = self._compiler.compile(
                input=source.encode(), format="pdf", pdf_standards=STANDARDS, timestamp=reminder.tick
            )
        except typst.TypstError as error:
            raise PaperError(str(error)) from error
        if not isinstance(pdf, bytes):
            raise PaperError("typst gave no single PDF")
        return pdf

    def name(self, *, language: str, on: datetime.date) -> str:
        """Name the file, as a reader of the language would."""
        return f"{_words_of(self._layouts, language).file}-{on.isoformat()}.pdf"


def enclosing_statements(engine: Engine, *, press: StatementPress, otherwise: Enclose | None) -> Enclose:
    """Give who puts a statement first where one goes along, and ``otherwise`` after it.

    What cannot be set is left out, and logged: the message says what is open, and goes.
    """

    def enclose(reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
        others = () if otherwise is None else otherwise(reminder, words=words)
        if reminder.statement_from is None:
            return others
        made = _made(engine, press, reminder)
        return others if made is None else (made, *others)

    return enclose


def _made(engine: Engine, press: StatementPress, reminder: ReminderDecided) -> Attachment | None:
    on = company_day(reminder)
    with reading(engine) as connection:
        lines = statement_lines(
            connection, account=reminder.account, as_of=on, first_on=reminder.statement_from
        )
        found = (
            statement(connection, account=reminder.account, as_of=on, first_on=reminder.statement_from)
            if lines <= LINES_MAX
            else None
        )
    if found is None:
        _log.warning("statement_left_out", reminder=reminder.id, account=reminder.account, lines=lines)
        return None
    try:
        pdf = press.print(found, reminder=reminder)
    except PaperError as error:
        _log.warning("statement_left_out", reminder=reminder.id, account=reminder.account, detail=str(error))
        return None
    name = press.name(language=reminder.language, on=on)
    return Attachment(name=name, media_type="application/pdf", content=pdf)


def _page(found: Statement, *, reminder: ReminderDecided, words: _Words) -> dict[str, object]:
    """Write all figures and words: the layout places them."""
    language = reminder.language
    first_on = reminder.statement_from or found.as_of
    return {
        "language": language.partition("-")[0],
        "paper": "us-letter" if reminder.letter_layout == "us_10" else "a4",
        "title": words.title,
        "period": words.period.format(
            first=short_day_text(first_on, language=language),
            last=short_day_text(found.as_of, language=language),
        ),
        "company": {
            "name": reminder.company_name or reminder.company,
            "lines": (
                *reminder.company_address,
                *((f"{words.tax_id}: {reminder.company_tax_id}",) if reminder.company_tax_id else ()),
            ),
        },
        "customer": {
            "name": reminder.customer_name or reminder.customer,
            "lines": (f"{words.customer}: {reminder.customer}",),
        },
        "page": words.page,
        "parts": [
            _part(each, first_on=first_on, found=found, words=words, language=language)
            for each in found.currencies
        ],
    }


def _part(
    of: CurrencyStatement, *, first_on: datetime.date, found: Statement, words: _Words, language: str
) -> dict[str, object]:
    def money(minor: int) -> str:
        return amount_text(minor, currency=of.currency, language=language)

    def day(on: datetime.date | None) -> str:
        return "" if on is None else short_day_text(on, language=language)

    aged = of.aged
    return {
        "currency": of.currency,
        "moved_heads": (words.on, words.movement, words.document, words.due, words.amount, words.balance),
        "opening": (day(first_on), words.opening, money(of.opening_minor)),
        "moved": [
            (
                day(each.date),
                words.movements[each.kind],
                _own_name(each.document),
                day(each.due_on),
                money(each.amount_minor),
                money(each.balance_minor),
            )
            for each in of.lines
        ],
        "nothing_moved": "" if of.lines else words.nothing_moved,
        "closing": (day(found.as_of), words.closing, money(of.closing_minor)),
        "open_head": words.open,
        "open_heads": (words.document, words.issued, words.due, words.late, words.rest),
        "open": [
            (
                each.item,
                each.reference,
                day(each.issued_on),
                day(each.due_on),
                str(each.days_overdue) if each.days_overdue > 0 else "",
                money(each.open_minor),
            )
            for each in of.open_items
        ],
        "open_total": (words.total, "" if aged is None else money(aged.receivables_minor)),
        "ages_head": words.by_age,
        "ages": []
        if aged is None or not aged.open_count
        else [
            (label, money(each.amount_minor)) for label, each in zip(words.ages, aged.buckets, strict=True)
        ],
        "credit": (words.credit, money(aged.credit_minor)) if aged is not None and aged.credit_minor else (),
        "conditional": [
            (words.conditional, _own_name(each.payment), money(each.amount_minor)) for each in of.conditional
        ],
    }


def _own_name(document: str) -> str:
    """Give the id that a payment or a note has by itself: which of them it is, the movement says."""
    kind, slash, name = document.partition("/")
    return name if slash and kind in _CREDIT_KINDS else document


@cache
def _words_of(layouts: Path, language: str) -> _Words:
    file = layouts / f"statement.{language.partition('-')[0]}.toml"
    return msgspec.toml.decode(file.read_bytes(), type=_Words)
