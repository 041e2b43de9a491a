"""What the ledger refuses is told where it was asked for: nobody reads "Done." of what does not stand."""

import datetime
import html
from pathlib import Path

import pytest
from sqlalchemy import Engine

from console.web.inside.refusals import refusal_text
from console.web.inside.showing import words_of
from infra.database.engine import reading
from infra.database.queries.requests import refusal_of
from schemas.commands import MakePaymentPlan, MakePromise, OpenDispute, RuleDispute
from tests.console.inside.desk import Desk

STORY = """# a customer who owes two documents
@C1 customer email ana@c1.test name "Panadería Uno"
plan default
    first      0 email
    second   +90 email
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C1 invoice INV-2 50.00 due 2026-04-02
2026-02-03  tick
    expect @C1 reminder first INV-1 by email
2026-03-02  tick
"""
PAGE = "/customers/acme:C1"
DONE = 'class="done"'

_PROMISE = ("/promises", {"due_on": "2026-03-20"})
_PLAN = ("/payment-plans", {"item": "INV-2", "count": "2", "first_on": "2026-04-15"})


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with a collector at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("ana")


def _act(desk: Desk, act: str, **fields: str) -> str:
    """Send a form of the customer's page as it could be sent, whatever the page offers now; give the page that it leads to."""
    page = desk.browser.get(PAGE).text
    hidden = {
        "csrf": page.partition('name="csrf" value="')[2].partition('"')[0],
        "nonce": f"form {len(desk.asked)}",
    }
    answer = desk.browser.post(PAGE + act, data=hidden | fields)
    assert 303 == answer.status_code
    return html.unescape(desk.browser.get(answer.headers["location"]).text)


@pytest.mark.parametrize(
    ("before", "act", "fields", "said"),
    [
        ([_PROMISE, _PROMISE], "/promises", {"due_on": "2026-03-20"}, "2 promises have been made"),
        ([], "/promises", {"due_on": "2026-03-01"}, "the day of the promise is past"),
        ([], "/promises", {"due_on": "2026-03-20", "amount": "1.2345"}, "decimals"),
        (
            [],
            "/promises",
            {"due_on": "2026-03-20", "amount": "5", "currency": "CLP"},
            "nothing is open in CLP",
        ),
        (
            [],
            "/payment-plans",
            {"item": "INV-2", "count": "2", "first_on": "2026-03-01"},
            "first day is past",
        ),
        ([_PLAN], *_PLAN, "INV-2 is in one already"),
        ([("/disputes", {"item": "INV-2", "reason": "all of it"})], *_PLAN, "too little is open"),
    ],
)
def test_a_refused_act_is_told_with_why(
    desk: Desk, before: list[tuple[str, dict[str, str]]], act: str, fields: dict[str, str], said: str
) -> None:
    """S1-12, R25, R29, R35: one refused act of each kind; the page that it leads to says no "Done."."""
    for earlier, filled in before:
        assert DONE in _act(desk, earlier, **filled)
    text = _act(desk, act, **fields)
    assert said in text
    assert 'role="alert"' in text
    assert DONE not in text


@pytest.mark.parametrize(
    ("agreed", "ended", "field"),
    [
        (_PROMISE, "/promises/withdraw", {"promise": "{}"}),
        (
            ("/disputes", {"item": "INV-1", "reason": "r"}),
            "/disputes/rule",
            {"dispute": "{}", "ruling": "rejected"},
        ),
        (_PLAN, "/payment-plans/cancel", {"payment_plan": "{}"}),
    ],
)
def test_what_is_over_by_now_is_told_to_who_ends_it_once_more(
    desk: Desk, agreed: tuple[str, dict[str, str]], ended: str, field: dict[str, str]
) -> None:
    """R25, R29, R35: two people with the same page open; the second is told."""
    _act(desk, agreed[0], **agreed[1])
    (made,) = desk.asked
    assert isinstance(made, MakePromise | OpenDispute | MakePaymentPlan)
    fields = {name: value.format(made.command) for name, value in field.items()}
    assert DONE in _act(desk, ended, **fields)
    assert "it is over or decided" in _act(desk, ended, **fields)


def test_an_older_refusal_of_the_same_dispute_is_not_told_for_a_new_act(desk: Desk) -> None:
    """R29: a ruling with too many decimals was refused; the next one stands, and so does the dispute itself."""
    _act(desk, "/disputes", item="INV-1", reason="two loaves short", amount="10")
    (opened,) = desk.asked
    assert isinstance(opened, OpenDispute)
    # From elsewhere: the console's own form asks for an amount of the currency.
    wrong = RuleDispute(
        company="acme",
        customer="C1",
        occurred_at=opened.occurred_at,
        command="of-an-importer",
        dispute=opened.command,
        ruling="credited",
        amount="1.234",
    )
    desk.parts.publish([wrong])
    with reading(desk.engine) as connection:
        assert "decimals" in refusal_of(connection, account="acme:C1", request=wrong.command)
    assert DONE in html.unescape(desk.browser.get(f"{PAGE}?asked={opened.command}").text)
    assert DONE in _act(desk, "/disputes/rule", dispute=opened.command, ruling="rejected")
    again = _act(desk, "/disputes/rule", dispute=opened.command, ruling="rejected")
    assert "it is over or decided" in again


def test_a_form_that_was_sent_with_other_content_is_told(desk: Desk) -> None:
    """R26: back, changed, sent again: the first one stands, and who changed it is told so."""
    csrf = desk.browser.get(PAGE).text.partition('name="csrf" value="')[2].partition('"')[0]
    typed = {"csrf": csrf, "nonce": "the same"}
    desk.browser.post(f"{PAGE}/promises", data=typed | {"due_on": "2026-03-20"})
    place = desk.browser.post(f"{PAGE}/promises", data=typed | {"due_on": "2026-03-21"}).headers["location"]
    assert "this form was sent before" in desk.browser.get(place).text
    assert 2 == len([each for each in desk.asked if isinstance(each, MakePromise)])


