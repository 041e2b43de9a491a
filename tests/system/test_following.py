"""An event followed through the logs of a played run: from the first topic to the sending."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.installation import environment
from console.logs import read_log
from infra.settings import Settings

pytestmark = pytest.mark.packages

TABLE = """\
customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,SettledDate
C-1,0001,1/2/2013,2/1/2013,55.94,1/15/2013
C-1,0002,1/9/2013,2/8/2013,10,
"""


def test_event_is_followed_from_its_topic_to_the_sending(broker: str, tmp_path: Path) -> None:
    """Issue 4, point 7: the id of an invoice's event, and nothing else, leads to what was sent, and to its outcome."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix="follow.")
    table = tmp_path / "list.csv"
    table.write_text(TABLE)
    days = ("--from", "2013-02-05", "--to", "2013-03-12", "--every", "7d")
    subprocess.run(
        [sys.executable, "-m", "console", "play", str(table), "--mapping", "ibm", *days, "--workers"],
        env={**os.environ, **environment(settings), "COBRANZA_LOG_LEVEL": "debug"},
        check=True,
        timeout=600,
    )
    event_id = _invoice_event(settings, document="0002")

    [admitted] = _lines(tmp_path, "intake", event="event_admitted", event_id=event_id)
    account = admitted["account"]
    [folded] = _lines(tmp_path, "ledger", event="event_folded", event_id=event_id)
    assert account == folded["account"]
    [movement] = _lines(tmp_path, "ledger", event="fact_written", cause=event_id)
    sent = [
        line for line in _lines(tmp_path, "notifier", event="send_accepted") if event_id in line["events"]
    ]
    assert sent
    for line in sent:
        outcome = f"{line['reminder']}/{line['channel']}/accepted"
        assert 1 == len(_lines(tmp_path, "ledger", event="event_folded", event_id=outcome))
        assert _lines(tmp_path, "ledger", event="fact_written", fact_id=line["reminder"])
        recorded = _lines(tmp_path, "notifier", event="reminder_recorded", reminder=line["reminder"])
        assert recorded
        assert all(movement["item"] in each["items"] for each in recorded)
        assert account == line["account"]
    # Of the other invoice, which was paid before it was due, nothing went out.
    other = _invoice_event(settings, document="0001")
    assert not [
        line for line in _lines(tmp_path, "notifier", event="send_accepted") if other in line["events"]
    ]


def _invoice_event(settings: Settings, *, document: str) -> str:
    """Give the id that an invoice's event has on the first topic."""
    ids = {
        json.loads(record.value)["document"]: dict(record.headers)["ce_id"].decode()
        for record in read_log(settings, topic="billing.invoice.v1")
    }
    return str(ids[document])


def _lines(directory: Path, process: str, **wanted: str) -> list[dict[str, Any]]:
    """Give the lines of a process's log that have these fields; every line of it is JSON."""
    text = (directory / "logs" / f"{process}.log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if wanted.items() <= line.items()]
