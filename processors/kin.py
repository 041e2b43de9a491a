"""Parents and children among customers (B-13): who belongs to whom, and whose contacts are written to.

A child tells its parent's account that it is there; the parent tells its children who can be
written to and where, and again when that changes. Who is dunned at the parent shares its contact budget: that there was a
contact goes from a child to the parent, and from there to the others. Each account's decisions depend on its
own rows only.
"""

import datetime
from collections.abc import Iterator, Sequence

from processors import wake
from processors.account import Account
from processors.addressing import address_changed, without
from processors.context import FoldContext
from processors.holds import in_force
from schemas.events import Contact, CustomerUpserted
from schemas.facts import AccountTold, LedgerFact
from schemas.law import LawPlace
from schemas.rows import ChildRow, CustomerRow, HoldRow
from schemas.transfers import ChildLinked, GroupContacted, ParentKnown

__all__ = [
    "hear_child",
    "hear_contact",
    "hear_parent",
    "last_contact_on",
    "tell_contact",
    "tell_kin",
    "tell_silence",
    "write_to_parent_again",
]


def tell_kin(
    account: Account,
    event: CustomerUpserted,
    *,
    before: CustomerUpserted | None,
    on: datetime.date,
) -> list[LedgerFact]:
    """Tell a parent of its child, and children of their parent's contacts, where master data has changed."""
    facts: list[LedgerFact] = []
    parent_before = "" if before is None else before.parent
    if event.parent != parent_before:
        if account.customer is not None:
            account.customer.parent_contacts, account.customer.parent_place = (), None
            _hold_contacts(account, account.customer, contacts=(), until=None)
        facts += _tell_parents(account, event, before=parent_before)
    if account.arrangements is not None and _reached(event) != (None if before is None else _reached(before)):
        children = sorted(account.arrangements.children)
        facts += [_tell_child(account, child, event=event, on=on) for child in children]
    return facts


def hear_child(account: Account, event: ChildLinked, *, context: FoldContext) -> list[LedgerFact]:
    """Note a child, or that it is none any more; a new one is told who can be written to."""
    children = account.arranged().children
    if not event.is_child:
        row = children.pop(event.child, None)
        if row is not None:
            account.remove(row)
        return []
    if event.child not in children:
        children[event.child] = row = ChildRow(account=account.id, child=event.child)
        account.touch(row)
    if account.customer is None:
        return []
    known, at = account.customer.customer, event.occurred_at
    return [_tell_child(account, event.child, event=known, on=context.day, occurred_at=at)]


def hear_parent(account: Account, event: ParentKnown, *, context: FoldContext) -> list[LedgerFact]:  # noqa: ARG001 - as all handlers
    """Take the parent's contacts, if it still is the parent: what failed is tried again (R19).

    When those that are held now can be written to again changes nothing today.
    """
    row = account.customer
    if row is None or row.customer.parent != event.parent:
        return []
    contacts_before, place_before = row.parent_contacts, row.parent_place
    row.parent_contacts, row.parent_place = event.contacts, event.place
    if (event.held, event.held_until) != (row.parent_held, row.parent_held_until):
        _hold_contacts(account, row, contacts=event.held, until=event.held_until)
    if (event.contacts, event.place) != (contacts_before, place_before):
        _reached_otherwise(account, row, contacts_before=contacts_before)
    return []


def write_to_parent_again(account: Account, _: str, *, context: FoldContext) -> list[LedgerFact]:  # noqa: ARG001 - as all alarms
    """Write to the parent's contacts again, as it has said (an alarm): its hold has ended by its date (R15)."""
    row = account.customer
    if row is None:
        raise AssertionError(f"{account.id}: no master data, and a parent that was held")
    contacts_before, row.parent_contacts = row.parent_contacts, row.parent_held
    _hold_contacts(account, row, contacts=(), until=None)
    _reached_otherwise(account, row, contacts_before=contacts_before)
    return []


def _hold_contacts(
    account: Account, row: CustomerRow, *, contacts: tuple[Contact, ...], until: datetime.date | None
) -> None:
    """Note which contacts of the parent are not to be written to, and from which day on they are again."""
    row.parent_held, row.parent_held_until = contacts, until
    account.alarms.set("parent/", until)
    account.touch(row)


def _reached_otherwise(account: Account, row: CustomerRow, *, contacts_before: tuple[Contact, ...]) -> None:
    account.touch(row)
    wake.plans_may_differ(account)  # a courtesy's open day is of whoever is written to
    if row.parent_contacts != contacts_before:
        address_changed(account)
    account.advance()


