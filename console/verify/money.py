"""Conservation (SEMANTICS 3): the movements of a partition, summed, must be its rows' amounts; pure.

Per account: each item's open amount and each credit's rest is the sum of its movements; the sums of
the account's row are those of its items and credits; and what came in from outside (issues,
receipts, reversals, ...) equals Σ open − Σ credits, so that no application made or lost money.
Movements carry the account's sequence number: those after the rows' position are told by it.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice

import msgspec

from console.verify.findings import PartitionReport, minor
from console.verify.sheet import Sheet, Sum
from schemas.facts import Movement
from schemas.rows import AccountRow, CreditRow, ItemRow, RowKey, decode_row, encode_key

__all__ = ["MoneyAudit"]

_BATCH = 10_000
_BEYOND_MAX = 1000
_PAIRS = ("applied", "unapplied")
_movements = msgspec.json.Decoder(Movement)


class MoneyAudit:
    """Takes the rows as of one position (by way of the sheet), then the movements, then compares.

    Args:
        account: only this one; None: all.
    """

    def __init__(self, *, sheet: Sheet, report: PartitionReport, account: str | None) -> None:
        self._sheet = sheet
        self._report = report
        self._account = account
        self._sequences: dict[str, int | None] = {}
        self._beyond: dict[str, Movement] = {}

    def take(self, values: Iterable[bytes]) -> None:
        """Sum the movements up to each account's sequence number."""
        movements = (_movements.decode(value) for value in values)
        while batch := list(islice(movements, _BATCH)):
            self._take_batch([each for each in batch if self._account in (None, each.account)])

    def _take_batch(self, movements: list[Movement]) -> None:
        sums: dict[tuple[str, str, str], int] = {}
        said: dict[str, int] = {}
        for movement in movements:
            account = movement.account
            number = int(movement.id.rpartition("/")[2])
            if number > (self._sequence(account) or 0):
                if len(self._beyond) < _BEYOND_MAX:
                    self._beyond.setdefault(account, movement)
                continue
            before = said[account] if account in said else self._sheet.said(account)
            if number <= before:
                self._object(account, f"movement {movement.id}", f"a number above {before}", number)
            said[account] = max(number, before)
            self._report.movements += 1
            for what, amount in _postings(movement):
                place = (account, what, movement.currency)
                sums[place] = sums.get(place, 0) + amount
        self._sheet.add((*place, amount) for place, amount in sums.items())
        self._sheet.say(said.items())
        if len(self._sequences) > _BATCH:
            self._sequences.clear()

    def _sequence(self, account: str) -> int | None:
        """Give the sequence number in the account's row; None: it has no row."""
        if account not in self._sequences:
            value = self._sheet.row(encode_key(_account_key(account)))
            row = None if value is None else decode_row(value)
            self._sequences[account] = row.sequence if isinstance(row, AccountRow) else None
        return self._sequences[account]

    def compare(self, *, at_rest: bool) -> None:
        """Compare sums and rows, account by account.

        Args:
            at_rest: nothing was committed after the rows' position, so that no movement may be beyond it.
        """
        if at_rest:
            for account, movement in self._beyond.items():
                has = self._sequence(account)
                expected = "no movement, as it has no row" if has is None else f"none after {account}/{has}"
                self._object(account, f"movement {movement.id}", expected, f"{movement.kind} {movement.id}")
        for account, sums, rows in _by_account(self._sheet.sums(), self._sheet.money_rows()):
            if self._account in (None, account):
                self._report.accounts += 1
                self._compare_account(account, sums, rows)

    def _compare_account(
        self, account: str, sums: dict[tuple[str, str], int], rows: Mapping[bytes, bytes]
    ) -> None:
        header: AccountRow | None = None
        outside = {currency: sums.pop((what, currency)) for what, currency in list(sums) if not what}
        open_: dict[str, int] = {}
        credit: dict[str, int] = {}
        for key, value in rows.items():
            match decode_row(value):
                case AccountRow() as row:
                    header = row
                case ItemRow() as row:
                    self._compare_row(key, row, sums.pop((f"item {row.item}", row.currency), 0), "open")
                    open_[row.currency] = open_.get(row.currency, 0) + row.open_minor
                case CreditRow() as row:
                    self._compare_row(key, row, sums.pop((f"credit {row.credit}", row.currency), 0), "rest")
                    credit[row.currency] = credit.get(row.currency, 0) + row.rest_minor
                case _:
                    pass
        for (what, currency), amount in sums.items():
            if amount:  # a settled item's row may be purged, one with something open may not
                self._object(account, what, f"a row with {minor(amount, currency=currency)}", "no row")
        self._compare_header(account, header, open_, credit)
        for currency in sorted(outside.keys() | open_.keys() | credit.keys()):
            came_in, is_there = outside.get(currency, 0), open_.get(currency, 0) - credit.get(currency, 0)
            if came_in != is_there:
                expected = f"Σ open − Σ credits = {minor(came_in, currency=currency)} by what came in and out"
                self._object(account, f"{currency} in all", expected, minor(is_there, currency=currency))

    def _compare_row(self, key: bytes, row: ItemRow | CreditRow, moved: int, name: str) -> None:
        there = row.open_minor if isinstance(row, ItemRow) else row.rest_minor
        if moved != there:
            self._object(
                row.account,
                f"row {key.decode()}",
                f"{name} {minor(moved, currency=row.currency)} by its movements",
                minor(there, currency=row.currency),
            )

    def _compare_header(
        self, account: str, header: AccountRow | None, open_: dict[str, int], credit: dict[str, int]
    ) -> None:
        key = f"row {encode_key(_account_key(account)).decode()}"
        if header is None:
            self._object(account, key, "a row", "none")
            return
        for currency in sorted(header.balances.keys() | open_.keys() | credit.keys()):
            balance = header.balances.get(currency)
            has = (0, 0) if balance is None else (balance.open_minor, balance.credit_minor)
            sums = (open_.get(currency, 0), credit.get(currency, 0))
            if has != sums:
                self._object(
                    account,
                    key,
                    f"{currency} open {sums[0]} and credit {sums[1]} by its items and credits",
                    f"open {has[0]} and credit {has[1]}",
                )

    def _object(self, account: str, row: str, expected: object, found: object) -> None:
        self._report.object_to("conservation", account=account, row=row, expected=expected, found=found)


