"""What went out, what nobody knows of, and what is to be done by hand (S4-20 … S4-22, R19, R28)."""

import datetime
import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, select

from console.web.inside.pages import doubts
from infra.database.engine import reading, writing
from infra.database.send_doubts import notes_of
from infra.database.send_tables import send_jobs
from infra.database.tables import reminders
from schemas.codec import encode
from schemas.commands import CompleteTask
from schemas.facts import ReminderDecided
from schemas.reminder_commands import CancelReminder
from tests.console.inside.desk import Desk

PLAN = """plan default
    first      0 email
    second   +20 email
"""
STORY = f"""# two were written to; Ben's mail came back
@C1 customer email ana@c1.test name "Almacén Ana"
@C2 customer email ben@c2.test name "Bar Ben"
{PLAN}
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C2 invoice INV-2 300.00 due 2026-02-02
2026-02-03  tick
    expect @C1 reminder first INV-1 by email
    expect @C2 reminder first INV-2 by email
"""
TASKS = """# a call that the plan waits for
customer phone +56911111111
plan default
    call      +1 task "Call them" blocking
    second   +20 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
"""


TICK = """2026-02-03  tick
    expect withheld INV-1 call because awaiting_task with task step/default/1/0
    expect task step/default/1/0 with step call
"""


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console on the day after, with an approver at it."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    desk.now = desk.now.replace(month=2, day=4)
    return desk.at_work("bea", role="approver")


def job_of(desk: Desk, account: str, **values: Any) -> str:
    """Put a delivery of an account's reminder into the send ledger."""
    with reading(desk.engine) as connection:
        reminder = connection.execute(
            select(reminders.c["reminder"]).where(reminders.c["account"] == account)
        ).scalar_one()
    at = desk.now - datetime.timedelta(hours=1)
    row = {
        "reminder": reminder,
        "channel": "email",
        "account": account,
        "company": "acme",
        "partition": 0,
        "mode": "live",
        "tick": at,
        "not_before": at,
        "decision_version": 1,
        "reminder_json": "{}",
        "state": "accepted",
        "published": True,
        "occurred_at": "2026-02-03T12:00:00+00:00",
    }
    with writing(desk.engine) as connection:
        connection.execute(send_jobs.insert().values(**row | values))
    return str(reminder)


def option_of(text: str, name: str) -> dict[str, Any]:
    """Read what ECharts is given for a chart of a page."""
    found = re.search(rf'<script type="application/json" id="{name}-data">(.*?)</script>', text, re.DOTALL)
    assert found, text
    option: dict[str, Any] = json.loads(found[1])
    return option


def test_deliveries_are_listed_and_filtered(desk: Desk) -> None:
    """S4-22: level, document, customer, channel, outcome; what the filter leaves, and no more."""
    text = desk.browser.get("/reminders").text
    assert ["INV-1", "INV-2"] == sorted(set(re.findall(r"INV-\d", text)))
    for query, shown in (
        ("document=INV-2", {"INV-2"}),
        ("outcome=bounced", set()),
        ("level=second", set()),
        ("last_on=2026-02-02", set()),
        ("first_on=2026-02-03&channel=email", {"INV-1", "INV-2"}),
    ):
        found = desk.browser.get(f"/reminders?{query}").text
        assert shown == set(re.findall(r"<td>(INV-\d)", found)), query


def test_a_delivery_leads_to_what_was_sent(desk: Desk) -> None:
    """S2-19, S4-22: from the list, and from a doubt with the customer's name, to the message itself; viewers, who may not read it, see its level."""
    (reminder,) = desk.reminders_of("INV-2")
    there = f"/customers/{quote('acme:C2')}/message?reminder={quote(reminder)}"
    assert f'href="{there}">' in desk.browser.get("/reminders").text
    assert 200 == desk.browser.get(there).status_code
    job_of(desk, "acme:C2", state="unknown", subject="Your invoice INV-2")
    doubts_page = desk.browser.get("/doubts").text
    assert f'href="{there}">Your invoice INV-2</a>' in doubts_page
    assert ">Bar Ben</a>" in doubts_page
    assert "/message?" not in desk.at_work("vic", role="viewer").browser.get("/reminders").text


