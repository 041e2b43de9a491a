"""The send ledger on SQLite and PostgreSQL: every move once, and R32 in the same statement as the claim."""

import datetime
import threading
from functools import partial

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading
from infra.database.send_doubts import Doubts, Note, notes_of
from infra.database.send_ledger import SendLedger, unfinished
from infra.database.send_values import Claim, Ending, Job, NewJob, Postponement
from tests.infra.database.at_once import at_once
from tests.notifiers.sending import TICK, job_row, know, states

MINUTE = datetime.timedelta(minutes=1)


def ledger(engine: Engine, owner: str = "a") -> SendLedger:
    """Give the ledger of a worker."""
    return SendLedger(engine, channel="email", owner=owner, reader_age_s_max=60.0)


def new(
    name: str = "r1", *, mode: str = "played", version: int = 5, not_before: datetime.datetime = TICK
) -> NewJob:
    """Make a job for acme:C1 on partition 0."""
    return NewJob(
        reminder=name,
        account="acme:C1",
        company="acme",
        partition=0,
        mode=mode,
        tick=TICK,
        not_before=not_before,
        decision_version=version,
        reminder_json="{}",
    )


def ready(of: SendLedger, *, now: datetime.datetime = TICK, partitions: tuple[int, ...] = (0,)) -> list[Job]:
    """List what can be moved."""
    return of.ready(partitions=partitions, now=now, limit=10)


def claim(of: SendLedger, jobs: list[Job], *, now: datetime.datetime = TICK) -> tuple[set[str], set[str]]:
    """Claim jobs; superseded ones happened at 'then'."""
    return of.claim(claims_of(jobs), now=now)


def claims_of(jobs: list[Job]) -> list[Claim]:
    """Want jobs; superseded ones happened at 'then'."""
    return [
        Claim(reminder=job.reminder, occurred_at="then", recipient="to", provider="smtp", endpoint="host:25")
        for job in jobs
    ]


def test_a_reminder_that_is_read_twice_is_one_job(engine: Engine) -> None:
    """(reminder, channel) is unique: the second record changes nothing, not even once it is sent."""
    mine = ledger(engine)
    know(engine)
    mine.record([new(), new()])
    claim(mine, ready(mine))
    mine.record([new()])
    assert {"r1/email": "claimed"} == states(engine)
    assert 1 == job_row(engine)["attempts"]


def test_a_job_runs_when_account_and_clock_are_there(engine: Engine) -> None:
    """R32: the same version, and a clock that has reached the tick: it may be sent."""
    mine = ledger(engine)
    mine.record([new()])
    know(engine)
    assert ({"r1"}, set()) == claim(mine, ready(mine))


@pytest.mark.parametrize(
    ("version", "clock"),
    [(4, TICK), (5, TICK - MINUTE), (5, None)],
    ids=["account behind", "clock behind", "no clock"],
)
def test_a_job_waits_for_a_reader_that_is_behind(
    engine: Engine, version: int, clock: datetime.datetime | None
) -> None:
    """R32: the read model has not seen what the reminder was decided on: nothing moves."""
    mine = ledger(engine)
    mine.record([new()])
    assert [] == ready(mine)
    know(engine, version=version, clock=clock)
    assert [] == ready(mine)


@pytest.mark.parametrize("clock", [TICK, None], ids=["clock there", "no clock"])
def test_a_newer_account_supersedes(engine: Engine, clock: datetime.datetime | None) -> None:
    """R32: the account has changed since; however far the clock is, this is never sent."""
    mine = ledger(engine)
    mine.record([new()])
    know(engine, version=6, clock=clock)
    assert (set(), {"r1"}) == claim(mine, ready(mine))
    row = job_row(engine)
    assert ("superseded", "then", False) == (row["state"], row["occurred_at"], row["published"])


def test_what_changes_between_looking_and_claiming_counts(engine: Engine) -> None:
    """R32: a payment one moment before the claim is seen by the claim."""
    mine = ledger(engine)
    mine.record([new()])
    know(engine, version=5)
    jobs = ready(mine)
    know(engine, version=6)
    assert (set(), {"r1"}) == claim(mine, jobs)


