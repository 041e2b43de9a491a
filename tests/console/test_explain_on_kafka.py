"""``cobranza explain`` on a real journal of Kafka, without any process running."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli.main import main
from infra.kafka.topics import apply
from infra.settings import Settings
from streams.intake import place
from tests.console.forged_ledger import Forge

pytestmark = pytest.mark.system

Run = Callable[..., Result]


@pytest.fixture
def run(broker: str, namespace: str, tmp_path: Path) -> Run:
    """Write the partition of acme:C-1, and give a function that runs ``cobranza explain``."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix=namespace, partitions=2)
    apply(settings)
    forge = Forge(settings)
    forge.fold(place("acme:C-1", partitions=2))
    forge.close()

    def explain(*arguments: str) -> Result:
        options = ["--data-dir", str(tmp_path), "--bootstrap-servers", broker]
        variables = {"COBRANZA_TOPIC_PREFIX": namespace}
        return CliRunner().invoke(main, [*options, "explain", *arguments], env=variables)

    return explain


def test_a_day_is_explained_from_the_journal(run: Run) -> None:
    """R31: why nothing was sent, in the language that is asked for; who and what is unknown is said."""
    told = run("acme:C-1", "--on", "2026-02-05", "--next", "--language", "es")
    assert 0 == told.exit_code, told.output
    assert "acme:C-1 (C-1) el 2026-02-05, hora de la empresa UTC" in told.stdout
    assert "no se envió nada: no se le aplica ningún plan publicado" in told.stdout
    assert "no se escribe a nadie" in told.stdout
    assert "2026-02-20" in run("acme:C-1").stdout.splitlines()[0]  # the newest day
    nobody = run("acme:C-9999")
    assert (1, True) == (nobody.exit_code, "nothing is known of account 'acme:C-9999'" in nobody.stderr)
    no_item = run("acme:C-1", "--item", "F-9")
    assert (1, True) == (no_item.exit_code, "has no item 'F-9'" in no_item.stderr)
