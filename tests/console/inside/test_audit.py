"""The audit: each thing that is done leaves a line with who did it, when, and what was set (issue 7, safety)."""

import dataclasses
import datetime
import html
import re
from pathlib import Path

import pytest
from httpx import Response
from msgspec import inspect
from sqlalchemy import Engine, func, insert, select, update

from console.web.inside.auditing import OF_THE_LINE, kept_fields, kept_values
from console.web.inside.set_fields import set_fields
from console.web.inside.showing import LANGUAGES, words_of
from infra.database.batches import Batch, BatchBook
from infra.database.engine import reading, writing
from infra.database.people import AuditEntry
from infra.database.queries.proposals import waiting
from infra.database.report_post import Allowed, Mailing, ReportPost, Schedule
from infra.database.send_tables import send_jobs
from infra.database.tables import arrangements, open_tasks
from schemas.bank import BankLineMatched, BankLineUnmatched
from schemas.codec import type_of
from schemas.commands import (
    AccountCommand,
    AddNote,
    GiveAnswer,
    MigratePlan,
    OverrideBankGate,
)
from schemas.events import PaymentLine, PaymentReceived, PaymentStateChanged
from schemas.journal import SourceEvent
from tests.console.inside.desk import Desk
from tests.console.inside.every_form import ALONE, CHANGES_NOTHING, FILLED, STORY
from tests.console.inside.forms import forms_of
from tests.console.inside.posted import keep_jobs
from tests.console.inside.test_letters import damaged, spooled
from tests.console.inside.test_what_if import Process
from tests.console.inside.who_may import WHO_MAY
from tests.notifiers.pictures import png

WHO = "bea"
_TEXTS = "/settings/acme/texts/first/es"
_OF_CUSTOMER = "POST /customers/{account:path}"
# What has to be agreed before it can be ended.
_AGREED_BY = {
    f"{_OF_CUSTOMER}/disputes/rule": f"{_OF_CUSTOMER}/disputes",
    f"{_OF_CUSTOMER}/payment-plans/cancel": f"{_OF_CUSTOMER}/payment-plans",
    f"{_OF_CUSTOMER}/promises/withdraw": f"{_OF_CUSTOMER}/promises",
}
_DAY = datetime.date(2026, 2, 5)
_TASK = {
    "account": "acme:C1",
    "company": "acme",
    "customer": "C1",
    "task": "call",
    "task_type": "call",
    "summary": "",
    "responsible": "",
    "opened_on": _DAY,
    "due_on": _DAY,
    "blocking": False,
    "items_json": "[]",
}
_SCHEDULE = Schedule(
    schedule="s",
    user=WHO,
    report="aged",
    filters_json="{}",
    form="pdf",
    every="day",
    number=0,
    hour=7,
    recipients="boss@acme.test",
    made_at=datetime.datetime(2026, 2, 5, tzinfo=datetime.UTC),
)
_FAILED_MAIL = Mailing(
    mailing="m",
    recipient="boss@acme.test",
    user=WHO,
    report="aged",
    filters_json="{}",
    form="pdf",
    asked_at=_SCHEDULE.made_at,
    changed_at=_SCHEDULE.made_at,
    retry_at=_SCHEDULE.made_at,
    state="failed",
)


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it, who may do everything."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    desk.now = desk.now.replace(month=2, day=5)
    desk.parts = dataclasses.replace(desk.parts, launch=lambda folder, _: Process(folder))
    desk.browser = desk.another_browser()
    return desk.at_work(WHO, role="administrator")


def test_every_route_that_something_is_sent_to_is_filled_in_here() -> None:
    """A new route is entered in the table, or the reason why nothing changes by it."""
    sent = {each for routes in WHO_MAY.values() for each in routes if each.startswith("POST ")}
    assert sent == set(FILLED) | set(CHANGES_NOTHING)


def test_every_act_leaves_a_line_with_its_author(desk: Desk) -> None:
    """Who did it, and which act, in words of each language; a command under its own id, with what it set."""
    for route in FILLED:
        if route not in ALONE:
            _leaves_a_line(desk, route)


@pytest.mark.parametrize("route", sorted(ALONE))
def test_an_act_that_needs_what_others_end_leaves_a_line(desk: Desk, route: str) -> None:
    """A proposal that waits, a session, a password: as above, each on a console of its own."""
    _leaves_a_line(desk, route)


