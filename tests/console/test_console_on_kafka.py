"""The commands that bring facts in, on real workers: nothing half done, nothing twice."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli.main import main
from console.installation import prepare, running
from console.logs import read_log, replayed_ledger, written_ledger
from console.quiet import Quiet, groups_of
from console.replaying import Ledger, differences
from infra.kafka.lag import LagReader
from infra.settings import Settings

pytestmark = pytest.mark.system

HEADER = "customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,SettledDate"
ROWS = [
    "C-1,0001,1/2/2013,2/1/2013,55.94,1/15/2013",
    "C-1,0002,1/9/2013,2/8/2013,10,",
    "C-2,0003,1/9/2013,2/8/2013,97.6,2/20/2013",
]
BAD = "C-2,0004,1/9/2013,2/31/2013,5.00,"


class _Console:
    """The command line on an installation whose processes run."""

    def __init__(self, settings: Settings, quiet: Quiet) -> None:
        self.settings = settings
        self._quiet = quiet

    def run(self, *arguments: str, stdin: str = "") -> Result:
        settings = self.settings
        variables = {"COBRANZA_TOPIC_PREFIX": settings.topic_prefix}
        options = ["--data-dir", str(settings.data_dir), "--bootstrap-servers", settings.brokers()]
        return CliRunner().invoke(main, [*options, *arguments], env=variables, input=stdin)

    def ledger(self) -> Ledger:
        """Wait for quiet, check that a replay says the same, and give what is written."""
        self._quiet.wait(at=None)
        written = written_ledger(self.settings)
        assert [] == list(differences(replayed=replayed_ledger(self.settings), written=written))
        return written

    def published(self, topic: str) -> int:
        return sum(1 for _ in read_log(self.settings, topic=topic))


@pytest.fixture(scope="module")
def console(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Console]:
    """Run intake, ledger, projector and notifiers on the session's broker."""
    wanted = Settings(
        data_dir=tmp_path_factory.mktemp("console"), bootstrap_servers=broker, topic_prefix="console."
    )
    with (
        prepare(wanted) as settings,
        running(settings, clock=False) as supervisor,
        LagReader(broker) as reader,
    ):
        quiet = Quiet(reader=reader, groups=groups_of(settings), engine=None, check=supervisor.check)
        yield _Console(settings, quiet)


def _table(path: Path, *rows: str) -> str:
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return str(path)


def _event(data: object, event_type: str = "billing.payment.received.v1") -> str:
    event = {"specversion": "1.0", "id": "e", "source": "test", "type": event_type, "data": data}
    return json.dumps(event)


PAYMENT = {
    "company": "acme",
    "customer": "C-9",
    "occurred_at": "2013-01-01",
    "payment": "P-9",
    "currency": "USD",
    "amount": "5.00",
}


def test_importing_twice_changes_nothing(console: _Console, tmp_path: Path) -> None:
    """Issue 3: the same file again leaves rows and facts as they were."""
    table = _table(tmp_path / "list.csv", *ROWS)
    first = console.run("import", "csv", table, "--mapping", "ibm")
    assert 0 == first.exit_code, first.output
    before = console.ledger()
    assert {"acme:C-1", "acme:C-2"} <= before.facts["ledger.movement"].keys()
    assert 0 == console.run("import", "csv", table, "--mapping", "ibm").exit_code
    after = console.ledger()
    assert (before.rows, before.facts) == (after.rows, after.facts)


def test_strict_import_publishes_nothing_when_a_row_is_bad(console: _Console, tmp_path: Path) -> None:
    """The bad row is told with its number, column and reason."""
    before = console.published("billing.invoice.v1")
    result = console.run(
        "import", "csv", _table(tmp_path / "list.csv", *ROWS, BAD), "--mapping", "ibm", "--strict"
    )
    assert 1 == result.exit_code
    assert "row 5, column DueDate: '2/31/2013' is no date" in result.output
    assert "Nothing was published." in result.output
    assert before == console.published("billing.invoice.v1")


def test_lenient_import_publishes_the_good_rows_and_writes_the_bad_ones(
    console: _Console, tmp_path: Path
) -> None:
    """The rejects file can be mended and imported."""
    before = console.published("billing.invoice.v1")
    rejects = tmp_path / "bad.csv"
    result = console.run(
        *("import", "csv", _table(tmp_path / "list.csv", *ROWS, BAD)),
        *("--mapping", "ibm", "--rejects", str(rejects)),
    )
    assert 1 == result.exit_code
    assert before + 3 == console.published("billing.invoice.v1")
    rejects.write_text(rejects.read_text(encoding="utf-8-sig").replace("2/31", "2/28"), encoding="utf-8")
    assert 0 == console.run("import", "csv", str(rejects), "--mapping", "ibm").exit_code
    assert before + 4 == console.published("billing.invoice.v1")


def test_dry_run_publishes_nothing(console: _Console, tmp_path: Path) -> None:
    """What would be published is counted."""
    before = console.published("billing.invoice.v1")
    result = console.run(
        "import", "csv", _table(tmp_path / "list.csv", *ROWS), "--mapping", "ibm", "--dry-run"
    )
    assert 0 == result.exit_code
    assert "3  billing.invoice.issued.v1" in result.output
    assert before == console.published("billing.invoice.v1")


def test_publish_is_all_or_nothing_unless_told(console: _Console) -> None:
    """One bad line keeps all back; --keep-going publishes the others; the exit code says so."""
    before = console.published("billing.payment.v1")
    lines = "\n".join([_event(PAYMENT), _event({**PAYMENT, "amount": "5.001"}), "no json"])
    held = console.run("publish", "-", stdin=lines)
    assert 1 == held.exit_code
    assert "line 2: $.data.amount: " in held.output
    assert "line 3: $: " in held.output
    assert before == console.published("billing.payment.v1")
    assert 1 == console.run("publish", "-", "--keep-going", stdin=lines).exit_code
    assert before + 1 == console.published("billing.payment.v1")
    assert 0 == console.run("publish", "-", stdin=_event({**PAYMENT, "payment": "P-10"})).exit_code
    assert b'["acme:C-9","credit","payment/P-10"]' in console.ledger().rows


def test_validate_says_all_and_publishes_nothing(console: _Console) -> None:
    """It needs no broker and changes nothing."""
    good = console.run("validate", "-", stdin=_event(PAYMENT))
    assert (0, "1 events are good, 0 lines are bad.\n") == (good.exit_code, good.output)
    bad = console.run("validate", "-", stdin=_event({**PAYMENT, "customer": 7}))
    assert 1 == bad.exit_code
    assert "line 1: $.data.customer: Expected `str`, got `int`" in bad.output


def test_ledger_verifies_while_its_workers_write(console: _Console, tmp_path: Path) -> None:
    """DESIGN 3.8: bounds are taken at a consistent point, so that what comes meanwhile is no finding."""
    rows = [f"C-{number % 50},V{number},1/2/2013,2/1/2013,55.94,1/15/2013" for number in range(500)]
    assert (
        0 == console.run("import", "csv", _table(tmp_path / "many.csv", *rows), "--mapping", "ibm").exit_code
    )
    while_busy = console.run("ledger", "verify")
    assert 0 == while_busy.exit_code, while_busy.output
    console.ledger()
    at_rest = console.run("ledger", "verify", "--json")
    assert 0 == at_rest.exit_code, at_rest.output
    report = json.loads(at_rest.stdout)
    assert [True] * 4 == [each["compared"] for each in report["partitions"]]
    assert 1_500 <= sum(each["movements"] for each in report["partitions"])
