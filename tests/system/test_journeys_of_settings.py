"""Settings in a real Chromium: the company's profile, its plan and what another would have done, banks, going live, users."""

import datetime
import re
from decimal import Decimal
from functools import partial

import pytest
from playwright.sync_api import Locator, expect

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
    desk.ask("/profile", **switches, **days, payment_instructions="IBAN 12 3456")
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
    """S0-15, S0-22, S0-23, S2-03, S2-04, S2-07, S2-10, S3-05, S3-06, U-1, B-13: the levels of the sample plan as a table, by days, channels and
    calls, with who gets copies; a fault at its line; who would have been written to, drawn and as a table, customer by customer, and what it
    would have cost; a level that asks a person; published once confirmed; documents that have begun are moved after a look at which.
    """
    words = desk.w["plans"]
    desk.open_settings("/plans/default")
    _is_the_sample(desk)
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
    _cost_something(desk)
    desk.shot("what-if")
    desk.open_settings("/plans/default")
    asking = text.replace("offset_days: 60", "offset_days: 45\n  automatic: false")
    desk.page.locator("#plan-text").fill(asking)
    desk.press(words["check"])
    third = desk.page.locator("tbody tr").filter(has=desk.page.locator("th", has_text="third"))
    expect(third).to_contain_text(words["manual"])
    desk.page.locator("#plan-text").fill(text.replace("offset_days: 60", "offset_days: 45"))
    desk.press(words["check"])
    desk.press(words["publish"].format(version=2))
    desk.done()
    desk.follow(words["migration"])
    expect(desk.row(desk.document("dunned", 1))).to_contain_text("1 → 2")
    desk.press(words["migrate"].format(version=2))
    desk.done()
    desk.sees(words["moves"].format(count=0))


def _is_the_sample(desk: Desk) -> None:
    """Read the levels of the plan: days, channels, calls, that they go out by themselves, and who gets copies."""
    words = desk.w["plans"]
    sample = {
        "courtesy": (3, "plan_anchors_before", ("email",)),
        "first": (0, "plan_anchors", ("email", "letter")),
        "second": (15, "plan_anchors_after", ("email", "task")),
        "third": (60, "plan_anchors_after", ("email", "letter")),
    }
    for level, (days, anchors, channels) in sample.items():
        row = desk.page.locator("tbody tr").filter(has=desk.page.locator("th", has_text=level))
        due = desk.w[anchors]["due_date"]
        expect(row.locator("td").first).to_have_text(re.compile(rf"^{days}\s*{due}$"))
        for text in (*(desk.w["channels"][each] for each in channels), words["automatic"]):
            expect(row).to_contain_text(text)
        copies = f"{words['copies']} {desk.w['plan_roles']['finance']}"
        expect(row.filter(has_text=copies)).to_have_count(1 if level in ("first", "second") else 0)


def _cost_something(desk: Desk) -> None:
    """Read what a what-if has reckoned: cost by currency, as it was and as it would have been, and the busiest week of a customer."""
    costs = _figures(desk, desk.w["what_if"]["cost"]).all_inner_texts()
    now, other = (Decimal(each.removeprefix("EUR ")) for each in costs)
    assert other >= now > 0
    worst = _figures(desk, desk.w["what_if"]["worst_week"])
    expect(worst).to_have_text([re.compile(r"^[1-9]$")] * 2)


def _figures(desk: Desk, what: str) -> Locator:
    """Find what a what-if says of something: as it was, and as it would have been."""
    named = desk.page.get_by_role("rowheader", name=what, exact=True)
    return desk.page.locator("#run tbody tr").filter(has=named).locator("td")


