"""The law at the moment of sending: quiet hours, and one budget per person over channels and companies."""

import datetime
from typing import Literal

import msgspec
import pytest
from sqlalchemy import Engine, insert

from infra.database.engine import writing
from infra.database.tables import contacts, customers, live_rows, outcomes
from processors.law.shipped import shipped_profiles
from schemas.events import CustomerUpserted
from schemas.facts import ReminderDecided
from schemas.law import LawTerms
from schemas.rows import ChildRow, CustomerRow, encode_row
from tests.notifiers.sending import (
    ScriptedChannel,
    SettableClock,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
    states,
)

MONDAY = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)


def under(profile: str, made: ReminderDecided) -> ReminderDecided:
    """Put a reminder under a shipped profile, in UTC."""
    contacting = shipped_profiles()[profile].editions[-1].contacting
    return msgspec.structs.replace(
        made, law=LawTerms(profile=profile, time_zone="UTC", contacting=contacting)
    )


def customer(engine: Engine, account: str, *, tax_id: str) -> None:
    """Say whose account it is."""
    company, _, name = account.partition(":")
    texts = dict.fromkeys(
        ("name", "kind", "language", "time_zone", "country", "customer_group", "plan", "responsible"), ""
    )
    with writing(engine) as connection:
        connection.execute(
            insert(customers).values(
                account=account, company=company, customer=name, tax_id=tax_id, contacts_json="[]", **texts
            )
        )


def test_a_worker_that_was_away_does_not_write_at_night(engine: Engine) -> None:
    """Section 5, R32: planned for the afternoon, found at 22:00: it goes at 8 in the morning, and is no attempt."""
    clock, channel = SettableClock(MONDAY.replace(hour=22)), ScriptedChannel()
    running = dispatcher(engine, channel=channel, clock=clock)
    running.record([read(under("plain", reminder(mode="live", tick=MONDAY)))])
    know(engine, clock=clock.now)
    assert 1 == running.run(partitions=[0])
    assert ([], "scheduled", 0) == (channel.asked, *(job_row(engine)[name] for name in ("state", "attempts")))
    clock.now = datetime.datetime(2026, 3, 3, 8, tzinfo=datetime.UTC)
    know(engine, clock=clock.now)
    running.run(partitions=[0])
    assert (["r1"], {"r1/email": "accepted"}) == (channel.asked, states(engine))


def test_one_person_who_owes_two_companies_has_one_budget(engine: Engine) -> None:
    """R24: the second company's mail of the same day waits for the day after next (Chile, consumers)."""
    customer(engine, "acme:C1", tax_id="11.111.111-1")
    customer(engine, "beta:X9", tax_id="11.111.111-1")
    running = dispatcher(engine, channel=(channel := ScriptedChannel()), clock=SettableClock(MONDAY))
    for name, account in (("r1", "acme:C1"), ("r2", "beta:X9")):
        know(engine, account=account, clock=MONDAY)
        running.record([read(under("cl_consumer", reminder(name, account=account, tick=MONDAY)))])
        running.run(partitions=[0])
    assert (["r1"], {"r1/email": "accepted", "r2/email": "scheduled"}) == (channel.asked, states(engine))
    assert MONDAY.replace(day=4, hour=8) == job_row(engine, "r2")["not_before"]


def test_different_persons_have_their_own(engine: Engine) -> None:
    """R24: an empty tax id is nobody's."""
    customer(engine, "acme:C1", tax_id="")
    customer(engine, "beta:X9", tax_id="")
    running = dispatcher(engine, channel=ScriptedChannel(), clock=SettableClock(MONDAY))
    for name, account in (("r1", "acme:C1"), ("r2", "beta:X9")):
        know(engine, account=account, clock=MONDAY)
        running.record([read(under("cl_consumer", reminder(name, account=account, tick=MONDAY)))])
        running.run(partitions=[0])
    assert {"r1/email": "accepted", "r2/email": "accepted"} == states(engine)


