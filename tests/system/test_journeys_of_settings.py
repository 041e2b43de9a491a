"""Settings in a real Chromium: the company's profile, its plan and what another would have done, banks, going live, users."""

import datetime
import re
from functools import partial

import pytest
from playwright.sync_api import expect

from schemas.bank import BankReconciled
from schemas.events import InvoiceIssued, PaymentLine, PaymentReceived
from tests.system.console_house import PASSWORD
from tests.system.desks import WIDE, Desk
from tests.system.house_story import BANK_LINE, COMING, COMPANIES, PLAYED

pytestmark = pytest.mark.packages
_DAY = datetime.timedelta(days=1)


def test_the_companys_profile_is_filled_in(desk: Desk) -> None:
    """S4-06, S4-18: payment instructions with bank, account and tax id, and the sender's name, address, phone and footer; what is wrong
    is said at its field; messages have it from then on. Of two who change it, the second is told what the first has changed.
    """
    pay, phone = f"RUT 76.543.210-K, Banco Uno, IBAN 12 3456 ({desk.language})", "+56 2 2345 6789"
    desk.open_settings("/profile")
    form = desk.form("/profile")
    typed = {
        "answers_to": f"desk@{desk.company}.test",
        "payment_instructions": pay,
        "address": "Calle 9\nSantiago",
        "phone": phone,
        "footer": "Lunes a viernes",
    }
    desk.fill(form, typed | {"statement_day": "99"})
    form.locator("button").click()
    expect(desk.page.locator("#field-statement_day-fault")).to_be_visible()
    expect(desk.page.locator("#field-payment_instructions")).to_have_value(pay)
    desk.fill(form, {"statement_day": "28"})
    other = desk.context.new_page()
    other.goto(f"/settings/{desk.company}/profile")
    other.locator("#field-footer").fill("Horario: 9 a 18")
    form.locator("button").click()
    desk.done()
    other.locator("form[action$='/profile'] button").click()
    told = other.locator(".late[role=alert]")
    expect(told).to_contain_text(f"ana-{desk.language}")
    expect(told).to_contain_text("Lunes a viernes")
    expect(other.locator("#field-footer")).to_have_value("Horario: 9 a 18")
    other.close()
    desk.open(f"/messages/{desk.account('dunned')}")
    desk.sees(pay, desk.company_name, "Calle 9", "Santiago", phone, "Lunes a viernes")


