"""What a company's banks have said: how far they are reconciled, and which credits may be whose (R21).

It judges by business days of the company's country; the reasons themselves
are in ``withholding.sources``.
"""

import datetime
import unicodedata
from collections.abc import Iterable, Iterator

from processors.account import Account
from processors.calendar import add_business_days, business_day, business_day_before, zone_of
from processors.money import to_minor
from schemas.bank import BankLineMatched, BankLineUnmatched, BankReconciled
from schemas.commands import ConfigureCompany, OverrideBankGate
from schemas.rows import BankAlertRow, BankLineRow, BankRow, GateOverrideRow

__all__ = ["LINE_BUSINESS_DAYS", "BankEvent", "BankRows", "Banks"]

BankEvent = BankReconciled | BankLineUnmatched | BankLineMatched | OverrideBankGate
BankRows = BankRow | BankAlertRow | BankLineRow | GateOverrideRow
LINE_BUSINESS_DAYS = 5  # R21: so long an unmatched credit holds reminders, then it is a task
_KEEP = datetime.timedelta(days=90)  # lines and overrides older than the newest by this are forgotten


class Banks:
    """The bank accounts, unmatched lines and overrides of one company.

    Attributes:
        gone: rows to delete since they were last taken (``take_gone``).
    """

    __slots__ = ("_documents", "_lines", "_names", "_overrides", "_tax_ids", "accounts", "alerted", "gone")

    def __init__(self) -> None:
        self.accounts: dict[str, BankRow] = {}
        self.alerted: dict[str, BankAlertRow] = {}
        self._lines: dict[str, BankLineRow] = {}
        self._overrides: dict[datetime.date, GateOverrideRow] = {}
        self._tax_ids: dict[str, dict[str, None]] = {}
        self._documents: dict[str, dict[str, None]] = {}
        self._names: dict[str, dict[str, None]] = {}
        self.gone: list[BankRows] = []

    def place(self, row: BankRows) -> None:
        """Put a row back that was kept."""
        match row:
            case BankRow():
                self.accounts[row.bank_account] = row
            case BankAlertRow():
                self.alerted[row.bank_account] = row
            case BankLineRow():
                self._lines[row.id] = row
                self._index(row, enter=not row.matched)
            case GateOverrideRow():
                self._overrides[row.override.on] = row

    def apply(self, event: BankEvent, *, profile: ConfigureCompany) -> list[BankRows]:
        """Take a fact in, and give the rows to write: none when it says nothing new."""
        match event:
            case BankReconciled():
                return self._reconcile(event, profile=profile)
            case BankLineUnmatched():
                return self._add_line(event, profile=profile)
            case BankLineMatched():
                return self._match(event, profile=profile)
            case OverrideBankGate():
                if event.on in self._overrides:
                    return []
                row = GateOverrideRow(company=event.company, override=event)
                self.place(row)
                return [row]

    def conflicts(self, event: BankEvent) -> bool:
        """Say whether the same line or override came before with other content; a later ``through`` is none."""
        if isinstance(event, BankLineUnmatched):
            known_line = self.line(event.line)
            return known_line is not None and known_line != event
        if isinstance(event, OverrideBankGate):
            known = self.override(event.on)
            return known is not None and (known.reason, known.author) != (event.reason, event.author)
        return False

    def line(self, name: str) -> BankLineUnmatched | None:
        """Give an unmatched line as it first came."""
        row = self._lines.get(name)
        return None if row is None else row.line

    def take_gone(self) -> list[BankRows]:
        """Give the rows to delete, once."""
        gone, self.gone = self.gone, []
        return gone

    def override(self, day: datetime.date) -> OverrideBankGate | None:
        """Give the word of a person that the gate does not count on a day."""
        row = self._overrides.get(day)
        return None if row is None else row.override

    def stale(self, profile: ConfigureCompany, *, day: datetime.date) -> dict[str, datetime.date | None]:
        """Give the required bank accounts that are not reconciled through the last bank day before ``day``.

        Each with the day that it is reconciled through; None: nothing was ever said.
        """
        if not profile.bank_accounts:
            return {}
        needed_on = business_day_before(day, country=profile.country)
        zone = zone_of(profile.time_zone)
        found: dict[str, datetime.date | None] = {}
        for name in profile.bank_accounts:
            row = self.accounts.get(name)
            through = None if row is None else business_day(row.through, zone)
            if through is None or through < needed_on:
                found[name] = through
        return found

    def lines_of(self, account: Account) -> list[BankLineRow]:
        """List the unmatched credits that may be this customer's, by tax id, document, or name with amount (R21)."""
        if not self._tax_ids and not self._documents and not self._names:
            return []
        found: dict[str, None] = {}
        customer = None if account.customer is None else account.customer.customer
        if customer is not None and customer.tax_id:
            found |= self._tax_ids.get(_plain(customer.tax_id), {})
        for document in _shared(self._documents, account.items):
            if account.items[document].status == "open":
                found |= self._documents[document]
        named = {} if customer is None else self._names.get(_plain(customer.name), {})
        found |= dict.fromkeys(name for name in named if _has_amount(account, self._lines[name]))
        return [self._lines[name] for name in sorted(found)]

    def may_be_from(self, account: Account, *, line: BankLineRow) -> bool:
        """Say whether one unmatched credit may be this customer's, as ``lines_of`` finds it."""
        said = line.line
        if said is None or line.matched:
            return False
        customer = None if account.customer is None else account.customer.customer
        if (
            customer is not None
            and said.payer_tax_id
            and _plain(customer.tax_id) == _plain(said.payer_tax_id)
        ):
            return True
        items = account.items
        if any(name in items and items[name].status == "open" for name in _documents(said)):
            return True
        if customer is None or not said.payer_name or _plain(customer.name) != _plain(said.payer_name):
            return False
        return _has_amount(account, line)

    def row_of(self, line: str) -> BankLineRow | None:
        """Give the row of a line."""
        return self._lines.get(line)

    def _reconcile(self, event: BankReconciled, *, profile: ConfigureCompany) -> list[BankRows]:
        known, zone = self.accounts.get(event.bank_account), zone_of(profile.time_zone)
        if known is not None and business_day(event.through, zone) <= business_day(known.through, zone):
            return []
        row = BankRow(company=event.company, bank_account=event.bank_account, through=event.through)
        self.place(row)
        return [row]

    def _add_line(self, event: BankLineUnmatched, *, profile: ConfigureCompany) -> list[BankRows]:
        known = self._lines.get(event.line)
        if known is not None and known.line is not None:
            return []
        on = business_day(event.occurred_at, zone_of(profile.time_zone))
        self._forget(before=on - _KEEP)
        row = BankLineRow(
            company=event.company,
            id=event.line,
            line=event,
            received_on=on,
            until=add_business_days(on, LINE_BUSINESS_DAYS, country=profile.country),
            matched=known is not None,
        )
        self.place(row)
        return [row]

    def _match(self, event: BankLineMatched, *, profile: ConfigureCompany) -> list[BankRows]:
        """End a line; where it has not come yet, it is matched when it comes."""
        row = self._lines.get(event.line)
        if row is None:
            on = business_day(event.occurred_at, zone_of(profile.time_zone))
            row = BankLineRow(company=event.company, id=event.line, received_on=on, until=on)
        elif row.matched:
            return []
        self._index(row, enter=False)
        row.matched = True
        self._lines[event.line] = row
        return [row]

    def _forget(self, *, before: datetime.date) -> None:
        for row in [each for each in self._lines.values() if each.received_on < before]:
            del self._lines[row.id]
            self._index(row, enter=False)
            self.gone.append(row)
        for override in [each for each in self._overrides.values() if each.override.on < before]:
            del self._overrides[override.override.on]
            self.gone.append(override)

    def _index(self, row: BankLineRow, *, enter: bool) -> None:
        line = row.line
        if line is None:
            return
        keys = [(self._tax_ids, _plain(line.payer_tax_id)), (self._names, _plain(line.payer_name))]
        keys += [(self._documents, document) for document in _documents(line)]
        for index, key in keys:
            if enter and key:
                index.setdefault(key, {})[line.line] = None
            elif key in index:
                index[key].pop(line.line, None)
                if not index[key]:
                    del index[key]