def _postings(movement: Movement) -> Iterator[tuple[str, int]]:
    """Give what a movement changes: an item or a credit, and ('') the account's sum when it is from outside."""
    amount = movement.amount_minor
    yield (f"item {movement.item}" if movement.item else f"credit {movement.credit}"), amount
    if movement.kind not in _PAIRS:
        yield "", amount if movement.item else -amount


def _by_account(
    sums: Iterable[Sum], rows: Iterable[tuple[str, bytes, bytes]]
) -> Iterator[tuple[str, dict[tuple[str, str], int], dict[bytes, bytes]]]:
    """Join sums and rows, both in order of account, one account at a time."""
    by_sum = ((name, list(group)) for name, group in groupby(sums, key=lambda one: one[0]))
    by_row = ((name, list(group)) for name, group in groupby(rows, key=lambda one: one[0]))
    sum_group, row_group = next(by_sum, None), next(by_row, None)
    while sum_group or row_group:
        name = min(group[0] for group in (sum_group, row_group) if group)
        amounts: dict[tuple[str, str], int] = {}
        values: dict[bytes, bytes] = {}
        if sum_group and sum_group[0] == name:
            amounts = {(what, currency): amount for _, what, currency, amount in sum_group[1]}
            sum_group = next(by_sum, None)
        if row_group and row_group[0] == name:
            values = {bytes(key): bytes(value) for _, key, value in row_group[1]}
            row_group = next(by_row, None)
        yield name, amounts, values


def _account_key(account: str) -> RowKey:
    return RowKey("account", account, "")