def test_a_played_job_waits_for_its_instant_on_the_played_clock(engine: Engine) -> None:
    """`not_before` is judged by the newest tick, whatever the wall clock says."""
    mine = ledger(engine)
    mine.record([new(not_before=TICK + MINUTE)])
    know(engine, clock=TICK)
    assert [] == ready(mine, now=TICK + 1000 * MINUTE)
    know(engine, clock=TICK + MINUTE)
    assert 1 == len(ready(mine, now=TICK))


def test_a_live_job_needs_a_young_clock_and_its_instant(engine: Engine) -> None:
    """R32: with a live journal a reader older than 60 s is not believed; `not_before` is wall time."""
    mine = ledger(engine)
    mine.record([new(mode="live", not_before=TICK + MINUTE)])
    know(engine, clock=TICK)
    assert [] == ready(mine, now=TICK)
    assert 1 == len(ready(mine, now=TICK + MINUTE))
    assert [] == ready(mine, now=TICK + MINUTE + datetime.timedelta(seconds=1))


def test_two_workers_claim_one_job_once(engine: Engine) -> None:
    """Two loops that see the same job: exactly one has it, under contention too."""
    workers = [ledger(engine, f"w{number}") for number in range(4)]
    names = [f"r{number}" for number in range(20)]
    workers[0].record([new(name) for name in names])
    know(engine)
    taken: list[list[str]] = [[] for _ in workers]
    start = threading.Barrier(len(workers))

    def take(number: int) -> None:
        jobs = workers[number].ready(partitions=[0], now=TICK, limit=100)
        start.wait(timeout=60)
        for job in jobs:
            taken[number] += claim(workers[number], [job])[0]

    threads = [threading.Thread(target=take, args=(number,)) for number in range(len(workers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == sorted(name for each in taken for name in each)


def test_a_job_that_was_taken_over_is_not_finished_by_its_old_owner(engine: Engine) -> None:
    """(state, owner) is compared: a worker that was frozen cannot write over what its successor said."""
    old, heir = ledger(engine, "old"), ledger(engine, "heir")
    old.record([new()])
    know(engine)
    claim(old, ready(old))
    (left,) = heir.interrupted(partitions=[0])
    unknown = Ending(reminder="r1", status="unknown", occurred_at="t", error_type="interrupted")
    assert [] == heir.finish([unknown], owner=left.owner)
    assert ["r1"] == old.finish([Ending(reminder="r1", status="accepted", occurred_at="t")])
    assert {"r1/email": "unknown"} == states(engine)


def test_what_is_sending_is_interrupted_for_others_only(engine: Engine) -> None:
    """A worker does not find its own jobs, nor those of partitions that are not its own."""
    mine, other = ledger(engine, "a"), ledger(engine, "b")
    mine.record([new()])
    know(engine)
    claim(mine, ready(mine))
    assert [] == mine.interrupted(partitions=[0])
    assert [] == other.interrupted(partitions=[1])
    assert ["a"] == [job.owner for job in other.interrupted(partitions=[0])]


def test_a_job_that_is_put_back_waits_for_its_instant(engine: Engine) -> None:
    """A temporary failure: scheduled again, not before `retry_at`; the attempt is counted."""
    mine = ledger(engine)
    mine.record([new()])
    know(engine)
    claim(mine, ready(mine))
    assert mine.put_back("r1", retry_at=TICK + MINUTE, detail="busy")
    assert [] == ready(mine)
    backlog = mine.backlog(partitions=[0])
    assert (1, TICK + MINUTE) == (backlog.scheduled, backlog.next_retry_at)
    claim(mine, ready(mine, now=TICK + MINUTE), now=TICK + MINUTE)
    assert 2 == job_row(engine)["attempts"]


def test_an_outcome_is_unpublished_until_it_is_marked(engine: Engine) -> None:
    """The row is the outbox: ended and not marked means that it is still to be said."""
    mine = ledger(engine)
    mine.record([new()])
    know(engine)
    assert [] == mine.unpublished(partitions=[0], limit=9)
    claim(mine, ready(mine))
    mine.finish([Ending(reminder="r1", status="accepted", occurred_at="t", provider_id="p")])
    jobs = mine.unpublished(partitions=[0], limit=9)
    assert ["p"] == [job.provider_id for job in jobs]
    mine.mark_published(jobs)
    assert [] == mine.unpublished(partitions=[0], limit=9)


def test_unfinished_counts_what_may_run_and_what_is_not_said(engine: Engine) -> None:
    """A player waits for jobs up to its tick, from scheduled to published; later ones do not hold it up."""
    mine = ledger(engine)
    mine.record([new("r1"), new("later", not_before=TICK + MINUTE)])
    know(engine)
    assert 1 == unfinished(engine, at=TICK)
    assert 2 == unfinished(engine, at=TICK + MINUTE)
    claim(mine, ready(mine))
    assert 1 == unfinished(engine, at=TICK)
    mine.finish([Ending(reminder="r1", status="accepted", occurred_at="t")])
    assert 1 == unfinished(engine, at=TICK)
    mine.mark_published(mine.unpublished(partitions=[0], limit=9))
    assert 0 == unfinished(engine, at=TICK)


@pytest.mark.parametrize(
    ("said", "state"), [("accepted", "accepted"), ("failed", "failed"), ("resend", "scheduled")]
)
def test_a_person_says_what_became_of_an_unknown_delivery(engine: Engine, said: "object", state: str) -> None:
    """R19: an unknown delivery is resolved by a person's word, and that is an outcome of its own."""
    mine, doubts = ledger(engine), Doubts(engine, channel="email")
    word = Note(at=TICK, author="ana", what="said", detail="asked the customer")
    mine.record([new()])
    know(engine)
    assert not doubts.resolve("r1", said="failed", occurred_at="t", note=word)
    claim(mine, ready(mine))
    mine.finish([Ending(reminder="r1", status="unknown", occurred_at="t", error_type="interrupted")])
    mine.mark_published(mine.unpublished(partitions=[0], limit=9))
    assert doubts.resolve("r1", said=said, occurred_at="t2", note=word)  # type: ignore[arg-type]  # a parameter is any object
    assert {"r1/email": state} == states(engine)
    assert (0 if state == "scheduled" else 1) == len(mine.unpublished(partitions=[0], limit=9))
    with reading(engine) as connection:
        assert [word] == notes_of(connection, reminder="r1", channel="email")


@pytest.mark.parametrize("status", ["accepted", "failed", "unknown"])
def test_what_is_sent_again_after_a_doubt_is_said_again(engine: Engine, status: "object") -> None:
    """R19: the doubt was published; the end of the second try is one more outcome, and must not be lost."""
    mine, doubts = ledger(engine), Doubts(engine, channel="email")
    mine.record([new()])
    know(engine)
    claim(mine, ready(mine))
    mine.finish([Ending(reminder="r1", status="unknown", occurred_at="t", error_type="interrupted")])
    mine.mark_published(mine.unpublished(partitions=[0], limit=9))
    word = Note(at=TICK, author="ana", what="said", detail="")
    doubts.resolve("r1", said="resend", occurred_at="t", note=word)
    claim(mine, ready(mine))
    mine.finish([Ending(reminder="r1", status=status, occurred_at="t2")])  # type: ignore[arg-type]
    assert [status] == [job.state for job in mine.unpublished(partitions=[0], limit=9)]


def test_a_payment_after_a_doubt_supersedes_and_is_said(engine: Engine) -> None:
    """R32: what was to be sent again is overtaken; that outcome is published too."""
    mine, doubts = ledger(engine), Doubts(engine, channel="email")
    mine.record([new()])
    know(engine)
    claim(mine, ready(mine))
    mine.finish([Ending(reminder="r1", status="unknown", occurred_at="t")])
    mine.mark_published(mine.unpublished(partitions=[0], limit=9))
    word = Note(at=TICK, author="ana", what="said", detail="")
    doubts.resolve("r1", said="resend", occurred_at="t", note=word)
    know(engine, version=6)
    claim(mine, ready(mine))
    assert ["superseded"] == [job.state for job in mine.unpublished(partitions=[0], limit=9)]


def test_a_payment_between_claim_and_intent_stops_it(engine: Engine) -> None:
    """R32: the account is looked at once more in the statement that lets a message be handed over."""
    mine = ledger(engine)
    mine.record([new("r1"), new("r2")])
    know(engine)
    jobs = ready(mine)
    claim(mine, jobs)
    going = mine.intend(claims_of(jobs[:1]), now=TICK)
    know(engine, version=6)
    stopped = mine.intend(claims_of(jobs[1:]), now=TICK)
    assert [["r1"], [], ["r2"]] == [sorted(each) for each in (going.going, stopped.going, stopped.superseded)]
    assert {"r1/email": "sending", "r2/email": "superseded"} == states(engine)


def test_a_worker_that_was_replaced_cannot_begin(engine: Engine) -> None:
    """What was only claimed is taken back, and its old owner may not hand it over any more."""
    old, heir = ledger(engine, "old"), ledger(engine, "heir")
    old.record([new()])
    know(engine)
    jobs = ready(old)
    claim(old, jobs)
    assert ["r1"] == heir.release_claimed(["r1"])
    assert frozenset() == old.intend(claims_of(jobs), now=TICK).going
    assert ("scheduled", 0) == (job_row(engine)["state"], job_row(engine)["attempts"])


def test_what_is_being_handed_over_is_not_taken_back(engine: Engine) -> None:
    """Once the intent is written the provider may have it: an heir may only ask."""
    old, heir = ledger(engine, "old"), ledger(engine, "heir")
    old.record([new()])
    know(engine)
    jobs = ready(old)
    claim(old, jobs)
    old.intend(claims_of(jobs), now=TICK)
    assert [] == heir.release_claimed(["r1"])
    assert {"r1/email": "sending"} == states(engine)


def test_the_evidence_stays_when_the_worker_does_not_come_back(engine: Engine) -> None:
    """To whom, by which provider and endpoint, by which worker, since when: written before the call."""
    mine = ledger(engine)
    mine.record([new()])
    know(engine)
    jobs = ready(mine)
    claim(mine, jobs)
    mine.intend(claims_of(jobs), now=TICK + MINUTE)
    row = job_row(engine)
    assert ("to", "smtp", "host:25", "a", TICK + MINUTE) == tuple(
        row[name] for name in ("recipient", "provider", "endpoint", "owner", "intended_at")
    )


def test_endings_are_written_with_the_next_intent(engine: Engine) -> None:
    """One transaction for two steps of the loop: half of the waits for the disk."""
    mine = ledger(engine)
    mine.record([new("r1"), new("r2")])
    know(engine)
    jobs = ready(mine)
    claim(mine, jobs)
    mine.intend(claims_of(jobs[:1]), now=TICK)
    done = Ending(reminder="r1", status="accepted", occurred_at="t", provider_id="p")
    mine.intend(claims_of(jobs[1:]), now=TICK, endings=[done])
    assert {"r1/email": "accepted", "r2/email": "sending"} == states(engine)


@pytest.mark.parametrize("by", ["business", "wall"])
def test_a_gate_puts_off_and_counts_no_attempt(engine: Engine, by: "object") -> None:
    """Until an instant of the journal's time, or of the wall clock's; then it may be claimed."""
    mine = ledger(engine)
    mine.record([new(mode="live")])
    know(engine)
    mine.postpone([Postponement(reminder="r1", until=TICK + MINUTE, detail="cap", by=by)])  # type: ignore[arg-type]
    assert [] == ready(mine)
    assert ["r1"] == [job.reminder for job in ready(mine, now=TICK + MINUTE)]
    assert 0 == job_row(engine)["attempts"]


def test_two_words_of_one_moment_about_a_delivery_are_both_kept(engine: Engine) -> None:
    """A notifier asks the provider, and so does a person: neither breaks off over the other's word."""
    doubts = Doubts(engine, channel="email")
    for number in range(20):
        ledger(engine).record([new(f"r{number}")])
        words = [
            Note(at=TICK, author=author, what="not_asked", detail="") for author in ("ana", "a notifier")
        ]
        at_once(*(partial(doubts.note, f"r{number}", word) for word in words))
        with reading(engine) as connection:
            kept = notes_of(connection, reminder=f"r{number}", channel="email")
        assert ["a notifier", "ana"] == sorted(word.author for word in kept)