def _documents(line: BankLineUnmatched) -> Iterator[str]:
    """Walk what may be a document number: those that were read, and each word of the text that has a figure."""
    yield from line.documents
    for word in line.text.replace(",", " ").replace(";", " ").split():
        if len(word) >= _WORD_MIN and any(character.isdigit() for character in word):
            yield word


_WORD_MIN = 4  # shorter words of a bank's text are too often a day or a number of something else


def _shared(documents: dict[str, dict[str, None]], items: Iterable[str]) -> list[str]:
    """List what both have, at the cost of the smaller."""
    known = items if isinstance(items, dict) else dict.fromkeys(items)
    fewer, more = (documents, known) if len(documents) < len(known) else (known, documents)
    return [name for name in fewer if name in more]


def _has_amount(account: Account, row: BankLineRow) -> bool:
    """Say whether the line's amount is that of an open item, or of all of them."""
    line = row.line
    if line is None:
        return False
    amount_minor = to_minor(line.amount, currency=line.currency)
    balance = account.row.balances.get(line.currency)
    if balance is None:
        return False
    return balance.open_minor == amount_minor or any(
        item.open_minor == amount_minor and item.currency == line.currency for item in account.items.values()
    )


def _plain(text: str) -> str:
    """Write a name or tax id as letters and figures only, without accents and case."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(each for each in parts if each.isalnum()).casefold()
