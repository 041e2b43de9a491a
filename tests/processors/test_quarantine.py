"""A bug of ours stops one account; mended and replayed, it goes on (DESIGN 3.6): in a credit controller's words."""

import pytest

from processors import partition as partition_module
from processors.decide import evaluate
from processors.fold import fold
from processors.partition import Partition, PartitionStep
from schemas.commands import ReleaseQuarantine
from schemas.events import InvoiceIssued
from schemas.facts import AccountQuarantined, AccountReleased, LedgerFact, ReminderDecided, ReminderWithheld
from schemas.journal import JournalEvent
from tests.processors.test_partition import PROFILE, PUBLISH, Record, committed, invoice, log, payment, tick

ACCOUNT = "acme:c"


class Ledger:
    """A partition, its journal, and all that it said."""

    def __init__(
        self, *, failures: partition_module.KnownFailures | None = None, restores: bool = False
    ) -> None:
        self.partition = Partition(number=0, failures=failures or {})
        self.restores = restores
        self.records: list[Record] = []
        self.facts: list[LedgerFact] = []

    def hear(self, *events: JournalEvent) -> list[LedgerFact]:
        """Append to the journal, and fold."""
        records = log(*events, start=len(self.records))
        self.records += records
        return self.read(records)

    def read(self, records: list[Record]) -> list[LedgerFact]:
        """Fold records of a journal."""
        facts = [fact for step in committed(self.partition, records) for fact in step.facts]
        self.facts += facts
        if self.restores:
            rows = list(self.partition.rows().items())
            self.partition = Partition(number=0)
            self.partition.restore(rows)
        return facts

    @property
    def quarantined(self) -> str:
        """Why the account is quarantined; "" when it is not."""
        return self.partition.account(ACCOUNT).row.quarantined


class Bug:
    """A fold that raises on an invoice, or an evaluation that raises on an account, until it is mended."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.on = ""

        def folding(account: object, event: object, **more: object) -> object:
            if isinstance(event, InvoiceIssued) and event.document == self.on:
                raise ZeroDivisionError("a bug")
            return fold(account, event, **more)  # type: ignore[arg-type]  # as it came

        def evaluating(account: object, **more: object) -> object:
            if self.on == "evaluate":
                raise ZeroDivisionError("a bug")
            return evaluate(account, **more)  # type: ignore[arg-type]

        patch.setattr(partition_module, "fold", folding)
        patch.setattr(partition_module, "evaluate", evaluating)


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> Bug:
    """A bug that is not there yet."""
    return Bug(monkeypatch)


def release(*, number: int = 1, up_to_offset: int | None = None) -> ReleaseQuarantine:
    """Ask for the account's release."""
    return ReleaseQuarantine(
        company="acme",
        customer="c",
        occurred_at="2026-01-12",
        command=f"release-{number}",
        author="anna",
        up_to_offset=up_to_offset,
    )


def broken(ledger: Ledger, bug: Bug) -> None:
    """Invoice I1 is folded, I2 is raised on: it is lost to the account, which is quarantined."""
    ledger.hear(PROFILE, PUBLISH, invoice("I1"))
    bug.on = "I2"
    ledger.hear(invoice("I2"))
    bug.on = ""


def reminders(facts: list[LedgerFact]) -> list[list[str]]:
    """Give the invoices that each reminder names."""
    return [[item.item for item in fact.items] for fact in facts if isinstance(fact, ReminderDecided)]


def test_a_mended_account_is_released_and_reminded_of_all(bug: Bug) -> None:
    """The lost invoice is replayed, the account released, and the next tick writes of both invoices."""
    ledger = Ledger()
    broken(ledger, bug)
    assert ledger.quarantined.startswith("fold: ZeroDivisionError")
    withheld = [fact for fact in ledger.hear(tick(11)) if isinstance(fact, ReminderWithheld)]
    assert [["quarantined"]] == [[item.reason for item in fact.items] for fact in withheld]
    up_to = len(ledger.records) - 1
    ledger.hear(invoice("I2"))
    (said,) = ledger.hear(release(up_to_offset=up_to))
    assert isinstance(said, AccountReleased)
    assert ("release-1", "anna", "") == (said.command, said.author, ledger.quarantined)
    assert [["I1", "I2"]] == reminders(ledger.hear(tick(12)))


def test_a_record_that_fails_again_keeps_the_account_in_quarantine(bug: Bug) -> None:
    """Replayed before the bug was mended: the release that came with the replay does nothing, the next one does."""
    ledger = Ledger()
    broken(ledger, bug)
    up_to = len(ledger.records) - 1
    bug.on = "I2"
    assert isinstance(ledger.hear(invoice("I2"))[0], AccountQuarantined)
    assert [] == ledger.hear(release(up_to_offset=up_to))
    assert ledger.quarantined
    bug.on = ""
    up_to = len(ledger.records) - 1
    ledger.hear(invoice("I2"), release(number=2, up_to_offset=up_to))
    assert not ledger.quarantined


