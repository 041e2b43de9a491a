"""Attempts are counted by channel and outcome, once each: what alerts and dashboard stand on."""

import datetime
from typing import Any

import pytest
import structlog
from msgspec import structs
from sqlalchemy import Engine, insert

from infra.database.engine import writing
from infra.database.tables import movements
from infra.metrics.tally import Tally
from notifiers.channel import PermanentError, TemporaryError, UncertainError
from notifiers.dispatch import sendings_tally
from notifiers.following import EVENTS_MAX, events_behind
from tests.notifiers.sending import ScriptedChannel, SettableClock, dispatcher, know, read, reminder

DOWN = TemporaryError(detail="not now")
REFUSED = PermanentError(error_type="address_refused", detail="no such user")
DOUBT = UncertainError(detail="the connection broke")


def _counts(tally: Tally) -> dict[str, int]:
    return {labels[1]: int(value) for _, value, labels in tally.samples() if value}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], {"accepted": 1}),
        ([REFUSED], {"failed": 1}),
        ([DOWN], {"put_back": 1, "accepted": 1}),
        ([DOUBT], {"unknown": 1}),
    ],
    ids=["accepted", "refused", "down, then accepted", "in doubt"],
)
def test_attempts_are_counted_by_outcome(
    engine: Engine, answers: list[Exception], expected: dict[str, int]
) -> None:
    """Issue 4, point 7: sendings by channel and outcome; what has not happened is told as 0."""
    sendings, clock = sendings_tally(channels=["email"]), SettableClock()
    assert {} == _counts(sendings)
    running = dispatcher(
        engine, channel=ScriptedChannel(answers=list(answers)), clock=clock, sendings=sendings
    )
    know(engine)
    running.record([read(reminder())])
    for _ in range(2):
        running.run(partitions=[0])
        clock.pass_s(3600)
    assert expected == _counts(sendings)


def test_superseded_job_is_counted(engine: Engine) -> None:
    """R32 shows in the figures, too."""
    sendings = sendings_tally(channels=["email"])
    running = dispatcher(engine, channel=ScriptedChannel(), sendings=sendings)
    running.record([read(reminder())])
    know(engine, version=6)
    running.run(partitions=[0])
    assert {"superseded": 1} == _counts(sendings)


def test_lines_lead_from_item_to_reminder_to_sending(engine: Engine) -> None:
    """Issue 4, point 7: the reminder's id and its items in the log; no address in it."""
    running = dispatcher(engine, channel=ScriptedChannel())
    know(engine)
    with structlog.testing.capture_logs() as lines:
        running.record([read(reminder())])
        running.run(partitions=[0])
    recorded, accepted = lines
    assert ("reminder_recorded", "r1", "acme:C1") == _named(recorded)
    assert recorded["items"]
    assert datetime.datetime.fromisoformat(recorded["tick"]).tzinfo is not None
    assert ("send_accepted", "r1", "acme:C1") == _named(accepted)
    assert "zoe@customer.example" not in str(lines)


def test_lines_name_the_events_behind_a_reminder(engine: Engine) -> None:
    """Issue 4, point 7: who has an invoice's event id finds what was sent because of it; payments are none of them."""
    running = dispatcher(engine, channel=ScriptedChannel())
    know(engine)
    [item, *_] = [each.item for each in reminder().items]
    with writing(engine) as connection:
        connection.execute(
            insert(movements),
            [
                _movement("m1", item=item, kind="issued", cause="erp-1", offset=7),
                _movement("m2", item=item, kind="applied", cause="bank-1", offset=9),
                _movement("m3", item="another", kind="issued", cause="erp-2", offset=8),
            ],
        )
    with structlog.testing.capture_logs() as lines:
        running.record([read(reminder())])
        running.run(partitions=[0])
    assert [("reminder_recorded", ["erp-1"]), ("send_accepted", ["erp-1"])] == [
        (line["event"], line["events"]) for line in lines
    ]


def test_a_line_names_a_bounded_number_of_events() -> None:
    """A reminder about 500 invoices is no line of 500 ids: those that are due come first."""
    [one, *_] = reminder().items
    items = tuple(
        structs.replace(one, item=f"I-{number}", step="" if number < 5 else "s1") for number in range(500)
    )
    about = structs.replace(reminder(), items=items)
    found = events_behind(
        [about], causes=lambda wanted: {("acme:C1", item): f"e-{item}" for item in wanted["acme:C1"]}
    )
    assert {"r1": [f"e-I-{number}" for number in range(5, 5 + EVENTS_MAX)]} == found


def _movement(name: str, *, item: str, kind: str, cause: str, offset: int) -> dict[str, object]:
    return {
        "account": "acme:C1",
        "id": name,
        "company": "acme",
        "currency": "USD",
        "kind": kind,
        "amount_minor": 100,
        "business_date": datetime.date(2026, 1, 5),
        "item": item,
        "credit": "",
        "counterpart": "",
        "due_on": None,
        "cause": cause,
        "record_offset": offset,
    }


def _named(line: Any) -> tuple[str, str, str]:
    return line["event"], line["reminder"], line["account"]
