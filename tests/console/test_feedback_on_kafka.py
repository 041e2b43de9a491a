"""B-14 from the plan to the second letter, by real processes: mails that came back are made good, and seen in reports."""

import csv
import datetime
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.commands import ConfigureCompany, PublishPlan, SetLaw
from schemas.events import Contact, CustomerUpserted, InvoiceIssued
from schemas.journal import SourceEvent
from schemas.plans import Action, Plan, Step
from tests.console.house import House, housed
from tests.scenarios.law import free_law

pytestmark = pytest.mark.system
DUE = datetime.date(2026, 2, 2)
_SAID: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-02"}


def _company() -> Iterator[SourceEvent]:
    steps = (
        Step(name="first", offset_days=0, actions=(Action(channel="email"),), pay_by_days=0),
        Step(name="second", offset_days=15, actions=(Action(channel="email"),)),
    )
    yield ConfigureCompany(**_SAID, command="c", name="Acme", currency="USD", time_zone="UTC")
    law = free_law("acme")
    assert isinstance(law, SetLaw)
    yield law
    yield PublishPlan(**_SAID, command="p", plan=Plan(id="default", version=1, steps=steps))


def _customers() -> Iterator[SourceEvent]:
    for name in ("C1", "C2", "C3"):
        whose = {**_SAID, "customer": name}
        contact = Contact(email=f"{name.lower()}@customer.example", address=("Calle 1", "Santiago"))
        yield CustomerUpserted(**whose, name=name, contacts=(contact,))
        yield InvoiceIssued(**whose, document=f"F-{name}", currency="USD", amount="100.00", due_date=DUE)


def _rows(house: House, *arguments: str) -> list[dict[str, str]]:
    done = house.run(*arguments, "--format", "csv")
    assert 0 == done.exit_code, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def _heard(house: House) -> None:
    """Wait until the notifiers have said all words, and the ledger has folded them."""
    deadline = time.monotonic() + 120
    while any(each["state"] == "waiting" for each in _rows(house, "feedback", "list")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    house.publish()


def test_what_came_back_goes_another_way_and_is_seen(broker: str, namespace: str, tmp_path: Path) -> None:
    """One bounces: a letter goes. One complains: letters from then on. One arrives. Reports say it, day by day."""
    with housed(broker, prefix=namespace, data_dir=tmp_path, first=_company(), then=_customers()) as house:
        house.tick(DUE)
        assert (3, 0) == house.went_out()
        sent = {each["account"]: each["reminder"] for each in _rows(house, "sendings", "list")}
        for account, said in (("acme:C1", "bounced"), ("acme:C2", "complained"), ("acme:C3", "delivered")):
            assert 0 == house.run("feedback", "say", sent[account], "email", said).exit_code
        _heard(house)
        house.tick(DUE + datetime.timedelta(days=4))
        assert (3, 1) == house.went_out()
        house.tick(DUE + datetime.timedelta(days=15))
        assert (4, 3) == house.went_out()
        lines = _rows(house, "sendings", "list")
        told = [(each["account"], each["kind"], each["channel"], each["fate"]) for each in lines[:4]]
        assert [
            ("acme:C1", "first", "email", "bounced"),
            ("acme:C1", "first", "letter", "accepted"),
            ("acme:C2", "first", "email", "complained"),
            ("acme:C3", "first", "email", "delivered"),
        ] == sorted(told)
        errors = [
            (each["error"], each["count"], each["total"]) for each in _rows(house, "sendings", "errors")
        ]
        assert [("address_bounced", "1", "2"), ("complaint", "1", "2")] == errors
        first = _rows(house, "sendings", "per-day")[0]
        assert ("3", "2", "1", "1") == tuple(
            first[name] for name in ("sent", "delivered", "came_back", "complained")
        )
        listed = {(each["address"], each["company"]) for each in _rows(house, "suppressions", "list")}
        assert {("c1@customer.example", ""), ("c2@customer.example", "acme")} == listed
        explained = house.run("explain", "acme:C1", "--on", DUE.isoformat()).output
        assert "came back (there is no such address)" in explained
        assert "The reminder reached nobody after all; given back: F-C1 first" in explained
