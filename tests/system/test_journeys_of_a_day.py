"""A credit controller's day in a real Chromium, on real Kafka, ledger and read model: the list, calls, reminders let go.

In three languages on SQLite, in one on PostgreSQL. Screenshots are in the test's folder, and in
``COBRANZA_SCREENSHOTS`` where that is set.
"""

import datetime
import re

import pytest
from playwright.sync_api import Locator, expect

from console.web.inside.showing import words_of
from tests.system.console_house import CUT_OFF
from tests.system.desks import WIDE, Desk
from tests.system.house_story import COMING, DUE, LANGUAGES, PLAYED

pytestmark = pytest.mark.packages
_DAY = datetime.timedelta(days=1)
_OLD = ("old", "older", "refused", "listed")


def test_the_morning_begins_with_the_worklist(desk: Desk) -> None:
    """S0-19, S0-21, S0-26, S1-07, S1-08, S2-11, B-16: who broke a promise comes before who is late; by reason, by days overdue;
    a filter is kept for tomorrow, and deleted.
    """
    words = desk.w["today"]
    desk.open("/")
    desk.is_titled(words["title"])
    rows = desk.page.locator("tbody tr")
    expect(rows.first).to_contain_text(desk.w["whys"]["broken_promise"])
    expect(rows.first.locator(".dot")).to_be_visible()
    desk.shot("today")
    desk.filter(why="proposal")
    for row in rows.all():
        expect(row).to_contain_text(desk.w["whys"]["proposal"])
    desk.page.locator("main summary").filter(has_text=desk.w["filters"]["keep"]).click()
    desk.page.locator("#filter-name").fill("Pending 1")
    desk.press(desk.w["filters"]["keep_it"])
    desk.open("/")
    desk.sees(desk.name("dunned"))
    desk.page.locator(".chips").get_by_role("link", name="Pending 1").click()
    expect(desk.page.locator(".filters [name=why]")).to_have_value("proposal")
    desk.sees(desk.name("waiting"))
    desk.sees_not(desk.name("dunned"))
    desk.press(f"{desk.w['filters']['delete']}: Pending 1")
    expect(desk.page.locator(".chips")).to_have_count(0)
    desk.filter(why="no_action")
    desk.sees(desk.name("quiet"))
    desk.sees_not(desk.name("dunned"))
    desk.filter(why="", days="60")
    expect(rows).to_have_count(4)
    desk.sees(desk.name("old"))
    desk.filter(days="5000")
    expect(desk.page.locator(".empty")).to_be_visible()


def test_the_list_is_asked_for_customers_of_a_sort(desk: Desk) -> None:
    """S0-19, S0-26, S2-15, S2-22: by trust, by who is in charge, by the last level, those of whom all is held; of one company, for who
    sees several; together, too.
    """
    rows, name = desk.page.locator("tbody tr"), desk.name("quiet")
    desk.open_customer("quiet")
    desk.ask("/trust", trust="bad")
    desk.ask("/responsible", responsible=f"Rosa {desk.language}")
    desk.ask("/holds", kind="snoozed", reason="on holiday", until=(desk.house.today + 9 * _DAY).isoformat())
    desk.house.pass_hour()
    desk.open("/")
    desk.filter(trust="bad")
    expect(desk.row(name)).to_be_visible()
    expect(rows.filter(has=desk.page.locator(".dot.bad"))).to_have_count(rows.count())
    desk.filter(trust="", why="all_held")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(name)
    desk.filter(why="", responsible=f"Rosa {desk.language}")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(name)
    desk.filter(trust="good")
    expect(desk.page.locator(".empty")).to_be_visible()
    desk.open("/")
    desk.filter(level="second")
    expect(desk.row(desk.name("dunned"))).to_contain_text(desk.w["levels"]["second"])
    desk.sees_not(name)
    desk.open_customer("quiet")
    desk.ask("/holds/release")
    ours = desk.house.arrive(desk.browser, "viewer", viewport=WIDE)
    page = ours.new_page()
    page.goto("/?days=60")
    expect(page.locator("tbody tr")).to_have_count(4 * len(LANGUAGES))
    page.locator(".filters [name=company]").select_option(desk.company)
    page.locator(".filters button").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page.locator("tbody")).to_contain_text(desk.account("old"))
    ours.close()


