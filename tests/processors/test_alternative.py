"""A log under other rules: under its own it says what it said; under others only what they change differs."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from console.comparing import ChannelPrice, differing, side_of, sums
from processors.alone import sent_of
from processors.alternative import Alternative, Contact, Rules, learn
from processors.calendar import local_day, zone_of
from schemas.journal import TickPassed
from schemas.outcomes import OutcomeReported
from schemas.plans import Action, Plan, Step
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

_SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*.txt"))
# Stories in which a notifier fails or waits, or people speak of a reminder: the log's answers are others than ours.
_ANSWERED = ("notifier", "outcome", "approve", "proposal", "drop ", "edit ", "cancel-reminder")
_STORY = """# two customers; one address fails; one pays and the payment is heard too late
company zone America/Santiago
customer email ana@c1.test
@C2 customer email gone@c2.test address "Calle 1, Santiago"
plan default
    first      0 email
    second   +15 email, letter
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C2 invoice INV-2 40.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email
    expect @C2 reminder first INV-2 by email
2026-02-03  payment P-1 100.00 for INV-1 dated 2026-02-01
    expect was-wrong INV-1
    expect task correction
2026-02-17  tick
    expect @C2 reminder second INV-2 by email, letter
    expect @C2 finished INV-2
"""
_GENTLE = Plan(
    id="default",
    version=1,
    steps=(
        Step(name="first", offset_days=5, actions=(Action(channel="email"),)),
        Step(name="second", offset_days=15, actions=(Action(channel="letter"),)),
    ),
)


def _contacts(stage: Stage, rules: Rules) -> tuple[list[Contact], Alternative]:
    log = learn(stage.records)
    alternative = Alternative(number=0, rules=rules, log=log)
    return [each for record in stage.records for each in alternative.take(record)], alternative


def _told(story: str, *, folder: Path) -> Stage:
    path = folder / "story.txt"
    path.write_text(story, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    return stage


def _short(contacts: list[Contact]) -> list[tuple[str, str, str, str, str]]:
    return [(str(each.on), each.account, each.step, each.channel, each.fate) for each in contacts]


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_under_its_own_rules_a_log_says_what_it_said(path: Path) -> None:
    """Nothing is other where no rule is: the replay answers as the notifiers of these stories do."""
    if any(word in path.read_text(encoding="utf-8") for word in _ANSWERED) or "on_its_way" in path.stem:
        return
    stage = Stage()
    run(read_script(path), stage=stage)
    if any(isinstance(each, OutcomeReported) and each.status != "accepted" for each in stage.told):
        return  # something came between the decision and the sending, which other rules do not see (R32)
    said = [
        (sent.account, sent.id, channel)
        for fact in stage.log
        if not isinstance(fact, TickPassed) and (sent := sent_of(fact)) is not None
        for channel in dict.fromkeys(each.channel for each in sent.deliveries)
    ]
    contacts, _ = _contacts(stage, Rules())
    assert said == [(each.account, each.reminder, each.channel) for each in contacts]


def test_another_plan_in_its_place(tmp_path: Path) -> None:
    """The plan of the same id is replaced from the beginning on; days are the company's."""
    stage = _told(_STORY, folder=tmp_path)
    contacts, _ = _contacts(stage, Rules(plan=_GENTLE))
    assert [("2026-02-17", "acme:C2", "first", "email", "accepted")] == _short(contacts)
    now, _ = _contacts(stage, Rules())
    assert 4 == len(now)
    zone = zone_of("America/Santiago")
    assert {local_day(each.at, zone) for each in stage.told if hasattr(each, "at")} == {
        each.on for each in now
    }
    marked = [(mark, each.account, str(each.on), each.step) for mark, each in differing(now, contacts)]
    assert [
        ("-", "acme:C1", "2026-02-02", "first"),
        ("-", "acme:C2", "2026-02-02", "first"),
        ("+", "acme:C2", "2026-02-17", "first"),
        ("-", "acme:C2", "2026-02-17", "second"),
        ("-", "acme:C2", "2026-02-17", "second"),
    ] == marked
    assert [("first", "email", 2, 1), ("second", "email", 1, 0), ("second", "letter", 1, 0)] == [
        (each.step, each.channel, each.now, each.other) for each in sums(now, contacts)
    ]


def test_what_a_payment_made_needless(tmp_path: Path) -> None:
    """R30: INV-1 was paid a day before it was reminded of, as was learnt later."""
    stage = _told(_STORY, folder=tmp_path)
    contacts, alternative = _contacts(stage, Rules())
    price = ChannelPrice(amount=Decimal("1.20"), currency="USD")
    side = side_of(contacts, paid=alternative.paid, prices={"letter": price})
    assert (3, 4, 1, {"USD": Decimal("1.20")}) == (side.reminders, side.contacts, side.needless, side.cost)
    assert (2, {1: 1, 2: 1}) == (side.worst_week, side.weeks)  # mail and letter of one day


