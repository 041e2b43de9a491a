"""What a credit controller does with one customer: finds him, sees what is owed and why, and writes down what was agreed."""

import datetime
import html
import io
import re
from pathlib import Path

import pytest
from httpx import Response
from pypdf import PdfReader
from sqlalchemy import Engine

from console.web.inside.pages.customer import older, receipts
from infra.database.queries import customer_sheet
from schemas.commands import (
    CancelPaymentPlan,
    ExcludeItem,
    ExcludePayment,
    MakePaymentPlan,
    MakePromise,
    OpenDispute,
    OptOut,
    PlaceHold,
    ReleaseHold,
    RuleDispute,
    SetResponsible,
    SetTrust,
)
from schemas.events import PaymentReceived, PaymentStateChanged
from tests.console.inside.desk import Desk
from tests.console.inside.forms import forms_of
from tests.console.inside.posted import keep_jobs

STORY = """# three customers of one company
@C1 customer email ana@c1.test name "Panadería <Uno>"
@C2 customer email ben@c2.test name "Almacén Dos"
plan default
    first      0 email
    second   +90 email
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C1 invoice INV/2 50.00 due 2026-04-02
2026-01-02  @C2 invoice INV-9 300.00 due 2026-02-02
2026-01-10  @C1 payment P-1 30.00
2026-02-03  tick
    expect @C1 reminder first INV-1 by email
    expect @C2 reminder first INV-9 by email
2026-03-02  tick
"""
PAGE = "/customers/acme:C1"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with a collector at it."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    keep_jobs(desk)
    return desk


def _text(page: str) -> str:
    """Give what a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_register_finds_customers_by_part_of_their_name(desk: Desk) -> None:
    """S4-19: name, company id and money; a percent sign is a percent sign."""
    text = desk.browser.get("/customers").text
    assert ["acme%3AC2", "acme%3AC1"] == re.findall(r'href="/customers/([^"]+)"', text)
    found = desk.browser.get("/customers?q=panad").text
    assert ["acme%3AC1"] == re.findall(r'href="/customers/([^"]+)"', found)
    assert "70.00" in found
    assert [] == re.findall(r'href="/customers/(acme[^"]+)"', desk.browser.get("/customers?q=%25").text)


def test_the_register_shows_a_person_the_own_companies_only(desk: Desk) -> None:
    """Per-company visibility holds in the count, too."""
    desk.at_work("eve", companies=("beta",))
    text = _text(desk.browser.get("/customers").text)
    assert "0 customers" in text
    assert "acme" not in text


def test_a_document_has_its_own_page_with_what_settled_it_and_what_was_sent(desk: Desk) -> None:
    """S0-09, S2-19: amounts, the payment that settled a part, the reminder that it was in."""
    text = _text(desk.browser.get(f"{PAGE}/document?document=INV-1").text)
    assert "Invoice INV-1" in text
    assert "P-1 payment" in text
    assert "first reminder" in text
    assert 404 == desk.browser.get(f"{PAGE}/document?document=INV-9").status_code


def test_a_document_whose_number_has_a_slash_is_reached_like_any_other(desk: Desk) -> None:
    """Ids are the billing system's: whatever prints."""
    (link,) = re.findall(r'href="([^"]+document=INV/2|[^"]+document=INV%2F2)"', desk.browser.get(PAGE).text)
    assert "INV/2" in desk.browser.get(html.unescape(link)).text


def test_a_payment_is_taken_out_like_a_document(desk: Desk) -> None:
    """S0-10: with its reason; what it had settled is open again, and its page says so."""
    page = f"{PAGE}/credit?credit=payment/P-1"
    assert "INV-1" in desk.browser.get(page).text
    answer = desk.submit(page, "/payment-exclusions", reason="of somebody else", review_on="2026-03-20")
    shown = _text(desk.browser.get(answer.headers["location"]).text)
    (asked,) = desk.asked
    assert isinstance(asked, ExcludePayment)
    assert ("P-1", "of somebody else", "2026-03-20") == (asked.payment, asked.reason, str(asked.review_on))
    assert "of somebody else" in shown
    assert "30.00" in shown