def _leaves_a_line(desk: Desk, route: str) -> None:
    _prepare(desk, route)
    before = {each.entry for each in _lines(desk)}
    desk.now += datetime.timedelta(seconds=1)
    desk.asked.clear()
    answer = _send(desk, route)
    assert answer.status_code in (200, 303, 404, 422), (route, answer.text)
    new = [each for each in _lines(desk) if each.entry not in before]
    assert new, (route, answer.text)
    assert {WHO} == {each.user for each in new}
    assert {desk.now} == {each.at for each in new}
    for language in LANGUAGES:
        words = words_of(language)
        assert {each.act for each in new} <= {*words["acts"], *words["requests"]}
    known = {each.act: each for each in new}
    for event in desk.asked:
        assert type_of(event) in known or isinstance(event, PaymentReceived)
        account = f"{event.company}:{getattr(event, 'customer', '')}".removesuffix(":")
        assert known[type_of(event)].account == account
        fields = set_fields(known[type_of(event)].said_json, words=words_of("en"), act=type_of(event))
        own = set(event.__struct_fields__) - OF_THE_LINE
        assert fields or not [name for name in own if getattr(event, name)], event


def _lines(desk: Desk) -> list[AuditEntry]:
    return desk.people.entries(limit=1_000)


def _prepare(desk: Desk, route: str) -> None:
    """Let there be what a form is about."""
    desk.employ("dora", role="viewer")
    if "/doubts/" in route:
        _in_doubt(desk)
    elif "/batches/" in route:
        BatchBook(desk.engine).keep(
            Batch(batch="b", user=WHO, made_at=desk.now, asked_json='{"verb":"log"}'), []
        )
    elif "/reports/{report}/" in route:
        ReportPost(desk.engine).allow(
            Allowed(company="", pattern="@acme.test", allowed_by=WHO, allowed_at=desk.now)
        )
    elif "/letters/" in route:
        file = damaged(desk, "r2")["r2"]
        if route.endswith("/again"):
            spooled(desk, "r2").write_bytes(file)
    elif route.endswith("/banks/match"):
        line = BankLineUnmatched(
            company="acme",
            occurred_at="2026-02-05",
            bank_account="MAIN",
            line="L-1",
            currency="USD",
            amount="9",
        )
        desk.parts.publish([line])
    elif route in _AGREED_BY:
        _send(desk, _AGREED_BY[route])
    elif route == "POST /tasks/end":
        with writing(desk.engine) as connection:
            connection.execute(insert(open_tasks).values(**_TASK))
    elif route == "POST /reports/mail/end":
        ReportPost(desk.engine).plan(_SCHEDULE)
    elif route == "POST /reports/mail/again":
        ReportPost(desk.engine).ask([_FAILED_MAIL])
    elif route == "POST /suppressions/remove":
        _send(desk, "POST /suppressions", address="no@c1.test")
    elif route.endswith("/give-back"):
        assert 303 == _send(desk, route.removesuffix("/give-back")).status_code


def _in_doubt(desk: Desk) -> None:
    """Let nobody know what became of what was sent."""
    with reading(desk.engine) as connection:
        known = connection.execute(select(func.count()).select_from(send_jobs)).scalar()
    if not known:
        keep_jobs(desk)
    with writing(desk.engine) as connection:
        connection.execute(update(send_jobs).values(state="unknown"))


def _send(desk: Desk, route: str, **fields: str) -> Response:
    """Send a route's form as the table fills it in, with the word of the session."""
    with reading(desk.engine) as connection:
        (proposed,) = (each.reminder for each in waiting(connection, account="acme:C1"))
    said = {
        "sent": desk.stage.latest["acme:C3"],
        "proposed": proposed,
        "run": _begun(desk) if route.endswith("/stop") else "",
        **_agreed(desk),
    }
    names = {"account": "acme:C1", "company": "acme", "report": "aged", "batch": "b", "plan": "default"}
    names |= {"kind": "first", "name": "es", "reminder": said["sent" if "call-back" in route else "proposed"]}
    path = re.sub(r"{(\w+)(?::path)?}", lambda found: names[found[1]], route.removeprefix("POST "))
    page = desk.browser.get(_TEXTS if "/texts/" in route else "/").text
    hidden = {"csrf": page.partition('name="csrf" value="')[2].partition('"')[0], "nonce": f"form of {route}"}
    form: dict[str, str | list[str]] = {**hidden}
    if "/texts/" in route:
        form |= next(each for each in forms_of(page) if each.action == path).sent()
    for name, value in FILLED[route].items():
        form[name] = re.sub(r"{(\w+)}", lambda found: said[found[1]], value)
    files = {"logo": ("our.png", png(), "image/png")} if route.endswith("/logo") else None
    answer: Response = desk.browser.post(path, data=form | fields, files=files)
    return answer


