"""Every form of the console with a wrong value comes back with all the others, and says what is wrong at the field
(issue 7: nothing that was typed is lost). The pages are those that links lead to, and the table is made of their forms: a
new page is walked and a new form is in it; a route whose form is not tried has a reason here.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from infra.database.batches import Batch, BatchBook
from infra.database.people import ROLES
from tests.console.inside.desk import Desk
from tests.console.inside.forms import Field, Form, forms_of
from tests.console.inside.posted import keep_jobs
from tests.console.inside.test_letters import damaged
from tests.console.inside.test_reminders import job_of
from tests.console.inside.test_suppressions import put
from tests.console.inside.walking import pages_of, route_of, walk
from tests.console.inside.who_may import WHO_MAY

STORY = """# two customers with something of everything
company country CL banks MAIN
@C1 customer email ana@c1.test name "Panadería <Uno>"
@C2 customer email ben@c2.test name "Almacén Dos"
plan default
    first      0 email
    call      +5 task "Call them" blocking
    second   +90 email
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C1 invoice INV-2 50.00 due 2026-04-02
2026-01-02  @C2 invoice INV-9 300.00 due 2026-02-02
2026-01-10  @C1 payment P-1 30.00
2026-01-12  @C1 conditional P-2 20.00 cheque received payable 2026-04-01 for INV-2
    expect @C1 conditional P-2 received INV-2
2026-01-12  @C1 dispute INV-2 10.00 because "a wet box"
    expect @C1 disputed INV-2
2026-02-02  @C2 mode manual
2026-02-02  reconciled MAIN through 2026-02-03
2026-02-03  tick
    expect @C1 reminder first INV-1 by email
    expect @C2 proposal first INV-9 by email because customer
2026-02-10  tick
    expect @C1 withheld INV-1 call because bank_gate with MAIN 2026-02-03
