"""Accounts with a reminder on its way, which a bank credit that has just come may stop (R21, R32).

Who they are is asked for only where banks report unmatched credits: it is read from the rows once, then kept
beside them. It decides nothing: an account whose decision is overtaken is looked at at the next tick.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from processors.account import Account
from processors.company import Company
from processors.reminder import UNRESOLVED, decided_beside
from processors.row_store import RowStore
from schemas.bank import BankLineUnmatched
from schemas.rows import BankLineRow, ClockRow

__all__ = ["InFlight"]

_CHUNK = 500  # accounts whose rows are read at once
_ACCOUNT = b'{"kind":"account"'
_OPEN = b'"open_reminder":"'  # left out of a row where there is none
_ANY_VERSION = 2**62


class InFlight:
    """The accounts of companies that have an open reminder; it holds none of a company that was never asked for.

    Args:
        store: of the committed rows.
        account: gives a live account.
    """

    __slots__ = ("_account", "_known", "_store")

    def __init__(self, store: RowStore, *, account: Callable[[str], Account]) -> None:
        self._store = store
        self._account = account
        self._known: dict[str, set[str]] = {}

    def overtaken(
        self,
        event: BankLineUnmatched,
        company: Company,
        *,
        clock: ClockRow | None,
        touched: Mapping[str, Account],
    ) -> list[str]:
        """Name the accounts whose reminder on its way was decided before a credit which may be theirs, in order.

        Not where a person had it go whatever the banks say (R5), nor a mere task of a date by hand; and
        not for a credit that holds nobody any more. ``touched`` are those that are not committed yet.
        """
        line = company.banks.row_of(event.line)
        if line is None or (clock is not None and company.day_of(clock.at) >= line.until):
            return []
        now = {name for name, account in touched.items() if account.company == company.id}
        names = sorted(self._of(company.id) | now)
        return [name for name in names if _is_overtaken(self._account(name), line=line, company=company)]

    def note(self, accounts: Iterable[Account]) -> None:
        """Take in what accounts are now, of the companies that were asked for."""
        if not self._known:
            return
        for account in accounts:
            known = self._known.get(account.company)
            if known is not None and account.row.open_reminder:
                known.add(account.id)
            elif known is not None:
                known.discard(account.id)

    def forget(self) -> None:
        """Ask the rows again: they may be others."""
        self._known = {}

    def _of(self, company: str) -> set[str]:
        known = self._known.get(company)
        if known is None:
            known = self._known[company] = set(_read(company, store=self._store))
        return known


def _is_overtaken(account: Account, *, line: BankLineRow, company: Company) -> bool:
    row = account.reminders.get(account.row.open_reminder)
    if row is None or row.now_because or not row.items:
        return False
    rows = (row, *decided_beside(account, row))
    waits = any(not UNRESOLVED.isdisjoint(each.deliveries.values()) for each in rows)
    return waits and company.banks.may_be_from(account, line=line)


def _read(company: str, *, store: RowStore) -> Iterator[str]:
    names = [name for _, name in store.outdated(company, version=_ANY_VERSION)]
    for start in range(0, len(names), _CHUNK):
        for name, rows in store.load(names[start : start + _CHUNK]).items():
            if any(row.startswith(_ACCOUNT) and _OPEN in row for row in rows):
                yield name
