"""One journal partition: what reached the log is the state, what did not is forgotten."""

import datetime
from typing import NamedTuple

import pytest

from processors import partition as partition_module
from processors.partition import Partition, PartitionStep
from schemas.commands import ConfigureCompany, PublishPlan
from schemas.events import InvoiceIssued, PaymentLine, PaymentReceived
from schemas.facts import AccountQuarantined, ExceptionRaised, ReminderDecided
from schemas.journal import JournalEntry, JournalEvent, TickPassed, encode_entry
from schemas.plans import Action, Plan, Step

PLAN = Plan(
    id="default",
    version=1,
    steps=(Step(name="first", offset_days=0, template="first", actions=(Action(channel="task"),)),),
)
PROFILE = ConfigureCompany(
    company="acme", occurred_at="2026-01-01", command="c1", name="Acme", time_zone="UTC", currency="USD"
)


class Record(NamedTuple):
    """A journal record as a client gives it."""

    offset: int
    timestamp: int
    value: bytes


def log(*events: JournalEvent, start: int = 0) -> list[Record]:
    """Make a journal of events."""
    return [
        Record(
            start + place, 1_767_225_600_000, encode_entry(JournalEntry(event, f"e{start + place}", "test"))
        )
        for place, event in enumerate(events)
    ]


def invoice(document: str, *, customer: str = "c") -> InvoiceIssued:
    """Make an invoice of 100.00, due on 10 January."""
    return InvoiceIssued(
        company="acme",
        customer=customer,
        occurred_at="2026-01-02",
        document=document,
        currency="USD",
        amount="100.00",
        due_date=datetime.date(2026, 1, 10),
    )


def payment(document: str) -> PaymentReceived:
    """Make a payment of 100.00 that names a document."""
    return PaymentReceived(
        company="acme",
        customer="c",
        occurred_at="2026-01-03",
        payment=f"P-{document}",
        currency="USD",
        amount="100.00",
        lines=(PaymentLine(document=document),),
    )


def tick(day: int, *, hour: int = 9, mode: str = "played") -> TickPassed:
    """Make a tick in January 2026."""
    at = datetime.datetime(2026, 1, day, hour, tzinfo=datetime.UTC)
    return TickPassed(at=at, mode="live" if mode == "live" else "played")


PUBLISH = PublishPlan(company="acme", occurred_at="2026-01-01", command="p1", plan=PLAN)


def committed(partition: Partition, records: list[Record]) -> list[PartitionStep]:
    """Fold all records, each step committed."""
    steps = []
    cursor = ""
    while records:
        step = partition.step(records, cursor=cursor)
        partition.commit()
        records = records[step.consumed :]
        cursor = step.cursor
        steps.append(step)
    return steps


def test_a_discarded_step_leaves_no_trace() -> None:
    """The same records after a discard give the same step: nothing was doubled (DESIGN 3.5)."""
    records = log(PROFILE, PUBLISH, invoice("I1"), payment("I1"))
    partition = Partition(number=0)
    first = partition.step(records, cursor="")
    partition.discard()
    second = partition.step(records, cursor="")
    assert first == second


def test_rows_read_back_give_the_same_future() -> None:
    """A worker that takes the partition over decides as the old one would have."""
    old = Partition(number=0)
    committed(old, log(PROFILE, PUBLISH, invoice("I1")))
    new = Partition(number=0)
    new.restore(list(reversed(old.rows().items())))
    later = log(tick(10), start=3)
    assert old.step(later, cursor="").facts == new.step(later, cursor="").facts != []


def test_run_boundaries_do_not_matter() -> None:
    """One run or one record at a time: the same rows and facts."""
    records = log(
        PROFILE, PUBLISH, invoice("I1"), invoice("I2", customer="d"), tick(9), payment("I1"), tick(10)
    )
    whole, single = Partition(number=0), Partition(number=0)
    in_one = committed(whole, records)
    one_by_one = [step for record in records for step in committed(single, [record])]
    assert [fact for step in in_one for fact in step.facts] == [
        fact for step in one_by_one for fact in step.facts
    ]
    assert whole.rows() == single.rows()