2026-02-10  bank-line L-1 77.70 tax-id 76123k
"""
OF = "/customers/acme:C1"
# What no link leads to: a form asks for it, or there would have to be more of it than a story has.
ALSO = (
    OF,
    "/?days=1",
    f"{OF}/credit?credit=payment/P-1",
    f"{OF}/credit?credit=payment/P-2",
    f"{OF}/older?part=log",
    "/settings/acme/banks?line=L-1&customer=C1",
    "/settings/acme/enrolment?per_day=50",
    "/users?user=eve",
)
# Which routes of forms are not tried, and why.
_A_BUTTON: Final = "there is nothing to type, only a button or boxes to tick"
_OWN_TEST: Final = "what is wrong is told in a way of its own, by a test of its own"
_RARE: Final = "its field is there only where the story has more of it (an address that is allowed, a reminder a few days ago, what was taken out)"
_OF_CUSTOMER: Final = "/customers/{account:path}"
_OF_COMPANY: Final = "/settings/{company}"
NOT_TRIED: Final = {
    "/batches/{batch}/go-on": _A_BUTTON,
    f"{_OF_CUSTOMER}/holds/release": _A_BUTTON,
    f"{_OF_CUSTOMER}/inclusions": _RARE,
    f"{_OF_CUSTOMER}/opt-ins": _A_BUTTON,
    f"{_OF_CUSTOMER}/payment-inclusions": _RARE,
    f"{_OF_CUSTOMER}/payment-plans/cancel": _A_BUTTON,
    f"{_OF_CUSTOMER}/promises/withdraw": _A_BUTTON,
    f"{_OF_CUSTOMER}/quarantine/release": _A_BUTTON,
    "/doubts/ask": _A_BUTTON,
    "/filters/delete": _A_BUTTON,
    "/language": _A_BUTTON,
    "/letters/again": _A_BUTTON,
    "/logout": _A_BUTTON,
    "/me": _OWN_TEST,
    "/messages/{account}": _OWN_TEST,
    "/process/approve": _RARE,
    "/reminders/{reminder}/call-back": _A_BUTTON,
    "/reports/mail/again": _A_BUTTON,
    "/reports/mail/end": _A_BUTTON,
    "/reports/{report}/kept/forget": _A_BUTTON,
    "/reports/{report}/mail": _RARE,
    "/reports/{report}/schedules": _RARE,
    "/review/{reminder}/approve": _RARE,
    "/review/{reminder}/undo": _A_BUTTON,
    f"{_OF_COMPANY}/enrolment": _A_BUTTON,
    f"{_OF_COMPANY}/enrolment/portions": _A_BUTTON,
    f"{_OF_COMPANY}/logo": _OWN_TEST,
    f"{_OF_COMPANY}/plans/{{plan}}/check": _OWN_TEST,
    f"{_OF_COMPANY}/plans/{{plan}}/migration": _A_BUTTON,
    f"{_OF_COMPANY}/plans/{{plan}}/publish": _OWN_TEST,
    f"{_OF_COMPANY}/profile": _OWN_TEST,
    f"{_OF_COMPANY}/texts/{{kind}}/{{name}}": _OWN_TEST,
    f"{_OF_COMPANY}/texts/{{kind}}/{{name}}/give-back": _A_BUTTON,
    f"{_OF_COMPANY}/what-if/stop": _A_BUTTON,
    "/tasks/end": _RARE,
    "/users/password": _A_BUTTON,
}
LONG = "too long " * 4_000
# What is typed into each kind of field: a wrong value, and one that is right.
WRONG = {"date": "not a day", "number": "x", "select": "nonsense"}
RIGHT = {"date": "2026-02-10", "number": "3", "email": "x@company.test"}
# Any text is right here: a plan's and a message's text are told by their lines, what a profile holds by its own table; a file is
# chosen anew, which no page can do.
FREE = {
    "/settings/acme/plans",
    "/settings/acme/profile",
    "/settings/acme/texts",
    "/settings/acme/logo",
    "/me",
}
# What one may not know of is not there (404), whoever offers it.
HIS_OWN = {("/reports/mail/recipients", "company"), ("/suppressions", "company")}
_TICKED = ("checkbox", "radio")


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    keep_jobs(desk)
    job_of(desk, "acme:C1", channel="sms", state="unknown", error_type="interrupted")
    put(desk, "ben@c2.test")
    kept = Batch(batch="of-ada", user="ada", made_at=desk.now, asked_json='{"verb":"log"}')
    BatchBook(desk.engine).keep(kept, [])
    damaged(desk, desk.stage.latest["acme:C1"], account="acme:C1")
    desk.employ("eve", role="viewer")
    return desk.at_work("ada", role="administrator")


def test_each_wrong_value_of_each_form_keeps_what_else_was_typed(desk: Desk) -> None:
    """The table: form × field; what comes back is a page (422) that has the form, the values and the fault. Every page of an
    administrator's is walked, and every route that takes a form is in the table or has a reason.
    """
    tried: set[tuple[str, str]] = set()
    found: list[str] = []
    walked = list(walk(desk.browser.get, also=ALSO, with_files=False))
    for page in walked:
        for form in forms_of(page.text):
            for wrong in form.shown():
                row = (form.action, wrong.name)
                if row in tried or not _can_be_wrong(form, wrong):
                    continue
                tried.add(row)
                found += _faults(desk, page.path, form, wrong)
    assert not found, "\n".join(found)
    assert pages_of("administrator") == {page.route for page in walked}
    taken = {
        said.removeprefix("POST ") for role in ROLES for said in WHO_MAY[role] if said.startswith("POST ")
    }
    assert sorted(taken - set(NOT_TRIED)) == sorted({route_of(action, method="POST") for action, _ in tried})
    assert [] == desk.asked


def _can_be_wrong(form: Form, field: Field) -> bool:
    if any(form.action.startswith(each) for each in FREE):
        return False
    return field.kind not in (*_TICKED, "password") and (form.action, field.name) not in HIS_OWN


def _faults(desk: Desk, page: str, form: Form, wrong: Field) -> Iterator[str]:
    row = f"{page}: {form.action} × {wrong.name}"
    typed = form.sent()
    typed |= {each.name: [_right(each)] for each in form.shown() if each.kind not in _TICKED}
    typed[wrong.name] = [_wrong(wrong)]
    before = len(desk.people.entries(limit=1_000))
    answer = desk.browser.post(form.action, data=typed, headers={"referer": f"http://console.test{page}"})
    if answer.status_code != 422:
        yield f"{row}: answered {answer.status_code}"
        return
    back = next((each for each in forms_of(answer.text) if _is_same(each, form)), None)
    if back is None:
        yield f"{row}: has not the form"
        return
    for each in back.shown():
        if each.kind not in _TICKED and each.name != wrong.name and each.values != typed[each.name]:
            yield f"{row}: {each.name} is {each.values}, not {typed[each.name]}"
    if wrong.kind != "select" and back.of(wrong.name).values != typed[wrong.name]:
        yield f"{row}: the wrong value is gone"
    if back.of(wrong.name).says.get("aria-invalid") != "true":
        yield f"{row}: the fault is not at its field"
    focused = [each.says.get("aria-invalid") for each in back.shown() if "autofocus" in each.says]
    if focused != ["true"] or 1 != answer.text.count(" autofocus"):
        yield f"{row}: one does not go on at what is wrong"
    if before != len(desk.people.entries(limit=1_000)):
        yield f"{row}: the audit says that it was done"


def _is_same(one: Form, other: Form) -> bool:
    names = [[each.name for each in form.shown()] for form in (one, other)]
    return one.action == other.action and names[0] == names[1]


def _right(field: Field) -> str:
    if field.kind == "select":
        return field.offered[-1]
    if field.name in ("amount", "total"):
        return "12.50"
    if field.name in ("pattern", "address"):
        return "x@company.test"
    if field.name.startswith("amount") or field.name == "template":
        return ""
    return RIGHT.get(field.kind) or f"typed {field.name}"[: int(field.says.get("maxlength", 99))]


def _wrong(field: Field) -> str:
    return "1,2,3" if field.name in ("amount", "total") else WRONG.get(field.kind, LONG)


def test_what_intake_would_refuse_is_told_at_the_field_in_the_users_language(desk: Desk) -> None:
    """A day of another age is a slip of the pen: the command is not even asked for."""
    desk.at_work("ana", language="pt")
    answer = desk.submit(OF, "/promises", due_on="0205-03-01", amount="12.50", by="Ana <x>", how="")
    assert 422 == answer.status_code
    (form,) = (each for each in forms_of(answer.text) if each.action.endswith("/promises"))
    assert (["0205-03-01"], ["12.50"], ["Ana <x>"]) == tuple(
        form.of(name).values for name in ("due_on", "amount", "by")
    )
    assert "Este dia não está entre os anos 1970 e 2199." in answer.text
    assert [] == desk.asked


def test_a_form_that_came_back_can_be_mended_and_sent(desk: Desk) -> None:
    """Its address is not the page's any more; it knows on which page it stands, however often it comes back."""
    first = desk.submit(OF, "/promises", due_on="soon")
    (form,) = (each for each in forms_of(first.text) if each.action.endswith("/promises"))
    still = desk.browser.post(form.action, data=form.sent() | {"due_on": "later", "by": "Ben"})
    assert 422 == still.status_code
    (form,) = (each for each in forms_of(still.text) if each.action.endswith("/promises"))
    assert ["Ben"] == form.of("by").values
    done = desk.browser.post(form.action, data=form.sent() | {"due_on": "2026-03-09"})
    assert 303 == done.status_code
    assert ["Ben"] == [each.by for each in desk.asked]  # type: ignore[union-attr]  # a promise


