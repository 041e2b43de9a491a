"""What the fold makes of made-up logs, as one digest per kind of event: to be compared with those of a fold version.

    python -m tests.streams.fold_samples        what differs from the pinned digests
    python -m tests.streams.fold_samples --pin  pin them anew, for the present version

A log is a company with two customers, invoices and money, what ``schemas/examples`` has of one kind of
event in the middle, and seven weeks of days on which reminders go out and arrive.
"""

import datetime
import hashlib
import json
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from console.plan_files import find_plan, publish_plan_command
from processors.alone import accept, sent_of
from processors.partition import Partition
from schemas.codec import SOURCE_TYPES, decode_source, encode
from schemas.commands import ConfigureCompany
from schemas.events import Contact, CustomerUpserted, InvoiceIssued, PaymentLine, PaymentReceived
from schemas.facts import AccountTold, MessageDecided, ReminderDecided, ReminderProposed, TransferSent
from schemas.journal import JournalEntry, JournalEvent, SourceEvent, TickPassed, encode_entry
from streams.ledger import FOLD_VERSION
from tests.chaos.fold_digest import BUSINESS, business_digest

__all__ = ["PINNED", "made", "pinned"]

PINNED: Final = Path(__file__).with_name("fold_digests.json")
_EXAMPLES: Final = Path(__file__).resolve().parents[2] / "schemas" / "examples"
_COMPANY: Final = "acme"
_FIRST: Final = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
_DAYS: Final = 49
_EXAMPLES_ON: Final = 21  # when reminders have gone out
# Of a reminder, in the examples: the one that went out last takes its place.
_NO_REMINDER: Final = (b"9f2c1a7700aa11bb", b"9a1cf2b07d7f4f5e8a2b3c4d5e6f7081")
_INVOICES: Final = {
    "F-0001": ("CLP", "150000"),
    "F-0002": ("CLP", "80000"),
    "F-0003": ("CLP", "25000"),
    "0000611365": ("USD", "400.00"),
    "0000611377": ("USD", "120.00"),
    "INV-1001": ("USD", "50.00"),
}


class _Record(msgspec.Struct, frozen=True):
    offset: int
    timestamp: int
    value: bytes
    key: bytes = b""


class _Log:
    """A partition that folds what it is told, and what follows from that: deliveries arrive, accounts tell each other."""

    def __init__(self) -> None:
        self.reminder = b""
        self._partition = Partition(number=0)
        self._digest = hashlib.blake2b(digest_size=12)
        self._offset = 0

    @property
    def digest(self) -> str:
        """Give the hash of all facts and rows so far, in order."""
        return self._digest.hexdigest()

    def tell(self, event: JournalEvent, *, at: datetime.datetime) -> None:
        """Fold an event."""
        waiting: deque[JournalEvent] = deque([event])
        while waiting:
            value = encode_entry(JournalEntry(waiting.popleft(), f"e-{self._offset}", "samples"))
            record = _Record(self._offset, int(at.timestamp()) * 1000, value)
            self._offset += 1
            waiting.extend(self._fold(record))

    def _fold(self, record: _Record) -> Iterator[JournalEvent]:
        cursor, consumed = "", 0
        while not consumed:
            step = self._partition.step([record], cursor=cursor)
            self._partition.commit()
            for key, value in sorted(step.rows):
                self._digest.update(key + (value or b""))
            for poison in step.poison:
                self._digest.update(poison.error.encode())
            for fact in step.facts:
                self._digest.update(encode(fact))
                yield from self._followed(fact)
            cursor, consumed = step.cursor, step.consumed

    def _followed(self, fact: object) -> Iterator[JournalEvent]:
        if isinstance(fact, ReminderDecided | ReminderProposed):
            self.reminder = (fact.id if isinstance(fact, ReminderDecided) else fact.reminder).encode()
        if isinstance(fact, TransferSent | AccountTold):
            yield fact.event
        if isinstance(fact, ReminderDecided | MessageDecided) and (sent := sent_of(fact)) is not None:
            yield from (accept(sent, delivery) for delivery in sent.deliveries)


def _opening() -> Iterator[SourceEvent]:
    yield ConfigureCompany(
        company=_COMPANY,
        occurred_at="2026-01-01",
        command="profile",
        name="Acme Tools",
        time_zone="UTC",
        currency="CLP",
        sender_email="accounts@acme.example",
        payment_instructions="By transfer, naming the invoice.",
    )
    yield publish_plan_command(
        find_plan("default"), company=_COMPANY, occurred_at="2026-01-01", author="samples"
    )
    for number, name in enumerate(("C-1001", "C-2002")):
        yield CustomerUpserted(
            company=_COMPANY,
            customer=name,
            occurred_at="2026-01-01",
            name=name,
            kind="business",
            contacts=(
                Contact(email=f"c{number}@customers.example.test", address=("Example Street 1", "Dublin")),
            ),
        )
        for each, (document, (currency, amount)) in enumerate(_INVOICES.items()):
            yield InvoiceIssued(
                company=_COMPANY,
                customer=name,
                occurred_at="2026-01-02",
                document=f"{document}{'-b' * number}",
                currency=currency,
                amount=amount,
                due_date=datetime.date(2026, 1, 8) + datetime.timedelta(days=3 * each),
            )
    for number, (document, (currency, _)) in enumerate(list(_INVOICES.items())[1:4]):
        yield PaymentReceived(
            company=_COMPANY,
            customer="C-1001",
            occurred_at="2026-01-05",
            payment=("P-1", "P-2", "CH-7")[number],
            currency=currency,
            amount="20",
            lines=(PaymentLine(document=document),) if number else (),
        )


def _examples(name: str, *, reminder: bytes) -> Iterator[SourceEvent]:
    for file in sorted((_EXAMPLES / name).glob("*.json")):
        data = msgspec.json.encode(msgspec.json.decode(file.read_bytes())["data"])
        for placeholder in _NO_REMINDER:
            data = data.replace(placeholder, reminder)
        yield decode_source(name, data)


def _of_one_kind(name: str) -> str:
    log = _Log()
    for event in _opening():
        log.tell(event, at=_FIRST)
    for day in range(1, _DAYS):
        at = _FIRST + datetime.timedelta(days=day)
        if day == _EXAMPLES_ON:
            for event in _examples(name, reminder=log.reminder):
                log.tell(event, at=at)
        log.tell(TickPassed(at=at, mode="played"), at=at)
    return log.digest


def made() -> dict[str, str]:
    """Give the digest of each kind of event's log."""
    return {
        name: _of_one_kind(name) for name in sorted(SOURCE_TYPES) if any((_EXAMPLES / name).glob("*.json"))
    }


def pinned(version: int) -> dict[str, str]:
    """Give what a fold version has made of the same logs; empty: none was pinned."""
    versions: dict[str, dict[str, str]] = json.loads(PINNED.read_text(encoding="utf-8"))
    return versions.get(str(version), {})


def main() -> int:
    """Say what differs, or pin."""
    now = made() | {BUSINESS: business_digest()}
    if "--pin" in sys.argv[1:]:
        PINNED.write_text(
            json.dumps({str(FOLD_VERSION): now}, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
        return 0
    before = pinned(FOLD_VERSION)
    differing = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
    sys.stdout.write("".join(f"{name}\n" for name in differing))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
