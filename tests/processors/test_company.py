"""A company: what is published counts once, what is not published has a sensible default."""

import datetime

import msgspec

from processors.company import Company
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import CustomerUpserted, InvoiceIssued
from schemas.plans import Action, Plan, Step
from schemas.rows import CustomerRow, ItemRow, decode_row, encode_row

DUE = datetime.date(2026, 2, 1)


def plan(name: str, *, version: int = 1, offset_days: int = 0) -> PublishPlan:
    """Publish a plan of one step."""
    step = Step(name="first", offset_days=offset_days, actions=(Action(channel="email"),))
    return PublishPlan(
        company="acme",
        occurred_at="2026-01-01",
        command=f"{name}-{version}",
        plan=Plan(id=name, version=version, steps=(step,)),
    )


def profile(command: str, *, at: str = "2026-01-01", **changes: object) -> ConfigureCompany:
    """Publish a profile."""
    plain = ConfigureCompany(
        company="acme", occurred_at=at, command=command, name="Acme", time_zone="UTC", currency="USD"
    )
    return msgspec.structs.replace(plain, **changes)


def item(*, chosen: str = "", pinned: str = "", version: int = 0) -> ItemRow:
    """Make an item that is pointed at a plan."""
    document = InvoiceIssued(
        company="acme",
        customer="C1",
        occurred_at="2026-01-01",
        document="INV-1",
        currency="USD",
        amount="1.00",
    )
    return ItemRow(
        account="acme:C1", item="INV-1", document=document, currency="USD", amount_minor=100, open_minor=100,
        issued_on=DUE, due_on=DUE, chosen_plan=chosen, plan=pinned, plan_version=version,
    )  # fmt: skip


def customer(*, group: str = "", chosen: str = "") -> CustomerRow:
    """Make a customer's card."""
    told = CustomerUpserted(
        company="acme", customer="C1", occurred_at="2026-01-01", name="C1", group=group, plan=chosen
    )
    return CustomerRow(account="acme:C1", customer=told)


def test_company_that_published_nothing_has_a_default() -> None:
    """Named by its id, in UTC, without plans: nothing is sent, and that is said (R31)."""
    company = Company("acme")
    assert ("acme", "UTC", 0) == (company.profile.name, company.profile.time_zone, company.version)
    assert company.resolve_plan(item(), None) is None


def test_version_counts_changes_and_repetitions_change_nothing() -> None:
    """Publishing the same twice, in any order, ends the same (SEMANTICS 2.2)."""
    company = Company("acme")
    first, second = profile("p1"), profile("p2", at="2026-02-01", time_zone="America/Santiago")
    assert [1, 1, 2, 2] == [len(company.apply(each)) for each in (first, second, plan("a"), plan("b"))]
    before = encode_row(company.row)
    assert [[], [], [], []] == [company.apply(each) for each in (first, second, plan("a"), plan("b"))]
    assert (4, before) == (company.version, encode_row(company.row))
    assert "America/Santiago" == company.zone.key


def test_other_content_under_a_known_key_is_a_conflict() -> None:
    """What came first stands: a version of a plan is never another one."""
    company = Company("acme")
    company.apply(plan("a"))
    company.apply(profile("p1"))
    other_plan, other_profile = plan("a", offset_days=9), profile("p1", time_zone="Asia/Tokyo")
    assert [True, True] == [company.conflicts(each) for each in (other_plan, other_profile)]
    assert [[], []] == [company.apply(each) for each in (other_plan, other_profile)]
    assert [False, False] == [company.conflicts(each) for each in (plan("a"), profile("p1", at="2026-03-01"))]


def test_rows_are_the_whole_company() -> None:
    """A worker that takes over has the same plans, profile, version and memory of commands."""
    company = Company("acme")
    events = (profile("p1", group_plans={"g": "b"}), plan("a"), plan("b"), plan("b", version=2))
    rows = {encode_row(row) for event in events for row in company.apply(event)}
    latest = [encode_row(company.row), *(row for row in rows if b'"kind":"plan"' in row)]
    restored = Company.restore("acme", rows=[decode_row(row) for row in latest])
    assert (company.plans, company.profile, company.version) == (
        restored.plans,
        restored.profile,
        restored.version,
    )
    assert [[], [], [], []] == [restored.apply(event) for event in events]


def test_plan_is_the_nearest_that_was_chosen() -> None:
    """R17: invoice > customer > group > company; the newest version, unless the item is pinned to one."""
    company = Company("acme")
    for event in (profile("p1", group_plans={"g": "of-group"}), plan("default"), plan("default", version=2)):
        company.apply(event)
    for name in ("of-group", "of-customer", "of-invoice"):
        company.apply(plan(name))

    def resolved(row: ItemRow, card: CustomerRow | None) -> str:
        found = company.resolve_plan(row, card)
        return "" if found is None else f"{found.id}/{found.version}"

    expected = {
        "default/2": resolved(item(), customer()),
        "of-group/1": resolved(item(), customer(group="g")),
        "of-customer/1": resolved(item(), customer(group="g", chosen="of-customer")),
        "of-invoice/1": resolved(item(chosen="of-invoice"), customer(group="g", chosen="of-customer")),
        "default/1": resolved(item(pinned="default", version=1), customer(chosen="of-customer")),
        "": resolved(item(chosen="never-published"), None),
    }
    assert list(expected) == list(expected.values())


def test_days_decisions_begin_at_the_local_hour() -> None:
    """Decision 0004: 8 o'clock in Santiago is 11:00 UTC in summer; another hour counts at once."""
    company = Company("acme")
    company.apply(profile("p1", time_zone="America/Santiago"))
    at = datetime.datetime.fromtimestamp(company.decides_from_s(datetime.date(2026, 1, 15)), tz=datetime.UTC)
    assert "2026-01-15T11:00:00+00:00" == at.isoformat()
    company.apply(profile("p2", at="2026-01-02", time_zone="America/Santiago", decision_hour=10))
    at = datetime.datetime.fromtimestamp(company.decides_from_s(datetime.date(2026, 1, 15)), tz=datetime.UTC)
    assert "2026-01-15T13:00:00+00:00" == at.isoformat()


def test_a_company_that_is_configured_every_day_for_years_stays_a_small_row() -> None:
    """The oldest commands are forgotten; one that is sent again does not bring its profile back."""
    company = Company("acme")
    company.apply(plan("default"))
    for number in range(1500):
        company.apply(profile(f"p{number}", at=f"2026-01-01T00:00:00.{number:06}Z"))
    assert 100_000 > len(encode_row(company.row))
    assert "plan default/1" in company.row.commands
    company.apply(profile("p3", at="2026-01-01T00:00:00.000003Z"))
    assert "p1499" == company.profile.command
