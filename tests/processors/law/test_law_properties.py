"""Random business under every shipped law, in zones far apart: nothing that went out broke a rule at its instant."""

import datetime
import zoneinfo
from dataclasses import dataclass
from typing import Any

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.law.shipped import shipped_profiles
from schemas import commands, events
from schemas.journal import SourceEvent
from schemas.law import Contacting, LawChoice
from schemas.outcomes import OutcomeReported
from schemas.plans import Action, Plan, Step
from tests.scenarios.on_core import Stage, _hold_true, _tick

START = datetime.date(2026, 4, 1)
ZONES = ("UTC", "America/Santiago", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata")
COUNTRIES = ("CL", "CO", "US", "DE", "GB", "")
EMAIL, SMS, LETTER = (Action(channel=each) for each in ("email", "sms", "letter"))
CALL = Action(channel="task", task_type="call", summary="Call")
ACTIONS = ((EMAIL,), (EMAIL, LETTER), (SMS,), (CALL,), (SMS, EMAIL, LETTER), (LETTER, CALL))
PLAN = Plan(
    id="default",
    version=1,
    steps=tuple(
        Step(name=f"s{offset + 3}", offset_days=offset, actions=ACTIONS[(offset + 3) % 6], pay_by_days=0)
        for offset in range(-3, 21)
    ),
)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens some days after what was before it, with a tick at an hour (UTC)."""

    after_days: int
    hour: int
    verb: str
    number: int


ACTS = st.builds(
    Act,
    after_days=st.sampled_from((0, 0, 1, 1, 1, 2, 3)),
    hour=st.integers(0, 23),
    verb=st.sampled_from(("invoice", "tick", "tick", "tick", "conversation", "call", "customer", "payment")),
    number=st.integers(0, 29),
)


def event_of(act: Act, *, index: int, day: datetime.date) -> SourceEvent | None:
    """Make the event of an act; None: only its tick."""
    told: dict[str, Any] = {"company": "acme", "customer": "C1", "occurred_at": day.isoformat()}
    match act.verb:
        case "invoice":
            due_on = day + datetime.timedelta(days=act.number % 6)
            return events.InvoiceIssued(
                **told, document=f"INV-{index}", currency="USD", amount="10.00", due_date=due_on
            )
        case "payment":
            return events.PaymentReceived(**told, payment=f"P-{index}", currency="USD", amount="5.00")
        case "conversation" | "call":
            kind: Any = "conversation" if act.verb == "conversation" else "call_attempt"
            return commands.AddNote(**told, command=f"n-{index}", kind=kind, text="called")
        case "customer":
            return customer(told, number=act.number)
        case _:
            return None


def customer(told: dict[str, Any], *, number: int) -> events.CustomerUpserted:
    """Make the debtor's master data: another zone and country each time."""
    contact = events.Contact(email="a@c1.test", phone="+56900000001", address=("Street 1",))
    return events.CustomerUpserted(
        **told,
        name="C1",
        time_zone=ZONES[number % 5],
        country=COUNTRIES[number % 6],
        contacts=(contact,),
    )


@dataclass(slots=True)
class Sent:
    """A contact as it went out, or was noted: what the checks below go by."""

    channel: str
    at: str
    ours: bool
    conversation: bool = False


def contacts_in(stage: Stage) -> list[tuple[Sent, events.CustomerUpserted]]:
    """List all contacts in the order of the log, with the master data of that moment."""
    found: list[tuple[Sent, events.CustomerUpserted]] = []
    debtor: events.CustomerUpserted | None = None
    for event in stage.told:
        match event:
            case events.CustomerUpserted():
                if debtor is None or event.occurred_at > debtor.occurred_at:
                    debtor = event
            case OutcomeReported(status="accepted", channel="email" | "sms" | "letter" as channel):
                assert debtor is not None
                found.append((Sent(channel, event.occurred_at, True), debtor))
            case commands.AddNote():
                assert debtor is not None
                found.append((Sent("call", event.occurred_at, False, event.kind == "conversation"), debtor))
            case _:
                pass
    return found


def day_of(sent: Sent, zone: zoneinfo.ZoneInfo) -> datetime.date:
    """Give the debtor's day of a contact."""
    if len(sent.at) == 10:
        return datetime.date.fromisoformat(sent.at)
    return datetime.datetime.fromisoformat(sent.at).astimezone(zone).date()


def broken(rules: Contacting, sent: Sent, debtor: events.CustomerUpserted, before: list[Sent]) -> list[str]:
    """Say which rules one delivery breaks, by brute force and on a path of its own."""
    zone = zoneinfo.ZoneInfo(debtor.time_zone)
    local = datetime.datetime.fromisoformat(sent.at).astimezone(zone)
    on, weekday = local.date(), f"{local:%a}".lower()
    problems = []
    if rules.hours and not any(
        weekday in each.days and each.opens <= local.time() < each.closes for each in rules.hours
    ):
        problems.append(f"hours: {local}")
    if not rules.holidays and debtor.country and on in holidays.country_holidays(debtor.country):
        problems.append(f"holiday: {on} in {debtor.country}")
    ways = ["call" if each.channel == "call" else "message" for each in (*before, sent)]
    days = [day_of(each, zone) for each in (*before, sent)]
    for limit in rules.limits:
        if "message" in limit.ways:
            first = on - datetime.timedelta(days=limit.within_days - 1)
            count = sum(first <= day <= on and way in limit.ways for day, way in zip(days, ways, strict=True))
            if count > limit.at_most:
                problems.append(
                    f"{count} within {limit.within_days} days up to {on}, {limit.at_most} allowed"
                )
    for each, day in zip(before, days, strict=False):
        if each.channel != sent.channel and 0 <= (on - day).days < rules.one_channel_days:
            problems.append(f"{sent.channel} on {on} after {each.channel} on {day}")
    return problems


@pytest.mark.parametrize("profile", sorted(shipped_profiles()))
@settings(max_examples=15, deadline=None)
@given(acts=st.lists(ACTS, min_size=15, max_size=30))
def test_no_law_is_ever_broken(profile: str, acts: list[Act]) -> None:
    """Section 5, R24: whatever was accepted was allowed at its instant, for every shipped profile, zones included."""
    stage = Stage()
    told: dict[str, Any] = {"company": "acme", "occurred_at": "2026-01-01"}
    stage.fold(
        commands.ConfigureCompany(
            **told,
            command="profile",
            name="Acme",
            time_zone="America/Santiago",
            currency="USD",
            min_days_between_contacts=0,
            decision_hour=0,
            invoice_messages=True,
            payment_messages=True,
            statements="weekly",
        )
    )
    stage.fold(commands.PublishPlan(**told, command="plan", plan=PLAN))
    stage.fold(commands.SetLaw(**told, command="law", choices=(LawChoice(profile=profile),)))
    stage.fold(customer({**told, "customer": "C1"}, number=len(acts)))
    for index in range(3):
        stage.fold(event_of(Act(0, 0, "invoice", index), index=-index, day=START))  # type: ignore[arg-type]  # an invoice
    now = datetime.datetime.combine(START, datetime.time(0), tzinfo=datetime.UTC)
    for index, act in enumerate(acts):
        now = max(
            now + datetime.timedelta(minutes=1),
            (now + datetime.timedelta(days=act.after_days)).replace(hour=act.hour),
        )
        event = event_of(act, index=index, day=now.date())
        if event is not None:
            stage.fold(event)
        for _ in range(2):
            _tick(stage, at=now, lagging=())
            now += datetime.timedelta(hours=7)
        _hold_true(stage)
    rules = shipped_profiles()[profile].editions[-1].contacting
    contacts = contacts_in(stage)
    before: list[Sent] = []
    for sent, debtor in contacts:
        if sent.ours:
            assert [] == broken(rules, sent, debtor, before)
        before.append(sent)


def test_the_check_sees_a_breach() -> None:
    """The brute force above is no rubber stamp."""
    rules = shipped_profiles()["cl_consumer"].editions[-1].contacting
    debtor = customer({"company": "a", "customer": "b", "occurred_at": "2026-01-01"}, number=0)
    night = Sent("email", "2026-04-06T03:00:00+00:00", True)
    soon = Sent("sms", "2026-04-07T15:00:00+00:00", True)
    assert "hours" in broken(rules, night, debtor, [])[0]
    assert "within 2 days" in broken(rules, soon, debtor, [night])[0]