def test_a_call_is_logged_and_who_was_called_is_not_asked_again_too_soon(desk: Desk) -> None:
    """S0-11, S0-14, S0-16, S0-17, S1-11, S1-12, S1-13: "Ingresar registro" with kind, responsible, observations; it
    stays in the log, he is looked at again in 15 days, drops out of "sin llamar", and sending to him now needs a
    confirmation and a reason. Sent by a double click, and the page loaded again, it is logged once (issue 7, point 7).
    """
    said = f"Pagará el viernes ({desk.language})"
    desk.open("/?not_called=true")
    desk.sees(desk.name("promised"))
    desk.open_customer("promised")
    form = desk.form("/notes")
    desk.fill(form, {"kind": "conversation", "responsible": "Ana", "text": said})
    form.locator("button").dblclick()
    desk.done()
    logged = (
        desk.page.locator("section").filter(has=desk.page.locator("#log")).locator("li").filter(has_text=said)
    )
    for part in (desk.w["notes"]["conversation"], "Ana", f"ana-{desk.language}"):
        expect(logged).to_contain_text(part)
    desk.page.reload()
    expect(logged).to_have_count(1)
    desk.open("/?not_called=true")
    desk.sees_not(desk.name("promised"))
    desk.open("/")
    expect(desk.row(desk.name("promised"))).to_contain_text(desk.day(desk.house.today + 15 * _DAY))
    desk.open(f"/process?verb=send-now&accounts={desk.account('promised')}")
    expect(desk.page.locator("#soon")).to_contain_text(desk.name("promised"))
    desk.press(desk.w["verbs"]["send-now"])
    expect(desk.page.locator(".problems")).to_contain_text(desk.w["wrong_orders"]["not_confirmed"])
    desk.page.locator("#because").fill("asked for it by phone")
    desk.page.locator("#confirmed").check()
    desk.press(desk.w["verbs"]["send-now"])
    expect(desk.page).to_have_url(re.compile("/batches/"))
    desk.sees(desk.name("promised"))


def test_one_reminder_is_looked_at_changed_and_let_go(desk: Desk) -> None:
    """S0-05, S0-06, S1-10, S2-05, S2-16, S2-18, S4-13, R19: contact, subject, documents, due dates and total as they will be; another
    text, by SMS and letter instead of by mail, tried out before it is saved; approved, that is what goes out, and nothing else. Another
    one is dropped, and put back (B-10).
    """
    words, text, others = desk.w["review"], f"Estimada Zoë ({desk.language}):", ("sms", "letter")
    desk.open(f"/messages/{desk.account('manual')}")
    desk.sees(
        desk.w["message"]["subject"], "Zoë", f"zoe@manual-{desk.language}.test", desk.document("manual", 1)
    )
    desk.sees(desk.day(DUE), desk.money("1250.00"), desk.money("1730.90"))
    desk.open("/review")
    desk.is_titled(words["title"])
    desk.shot("review")
    card = desk.page.locator("main section").filter(has_text=desk.name("manual"))
    card.locator("summary").click()
    card.locator("textarea[name=text]").fill(text)
    for channel in others:
        card.locator(f"[name=channels][value={channel}]").check()
    with desk.page.expect_popup() as tried:
        card.get_by_role("button", name=desk.w["process"]["preview"]).click()
    expect(tried.value.locator("main")).to_contain_text(text)
    expect(tried.value.locator("main h2")).to_have_text([desk.w["channels"][each] for each in others])
    tried.value.close()
    card.get_by_role("button", name=desk.w["customer"]["save"]).click()
    desk.done()
    expect(card.locator("blockquote")).to_contain_text(text)
    for channel in others:
        expect(card.locator(".notice")).to_contain_text(desk.w["channels"][channel])
    card.get_by_role("button", name=re.compile(words["approve"])).click()
    desk.done()
    _drop_and_put_back(desk, desk.name("recalled"))  # the hour that goes by proposes it anew
    desk.house.pass_hour()
    desk.open("/reminders")
    rows = desk.page.locator("tbody tr").filter(has_text=desk.name("manual"))
    for channel in others:
        expect(rows.filter(has_text=desk.w["channels"][channel])).to_have_count(1)
    [written] = desk.posted("manual", channel="sms")
    assert text in written.read_text()
    assert [1, 0] == [len(desk.posted("manual", channel=each)) for each in ("letter", "email")]