def test_what_was_taken_out_comes_back_with_a_reason_that_stands_in_the_log(desk: Desk) -> None:
    """S0-10, S2-13: a document on the customer's page, a payment on its own; nothing comes back without saying why."""
    desk.submit(PAGE, "/exclusions", item="INV-1", reason="the court decides")
    said = [desk.submit(PAGE, "/inclusions", item="INV-1", reason=each) for each in (" ", "decided for us")]
    assert [422, 303] == [each.status_code for each in said]
    assert "decided for us" in _text(desk.browser.get(f"{PAGE}/document?document=INV-1").text)
    paid = f"{PAGE}/credit?credit=payment/P-1"
    desk.submit(paid, "/payment-exclusions", reason="of another customer?")
    answer = desk.submit(paid, "/payment-inclusions", reason="says the bank")
    assert "says the bank" in _text(desk.browser.get(answer.headers["location"]).text)


def test_an_exclusion_may_have_a_day_of_review_or_none(desk: Desk) -> None:
    """S2-13: an empty date is no date."""
    desk.submit(PAGE, "/exclusions", item="INV-1", reason="wrong price", review_on="")
    (asked,) = desk.asked
    assert isinstance(asked, ExcludeItem)
    assert (None, "wrong price") == (asked.review_on, asked.reason)


def test_trust_set_by_hand_is_shown_as_a_dot_and_by_whom(desk: Desk) -> None:
    """S0-26, S2-22: a word of a person stands over the history."""
    answer = desk.submit(PAGE, "/trust", trust="bad")
    (asked,) = desk.asked
    assert isinstance(asked, SetTrust)
    shown = desk.browser.get(answer.headers["location"]).text
    assert '<span class="dot bad"' in shown
    assert "set by hand" in shown


def test_somebody_is_put_in_charge_and_the_work_list_can_be_asked_for_his_customers(desk: Desk) -> None:
    """S2-15: a person's word; empty, the billing system's counts again."""
    answer = desk.submit(PAGE, "/responsible", responsible=" desk north ")
    (asked,) = desk.asked
    assert isinstance(asked, SetResponsible)
    assert "Responsible desk north" in _text(desk.browser.get(answer.headers["location"]).text)
    found = _text(desk.browser.get("/?responsible=desk+north").text)
    assert "Panadería <Uno>" in found
    assert "Almacén Dos" not in found
    answer = desk.submit(PAGE, "/responsible", responsible="")
    assert "Responsible nobody" in _text(desk.browser.get(answer.headers["location"]).text)


def test_a_receipt_with_chosen_invoices_settles_these(desk: Desk) -> None:
    """S1-18: the documents that are ticked, and how much of them; the page of the payment shows it."""
    answer = desk.submit(
        f"{PAGE}/receipts/new",
        "/receipts",
        total="60,00",
        currency="USD",
        on="2026-03-01",
        means="transfer",
        state="cleared",
        document="INV/2",
        **{"amount for INV/2": "50"},
    )
    (made,) = desk.asked
    assert isinstance(made, PaymentReceived)
    assert ("60.00", "2026-03-01", "transfer") == (made.amount, made.occurred_at, made.means)
    assert [("INV/2", "50")] == [(each.document, each.amount) for each in made.lines]
    assert made.payment.startswith("RC-")
    shown = _text(desk.browser.get(answer.headers["location"]).text)
    assert "INV/2" in shown
    assert "50.00" in shown
    assert ["billing.payment.received.v1"] == [each.act for each in desk.people.entries(limit=9)]


def test_a_receipt_with_a_total_only_settles_the_oldest_first(desk: Desk) -> None:
    """S1-19."""
    desk.submit(f"{PAGE}/receipts/new", "/receipts", total="70", currency="USD", on="2026-03-01", number="7")
    (made,) = desk.asked
    assert isinstance(made, PaymentReceived)
    assert ("7", ()) == (made.payment, made.lines)
    assert "70.00" in _text(desk.browser.get(f"{PAGE}/document?document=INV-1").text)
    assert "settled" in _text(desk.browser.get(f"{PAGE}/document?document=INV-1").text)


