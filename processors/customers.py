"""Master data of a customer: the latest ``occurred_at`` wins; and who is in charge of it by a person's word."""

from processors import identity, wake
from processors.account import Account
from processors.addressing import address_changed
from processors.calendar import told_at
from processors.context import FoldContext
from processors.credit_limit import set_limit
from processors.kin import tell_kin
from schemas.commands import SetResponsible
from schemas.events import CustomerUpserted
from schemas.facts import ExceptionRaised, LedgerFact
from schemas.rows import CustomerRow

__all__ = ["set_responsible", "upsert"]


def upsert(account: Account, event: CustomerUpserted, *, context: FoldContext) -> list[LedgerFact]:
    """Take newer master data; older is ignored, and other data of the same instant is a conflict.

    Due dates that were set by a former term stay: what was agreed on an
    invoice does not change with the customer's card.
    """
    row = account.customer
    before = None if row is None else row.customer
    if row is not None:
        known = row.customer
        now, then = (told_at(each.occurred_at, context.company.zone) for each in (event, known))
        if now < then:
            return []
        if now == then:
            return identity.compare(account, event, first=known, key=f"customer/{known.occurred_at}")
        row.customer = event
    else:
        row = account.customer = CustomerRow(account=account.id, customer=event)
    account.touch(row)
    if event.contacts != (() if before is None else before.contacts):
        address_changed(account)
    wake.plans_may_differ(account)
    refused = set_limit(account, event, context=context)
    account.advance()
    return refused + tell_kin(account, event, before=before, on=context.day)


def set_responsible(account: Account, event: SetResponsible, *, context: FoldContext) -> list[LedgerFact]:
    """Take a person's word on who is in charge (S2-15); of whom no master data are known it is refused, and said."""
    key = f"command/{event.command}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    row = account.customer
    if row is None:
        account.touch(account.row)
        return [
            ExceptionRaised(
                id=f"{account.id}/{account.next_sequence()}",
                account=account.id,
                reason="request_refused",
                key=key,
                detail="the customer has no master data yet (billing.customer.upserted.v1)",
            )
        ]
    row.responsible_set = event.responsible
    account.touch(row)
    return []
