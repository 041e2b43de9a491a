"""Ledger: the fold of a journal partition, as a stage of the engine.

It wraps ``processors.partition.Partition``: rows go to the changelog as they are, facts to
the topic of their type as CloudEvents, what accounts tell each other back to the journal, and
records that the fold raised on to its dead letters. It decides nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast

from infra.metrics.tally import Tally
from processors.partition import JournalRecord, Partition, Poison
from schemas.codec import FACT_TYPES, TOPIC_OF_TYPE, encode_all
from schemas.dead_letters import DeadLetter, dead_letter_headers
from schemas.envelope import Envelope, to_headers
from schemas.facts import AccountTold, TransferSent
from schemas.fields import account_id
from schemas.journal import JournalEntry, decode_entry, encode_entry
from streams.engine.stage import NO_HEADERS, Output, Record, Step
from streams.intake import place
from streams.letters import LetterBook, letter_tally

__all__ = ["FOLD_VERSION", "POISON", "SOURCE", "Ledger", "fact_topics", "open_ledger"]

# Written into every link: ``verify`` compares only what one version has folded.
FOLD_VERSION = 4
SOURCE = "cobranza/ledger"
# The reason of its dead letters.
POISON = "fold_failed"

_Header = tuple[str, bytes]
# As ``Output(...)`` does, without a call of Python for each fact.
_output = partial(tuple.__new__, Output)


class Ledger:
    """The stage of one journal partition.

    Args:
        partition: the fold.
        journal: physical name of the journal.
        topics: physical name by logical name, of the topics that facts go to.
        dead_letters: physical name and partition that poison goes to.
        journal_partitions: how many the journal has, for what accounts tell each other.
        letters: counts the poison; shared by all partitions of a worker.
    """

    def __init__(
        self,
        *,
        partition: Partition,
        journal: str,
        topics: Mapping[str, str],
        dead_letters: tuple[str, int],
        journal_partitions: int = 1,
        letters: Tally | None = None,
    ) -> None:
        self._partition = partition
        self._number = partition.number
        self._journal = journal
        self._journal_partitions = journal_partitions
        self._dead_letters = dead_letters
        self._letters = LetterBook(letters or letter_tally())
        self._routes = {struct: _route(name, topics=topics) for name, struct in FACT_TYPES.items()}
        self.mark = partition.mark
        self.restore = partition.restore
        self.commit = partition.commit
        self.discard = partition.discard
        self.wipe = partition.wipe
        self.close = partition.close

    def step(self, records: Sequence[Record], *, cursor: str) -> Step:
        """Fold a run; see ``Partition.step``."""
        # Intake and clock never write a record without a value to the journal.
        done = self._partition.step(cast("Sequence[JournalRecord]", records), cursor=cursor)
        number, routes = self._number, self._routes
        outputs = []
        account, key = "", b""
        for fact, value in zip(done.facts, encode_all(done.facts), strict=True):
            if fact.account is not account:  # mostly those of one account come together
                account = fact.account
                key = account.encode()
            topic, before, after, is_told = routes[type(fact)]
            headers = [*before, ("ce_id", fact.id.encode()), *after]
            outputs.append(_output((topic, number, key, value, headers)))
            if is_told:
                outputs.append(self._told(cast("TransferSent | AccountTold", fact)))
        outputs += [self._letter(records[poison.index], poison) for poison in done.poison]
        return Step(done.rows, outputs, done.consumed, done.cursor)

    def _told(self, fact: TransferSent | AccountTold) -> Output:
        """Write to the journal what another account is told; its place is as intake would choose."""
        account = account_id(fact.event.company, fact.event.customer)
        entry = encode_entry(JournalEntry(fact.event, fact.id, SOURCE))
        number = place(account, partitions=self._journal_partitions)
        return Output(self._journal, number, account.encode(), entry, NO_HEADERS)

    def _letter(self, record: Record, poison: Poison) -> Output:
        letter = DeadLetter(
            reason=POISON,
            detail=f"account {poison.account}: {poison.error}",
            stage="ledger",
            topic=self._journal,
            partition=self._number,
            offset=record.offset,
            account=poison.account,
        )
        # The fold has read it, so it is an entry.
        self._letters.note(letter, event_id=decode_entry(record.value or b"").id)
        headers = dead_letter_headers(letter, original=record.headers)
        return Output(*self._dead_letters, record.key, record.value, headers)


def _route(fact_type: str, *, topics: Mapping[str, str]) -> tuple[str, list[_Header], list[_Header], bool]:
    """Give topic and constant headers of a type: those before the id, and those after it; True: the journal has it too."""
    headers = to_headers(Envelope(id="", source=SOURCE, type=fact_type))
    at = [name for name, _ in headers].index("ce_id")
    is_told = FACT_TYPES[fact_type] in (TransferSent, AccountTold)
    return topics[TOPIC_OF_TYPE[fact_type]], headers[:at], headers[at + 1 :], is_told


def _in_memory(number: int) -> Partition:
    return Partition(number=number)


def open_ledger(
    *,
    journal: str,
    topics: Mapping[str, str],
    dead_letters: str,
    partition: Callable[[int], Partition] = _in_memory,
    tally: Tally | None = None,
) -> Callable[[str, int, Mapping[str, int]], Ledger]:
    """Give the function that makes the stage of a journal partition (``StageSpec.open``).

    ``partition`` makes the fold of a partition by its number.
    """

    def make(_topic: str, number: int, counts: Mapping[str, int]) -> Ledger:
        return Ledger(
            partition=partition(number),
            journal=journal,
            topics=topics,
            dead_letters=(dead_letters, number % counts[dead_letters]),
            journal_partitions=counts[journal],
            letters=tally,
        )

    return make


def fact_topics() -> tuple[str, ...]:
    """List the logical topics that facts go to."""
    return tuple(sorted({TOPIC_OF_TYPE[name] for name in FACT_TYPES}))