def test_the_same_receipt_sent_twice_is_one_payment(desk: Desk) -> None:
    """A double click: the payment's id is a function of the user and of the form."""
    text = desk.browser.get(f"{PAGE}/receipts/new").text
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf|nonce)" value="([^"]*)">', text))
    typed = hidden | {"total": "10", "currency": "USD", "on": "2026-03-01"}
    places = {desk.browser.post(f"{PAGE}/receipts", data=typed).headers["location"] for _ in range(2)}
    assert 1 == len(places)
    assert 1 == len({each.payment for each in desk.asked if isinstance(each, PaymentReceived)})


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"total": "abc"}, "no amount"),
        ({"total": "0"}, "greater than zero"),
        ({"total": "1.234,505"}, "no more than 2 decimals"),
        ({"total": "1.250"}, "in two ways"),
        ({"document": "INV-1", "amount for INV-1": "1.250"}, "in two ways"),
        ({"document": "INV-1", "amount for INV-1": "1,250"}, "more than the total"),
        ({"on": "2030-01-01"}, "future"),
        ({"document": "INV-1", "amount for INV-1": "999"}, "more than the total"),
    ],
)
def test_a_wrong_receipt_comes_back_with_what_is_wrong_and_all_that_was_typed(
    desk: Desk, typed: dict[str, str], said: str
) -> None:
    """422, the field, and nothing lost; nothing is published."""
    fields = {"total": "10", "currency": "USD", "on": "2026-03-01", "number": "R-77"} | typed
    answer = desk.submit(f"{PAGE}/receipts/new", "/receipts", **fields)
    assert 422 == answer.status_code
    assert said in _text(answer.text)
    assert 'value="R-77"' in answer.text
    assert [] == desk.asked


@pytest.mark.parametrize("state", ["cleared", "received"])
def test_a_number_that_another_payment_has_is_told_at_its_field(desk: Desk, state: str) -> None:
    """S1-18, S1-20: the ledger would leave the second one out, and nobody would know; sent twice it is one payment."""
    typed = {"currency": "USD", "on": "2026-03-01", "means": "cheque", "state": state, "number": "R-77"}
    taken = {"total": "10"} | typed
    nonce = re.findall(r'name="nonce" value="([^"]+)"', desk.browser.get(f"{PAGE}/receipts/new").text)[0]
    for _ in range(2):
        assert 303 == desk.submit(f"{PAGE}/receipts/new", "/receipts", nonce=nonce, **taken).status_code
    assert 2 == len(desk.asked)
    answer = desk.submit(f"{PAGE}/receipts/new", "/receipts", **typed, total="25.00")
    assert 422 == answer.status_code
    assert "There is a payment with this number already." in _text(answer.text)
    assert 'href="#number"' in answer.text
    assert 'value="25.00"' in answer.text
    assert 2 == len(desk.asked)
    billed = desk.submit(f"{PAGE}/receipts/new", "/receipts", **(typed | {"total": "30", "number": "P-1"}))
    assert 422 == billed.status_code


def test_a_receipt_without_a_number_that_is_changed_and_sent_again_is_told(desk: Desk) -> None:
    """R26: back, another amount, sent again: it has the number of the first one, which stands."""
    nonce = re.findall(r'name="nonce" value="([^"]+)"', desk.browser.get(f"{PAGE}/receipts/new").text)[0]
    typed = {"currency": "USD", "on": "2026-03-01", "nonce": nonce}
    assert 303 == desk.submit(f"{PAGE}/receipts/new", "/receipts", **typed, total="10").status_code
    answer = desk.submit(f"{PAGE}/receipts/new", "/receipts", **typed, total="11")
    assert 422 == answer.status_code
    assert "this form was sent before" in _text(answer.text)
    assert 1 == len(desk.asked)


