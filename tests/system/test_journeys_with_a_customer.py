"""What is read and written down of one customer, in a real Chromium: documents, agreements, receipts, why and what next."""

import datetime
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from schemas.events import CustomerMerged, CustomerUpserted, InvoiceIssued
from tests.system.desks import Desk
from tests.system.house_story import COMPANIES, DUE, NAMES, NOTED

pytestmark = pytest.mark.packages
_DAY = datetime.timedelta(days=1)
_RED = "rgb(165, 22, 22)"


def _section(desk: Desk, heading: str) -> Locator:
    return desk.page.locator("main section").filter(has=desk.page.locator(f"#{heading}"))


def test_customers_are_found_and_all_that_is_unpaid_is_seen(desk: Desk) -> None:
    """S2-12, S3-09, S4-19: by part of the name: contacts, documents in red, what is receivable; then late documents in red, those not due
    yet too, who is in charge, what was sent, what comes next, and a reminder to be sent; nobody of another company.
    """
    desk.open("/customers")
    desk.sees_not(next(names[0] for language, names in NAMES.items() if language != desk.language))
    desk.page.locator("[name=q]").fill(desk.name("dunned")[:5])
    desk.press(desk.w["today"]["show"])
    expect(desk.row(desk.name("dunned"))).to_contain_text(desk.money("1830.85"))
    late = desk.row(desk.name("dunned")).locator("td.overdue")
    expect(late.first).to_have_text(re.compile(r"^3"))
    assert _RED == late.first.evaluate("each => getComputedStyle(each).color")
    expect(desk.row(desk.name("dunned")).locator("td.figure").last).to_have_text("1")
    desk.follow(desk.name("dunned"))
    desk.is_titled(desk.name("dunned"))
    late = desk.page.locator("td.overdue")
    expect(late).to_have_count(2)
    assert _RED == late.first.evaluate("each => getComputedStyle(each).color")
    expect(_section(desk, "owed").locator("tbody tr")).to_have_count(3)
    desk.sees(NOTED[desk.language])
    expect(_section(desk, "sent")).to_contain_text(desk.w["levels"]["second"])
    expect(_section(desk, "sums")).to_contain_text(desk.w["customer"]["responsible"])
    desk.shot("customer")
    desk.follow(desk.w["customer"]["process"])
    expect(desk.row(desk.name("dunned"))).to_be_visible()
    expect(desk.page.locator(".tabs a[href*='verb=send-now']")).to_be_visible()


def test_a_document_and_a_payment_have_pages_and_are_taken_out_and_in(desk: Desk) -> None:
    """S0-09, S0-10, S2-13, S2-19, S4-14, S4-15: from the statement into the invoice, to the payment that settled a part, and back; "Excluir de
    seguimientos" with a reason, and back by another one, which stand in the log.
    """
    document, words = desk.document("paying", 1), desk.w["customer"]
    desk.open_customer("paying")
    desk.follow(document)
    desk.is_titled(document)
    desk.sees(desk.money("939.60"), desk.w["documents"]["pdf"], desk.w["documents"]["xml"])
    expect(_section(desk, "reminded").locator("li").first).to_be_visible()
    desk.follow(f"PAY-{desk.language}")
    desk.is_titled(f"PAY-{desk.language}")
    desk.ask("/payment-exclusions", reason="of another customer?")
    desk.sees("of another customer?")
    desk.ask("/payment-inclusions", reason="theirs, says the bank")
    desk.sees("theirs, says the bank")
    desk.open_customer("paying")
    item = desk.document("paying", 3)
    desk.page.get_by_label(f"{words['exclude']} {item}").click()
    desk.ask("/exclusions", having=f"[value='{item}']", reason="disputed by phone")
    expect(desk.row(item)).to_contain_text(desk.w["holds"]["excluded"])
    desk.page.get_by_label(f"{words['include']} {item}").click()
    desk.ask("/inclusions", having=f"[value='{item}']", reason="delivered after all")
    desk.sees("delivered after all")


