"""Reports by mail (S1-24, S1-25): to whom they may go, once per day of a timetable, and what became of each."""

import datetime
import threading
from email import message_from_bytes
from email.message import Message as Mail
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from console.web.inside.reporting.posting import Poster
from console.web.inside.reporting.timetable import due_day, instant_of, is_day
from infra.database.presence import present
from infra.database.report_post import Allowed, Every, MailingState, ReportPost, Schedule
from notifiers.channel import Message, Receipt, TemporaryError, Traits, UncertainError
from notifiers.recorder import Recorder
from notifiers.redirecting import SandboxRecipients, guarded
from tests.console.inside.desk import Desk
from tests.console.inside.test_pages import STORY

REPORT = "/reports/aged?on=2026-03-02"
BOSS = "boss@acme.test"


class Carrier:
    """A mail carrier that does as it is told, and keeps what it was given."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.taken: list[Message] = []

    @property
    def traits(self) -> Traits:
        """It can be asked nothing, as an SMTP server."""
        return Traits(provider="smtp")

    def send(self, message: Message) -> Receipt:
        """Take a mail, or fail as told."""
        if self.faults:
            raise self.faults.pop(0)
        self.taken.append(message)
        return Receipt(provider_id=f"queued {len(self.taken)}")


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with two who owe, a collector, and a boss who may be sent reports."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    allow(desk, "@acme.test")
    return desk


def allow(desk: Desk, pattern: str, *, company: str = "") -> None:
    """Let somebody be sent reports."""
    ReportPost(desk.engine).allow(
        Allowed(company=company, pattern=pattern, allowed_by="root", allowed_at=desk.now)
    )


def poster(desk: Desk, carrier: Carrier | Recorder | None = None) -> Poster:
    """Give what carries mails out."""
    return Poster(desk.engine, channel=carrier or Carrier(), clock=lambda: desk.now)


def states(desk: Desk) -> list[MailingState]:
    """Give the states of all mails."""
    return [each.state for each in ReportPost(desk.engine).mailings(limit=99)]


def test_a_report_is_mailed_once_however_often_the_button_is_pressed(desk: Desk, tmp_path: Path) -> None:
    """S1-25: on the spot, with the file; a double click is one mail; the page says what became of it."""
    answer = desk.submit(REPORT, "/mail", to=BOSS, form="pdf")
    assert "/reports/mail?done=yes" == answer.headers["location"]
    carrier = poster(desk, Recorder(tmp_path / "outbox"))
    while carrier.carry():
        pass
    (file,) = (tmp_path / "outbox").rglob("*.eml")
    mail: Mail = message_from_bytes(file.read_bytes())
    assert [BOSS, "Aged balances: March 2, 2026"] == [mail["To"], mail["Subject"]]
    (attached,) = [each for each in mail.walk() if each.get_filename()]
    assert "aged-2026-03-02.pdf" == attached.get_filename()
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.startswith(b"%PDF")
    shown = desk.browser.get(answer.headers["location"]).text
    assert '<span class="tag good">sent</span>' in shown
    assert "report.mail" in [each.act for each in desk.people.entries(limit=9)]


@pytest.mark.parametrize(
    "to", ["eve@elsewhere.test", "not an address", "", ",".join(f"a{n}@acme.test" for n in range(30))]
)
def test_nobody_mails_reports_to_an_address_of_his_own_choice(desk: Desk, to: str) -> None:
    """Personal data goes where an administrator allowed it; the page says what is wrong."""
    assert desk.submit(REPORT, "/mail", to=to).status_code in (400, 422)
    assert [] == states(desk)


def test_what_is_allowed_for_one_company_is_not_for_all(sqlite_engine: Engine, tmp_path: Path) -> None:
    """An address that may see one company's reports gets no other's."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    allow(desk, BOSS, company="acme")
    assert 422 == desk.submit(REPORT, "/mail", to=BOSS).status_code
    assert 303 == desk.submit(f"{REPORT}&company=acme", "/mail", to=BOSS).status_code


