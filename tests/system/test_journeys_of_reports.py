"""Reports in a real Chromium: read, drilled into, taken away as files, mailed."""

import re

import pytest
from playwright.sync_api import expect

from console.web.inside.reporting.posting import Poster
from infra.database.engine import open_engine
from infra.settings import Settings
from notifiers.assembly import open_channel, utc_now
from notifiers.settings import SendSettings, read_settings
from tests.system.desks import Desk
from tests.system.house_story import DUE

pytestmark = [pytest.mark.packages, pytest.mark.timeout(300)]


def test_balances_by_age_lead_to_the_document_itself(desk: Desk) -> None:
    """S0-02, S0-03, S0-04, S1-26, S3-03, S3-04: who owes how much for how long, by one's own buckets; the name leads to the documents, and
    each of those to the file of the invoice; all of it as PDF, XLSX and CSV.
    """
    desk.open("/reports/aged")
    desk.is_titled(desk.w["reports"]["aged"])
    desk.page.locator("[name=edges]").fill("10, 20, 40")
    desk.press(desk.w["today"]["show"])
    expect(desk.table(desk.w["reports"]["aged"]).locator("thead")).to_contain_text("11–20")
    expect(desk.row(desk.name("dunned"))).to_contain_text(desk.money("1730.90"))
    desk.shot("report")
    for form, begins in (("csv", b""), ("xlsx", b"PK"), ("pdf", b"%PDF")):
        desk.file(f"/reports/aged?form={form}", begins=begins)
    desk.follow(desk.name("dunned"))
    link = desk.row(desk.document("dunned", 1)).get_by_role("link", name=desk.w["reports"]["open_document"])
    expect(link).to_have_attribute("href", f"https://invoices.test/{desk.document('dunned', 1)}.pdf")


def test_the_reports_of_what_people_did_are_adapted_and_kept(desk: Desk) -> None:
    """S1-14, S1-15, S1-16, S1-17, S1-23, S1-27, S4-19: entries, customers without action, control of actions by the day of the next one, what was sent,
    the customers with contacts and documents, a statement; chosen columns, kept under a name.
    """
    desk.open("/reports/activity")
    desk.sees("Wants invoices by order number.")
    for report in ("no_action", "actions"):
        desk.open(f"/reports/{report}")
        desk.is_titled(desk.w["reports"][report])
    expect(desk.page.locator("tbody tr").first).to_be_visible()
    desk.open("/reports/sent")
    expect(desk.row(desk.name("dunned"))).to_be_visible()
    desk.open(f"/reports/statement?account={desk.account('paying')}")
    desk.sees(f"PAY-{desk.language}")
    desk.open("/reports/customers?columns=customer&columns=contacts&columns=receivables")
    expect(desk.table(desk.w["reports"]["customers"]).locator("thead th")).to_have_count(3)
    desk.page.locator("main summary").filter(has_text=desk.w["reports"]["keep"]).click()
    desk.page.locator("#name").fill("Short")
    desk.press(desk.w["reports"]["keep_do"])
    expect(desk.page.locator(".chips")).to_contain_text("Short")


def test_the_executive_summary_and_its_trend_are_read(desk: Desk) -> None:
    """S0-27, S0-28, S0-29: DSO beside the share paid late and promises kept; how they went, month by month, drawn."""
    desk.open(f"/reports/figures?company={desk.company}&days=60")
    expect(desk.table(desk.w["reports"]["figures"]).locator("thead")).to_contain_text(
        desk.w["columns"]["dso"]
    )
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    desk.follow(desk.w["reports"]["trend"])
    expect(desk.page.locator(".drawing svg").first).to_be_visible()


def test_a_report_goes_by_mail_now_and_at_the_months_end(desk: Desk) -> None:
    """S1-24, S1-25: to addresses that an administrator has allowed and to no others; as PDF; by a timetable that is ended again."""
    words, place = desk.w["mail"], f"@{desk.company}.test"
    desk.open("/reports/mail")
    desk.page.locator("#pattern").fill(place)
    desk.page.locator("#company").select_option(desk.company)
    desk.press(words["allow"])
    desk.sees(place)
    desk.open(f"/reports/statement?account={desk.account('paying')}")
    desk.page.locator("main summary").filter(has_text=words["title"]).click()
    desk.fill(desk.form("/mail"), {"to": f"chief{place}", "form": "pdf"})
    desk.press(words["now_do"])
    desk.sees(words["by"], f"chief{place}", desk.w["mail_states"]["waiting"])
    _carry_out(desk.house.settings)
    desk.open("/reports/mail")
    expect(desk.row(f"chief{place}")).to_contain_text(desk.w["mail_states"]["sent"])
    desk.open("/reports/aged")
    desk.page.locator("main summary").filter(has_text=words["title"]).click()
    planned = {"to": f"chief{place}", "every": "month", "monthday": "31", "hour": "6"}
    desk.fill(desk.form("/schedules"), planned)
    desk.press(words["schedule_do"])
    ending = desk.page.get_by_role("button", name=re.compile(re.escape(words["end"])))
    ending.first.click()
    desk.sees(words["no_schedules"])


def _carry_out(settings: Settings) -> None:
    """Do what ``cobranza reports`` does with what waits."""
    engine = open_engine(settings.database)
    try:
        send = read_settings(SendSettings)
        channel = open_channel("email", settings=settings, send=send, engine=engine, clock=utc_now)
        assert Poster(engine, channel=channel, clock=utc_now).carry()
    finally:
        engine.dispose()


def test_a_report_of_a_day_long_ago_is_as_it_was(desk: Desk) -> None:
    """S0-02: exact as of any day: before the first due date nothing was overdue."""
    desk.open(f"/reports/aged?on={DUE.isoformat()}&columns=customer&columns=bucket_0")
    expect(desk.row(desk.name("dunned"))).to_contain_text(desk.money("1830.85"))