def test_who_is_written_to_only_if_a_person_approves_is_counted_apart(tmp_path: Path) -> None:
    """R20: a customer in manual mode hears nothing by himself; what he would hear is counted, and told from the rest."""
    by_hand = "2026-01-02  @C2 mode manual\n2026-01-02  @C2 invoice"
    story = _STORY.replace("2026-01-02  @C2 invoice", by_hand)
    for fact in ("reminder first INV-2 by email", "reminder second INV-2 by email, letter", "finished INV-2"):
        story = story.replace(f"    expect @C2 {fact}\n", "")
    story = story.replace(
        "    expect reminder first INV-1 by email\n",
        "    expect reminder first INV-1 by email\n    expect @C2 proposal first INV-2 by email\n",
    )
    contacts, alternative = _contacts(_told(story, folder=tmp_path), Rules())
    side = side_of(contacts, paid=alternative.paid, prices={})
    assert {("acme:C1", False), ("acme:C2", True)} == {(each.account, each.by_person) for each in contacts}
    assert (1, 1) == (side.accounts, side.asked_accounts)
    assert side.reminders - 1 == side.asked_reminders > 0


def test_an_address_that_fails_fails_under_any_rules(tmp_path: Path) -> None:
    """R19: what the log knows of an address holds for what other rules send earlier: the letter goes instead."""
    story = _STORY[: _STORY.index("2026-02-02  tick")].replace(" address", " name Bo address")
    story += (
        "2026-01-20  tick\n2026-01-23  tick\n@C2 notifier email fails address_refused\n2026-02-02  tick\n"
    )
    story += "    expect reminder first INV-1 by email\n    expect @C2 reminder first INV-2 by email\n"
    story += "    expect failed\n    expect @C2 failed\n"
    stage = _told(story.replace("@C2 notifier", "notifier"), folder=tmp_path)
    early = Plan(
        id="default",
        version=1,
        steps=(Step(name="soon", offset_days=-14, actions=(Action(channel="email"),)),),
    )
    contacts, _ = _contacts(stage, Rules(plan=early))
    assert [
        ("2026-01-20", "acme:C1", "soon", "email", "address_refused"),
        ("2026-01-20", "acme:C2", "soon", "email", "address_refused"),
        ("2026-01-23", "acme:C2", "soon", "letter", "accepted"),
    ] == [each for each in _short(contacts) if each[3] != "task"]


def test_a_log_that_grows_is_learnt_from_where_its_reading_ended(tmp_path: Path) -> None:
    """Each record counts once: what was read before it is folded is not learnt again, what has come since is."""
    stage = _told(_STORY + "@C2 notifier letter fails address_refused\n", folder=tmp_path)
    log = learn(stage.records[: len(stage.records) // 2])
    for record in stage.records:
        log.take(record)
    assert log == learn(stage.records)
    assert log.known()


def test_a_company_without_the_plan_has_it_as_its_default(tmp_path: Path) -> None:
    """A new plan is tried on whoever has none of that id; another company is left alone."""
    stage = _told(_STORY, folder=tmp_path)
    steps = (Step(name="only", offset_days=1, actions=(Action(channel="email"),)),)
    contacts, _ = _contacts(stage, Rules(plan=Plan(id="new", version=1, steps=steps)))
    assert [("2026-02-17", "acme:C2", "only", "email", "accepted")] == _short(contacts)
    others, _ = _contacts(stage, Rules(plan=Plan(id="new", version=1, steps=steps), company="beta"))
    now, _ = _contacts(stage, Rules())
    assert now == others


def test_another_law(tmp_path: Path) -> None:
    """A law that closes Sundays and the early morning moves what would go out."""
    story = _STORY[: _STORY.index("2026-02-02  tick")]
    story += "2026-02-08 08:30  tick\n    expect reminder first INV-1 by email\n    expect @C2 reminder first INV-2 by email\n"
    story += "2026-02-09 08:30  tick\n"
    stage = _told(
        story.replace("@C2 customer", "company law plain\n@C2 customer") if False else story, folder=tmp_path
    )
    now, _ = _contacts(stage, Rules())
    strict, _ = _contacts(stage, Rules(profile="strict"))
    assert {datetime.date(2026, 2, 8)} == {each.on for each in now}
    assert {datetime.date(2026, 2, 9)} == {each.on for each in strict}