def test_a_receipt_names_a_document_that_the_list_has_no_room_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1-18: the list says how many it leaves out, and one of these is named by its number; what is not owed is told."""
    assert 'name="further"' not in desk.browser.get(f"{PAGE}/receipts/new").text
    monkeypatch.setattr(receipts, "_ITEMS_MAX", 1)
    assert "1 of 2 open documents are listed" in _text(desk.browser.get(f"{PAGE}/receipts/new").text)
    typed = {"total": "20", "currency": "USD", "on": "2026-03-01"}
    for further, said in (("INV-9", "owes no document with this number"), ("", "")):
        wrong = {"further": further, "further_amount": "5"} | ({"document": "INV-1"} if said else {})
        answer = desk.submit(f"{PAGE}/receipts/new", "/receipts", **typed, **wrong)
        assert (422, True) == (answer.status_code, said in _text(answer.text))
    answer = desk.submit(
        f"{PAGE}/receipts/new", "/receipts", **typed, further="INV/2", further_amount="15,50"
    )
    assert 303 == answer.status_code
    (made,) = desk.asked
    assert isinstance(made, PaymentReceived)
    assert [("INV/2", "15.50")] == [(each.document, each.amount) for each in made.lines]


def test_agreements_that_are_not_listed_are_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """R29: two disputes, room for one: the page says so."""
    for item in ("INV-1", "INV/2"):
        desk.submit(PAGE, "/disputes", item=item, reason="short")
    monkeypatch.setattr(customer_sheet, "ARRANGEMENTS_MAX", 1)
    assert "The newest 1 of 2 agreements" in _text(desk.browser.get(PAGE).text)


def test_a_statement_of_a_group_offers_no_file_of_one_customer(desk: Desk) -> None:
    """B-09, B-13: a file is of one account; on the group's page it would be taken for the group's."""
    assert "form=pdf" in desk.browser.get(f"{PAGE}/statement").text
    text = desk.browser.get(f"{PAGE}/statement?group=true").text
    assert "form=pdf" not in text
    assert "A group has no file" in text


def _take_cheque(desk: Desk, **more: str) -> Response:
    """Enter CH-1 of 70.00 by hand: received, which is no money yet."""
    return desk.submit(
        f"{PAGE}/receipts/new",
        "/receipts",
        total="70",
        currency="USD",
        on="2026-03-01",
        number="CH-1",
        means="cheque",
        state="received",
        **more,
    )


def test_a_cheque_goes_on_through_its_states(desk: Desk) -> None:
    """S1-20, S1-21: received is no money; deposited, cleared, and then it is."""
    answer = _take_cheque(desk, payable_on="2026-03-10")
    page = f"{PAGE}/credit?credit=payment/CH-1"
    assert "no money yet" in _text(desk.browser.get(answer.headers["location"]).text)
    assert "Not cleared yet" in _text(desk.browser.get(PAGE).text)
    for state in ("deposited", "cleared"):
        answer = desk.submit(page, "/receipts/state", state=state, on="2026-03-02")
        assert 200 == desk.browser.get(answer.headers["location"]).status_code
    states = [each.state for each in desk.asked if isinstance(each, PaymentStateChanged)]
    assert ["deposited", "cleared"] == states
    shown = _text(desk.browser.get(page).text)
    assert "no money yet" not in shown
    assert "INV-1" in shown


def test_a_cheque_that_bounced_is_deposited_again_on_the_same_day(desk: Desk) -> None:
    """S1-20, S1-21: each form is a change of its own; a second click on one is not."""
    _take_cheque(desk)
    page = f"{PAGE}/credit?credit=payment/CH-1"
    for state in ("deposited", "returned", "deposited"):
        desk.submit(page, "/receipts/state", state=state, on="2026-03-02")
    history = _text(desk.browser.get(page).text).partition("History")[2]
    assert 2 == history.count("deposited")
    assert "no money yet" in _text(desk.browser.get(page).text)
    nonce = re.findall(r'name="nonce" value="([^"]+)"', desk.browser.get(page).text)[0]
    for _ in range(2):
        desk.submit(page, "/receipts/state", state="returned", on="2026-03-02", nonce=nonce)
    changes = [each.change for each in desk.asked if isinstance(each, PaymentStateChanged)]
    assert 5 == len(changes)
    assert 4 == len(set(changes))
    assert 2 == _text(desk.browser.get(page).text).partition("History")[2].count("returned")


def test_a_promise_is_for_the_documents_that_are_ticked(desk: Desk) -> None:
    """R35: the form offers what is open; with none ticked it is for all that is due."""
    forms = forms_of(desk.browser.get(PAGE).text)
    (form,) = (each for each in forms if each.action.endswith("/promises"))
    boxes = [each.says["value"] for each in form.fields if each.name == "documents"]
    assert ["INV-1", "INV/2"] == sorted(boxes)
    desk.submit(PAGE, "/promises", due_on="2026-03-20", documents="INV-1")
    desk.submit(PAGE, "/promises", due_on="2026-03-21")
    assert [("INV-1",), ()] == [each.documents for each in desk.asked if isinstance(each, MakePromise)]


def test_what_is_agreed_is_noted_and_ended_on_the_page(desk: Desk) -> None:
    """R15, R25, R29, R35: a promise, a dispute of a part, a payment plan, a hold, a channel that is not wanted."""
    desk.submit(PAGE, "/promises", due_on="2026-03-20", amount="25,50", by="Eva")
    desk.submit(PAGE, "/disputes", item="INV-1", amount="10", reason="two loaves short")
    desk.submit(PAGE, "/payment-plans", item="INV/2", count="2", first_on="2026-04-15")
    desk.submit(
        PAGE, "/holds", kind="do_not_contact", reason="asked for it", until="", review_on="2026-05-01"
    )
    desk.submit(PAGE, "/opt-outs", channel="sms")
    promise, dispute, plan, hold, opted = desk.asked
    assert isinstance(promise, MakePromise)
    assert ("25.50", "Eva") == (promise.amount, promise.by)
    assert isinstance(dispute, OpenDispute)
    assert isinstance(plan, MakePaymentPlan)
    assert isinstance(hold, PlaceHold)
    assert isinstance(opted, OptOut)
    shown = _text(desk.browser.get(PAGE).text)
    for word in ("two loaves short", "asked for it", "promise to pay", "payment plan", "Does not want SMS"):
        assert word in shown
    desk.submit(PAGE, "/disputes/rule", ruling="rejected")
    desk.submit(PAGE, "/payment-plans/cancel")
    desk.submit(PAGE, "/holds/release")
    ruled, cancelled, released = desk.asked[5:]
    assert isinstance(ruled, RuleDispute)
    assert isinstance(cancelled, CancelPaymentPlan)
    assert isinstance(released, ReleaseHold)
    assert (dispute.command, plan.command, "do_not_contact") == (
        ruled.dispute,
        cancelled.payment_plan,
        released.kind,
    )
    assert "two loaves short" in _text(desk.browser.get(PAGE).text)  # in the log, for good


def test_the_statement_is_as_of_any_day(desk: Desk) -> None:
    """S0-04, S1-23: before the payment came, nothing was paid."""
    before = _text(desk.browser.get(f"{PAGE}/statement?on=2026-01-05").text)
    after = _text(desk.browser.get(f"{PAGE}/statement?on=2026-03-01").text)
    assert ("150.00" in before, "120.00" in before) == (True, False)
    assert "120.00" in after
    assert 'class="overdue"' in desk.browser.get(f"{PAGE}/statement?on=2026-03-01").text


def test_a_message_is_read_again_as_its_reader_got_it(desk: Desk) -> None:
    """S2-19: subject, text, where it went; the file where it is kept, and no file beside the outbox."""
    sent = desk.stage.latest["acme:C1"]
    page = f"{PAGE}/message?reminder={sent}"
    text = _text(desk.browser.get(page).text)
    assert "ana@c1.test" in text
    assert "INV-1" in text
    file = f"{PAGE}/message/file?reminder={sent}&channel=email&form="
    assert "text/html" in desk.browser.get(f"{file}html").headers["content-type"]
    assert 404 == desk.browser.get(f"{file}kept").status_code
    (desk.folder / "outbox").mkdir()
    (desk.folder / "outbox" / f"{sent}.eml").write_bytes(b"Subject: as it went\r\n\r\n")
    assert b"as it went" in desk.browser.get(f"{file}kept").content
    assert 404 == desk.browser.get(page.replace("C1", "C2")).status_code


def test_a_mail_that_was_sent_is_a_pdf_too(desk: Desk) -> None:
    """Point 2: what was sent, with its rendered text and PDF: the mail's text set on paper, led to from its page."""
    page = html.unescape(desk.browser.get(PAGE).text)
    path = next(iter(re.findall(r'href="([^"]+/message\?[^"]+)"', page)))
    text = html.unescape(desk.browser.get(path).text)
    (link,) = re.findall(r'href="([^"]+channel=email&form=pdf)"', text)
    answer = desk.browser.get(link)
    assert (200, "application/pdf") == (answer.status_code, answer.headers["content-type"])
    said = "".join(each.extract_text() for each in PdfReader(io.BytesIO(answer.content)).pages)
    assert "INV-1" in said
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_merged_customer_leads_to_the_one_that_has_it_all(sqlite_engine: Engine, tmp_path: Path) -> None:
    """SEMANTICS 2.6: the page says where everything went."""
    story = """# one customer twice
@C1 customer email ana@c1.test
@C2 customer email ana@c1.test
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-02
2026-01-03  @C1 merge into C2
    expect @C1 transferred INV-1
2026-01-04  tick
"""
    desk = Desk(sqlite_engine, tmp_path, story).at_work("ana")
    text = desk.browser.get(PAGE).text
    assert "This customer is the same as" in text
    assert 'href="/customers/acme%3AC2"' in text


