"""The core moved on alone: one partition's fold, with ticks and answers that no log has.

For forecasts, for what would be under other rules, and to look at a past tick
once more. The fold is the worker's own (``Partition``); nothing reaches a log.
"""

import datetime
from collections.abc import Callable, Iterable

from msgspec import Struct

from processors.calendar import epoch_s
from processors.journal_record import JournalRecord
from processors.partition import KnownFailures, Partition
from schemas.facts import Delivery, LedgerFact, MessageDecided, ReminderDecided
from schemas.fields import split_account_id
from schemas.journal import JournalEntry, JournalEvent, encode_entry
from schemas.outcomes import OutcomeReported

__all__ = ["Alone", "AloneRecord", "Answer", "accept", "sent_of"]

# Gives the outcome of one delivery of a reminder.
Answer = Callable[[ReminderDecided, Delivery], OutcomeReported]


class AloneRecord(Struct, frozen=True):
    """A record that stands in no log: as the fold wants it."""

    offset: int
    timestamp: int
    value: bytes


class Alone:
    """A partition of one's own.

    Args:
        number: of the partition whose records or rows it is given.
        rows: encoded rows by key to start from; none: an empty partition.
        failures: what the log's own fold raised on and left out (``processors.failures``).
        made: how many records without a log have been folded before, so that their ids go on.

    Attributes:
        made: as given, and those since.
        changed: the rows that were written since it was set to ``{}``; None: they are not remembered.
    """

    def __init__(
        self,
        *,
        number: int = 0,
        rows: Iterable[tuple[bytes, bytes]] = (),
        failures: KnownFailures | None = None,
        made: int = 0,
    ) -> None:
        self.partition = Partition(number=number, failures=failures or {})
        self.partition.restore(list(rows))
        self.made = made
        self.changed: dict[bytes, bytes | None] | None = None

    def fold(self, record: JournalRecord) -> list[LedgerFact]:
        """Fold one record, however many slices it takes, and make it the state."""
        facts: list[LedgerFact] = []
        cursor, consumed = "", 0
        while not consumed:
            step = self.partition.step([record], cursor=cursor)
            self.partition.commit()
            if self.changed is not None:
                self.changed.update(step.rows)
            facts += step.facts
            cursor, consumed = step.cursor, step.consumed
        return facts

    def take(self, event: JournalEvent, *, at: datetime.datetime) -> list[LedgerFact]:
        """Fold an event that no log has, as if it had been recorded at ``at``."""
        self.made += 1
        name = f"alone-{self.made}"
        value = encode_entry(JournalEntry(event=event, id=name, source="alone"))
        return self.fold(AloneRecord(self.made, epoch_s(at) * 1000, value))

    def answer(self, facts: Iterable[LedgerFact], *, by: Answer) -> list[LedgerFact]:
        """Report each delivery of the reminders and messages among ``facts``; give what follows from it."""
        followed: list[LedgerFact] = []
        for fact in facts:
            sent = sent_of(fact)
            if sent is not None:
                for delivery in sent.deliveries:
                    followed += self.take(by(sent, delivery), at=sent.tick)
        return followed


def sent_of(fact: LedgerFact) -> ReminderDecided | None:
    """Give what goes out by a fact: a reminder, or the content of another message (R33); None: nothing does."""
    if isinstance(fact, ReminderDecided):
        return fact
    return fact.content if isinstance(fact, MessageDecided) else None


def accept(reminder: ReminderDecided, delivery: Delivery) -> OutcomeReported:
    """Let a delivery be accepted as soon as it may go out."""
    company, customer = split_account_id(reminder.account)
    return OutcomeReported(
        company=company,
        customer=customer,
        occurred_at=max(reminder.tick, delivery.not_before).isoformat(),
        reminder=reminder.id,
        channel=delivery.channel,
        status="accepted",
        provider_id="assumed",
    )
