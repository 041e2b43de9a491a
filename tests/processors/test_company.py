"""A company: what is published counts once, what is not published has a sensible default."""

import datetime
import random
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.company import Company
from schemas.commands import ConfigureCompany, GoLive, GoLiveDay, PublishPlan, SetLaw
from schemas.events import CustomerUpserted, InvoiceIssued
from schemas.law import LawChoice
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


def law(command: str, *, at: str) -> SetLaw:
    """Publish which law holds."""
    return SetLaw(company="acme", occurred_at=at, command=command, choices=(LawChoice(profile="plain"),))


def go_live(command: str, *, at: str) -> GoLive:
    """Publish portions of the first run."""
    portion = GoLiveDay(on=datetime.date(2026, 3, 2), due_on=datetime.date(2026, 1, 1), customer="C1")
    return GoLive(company="acme", occurred_at=at, command=command, days=(portion,))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-03-01T09:00:00+09:00", "2026-03-01T02:00:00+00:00"),  # Tokyo's nine is midnight in UTC
        ("2026-03-02T00:30:00+01:00", "2026-03-01T23:45:00Z"),
        ("2026-03-01T10:00:00Z", "2026-03-01T07:00:00.5-03:00"),
        ("2026-02-28T23:59:59-00:00", "2026-03-01"),
    ],
)
@pytest.mark.parametrize("said", [profile, law, go_live])
def test_the_latest_word_about_a_company_stands_whatever_zone_it_was_written_in(
    said: Callable[..., ConfigureCompany | SetLaw | GoLive], earlier: str, later: str
) -> None:
    """Times are instants (SEMANTICS 2.4): two people of one company, in two zones, and every partition has the later word."""
    words = (said("z-first", at=earlier), said("a-second", at=later))
    for order in (words, words[::-1]):
        company = Company("acme")
        for each in order:
            company.apply(each)
        row = company.row
        assert ["a-second"] == [
            each.command for each in (row.profile, row.law, row.go_live) if each is not None
        ]


def test_a_profile_of_a_day_begins_in_its_own_zone() -> None:
    """SEMANTICS 2.4: Santiago's first of March begins three hours after that of UTC, and what was said between is older."""
    company = Company("acme")
    of_a_day = profile("day", at="2026-03-01", time_zone="America/Santiago")
    company.apply(of_a_day)
    company.apply(profile("night", at="2026-03-01T02:59:59Z"))
    assert "day" == company.profile.command
    company.apply(profile("morning", at="2026-03-01T03:00:01Z"))
    assert "morning" == company.profile.command


@given(
    instants=st.lists(
        st.tuples(st.integers(0, 200_000), st.integers(-11, 13)),
        min_size=2,
        max_size=6,
        unique_by=lambda each: each[0],
    ),
    order=st.randoms(use_true_random=False),
)
def test_all_partitions_agree_on_the_profile(instants: list[tuple[int, int]], order: random.Random) -> None:
    """In whatever order a partition hears commands of several zones, the latest instant stands."""
    words = []
    for seconds, hours in instants:
        zone = datetime.timezone(datetime.timedelta(hours=hours))
        at = datetime.datetime.fromtimestamp(1_772_000_000 + seconds, tz=zone)
        words.append(profile(f"p{seconds}", at=at.isoformat()))
    order.shuffle(words)
    company = Company("acme")
    for each in words:
        company.apply(each)
    assert f"p{max(seconds for seconds, _ in instants)}" == company.profile.command