@pytest.mark.parametrize(("kind", "expected"), [("conversation", "scheduled"), ("delivery", "scheduled")])
def test_what_the_register_knows_counts(engine: Engine, kind: str, expected: str) -> None:
    """Section 5: a call that a person noted, at another company of the same debtor, counts as well (strict)."""
    customer(engine, "acme:C1", tax_id="1")
    customer(engine, "beta:X9", tax_id="1")
    with writing(engine) as connection:
        connection.execute(
            insert(contacts).values(
                account="beta:X9",
                contact="note/n1",
                channel="call",
                kind=kind,
                contacted_on=MONDAY.date(),
                occurred_at="2026-03-02",
            )
        )
    running = dispatcher(engine, channel=ScriptedChannel(), clock=SettableClock(MONDAY))
    know(engine, clock=MONDAY)
    running.record([read(under("strict", reminder(tick=MONDAY)))])
    running.run(partitions=[0])
    assert {"r1/email": expected} == states(engine)
    assert MONDAY.replace(day=9, hour=8) == job_row(engine)["not_before"]


@pytest.mark.parametrize(("status", "expected"), [("failed", "accepted"), ("bounced", "scheduled")])
def test_what_was_refused_after_all_does_not_count_and_what_bounced_does(
    engine: Engine, status: str, expected: str
) -> None:
    """Section 5, docs/domain.md: the law limits what is attempted; what the provider never carried is no attempt."""
    running = dispatcher(engine, channel=ScriptedChannel(), clock=SettableClock(MONDAY))
    for name in ("r1", "r2"):
        know(engine, clock=MONDAY)
        running.record([read(under("cl_consumer", reminder(name, tick=MONDAY)))])
        running.run(partitions=[0])
        if name == "r1":
            with writing(engine) as connection:
                connection.execute(
                    insert(outcomes).values(
                        reminder=name, channel="email", status=status, account="acme:C1", occurred_at="2026-03-02",
                        provider_id="", error_type="carrier_refused", detail="", partition=0, record_offset=9,
                    )
                )  # fmt: skip
    assert {"r1/email": "accepted", "r2/email": expected} == states(engine)


def belongs(engine: Engine, account: str, *, parent: str, dunned_at: Literal["own", "parent"]) -> None:
    """Say that a customer is a child, and where it is written to."""
    company, _, name = account.partition(":")
    card = CustomerUpserted(
        company=company,
        customer=name,
        occurred_at="2026-01-01",
        name=name,
        parent=parent,
        dunned_at=dunned_at,
    )
    kept = (
        (account, "customer", "", encode_row(CustomerRow(account=account, customer=card))),
        (
            f"{company}:{parent}",
            "child",
            name,
            encode_row(ChildRow(account=f"{company}:{parent}", child=name)),
        ),
    )
    with writing(engine) as connection:
        for owner, kind, key, row in kept:
            connection.execute(
                insert(live_rows).values(owner=owner, kind=kind, name=key, row_json=row.decode())
            )


@pytest.mark.parametrize(
    ("second", "expected"),
    [("acme:C2", "scheduled"), ("acme:C3", "accepted"), ("acme:HEAD", "scheduled"), ("beta:H", "scheduled")],
)
def test_who_is_dunned_at_one_parent_has_that_persons_budget(
    engine: Engine, second: str, expected: str
) -> None:
    """B-13, section 5: the head office was written to for one shop; its own mails and those for another shop wait (consumers of Chile).

    So does what another company writes to the same head office. A shop that is dunned at its own address is another person.
    """
    for account, tax_id in (
        ("acme:C1", "1"),
        ("acme:C2", "2"),
        ("acme:C3", "3"),
        ("acme:HEAD", "9"),
        ("beta:H", "9"),
    ):
        customer(engine, account, tax_id=tax_id)
    belongs(engine, "acme:C1", parent="HEAD", dunned_at="parent")
    belongs(engine, "acme:C2", parent="HEAD", dunned_at="parent")
    belongs(engine, "acme:C3", parent="HEAD", dunned_at="own")
    running = dispatcher(engine, channel=ScriptedChannel(), clock=SettableClock(MONDAY))
    for name, account in (("r1", "acme:C1"), ("r2", second)):
        know(engine, account=account, clock=MONDAY)
        running.record([read(under("cl_consumer", reminder(name, account=account, tick=MONDAY)))])
        running.run(partitions=[0])
    assert {"r1/email": "accepted", "r2/email": expected} == states(engine)