def _drop_and_put_back(desk: Desk, name: str) -> None:
    card = desk.page.locator("main section[aria-labelledby]").filter(has_text=name)
    card.get_by_role("button", name=re.compile(desk.w["review"]["drop"])).click()
    desk.done()
    expect(card).to_have_count(0)
    desk.row(name).get_by_role("button", name=re.compile(desk.w["review"]["undo_drop"])).click()
    desk.done()
    expect(desk.row(name)).to_have_count(0)


def test_the_second_of_two_who_change_a_reminder_is_told(desk: Desk) -> None:
    """S0-05, R19 (issue 7, point 7): both have it before them; the first change stands, the second person reads that it was changed, and what."""
    mine, hers = f"First ({desk.language})", f"Second ({desk.language})"
    name = desk.name("recalled")
    other = desk.house.arrive(desk.browser, "approver", viewport=WIDE)
    theirs = other.new_page()
    theirs.goto(f"/review?company={desk.company}")
    second = theirs.locator("main section[aria-labelledby]").filter(has_text=name)
    second.locator("summary").click()
    second.locator("textarea[name=text]").fill(hers)
    desk.open("/review")
    first = desk.page.locator("main section[aria-labelledby]").filter(has_text=name)
    first.locator("summary").click()
    first.locator("textarea[name=text]").fill(mine)
    first.get_by_role("button", name=desk.w["customer"]["save"]).click()
    desk.done()
    second.get_by_role("button", name=words_of("en")["customer"]["save"]).click()
    expect(theirs.locator(".error[role=alert]")).to_have_text(words_of("en")["refusals"]["changed"])
    expect(second.locator("blockquote")).to_have_text(mine)
    other.close()
    desk.open("/review")
    expect(first.locator("blockquote")).to_have_text(mine)
    first.get_by_role("button", name=re.compile(desk.w["review"]["undo_changes"])).click()
    desk.done()


def test_a_reminder_is_called_back_before_it_goes(desk: Desk) -> None:
    """B-10, R19: approved, taken back, and approved again by mistake: while no provider has it yet
    it is called back with a click, and never goes.
    """
    words, name = desk.w["reminders"], desk.name("recalled")
    desk.open("/review")
    card = desk.page.locator("main section[aria-labelledby]").filter(has_text=name)

    def press(what: str, *, within: Locator) -> None:
        within.get_by_role("button", name=re.compile(desk.w["review"][what])).click()
        desk.done()

    for what in ("approve", "undo_approval", "approve"):
        press(what, within=card)
    with desk.house.senders_held_up():
        desk.open("/reminders")
        desk.reload_until(desk.row(name))
        desk.row(name).get_by_role("button", name=re.compile(words["call_back"])).click()
        desk.done()
    desk.open("/reminders")
    expect(desk.row(name)).to_contain_text(desk.w["statuses"]["cancelled"])
    expect(desk.row(name).get_by_role("button")).to_have_count(0)
    assert [] == desk.posted("recalled")


def test_many_are_processed_at_once_and_what_went_out_is_read_again(desk: Desk) -> None:
    """S0-07, S0-18, S0-20, S1-09, S2-08, S2-17, S2-19, S2-23, S3-07, S4-14, S4-15, B-13: several of a filter, one of them with a text and a
    template of its own and its invoices; how far it is, what became of each, and the message as it went, which is then printed
    ("send and print": a PDF of the letter, and one of the mail); the mail has what was chosen, that of the other has not. Where there is
    somebody for finance, he gets the copy that the level's plan asks for, and it is seen before.
    """
    text = f"A word of our own ({desk.language})"
    copied = f"finance@edited-{desk.language}.test"
    desk.open(f"/messages/{desk.account('edited')}")
    desk.sees(desk.w["message"]["copies"], copied)
    desk.open(f"/process?verb=edit&accounts={desk.account('edited')}")
    desk.page.locator("#text").fill(text)
    desk.page.locator("#template").fill("third")
    desk.page.locator("[name=attach][value=yes]").check()
    desk.press(desk.w["verbs"]["edit"])
    expect(desk.page.locator("#progress")).to_contain_text(desk.w["line_fates"]["written"])
    desk.open("/?why=proposal")
    for kind in ("waiting", "edited"):
        desk.row(desk.name(kind)).locator("input[type=checkbox]").check()
    desk.press(desk.w["process"]["chosen"])
    desk.follow(desk.w["verbs"]["approve"])
    desk.shot("process")
    desk.press(desk.w["verbs"]["approve"])
    expect(desk.page).to_have_url(re.compile("/batches/"))
    expect(desk.page.locator("#progress")).to_contain_text(desk.w["batch"]["done"].format(done=2, total=2))
    expect(desk.page.locator("#lines tbody .good")).to_have_count(2)
    desk.shot("batch")
    desk.open("/batches")
    desk.sees(desk.w["verbs"]["approve"])
    desk.house.pass_day()
    desk.open("/review")
    for kind in ("waiting", "edited"):
        desk.sees_not(desk.name(kind))
    desk.open_customer("edited")
    sent = desk.page.locator("section").filter(has=desk.page.locator("#sent"))
    sent.locator("tbody a").first.click()
    own, other = desk.mail("edited"), desk.mail("waiting")
    assert [True, False] == [copied in str(each["Cc"]) for each in (own, other)]
    desk.sees(text, own["Subject"])
    assert own["Subject"] != other["Subject"].replace(desk.name("waiting"), desk.name("edited"))
    files = {f"{desk.document('edited', each)}.{form}" for each in (1, 2) for form in ("pdf", "xml")}
    assert files == {each.get_filename() for each in own.iter_attachments()}
    assert [] == list(other.iter_attachments())
    printed = desk.page.locator("main a[href*='form=pdf']")
    expect(printed).to_have_count(2)
    for each in printed.all():
        desk.file(str(each.get_attribute("href")), begins=b"%PDF")