def test_each_kind_of_message_is_switched_on_and_off(desk: Desk) -> None:
    """S4-03, S4-04, S4-07 … S4-12, S1-24, B-20: from a day on each new invoice brings a mail, and old ones are chased whose due dates
    the start date covers; a payment is thanked for, all that is owed told on its day, with the statement; what is due soon
    is said before it is due; who was reminded of what he had paid is told that we were wrong. Switched off, none of it is sent.
    """
    today, account = desk.house.today, desk.account("starting")
    start = datetime.date(2026, 1, 10)
    switches = {"invoice_messages": "true", "correction_messages": "true", "statements": "monthly"}
    days = {"statement_day": f"{desk.house.tomorrow.day}", "past_from": f"{start}", "new_from": f"{today}"}
    desk.open_settings("/profile")
    desk.ask("/profile", **switches, **days)
    issue = partial(_issue, desk, issued_on=today - 70 * _DAY)
    issue("before", due_on=start - _DAY, amount="10.00")
    issue("covered", due_on=start, amount="20.00")
    issue("new", issued_on=today, due_on=today, amount="70.00")
    desk.house.pass_hour()
    announced = desk.mail("starting", step="invoice_issued")
    assert f"new-{desk.language}" in announced["Subject"]
    assert "IBAN 12 3456" in desk.text(announced)  # as every message, from the profile
    reminded = desk.text(desk.mail("starting", step="first"))
    named = [each in reminded for each in _issued(desk, "before", "covered", "new")]
    assert [False, True, True] == named
    _pay(desk, "covered", on=today - 2 * _DAY, amount="20.00")
    desk.house.pass_hour()
    corrected = desk.text(desk.mail("starting", step="correction"))
    assert [False, True, False] == [each in corrected for each in _issued(desk, "before", "covered", "new")]
    desk.open_settings("/profile")
    desk.ask("/profile", payment_messages="true", correction_messages="false")
    desk.open_customer("starting", f"/document?document=before-{desk.language}")
    expect(desk.page.locator("section").filter(has=desk.page.locator("#history"))).to_contain_text(
        desk.w["reasons"]["before_start"]
    )
    desk.open_customer("starting", "/receipts/new")
    form = desk.form("/receipts")
    desk.fill(form, {"total": "70.00", "on": f"{today}", "means": "transfer"})
    form.locator("button").click()
    desk.done()
    desk.open_customer("dunned", "/next?days=60")
    coming = desk.row(desk.day(COMING))
    expect(coming).to_contain_text(desk.w["levels"]["courtesy"])
    desk.open_settings("/profile")
    desk.ask("/profile", invoice_messages="false", courtesies="false")
    desk.open_customer("dunned", "/next?days=60")
    expect(coming).to_have_count(0)
    issue("silent", issued_on=today, due_on=today + 30 * _DAY, amount="5.00")
    desk.house.pass_day()
    desk.open(f"/reports/sent?account={account}")
    for kind in ("invoice_issued", "payment_received", "statement"):
        expect(desk.row(desk.w["levels"][kind])).to_be_visible()
    thanks = desk.text(desk.mail("starting", step="payment_received"))
    assert desk.money("70.00").replace("\N{NO-BREAK SPACE}", " ") in thanks
    statement = desk.mail("starting", step="statement")
    assert ["application/pdf"] == [each.get_content_type() for each in statement.iter_attachments()]
    assert f"silent-{desk.language}" in desk.text(statement)
    desk.open_settings("/profile")
    desk.ask("/profile", payment_messages="false", statements="off", courtesies="true")


def _issued(desk: Desk, *names: str) -> list[str]:
    return [f"{each}-{desk.language}" for each in names]


def _issue(desk: Desk, name: str, *, issued_on: datetime.date, due_on: datetime.date, amount: str) -> None:
    """Let the billing system tell of an invoice."""
    desk.house.played.publish(
        _invoice(desk, name, issued_on=issued_on, due_on=due_on, amount=amount, to="starting")
    )


def _invoice(
    desk: Desk, name: str, *, issued_on: datetime.date, due_on: datetime.date, amount: str, to: str
) -> InvoiceIssued:
    company, _, customer = desk.account(to).partition(":")
    return InvoiceIssued(
        company=company,
        customer=customer,
        occurred_at=issued_on.isoformat(),
        document=f"{name}-{desk.language}",
        amount=amount,
        currency=COMPANIES[desk.language].currency,
        due_date=due_on,
    )


def _pay(desk: Desk, name: str, *, on: datetime.date, amount: str) -> None:
    """Let the billing system tell of money that had come on a day, and names its invoice."""
    company, _, customer = desk.account("starting").partition(":")
    payment = PaymentReceived(
        company=company,
        customer=customer,
        occurred_at=on.isoformat(),
        payment=f"late-{name}-{desk.language}",
        amount=amount,
        currency=COMPANIES[desk.language].currency,
        lines=(PaymentLine(document=f"{name}-{desk.language}"),),
    )
    desk.house.played.publish(payment)


