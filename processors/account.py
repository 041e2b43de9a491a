"""The account aggregate: the rows of one account, who changed, and the indexes kept beside them.

It holds and remembers; it decides nothing. Settlement (``settle``) and
decisions (``decide``) act on it. Rows are mutated in place and marked with
``touch``; the indexes are derived from the rows and rebuilt by ``restore``.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

from processors.arrangements import Arrangements
from processors.credit_index import CreditIndex
from processors.due_index import DueIndex
from processors.open_index import OpenIndex
from processors.purge_index import PurgeIndex
from processors.row_store import Wake
from processors.settlement_index import SettlementIndex
from schemas.charges import ClaimDocument
from schemas.contacts import ContactRow
from schemas.fields import split_account_id
from schemas.message_rows import MessageRow
from schemas.rows import (
    AccountRow,
    ApplicationRow,
    Balance,
    ChildRow,
    CreditRow,
    CustomerRow,
    DisputeRow,
    HoldRow,
    InstrumentRow,
    ItemRow,
    KeyParts,
    PaymentPlanRow,
    PromiseRow,
    ReminderRow,
    Row,
    SeenRow,
    TaskRow,
    WaitingRow,
    encode_keys,
    encode_rows,
)

__all__ = ["LOOK_FOR_PAYMENT", "Account"]

LOOK_FOR_PAYMENT = "answer_paid"  # the type of the task after a reader has said "I have paid"

AccountRows = (
    AccountRow
    | CustomerRow
    | ItemRow
    | CreditRow
    | ApplicationRow
    | HoldRow
    | PromiseRow
    | DisputeRow
    | InstrumentRow
    | PaymentPlanRow
    | ChildRow
    | ReminderRow
    | TaskRow
    | ContactRow
    | MessageRow
    | SeenRow
    | WaitingRow
)


class Account:
    """Rows of one account by id.

    Attributes:
        applications: item -> credit -> application; ``applied`` is the same by credit -> item.
        claims: the items that are claims of interest and costs (R22); ``claimed`` the same by the item
            that was late.
        waiting: what is waited for -> natural key -> who waits for it, in log order.
        holds: ``hold`` for the account's own, ``'excluded/<item>'`` for an item's.
        arrangements: promises and disputes; None until there is one.
        settling: index for settlement (who names which item, oldest first, loose money).
        due: index of the next due step per item; ``opened`` of open items by due date;
            ``unapplied`` of what is left of credits.
        turning: index of the first overdue day of what is looked at later than that (``wake``).
        tasks: what people have to do, by id; ``sought`` gives those that look for an item's payment (S4-17).
        messages: what else is said to the customer, by name (``processors.messages``);
            ``messages_sent_as`` gives the name by the id of what was decided.
        contacts: the register that the law asks for, by id (``processors.law.register``).
        alarms: index of what falls due on a day by itself, as ``'<kind>/<id>'`` (``processors.alarms``).
        kept_wake: the wake under which the store has the account; None: it does not have it.
        net_minor: what ``processors.conservation`` holds the sums to; None: not asked for yet.
        stale: items whose next due step must be computed again (``wake``), and
            ``stale_credits`` the credits that may be used up.
        purging: index of what may be forgotten, and when (``purge``).
    """

    __slots__ = (
        "_changed",
        "_removed",
        "alarms",
        "applications",
        "applied",
        "arrangements",
        "claimed",
        "claims",
        "contacts",
        "credits",
        "customer",
        "due",
        "holds",
        "items",
        "kept_wake",
        "messages",
        "messages_sent_as",
        "net_minor",
        "opened",
        "purging",
        "reminders",
        "row",
        "seen",
        "settling",
        "sought",
        "stale",
        "stale_credits",
        "tasks",
        "turning",
        "unapplied",
        "waiting",
    )

    def __init__(self, account: str) -> None:
        self.row = AccountRow(account=account)
        self.customer: CustomerRow | None = None
        self.items: dict[str, ItemRow] = {}
        self.credits: dict[str, CreditRow] = {}
        self.claims: dict[str, ItemRow] = {}
        self.claimed: dict[str, list[ItemRow]] = {}
        self.applications: dict[str, dict[str, ApplicationRow]] = {}
        self.applied: dict[str, dict[str, ApplicationRow]] = {}
        self.holds: dict[str, HoldRow] = {}
        self.reminders: dict[str, ReminderRow] = {}
        self.seen: dict[str, SeenRow] = {}
        self.waiting: dict[str, dict[str, WaitingRow]] = {}
        self.tasks: dict[str, TaskRow] = {}
        self.sought: dict[str, list[str]] = {}
        self.contacts: dict[str, ContactRow] = {}
        self.messages: dict[str, MessageRow] = {}
        self.messages_sent_as: dict[str, str] = {}
        self.alarms = DueIndex()
        self.arrangements: Arrangements | None = None
        self.settling = SettlementIndex()
        self.due = DueIndex()
        self.turning = DueIndex()
        self.opened = OpenIndex()
        self.unapplied = CreditIndex()
        self.stale: set[str] = set()
        self.stale_credits: set[str] = set()
        self.purging = PurgeIndex()
        self.net_minor: dict[str, int] | None = None
        # By identity: naming a row costs more than remembering it, and most rows change often in one step.
        self._changed: dict[int, AccountRows] = {}
        self._removed: set[int] = set()
        self.kept_wake: Wake | None = None

    @property
    def id(self) -> str:
        """``'<company>:<customer>'``."""
        return self.row.account

    @property
    def company(self) -> str:
        """The creditor's id."""
        return split_account_id(self.row.account)[0]

    @property
    def customer_id(self) -> str:
        """The debtor's id."""
        return split_account_id(self.row.account)[1]

    def balance(self, currency: str) -> Balance:
        """Give the sums of a currency, made when first asked for."""
        balance = self.row.balances.get(currency)
        if balance is None:
            balance = self.row.balances[currency] = Balance()
        return balance

    def next_sequence(self) -> int:
        """Count one more fact of this account: the number in its id."""
        self.row.sequence += 1
        return self.row.sequence

    def advance(self) -> None:
        """Say that items, money, holds, contacts or plan changed: the decision version of R32."""
        self.row.version += 1
        self._changed[id(self.row)] = self.row

    def touch(self, row: AccountRows) -> None:
        """Say that ``row`` (new or mutated) is to be written."""
        self._changed[id(row)] = row
        if self._removed:
            self._removed.discard(id(row))
        kind = type(row)
        if kind is ItemRow:
            self.stale.add(row.item)  # type: ignore[union-attr]  # an ItemRow
        elif kind is CreditRow:
            self.stale_credits.add(row.credit)  # type: ignore[union-attr]  # a CreditRow

    def touch_item(self, item: ItemRow) -> None:
        """Do what ``touch`` does, for an item."""
        self._changed[id(item)] = item
        if self._removed:
            self._removed.discard(id(item))
        self.stale.add(item.item)

    def touch_credit(self, credit: CreditRow) -> None:
        """Do what ``touch`` does, for a credit."""
        self._changed[id(credit)] = credit
        if self._removed:
            self._removed.discard(id(credit))
        self.stale_credits.add(credit.credit)

    def remove(self, row: AccountRows) -> None:
        """Say that ``row`` is gone: a tombstone is written."""
        self._changed[id(row)] = row
        self._removed.add(id(row))

    def knows(self, subject: str) -> bool:
        """Say whether a document or credit is here, by its name: ``item/<id>``, ``payment/<id>``."""
        if subject.startswith("item/"):
            return subject[5:] in self.items
        return subject in self.credits

    def add_seen(self, row: SeenRow) -> None:
        """Remember an event by its natural key."""
        self.seen[row.key] = row
        self.purging.add_seen(row)
        self.touch(row)

    def keep_until(self, day: datetime.date, *, kind: str, key: str) -> None:
        """Say from which day on a row may be forgotten."""
        self.purging.enter(day, kind=kind, key=key)
        row = self.row
        if row.purge_on is None or day < row.purge_on:
            row.purge_on = day
            self.touch(row)

    def oldest(self, currency: str, *, costs_first: bool = False) -> Iterator[ItemRow]:
        """Walk open items by due date, then document; each must be settled before the next is asked for.

        Claims of interest and costs come after all others, or before them (R22).
        """
        claims = sorted(
            (claim for claim in self.claims.values() if claim.currency == currency and claim.open_minor),
            key=lambda claim: (claim.due_on, claim.item),
        )
        if costs_first:
            yield from claims
        yield from self.settling.oldest(currency, items=self.items)
        if not costs_first:
            yield from claims

    def enter_claim(self, row: ItemRow, *, document: ClaimDocument) -> None:
        """Enter an item that is a claim, beside those on the same item."""
        self.claims[row.item] = row
        if document.charge != "returned_payment":  # which is on a payment
            self.claimed.setdefault(document.item, []).append(row)

    def drop_claim(self, row: ItemRow) -> None:
        """Take a claim out that is forgotten; any other item is none."""
        document = row.document
        if self.claims.pop(row.item, None) is None or not isinstance(document, ClaimDocument):
            return
        others = self.claimed.get(document.item)
        if others is not None:
            self.claimed[document.item] = [each for each in others if each is not row]
            if not self.claimed[document.item]:
                del self.claimed[document.item]

    def put_application(self, row: ApplicationRow) -> None:
        """Add or change an application in both directions."""
        item, credit = row.item, row.credit
        settled_by = self.applications.get(item)
        if settled_by is None:
            self.applications[item] = {credit: row}
        else:
            settled_by[credit] = row
        settles = self.applied.get(credit)
        if settles is None:
            self.applied[credit] = {item: row}
        else:
            settles[item] = row
        self._changed[id(row)] = row

    def drop_application(self, row: ApplicationRow) -> None:
        """Take an application away in both directions."""
        _drop(self.applications, row.item, row.credit)
        _drop(self.applied, row.credit, row.item)
        self.remove(row)

    def list_changes(self, keys: list[KeyParts], rows: list[Row | None]) -> None:
        """Append the rows to write since ``forget_changes`` (None: a tombstone), and their records' keys.

        A row removed and made anew is two rows of one key: the newer one comes later and stands.
        """
        owner, removed = self.row.account, self._removed
        for row in self._changed.values():
            kind, name = _IDS[type(row)]
            keys.append((owner, kind, name(row)))
        if removed:
            rows += [None if number in removed else row for number, row in self._changed.items()]
        else:
            rows += self._changed.values()

    def encode_changes(self, rows: list[tuple[bytes, bytes | None]]) -> None:
        """Append ``list_changes`` as keys and values of records."""
        keys: list[KeyParts] = []
        changed: list[Row | None] = []
        self.list_changes(keys, changed)
        rows += zip(encode_keys(keys), encode_rows(changed), strict=True)

    def size(self) -> int:
        """Count the rows, about."""
        money = len(self.items) + len(self.credits) + len(self.applied)
        said = len(self.holds) + len(self.reminders) + len(self.seen) + len(self.waiting)
        others = len(self.tasks) + len(self.contacts) + len(self.messages)
        return money + said + others + (0 if self.arrangements is None else self.arrangements.size())

    def add_task(self, row: TaskRow) -> None:
        """Enter a task that is open."""
        self.tasks[row.task] = row
        if row.task_type == LOOK_FOR_PAYMENT:
            for item in row.items:
                self.sought.setdefault(item, []).append(row.task)

    def drop_task(self, row: TaskRow) -> None:
        """Take a task away that is over."""
        del self.tasks[row.task]
        for item in row.items if row.task_type == LOOK_FOR_PAYMENT else ():
            self.sought[item].remove(row.task)
            if not self.sought[item]:
                del self.sought[item]

    def arranged(self) -> Arrangements:
        """Give what was arranged with the customer, made when first asked for."""
        if self.arrangements is None:
            self.arrangements = Arrangements()
        return self.arrangements

    def drop_promise(self, row: PromiseRow) -> None:
        """Forget a promise."""
        del self.arranged().promises[row.promise]
        self.alarms.set(f"promise/{row.promise}", None)
        self.remove(row)

    def drop_dispute(self, row: DisputeRow) -> None:
        """End a dispute."""
        self.arranged().drop_dispute(row)
        self.remove(row)

    def drop_instrument(self, row: InstrumentRow) -> None:
        """Forget a payment that has not cleared."""
        arranged = self.arranged()
        arranged.uncover_by(row)
        del arranged.instruments[row.payment]
        self.alarms.set(f"instrument/{row.payment}", None)
        self.remove(row)

    def changed_rows(self) -> int:
        """Count the rows to write since ``forget_changes``."""
        return len(self._changed)

    def forget_stale(self) -> None:
        """Note nothing of what has changed: a quarantined account is looked at as a whole, whenever it is."""
        self.stale.clear()
        self.stale_credits.clear()
        self.due.ready = False
        self.opened = OpenIndex()
        self.unapplied = CreditIndex()
        self.purging.clear()

    def forget_changes(self) -> None:
        """Start anew: what changed has been handed over."""
        self._changed = {}
        if self._removed:
            self._removed = set()

    @classmethod
    def restore(cls, account: str, *, rows: Iterable[Row]) -> "Account":
        """Build the aggregate from its rows, in any order, indexes included."""
        self = cls(account)
        for row in rows:
            self._place(row)
        for credit in sorted(self.credits.values(), key=lambda each: each.order):
            self.settling.add_credit(credit)
        for subject, waiting in self.waiting.items():
            self.waiting[subject] = dict(sorted(waiting.items(), key=lambda each: each[1].order))
        return self

    def _place(self, row: Row) -> None:  # noqa: PLR0912 - one per kind of row
        match row:
            case AccountRow():
                self.row = row
                self.alarms.set("statement/", row.statement_on)
            case CustomerRow():
                self.customer = row
                self.alarms.set("parent/", row.parent_held_until)
            case ItemRow():
                self._place_item(row)
            case CreditRow():
                self.credits[row.credit] = row
                self.alarms.set(f"unknown_item/{row.credit}", row.ask_on)
            case ApplicationRow():
                self.applications.setdefault(row.item, {})[row.credit] = row
                self.applied.setdefault(row.credit, {})[row.item] = row
            case HoldRow():
                self.holds[hold_id(row)] = row
            case ReminderRow():
                self.reminders[row.reminder] = row
            case TaskRow():
                self.add_task(row)
                self.alarms.set(f"task/{row.task}", row.timeout_on)
            case MessageRow():
                self.messages[row.message] = row
                self.alarms.set(f"message/{row.message}", row.due_on if row.status == "planned" else None)
                if row.sent_as:
                    self.messages_sent_as[row.sent_as] = row.message
            case ContactRow():
                self.contacts[row.contact] = row
            case SeenRow():
                self.seen[row.key] = row
            case WaitingRow():
                self.waiting.setdefault(row.subject, {})[row.key] = row
            case _:
                self._place_arrangement(row)

    def _place_item(self, row: ItemRow) -> None:
        self.items[row.item] = row
        if type(row.document) is ClaimDocument:
            self.enter_claim(row, document=row.document)
        if row.promise:
            self.arranged().cover(row, promise=row.promise)

    def _place_arrangement(self, row: Row) -> None:
        match row:
            case PromiseRow():
                self.arranged().promises[row.promise] = row
                self.alarms.set(f"promise/{row.promise}", row.alarm_on)
            case DisputeRow():
                self.arranged().add_dispute(row)
            case InstrumentRow():
                self.arranged().add_instrument(row)
                self.alarms.set(f"instrument/{row.payment}", row.alarm_on)
            case PaymentPlanRow():
                self.arranged().add_payment_plan(row)
                self.alarms.set(f"payment_plan/{row.payment_plan}", row.alarm_on)
            case ChildRow():
                self.arranged().children[row.child] = row
            case _:
                raise TypeError(f"a {type(row).__name__} is no row of an account")