def test_administrators_allow_addresses_and_take_that_back(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A domain or an address; who does not administer does not see the form."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    assert "/reports/mail/recipients" not in desk.browser.get("/reports/mail").text
    desk.at_work("root", role="administrator")
    assert 303 == desk.submit("/reports/mail", "/recipients", pattern="@ACME.test", what="allow").status_code
    assert ["@acme.test"] == [each.pattern for each in ReportPost(desk.engine).allowed()]
    assert 422 == desk.submit("/reports/mail", "/recipients", pattern="@", what="allow").status_code
    desk.submit("/reports/mail", "/recipients")  # the first form there: of what is allowed
    assert [] == ReportPost(desk.engine).allowed()


def test_a_schedule_sends_once_a_day_whoever_looks_how_often(desk: Desk) -> None:
    """S1-24: daily at an hour of the company's day; two processes, many rounds, one mail a day."""
    desk.submit(REPORT, "/schedules", to=BOSS, every="day", hour="12", form="csv")
    carrier = Carrier()
    posters = [poster(desk, carrier), poster(desk, carrier)]
    for hour in (11, 12, 13, 23, 35, 36, 37):
        desk.now = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC) + datetime.timedelta(hours=hour)
        for each in posters:
            each.plan()
            each.carry()
    assert 2 == len(carrier.taken)
    assert 2 == len({each.reminder for each in carrier.taken})
    assert ["aged"] == sorted({each.step for each in carrier.taken})


def test_what_nobody_carried_out_in_time_is_told_as_missed(desk: Desk) -> None:
    """A report of a day that is over is not sent late; the page says so, and it can be sent all the same."""
    desk.submit(REPORT, "/schedules", to=BOSS, every="week", weekday="1", hour="12")
    desk.now += datetime.timedelta(days=2)
    poster(desk).plan()
    assert ["failed"] == states(desk)
    desk.log_in("ana")
    assert "Nobody carried it out" in desk.browser.get("/reports/mail").text
    desk.submit("/reports/mail", "/again")
    assert poster(desk).carry()
    assert ["sent"] == states(desk)


def test_what_is_not_there_to_be_sent_again_leaves_no_line_in_the_audit(desk: Desk) -> None:
    """Of a mail that there is not, and of one that has gone, nothing is done and nothing is said to be."""
    desk.submit(REPORT, "/mail", to=BOSS)
    page = desk.browser.get("/reports/mail").text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    before = desk.people.entries(limit=100)
    sent = ReportPost(desk.engine).mailings(limit=1)[0]
    assert poster(desk).carry()
    for mailing in (sent.mailing, "nothing"):
        form = {"csrf": csrf, "nonce": f"n-{mailing}", "mailing": mailing, "recipient": BOSS}
        assert 303 == desk.browser.post("/reports/mail/again", data=form).status_code
    assert (before, ["sent"]) == (desk.people.entries(limit=100), states(desk))


def test_a_report_goes_as_its_user_may_see_it_when_it_goes(desk: Desk) -> None:
    """Rights at the moment of sending: fewer companies, disabled, another role, an address taken back."""
    desk.submit(REPORT, "/schedules", to=BOSS, every="day", hour="12", form="csv")
    carrier = Carrier()

    def day() -> str:
        desk.now += datetime.timedelta(days=1)
        poster(desk, carrier).plan()
        poster(desk, carrier).carry()
        return ReportPost(desk.engine).mailings(limit=1)[0].detail

    assert "" == day()
    desk.employ("ana", companies=("beta",))
    assert "" == day()
    assert [True, False] == [b"acme:C1" in each.attachments[0].content for each in carrier.taken]
    desk.employ("ana", role="viewer")
    assert "user" == day()
    desk.employ("ana")
    ReportPost(desk.engine).forbid(company="", pattern="@acme.test")
    assert "recipient" == day()