def test_a_refusal_is_told_of_the_customer_whose_it_is_only(desk: Desk) -> None:
    """A request's id in another customer's address tells nothing of this one."""
    _act(desk, "/promises", due_on="2026-03-01")
    (refused,) = desk.asked
    assert isinstance(refused, MakePromise)
    with reading(desk.engine) as connection:
        assert "" != refusal_of(connection, account="acme:C1", request=refused.command)
        assert "" == refusal_of(connection, account="acme:C2", request=refused.command)


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_what_the_ledger_says_of_requests_has_words_in_each_language(language: str) -> None:
    """The ledger's English is for logs: no reader of another language gets it."""
    day = datetime.date(2026, 3, 1)
    for detail in (
        f"{day} is before 2026-03-02, the day of the promise: say on which day it will be paid",
        "2 promises have been made in this episode",
        "nothing is open in USD that it could cover",
        "there is no such promise, or it is over",
        "there is no such dispute, or it is decided",
        f"the first instalment would be due on {day}, before 2026-03-02: say a later day",
        "INV-1 is in a payment plan already",
        "of INV-1 1 minor units are open and not held: too little to split",
        "amount '1.234' has more than the 2 decimals of USD",
        "amount 'x' is no decimal such as '1250.00'",
        "currency 'ZZZ' is not in ISO 4217",
        "the same key came with other content; the first one stands",
        f"what is dated {day} or before is forgotten",
        "the customer has no master data yet (billing.customer.upserted.v1)",
    ):
        text = refusal_text(detail, words=words_of(language))
        assert detail != text
        assert "{" not in text


def _take_cheque(desk: Desk) -> str:
    """Enter a cheque for the older document that is not deposited yet; give its page."""
    desk.submit(
        f"{PAGE}/receipts/new",
        "/receipts",
        total="100",
        currency="USD",
        on="2026-03-01",
        number="CH-1",
        means="cheque",
        state="received",
    )
    return f"{PAGE}/credit?credit=payment/CH-1"


def _change_cheque(desk: Desk, state: str, *, form: dict[str, str] | None = None, **fields: str) -> str:
    """Send the form of a cheque's state as it stood when it was opened; give the page that it leads to."""
    page = f"{PAGE}/credit?credit=payment/CH-1"
    hidden = form or _cheque_form(desk, page)
    answer = desk.browser.post(
        f"{PAGE}/receipts/state",
        data=hidden | {"payment": "CH-1", "state": state, "on": "2026-03-02"} | fields,
    )
    assert 303 == answer.status_code
    return html.unescape(desk.browser.get(answer.headers["location"]).text)


def _cheque_form(desk: Desk, page: str) -> dict[str, str]:
    text = desk.browser.get(page).text
    return {
        "csrf": text.partition('name="csrf" value="')[2].partition('"')[0],
        "nonce": f"form {len(desk.asked)}",
    }


@pytest.mark.parametrize(
    ("before", "state", "said"),
    [
        (["cleared"], "deposited", "has cleared already"),
        (["cleared", "returned"], "deposited", "is over"),
        (["cleared", "returned"], "cleared", "is over"),
        (["cleared", "returned"], "returned", "is over"),
    ],
)
def test_a_refused_change_of_a_cheque_is_told_with_why(
    desk: Desk, before: list[str], state: str, said: str
) -> None:
    """S1-21: a colleague was quicker, or the page was old: the payment's page says what does not go any more, and no "Done."."""
    _take_cheque(desk)
    for earlier in before:
        assert DONE in _change_cheque(desk, earlier)
    text = _change_cheque(desk, state)
    assert said in text
    assert 'role="alert"' in text
    assert DONE not in text


def test_a_refused_change_says_nothing_of_the_next_one(desk: Desk) -> None:
    """S1-21: deposited was refused, for it had cleared; that it came back is taken, and told as done."""
    _take_cheque(desk)
    _change_cheque(desk, "cleared")
    assert "has cleared already" in _change_cheque(desk, "deposited")
    assert DONE in _change_cheque(desk, "returned")


def test_a_form_of_a_cheque_that_was_sent_with_another_state_is_told(desk: Desk) -> None:
    """R26: back, another state, sent again: the first one stands, and who changed it is told so."""
    form = _cheque_form(desk, _take_cheque(desk))
    assert DONE in _change_cheque(desk, "deposited", form=form)
    text = _change_cheque(desk, "returned", form=form)
    assert "this form was sent before" in text
    assert DONE not in text


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_what_the_ledger_says_of_cheques_has_words_in_each_language(language: str) -> None:
    """S1-21: the two refusals of a state, in the user's language."""
    for detail in (
        "it cannot be deposited: it has cleared",
        "it cannot be deposited: it is reversed",
        "it cannot be cleared: it is reversed",
        "it cannot be returned: it is reversed",
    ):
        assert refusal_text(detail, words=words_of(language)) != detail


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("/disputes", {"reason": "never came"}),
        ("/payment-plans", {"count": "3", "first_on": "2026-04-01"}),
    ],
)
def test_a_document_that_the_customer_does_not_have_is_told_at_its_field(
    desk: Desk, act: str, fields: dict[str, str]
) -> None:
    """R25, R29: a number that was mistyped waited for a document that never comes, and the page said "Done."."""
    answer = desk.submit(PAGE, act, item="INV-l", **fields)
    assert 422 == answer.status_code
    assert "The customer has no document INV-l" in html.unescape(answer.text)
    assert [] == desk.asked
    assert 303 == desk.submit(PAGE, act, item="INV-2", **fields).status_code