def test_a_group_is_only_given_its_next_date(desk: Desk) -> None:
    """S0-12, S0-20, S2-20: nothing is sent, and of those nothing is planned before that day; without a day nothing is asked."""
    on = (desk.house.today + 20 * _DAY).isoformat()
    accounts = "&".join(f"accounts={desk.account(kind)}" for kind in ("paying", "agreed"))
    desk.open(f"/process?verb=next-date&{accounts}")
    desk.press(desk.w["verbs"]["next-date"])
    assert desk.page.locator("#next_on:invalid").is_visible()
    desk.page.locator("#next_on").fill(on)
    desk.press(desk.w["verbs"]["next-date"])
    expect(desk.page.locator("#progress")).to_contain_text(desk.w["batch"]["done"].format(done=2, total=2))
    desk.open_customer("paying")
    expect(desk.page.locator("form[action$='/next-date'] [name=on]")).to_have_value(on)
    desk.open_customer("paying", "/next?days=60")
    first = desk.page.locator("#foreseen tbody tr").first
    expect(first.locator("td").first).to_have_text(desk.day(desk.house.today + 20 * _DAY))


def test_all_with_old_debt_are_written_to_by_one_button(desk: Desk) -> None:
    """S0-18, S0-24, S1-07, S1-22, S4-21: older than sixty days, all of them, by every channel of their level: whom it means, how far it is,
    and what carriers have; two mails fail in ways of their own, and are errors of the day by kind, with their sum.
    """
    listed, errors = f"zoe@listed-{desk.language}.test", desk.w["reminders"]["errors_per_day"]
    desk.open("/suppressions")
    desk.fill(desk.form("/suppressions", having="#address"), {"address": listed, "reason": "asked to"})
    desk.press(desk.w["suppressions"]["add_do"])
    desk.sees(listed)
    desk.open("/")
    desk.filter(days="60")
    desk.page.locator("button[name=whole]").click()
    desk.sees(*map(desk.name, _OLD))
    desk.sees_not(desk.name("dunned"))
    desk.follow(desk.w["verbs"]["send-now"])
    desk.press(desk.w["verbs"]["send-now"])
    expect(desk.page.locator("#progress")).to_contain_text(desk.w["batch"]["done"].format(done=4, total=4))
    expect(desk.page.locator("#lines tbody .good")).to_have_count(4)
    desk.house.pass_hour()
    for kind in _OLD:
        assert 1 == len(desk.posted(kind, channel="letter", step="first")), kind
    for kind in ("old", "older"):
        assert f"zoe@{kind}-{desk.language}.test" in desk.mail(kind, step="first")["To"]
    desk.open("/reminders")
    types = [desk.w["reasons"][each] for each in ("address_refused", "address_suppressed")]
    told = desk.figures(errors)[desk.day(desk.house.today)]
    assert ["1", "1", "2"] == [told[each] for each in (*types, desk.w["reminders"]["total"])]
    for each in types:
        expect(desk.drawn(errors).get_by_text(each, exact=True)).to_be_visible()
    desk.shot("errors")
    desk.page.locator("select[name=outcome]").select_option("failed")
    desk.press(desk.w["today"]["show"])
    expect(desk.row(desk.name("listed"))).to_contain_text(types[1])
    desk.sees_not(desk.name("older"))


