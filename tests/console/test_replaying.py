"""Replay: the same journal gives the same rows and facts; what differs is told with its place."""

import datetime

import msgspec

from console.replaying import COMPARED_TOPICS, Ledger, differences, fold_journal, raised_on
from schemas.codec import encode
from schemas.commands import ConfigureCompany
from schemas.events import InvoiceIssued
from schemas.facts import AccountQuarantined, AccountReleased
from schemas.journal import JournalEntry, JournalEvent, TickPassed, encode_entry

ITEM = b'["acme:C","item","F-1"]'


class _Record(msgspec.Struct):
    offset: int
    value: bytes
    timestamp: int = 0


def _journal() -> list[_Record]:
    events: list[JournalEvent] = [
        ConfigureCompany(
            company="acme", occurred_at="2026-01-01", command="p", name="A", time_zone="UTC", currency="USD"
        ),
        InvoiceIssued(
            company="acme",
            customer="C",
            occurred_at="2026-01-01",
            document="F-1",
            currency="USD",
            amount="10",
            due_date=datetime.date(2026, 1, 31),
        ),
        TickPassed(at=datetime.datetime(2026, 2, 1, 9, tzinfo=datetime.UTC), mode="played"),
    ]
    return [
        _Record(offset=index, value=encode_entry(JournalEntry(event, f"e-{index}", "test")))
        for index, event in enumerate(events)
    ]


def _folded() -> Ledger:
    return fold_journal({0: _journal()})


def _told(written: Ledger) -> list[str]:
    return [str(each) for each in differences(replayed=_folded(), written=written)]


def test_same_journal_gives_no_difference() -> None:
    """R26: same input, same output."""
    ledger = _folded()
    assert 3 == ledger.records
    assert 1 == ledger.count("ledger.movement")
    assert ITEM in ledger.rows
    assert [] == _told(ledger)


def test_order_of_fields_is_no_difference() -> None:
    """A worker that restarted may write a map's entries in another order."""
    ledger = _folded()
    fields = msgspec.json.decode(ledger.rows[ITEM])
    ledger.rows[ITEM] = msgspec.json.encode(dict(reversed(fields.items())))
    assert [] == _told(ledger)


def test_changed_missing_and_foreign_rows_are_told() -> None:
    """Each with its key and what differs."""
    ledger = _folded()
    fields = msgspec.json.decode(ledger.rows[ITEM])
    ledger.rows[ITEM] = msgspec.json.encode({**fields, "open_minor": 1})
    del ledger.rows[b'["acme:C","account",""]']
    ledger.rows[b'["acme:D","item","F-2"]'] = b"{}"
    expected = [
        'row ["acme:C","account",""]: was not written',
        'row ["acme:C","item","F-1"]: open_minor is 1, replayed 1000',
        'row ["acme:D","item","F-2"]: is written, but replay has no such row',
    ]
    assert expected == _told(ledger)


def test_doubled_and_lost_facts_are_told() -> None:
    """A fact that is there twice, or not at all, is a difference of its account."""
    doubled, lost = _folded(), _folded()
    movements = doubled.facts["ledger.movement"]["acme:C"]
    movements.append(movements[0])
    lost.facts["ledger.movement"].clear()
    where = f"{COMPARED_TOPICS[0]}, account acme:C"
    assert [f"{where}: 2 facts are written, replayed 1"] == _told(doubled)
    assert [f"{where}: 0 facts are written, replayed 1"] == _told(lost)


def test_what_the_ledger_raised_on_is_left_out_of_a_replay() -> None:
    """DESIGN 3.6: the decisions tell which records were dead-lettered for which account."""
    quarantined = AccountQuarantined(id="f", account="acme:C", error="fold: ValueError: x", journal_offset=1)
    released = AccountReleased(id="g", account="acme:C", command="c")
    failures = raised_on([encode(released), encode(quarantined)])
    assert {1: [("acme:C", "fold: ValueError: x")]} == failures
    ledger = fold_journal({0: _journal()}, failures={0: failures})
    assert (1, 0) == (len(ledger.poison), ledger.count("ledger.movement"))
    assert ITEM not in ledger.rows