def test_a_plan_is_tried_on_what_happened_then_published_and_taken_on(desk: Desk) -> None:
    """S0-15, S0-22, S0-23, S2-03, S2-04, S2-07, S2-10, S3-05, S3-06, U-1: the levels as a table; a fault at its line; who would have been written to, drawn and as a
    table, customer by customer; published once confirmed; documents that have begun are moved after a look at which.
    """
    words = desk.w["plans"]
    desk.open_settings("/plans/default")
    for offset in ("-3", "+15", "+60"):
        expect(desk.page.locator("tbody tr").filter(has_text=offset)).to_have_count(1)
    desk.shot("plan")
    text = desk.page.locator("#plan-text").input_value()
    desk.page.locator("#plan-text").fill(text.replace("offset_days: 60", "offset_days: soon"))
    desk.press(words["check"])
    wrong = 1 + text.split("\n").index(next(each for each in text.split("\n") if "offset_days: 60" in each))
    expect(desk.page.locator(".problems")).to_contain_text(words["line"].format(line=wrong))
    desk.page.locator("#plan-text").fill(text.replace("offset_days: 15", "offset_days: 7"))
    desk.press(words["check"])
    expect(desk.page.locator(".difference")).to_contain_text("offset_days: 7")
    desk.press(desk.w["what_if"]["from_plan"])
    finished = desk.page.get_by_role("link", name=desk.w["what_if"]["finished"])
    expect(finished).to_be_visible(timeout=90_000)
    finished.click()
    names = desk.w["what_if"]
    expect(desk.drawn(names["chart"]).get_by_text(names["other"], exact=True)).to_be_visible()
    weeks = desk.figures(names["chart"])
    monday = PLAYED[7] - PLAYED[7].weekday() * _DAY
    assert int(weeks[desk.day(monday)][names["other"]]) > int(weeks[desk.day(monday)][names["now"]])
    told = desk.page.locator("section").filter(has=desk.page.locator("#differences")).locator("tbody tr")
    for which, days in (("other", 7), ("now", 15)):
        of = told.filter(has_text=desk.account("dunned")).filter(has_text=desk.day(PLAYED[days]))
        expect(of.first).to_contain_text(names[which])
        expect(of.first).to_contain_text(desk.w["levels"]["second"])
    desk.shot("what-if")
    desk.open_settings("/plans/default")
    desk.page.locator("#plan-text").fill(text.replace("offset_days: 60", "offset_days: 45"))
    desk.press(words["check"])
    desk.press(words["publish"].format(version=2))
    desk.done()
    desk.follow(words["migration"])
    expect(desk.row(desk.document("dunned", 1))).to_contain_text("1 → 2")
    desk.press(words["migrate"].format(version=2))
    desk.done()
    desk.sees(words["moves"].format(count=0))


def _has_been_told_of(desk: Desk, name: str) -> bool:
    return any(f"{name}-{desk.language}" in desk.text(each) for each in desk.mails("newer", step="first"))


def test_credits_are_matched_before_anything_is_sent(desk: Desk) -> None:
    """S0-01, S2-21, S3-02, S4-23, R21: what is due today waits for the bank, until an approver says why not; a credit without an owner is
    booked on the customer and the invoice that it pays.
    """
    words = desk.w["banks"]
    desk.open_settings("/profile")
    desk.ask("/profile", bank_accounts="MAIN")
    today = desk.house.today
    owed = _invoice(desk, "gated", issued_on=today - 30 * _DAY, due_on=today, amount="90.00", to="newer")
    desk.house.played.publish(owed)
    desk.house.pass_hour()
    assert not _has_been_told_of(desk, "gated")
    desk.open_customer("newer", f"/document?document=gated-{desk.language}")
    history = desk.page.locator("section").filter(has=desk.page.locator("#history"))
    expect(history).to_contain_text(desk.w["reasons"]["bank_gate"])
    desk.open_settings("/banks")
    desk.sees(words["waiting"], words["never"])
    desk.ask("/override", reason="the feed is down")
    desk.sees("the feed is down")
    desk.house.pass_hour()
    assert _has_been_told_of(desk, "gated")
    desk.page.get_by_label(f"{words['match']} LINE-{desk.language}").click()
    expect(desk.page.locator("ul[aria-labelledby=whose]")).to_contain_text(desk.w["bank_whys"]["tax_id"])
    desk.follow(desk.name("banked"))
    paid = desk.page.locator(f"[name=document][value='{desk.document('banked', 2)}']")
    expect(paid).to_be_checked()
    desk.shot("bank")
    desk.press(words["book"].format(name=desk.name("banked")))
    desk.done()
    desk.sees(words["none"])
    desk.open_customer("banked")
    desk.sees(desk.money(BANK_LINE))
    known = {"company": desk.company, "bank_account": "MAIN", "occurred_at": desk.house.today.isoformat()}
    desk.house.played.publish(BankReconciled(**known, through=desk.house.today.isoformat()))
    desk.open_settings("/banks")
    desk.sees(words["fresh"])
    desk.open_settings("/profile")
    desk.ask("/profile", bank_accounts="")
    desk.open_settings("/banks")
    desk.sees(words["off"])