def test_a_carrier_that_cannot_now_is_asked_again_and_one_that_says_nothing_is_not(desk: Desk) -> None:
    """Later is later; a lost answer is unknown, and a person decides."""
    carrier = Carrier(TemporaryError("try later"), UncertainError("connection lost"))
    desk.submit(REPORT, "/mail", to=BOSS)
    assert poster(desk, carrier).carry()
    assert ["waiting"] == states(desk)
    assert not poster(desk, carrier).carry()
    desk.now += datetime.timedelta(minutes=2)
    assert poster(desk, carrier).carry()
    assert ["unknown"] == states(desk)
    assert "unknown whether it went out" in desk.browser.get("/reports/mail").text
    assert not poster(desk, carrier).carry()


def test_a_carrier_that_says_when_is_not_asked_before(desk: Desk) -> None:
    """Retry-After: a minute would be ours; it says ten, and is left alone for so long. A year is an hour."""
    carrier = Carrier(
        TemporaryError("429", retry_after_s=600.0), TemporaryError("429", retry_after_s=31_536_000.0)
    )
    desk.submit(REPORT, "/mail", to=BOSS)
    for minutes in (10, 60):
        assert poster(desk, carrier).carry()
        desk.now += datetime.timedelta(minutes=minutes - 1)
        assert not poster(desk, carrier).carry()
        desk.now += datetime.timedelta(minutes=2)
    assert poster(desk, carrier).carry()
    assert ["sent"] == states(desk)


def test_the_bound_that_is_set_holds_for_reports_too(desk: Desk) -> None:
    """COBRANZA_SEND_RETRY_AFTER_S_MAX=120: a carrier that says ten minutes is asked again after two."""
    carrier = Carrier(TemporaryError("429", retry_after_s=600.0))
    bounded = Poster(desk.engine, channel=carrier, clock=lambda: desk.now, retry_after_s_max=120.0)
    desk.submit(REPORT, "/mail", to=BOSS)
    assert bounded.carry()
    desk.now += datetime.timedelta(seconds=119)
    assert not bounded.carry()
    desk.now += datetime.timedelta(seconds=2)
    assert bounded.carry()
    assert ["sent"] == states(desk)


def test_what_a_killed_process_held_is_made_again_or_in_doubt_and_never_sent_on_a_guess(desk: Desk) -> None:
    """kill -9: before the handing over nothing is lost; during it nobody knows, and the page says so."""
    post = ReportPost(desk.engine)
    desk.submit(REPORT, "/mail", to=f"{BOSS}, two@acme.test")
    with present(desk.engine, owner="killed"):
        first, second = (post.take(owner="killed", now=desk.now) for _ in range(2))
        assert first is not None
        assert second is not None
        assert post.intend(second, owner="killed", now=desk.now)
        poster(desk).settle()
        assert ["making", "sending"] == sorted(states(desk))  # it lives: nobody takes anything away
    poster(desk).settle()
    assert ["unknown", "waiting"] == sorted(states(desk))
    carrier = Carrier()
    while poster(desk, carrier).carry():
        pass
    assert [first.recipient] == [each.contact.email for each in carrier.taken]


def test_a_sandbox_gets_reports_too(desk: Desk) -> None:
    """While things are tried out nothing reaches anybody else."""
    carrier = Carrier()
    channel = guarded(carrier, to=SandboxRecipients(email="sandbox@acme.test"))
    desk.submit(REPORT, "/mail", to=BOSS)
    assert Poster(desk.engine, channel=channel, clock=lambda: desk.now).carry()
    assert ["sandbox@acme.test"] == [each.contact.email for each in carrier.taken]


def test_it_stops_when_it_is_told(desk: Desk) -> None:
    """No round is begun after that."""
    stopping = threading.Event()
    desk.submit(REPORT, "/mail", to=BOSS)
    poster(desk).run(stopping, beat=stopping.set)
    assert ["waiting"] == states(desk)