# A law is read through in the same words as a plan; to fold all that happened costs as much once more.
@pytest.mark.parametrize("desk", ["es"], indirect=True)
def test_another_law_is_tried_on_what_happened(desk: Desk) -> None:
    """U-1, B-01: how often a person was written to, by all companies, against what the strictest law allows; under it this company would
    have written no more often; and what it would not have sent.
    """
    words = desk.w["what_if"]
    desk.open_settings("/what-if")
    desk.fill(desk.form("/what-if"), {"profile": "strict"})
    desk.press(words["start"])
    finished = desk.page.get_by_role("link", name=words["finished"])
    expect(finished).to_be_visible(timeout=90_000)
    finished.click()
    limit = words["window"].format(law="strict", what=desk.w["what_if_counted"]["message"], days=2, at_most=1)
    counted = _figures(desk, limit)
    expect(counted).to_have_text([re.compile(r"^\d+; \d+ ")] * 2)
    now, other = ([int(each) for each in re.findall(r"\d+", text)] for text in counted.all_inner_texts())
    assert now >= other
    told = desk.page.locator("section").filter(has=desk.page.locator("#differences")).locator("tbody tr")
    expect(told.filter(has_text=words["now"]).first).to_be_visible()


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
    """S4-01, S4-03, S4-24: ready or not, with the way to mend it; customers are selected, many at once, and where only those are followed up
    the others are not written to, and it is said why; daily portions are seen before they are set.
    """
    desk.open_settings("/ready")
    desk.press(desk.w["ready"]["check"])
    expect(desk.row(desk.w["ready_points"]["plan"])).to_be_visible()
    _only_selected_are_written_to(desk)
    words = desk.w["enrolment"]
    desk.open_settings("/enrolment")
    desk.page.locator("[name=per_day]").fill("8")
    desk.press(words["preview"])
    expect(desk.page.locator("section[aria-labelledby=portions] tbody tr")).to_have_count(2)


def _only_selected_are_written_to(desk: Desk) -> None:
    """Select two of three, each of whom owes something new: these get a mail of it; afterwards all are followed up again."""
    chosen, words = ("banked", "starting"), desk.w["enrolment"]
    desk.open_settings("/profile")
    desk.ask("/profile", enrolment="selected", invoice_messages="true")
    desk.open_settings("/enrolment")
    desk.sees(words["selected"])
    for kind in chosen:
        desk.row(desk.name(kind)).locator("input[type=checkbox]").check()
    desk.press(words["enrol"])
    desk.done()
    for kind in chosen:
        expect(desk.row(desk.name(kind))).to_contain_text(words["enrolled"])
    expect(desk.row(desk.name("newer"))).to_contain_text(words["not_enrolled"])
    today = desk.house.today
    for kind in (*chosen, "newer"):
        new = _invoice(desk, f"opted-{kind}", issued_on=today, due_on=today, amount="8.00", to=kind)
        desk.house.played.publish(new)
    desk.house.pass_day()
    for kind in (*chosen, "newer"):
        mails = [desk.text(each) for each in desk.mails(kind, step="invoice_issued")]
        assert (kind in chosen) == any(f"opted-{kind}" in each for each in mails), kind
    desk.open_customer("newer", f"/document?document=opted-newer-{desk.language}")
    history = desk.page.locator("section").filter(has=desk.page.locator("#history"))
    expect(history).to_contain_text(desk.w["reasons"]["not_enrolled"])
    desk.open_settings("/profile")
    desk.ask("/profile", enrolment="all", invoice_messages="false")
    desk.house.pass_hour()  # what waited for a person waits again


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
    """S2-05, S2-06, B-14: own texts of the first level, a mail's and an SMS's, seen before they are saved, the SMS with its segments; a
    message has them then; an address that nobody writes to, and again.
    """
    own, short = f"Palabras propias ({desk.language})", f"SMS propio ({desk.language})"
    desk.open_settings(f"/texts/first/{desk.language}")
    for part, text in (("opening", own), ("sms", short)):
        desk.page.get_by_label(desk.w["text_parts"][part], exact=True).fill(text)
    desk.press(desk.w["texts"]["try"])
    looks = desk.page.locator("section[aria-labelledby=looks]")
    expect(looks).to_contain_text(own)
    expect(looks.locator("blockquote").last).to_contain_text(short)
    expect(looks).to_contain_text(desk.w["texts"]["segments"].partition(",")[0].format(count=1))
    desk.press(desk.w["customer"]["save"])
    expect(desk.page.locator(".done[role=status]")).to_be_visible()
    _is_worded_so(desk, short)
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


def _is_worded_so(desk: Desk, short: str) -> None:
    """Look at what waits for approval as an SMS with the texts of the first level: it is the company's own."""
    desk.open("/review")
    card = desk.page.locator("main section[aria-labelledby]").filter(has_text=desk.name("quiet"))
    card.locator("summary").click()
    card.locator("[name=template]").fill("first")
    card.locator("[name=channels][value=sms]").check()
    with desk.page.expect_popup() as tried:
        card.get_by_role("button", name=desk.w["process"]["preview"]).click()
    expect(tried.value.locator("main blockquote")).to_contain_text(short)
    tried.value.close()
