"""The demo's year: plausible, valid, the same for the same seed, with all that a year brings."""

from collections import Counter
from pathlib import Path

from click.testing import CliRunner

from console.checking import check_data
from console.cli.main import main
from console.demo.year import LAST_DAY, profiles, year
from console.importing import Fact
from schemas.envelope import from_headers
from schemas.events import CustomerUpserted


def _types(facts: list[Fact]) -> Counter[str]:
    return Counter(from_headers(fact.record.headers, b"")[0].type for fact in facts)


def test_same_seed_gives_the_same_year() -> None:
    """Playing the demo twice changes nothing; another seed makes another year."""
    assert year(seed=1, customers=5) == year(seed=1, customers=5)
    assert year(seed=1, customers=5) != year(seed=2, customers=5)


def test_every_event_may_enter_the_journal() -> None:
    """What we make up obeys the contracts that we ask of others."""
    records = [*profiles(), *(fact.record for fact in year(seed=1))]
    found = [check_data(from_headers(record.headers, b"")[0].type, record.value) for record in records]
    assert [] == [each for each in found if isinstance(each, list)]


def test_year_has_all_that_a_year_brings() -> None:
    """Issue 3: partial, late, over- and bounced payments, credit notes, holds, notes, no e-mail."""
    facts = [fact for fact in year(seed=1) if fact.day <= LAST_DAY]
    types = _types(facts)
    assert 200 == types["billing.customer.upserted.v1"]
    assert types["billing.invoice.issued.v1"] > 1000
    rare = (
        "billing.payment.reversed.v1",
        "billing.refund.paid.v1",
        "billing.write_off.booked.v1",
        "billing.credit_note.issued.v1",
        "billing.invoice.cancelled.v1",
        "billing.invoice.amended.v1",
        "collections.hold.place.v1",
        "collections.hold.release.v1",
        "collections.note.add.v1",
    )
    assert [] == [each for each in rare if not types[each]]


def test_some_customers_have_no_email_and_some_no_address() -> None:
    """R27: the demo shows letters and tasks, too."""
    customers = [
        event
        for fact in year(seed=1)
        if fact.record.topic == "billing.customer.v1"
        and isinstance(
            event := check_data(from_headers(fact.record.headers, b"")[0].type, fact.record.value),
            CustomerUpserted,
        )
    ]
    contacts = [each.contacts[0] for each in customers]
    assert 20 == sum(not each.email for each in contacts)
    assert 4 == sum(not each.email and not each.address for each in contacts)


def test_days_are_in_order() -> None:
    """Facts can be laid out over days."""
    days = [fact.day for fact in year(seed=1)]
    assert sorted(days) == days


def test_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    """Fresh each time, but never at the cost of somebody's files."""
    foreign = tmp_path / "demo"
    foreign.mkdir()
    (foreign / "theirs.txt").write_text("keep me")
    result = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "demo"])
    assert 1 == result.exit_code
    assert "is no demo of ours" in result.output
    assert "keep me" == (foreign / "theirs.txt").read_text()
