"""The figures of a real receivables list, to the cent, from movements alone (issue 3's table)."""

import csv
import datetime
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading, writing
from infra.database.queries.aged import aged
from infra.database.queries.dso import dso
from infra.projection.batch import Batch
from infra.projection.facts import project_fact
from processors.money import to_minor, to_text
from schemas.codec import encode
from schemas.facts import Movement

_AT = datetime.datetime(2014, 2, 1, tzinfo=datetime.UTC)
_ROOT = Path(__file__).resolve().parents[3]
_FILE = "WA_Fn-UseC_-Accounts-Receivable.csv"
_WITH_MISSING = "variant_with-missing_2586.csv"
_DAY_FIRST = "variant_ddmmyyyy_no-leading-zeros.csv"


@pytest.fixture(scope="session")
def ibm() -> Path:
    """Give the folder of the list; where it is missing the test is skipped, but not in CI."""
    folder = Path(os.environ.get("COBRANZA_IBM_CSV", _ROOT.parent / "shared" / "data" / "ibm"))
    if not (folder / _FILE).exists():
        reason = f"{folder / _FILE} is missing: set COBRANZA_IBM_CSV to the folder that has it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def movements(file: Path, *, date_format: str) -> Iterator[Movement]:
    """Say each line as the ledger does: an invoice, and a payment that settles it in full by name."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            account = f"ibm:{row['customerID']}"
            amount = to_minor(row["InvoiceAmount"], currency="USD")
            issued, due, settled = (
                datetime.datetime.strptime(row[name], date_format).date()
                for name in ("InvoiceDate", "DueDate", "SettledDate")
            )
            invoice, payment = row["invoiceNumber"], f"payment/{row['invoiceNumber']}"
            said = [
                ("issued", amount, issued, invoice, "", "", due),
                ("received", amount, settled, "", payment, "", None),
                ("applied", -amount, settled, invoice, "", payment, None),
                ("applied", -amount, settled, "", payment, invoice, None),
            ]
            for place, (kind, change, day, item, credit, counterpart, due_on) in enumerate(said):
                yield Movement(
                    id=f"{account}/{number}.{place}",
                    account=account,
                    currency="USD",
                    kind=kind,  # type: ignore[arg-type]
                    amount_minor=change,
                    business_date=day,
                    cause="list",
                    item=item,
                    credit=credit,
                    counterpart=counterpart,
                    due_on=due_on,
                )


def fill(engine: Engine, file: Path, *, date_format: str) -> None:
    """Project the list as the projector would."""
    batch = Batch()
    for offset, movement in enumerate(movements(file, date_format=date_format)):
        project_fact(batch, value=encode(movement), offset=offset, recorded_at=_AT)
    with writing(engine) as connection:
        batch.apply(connection)


def money(amount_minor: int) -> str:
    """Write cents as in the issue's table."""
    return f"{Decimal(to_text(amount_minor, currency='USD')):,}"


def figures(engine: Engine, as_of: datetime.date) -> tuple[list[str], str]:
    """Give a line of the issue's table: open, receivables, buckets; and the DSO over 90 days."""
    with reading(engine) as connection:
        (found,) = aged(connection, as_of=as_of).totals
        (days,) = dso(connection, as_of=as_of, days=90)
    assert found.credit_minor == 0
    buckets = [f"{each.count} / {money(each.amount_minor)}" if each.count else "0" for each in found.buckets]
    return [str(found.open_count), money(found.receivables_minor), *buckets], str(days.days_outstanding)


_TABLE = [
    ("2012-12-31", ["99", "5,725.06", "86 / 4,936.32", "13 / 788.74", "0", "0", "0"], "26.8407"),
    ("2013-06-30", ["84", "5,119.85", "72 / 4,284.29", "12 / 835.56", "0", "0", "0"], "23.1508"),
    ("2013-11-30", ["79", "4,788.88", "71 / 4,246.32", "8 / 542.56", "0", "0", "0"], "22.9895"),
]
_TABLE_WITH_MISSING = [
    ("2012-12-31", ["105", "6,079.60"], "26.9147"),
    ("2013-06-30", ["86", "5,223.91"], "22.7800"),
    ("2013-11-30", ["86", "5,211.14"], "23.3625"),
]


@pytest.mark.parametrize(("file", "date_format"), [(_FILE, "%m/%d/%Y"), (_DAY_FIRST, "%d/%m/%Y")])
def test_aged_and_dso_of_a_real_list(engine: Engine, ibm: Path, file: str, date_format: str) -> None:
    """As of three days: open count, receivables, buckets and DSO 90 to the last digit."""
    fill(engine, ibm / file, date_format=date_format)
    found = [(day, *figures(engine, datetime.date.fromisoformat(day))) for day, _, _ in _TABLE]
    assert found == _TABLE


def test_aged_and_dso_of_the_longer_list(engine: Engine, ibm: Path) -> None:
    """The list with 120 invoices more gives its own figures."""
    fill(engine, ibm / _WITH_MISSING, date_format="%m/%d/%Y")
    found = []
    for day, _, _ in _TABLE_WITH_MISSING:
        line, days = figures(engine, datetime.date.fromisoformat(day))
        found.append((day, line[:2], days))
    assert found == _TABLE_WITH_MISSING
