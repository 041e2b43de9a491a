"""Forgetting: what has been settled and left alone for the whole retention goes, at ticks (SEMANTICS 2.2).

Items and credits go in groups: a credit, all that it settles or names, all
that settles or names these, and so on. A group goes when all of it is
settled or used up, and has been left alone for the retention; so sums, and
what becomes of an open item, are the same with and without it. Movements are
facts and stay for ever.

Whatever is decided here depends on the rows alone: a group goes when its
newest row's turn comes, in the order of (day, kind, key), however long the
index has been in memory.
"""

import datetime
from collections.abc import Iterator
from typing import NamedTuple

from processors.account import Account, AccountRows
from processors.calendar import business_day
from processors.company import Company
from processors.conversions import parts_of
from processors.movements import entered_on
from processors.purge_index import Entry, seen_until
from processors.subjects import subject_of
from processors.too_old import WAITING, waits_in_vain
from schemas.facts import LedgerFact
from schemas.rows import WaitingRow

__all__ = ["PURGED_ROWS_MAX", "purge"]

PURGED_ROWS_MAX = 5_000  # of one account in one tick; a larger group goes alone

_Node = tuple[str, str]  # "item" or "credit", its key


class _Group(NamedTuple):
    """Items and credits that stand and fall together; ``last``: whose turn it goes in."""

    last: Entry
    nodes: list[_Node]


def purge(
    account: Account, *, day: datetime.date, since: datetime.datetime, company: Company
) -> list[LedgerFact]:
    """Forget what has been kept long enough by ``day``, and note when to look again.

    Nothing goes while a reminder is open (its outcome speaks of its items),
    while the account is quarantined (a lost record may), or before the
    ledger, whose first tick was at ``since``, has lived for a retention:
    until then a settled old invoice may have been brought in yesterday.
    """
    row = account.row
    if row.purge_on is None or row.purge_on > day or row.open_reminder or row.quarantined:
        return []
    kept_on = company.day_of(since) + company.retention
    if kept_on > day:
        row.purge_on = kept_on
        account.touch(row)
        return []
    look = _Look(account, day, company)
    look.run()
    row.purge_on = account.purging.first(holds=look.holds)
    account.touch(row)
    return look.facts