def _agreed(desk: Desk) -> dict[str, str]:
    """Give what was agreed with the first customer, by kind."""
    of = select(arrangements.c["arrangement"]).where(arrangements.c["account"] == "acme:C1")
    with reading(desk.engine) as connection:
        names = [each.partition("/") for each in connection.execute(of).scalars()]
    return {"dispute": "", "promise": "", "payment_plan": ""} | {kind: name for kind, _, name in names}


def _begun(desk: Desk) -> str:
    """Begin a what-if; give its id."""
    answer = _send(desk, "POST /settings/{company}/what-if")
    return answer.headers["location"].rpartition("run=")[2]


def _audit(desk: Desk) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", desk.browser.get("/audit").text))


def test_the_audit_says_what_a_command_set(desk: Desk) -> None:
    """Field by field, in the words of who reads it; the day as he writes it."""
    _send(desk, "POST /customers/{account:path}/holds")
    _send(desk, "POST /customers/{account:path}/promises")
    text = " ".join(_audit(desk).split())
    assert "hold placed acme:C1 Kind: blocked Reason: asked for time Until: Mar 1, 2026" in text
    assert "Will be paid on: Feb 20, 2026 Amount: 50 Currency: USD Said by: Ana" in text


def test_the_audit_says_what_a_profile_was_before(desk: Desk) -> None:
    """S4-06: of a change of settings what stood and what stands, of what changed only."""
    _send(desk, "POST /settings/{company}/profile", footer="Thank you", decision_hour="10")
    _send(desk, "POST /settings/{company}/profile", footer="Thanks", nonce="another")
    text = " ".join(_audit(desk).split())
    assert "Footer: Thank you → Thanks" in text
    assert "Hour of decisions: 8 → 10" in text
    assert 1 == text.count("Hour of decisions:")


def test_the_audit_says_what_a_user_was_before(desk: Desk) -> None:
    """Role and companies as they were and as they are; of a password nothing."""
    _prepare(desk, "POST /users/change")
    _send(desk, "POST /users/change")
    text = " ".join(_audit(desk).split())
    assert "dora Role: viewer → approver Language: en → es" in text


def test_a_batch_says_what_each_command_set(desk: Desk) -> None:
    """S2-23: beside which batch it was."""
    _send(desk, "POST /process/log")
    assert "Text: called all of them" in " ".join(_audit(desk).split())


def test_a_form_that_is_sent_again_with_something_else_has_a_line_of_its_own(desk: Desk) -> None:
    """The back button, another reason, sent again: what was asked for then is in the audit, too; a double click is one line."""
    route = "POST /customers/{account:path}/holds"
    for reason in ("asked for time", "asked for time", "at court"):
        _send(desk, route, reason=reason)
    text = _audit(desk)
    assert (1, 1) == (text.count("asked for time"), text.count("at court"))
    assert 1 == len({each.entry for each in desk.people.entries(act="collections.hold.place.v1", limit=9)})
    _prepare(desk, "POST /users/change")
    for role in ("approver", "approver", "collector"):
        _send(desk, "POST /users/change", role=role)
    text = " ".join(_audit(desk).split())
    assert 1 == text.count("Role: viewer → approver")
    assert 1 == text.count("Role: approver → collector")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_that_can_be_set_has_a_name_in_each_language(language: str) -> None:
    """What a command of the console may set is told in no other language than the page's."""
    kinds = {*AccountCommand.__args__, PaymentReceived, PaymentStateChanged, PaymentLine}
    kinds |= {BankLineMatched, MigratePlan, OverrideBankGate}
    kinds -= {GiveAnswer}  # readers of messages say it, not users
    names = {name for kind in kinds for name in kind.__struct_fields__} - OF_THE_LINE
    words = words_of(language)
    assert names - {*words["set_fields"], *words["profile_fields"]} == set()
    assert set(words["set_fields"]) == set(words_of("en")["set_fields"])
    assert set(words["set_values"]) == set(words_of("en")["set_values"])


