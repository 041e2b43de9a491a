"""Who was contacted, when and how: the register of one person over all companies and channels (R24).

A person is one tax id, or else one account. What was sent is in the send
ledger before the register hears of it, so that both are asked; who reads
them decides what they mean.
"""

import datetime
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, and_, exists, or_, select

from infra.database.send_conditions import HELD
from infra.database.send_tables import send_jobs
from infra.database.tables import contacts, customers, outcomes

__all__ = ["PastContact", "accounts_of_person", "contacts_of"]


class PastContact(Struct, frozen=True, kw_only=True):
    """A contact: ``contact`` is ``'<message>/<channel>'`` or ``'note/<command>'``; business time as text, '' while it is being sent."""

    contact: str
    channel: str
    occurred_at: str
    is_conversation: bool = False


def accounts_of_person(connection: Connection, account: str) -> list[str]:
    """List the accounts, of any company, whose customer has the same tax id; without one, the account alone."""
    tax_id = connection.execute(
        select(customers.c["tax_id"]).where(customers.c["account"] == account)
    ).scalar()
    if not tax_id:
        return [account]
    same = select(customers.c["account"]).where(customers.c["tax_id"] == tax_id)
    return sorted(connection.execute(same.order_by(customers.c["account"])).scalars())


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