def test_what_is_missing_is_told_and_the_first_run_goes_in_portions(desk: Desk) -> None:
    """S4-01, S4-03, S4-24: ready or not, with the way to mend it; customers are selected, many at once; daily portions are seen before they are
    set.
    """
    desk.open_settings("/ready")
    desk.press(desk.w["ready"]["check"])
    expect(desk.row(desk.w["ready_points"]["plan"])).to_be_visible()
    desk.open_settings("/enrolment")
    words = desk.w["enrolment"]
    for kind in ("agreed", "banked"):
        desk.row(desk.name(kind)).locator("input[type=checkbox]").check()
    desk.press(words["enrol"])
    desk.done()
    for kind in ("agreed", "banked"):
        expect(desk.row(desk.name(kind))).to_contain_text(words["enrolled"])
    desk.page.locator("[name=per_day]").fill("8")
    desk.press(words["preview"])
    expect(desk.page.locator("section[aria-labelledby=portions] tbody tr")).to_have_count(2)


def test_somebody_new_gets_a_role_and_is_shut_out_again(desk: Desk) -> None:
    """Users: a password that is shown once and good for choosing another; what his role may not do, he is not offered; the audit has it."""
    user, words = f"nora-{desk.language}", desk.w["users"]
    desk.open("/users")
    form = desk.form("/users")
    desk.fill(form, {"user": user, "role": "collector", "language": desk.language})
    form.locator("button").click()
    password = desk.page.locator("code.password").inner_text()
    hers = desk.browser.new_context(base_url=desk.house.address, viewport=WIDE, locale=desk.language)
    page = hers.new_page()
    page.goto("/")
    page.locator("#user").fill(user)
    page.locator("#password").fill(password)
    page.locator("main button").click()
    page.locator("#password").fill(password)
    page.locator("#chosen").fill(PASSWORD)
    page.locator("#again").fill(PASSWORD)
    page.locator("main button").click()
    expect(page.locator(".done[role=status]")).to_be_visible()
    page.goto("/review")
    expect(page.get_by_role("button", name=re.compile(desk.w["review"]["approve"]))).to_have_count(0)
    desk.open(f"/users?user={user}")
    form = desk.form("/users/change")
    desk.fill(form, {"is_disabled": "true"})
    form.locator("button").click()
    expect(desk.row(user)).to_contain_text(words["disabled"])
    page.goto("/review")
    expect(page.locator("#password")).to_be_visible()
    hers.close()
    desk.open("/audit")
    expect(desk.row(f"ana-{desk.language}")).to_be_visible()


def test_texts_are_worded_by_the_company_and_who_is_not_written_to_is_listed(desk: Desk) -> None:
    """S2-05, S2-06, B-14: an own text of the first level, seen before it is saved; an address that nobody writes to, and again."""
    own = f"Palabras propias ({desk.language})"
    desk.open_settings(f"/texts/first/{desk.language}")
    first = desk.page.locator("main textarea").first
    first.fill(own)
    desk.press(desk.w["texts"]["try"])
    expect(desk.page.locator("section[aria-labelledby=looks]")).to_contain_text(own)
    desk.press(desk.w["customer"]["save"])
    expect(desk.page.locator(".done[role=status]")).to_be_visible()
    words, address = desk.w["suppressions"], f"nobody@{desk.company}.test"
    desk.open("/suppressions")
    desk.fill(desk.form("/suppressions", having="#address"), {"address": address, "reason": "asked to"})
    desk.press(words["add_do"])
    row = desk.row(address)
    expect(row).to_contain_text("asked to")
    row.locator("summary").click()
    row.locator("[name=reason]").fill("by mistake")
    row.get_by_role("button", name=words["remove"]).click()
    expect(row).to_have_count(0)
