"""What providers and readers said is kept as text for a time; that it was said stays."""

import datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import ColumnElement, Engine, Table, and_, select, update

from console.cli.feedback import feedback
from infra.database.batches import Batch, BatchBook, BatchLine
from infra.database.engine import reading, writing
from infra.database.feedback import FeedbackInbox, Settled, Word, WordState
from infra.database.feedback_tables import feedback_words, suppressions
from infra.database.link_tables import link_answers
from infra.database.links import LinkBook, NewAnswer
from infra.database.people import AuditEntry, PeopleBook, Session
from infra.database.people_tables import login_failures, sessions
from infra.database.report_post import Mailing, MailingState, ReportPost, Schedule
from infra.database.report_tables import report_schedules
from infra.database.send_doubts import Doubts, Note, notes_of
from infra.database.send_tables import send_jobs
from infra.database.suppressions import Suppression, suppress, suppressed
from infra.database.trimming import trim_words
from infra.settings import Settings
from notifiers.feedback.trimming import Trimmer
from tests.notifiers.sending import ScriptedChannel, SettableClock, dispatcher, know, read, reminder

NOW = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
OLD = NOW - datetime.timedelta(days=401)
ZOE = "zoe@customer.example"


def _word(engine: Engine, name: str, *, state: WordState, at: datetime.datetime = OLD) -> None:
    inbox = FeedbackInbox(engine)
    word = Word(
        word=name,
        source="ses",
        said="bounced",
        channel="email",
        occurred_at=at.isoformat(),
        reminder="r1",
        address=ZOE,
        detail=f"550 <{ZOE}> unknown",
        reply="I have paid",
    )
    inbox.take([word], received_at=at)
    if state != "waiting":
        inbox.settle([Settled(word=name, state=state, reminder="r1")])


def _texts(engine: Engine, table: Table, *names: str, of: ColumnElement[bool] | None = None) -> list[object]:
    query = select(*(table.c[name] for name in names)).where(and_(True) if of is None else of)
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(query.order_by(*table.primary_key))]


def _trim(
    engine: Engine, *, before: datetime.datetime = NOW - datetime.timedelta(days=400)
) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind, count in trim_words(engine, before=before, now=NOW):
        found[kind] = found.get(kind, 0) + count
    return found


def test_old_words_lose_their_text_and_stay_known(engine: Engine) -> None:
    """Address, words and reply go after the retention; told once more, the word is still one that was told."""
    _word(engine, "old", state="said")
    _word(engine, "young", state="said", at=NOW)
    _word(engine, "waits", state="waiting")
    assert {"feedback": 1} == _trim(engine)
    empty, full = ("", "", ""), (ZOE, f"550 <{ZOE}> unknown", "I have paid")
    assert [empty, full, full] == _texts(engine, feedback_words, "address", "detail", "reply")
    again = Word(word="old", source="ses", said="bounced", channel="email", occurred_at="t")
    assert 0 == FeedbackInbox(engine).take([again], received_at=NOW)
    assert {} == _trim(engine)


def test_answers_by_links_lose_their_text_once_kafka_has_them(engine: Engine) -> None:
    """The ledger has the answer; here it is known only that it was given, so that the same one counts once."""
    book = LinkBook(engine)
    for name in ("given", "unsaid"):
        answer = NewAnswer(
            command=name, reminder="r1", channel="email", account="acme:C1", given_at=OLD, event_json="{…}"
        )
        book.keep(answer)
    book.mark_published(["given"])
    assert {"answers": 1} == _trim(engine)
    assert [("",), ("{…}",)] == _texts(engine, link_answers, "event_json")
    assert (True, 2) == (book.has("given"), book.answers("r1", channel="email"))


