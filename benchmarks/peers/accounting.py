"""The open-item accounting that every peer does, as its Python peers do it: one event, a few rows.

Rows of an account are its header, its items and its payments (with what they settled); an
event reads and writes those it touches, by key. The header names open items, oldest due
first, and payments with money left, so that nothing needs a scan: neither Faust's tables
nor Quix's state have one. ``Accounting.java`` does the same, line by line. The rules are the
ledger's (S1-18, S1-19): a payment that names an item goes to it, one that names none to the
oldest due, and what is left to the next invoice.

Only msgspec is needed: peers have an environment of their own.
"""

from typing import Literal, NamedTuple, Protocol

from msgspec import Struct, json

__all__ = [
    "Credit",
    "Event",
    "Header",
    "Item",
    "Rows",
    "Told",
    "account_for",
    "decode_told",
    "keys",
]


class Line(Struct, gc=False):
    """An item that a payment names."""

    document: str


class Event(Struct, gc=False):
    """What the accounting needs of a journal event; ticks and commands have no document or payment."""

    type: str
    company: str = ""
    customer: str = ""
    occurred_at: str = ""
    document: str = ""
    payment: str = ""
    currency: str = ""
    amount: str = ""
    due_date: str = ""
    lines: list[Line] = []


class Told(Struct, array_like=True, gc=False):
    """A journal record: ``[event, id, source]``."""

    event: Event
    id: str
    source: str


class OpenItem(Struct, array_like=True, gc=False, order=True):
    """An open item as the header names it; sorted by due date, then document."""

    due_on: str
    item: str


class Header(Struct, gc=False, kw_only=True):
    """An account: sums in minor units, what is open, whose money is left, when to look again."""

    kind: Literal["account"] = "account"
    account: str
    version: int = 0
    open_minor: int = 0
    credit_minor: int = 0
    wake_on: str = ""
    items: list[OpenItem] = []
    loose: list[str] = []


class Item(Struct, gc=False, kw_only=True):
    """A receivable."""

    kind: Literal["item"] = "item"
    account: str
    item: str
    currency: str
    issued_on: str
    due_on: str
    amount_minor: int
    open_minor: int


class Part(Struct, array_like=True, gc=False):
    """What of a payment went to an item."""

    item: str
    amount_minor: int


class Credit(Struct, gc=False, kw_only=True):
    """A payment and what it settled."""

    kind: Literal["credit"] = "credit"
    account: str
    credit: str
    currency: str
    received_on: str
    amount_minor: int
    rest_minor: int
    applied: list[Part] = []


class Said(Struct, gc=False, kw_only=True):
    """The one output of an event."""

    id: str
    account: str
    version: int
    applied_minor: int
    open_minor: int
    credit_minor: int


class Rows(Protocol):
    """The store of one account's rows, by key; values are JSON."""

    def get(self, key: str) -> bytes | None:
        """Read a row."""

    def put(self, key: str, value: bytes) -> None:
        """Write a row."""


class Keys(NamedTuple):
    """The beginnings of row keys, before an id."""

    header: str
    item: str
    credit: str


def keys(account: str) -> Keys:
    """Give row keys that no other account has, for a store that all accounts share."""
    return Keys(f"{account}|h|", f"{account}|i|", f"{account}|c|")


decode_told = json.Decoder(Told).decode
_encode = json.Encoder().encode
_header = json.Decoder(Header).decode
_item = json.Decoder(Item).decode
_credit = json.Decoder(Credit).decode


def account_for(event: Event, *, id: str, rows: Rows, at: Keys) -> bytes | None:  # noqa: A002
    """Account for one event: change rows, and give the output; None: it is no fact of an account.

    An invoice or payment that is known changes nothing but the version.
    """
    if not (event.document or event.payment):
        return None
    account = f"{event.company}:{event.customer}"
    stored = rows.get(at.header)
    header = Header(account=account) if stored is None else _header(stored)
    if event.payment:
        applied_minor = _receive(event, header, rows=rows, at=at)
    else:
        applied_minor = _issue(event, header, rows=rows, at=at)
    header.version += 1
    header.wake_on = header.items[0].due_on if header.items else ""
    rows.put(at.header, _encode(header))
    return _encode(
        Said(
            id=id,
            account=account,
            version=header.version,
            applied_minor=applied_minor,
            open_minor=header.open_minor,
            credit_minor=header.credit_minor,
        )
    )


def _issue(event: Event, header: Header, *, rows: Rows, at: Keys) -> int:
    key = at.item + event.document
    if rows.get(key) is not None:
        return 0
    amount_minor = _minor(event.amount)
    item = Item(
        account=header.account,
        item=event.document,
        currency=event.currency,
        issued_on=event.occurred_at,
        due_on=event.due_date,
        amount_minor=amount_minor,
        open_minor=amount_minor,
    )
    while header.loose and item.open_minor:
        credit_key = at.credit + header.loose[0]
        credit = _known_credit(rows, credit_key)
        amount = _apply(credit, item)
        header.credit_minor -= amount
        if not credit.rest_minor:
            header.loose.pop(0)
        rows.put(credit_key, _encode(credit))
    if item.open_minor:
        header.items.append(OpenItem(item.due_on, item.item))
        header.items.sort()
    header.open_minor += item.open_minor
    rows.put(key, _encode(item))
    return amount_minor - item.open_minor


def _receive(event: Event, header: Header, *, rows: Rows, at: Keys) -> int:
    key = at.credit + event.payment
    if rows.get(key) is not None:
        return 0
    amount_minor = _minor(event.amount)
    credit = Credit(
        account=header.account,
        credit=event.payment,
        currency=event.currency,
        received_on=event.occurred_at,
        amount_minor=amount_minor,
        rest_minor=amount_minor,
        applied=[],
    )
    targets = [line.document for line in event.lines] if event.lines else [each.item for each in header.items]
    for name in targets:
        if not credit.rest_minor:
            break
        _settle(name, credit, header, rows=rows, at=at)
    applied_minor = amount_minor - credit.rest_minor
    header.open_minor -= applied_minor
    header.credit_minor += credit.rest_minor
    if credit.rest_minor:
        header.loose.append(event.payment)
    rows.put(key, _encode(credit))
    return applied_minor


def _settle(name: str, credit: Credit, header: Header, *, rows: Rows, at: Keys) -> None:
    key = at.item + name
    stored = rows.get(key)
    if stored is None:
        return
    item = _item(stored)
    if not item.open_minor:
        return
    _apply(credit, item)
    if not item.open_minor:
        header.items.remove(OpenItem(item.due_on, item.item))
    rows.put(key, _encode(item))


def _apply(credit: Credit, item: Item) -> int:
    amount = min(credit.rest_minor, item.open_minor)
    credit.rest_minor -= amount
    item.open_minor -= amount
    credit.applied.append(Part(item.item, amount))
    return amount


def _known_credit(rows: Rows, key: str) -> Credit:
    stored = rows.get(key)
    if stored is None:
        raise LookupError(f"the header names {key}, which has no row")
    return _credit(stored)


def _minor(amount: str) -> int:
    """Read decimal text of two decimals or fewer: the workload has one currency."""
    whole, _, fraction = amount.partition(".")
    return int(whole) * 100 + int((fraction + "00")[:2])
