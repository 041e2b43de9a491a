"""When the law lets someone be contacted: hours, holidays, limits, pauses, in the debtor's days."""

import datetime

import pytest

from processors.law.permits import Made, Openings, Permits
from processors.law.shipped import shipped_profiles
from schemas.law import Contacting, Hours, LawTerms, Limit, Weekday

MONDAY = datetime.date(2026, 3, 2)


def permits(profile: str, *, zone: str = "UTC", country: str = "", made: tuple[Made, ...] = ()) -> Permits:
    """Put a debtor under a shipped profile."""
    contacting = shipped_profiles()[profile].editions[-1].contacting
    return Permits(
        LawTerms(profile=profile, time_zone=zone, country=country, contacting=contacting), made=made
    )


def at(text: str) -> datetime.datetime:
    """Give an instant of UTC."""
    return datetime.datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("profile", "asked", "expected"),
    [
        ("plain", "2026-03-02 12:00", "2026-03-02 12:00"),
        ("plain", "2026-03-02 07:59", "2026-03-02 08:00"),
        ("plain", "2026-03-02 20:00", "2026-03-03 08:00"),
        ("plain", "2026-03-06 20:00", "2026-03-09 08:00"),
        ("cl_consumer", "2026-03-06 20:00", "2026-03-07 08:00"),
        ("co", "2026-03-07 15:00", "2026-03-09 07:00"),
        ("us_third_party", "2026-03-08 07:00", "2026-03-08 08:00"),
        ("strict", "2026-03-06 19:00", "2026-03-07 08:00"),
    ],
)
def test_hours(profile: str, asked: str, expected: str) -> None:
    """Section 5: hours per weekday; the closing hour is out."""
    assert at(expected) == permits(profile).next_allowed("email", at=at(asked))


def test_hours_are_the_debtors() -> None:
    """Section 5: 8 in the morning in Santiago is 11 in UTC in summer."""
    debtor = permits("cl_consumer", zone="America/Santiago", country="CL")
    assert at("2026-03-02 11:00") == debtor.next_allowed("email", at=at("2026-03-02 04:00"))


def test_holiday_of_the_debtors_country() -> None:
    """Section 5: the first of May is no day for collecting in Colombia."""
    debtor = permits("co", zone="America/Bogota", country="CO")
    assert at("2026-05-02 13:00") == debtor.next_allowed("email", at=at("2026-05-01 15:00"))


@pytest.mark.parametrize(
    ("profile", "channel", "made", "expected"),
    [
        ("cl_consumer", "email", [("email", 0)], "2026-03-04 08:00"),
        ("cl_consumer", "letter", [("email", 0)], "2026-03-04 08:00"),
        ("cl_consumer", "email", [("email", 0), ("sms", 2)], "2026-03-09 08:00"),
        ("cl_consumer", "call", [("email", 0), ("sms", 2)], "2026-03-02 08:00"),
        ("cl_consumer", "call", [("call", 0)], "2026-03-09 08:00"),
        ("co", "email", [("email", 0)], "2026-03-03 07:00"),
        ("co", "letter", [("email", 0)], "2026-03-09 07:00"),
        ("us_third_party", "call", [("call", 0)] * 6, "2026-03-02 08:00"),
        ("us_third_party", "call", [("call", 0)] * 7, "2026-03-09 08:00"),
        ("plain", "email", [("email", 0)] * 9, "2026-03-02 08:00"),
    ],
)
def test_limits(profile: str, channel: str, made: list[tuple[str, int]], expected: str) -> None:
    """Section 5: sliding windows per group of channels; one channel a week in Colombia."""
    contacts = tuple(Made(MONDAY + datetime.timedelta(days=days), name) for name, days in made)
    assert at(expected) == permits(profile, made=contacts).next_allowed(channel, at=at("2026-03-02 00:00"))


def test_a_contact_between_two_others_breaks_their_window_too() -> None:
    """Section 5: what is planned for later counts for what is asked for now."""
    contacts = (Made(MONDAY, "email"), Made(MONDAY + datetime.timedelta(days=5), "email"))
    debtor = permits("cl_consumer", made=contacts)
    assert at("2026-03-09 08:00") == debtor.next_allowed("sms", at=at("2026-03-03 09:00"))