APART = """# a reminder of each currency, both on their way
company currencies-apart on
customer email ana@c1.test
plan default
    first      0 email
    second   +90 email
notifier each waits
2026-01-02  invoice INV-1 100.00 USD due 2026-02-02
2026-01-02  invoice INV-2 300.00 EUR due 2026-02-02
2026-02-03  tick
    expect reminder first INV-1 by email
    expect reminder first INV-2 by email
"""


def test_what_has_no_word_yet_is_found_by_its_account(sqlite_engine: Engine, tmp_path: Path) -> None:
    """Each of two reminders of one moment (R23), until its own word has come; then the one that is left."""
    desk = Desk(sqlite_engine, tmp_path, APART).at_work("bea", role="approver")

    def shown() -> set[str]:
        return set(re.findall(r"<td>(INV-\d)", desk.browser.get("/reminders?outcome=pending").text))

    assert {"INV-1", "INV-2"} == shown()
    desk.report("email", "accepted")
    (left,) = shown()
    desk.report("email", "accepted", reminder=next(iter(desk.reminders_of(left))))
    assert set() == shown()


def test_a_chart_shows_what_was_sent_per_day_and_what_comes_next(desk: Desk) -> None:
    """S4-20: by channel; with the reminders that are foreseen; and the same figures as a table."""
    job_of(desk, "acme:C1")
    text = desk.browser.get("/reminders").text
    option = option_of(text, "sent")
    by_kind = {each["name"]: sum(each["data"]) for each in option["series"] if each["name"]}
    assert 1 == by_kind["mail"]
    assert 44 == len(option["xAxis"]["data"])
    assert '<th scope="row">' in text


def test_errors_are_stacked_by_kind_with_the_days_total_on_top(desk: Desk) -> None:
    """S4-21."""
    from infra.database.tables import outcomes

    base = {
        "account": "acme:C1",
        "occurred_at": "2026-02-03T15:00:00+00:00",
        "provider_id": "",
        "detail": "",
        "partition": 0,
    }
    with writing(desk.engine) as connection:
        for number, error in enumerate(("address_bounced", "address_bounced", "cap_reached")):
            row = {
                "reminder": f"r{number}",
                "channel": "email",
                "status": "failed",
                "error_type": error,
                "record_offset": number,
            }
            connection.execute(outcomes.insert().values(**base, **row))
    option = option_of(desk.browser.get("/reminders").text, "errors")
    assert [2, 1] == [sum(each["data"]) for each in option["series"][:-1]]
    assert [3] == [each for each in option["series"][-1]["data"] if each]


def test_charts_of_other_companies_are_not_drawn(desk: Desk) -> None:
    """Who sees one company learns nothing of another's figures."""
    job_of(desk, "acme:C1")
    desk.at_work("eve", companies=("beta",))
    for page in ("/reminders", "/reminders?company=acme"):
        text = desk.browser.get(page).text
        assert "INV-" not in text
        assert "sent-data" not in text


