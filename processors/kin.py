"""Parents and children among customers (B-13): who belongs to whom, and whose contacts are written to.

A child tells its parent's account that it is there; the parent tells its children who can be
written to, and again when that changes. Each account's decisions depend on its own rows only.
"""

from collections.abc import Iterator, Sequence

from processors.account import Account
from processors.addressing import address_changed
from processors.context import FoldContext
from schemas.events import Contact, CustomerUpserted
from schemas.facts import AccountTold, LedgerFact
from schemas.rows import ChildRow
from schemas.transfers import ChildLinked, ParentKnown

__all__ = ["hear_child", "hear_parent", "tell_kin"]


def tell_kin(
    account: Account, event: CustomerUpserted, *, parent_before: str, contacts_before: Sequence[Contact]
) -> list[LedgerFact]:
    """Tell a parent of its child, and children of their parent's contacts, where master data has changed."""
    facts: list[LedgerFact] = []
    if event.parent != parent_before:
        if account.customer is not None:
            account.customer.parent_contacts = ()
        facts += _tell_parents(account, event, before=parent_before)
    if event.contacts != tuple(contacts_before) and account.arrangements is not None:
        children = sorted(account.arrangements.children)
        facts += [_tell_child(account, child, event=event) for child in children]
    return facts


def hear_child(account: Account, event: ChildLinked, *, context: FoldContext) -> list[LedgerFact]:  # noqa: ARG001 - as all handlers
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
    return (
        []
        if account.customer is None
        else [_tell_child(account, event.child, event=account.customer.customer)]
    )


def hear_parent(account: Account, event: ParentKnown, *, context: FoldContext) -> list[LedgerFact]:  # noqa: ARG001 - as all handlers
    """Take the parent's contacts, if it still is the parent: what failed is tried again (R19)."""
    row = account.customer
    if row is None or row.customer.parent != event.parent or row.parent_contacts == event.contacts:
        return []
    row.parent_contacts = event.contacts
    account.touch(row)
    address_changed(account)
    account.advance()
    return []


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


def _tell_child(account: Account, child: str, *, event: CustomerUpserted) -> LedgerFact:
    told = ParentKnown(
        company=account.company,
        customer=child,
        occurred_at=event.occurred_at,
        parent=account.customer_id,
        contacts=event.contacts,
    )
    return _told(account, told)


def _told(account: Account, event: ChildLinked | ParentKnown) -> AccountTold:
    account.touch(account.row)
    return AccountTold(id=f"{account.id}/{account.next_sequence()}", account=account.id, event=event)