def test_after_a_conversation_nobody_calls_for_a_week() -> None:
    """Section 5, Reg F: its day is the first of seven; a mere attempt starts no pause."""
    spoke = Made(MONDAY, "call", conversation=True)
    assert at("2026-03-09 08:00") == permits("us_third_party", made=(spoke,)).next_allowed(
        "call", at=at("2026-03-02 00:00")
    )
    tried = Made(MONDAY, "call")
    assert at("2026-03-02 08:00") == permits("us_third_party", made=(tried,)).next_allowed(
        "call", at=at("2026-03-02 00:00")
    )


def own(**rules: object) -> LawTerms:
    """Make a law of one's own, in UTC."""
    return LawTerms(profile="own", time_zone="UTC", contacting=Contacting(**rules))  # type: ignore[arg-type]  # as it takes them


def test_a_day_may_have_two_openings() -> None:
    """Section 5: closed over noon: in the morning the first one counts, at noon the second, at night the next day's."""
    day: tuple[Weekday, ...] = ("mon", "tue")
    hours = tuple(
        Hours(days=day, opens=datetime.time(opens), closes=datetime.time(closes))
        for opens, closes in ((14, 18), (8, 12))
    )
    asked = ("2026-03-02 07:00", "2026-03-02 12:00", "2026-03-02 15:30", "2026-03-02 18:00")
    found = [Permits(own(hours=hours)).next_allowed("email", at=at(each)) for each in asked]
    assert [
        at(each) for each in ("2026-03-02 08:00", "2026-03-02 14:00", "2026-03-02 15:30", "2026-03-03 08:00")
    ] == found


def test_without_hours_the_next_day_begins_at_midnight() -> None:
    """Section 5: a law that limits how often, and not when."""
    law = own(limits=(Limit(at_most=1, within_days=2),))
    debtor = Permits(law, made=(Made(MONDAY, "email"),))
    assert at("2026-03-04 00:00") == debtor.next_allowed("email", at=at("2026-03-02 10:00"))


def test_windows_that_only_touch_are_two() -> None:
    """Section 5: two in seven days: on the first, the fourth and the eighth day no seven days in a row hold three."""
    law = own(limits=(Limit(at_most=2, within_days=7),))
    planned = tuple(Made(MONDAY + datetime.timedelta(days=days), "email") for days in (0, 7))
    assert at("2026-03-05 10:00") == Permits(law, made=planned).next_allowed(
        "email", at=at("2026-03-05 10:00")
    )
    planned = tuple(Made(MONDAY + datetime.timedelta(days=days), "email") for days in (0, 6))
    assert at("2026-03-09 00:00") == Permits(law, made=planned).next_allowed(
        "email", at=at("2026-03-05 10:00")
    )


def test_a_conversation_among_other_contacts_begins_its_pause() -> None:
    """Reg F: who has talked is not called for seven days, also when a mail went out the day after."""
    made = (Made(MONDAY, "call", conversation=True), Made(MONDAY + datetime.timedelta(days=1), "email"))
    debtor = permits("us_third_party", made=made)
    assert at("2026-03-09 08:00") == debtor.next_allowed("call", at=at("2026-03-04 10:00"))


def test_who_was_not_contacted_shares_what_was_found_for_others() -> None:
    """A contact that is made is one debtor's alone: the others may be contacted as before, and he not."""
    terms, monday = permits("cl_consumer").terms, at("2026-03-02 12:00")
    openings: Openings = {}
    first, second = Permits(terms, openings=openings), Permits(terms, openings=openings)
    assert monday == first.next_allowed("email", at=monday)
    first.add(Made(MONDAY, "email"))
    assert at("2026-03-04 08:00") == first.next_allowed("email", at=monday)
    assert monday == second.next_allowed("email", at=monday)
    contacted = Permits(terms, made=(Made(MONDAY, "email"),), openings=openings)
    assert at("2026-03-04 08:00") == contacted.next_allowed("email", at=monday)