def _note_of(text: str) -> AddNote:
    return AddNote(
        company="acme", customer="C1", occurred_at="2026-02-05", command="c", author=WHO, text=text
    )


def test_only_administrators_read_what_was_set(desk: Desk) -> None:
    """What leads to people stands there as it was written: nobody else comes near it."""
    _send(desk, "POST /customers/{account:path}/notes")
    assert "reached at ana@c1.test" in _audit(desk)
    for role in ("viewer", "collector", "approver"):
        desk.at_work(role, role=role)
        answer = desk.browser.get("/audit")
        assert (403, False) == (answer.status_code, "ana@c1.test" in answer.text), role


_HOSTILE = (
    "2025-13-01",
    "2025-13-42",
    "0000-00-00",
    "٢٠٢٥-٠١-١٧",
    "２０２５-01-17",
    "2025-01-17\n",
    "-",
    "{",
    "\0",
)


def test_whatever_a_field_was_set_to_the_audit_tells_it() -> None:
    """A name that looks like a day, and is none, ends no page: each field, alone, in lists and in what is within it."""
    words = words_of("en")
    for name in {*words["set_fields"], *words["profile_fields"], "unknown"}:
        for value in _HOSTILE:
            for kept in (value, [value], {name: value}, {value: value}):
                (field,) = set_fields(kept_values({name: kept}), words=words, act="x")
                assert value in field.value


def test_a_filter_that_looks_like_a_day_leaves_the_audit_open(desk: Desk) -> None:
    """A viewer may keep any query: who reads the audit reads it as it was kept."""
    _send(desk, "POST /filters", query="2025-13-01")
    assert "2025-13-01" in _audit(desk)


def test_a_company_reads_the_lines_of_its_own_customers_only(desk: Desk) -> None:
    """Ids are exact: ACME and acme-2 are other companies than acme, and so are those whose name has marks in it."""
    people = desk.parts.people
    for number, account in enumerate(
        ("acme", "acme:X", "ACME:X", "ACME", "acme-2:X", "ac_e:X", "acme;:X", "")
    ):
        people.note(AuditEntry(entry=f"l{number}", at=desk.now, user=WHO, act="own", account=account))
    for company, own in (("acme", {"acme", "acme:X"}), ("ACME", {"ACME", "ACME:X"}), ("ac_e", {"ac_e:X"})):
        found = people.entries(act="own", companies=[company], limit=100)
        assert own == {each.account for each in found}, company


def test_a_day_is_told_as_one_where_the_field_is_a_day_and_nowhere_else() -> None:
    """A document may be called 2025-01-17: it is shown by its name."""
    kept = kept_values({"review_on": "2025-01-17", "item": "2025-01-17", "items": ["2025-01-17"]})
    fields = set_fields(kept, words=words_of("en"), act="x")
    assert ["Jan 17, 2025", "2025-01-17", "2025-01-17"] == [each.value for each in fields]


def _day_names(kind: inspect.Type, name: str = "") -> set[str]:
    """Give the names of the fields within a type that are days."""
    if isinstance(kind, inspect.DateType):
        return {name}
    if isinstance(kind, inspect.StructType):
        return {found for each in kind.fields for found in _day_names(each.type, each.name)}
    if isinstance(kind, inspect.UnionType):
        return {found for each in kind.types for found in _day_names(each, name)}
    if isinstance(kind, inspect.VarTupleType):
        return _day_names(kind.item_type, name)
    return set()


def test_every_field_that_is_a_day_is_told_as_one() -> None:
    """In the order of the user's language, not as the wire has it."""
    names = _day_names(inspect.type_info(SourceEvent))
    assert {"until", "review_on", "payable_on", "past_from"} < names
    for name in sorted(names):
        (field,) = set_fields(kept_values({name: "2025-01-17"}), words=words_of("en"), act="x")
        assert "Jan 17, 2025" == field.value, name


def test_a_document_number_is_no_day() -> None:
    """Only what is written as a day is told as one."""
    kept = kept_fields([_note_of("20260305")])
    assert "20260305" == set_fields(kept, words=words_of("en"), act="x")[-1].value