def test_who_manages_one_company_sees_and_ends_no_others_mails(sqlite_engine: Engine, tmp_path: Path) -> None:
    """S1-24, per-company visibility: whom a report of all companies goes to is not for the administrator of one to know, or to end."""
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("ana")
    allow(desk, "@acme.test")
    desk.submit(REPORT, "/schedules", to=BOSS, every="day", hour="12", form="csv")
    desk.submit(REPORT, "/mail", to=BOSS, form="csv")
    [planned] = ReportPost(desk.engine).schedules()
    for companies, seen in (("acme",), False), ((), True):
        desk.at_work("root", role="administrator", companies=companies)
        assert seen == (BOSS in desk.browser.get("/reports/mail").text)
    desk.at_work("eve", role="administrator", companies=("acme",))
    desk.submit(f"{REPORT}&company=acme", "/schedules", to=BOSS, every="day", hour="12", form="csv")
    own = next(each for each in ReportPost(desk.engine).schedules() if each.user == "eve")
    desk.at_work("cleo", role="administrator", companies=("acme",))
    assert 404 == desk.submit("/reports/mail", "/end", schedule=planned.schedule).status_code
    assert 303 == desk.submit("/reports/mail", "/end", schedule=own.schedule).status_code
    assert [planned] == ReportPost(desk.engine).schedules()


def test_settings_are_kept_under_a_name_each_user_his_own(desk: Desk) -> None:
    """S1-17: columns and filters, not the day."""
    page = f"{REPORT}&columns=account&columns=days&late=10"
    kept = desk.submit(page, "/kept", name="late ones")
    assert "/reports/aged?late=10&columns=account&columns=days" == kept.headers["location"]
    assert "late ones" in desk.browser.get("/reports/aged").text
    desk.at_work("ben")
    assert "late ones" not in desk.browser.get("/reports/aged").text


# -- timetables -------------------------------------------------------------------------------


def _schedule(*, every: Every, number: int = 1, hour: int = 7, made_at: datetime.datetime) -> Schedule:
    return Schedule(
        schedule="s", user="ana", report="aged", filters_json="{}", form="pdf", every=every, number=number,
        hour=hour, recipients=BOSS, made_at=made_at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-31 07:00", "2026-03-31"),
        ("2026-04-30 06:59", "2026-03-31"),
        ("2026-04-30 07:00", "2026-04-30"),
    ],
)
def test_a_month_without_that_day_has_its_last_one(now: str, due: str) -> None:
    """The 31st is the end of each month."""
    made_at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    schedule = _schedule(every="month", number=31, made_at=made_at)
    at = datetime.datetime.fromisoformat(now).replace(tzinfo=datetime.UTC)
    assert datetime.date.fromisoformat(due) == due_day(schedule, now=at, zone=ZoneInfo("UTC"))


@given(
    every=st.sampled_from(["day", "week", "month"]),
    number=st.integers(1, 7),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "America/Santiago", "Europe/Madrid", "Pacific/Kiritimati"]),
    after=st.timedeltas(datetime.timedelta(0), datetime.timedelta(days=400)),
)
def test_a_due_day_is_a_day_of_the_timetable_that_has_come_since_it_was_made(
    every: Every, number: int, hour: int, zone: str, after: datetime.timedelta
) -> None:
    """Never early, never before it was made, and never the same day twice as time goes on."""
    made_at = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
    schedule = _schedule(every=every, number=number, hour=hour, made_at=made_at)
    local = ZoneInfo(zone)
    day = due_day(schedule, now=made_at + after, zone=local)
    if day is not None:
        assert is_day(day, every=every, number=number)
        assert made_at <= instant_of(day, hour=hour, zone=local) <= made_at + after
    later = due_day(schedule, now=made_at + after + datetime.timedelta(hours=1), zone=local)
    assert (day or datetime.date.min) <= (later or datetime.date.min)