def _drop(rows: dict[str, dict[str, ApplicationRow]], outer: str, inner: str) -> None:
    del rows[outer][inner]
    if not rows[outer]:
        del rows[outer]


def hold_id(row: HoldRow) -> str:
    """Name a hold within its account."""
    return f"{row.hold}/{row.item}" if row.item else row.hold


# Kind, and name within the account.
_IDS: dict[type, tuple[str, Callable[[Any], str]]] = {
    AccountRow: ("account", lambda _: ""),
    CustomerRow: ("customer", lambda _: ""),
    ItemRow: ("item", attrgetter("item")),
    CreditRow: ("credit", attrgetter("credit")),
    # Documents may hold any printable character, so that only a control character separates two of them.
    ApplicationRow: ("application", lambda row: f"{row.credit}\x1f{row.item}"),
    HoldRow: ("hold", hold_id),
    PromiseRow: ("promise", attrgetter("promise")),
    DisputeRow: ("dispute", attrgetter("dispute")),
    InstrumentRow: ("instrument", attrgetter("payment")),
    ChildRow: ("child", attrgetter("child")),
    PaymentPlanRow: ("payment_plan", attrgetter("payment_plan")),
    ReminderRow: ("reminder", attrgetter("reminder")),
    TaskRow: ("task", attrgetter("task")),
    ContactRow: ("contact", attrgetter("contact")),
    MessageRow: ("message", attrgetter("message")),
    SeenRow: ("seen", attrgetter("key")),
    WaitingRow: ("waiting", attrgetter("key")),
}
