"""An SMS from the plan to Twilio's door, by real processes: paced, paid for, and each once."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.journal import SourceEvent
from schemas.plans import Action, Plan, Step
from tests.console.house import housed
from tests.notifiers.sms.twilio_server import ACCOUNT, SERVICE, TwilioServer

pytestmark = pytest.mark.system
COUNT = 12
DUE = datetime.date(2026, 2, 2)
_SAID: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-02"}
_PRICES = """
[[price]]
provider = "twilio"
channel = "sms"
country = "CL"
currency = "USD"
part = "0.05"
"""


def _company() -> Iterator[SourceEvent]:
    steps = (Step(name="first", offset_days=0, actions=(Action(channel="sms"),), pay_by_days=0),)
    yield ConfigureCompany(
        **_SAID, command="c", name="Muestras", currency="USD", time_zone="UTC", language="es", country="CL"
    )
    yield PublishPlan(**_SAID, command="p", plan=Plan(id="default", version=1, steps=steps))


def _customers() -> Iterator[SourceEvent]:
    for number in range(COUNT):
        whose = {**_SAID, "customer": f"C{number:02}"}
        yield CustomerUpserted(**whose, name="Cliente", contacts=(Contact(phone=f"+569612345{number:02}"),))
        yield InvoiceIssued(**whose, document=f"F-{number:02}", currency="USD", amount="100.00", due_date=DUE)


def test_each_sms_goes_out_once(
    broker: str, namespace: str, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused token and a provider that is written to too fast cost nobody his message, and bring none twice."""
    server = TwilioServer(httpserver, now=datetime.datetime.now(datetime.UTC))
    for name, value in {
        "SMS": "twilio",
        "RATE_SMS": "20",
        "SMS_PLAIN": '["acme"]',
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": "s3cret",
        "TWILIO_MESSAGING_SERVICE_SID": SERVICE,
        "TWILIO_URL": server.url,
        "TWILIO_STATUS_URL": "https://pay.example/hooks/twilio",
    }.items():
        monkeypatch.setenv(f"COBRANZA_SEND_{name}", value)
    (tmp_path / "prices.toml").write_text(_PRICES)
    server.refusals += [(401, 20003), (429, 20429)]
    with housed(broker, prefix=namespace, data_dir=tmp_path, first=_company(), then=_customers()) as house:
        house.tick(DUE)
        house.tick(DUE + datetime.timedelta(days=1))
        costs = house.run("costs", "--by", "level", "--format", "csv").stdout.splitlines()
    assert {f"+569612345{number:02}" for number in range(COUNT)} == {each["to"] for each in server.taken}
    assert COUNT == len(server.taken)
    assert all("reminder=" in asked["StatusCallback"] for asked in server.requests)
    assert all(each["body"].isascii() or "ñ" in each["body"] for each in server.taken)
    assert [f"first,{COUNT}"] == [line[:8] for line in costs[1:]]
    assert costs[1].endswith(",USD,0")