def test_how_a_customer_is_dunned_is_said_by_hand(desk: Desk) -> None:
    """S0-12, S0-13, S0-26, S2-14, S2-15, S2-20, S2-22: next date, mode, trust, who is in charge, followed up where only some are; it stands
    on the page and in the register.
    """
    desk.open_customer("agreed")
    desk.ask("/next-date", on=(desk.house.today + 30 * _DAY).isoformat())
    desk.ask("/mode", mode="manual")
    desk.ask("/trust", trust="bad")
    expect(desk.page.locator("h1 .dot.bad")).to_be_visible()
    desk.ask("/responsible", responsible=f"Nora {desk.language}")
    facts = _section(desk, "sums")
    expect(facts).to_contain_text(desk.w["short_modes"]["manual"])
    expect(facts).to_contain_text(f"Nora {desk.language}")
    desk.ask("/enrolment", enrolled="true")
    desk.open("/customers")
    expect(desk.row(desk.name("agreed"))).to_contain_text(f"Nora {desk.language}")


def test_what_is_agreed_is_noted_and_ended(desk: Desk) -> None:
    """B-02, B-03, B-07, S0-10: a promise, a dispute of a part and its end, instalments, a pause; each stands with its state."""
    one, two = desk.document("agreed", 1), desk.document("agreed", 2)
    today = desk.house.today
    desk.open_customer("agreed")
    desk.ask("/promises", due_on=(today + 5 * _DAY).isoformat(), amount="99.95", by="Zoë")
    desk.ask("/disputes", item=two, amount="80.90", reason="a box was wet")
    agreed = _section(desk, "agreed")
    expect(agreed).to_contain_text("a box was wet")
    expect(agreed).to_contain_text(desk.money("99.95"))
    desk.ask("/disputes/rule", ruling="rejected", text="the box was dry")
    desk.ask("/payment-plans", item=one, count="3", first_on=(today + 7 * _DAY).isoformat(), every="month")
    expect(agreed).to_contain_text(desk.w["arrangements"]["payment_plan"])
    desk.ask("/holds", kind="snoozed", reason="on holiday", until=(today + 9 * _DAY).isoformat())
    expect(agreed).to_contain_text("on holiday")
    desk.ask("/holds/release")


def test_a_receipt_settles_the_oldest_or_what_is_chosen(desk: Desk) -> None:
    """S1-18, S1-19, S1-20: a total alone; a total for chosen documents, with its means; what is wrong is said, and what was typed stays."""
    one, two = desk.document("paying", 1), desk.document("paying", 2)
    today = desk.house.today.isoformat()
    desk.open_customer("paying", "/receipts/new")
    form = desk.form("/receipts")
    desk.fill(form, {"total": "100.00", "on": today, "means": "card"})
    form.locator("button").click()
    desk.done()
    desk.sees(desk.w["means"]["card"])
    expect(_section(desk, "settled")).to_contain_text(one)
    desk.open_customer("paying", "/receipts/new")
    desk.page.locator(f"[name=document][value='{two}']").check()
    desk.page.locator(f"[name='amount for {two}']").fill("90.00")
    desk.fill(form, {"total": "80.00", "on": today})
    form.locator("button").click()
    expect(desk.page.locator(".problems")).to_contain_text(desk.w["receipts"]["too_little"])
    expect(desk.page.locator(f"[name='amount for {two}']")).to_have_value("90.00")
    desk.fill(form, {"total": "90.00"})
    form.locator("button").click()
    desk.done()
    expect(_section(desk, "settled")).to_contain_text(two)


def test_a_cheque_is_money_once_it_has_cleared(desk: Desk) -> None:
    """S1-20, S1-21: received, deposited, returned, deposited again, cleared; until then its documents are owed and let alone."""
    two, number = desk.document("paying", 2), f"CH-{desk.language}"
    first, second, third, today = ((desk.house.today - each * _DAY).isoformat() for each in (3, 2, 1, 0))
    desk.open_customer("paying", "/receipts/new")
    form = desk.form("/receipts")
    desk.page.locator(f"[name=document][value='{two}']").check()
    typed = {"total": "50.00", "on": first, "means": "cheque", "state": "received", "number": number}
    desk.fill(form, typed)
    form.locator("button").click()
    desk.done()
    desk.sees(desk.w["documents"]["no_money_yet"])
    expect(_section(desk, "covers")).to_contain_text(two)
    desk.ask("/receipts/state", state="deposited", on=second)
    desk.ask("/receipts/state", state="returned", on=third, reason="no funds")
    desk.ask("/receipts/state", state="deposited", on=today)
    desk.ask("/receipts/state", state="cleared", on=today)
    expect(_section(desk, "settled")).to_contain_text(two)
    expect(_section(desk, "history")).to_contain_text(desk.w["states"]["returned"])


