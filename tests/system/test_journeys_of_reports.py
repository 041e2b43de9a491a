"""Reports in a real Chromium: read, drilled into, taken away as files, mailed."""

import datetime
import io
import re
import zipfile
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from console.web.inside.reporting.posting import Poster
from infra.database.engine import open_engine
from infra.database.presence import present
from infra.database.report_post import ReportPost
from infra.settings import Settings
from notifiers.assembly import open_channel, utc_now
from notifiers.settings import SendSettings, read_settings
from tests.system.console_house import PATIENCE_MS
from tests.system.desks import Desk
from tests.system.house_story import DUE, NOTED
from tests.system.prometheus import eventually

pytestmark = pytest.mark.packages
_DAY = datetime.timedelta(days=1)


def test_balances_by_age_lead_to_the_document_itself(desk: Desk) -> None:
    """S0-02, S0-03, S0-04, S1-26, S3-03, S3-04: who owes how much for how long, by one's own buckets; the name leads to the documents, and
    each of those to the file of the invoice, which opens; all of it as PDF, XLSX and CSV, where the same link stands.
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
    desk.follow(desk.name("waiting"))
    link = desk.row(desk.document("waiting", 1)).get_by_role("link", name=desk.w["reports"]["open_document"])
    address = str(link.get_attribute("href"))
    desk.file(address, begins=b"%PDF")
    documents = f"/reports/documents?account={desk.account('waiting')}"
    with zipfile.ZipFile(io.BytesIO(desk.file(f"{documents}&form=xlsx", begins=b"PK"))) as workbook:
        links = [workbook.read(each).decode() for each in workbook.namelist() if each.endswith(".rels")]
    assert any(address in each for each in links)
    printed = PdfReader(io.BytesIO(desk.file(f"{documents}&form=pdf", begins=b"%PDF")))
    led = [each.get_object()["/A"]["/URI"] for page in printed.pages for each in page.annotations or []]
    assert address in led


def test_the_reports_of_what_people_did_are_adapted_and_kept(desk: Desk) -> None:
    """S1-14, S1-15, S1-16, S1-17, S1-23, S1-27, S4-19: entries; customers without action, until somebody notes one; control of actions by the
    day of the next one; what was sent, the customers with contacts and documents, a statement; chosen columns, kept
    under a name and found by it.
    """
    desk.open("/reports/activity")
    desk.sees(NOTED[desk.language])
    desk.open("/reports/no_action")
    desk.is_titled(desk.w["reports"]["no_action"])
    expect(desk.row(desk.name("quiet"))).to_contain_text(desk.money("1730.90"))
    desk.sees_not(desk.name("dunned"))
    desk.open_customer("quiet")
    desk.ask("/notes", kind="note", text="looked at")
    desk.open("/reports/no_action")
    desk.sees_not(desk.name("quiet"))
    desk.open("/reports/actions")
    desk.is_titled(desk.w["reports"]["actions"])
    expect(desk.row(desk.name("quiet"))).to_contain_text(desk.day(desk.house.today + 15 * _DAY))
    expect(desk.row(desk.name("quiet"))).to_contain_text(desk.day(DUE))
    desk.open("/reports/sent")
    expect(desk.row(desk.name("dunned"))).to_be_visible()
    desk.open("/reports")
    desk.page.locator("main").get_by_role("link", name=desk.w["reports"]["statement"], exact=True).click()
    desk.sees(desk.w["reports"]["choose"])
    desk.page.locator("[name=account]").fill(desk.name("paying"))
    desk.press(desk.w["today"]["show"])
    desk.follow(desk.name("paying"))
    desk.sees(f"PAY-{desk.language}")
    desk.open("/reports/customers")
    expect(desk.row(desk.name("dunned"))).to_contain_text(desk.money("1830.85"))
    desk.open("/reports/customers?columns=customer&columns=contacts&columns=receivables")
    expect(desk.table(desk.w["reports"]["customers"]).locator("thead th")).to_have_count(3)
    desk.page.locator("main summary").filter(has_text=desk.w["reports"]["keep"]).click()
    desk.page.locator("#name").fill("Short")
    desk.press(desk.w["reports"]["keep_do"])
    desk.open("/reports/customers")
    desk.page.locator(".chips").get_by_role("link", name="Short").click()
    expect(desk.table(desk.w["reports"]["customers"]).locator("thead th")).to_have_count(3)


def test_the_executive_summary_and_its_trend_are_read(desk: Desk) -> None:
    """S0-27, S0-28, S0-29: DSO beside the share paid late and promises kept; how they went, month by month, drawn."""
    desk.open(f"/reports/figures?company={desk.company}&days=60")
    expect(desk.table(desk.w["reports"]["figures"]).locator("thead")).to_contain_text(
        desk.w["columns"]["dso"]
    )
    expect(desk.page.locator("tbody tr")).to_have_count(1)
    desk.follow(desk.w["reports"]["trend_charts"])
    expect(desk.page.locator(".drawing svg").first).to_be_visible()
    desk.follow(desk.w["reports"]["trend"])
    expect(desk.table(desk.w["reports"]["trend"]).locator("thead")).to_contain_text(desk.w["columns"]["dso"])
    desk.file(f"/reports/trend?company={desk.company}&form=xlsx", begins=b"PK")


def test_what_may_come_in_is_foreseen(desk: Desk) -> None:
    """U-9: week by week what may come in, and what has no day with the reason; taken away as a file."""
    desk.open(f"/reports/cash?company={desk.company}")
    expect(desk.table(desk.w["reports"]["cash"]).locator("thead")).to_contain_text(
        desk.w["columns"]["expected"]
    )
    expect(desk.page.locator("tbody tr").first).to_be_visible()
    desk.file(f"/reports/cash?company={desk.company}&form=xlsx", begins=b"PK")


def test_a_report_goes_by_mail_now_and_at_the_months_end(desk: Desk) -> None:
    """S1-24, S1-25: to addresses that an administrator has allowed and to no others; as PDF; by a timetable, once at the end of each month
    and no more when it is ended.
    """
    words, place, chief = desk.w["mail"], f"@{desk.company}.test", f"chief@{desk.company}.test"
    desk.open("/reports/mail")
    desk.page.locator("#pattern").fill(place)
    desk.page.locator("#company").select_option(desk.company)
    desk.press(words["allow"])
    desk.sees(place)
    desk.open(f"/reports/statement?account={desk.account('paying')}")
    desk.page.locator("main summary").filter(has_text=words["title"]).click()
    desk.fill(desk.form("/mail"), {"to": chief, "form": "pdf"})
    desk.press(words["now_do"])
    desk.sees(words["by"], chief)
    _await_mail(desk.house.settings, to=chief)
    desk.open("/reports/mail")
    expect(desk.row(chief)).to_contain_text(desk.w["mail_states"]["sent"])
    desk.open("/reports/aged")
    desk.page.locator("main summary").filter(has_text=words["title"]).click()
    desk.fill(
        desk.form("/schedules"), {"to": chief, "form": "pdf", "every": "month", "monthday": "31", "hour": "6"}
    )
    desk.press(words["schedule_do"])
    expect(desk.row(desk.w["reports"]["aged"])).to_contain_text(chief)
    first, second, third = _ends_of_months(3)
    assert 0 == _carry_out(desk.house.settings, at=first - datetime.timedelta(seconds=1))
    assert [1, 0, 1] == [_carry_out(desk.house.settings, at=each) for each in (first, first, second)]
    desk.open("/reports/mail")
    went = desk.page.locator("section[aria-labelledby=mails] tbody tr").filter(
        has_text=words["was_scheduled"]
    )
    expect(went).to_have_count(2)
    expect(went.first).to_contain_text(desk.w["mail_states"]["sent"])
    mails = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in desk.house.posted(f"{desk.company}:report", channel="email", step="aged")
    ]
    assert [chief, chief] == [each["To"] for each in mails]
    for each in mails:
        [file] = each.iter_attachments()
        assert file.get_content().startswith(b"%PDF")
    ending = desk.page.get_by_role("button", name=re.compile(re.escape(words["end"])))
    ending.first.click()
    desk.sees(words["no_schedules"])
    assert 0 == _carry_out(desk.house.settings, at=third)


def _ends_of_months(count: int) -> list[datetime.datetime]:
    """Give the next last days of months, at six."""
    found: list[datetime.datetime] = []
    day = utc_now().date()
    while len(found) < count:
        day += _DAY
        if (day + _DAY).day == 1:
            found.append(datetime.datetime.combine(day, datetime.time(6), datetime.UTC))
    return found


def _await_mail(settings: Settings, *, to: str) -> None:
    """Wait until the installation's own ``cobranza reports``, which looks every few seconds, has carried a mail."""
    engine = open_engine(settings.database)
    try:
        post = ReportPost(engine)
        eventually(
            lambda: [each.state for each in post.mailings(limit=100) if each.recipient == to],
            wanted=lambda states: states == ["sent"],
            within_s=PATIENCE_MS / 1000,
        )
    finally:
        engine.dispose()


def _carry_out(settings: Settings, *, at: datetime.datetime) -> int:
    """Do what ``cobranza reports`` does at an instant; give how many mails it carried."""
    engine = open_engine(settings.database)
    try:
        send = read_settings(SendSettings)
        channel = open_channel("email", settings=settings, send=send, engine=engine, clock=lambda: at)
        poster = Poster(engine, channel=channel, clock=lambda: at)
        # Who is not there has left its mails behind: the installation's own process would make them again.
        with present(engine, owner=poster.owner):
            poster.plan()
            return sum(1 for _ in iter(poster.carry, False))
    finally:
        engine.dispose()


def test_a_report_of_a_day_long_ago_is_as_it_was(desk: Desk) -> None:
    """S0-02: exact as of any day: before the first due date nothing was overdue."""
    desk.open(f"/reports/aged?on={DUE.isoformat()}&columns=customer&columns=bucket_0")
    expect(desk.row(desk.name("dunned"))).to_contain_text(desk.money("1830.85"))
