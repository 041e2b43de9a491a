"""Many customers at once: chosen from the worklist, asked for one thing, and followed to the end (S0-18, S0-20, S2-23)."""

import datetime
import html
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import Response
from sqlalchemy import Engine

from console.batching import Selection, chosen, planned
from console.web.inside.pages import processing
from infra.database.engine import reading
from infra.database.own_text_book import OwnTextBook
from infra.database.queries import statements as statements_of
from infra.database.queries.statements import statements, walk_statements
from infra.database.queries.worklist_page import worklist_accounts
from infra.database.queries.worklist_rank import WorkFilter
from infra.database.saved_filters import FilterBook, SavedFilter
from notifiers.writing.library import PARTS
from schemas.commands import AddNote, SetNextDate, SetTrust
from schemas.reminder_commands import ApproveReminder, DropReminder, EditReminder, SendNow
from tests.console.inside.desk import Desk
from tests.infra.database.rows_read import counting_rows

PLAN = """plan default
    first      0 email
    second   +20 email
"""
STORY = f"""# three in manual mode: two were never written to, Carla was reminded on Monday
@C1 customer email ana@c1.test name "Almacén Ana"
@C2 customer email ben@c2.test name "Bar Ben"
@C3 customer email carla@c3.test name "Carla Ltda"
{PLAN}
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-05
2026-01-02  @C2 invoice INV-2 300.00 due 2026-02-05
2026-01-02  @C3 invoice INV-3 200.00 due 2026-02-02
2026-02-03  tick
    expect @C3 reminder first INV-3 by email
2026-02-03  @C1 mode manual
2026-02-03  @C2 mode manual
2026-02-05  tick
    expect @C1 proposal first INV-1 by email because customer
    expect @C2 proposal first INV-2 by email because customer
"""
BOTH = "accounts=acme:C1&accounts=acme:C2"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with two proposals, and an approver at it."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    desk.now = desk.now.replace(month=2, day=5)
    return desk.at_work("bea", role="approver")


