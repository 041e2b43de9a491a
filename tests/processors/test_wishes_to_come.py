"""What is dated in the future of the channels of a customer: nobody has said it yet (R15)."""

import datetime
from collections.abc import Sequence

import pytest

from processors.calendar import epoch_s
from processors.partition import Partition
from schemas.commands import ConfigureCompany, OptIn, OptOut
from schemas.facts import ExceptionRaised, LedgerFact
from schemas.journal import JournalEntry, JournalEvent, TickPassed, encode_entry
from tests.processors.test_partition import Record

PROFILE = ConfigureCompany(
    company="acme",
    occurred_at="2027-01-01",
    command="c1",
    name="Acme",
    time_zone="America/Santiago",
    currency="USD",
)


def _at(day: int, hour: int = 12) -> datetime.datetime:
    return datetime.datetime(2027, 1, day, hour, tzinfo=datetime.UTC)


class _Journal:
    """A journal of one partition, each record appended at a day of January 2027."""

    def __init__(self, mode: str) -> None:
        self.partition = Partition(number=0)
        self.offset = 0
        self.say(PROFILE, day=1)
        self.say(TickPassed(at=_at(1), mode="live" if mode == "live" else "played"), day=1)

    def say(self, event: JournalEvent, *, day: int) -> Sequence[LedgerFact]:
        value = encode_entry(JournalEntry(event, f"e{self.offset}", "test"))
        step = self.partition.step([Record(self.offset, epoch_s(_at(day)) * 1000, value)], cursor="")
        self.partition.commit()
        self.offset += 1
        return step.facts

    def opted_out(self) -> tuple[str, ...]:
        return tuple(self.partition.account("acme:c-1").row.opted_out)


def _out(at: str) -> OptOut:
    return OptOut(company="acme", customer="c-1", occurred_at=at, command=f"out-{at}", channel="email")


def _in(at: str) -> OptIn:
    return OptIn(company="acme", customer="c-1", occurred_at=at, command=f"in-{at}", channel="email")


def _refused(facts: Sequence[LedgerFact]) -> list[str]:
    return [each.detail for each in facts if isinstance(each, ExceptionRaised)]


def test_an_opt_in_to_come_permits_nothing_and_stands_in_nobodys_way() -> None:
    """The 1 of June was typed for the 1 of January: he was written to at once, and his opt-out of the 25 was taken for older."""
    journal = _Journal("live")
    journal.say(_out("2027-01-10"), day=10)
    (said,) = _refused(journal.say(_in("2027-06-01"), day=20))
    assert "2027-06-01" in said
    assert ("email",) == journal.opted_out()
    assert [] == _refused(journal.say(_in("2027-01-22"), day=22))
    assert [] == _refused(journal.say(_out("2027-01-25"), day=25))
    assert ("email",) == journal.opted_out()


def test_an_opt_out_to_come_counts_from_when_it_is_heard() -> None:
    """Who wants no mail gets none; what he says after that is the newer word, though its date is before."""
    journal = _Journal("live")
    assert [] == _refused(journal.say(_out("2027-06-01"), day=20))
    assert ("email",) == journal.opted_out()
    assert [] == _refused(journal.say(_in("2027-01-22"), day=22))
    assert () == journal.opted_out()


@pytest.mark.parametrize("ahead", ["2027-01-20T14:00:00Z", "2027-01-21", "2027-01-21T11:00:00+00:00"])
def test_a_clock_that_goes_ahead_is_no_future(ahead: str) -> None:
    """Hours, or the next day of another zone, are the publisher's clock: heard, and no newer than what follows."""
    journal = _Journal("live")
    journal.say(_out("2027-01-10"), day=10)
    assert [] == _refused(journal.say(_in(ahead), day=20))
    assert () == journal.opted_out()
    assert [] == _refused(journal.say(_out("2027-01-20T13:00:00Z"), day=20))
    assert ("email",) == journal.opted_out()


def test_a_played_journal_is_of_other_days_than_those_it_is_written_on() -> None:
    """A year that is played is appended in minutes: its days, not the broker's, say what was later."""
    journal = _Journal("played")
    journal.say(_out("2027-05-10"), day=2)
    assert [] == _refused(journal.say(_in("2027-06-01"), day=2))
    assert () == journal.opted_out()