def tell_silence(account: Account, *, occurred_at: str, on: datetime.date) -> list[LedgerFact]:
    """Tell the children who can be written to, now that their parent's holds or opt-outs have changed (R15).

    ``on`` is the company's day: of a written time it may be another one.
    """
    if account.customer is None:
        return []
    event = account.customer.customer
    return [
        _tell_child(account, child, event=event, on=on, occurred_at=occurred_at)
        for child in _children(account)
    ]


def last_contact_on(account: Account) -> datetime.date | None:
    """Give the day of the last contact that the minimum gap counts from (R5): of the group, where it is dunned at one place."""
    own, of_group = account.row.last_contact_on, account.row.group_contact_on
    if of_group is None or not (_is_dunned_at_parent(account) or _children(account)):
        return own
    return of_group if own is None else max(own, of_group)


def tell_contact(account: Account, *, context: FoldContext) -> list[LedgerFact]:
    """Tell the parent, or the children, that there was a contact: all of a group that is dunned at one place count it."""
    on = account.row.last_contact_on
    if on is None:
        return []
    if _is_dunned_at_parent(account) and account.customer is not None:
        return [_told_contact(account, account.customer.customer.parent, on=on, context=context)]
    return [_told_contact(account, child, on=on, context=context) for child in _children(account)]


def hear_contact(account: Account, event: GroupContacted, *, context: FoldContext) -> list[LedgerFact]:
    """Note a contact of the group, and tell the other children the newest day once; no decision is overtaken by it.

    Reminders of a group that were decided at one tick are one contact, as those of two currencies are (R23).
    """
    row = account.row
    if row.group_contact_on is not None and event.on <= row.group_contact_on:
        return []
    row.group_contact_on = event.on
    account.touch(row)
    others = [child for child in _children(account) if child != event.of]
    return [_told_contact(account, child, on=event.on, context=context) for child in others]


def _children(account: Account) -> list[str]:
    return [] if account.arrangements is None else sorted(account.arrangements.children)


def _is_dunned_at_parent(account: Account) -> bool:
    said = None if account.customer is None else account.customer.customer
    return said is not None and said.dunned_at == "parent" and said.parent not in ("", account.customer_id)


def _told_contact(account: Account, customer: str, *, on: datetime.date, context: FoldContext) -> LedgerFact:
    told = GroupContacted(
        company=account.company,
        customer=customer,
        occurred_at=context.day.isoformat(),
        of=account.customer_id,
        on=on,
    )
    return _told(account, told)


def _tell_parents(account: Account, event: CustomerUpserted, *, before: str) -> Iterator[LedgerFact]:
    for parent, is_child in ((before, False), (event.parent, True)):
        if parent and parent != account.customer_id:
            told = ChildLinked(
                company=account.company,
                customer=parent,
                occurred_at=event.occurred_at,
                child=account.customer_id,
                is_child=is_child,
            )
            yield _told(account, told)


def _silences(account: Account, *, on: datetime.date) -> list[HoldRow]:
    """List why nobody of this customer may be written to: not for a child either (R15)."""
    holds = (account.holds.get(kind) for kind in ("legal_hold", "do_not_contact"))
    return [hold for hold in holds if hold is not None and in_force(hold, on)]


def _silent_until(silences: Sequence[HoldRow]) -> datetime.date | None:
    """Give the first day without any of these holds; None: nobody knows it."""
    days = [hold.until for hold in silences if hold.until is not None]
    return max(days) if days and len(days) == len(silences) else None


def _tell_child(
    account: Account, child: str, *, event: CustomerUpserted, on: datetime.date, occurred_at: str = ""
) -> LedgerFact:
    silences = _silences(account, on=on)
    contacts = _wanted(account, event.contacts)
    told = ParentKnown(
        company=account.company,
        customer=child,
        occurred_at=occurred_at or event.occurred_at,
        parent=account.customer_id,
        contacts=() if silences else contacts,
        held=contacts if silences else (),
        held_until=_silent_until(silences),
        place=_place(event),
    )
    return _told(account, told)


def _wanted(account: Account, contacts: Sequence[Contact]) -> tuple[Contact, ...]:
    """Give contacts without the addresses of channels that the customer has opted out of: not for a child either."""
    gone = account.row.opted_out
    return tuple(without(each, gone) for each in contacts) if gone else tuple(contacts)


def _place(event: CustomerUpserted) -> LawPlace:
    return LawPlace(kind=event.kind, country=event.country, time_zone=event.time_zone)


def _reached(event: CustomerUpserted) -> tuple[Sequence[Contact], LawPlace]:
    """Give by which addresses, and under which law, a customer is written to."""
    return event.contacts, _place(event)


def _told(account: Account, event: ChildLinked | ParentKnown | GroupContacted) -> AccountTold:
    account.touch(account.row)
    return AccountTold(id=f"{account.id}/{account.next_sequence()}", account=account.id, event=event)