def test_the_statement_is_as_of_any_day(desk: Desk) -> None:
    """S0-04, S1-23, B-09: today's, and that of the day before anything was paid; as a file, too."""
    desk.open_customer("paying", "/statement")
    desk.is_titled(desk.w["statement"]["title"])
    desk.page.locator("[name=on]").fill((DUE - _DAY).isoformat())
    desk.press(desk.w["today"]["show"])
    desk.sees(desk.money("1830.85"))
    desk.sees_not(f"PAY-{desk.language}")
    href = desk.page.get_by_role("link", name="PDF").get_attribute("href")
    desk.file(str(href), begins=b"%PDF")


def test_a_branch_has_terms_of_its_own_and_is_read_with_its_group(desk: Desk) -> None:
    """B-13, S4-05: a branch's own payment term says when an invoice without a day is due; the statement of whom it belongs to has it, too,
    with what the group owes; each leads to the other.
    """
    company, _, branch = desk.account("branch").partition(":")
    today = desk.house.today
    issued_on = today - 50 * _DAY
    whose: dict[str, Any] = {"company": company, "customer": branch, "occurred_at": issued_on.isoformat()}
    head = desk.account("agreed").partition(":")[2]
    known = CustomerUpserted(
        **whose, name=f"Filial {desk.language}", kind="business", parent=head, payment_terms_days=45
    )
    currency = COMPANIES[desk.language].currency
    document = f"{branch}-1"
    desk.house.played.publish(known)  # a term is for what comes after it
    desk.house.played.publish(InvoiceIssued(**whose, document=document, amount="70.00", currency=currency))
    desk.open_customer("branch")
    expect(_section(desk, "sums")).to_contain_text(desk.w["customer"]["days"].format(days=45))
    expect(desk.row(document)).to_contain_text(desk.day(issued_on + 45 * _DAY))
    desk.open_customer("agreed", "/statement")
    desk.sees_not(document)
    desk.page.locator("[name=group]").check()
    desk.press(desk.w["today"]["show"])
    desk.sees(desk.document("agreed", 1), document, desk.w["statement"]["group_total"])
    desk.follow(f"Filial {desk.language}")
    desk.is_titled(f"Filial {desk.language}")


def test_who_is_the_same_as_another_is_read_there(desk: Desk) -> None:
    """B-02: the billing system says that two customers are one: the page of the one that is gone says so and leads to the one that lives,
    where its document is, and what was promised for it.
    """
    company, _, gone = desk.account("older").partition(":")
    stays, today = desk.account("old").partition(":")[2], desk.house.today
    desk.open_customer("older")
    desk.ask("/promises", due_on=(today + 6 * _DAY).isoformat(), by="Zoë")
    desk.house.played.publish(
        CustomerMerged(company=company, customer=gone, occurred_at=today.isoformat(), into=stays)
    )
    desk.open_customer("older")
    merged = desk.page.locator(".late").filter(has_text=desk.w["customer"]["merged"])
    merged.get_by_role("link").click()
    desk.is_titled(desk.name("old"))
    expect(desk.row(desk.document("older", 1))).to_be_visible()
    expect(_section(desk, "agreed")).to_contain_text(desk.day(today + 6 * _DAY))


def test_why_and_what_comes_next_are_told(desk: Desk) -> None:
    """S0-25, S3-08, U-4: a day is told from the journal; if nothing comes in, the third level does, on its day."""
    desk.open_customer("dunned", f"/why?on={DUE.isoformat()}")
    expect(desk.page.locator("#told section")).to_contain_text(desk.document("dunned", 1), timeout=60_000)
    desk.open_customer("dunned", "/next?days=90")
    expect(desk.row(desk.w["levels"]["third"])).to_contain_text(desk.document("dunned", 1))