def test_a_tick_over_many_accounts_goes_in_slices() -> None:
    """The tick's record is consumed with the last slice; the cursor says that it is under way (DESIGN 3.1)."""
    partition = Partition(number=0, slice_accounts_max=2)
    committed(partition, log(PROFILE, PUBLISH, *(invoice("I", customer=f"c{n}") for n in range(5))))
    steps = committed(partition, log(tick(10), start=7))
    assert [0, 0, 1] == [step.consumed for step in steps]
    assert ["1", "2", ""] == [step.cursor for step in steps]
    decided = [fact.account for step in steps for fact in step.facts if isinstance(fact, ReminderDecided)]
    assert sorted(f"acme:c{n}" for n in range(5)) == sorted(decided)


def test_a_restart_between_slices_reminds_no_one_twice() -> None:
    """The rest of a tick is what is still due, so a new owner goes on where the rows say."""
    partition = Partition(number=0, slice_accounts_max=2)
    committed(partition, log(PROFILE, PUBLISH, *(invoice("I", customer=f"c{n}") for n in range(3))))
    records = log(tick(10), start=5)
    first = partition.step(records, cursor="")
    partition.commit()
    heir = Partition(number=0, slice_accounts_max=2)
    heir.restore(list(partition.rows().items()))
    rest = committed(heir, records)
    facts = [*first.facts, *(fact for step in rest for fact in step.facts)]
    assert 3 == len({fact.account for fact in facts if isinstance(fact, ReminderDecided)})
    assert 3 == len([fact for fact in facts if isinstance(fact, ReminderDecided)])


@pytest.mark.parametrize("broken", ["fold", "reschedule", "evaluate"])
def test_a_bug_quarantines_one_account_and_spares_the_others(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record goes to the dead letters, the neighbours go on, and money is kept (DESIGN 3.6)."""
    real = getattr(partition_module, broken)

    def raising(account: object, *args: object, **kwargs: object) -> object:
        if getattr(account, "id", "") == "acme:bad":
            raise ZeroDivisionError("a bug")
        return real(account, *args, **kwargs)

    monkeypatch.setattr(partition_module, broken, raising)
    partition = Partition(number=0)
    records = log(PROFILE, PUBLISH, invoice("I1", customer="bad"), invoice("I1", customer="good"), tick(10))
    steps = committed(partition, records)
    facts = [fact for step in steps for fact in step.facts]
    assert ["acme:bad"] == [fact.account for fact in facts if isinstance(fact, AccountQuarantined)][:1]
    assert ["acme:good"] == [fact.account for fact in facts if isinstance(fact, ReminderDecided)]
    assert {"acme:bad"} == {poison.account for step in steps for poison in step.poison}
    kept = b'["acme:bad","item","I1"]' in partition.rows()
    assert (broken != "fold") == kept


def test_ticks_of_the_other_mode_are_refused() -> None:
    """A played journal takes no live tick, and says so (DESIGN 1)."""
    partition = Partition(number=0)
    steps = committed(partition, log(tick(5), tick(6, mode="live")))
    raised = [fact for step in steps for fact in step.facts if isinstance(fact, ExceptionRaised)]
    assert ["tick_refused"] == [fact.reason for fact in raised]


def test_a_live_tick_from_the_future_is_refused() -> None:
    """More than 5 minutes ahead of its log-append time: a broken clock must not send reminders."""
    partition = Partition(number=0)
    steps = committed(partition, log(tick(5, mode="live")))
    assert ["tick_refused"] == [fact.reason for fact in steps[0].facts if isinstance(fact, ExceptionRaised)]
    assert partition.clock is None


def test_a_plan_version_with_other_content_is_a_conflict() -> None:
    """What was published first stands; both contents are said (SEMANTICS 2.2)."""
    other = PublishPlan(
        company="acme",
        occurred_at="2026-01-02",
        command="p2",
        plan=Plan(id="default", version=1, name="other", steps=PLAN.steps),
    )
    partition = Partition(number=0)
    steps = committed(partition, log(PROFILE, PUBLISH, PUBLISH, other))
    raised = [fact for step in steps for fact in step.facts if isinstance(fact, ExceptionRaised)]
    assert ["plan/default/1"] == [fact.key for fact in raised]
    assert PLAN == partition.company("acme").plan("default", version=1)


def test_the_latest_profile_wins_in_any_order() -> None:
    """Profiles that were published at once by two people: every partition ends with the same one."""
    later = ConfigureCompany(
        company="acme", occurred_at="2026-01-02", command="c2", name="Acme 2", time_zone="UTC", currency="USD"
    )
    names = []
    for order in ((PROFILE, later), (later, PROFILE)):
        partition = Partition(number=0)
        committed(partition, log(*order))
        names.append(partition.company("acme").profile.name)
    assert ["Acme 2", "Acme 2"] == names