def test_viewers_look_and_change_nothing(desk: Desk) -> None:
    """Roles: no form for a viewer, and no rendered message with its addresses."""
    desk.at_work("vic", role="viewer")
    text = desk.browser.get(PAGE).text
    assert f'action="{PAGE}'.replace(":", "%3A") not in text
    assert 403 == desk.browser.get(f"{PAGE}/message?reminder={desk.stage.latest['acme:C1']}").status_code


def test_the_register_tells_how_many_documents_and_who_is_next(desk: Desk) -> None:
    """S4-19, R20: the documents in red where some are late; the next action by the rule, or as a person has set it."""
    row = _row(desk, "Almacén Dos")
    assert "1 1 of them late $300.00 $300.00 28" in row
    assert "Feb 18, 2026" in row
    assert "set by hand" not in row
    desk.submit("/customers/acme:C2", "/next-date", on="2026-03-20")
    assert "set by hand" in _row(desk, "Almacén Dos")
    assert "2 1 of them late" in _row(desk, "Panadería <Uno>")


def _row(desk: Desk, name: str) -> str:
    """Give what the register says of a customer."""
    rows = re.findall(r"<tr>(.*?)</tr>", desk.browser.get("/customers").text, re.DOTALL)
    return next(text for each in rows if name in (text := _text(each)))


