"""S4-20, S4-21, S4-22: what was sent per day, what went wrong by type, and each message with its last fate."""

import datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, insert, update

from infra.database.engine import reading, writing
from infra.database.queries.sendings import Asked, errors_per_day, sent_lines, sent_newest, sent_per_day
from infra.database.send_ledger import NewJob, SendLedger
from infra.database.send_tables import send_jobs
from infra.database.tables import companies, outcomes
from tests.notifiers.sending import reminder

DAY = datetime.date(2026, 2, 3)


class Sent:
    """A send ledger and outcomes, filled line by line."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._offset = 0
        with writing(engine) as connection:
            connection.execute(
                insert(companies).values(
                    company="acme", version=1, name="Acme", time_zone="America/Santiago", currency="CLP", language="es", profile_json="{}"
                )
            )  # fmt: skip

    def send(
        self, name: str, *, at: str, channel: Any = "email", state: str = "accepted", **changes: Any
    ) -> None:
        """Note a delivery that a provider took, or did not."""
        made = reminder(name, channels=(channel,), **changes)
        job = NewJob(
            reminder=made.id, account=made.account, company=made.company, partition=0, mode=made.mode, tick=made.tick,
            not_before=made.tick, decision_version=5, reminder_json=msgspec.json.encode(made).decode(),
        )  # fmt: skip
        SendLedger(self.engine, channel=channel, owner="w", reader_age_s_max=60).record([job])
        with writing(self.engine) as connection:
            mine = update(send_jobs).where(send_jobs.c["reminder"] == name, send_jobs.c["channel"] == channel)
            connection.execute(mine.values(state=state, occurred_at=at, recipient="zoe@customer.example"))
        self.say(name, state, at=at, channel=channel, account=made.account)

    def say(
        self,
        name: str,
        status: str,
        *,
        at: str,
        channel: str = "email",
        error: str = "",
        account: str = "acme:C1",
    ) -> None:
        """Note an outcome."""
        self._offset += 1
        with writing(self.engine) as connection:
            connection.execute(
                insert(outcomes).values(
                    reminder=name, channel=channel, status=status, account=account, occurred_at=at, provider_id="",
                    error_type=error, detail="", partition=0, record_offset=self._offset,
                )
            )  # fmt: skip


@pytest.fixture
def sent(engine: Engine) -> Sent:
    """Give three messages on two days, one of which came back, one that was complained of, and one that failed."""
    made = Sent(engine)
    made.send("r1", at="2026-02-03T12:00:00.000+00:00")
    made.say("r1", "delivered", at="2026-02-03T12:00:05.000+00:00")
    made.say("r1", "bounced", at="2026-02-04T09:00:00.000+00:00", error="address_bounced")
    made.send("r2", at="2026-02-04T02:30:00.000+00:00", account="acme:C2")  # still the 3rd in Santiago
    made.say("r2", "complained", at="2026-02-04T12:00:00.000+00:00", account="acme:C2")
    made.send("r3", at="2026-02-04T12:00:00.000+00:00", channel="sms")
    made.send("r4", at="2026-02-04T12:00:00.000+00:00", state="failed", account="beta:C1")
    return made


def test_sent_per_day(sent: Sent) -> None:
    """By the company's day of sending, with what is known by now; what failed at sending was not sent."""
    with reading(sent.engine) as connection:
        found = sent_per_day(connection, asked=Asked())
        only = sent_per_day(connection, asked=Asked(first_on=DAY, last_on=DAY))
    told = [
        (str(each.day)[5:], each.channel, each.sent, each.delivered, each.came_back, each.complained)
        for each in found
    ]
    assert [("02-03", "email", 2, 1, 1, 1), ("02-04", "sms", 1, 0, 0, 0)] == told
    assert found[:1] == only


def test_errors_per_day_stack_to_a_total(sent: Sent) -> None:
    """On the day on which it went wrong; a complaint says by itself what it is."""
    sent.say("r5", "failed", at="2026-02-04T15:00:00.000+00:00", error="template_error")
    with reading(sent.engine) as connection:
        found = errors_per_day(connection, asked=Asked())
        acme = errors_per_day(connection, asked=Asked(company="acme"))
    assert [
        ("02-04", "address_bounced", "email", 1, 4),
        ("02-04", "complaint", "email", 1, 4),
        ("02-04", "failed", "email", 1, 4),
        ("02-04", "template_error", "email", 1, 4),
    ] == [(str(each.day)[5:], each.error, each.channel, each.count, each.total) for each in found]
    assert {3} == {each.total for each in acme}


def test_a_walk_goes_on_behind_a_line(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first, each once, however few are read at a time, and from any line on."""
    monkeypatch.setattr("infra.database.queries.sendings._ROWS_AT_ONCE", 1)
    with reading(sent.engine) as connection:
        found = list(sent_newest(connection, asked=Asked()))
        assert ["r3", "r2", "r1"] == [each.reminder for each in found]
        place = (found[0].at, found[0].reminder, found[0].channel)
        assert found[1:] == list(sent_newest(connection, asked=Asked(), after=place))


def test_each_message_with_its_last_fate(sent: Sent) -> None:
    """The worst that was said stands; kind, documents and customer are the message's own."""
    with reading(sent.engine) as connection:
        found = sent_lines(connection, asked=Asked(), lines_max=9)
        newest = sent_lines(connection, asked=Asked(), lines_max=1)
        arrived = sent_lines(connection, asked=Asked(fate="accepted"), lines_max=9)
    assert [("r1", "bounced"), ("r2", "complained"), ("r3", "accepted")] == [
        (each.reminder, each.fate) for each in found
    ]
    assert ["r3"] == [each.reminder for each in newest] == [each.reminder for each in arrived]
    content = reminder("r1")
    assert (content.step, len(content.items), content.customer_name) == (
        found[0].kind,
        found[0].document_count,
        found[0].customer,
    )
    assert content.items[0].item in found[0].documents