def test_replaying_what_was_taken_in_is_harmless(bug: Bug) -> None:
    """A second replay by mistake: the natural keys are known, so no cent moves (SEMANTICS 2.2)."""
    ledger = Ledger()
    broken(ledger, bug)
    ledger.hear(invoice("I2"), release())
    before = ledger.partition.rows()
    assert [] == ledger.hear(invoice("I2"), release())
    assert before == ledger.partition.rows()


def test_the_release_of_an_account_that_is_not_quarantined_says_nothing() -> None:
    """A person who asks to be sure changes nothing that dunning sees."""
    ledger = Ledger()
    ledger.hear(PROFILE, PUBLISH, invoice("I1"))
    version = ledger.partition.account(ACCOUNT).row.version
    assert [] == ledger.hear(release())
    assert version == ledger.partition.account(ACCOUNT).row.version


def test_what_is_paid_during_quarantine_is_not_asked_for_after_it(bug: Bug) -> None:
    """Money goes on while letters wait: the paid invoice is settled, and in time forgotten like any other."""
    ledger = Ledger()
    broken(ledger, bug)
    ledger.hear(tick(11), payment("I1"), invoice("I2"), release())
    account = ledger.partition.account(ACCOUNT)
    assert (0, "settled") == (account.items["I1"].open_minor, account.items["I1"].status)
    assert account.items["I1"].closed_on is not None
    assert [["I2"]] == reminders(ledger.hear(tick(12)))


def test_a_tick_that_was_raised_on_needs_no_replay(bug: Bug) -> None:
    """The account is released, and the next tick decides what the raised one did not."""
    ledger = Ledger()
    ledger.hear(PROFILE, PUBLISH, invoice("I1"))
    bug.on = "evaluate"
    assert isinstance(ledger.hear(tick(11))[0], AccountQuarantined)
    bug.on = ""
    assert [] == ledger.hear(tick(12))
    ledger.hear(release(up_to_offset=len(ledger.records) - 1))
    assert [["I1"]] == reminders(ledger.hear(tick(13)))


@pytest.mark.parametrize("at_once", [False, True])
def test_a_replay_with_mended_code_leaves_out_what_was_left_out(bug: Bug, at_once: bool) -> None:
    """The log was folded with the bug: the same rows and facts come out, told what was raised on then."""
    ledger = Ledger()
    broken(ledger, bug)
    bug.on = "evaluate"
    ledger.hear(tick(11))
    bug.on = ""
    ledger.hear(payment("I1"), invoice("I2"), release(), tick(12))
    raised: dict[int, list[tuple[str, str]]] = {}
    for fact in ledger.facts:
        if isinstance(fact, AccountQuarantined):
            raised.setdefault(fact.journal_offset, []).append((fact.account, fact.error))
    assert [3, 4] == list(raised)
    again = Ledger(failures=raised)
    if at_once:
        again.read(ledger.records)
    else:
        for record in ledger.records:
            again.read([record])
    assert ledger.facts == again.facts
    assert ledger.partition.rows() == again.partition.rows()
    assert ledger.partition.rows() != _replayed_without_knowing(ledger.records)


def _replayed_without_knowing(records: list[Record]) -> dict[bytes, bytes]:
    ledger = Ledger()
    ledger.read(records)
    return ledger.partition.rows()


def test_known_failures_are_told_once(bug: Bug) -> None:
    """A replay counts what was left out where it was left out."""
    ledger = Ledger()
    broken(ledger, bug)
    steps: list[PartitionStep] = committed(
        Partition(number=0, failures={3: [(ACCOUNT, "fold: x")]}), ledger.records
    )
    assert [(3, ACCOUNT)] == [(poison.index, poison.account) for step in steps for poison in step.poison]


def test_a_worker_that_takes_over_a_quarantined_account_goes_on_the_same(bug: Bug) -> None:
    """What is noted, and what is not, while an account is quarantined depends on the rows alone."""
    ledgers = [Ledger(), Ledger(restores=True)]
    for ledger in ledgers:
        broken(ledger, bug)
        told: list[JournalEvent] = [payment("I1"), tick(11), invoice("I3"), tick(12), payment("I3")]
        for event in [*told, invoice("I2"), release(), tick(13), payment("I2"), tick(14)]:
            ledger.hear(event)
    assert ledgers[0].facts == ledgers[1].facts
    assert ledgers[0].partition.rows() == ledgers[1].partition.rows()
    assert [["I2"]] == reminders(ledgers[0].facts)