def test_the_evidence_of_a_doubt_stays_until_it_has_ended(engine: Engine) -> None:
    """What was noted of a delivery goes, but not while nobody knows what became of it."""
    loop = dispatcher(engine, channel=ScriptedChannel(), clock=SettableClock())
    know(engine)
    loop.record([read(reminder("r1")), read(reminder("r2"))])
    with writing(engine) as connection:
        connection.execute(update(send_jobs).where(send_jobs.c.reminder == "r2").values(state="unknown"))
    doubts = Doubts(engine, channel="email")
    for name in ("r1", "r2"):
        doubts.note(name, Note(at=OLD, author="desk", what="said", detail=f"{ZOE} called"))
    assert {"notes": 1} == _trim(engine)
    with reading(engine) as connection:
        kept = [notes_of(connection, reminder=name, channel="email")[0].detail for name in ("r1", "r2")]
    assert ["", f"{ZOE} called"] == kept


def test_an_address_stays_suppressed_without_the_words_why(engine: Engine) -> None:
    """Who said stop is not written to for ever; what exactly was written goes."""
    entry = Suppression(
        channel="email",
        address=ZOE,
        company="acme",
        reason="opted_out",
        source="reply",
        since=OLD,
        detail="STOP",
    )
    with writing(engine) as connection:
        suppress(connection, entry)
    assert {"suppressions": 1} == _trim(engine)
    assert [("",)] == _texts(engine, suppressions, "detail")
    with reading(engine) as connection:
        assert suppressed(connection, channel="email", address=ZOE, company="acme") is not None


def test_the_audit_forgets_what_was_set_and_keeps_who_did_what(engine: Engine) -> None:
    """A note with an address, and why a letter was given up, go; whose role was changed stays, without the values."""
    book = PeopleBook(engine)
    done = (
        ("old note", OLD, "collections.note.add.v1", "batch b1", f'{{"set":{{"text":"write to {ZOE}"}}}}'),
        ("old letter", OLD, "letter.give_up", "r1 acme-000001/000001: Zoe has moved", ""),
        ("old user", OLD, "console.user.change", "dora", '{"changed":{"role":["viewer","approver"]}}'),
        ("young note", NOW, "collections.note.add.v1", "", f'{{"set":{{"text":"{ZOE}"}}}}'),
    )
    book.note_all(
        [
            AuditEntry(
                entry=name, at=at, user="bea", act=act, account="acme:C1", detail=detail, said_json=said
            )
            for name, at, act, detail, said in done
        ]
    )
    assert {"audit": 3} == _trim(engine)
    kept = {each.entry: each for each in book.entries(limit=9)}
    assert {"old note": ("", ""), "old letter": ("", ""), "old user": ("dora", "")} == {
        name: (kept[name].detail, kept[name].said_json) for name, at, *_ in done if at == OLD
    }
    assert ZOE in kept["young note"].said_json
    assert [("bea", act, "acme:C1", at) for _, at, act, *_ in done] == [
        (kept[name].user, kept[name].act, kept[name].account, kept[name].at) for name, *_ in done
    ]
    assert {} == _trim(engine)


