"""The comparison is fair: the peers' accounting gives what the ledger's fold gives, to the cent."""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import json

from benchmarks.peers.accounting import account_for, decode_told, keys
from benchmarks.workload import encoded
from processors.partition import Partition
from schemas.rows import AccountRow, CreditRow, ItemRow, decode_row

_EVENTS, _ACCOUNTS, _PARTITIONS = 2_000, 60, 2


class _Record(NamedTuple):
    offset: int
    timestamp: int
    value: bytes


class _Balances(NamedTuple):
    """Account -> (Σ open, Σ unapplied); item -> open; payment -> rest."""

    accounts: dict[str, tuple[int, int]]
    items: dict[str, int]
    credits: dict[str, int]


class _Dict:
    """A store of rows."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.rows.get(key)

    def put(self, key: str, value: bytes) -> None:
        self.rows[key] = value


def test_peers_account_as_the_ledger_does() -> None:
    """After 2,000 events each item, payment and account stands as in the ledger's rows."""
    assert _of_ledger() == _of_peers()


def test_workload_has_all_its_kinds() -> None:
    """Half invoices, 35 % payments that name an item, 15 % that name none; some money is left over."""
    events = [decode_told(value).event for value in _values()]
    facts = [event for event in events if event.customer]
    invoices = sum(bool(event.document) for event in facts)
    named = sum(bool(event.lines) for event in facts)
    assert len(facts) == _EVENTS
    assert abs(invoices - 1_000) < 100
    assert abs(named - 700) < 100
    assert any(_of_peers().credits.values())


def test_workload_is_the_same_each_time() -> None:
    """Each system, and each run, gets the same records."""
    assert list(_values()) == list(_values())


def _values() -> Iterator[bytes]:
    for partition, _key, value in encoded(events=_EVENTS, partitions=_PARTITIONS, accounts=_ACCOUNTS):
        event = decode_told(value).event
        if event.customer or partition == 0:
            yield value


def _of_peers() -> _Balances:
    store = _Dict()
    said = 0
    for value in _values():
        told = decode_told(value)
        at = keys(f"{told.event.company}:{told.event.customer}")
        said += account_for(told.event, id=told.id, rows=store, at=at) is not None
    assert said == _EVENTS
    found = _Balances({}, {}, {})
    for row in (json.decode(value) for value in store.rows.values()):
        match row["kind"]:
            case "account":
                found.accounts[row["account"]] = (row["open_minor"], row["credit_minor"])
            case "item":
                found.items[row["item"]] = row["open_minor"]
            case _:
                found.credits[row["credit"]] = row["rest_minor"]
    return found


def _of_ledger() -> _Balances:
    found = _Balances({}, {}, {})
    for number in range(_PARTITIONS):
        partition = Partition(number=number)
        records = [
            _Record(offset, 0, value)
            for offset, (at, _key, value) in enumerate(
                encoded(events=_EVENTS, partitions=_PARTITIONS, accounts=_ACCOUNTS)
            )
            if at == number
        ]
        step = partition.step(records, cursor="")
        assert step.poison == []
        partition.commit()
        for value in partition.rows().values():
            match decode_row(value):
                case AccountRow() as row:
                    balance = row.balances["USD"]
                    found.accounts[row.account] = (balance.open_minor, balance.credit_minor)
                case ItemRow() as row:
                    found.items[row.item] = row.open_minor
                case CreditRow() as row:
                    found.credits[row.credit.removeprefix("payment/")] = row.rest_minor
                case _:
                    pass
    return found
