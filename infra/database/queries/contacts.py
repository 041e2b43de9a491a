"""Who was contacted, when and how: the register of one person over all companies and channels (R24).

A person is one tax id, or else one account; where customers are dunned at their parent, that is who is written to, and whose
contacts are counted (B-13). What was sent is in the send
ledger before the register hears of it, so that both are asked; who reads
them decides what they mean.
"""

import datetime
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, and_, exists, or_, select

from infra.database.queries.group import children_of
from infra.database.send_conditions import HELD
from infra.database.send_tables import send_jobs
from infra.database.tables import contacts, customers, live_rows, outcomes
from schemas.fields import account_id, split_account_id
from schemas.rows import CustomerRow, decode_row

__all__ = ["PastContact", "accounts_of_person", "contacts_of"]


class PastContact(Struct, frozen=True, kw_only=True):
    """A contact: ``contact`` is ``'<message>/<channel>'`` or ``'note/<command>'``; business time as text, '' while it is being sent."""

    contact: str
    channel: str
    occurred_at: str
    is_conversation: bool = False


def accounts_of_person(connection: Connection, account: str) -> list[str]:
    """List the accounts, of any company, whose contacts are those of the person who is written to for one.

    Those with the tax id of its customer (without one, the account alone), and of the parent, where it is dunned there; and
    all customers that are dunned at one of these. A child that has fallen back to its own address is counted with its parent all the
    same: the register does not say at whose address somebody was, and a law is not broken by counting too much.
    """
    found = _same_person(connection, account)
    parent = _dunned_at(connection, [account]).get(account)
    if parent is not None:
        found |= _same_person(connection, parent)
    children = [child for each in sorted(found) for child in children_of(connection, each)]
    found |= {child for child, at in _dunned_at(connection, children).items() if at in found}
    return sorted(found)


def _same_person(connection: Connection, account: str) -> set[str]:
    tax_id = connection.execute(
        select(customers.c["tax_id"]).where(customers.c["account"] == account)
    ).scalar()
    if not tax_id:
        return {account}
    return set(
        connection.execute(select(customers.c["account"]).where(customers.c["tax_id"] == tax_id)).scalars()
    )


def _dunned_at(connection: Connection, accounts: Sequence[str]) -> dict[str, str]:
    """Give account -> the parent's account, of those that are dunned there."""
    if not accounts:
        return {}
    kept = select(live_rows.c["owner"], live_rows.c["row_json"]).where(
        live_rows.c["owner"].in_(accounts), live_rows.c["kind"] == "customer", live_rows.c["name"] == ""
    )
    found: dict[str, str] = {}
    for owner, row_json in connection.execute(kept):
        row = decode_row(row_json.encode())
        if isinstance(row, CustomerRow) and row.customer.dunned_at == "parent" and row.customer.parent:
            found[owner] = account_id(split_account_id(owner)[0], row.customer.parent)
    return found


def contacts_of(
    connection: Connection, accounts: Sequence[str], *, since: datetime.datetime, before: tuple[str, str]
) -> list[PastContact]:
    """List the contacts of these accounts since an instant, each once.

    Args:
        since: older ones are left out.
        before: (message, channel) of the delivery that asks. It is left out, and
            so is what is being sent at this moment and comes after it in this
            order: of two that ask at once, one goes first.
    """
    register = select(contacts).where(
        contacts.c["account"].in_(accounts), contacts.c["contacted_on"] >= since.date()
    )
    found = {
        row["contact"]: PastContact(
            contact=row["contact"],
            channel=row["channel"],
            occurred_at=row["occurred_at"],
            is_conversation=row["kind"] == "conversation",
        )
        for row in connection.execute(register).mappings()
    }
    # What its provider refused after all was never carried: the register has let go of it, too.
    refused = exists().where(
        outcomes.c["reminder"] == send_jobs.c["reminder"],
        outcomes.c["channel"] == send_jobs.c["channel"],
        outcomes.c["status"] == "failed",
    )
    jobs = select(send_jobs.c["reminder"], send_jobs.c["channel"], send_jobs.c["occurred_at"]).where(
        ~refused.correlate(send_jobs),
        send_jobs.c["account"].in_(accounts),
        send_jobs.c["channel"] != "task",
        send_jobs.c["not_before"] >= since,
        or_(
            send_jobs.c["state"].in_(("accepted", "unknown")),
            and_(
                send_jobs.c["state"].in_(HELD),
                or_(
                    send_jobs.c["reminder"] < before[0],
                    and_(send_jobs.c["reminder"] == before[0], send_jobs.c["channel"] < before[1]),
                ),
            ),
        ),
    )
    for reminder, channel, occurred_at in connection.execute(jobs):
        contact = f"{reminder}/{channel}"
        found.setdefault(contact, PastContact(contact=contact, channel=channel, occurred_at=occurred_at))
    found.pop("/".join(before), None)
    return [found[name] for name in sorted(found)]
