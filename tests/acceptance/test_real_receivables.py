"""Real receivables, through Kafka, to the cent: played with daily ticks, and imported without.

EVERY=3d: with a tick every three days, which takes a third of the time; some steps are then taken up to two days late.
"""

import datetime
import os
import re
from pathlib import Path

import pytest

from infra.settings import Settings
from tests.acceptance.receivables import (
    FIGURES,
    FIGURES_WITH_MISSING,
    PLAYED,
    Figures,
    cobranza,
    receivables,
    reported,
    rows,
)

pytestmark = pytest.mark.acceptance

_FIRST, _LAST = datetime.date(2012, 1, 1), datetime.date(2014, 2, 1)
_EVERY = os.environ.get("EVERY", "1d")  # from tick to tick


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the data folder of an installation through which two years have been played."""
    data_dir = tmp_path_factory.mktemp("played")
    said = cobranza(
        data_dir,
        *("play", str(receivables(PLAYED)), "--mapping", "ibm"),
        *("--from", str(_FIRST), "--to", str(_LAST), "--every", _EVERY, "--workers"),
        seconds=1500,
    )
    print(said)  # noqa: T201 - the play's duration belongs into the report
    ticks = (_LAST - _FIRST).days // int(_EVERY.removesuffix("d")) + 1
    assert f"Played {ticks} ticks" in said
    return data_dir


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("expected", FIGURES, ids=lambda each: str(each.as_of))
def test_aged_balance_and_dso_of_a_played_list(installation: Path, expected: Figures) -> None:
    """S0-02, S0-03, S0-27: the figures of the list itself, as of three days in its past."""
    assert expected == reported(installation, expected)


def test_the_play_can_be_replayed_and_every_step_is_accounted_for(installation: Path) -> None:
    """Rows and facts equal a replay; each due step was consumed once or withheld; none after settlement."""
    settings = Settings(data_dir=installation)
    from console.installation import prepare

    with prepare(settings) as ready:
        said = cobranza(installation, "replay", "--audit", address=str(ready.bootstrap_servers), seconds=900)
    assert "no difference" in said.lower(), said
    assert re.search(r"audit.*\b0 (problems|findings)|nothing to report|no finding", said.lower()), said


def test_no_reminder_names_an_invoice_that_was_settled_before(installation: Path) -> None:
    """R32, seen from outside: the reminders that were sent, against the list's own settlement dates."""
    import csv

    settled = {}
    with receivables(PLAYED).open(newline="") as file:
        for row in csv.DictReader(file):
            month, day, year = map(int, row["SettledDate"].split("/"))
            settled[row["invoiceNumber"]] = datetime.date(year, month, day)
    sent = rows(installation, "reminders", "--status", "sent")
    assert sent
    late = [
        (each["reminder"], item)
        for each in sent
        for item in each["items"].split(", ")
        if settled[item] < datetime.date.fromisoformat(each["day"])
    ]
    assert [] == late


@pytest.mark.parametrize(
    ("name", "mapping", "invoices", "figures"),
    [
        ("variant_ddmmyyyy_no-leading-zeros.csv", "ibm_ddmmyyyy", 2466, FIGURES),
        ("variant_with-missing_2586.csv", "ibm", 2586, FIGURES_WITH_MISSING),
    ],
    ids=["day-first", "with-missing"],
)
def test_variants_of_the_list_import_into_an_empty_installation(
    tmp_path: Path, name: str, mapping: str, invoices: int, figures: tuple[Figures, ...]
) -> None:
    """Another date order, stripped zeros, blanks in unused columns: the same care, without a tick."""
    from console.installation import await_ready, prepare, running
    from console.quiet import Quiet, groups_of
    from infra.kafka.lag import LagReader

    path = receivables(name)
    with prepare(Settings(data_dir=tmp_path)) as ready, running(ready, clock=False) as supervisor:
        groups = groups_of(ready)
        await_ready(ready, groups=groups, check=supervisor.check)
        said = cobranza(
            tmp_path, "import", "csv", str(path), "--mapping", mapping, address=ready.bootstrap_servers
        )
        reader = LagReader(str(ready.bootstrap_servers))
        Quiet(reader=reader, groups=groups, engine=None, check=supervisor.check).wait(at=None)
        reader.close()
    assert str(invoices) in said
    assert "rejected" not in said.lower()
    assert list(figures) == [reported(tmp_path, each) for each in figures]
