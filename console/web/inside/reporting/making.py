"""From what is asked to a file: a report in one of its forms, as the person who asks may see it.

CSV goes out while it is read; a workbook is written to a file first, row by row; a PDF is set in memory.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, select

from console.web.inside.reporting.asking import ReportAsked
from console.web.inside.reporting.catalogue import REPORTS
from console.web.inside.reporting.forms import Section, csv_parts, write_xlsx
from console.web.inside.reporting.printing import pdf_of
from console.web.inside.reporting.sheets import Sheet, chosen_columns
from console.web.inside.showing import words_of
from infra.database.engine import reading
from infra.database.tables import customers
from notifiers.writing.figures import short_day_text

__all__ = ["FORMS", "MEDIA", "FileForm", "csv_stream", "file_name", "file_of", "sections_of", "title_of"]

FileForm = Literal["pdf", "xlsx", "csv"]
_WHOSE: Final = ("account", "customer")
FORMS: Final[tuple[FileForm, ...]] = ("pdf", "xlsx", "csv")
MEDIA: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def file_name(report: str, asked: ReportAsked, *, form: str) -> str:
    """Name a report's file: it says what it is and as of when."""
    return f"{report}-{asked.on.isoformat()}.{form}"


def title_of(report: str, asked: ReportAsked) -> str:
    """Give a report's title in the language of who asks."""
    return str(words_of(asked.person.language)["reports"][report])


def csv_stream(engine: Engine, report: str, asked: ReportAsked) -> Iterator[bytes]:
    """Write a report as CSV while it is read; the connection is held until the last part is taken."""
    with reading(engine) as connection:
        yield from csv_parts(_sheet(connection, report, asked))


def file_of(engine: Engine, report: str, asked: ReportAsked, *, form: FileForm) -> Path:
    """Write a report to a file of its own, which whoever asked removes.

    Raises:
        TooLongError: it has more rows than a PDF holds.
        TypesettingError: it cannot be set.
    """
    words = words_of(asked.person.language)
    with tempfile.NamedTemporaryFile(prefix="cobranza-report-", suffix=f".{form}", delete=False) as made:
        path = Path(made.name)
    try:
        with reading(engine) as connection:
            if form == "csv":
                with path.open("wb") as target:
                    target.writelines(csv_parts(_sheet(connection, report, asked)))
            elif form == "xlsx":
                write_xlsx(path, sections_of(connection, report, asked), words=words)
            else:
                path.write_bytes(pdf_of(sections_of(connection, report, asked), words=words))
    except BaseException:
        path.unlink()
        raise
    return path


def sections_of(connection: Connection, report: str, asked: ReportAsked) -> Iterator[Section]:
    """Give a report and those that belong to it; the columns that were chosen are its own."""
    yield _section(connection, report, asked)
    for each in REPORTS[report].also:
        # Whose it is stands above.
        rest = (column.name for column in REPORTS[each].columns_for(asked) if column.name not in _WHOSE)
        yield _section(connection, each, replace(asked, filters=replace(asked.filters, columns=tuple(rest))))


def _section(connection: Connection, report: str, asked: ReportAsked) -> Section:
    words = words_of(asked.person.language)
    return Section(
        title=title_of(report, asked),
        subtitle=" · ".join([*_whose(connection, asked), *_asked_for(report, asked, words=words)]),
        sheet=_sheet(connection, report, asked),
    )


def _sheet(connection: Connection, report: str, asked: ReportAsked) -> Sheet:
    of = REPORTS[report]
    columns = chosen_columns(of.columns_for(asked), asked.filters.columns)
    return Sheet(columns=columns, rows=of.lines(connection, asked, ""))


def _whose(connection: Connection, asked: ReportAsked) -> list[str]:
    """Name the customer that a report is about."""
    account = asked.filters.account
    if not account or not asked.sees(account.partition(":")[0]):
        return []
    name = connection.execute(select(customers.c["name"]).where(customers.c["account"] == account)).scalar()
    return [each for each in (name, account) if each]


def _asked_for(report: str, asked: ReportAsked, *, words: Mapping[str, Any]) -> list[str]:
    """Say what was asked for, so that the paper can be read without the page."""
    day = short_day_text(asked.on, language=words["language"])
    filters, heeded = asked.filters, REPORTS[report].filters
    if "days" in heeded:
        first = short_day_text(asked.first_on, language=words["language"])
        said = [f"{first} – {day}"]
    else:
        said = [f"{words['reports']['on']}: {day}"]
    if not filters.account:
        companies = ", ".join(asked.companies or ()) or words["reports"]["all_companies"]
        said.append(f"{words['columns']['company']}: {companies}")
    labels = {
        "responsible": (words["columns"]["responsible"], filters.responsible),
        "currency": (words["reports"]["currency"], filters.currency),
        "trust": (words["columns"]["trust"], words["trust"].get(filters.trust, filters.trust)),
        "late": (words["reports"]["late"], filters.late),
    }
    return said + [f"{label}: {value}" for name, (label, value) in labels.items() if value and name in heeded]