def test_what_was_sent_is_counted_and_listed(desk: Desk) -> None:
    """S4-08, S4-09, S4-20, S4-22: a chart of what was sent per day and of what is scheduled next; the list with customer, documents, channel
    and outcome, asked for by level and by channel.
    """
    words = desk.w["reminders"]
    desk.open("/reminders")
    told = desk.figures(words["sent_per_day"])
    assert int(told[desk.day(PLAYED[0])][desk.w["channels"]["email"]]) >= 4
    assert int(told[desk.day(COMING)][words["scheduled"]]) >= 1
    assert "" == told[desk.day(COMING)][desk.w["channels"]["email"]]
    expect(desk.drawn(words["sent_per_day"]).get_by_text(words["scheduled"], exact=True)).to_be_visible()
    expect(desk.row(desk.name("dunned"))).to_be_visible()
    desk.shot("reminders")
    for level, day in (("courtesy", PLAYED[-3]), ("second", PLAYED[15])):
        desk.page.locator("select[name=level]").select_option(level)
        desk.press(desk.w["today"]["show"])
        expect(desk.row(desk.name("dunned"))).to_contain_text(desk.day(day))
        expect(desk.row(desk.name("dunned"))).to_contain_text(desk.w["levels"][level])
    desk.page.locator("select[name=level]").select_option("")
    desk.page.locator("select[name=channel]").select_option("letter")
    desk.press(desk.w["today"]["show"])
    expect(desk.row(desk.document("dunned", 1))).to_contain_text(desk.w["channels"]["letter"])


def test_what_nobody_knows_of_is_shown_with_its_evidence_and_ended(desk: Desk) -> None:
    """R19, U-3: a notifier died while it handed a mail over: what is known of it; who is asked cannot say; a person's word, with how he knows
    it, ends the doubt, and stands with the message.
    """
    words, how = desk.w["doubts"], f"the carrier has it ({desk.language})"
    desk.open("/doubts")
    expect(desk.page.locator(".empty")).to_be_visible()
    desk.house.leave_in_doubt(desk.account("dunned"), channel="email")
    desk.open("/doubts")
    case = desk.page.locator("main section")
    expect(case).to_have_count(1)
    for known in (
        desk.account("dunned"),
        f"zoe@dunned-{desk.language}.test",
        "recorder",
        "worker 1",
        CUT_OFF,
    ):
        expect(case).to_contain_text(known)
    desk.shot("doubts")
    case.locator("[name=because]").fill(how)
    case.get_by_role("button", name=words["accepted"], exact=True).click()
    expect(desk.page.locator(".done[role=status]")).to_have_text(words["ended"])
    expect(desk.page.locator(".empty")).to_be_visible()
    desk.house.played.rest()
    desk.open_customer("dunned")
    sent = desk.page.locator("section").filter(has=desk.page.locator("#sent"))
    sent.get_by_role("link", name=desk.w["levels"]["second"], exact=True).first.click()
    became = desk.page.locator("section").filter(has=desk.page.locator("#became"))
    for known in (CUT_OFF, how, f"ana-{desk.language}"):
        expect(became).to_contain_text(known)


def test_a_task_is_done_and_leaves_the_list(desk: Desk) -> None:
    """S0-23, S2-09: the call that the second level asks for; what came of it stays in the log."""
    came = f"No contestan ({desk.language})"
    desk.open("/tasks")
    row = desk.row(desk.account("dunned"))
    row.locator("[name=text]").fill(came)
    row.get_by_role("button", name=re.compile(desk.w["tasks"]["done"])).click()
    desk.done()
    desk.sees_not(desk.account("dunned"))
    desk.open_customer("dunned")
    desk.sees(came)


def test_the_language_is_the_users(desk: Desk) -> None:
    """Switched at one's name, where one is; and back."""
    other = {"en": "es", "es": "pt", "pt": "en"}[desk.language]
    desk.open("/reminders")
    for wanted in (other, desk.language):
        desk.page.locator(".who").click()
        desk.page.locator(f"button[name=language][value={wanted}]").click()
        desk.is_titled(words_of(wanted)["reminders"]["title"])
        assert desk.page.url.endswith("/reminders")