class _Look:
    """One look at one account."""

    def __init__(self, account: Account, day: datetime.date, company: Company) -> None:
        self.account = account
        self.day = day
        self.zone = company.zone
        self.keep = company.retention
        self.facts: list[LedgerFact] = []
        self.removed = 0
        self._groups: dict[_Node, _Group | None] = {}  # None: it does not go at this look
        if not account.purging.is_filled:
            entries = (entry for node in self._nodes() if (entry := self._entry(*node)) is not None)
            account.purging.fill(entries, seen=account.seen.values(), keep=self.keep, zone=self.zone)

    def run(self) -> None:
        """Take what is due, in order, up to what one tick may do."""
        while self.removed < PURGED_ROWS_MAX:
            entry = self.account.purging.pop(self.day)
            if entry is None:
                return
            if self.holds(entry):
                self._take(entry)

    def holds(self, entry: Entry) -> bool:
        """Say whether an entry is still what its row says."""
        return self._entry(entry[1], entry[2]) == entry

    # -- from when on each row may go -----------------------------------------

    def _nodes(self) -> Iterator[_Node]:
        account = self.account
        yield from (("item", name) for name in account.items)
        yield from (("credit", key) for key in account.credits)
        yield from (("reminder", name) for name in account.reminders)
        yield from (("contact", name) for name in account.contacts)
        yield from (("message", name) for name in account.messages)
        yield from (("waiting", key) for others in account.waiting.values() for key in others)

    def _entry(self, kind: str, key: str) -> Entry | None:
        day = self._until(kind, key)
        return None if day is None else (day, kind, key)

    def _until(self, kind: str, key: str) -> datetime.date | None:
        if kind == "seen":
            seen = self.account.seen.get(key)
            return None if seen is None else seen_until(seen, keep=self.keep, zone=self.zone)
        if kind == "contact":
            contact = self.account.contacts.get(key)
            return None if contact is None else contact.until
        if kind == "waiting":
            waiting = self._waiting(key)
            return None if waiting is None else waiting.since + (self.keep if waiting.said else WAITING)
        ended_on = self._ended_on(kind, key)
        return None if ended_on is None else ended_on + self.keep

    def _ended_on(self, kind: str, key: str) -> datetime.date | None:
        account = self.account
        if kind == "message":
            message = account.messages.get(key)
            return None if message is None else message.ended_on
        if kind == "reminder":
            reminder = account.reminders.get(key)
            return None if reminder is None else reminder.ended_on
        row = account.items.get(key) if kind == "item" else account.credits.get(key)
        return None if row is None else row.closed_on

    def _waiting(self, key: str) -> WaitingRow | None:
        seen = self.account.seen.get(key)
        return None if seen is None else self.account.waiting.get(subject_of(seen.event), {}).get(key)

    # -- one row's turn -------------------------------------------------------

    def _take(self, entry: Entry) -> None:
        _, kind, key = entry
        match kind:
            case "item" | "credit":
                group = self._group((kind, key), turn=entry)
                if group is not None and group.last == entry:
                    self._forget_group(group)
            case "reminder":
                self._remove(self.account.reminders.pop(key))
            case "message":
                message = self.account.messages.pop(key)
                self.account.messages_sent_as.pop(message.sent_as, None)
                self._remove(message)
            case "contact":
                self._remove(self.account.contacts.pop(key))
            case "seen":
                self._forget_seen(key)
            case _:
                self._review_waiting(key)

    def _review_waiting(self, key: str) -> None:
        """Tell a person of what waits in vain; it goes after a retention. Nothing forgotten: it may still come."""
        account = self.account
        row = self._waiting(key)
        if row is None:
            return
        if account.row.purged_through is None:
            row.since = self.day
        elif not row.said:
            self.facts.append(waits_in_vain(account, row))
            row.said = True
        else:
            others = account.waiting[row.subject]
            del others[key]
            if not others:
                del account.waiting[row.subject]
            self._remove(row)
            self._forget_seen(key)
            return
        account.touch(row)
        account.keep_until(row.since + (self.keep if row.said else WAITING), kind="waiting", key=key)

    def _forget_seen(self, key: str) -> None:
        row = self.account.seen.pop(key)
        # What speaks of a document may be dated later than all that is forgotten: that much is still refused.
        day = business_day(row.event.occurred_at, self.zone)
        self._note_day(min(day, self.day - self.keep))
        self._remove(row)

    def _note_day(self, day: datetime.date) -> None:
        row = self.account.row
        if row.purged_through is None or day > row.purged_through:
            row.purged_through = day

    def _remove(self, row: AccountRows) -> None:
        self.account.remove(row)
        self.removed += 1

    # -- groups ---------------------------------------------------------------

    def _group(self, node: _Node, *, turn: Entry) -> _Group | None:
        """Give all that hangs together with a row; None when some of it is open, or was touched too lately."""
        if node in self._groups:
            return self._groups[node]
        nodes, last = [node], turn
        known = {node}
        for each in nodes:  # it grows
            for other in self._neighbours(each):
                if other in known:
                    continue
                entry = self._entry(*other)
                if entry is None or entry[0] > self.day or other in self._groups:
                    self._groups.update(dict.fromkeys(nodes))
                    return None
                known.add(other)
                nodes.append(other)
                last = max(last, entry)
        group = _Group(last, nodes)
        self._groups.update(dict.fromkeys(nodes, group))
        return group

    def _neighbours(self, node: _Node) -> Iterator[_Node]:
        account = self.account
        kind, key = node
        if kind == "item":
            yield from (("credit", credit) for credit in account.applications.get(key, ()))
            yield from (("credit", credit.credit) for credit, _ in account.settling.claims(key))
            if account.arrangements is not None:
                yield from (
                    ("item", other) for other in account.arrangements.kin(key) if other in account.items
                )
        else:
            yield from (("item", item) for item in account.applied.get(key, ()))
            credit = account.credits[key]
            if credit.part_of in account.credits:
                yield ("credit", credit.part_of)
            yield from (("credit", part.credit) for part in parts_of(account, credit)[1:])
            names = credit.names
            yield from (("item", name.document) for name in names if name.document in account.items)

    def _forget_group(self, group: _Group) -> None:
        for kind, key in group.nodes:
            if kind == "item":
                self._forget_item(key)
            else:
                self._forget_credit(key)

    def _forget_item(self, name: str) -> None:
        account = self.account
        item = account.items.pop(name)
        account.drop_claim(item)
        for row in list(account.applications.get(name, {}).values()):
            account.drop_application(row)
            self.removed += 1
        hold = account.holds.pop(f"excluded/{name}", None)
        if hold is not None:
            self._remove(hold)
        if account.arrangements is not None:
            for dispute in account.arrangements.forget_item(item):
                self._remove(dispute)
        account.settling.forget_item(name)
        account.due.set(name, None)
        self._forget_words(f"item/{name}")
        self._note_day(entered_on(item))
        self._remove(item)

    def _forget_credit(self, key: str) -> None:
        account = self.account
        credit = account.credits.pop(key)
        hold = account.holds.pop(f"excluded_{key}", None)
        if hold is not None:
            self._remove(hold)
        account.settling.forget_credit(credit)
        self._forget_words(key)
        self._note_day(credit.received_on)
        self._remove(credit)

    def _forget_words(self, subject: str) -> None:
        """Forget the events that spoke of a document or credit."""
        for key in self.account.purging.take_seen(subject):
            if key in self.account.seen:
                self._forget_seen(key)