def test_many_are_trimmed_batch_by_batch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one transaction holds, and not one row twice."""
    monkeypatch.setattr("infra.database.trimming._BATCH", 5)
    for number in range(13):
        _word(engine, f"w{number:02}", state="noted")
    before = NOW - datetime.timedelta(days=400)
    assert [("feedback", 5), ("feedback", 5), ("feedback", 3)] == list(
        trim_words(engine, before=before, now=NOW)
    )


def test_it_is_done_once_a_day(engine: Engine) -> None:
    """At the start and a day later; what has become old in between waits for its turn."""
    clock = SettableClock(NOW)
    trimmer = Trimmer(engine, clock=clock, kept_days=400)
    _word(engine, "w1", state="said")
    assert [True, False] == [trimmer.step() for _ in range(2)]
    _word(engine, "w2", state="said")
    clock.pass_s(86_399)
    assert not trimmer.step()
    clock.pass_s(1)
    assert [True, False] == [trimmer.step() for _ in range(2)]


@pytest.mark.parametrize(("days", "said"), [("0", "1 feedback"), ("10000", "nothing")])
def test_a_person_may_do_it_now(engine: Engine, days: str, said: str) -> None:
    """``cobranza feedback trim --days``: for who must forget sooner."""
    _word(engine, "w1", state="said")
    url = engine.url.render_as_string(hide_password=False)
    done = CliRunner().invoke(feedback, ["trim", "--days", days], obj=Settings(database_url=url))
    assert (0, f"Trimmed: {said}.\n") == (done.exit_code, done.output)


def test_what_was_asked_for_many_customers_goes_whole(engine: Engine) -> None:
    """Their names and what was written to each; a new batch takes old ones along, but where nobody makes one they stayed."""
    batches = BatchBook(engine)
    for name, at in (("young", NOW), ("old", OLD)):
        lines = [BatchLine(account=f"acme:C{number}", name="Zoe") for number in range(3)]
        batches.keep(Batch(batch=name, user="bea", made_at=at, asked_json='{"verb":"log"}'), lines)
    waits = [BatchLine(account="acme:C9", name="Zoe", commands=('{"type":"x"}',))]
    batches.keep(Batch(batch="waits", user="ana", made_at=OLD, asked_json='{"verb":"log"}'), waits)
    assert {"batches": 1} == _trim(engine)
    assert ["waits"] == [each.batch for each in batches.newest("ana", limit=9)]
    assert ["young"] == [each.batch for each in batches.newest("bea", limit=9)]
    assert (0, 3) == tuple(len(batches.lines(name, skip=0, lines_max=9)) for name in ("old", "young"))
    assert {} == _trim(engine)


def test_mails_of_reports_go_whole_and_timetables_once_they_are_ended(engine: Engine) -> None:
    """Their recipients are in every line; what is in doubt, waits, goes on or is young stays."""
    post = ReportPost(engine)
    states: dict[str, MailingState] = {
        "a": "sent",
        "b": "failed",
        "c": "unknown",
        "d": "waiting",
        "young": "sent",
    }
    for name, state in states.items():
        at = NOW if name == "young" else OLD
        post.ask([_mailing(name, state=state, at=at)])
    for name, at in (("ended", OLD), ("goes on", OLD), ("young", NOW)):
        post.plan(_schedule(name, at=at))
    assert post.end_schedule("ended")
    assert post.end_schedule("young")
    assert {"report_mails": 2, "report_schedules": 1} == _trim(engine)
    assert {"c", "d", "young"} == {each.mailing for each in post.mailings(limit=9)}
    assert [("goes on",), ("young",)] == _texts(engine, report_schedules, "schedule")
    assert {} == _trim(engine)


def test_logins_of_long_ago_go_whole(engine: Engine) -> None:
    """Failed ones are counted by name and by address, and sessions that nobody ended stay for ever otherwise."""
    people = PeopleBook(engine)
    for name, at in (("ana", OLD), ("192.0.2.7", OLD), ("bea", NOW)):
        people.failed(name, at=at)
    for name, at in (("left open", OLD), ("at work", NOW)):
        people.begin(Session(session=name, user="bea", csrf="c", begun_at=OLD, seen_at=at))
    assert {"login_failures": 2, "sessions": 1} == _trim(engine)
    for _ in range(2):  # nor does whoever forgets all that is older than now throw out who is at work
        assert [("bea",)] == _texts(engine, login_failures, "name")
        assert [("at work",)] == _texts(engine, sessions, "session")
        assert {} == _trim(engine, before=NOW + datetime.timedelta(seconds=1))


def _mailing(name: str, *, state: MailingState, at: datetime.datetime) -> Mailing:
    return Mailing(
        mailing=name,
        recipient=ZOE,
        user="bea",
        report="aged",
        filters_json="{}",
        form="pdf",
        asked_at=at,
        changed_at=at,
        retry_at=at,
        state=state,
    )


def _schedule(name: str, *, at: datetime.datetime) -> Schedule:
    return Schedule(
        schedule=name,
        user="bea",
        report="aged",
        filters_json="{}",
        form="pdf",
        every="week",
        number=1,
        hour=7,
        recipients=ZOE,
        made_at=at,
    )
