"""S0-18, S0-24, S2-23 end to end: forty statements approved at once, broken off and begun again; each goes out once."""

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from console import processing
from console.batching import Asked, Selection, chosen, planned
from console.publishing import Outgoing, PublishError, send_all
from console.read_model import open_read_model
from infra.database.queries.statements import statements
from infra.settings import Settings
from schemas.commands import ConfigureCompany, PublishPlan, SetMode
from schemas.events import Contact, CustomerUpserted, InvoiceIssued, PaymentReceived
from schemas.journal import SourceEvent
from schemas.plans import Action, Plan, Step
from tests.console.house import House, housed

pytestmark = pytest.mark.system
COUNT = 40
DUE = datetime.date(2026, 2, 2)
_SAID: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-02"}


@pytest.fixture
def house(request: pytest.FixtureRequest, broker: str, namespace: str, tmp_path: Path) -> Iterator[House]:
    """Run a company with forty manual customers: every other one has no mail address."""
    (tmp_path / "caps.toml").write_text(getattr(request, "param", ""))
    customers = (each for number in range(COUNT) for each in _customer(number))
    with housed(broker, prefix=namespace, data_dir=tmp_path, first=_company(), then=customers) as made:
        yield made


def _company() -> Iterator[SourceEvent]:
    steps = (
        Step(name="first", offset_days=0, actions=(Action(channel="email"),), pay_by_days=0),
        Step(name="second", offset_days=30, actions=(Action(channel="email"),)),
    )
    yield ConfigureCompany(
        **_SAID, command="c", name="Muestras", currency="USD", time_zone="UTC", language="es", enrolment="all"
    )
    yield PublishPlan(**_SAID, command="p", plan=Plan(id="default", version=1, steps=steps))


def _customer(number: int) -> Iterator[SourceEvent]:
    whose = {**_SAID, "customer": f"C{number:02}"}
    contact = (
        Contact(address=("Calle 1", "Santiago"))
        if number % 2
        else Contact(email=f"c{number}@customer.example")
    )
    yield CustomerUpserted(**whose, name=f"Cliente {number}", contacts=(contact,))
    yield SetMode(**whose, command=f"m{number}", mode="manual")
    yield InvoiceIssued(**whose, document=f"F-{number}", currency="USD", amount="100.00", due_date=DUE)


def test_everything_goes_out_in_one_go_and_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """S0-24: mails and letters of all customers; the first attempt breaks off after fifteen, the second does the rest."""
    house.tick(DUE)
    dry = house.run("batch", "approve", "--all", "--dry-run")
    assert f"{COUNT} statements: {COUNT} would be asked." in dry.output, dry.output
    assert (
        f"{COUNT // 2} statements" in house.run("batch", "approve", "--channel", "letter", "--dry-run").output
    )
    changed = house.run(
        "batch", "edit", "--account", "acme:C00", "--text", "Como acordamos", "--approve", "--yes"
    )
    assert "1 statements: 1 asked." in changed.output, changed.output

    def breaks_off(records: Sequence[Outgoing], *, settings: Settings) -> int:
        send_all(list(records)[:15], settings=settings)
        raise PublishError("the broker went away")

    with monkeypatch.context() as broken:
        broken.setattr(processing, "send_all", breaks_off)
        assert 1 == house.run("batch", "approve", "--all", "--yes").exit_code
    again = house.run("batch", "approve", "--all", "--yes")
    assert 0 == again.exit_code, again.output
    assert f"{COUNT} statements: {COUNT} asked." in again.output
    house.tick(DUE + datetime.timedelta(days=1))
    assert (COUNT // 2, COUNT // 2) == house.went_out()
    [mail] = (house.settings.data_dir / "outbox").rglob("C00-*.txt")
    assert "Como acordamos" in mail.read_text()
    assert "40 statements: 40 nothing waits." in house.run("batch", "approve", "--all", "--yes").output
    assert "" == house.run("exceptions", "--format", "csv").stdout.partition("\n")[2]
    house.tick(DUE + datetime.timedelta(days=2))
    assert (COUNT // 2, COUNT // 2) == house.went_out()


def test_what_has_changed_since_it_was_seen_is_refused_and_told(house: House) -> None:
    """A part is paid between the look and the word: that one is not sent, the other goes."""
    house.tick(DUE)
    asked, wanted = Asked(verb="approve"), Selection(accounts=frozenset({"acme:C00", "acme:C02"}))
    with open_read_model(house.settings) as connection:
        plan = list(planned(chosen(statements(connection), selection=wanted), asked=asked))
    paid = {**_SAID, "occurred_at": "2026-02-02", "customer": "C00", "payment": "P", "currency": "USD"}
    house.publish(PaymentReceived(**paid, amount="30.00"))
    house.tick(DUE + datetime.timedelta(days=1))
    processing.published(plan, settings=house.settings)
    done = processing.outcome(plan, settings=house.settings, wait_s=300.0)
    assert {"acme:C00": "refused", "acme:C02": "asked"} == {each.account: each.result for each in done}
    assert "is at revision 2 by now, not 1" in next(each.note for each in done if each.result == "refused")
    house.tick(DUE + datetime.timedelta(days=2))
    assert (1, 0) == house.went_out()


@pytest.mark.parametrize("house", ['[[cap]]\nchannel = "email"\nnumber = 7\n'], indirect=True)
def test_a_daily_cap_spreads_a_batch_over_days(house: House) -> None:
    """Seven mails a day of twenty: seven, seven and six, on three days of the company; letters have no cap."""
    house.tick(DUE)
    assert 0 == house.run("batch", "approve", "--all", "--yes").exit_code
    for days, mails in ((1, 7), (2, 14), (3, 20)):
        house.tick(DUE + datetime.timedelta(days=days))
        assert (mails, COUNT // 2) == house.went_out()
    by_day = house.run("costs", "--by", "day", "--channel", "email", "--format", "csv").stdout.splitlines()[
        1:
    ]
    assert ["2026-02-03,7", "2026-02-04,7", "2026-02-05,6"] == [line[:12] for line in by_day]