def filled(desk: Desk, page: str, **fields: str | list[str]) -> tuple[str, dict[str, list[str]]]:
    """Read the form of a process page as a browser does: hidden fields and ticked boxes, and what is typed."""
    text = desk.browser.get(page).text
    form = re.search(r'<form method="post" action="(/process/[^"]+)">(.*?)</form>', text, re.DOTALL)
    assert form, text
    values: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]+>", form[2]):
        said = {name: html.unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if said.get("type") == "hidden" or (said.get("type") == "checkbox" and " checked" in tag):
            values.setdefault(said["name"], []).append(said["value"])
    return form[1], values | {
        name: [value] if isinstance(value, str) else value for name, value in fields.items()
    }


def process(desk: Desk, page: str, **fields: str | list[str]) -> Response:
    """Open a process page, fill in its form and send it."""
    target, values = filled(desk, page, **fields)
    came_from = {"referer": f"http://console.test{page}"}
    answer: Response = desk.browser.post(target, data=values, headers=came_from)
    return answer


def test_the_chosen_are_dropped_together_and_each_ones_fate_is_shown(desk: Desk) -> None:
    """S2-23, S0-18: select many, one action; the batch says of each what became of it."""
    answer = process(desk, f"/process?verb=drop&{BOTH}", because="settled by phone")
    assert 303 == answer.status_code
    assert {"acme:C1", "acme:C2"} == {
        f"{each.company}:{each.customer}" for each in desk.asked if isinstance(each, DropReminder)
    }
    text = desk.browser.get(answer.headers["location"]).text
    assert "2 of 2 done" in text
    assert "Almacén Ana" in text
    assert ["collections.reminder.drop.v1"] * 2 == [each.act for each in desk.people.entries(limit=9)]


def test_a_double_click_and_the_back_button_ask_once(desk: Desk) -> None:
    """The same form again is the same batch, whatever has become of the proposals since."""
    target, values = filled(desk, f"/process?verb=approve&{BOTH}")
    answers = [desk.browser.post(target, data=values) for _ in range(3)]
    assert 1 == len({each.headers["location"] for each in answers})
    assert 2 == len(desk.asked)
    assert {1} == {each.revision for each in desk.asked if isinstance(each, ApproveReminder)}


def test_who_was_unticked_is_left_alone(desk: Desk) -> None:
    """S0-20: one by one, or several; the page's list is a suggestion."""
    process(desk, f"/process?verb=next-date&{BOTH}", accounts="acme:C2", next_on="2026-02-20")
    (dated,) = desk.asked
    assert isinstance(dated, SetNextDate)
    assert ("C2", "2026-02-20", "bea") == (dated.customer, dated.next_on.isoformat(), dated.author)


def test_all_that_a_filter_shows_are_meant_without_naming_them(desk: Desk) -> None:
    """'All that this filter shows': also those that do not fit on the page."""
    process(desk, "/process?verb=log&whole=true&why=proposal", kind="call_attempt", text="nobody answered")
    assert ["C1", "C2"] == sorted(each.customer for each in desk.asked if isinstance(each, AddNote))


def test_who_was_reminded_a_few_days_ago_needs_a_confirmation_and_a_reason(desk: Desk) -> None:
    """R5, S0-16: the alert says when; without both nothing is asked, and nothing that was typed is lost."""
    page = "/process?verb=send-now&accounts=acme:C3"
    assert "reminded 2 days ago" in desk.browser.get(page).text
    refused = process(desk, page, because="he asked for it")
    assert 422 == refused.status_code
    assert "Confirm that those reminded" in refused.text
    assert 'value="he asked for it"' in refused.text
    assert 422 == process(desk, page, confirmed="true").status_code
    assert [] == desk.asked
    process(desk, page, because="he asked for it", confirmed="true")
    (sent,) = desk.asked
    assert isinstance(sent, SendNow)
    assert "he asked for it" == sent.because


def test_text_channel_and_attachments_of_one_are_changed_and_it_goes_so(desk: Desk) -> None:
    """S0-05, S2-16, S2-17: from the customer's page; then it is what goes out."""
    process(
        desk,
        "/process?verb=edit&accounts=acme:C1",
        text="Dear Ana, as we said.",
        template="second",
        attach="yes",
        approve="true",
    )
    edited, approved = desk.asked
    assert isinstance(edited, EditReminder)
    assert isinstance(approved, ApproveReminder)
    assert ("Dear Ana, as we said.", "second", True) == (edited.text, edited.template, edited.attach_invoices)


@pytest.mark.parametrize(
    ("page", "fields", "said"),
    [
        ("next-date", {"next_on": "31/02/2026"}, "This is no date."),
        ("next-date", {"next_on": ""}, "Say which day."),
        ("log", {"text": "  "}, "Write what happened."),
        ("edit", {"template": "../../etc"}, "no such template"),
        ("edit", {}, "Say what is to be changed."),
        ("drop", {"accounts": []}, "Choose at least one customer."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    desk: Desk, page: str, fields: dict[str, str | list[str]], said: str
) -> None:
    """422, the form as it was, and nothing asked."""
    answer = process(desk, f"/process?verb={page}&{BOTH}", **fields)
    assert 422 == answer.status_code
    assert said in html.unescape(answer.text)
    assert [] == desk.asked


def test_what_has_changed_since_it_was_seen_is_not_asked_for(desk: Desk) -> None:
    """Two people at one proposal: the second is told; the batch says so in his words."""
    target, values = filled(desk, f"/process?verb=approve&{BOTH}")
    process(desk, "/process?verb=drop&accounts=acme:C1")
    answer = desk.browser.post(target, data=values)
    assert 2 == len(desk.asked)  # Ana's was dropped, Ben's approved
    assert "since you looked at it" in desk.browser.get(answer.headers["location"]).text


def test_what_the_ledger_refuses_is_said_with_why(desk: Desk) -> None:
    """A refusal is a fate like another: nobody waits for it for ever."""
    desk.is_behind = True
    process(desk, "/process?verb=drop&accounts=acme:C1")
    answer = process(desk, "/process?verb=approve&accounts=acme:C1")
    assert "1 of 1 done" not in desk.browser.get(answer.headers["location"]).text
    desk.is_behind = False
    desk.catch_up()
    text = desk.browser.get(answer.headers["location"]).text
    assert "1 of 1 done" in text
    assert "Nothing waits for a person there." in text


def test_a_batch_that_kafka_does_not_take_goes_on_later(desk: Desk) -> None:
    """Nothing is lost: the batch is kept before it is published, and going on asks nothing twice."""
    desk.reaches_kafka = False
    answer = process(desk, f"/process?verb=drop&{BOTH}")
    place = answer.headers["location"]
    assert "cannot be reached" in desk.browser.get(place).text
    desk.reaches_kafka = True
    assert 303 == desk.submit(place, "/go-on").status_code
    assert 2 == len(desk.asked)
    assert "2 of 2 done" in desk.browser.get(place).text


def test_the_progress_is_asked_for_again_until_it_is_over(desk: Desk) -> None:
    """With scripts the bar moves by itself, and at the end the list below it; without them there is a link."""
    desk.is_behind = True
    place = process(desk, f"/process?verb=drop&{BOTH}").headers["location"]
    assert "every 1s" in desk.browser.get(f"{place}/progress").text
    assert f'href="{place}?fate="' in desk.browser.get(place).text
    desk.is_behind = False
    desk.catch_up()
    desk.now = desk.now.replace(minute=5)
    over = desk.browser.get(f"{place}/progress").text
    assert "every 1s" not in over
    assert 'hx-select="#lines"' in over
    assert "hx-trigger" not in desk.browser.get(place).text


def test_a_batch_is_its_authors_alone(desk: Desk) -> None:
    """Names and reasons are nobody else's to read."""
    place = process(desk, f"/process?verb=drop&{BOTH}").headers["location"]
    desk.at_work("eve", role="administrator")
    assert 404 == desk.browser.get(place).status_code
    assert place not in desk.browser.get("/batches").text


def test_a_collector_logs_and_dates_and_lets_nothing_go_out(desk: Desk) -> None:
    """Roles: what reaches customers is an approver's."""
    desk.at_work("ana", role="collector")
    text = desk.browser.get(f"/process?{BOTH}").text
    assert "verb=next-date" in text
    assert "verb=approve" not in text
    assert 303 == process(desk, f"/process?verb=log&{BOTH}", kind="note", text="x").status_code


def test_customers_of_other_companies_are_not_meant(desk: Desk) -> None:
    """Who sees one company cannot process another's, named or by filter."""
    desk.at_work("eve", role="approver", companies=("beta",))
    for page in (f"/process?{BOTH}", "/process?whole=true"):
        assert "Almacén Ana" not in desk.browser.get(page).text


def test_a_filter_is_kept_used_and_deleted(desk: Desk) -> None:
    """Saved filters: each person's own."""
    query = "why=proposal&days=30"
    assert 303 == desk.submit(f"/?{query}", "/filters", name="Propuestas viejas").status_code
    assert f'href="/?{query}"' in html.unescape(desk.browser.get("/").text)
    desk.at_work("eve", role="viewer")
    assert "Propuestas viejas" not in desk.browser.get("/").text
    desk.at_work("bea", role="approver")
    desk.submit(f"/?{query}", "/filters/delete")
    assert "Propuestas viejas" not in desk.browser.get("/").text


def test_a_filter_whose_name_is_blanks_can_be_deleted(desk: Desk) -> None:
    """Names were not always looked at: what is kept under such a one, is deleted by its button."""
    book = FilterBook(desk.engine)
    book.keep("bea", page="today", saved=SavedFilter(name="  ", query="days=30"))
    assert 303 == desk.submit("/?days=30", "/filters/delete").status_code
    assert [] == book.of("bea", page="today")


def test_the_worklist_is_filtered_by_days_level_and_calls(desk: Desk) -> None:
    """S1-07, S1-08, S1-13: so many days late or more, at this level, not called."""

    def shown(query: str) -> list[str]:
        return re.findall(r'href="/customers/acme%3A([^"]+)"', desk.browser.get(f"/?{query}").text)

    assert {"C1", "C2"} == set(shown("why=proposal"))
    assert [] == shown("level=second")
    assert [] == shown("days=4")
    process(desk, "/process?verb=log&accounts=acme:C1", kind="call_attempt", text="no answer")
    assert "C1" not in shown("not_called=true")


def test_so_many_days_means_the_same_here_and_on_the_command_line(desk: Desk) -> None:
    """S1-22: "at least": who is 3 days late is among those of 3 days, in the filter and in `cobranza batch --days-min 3`."""
    desk.pass_time(datetime.datetime(2026, 2, 8, 12, tzinfo=datetime.UTC))
    with reading(desk.engine) as connection:
        everybody = statements(connection)
        for days in (0, 1, 3, 4):
            listed = worklist_accounts(connection, asked=WorkFilter(days=days))
            meant = {each.account for each in chosen(everybody, selection=Selection(days_min=days))}
            assert [days <= 3] * 2 == ["acme:C1" in listed, "acme:C1" in meant], days


def test_a_template_that_one_of_them_cannot_be_written_with_is_refused(desk: Desk) -> None:
    """S2-17: the form comes back with it; what is offered is what all who are shown have, the company's own among them."""
    files: dict[str, bytes | None] = {f"friendly/en/{part}.txt": b"About your account" for part in PARTS}
    assert OwnTextBook(desk.engine).save("acme", files, seen=None)
    page = f"/process?verb=edit&{BOTH}"
    assert '<option value="friendly">' in desk.browser.get(page).text
    refused = process(desk, page, template="no-such")
    assert 422 == refused.status_code
    assert 'value="no-such"' in refused.text
    assert [] == desk.asked
    assert 303 == process(desk, page, template="friendly").status_code
    assert ["friendly"] * 2 == [each.template for each in desk.asked if isinstance(each, EditReminder)]


MANY = 53
MANY_STORY = (
    "# more than a page shows, somebody talked to each of them today\n"
    + "\n".join(f"@C{n:02} customer email c{n}@c1.test" for n in range(MANY))
    + f"\n{PLAN}\n"
    + "\n".join(f"2026-01-02  @C{n:02} invoice INV-{n} 100.00 due 2026-02-02" for n in range(MANY))
    + "\n"
    + "\n".join(f"2026-02-01  @C{n:02} mode manual" for n in range(MANY))
    + "\n"
)
WHOLE = "/process?verb=send-now&whole=true&why=proposal&trust=normal"
SAID = {"because": "they asked for it", "confirmed": "true"}


def _of(number: int) -> dict[str, str]:
    return {"company": "acme", "customer": f"C{number:02}"}


@pytest.fixture
def many(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console whose worklist has three more than the page of processing shows."""
    desk = Desk(sqlite_engine, tmp_path, MANY_STORY).at_work("bea", role="approver")
    desk.pass_time(datetime.datetime(2026, 2, 3, 12, tzinfo=datetime.UTC))
    talked = {"kind": "conversation", "text": "is looking into it", "occurred_at": "2026-02-03"}
    notes = [_of(number) | talked | {"command": f"talked/{number}"} for number in range(MANY)]
    desk.parts.publish([msgspec.convert(each, AddNote) for each in notes])
    desk.asked.clear()
    return desk


def test_those_too_soon_are_counted_also_where_the_page_does_not_list_them(many: Desk) -> None:
    """R5, S0-16: 'and 3 of the other 3'; without a confirmation nobody gets anything, with one all do, once."""
    assert "and 3 of the other 3 of this filter" in many.browser.get(WHOLE).text
    assert 422 == process(many, WHOLE).status_code
    assert [] == many.asked
    target, values = filled(many, WHOLE, **SAID)
    first, second = (many.browser.post(target, data=values) for _ in range(2))
    assert [303, 303] == [first.status_code, second.status_code]
    assert first.headers["location"] == second.headers["location"]
    assert MANY == len({each.customer for each in many.asked if isinstance(each, SendNow)}) == len(many.asked)


def test_all_of_a_filter_are_those_that_were_looked_at(many: Desk) -> None:
    """S2-23: where the filter has others since the form was opened nothing is asked, and it says how many they are now."""
    target, values = filled(many, WHOLE, **SAID)
    trust = {"trust": "bad", "occurred_at": "2026-02-03", "command": "trust/1"}
    many.parts.publish([msgspec.convert(_of(MANY - 1) | trust, SetTrust)])
    many.asked.clear()
    refused = many.browser.post(target, data=values, headers={"referer": f"http://console.test{WHOLE}"})
    assert 422 == refused.status_code
    assert "The filter has 2 others now" in html.unescape(refused.text)
    assert 'value="they asked for it"' in refused.text
    assert [] == many.asked


def test_what_was_looked_at_is_what_is_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """R5: who is called while the form is carried out was not too soon when it was sent: one answer for all of the form."""
    called = {
        "kind": "conversation",
        "text": "is looking into it",
        "occurred_at": "2026-02-05",
        "command": "x",
    }

    def talked(*args: Any, **told: Any) -> Any:
        desk.parts.publish([msgspec.convert({"company": "acme", "customer": "C1"} | called, AddNote)])
        return planned(*args, **told)

    monkeypatch.setattr("console.web.inside.pages.processing.planned", talked)
    answer = process(desk, "/process?verb=send-now&accounts=acme:C1")
    assert ["C1"] == [each.customer for each in desk.asked if isinstance(each, SendNow)]
    assert "1 of 1 done" in desk.browser.get(answer.headers["location"]).text


def _stopped(desk: Desk) -> str:
    desk.reaches_kafka = False
    place: str = process(desk, f"/process?verb=drop&{BOTH}").headers["location"]
    desk.reaches_kafka = True
    return place


def test_who_is_no_approver_any_more_lets_the_rest_of_a_batch_not_go(desk: Desk) -> None:
    """Roles are those of today: the page has no button for it, and a form that was opened before is refused."""
    place = _stopped(desk)
    desk.at_work("bea", role="collector")
    text = desk.browser.get(place).text
    assert "cannot be reached" in text
    assert f'action="{place}/go-on"' not in text
    word = re.search(r'name="csrf" value="([^"]+)"', text)
    assert word is not None
    assert 403 == desk.browser.post(f"{place}/go-on", data={"csrf": word[1]}).status_code
    assert [] == desk.asked


def test_a_batch_goes_on_without_the_customers_of_a_company_that_was_taken_away(desk: Desk) -> None:
    """Companies are those of today: such lines name nobody, and say why nothing was asked."""
    place = _stopped(desk)
    desk.at_work("bea", role="approver", companies=("beta",))
    assert "Almacén Ana" not in desk.browser.get(place).text
    assert 303 == desk.submit(place, "/go-on").status_code
    assert [] == desk.asked
    text = desk.browser.get(place).text
    assert 2 == text.count("Of a company that you may not see: nothing was asked.")
    assert "Almacén Ana" not in text
    assert "acme" not in text


def test_all_of_a_filter_are_read_so_many_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """S0-19, issue 7: pages never load everything: who is processed first has been read before the others are."""
    monkeypatch.setattr(statements_of, "_AT_ONCE", 1)
    with reading(desk.engine) as connection, counting_rows() as read:
        walk = walk_statements(connection, named=["acme:C1", "acme:C2", "acme:C3"])
        assert "acme:C1" == next(walk).account
        first = read.count
        assert ["acme:C2", "acme:C3"] == [each.account for each in walk]
    assert first < read.count / 2


def test_all_of_a_filter_are_named_so_many_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who they are goes along as one number, whichever order they come in and however many are looked at together."""
    page = "/process?verb=next-date&whole=true"
    monkeypatch.setattr(processing, "_SHOWN_MAX", 1)
    seals = []
    for at_once in (1, 500):
        monkeypatch.setattr(processing, "_AT_ONCE", at_once)
        seals.append(filled(desk, page)[1]["others"])
    assert seals[0] == seals[1]
    answer = process(desk, page, next_on="2026-03-02")
    assert 303 == answer.status_code
    assert 2 == len([each for each in desk.asked if isinstance(each, SetNextDate)])