def test_what_no_provider_has_taken_yet_is_called_back(sqlite_engine: Engine, tmp_path: Path) -> None:
    """R19: undo, as long as it is possible; the ledger judges it."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("bea", role="approver")
    reminder = job_of(desk, "acme:C1", state="scheduled", occurred_at="")
    text = desk.browser.get("/reminders").text
    hidden = dict(re.findall(r'name="(csrf)" value="([^"]*)"', text)) | {"nonce": "n"}
    answer = desk.browser.post(f"/reminders/{quote(reminder, safe='')}/call-back", data=hidden)
    assert 303 == answer.status_code
    (asked,) = desk.asked
    assert isinstance(asked, CancelReminder)
    assert reminder == asked.reminder


def test_a_doubt_is_shown_with_its_evidence_and_ended_by_one_word(desk: Desk) -> None:
    """R19: nobody knows whether it went out; a person says how he knows; the second is told."""
    reminder = job_of(
        desk, "acme:C2", state="unknown", provider="relay", recipient="ben@c2.test", detail="cut off"
    )
    text = desk.browser.get("/doubts").text
    assert "ben@c2.test" in text
    assert "cut off" in text
    assert 422 == desk.submit("/doubts", "/end", said="accepted", because=" ").status_code
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html.unescape(text)))
    answer = desk.browser.post(
        "/doubts/end", data=form | {"said": "accepted", "because": "he showed me the mail"}
    )
    assert 303 == answer.status_code
    assert "Nothing is in doubt" in desk.browser.get("/doubts").text
    with reading(desk.engine) as connection:
        assert ["he showed me the mail"] == [
            each.detail for each in notes_of(connection, reminder=reminder, channel="email")
        ]
    second = desk.browser.post(
        "/doubts/end", data=form | {"said": "failed", "because": "no", "nonce": "other"}
    )
    assert 422 == second.status_code
    assert "first word counts" in second.text


def test_a_task_is_ended_by_who_did_it(sqlite_engine: Engine, tmp_path: Path) -> None:
    """R28: the plan that waited goes on; the page shows that it is gone."""
    desk = Desk(sqlite_engine, tmp_path, TASKS + TICK)
    desk.at_work("ana", role="collector")
    text = desk.browser.get("/tasks").text
    assert "Call them" in text
    assert "the plan waits for it" in text
    answer = desk.browser.post(
        "/tasks/end",
        data={
            **_csrf(desk),
            "account": "acme:C1",
            "task": "step/default/1/0",
            "outcome": "done",
            "text": "pays on Friday",
        },
    )
    assert 303 == answer.status_code
    (ended,) = desk.asked
    assert isinstance(ended, CompleteTask)
    assert ("done", "pays on Friday", "ana") == (ended.outcome, ended.text, ended.author)
    assert "Call them" not in desk.browser.get(answer.headers["location"]).text


def _csrf(desk: Desk) -> dict[str, str]:
    text = desk.browser.get("/").text
    return {**dict(re.findall(r'name="(csrf)" value="([^"]*)"', text)), "nonce": "n"}


def test_the_provider_is_asked_and_its_answer_is_told(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R19: what it has went out; what it cannot say stays in doubt; an asking is in the audit, and one too late is told."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    answers = iter(["cannot say", "accepted"])
    asked: list[str] = []

    class Provider:
        def ask_about(self, job: Any) -> str:
            asked.append(job.reminder)
            return next(answers)

    monkeypatch.setattr(doubts, "open_arbiter", lambda *_, **__: Provider())
    reminder = job_of(desk, "acme:C2", state="unknown", provider="relay", recipient="ben@c2.test")
    first = desk.submit("/doubts", "/ask")
    assert "it stays in doubt" in desk.browser.get(first.headers["location"]).text
    second = desk.submit("/doubts", "/ask")
    assert "it went out, and the doubt has ended" in desk.browser.get(second.headers["location"]).text
    assert [reminder] * 2 == asked
    assert {("ana", "acme:C2", f"{reminder} email")} == {
        (each.user, each.account, each.detail) for each in desk.people.entries(act="delivery.ask", limit=9)
    }
    form = desk.browser.get("/doubts").text
    with writing(desk.engine) as connection:
        connection.execute(send_jobs.update().values(state="accepted"))
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html.unescape(form)))
    late = desk.browser.post("/doubts/ask", data=hidden)
    assert "The doubt has ended meanwhile." in desk.browser.get(late.headers["location"]).text


def test_a_provider_of_files_says_what_it_has(sqlite_engine: Engine, tmp_path: Path) -> None:
    """The same question as `cobranza deliveries ask`, put to the channel that is set up: here a folder, where it is not."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    decided = next(fact for fact in desk.stage.log if isinstance(fact, ReminderDecided))
    job_of(desk, decided.account, state="unknown", reminder_json=encode(decided).decode())
    answer = desk.submit("/doubts", "/ask")
    assert "it is sent again, if it is still fresh" in desk.browser.get(answer.headers["location"]).text
    assert "Nothing is in doubt" in desk.browser.get("/doubts").text