def test_what_a_customers_page_has_no_room_for_is_a_page_further(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1-12, S2-19: it says that these are the newest, and leads on; nothing is shown twice, and nothing is left out."""
    for number in range(5):
        desk.now += datetime.timedelta(minutes=1)
        desk.submit(PAGE, "/notes", kind="note", text=f"Note-{number}")
        desk.submit(
            f"{PAGE}/receipts/new",
            "/receipts",
            total="1",
            currency="USD",
            on="2026-03-01",
            number=f"R-{number}",
        )
    for part in ("credits", "log", "sent"):
        monkeypatch.setitem(older.LINES, part, 2)
    monkeypatch.setattr(customer_sheet, "CREDITS_MAX", 2)
    text = desk.browser.get(PAGE).text
    assert 2 == len(re.findall(r"Note-\d", text))
    assert 2 == text.count("The newest 2.")
    for part, pattern, expected in (
        ("log", r"Note-\d", [f"Note-{number}" for number in (4, 3, 2, 1, 0)]),
        ("credits", r">(R-\d|P-1)<", ["R-0", "R-1", "R-2", "R-3", "R-4", "P-1"]),
    ):
        pages = [_text_of_part(desk, part, number) for number in (1, 2, 3)]
        assert [2, 2, len(expected) - 4] == [len(re.findall(pattern, each)) for each in pages]
        assert sorted(expected) == sorted(found for each in pages for found in re.findall(pattern, each))
        assert 'rel="next"' not in pages[-1]
        assert 'rel="prev"' in pages[-1]
    pages = [_text_of_part(desk, "sent", number) for number in (1, 2)]
    assert "first" in "".join(pages)


def _text_of_part(desk: Desk, part: str, number: int) -> str:
    """Give a further page of what a customer's page has no room for."""
    return str(desk.browser.get(f"{PAGE}/older?part={part}&page={number}").text)