def test_when_the_ledger_is_away_the_form_waits_for_it(desk: Desk) -> None:
    """503 says that nothing was asked for; what was typed is there to be sent again."""
    desk.reaches_kafka = False
    answer = desk.submit(OF, "/notes", text="He will pay on Friday", kind="conversation")
    assert 503 == answer.status_code
    (form,) = (each for each in forms_of(answer.text) if each.action.endswith("/notes"))
    assert (["He will pay on Friday"], ["conversation"]) == (form.of("text").values, form.of("kind").values)


def test_a_browser_that_does_not_say_where_the_form_stood_gets_what_was_typed(desk: Desk) -> None:
    """Then the page cannot be made again: what was typed is shown beside what is wrong, but no password and no word of ours."""
    (form,) = (each for each in forms_of(desk.browser.get(OF).text) if each.action.endswith("/notes"))
    answer = desk.browser.post(form.action, data=form.sent() | {"text": "He <will> pay", "kind": "owl"})
    assert 422 == answer.status_code
    assert "He &lt;will&gt; pay" in answer.text
    assert "Choose one of what is offered." in answer.text
    assert form.of("csrf").values[0] not in answer.text.partition("<main")[2]


def test_a_form_of_another_page_is_refused_before_anything_is_put_into_it(desk: Desk) -> None:
    """Nobody has us fill in a form of ours for a user who has not typed it (CSRF)."""
    answer = desk.browser.post(
        f"{OF}/promises",
        data={"csrf": "guessed", "nonce": "n", "due_on": "soon", "by": "Mallory"},
        headers={"referer": f"http://console.test{OF}"},
    )
    assert 403 == answer.status_code
    assert "Mallory" not in answer.text


def test_the_day_is_the_companys_and_stays(desk: Desk) -> None:
    """A page that waited for another request does not wait for it again."""
    done = desk.submit(OF, "/next-date", on=datetime.date(2026, 3, 9).isoformat())
    answer = desk.submit(done.headers["location"], "/next-date", on="2026-99-99")
    assert 422 == answer.status_code
    assert "Done." not in answer.text
