"""What people ask from the command line about reminders and tasks: looked up, made into a command, sent.

The command says what the person saw (a proposal's revision), so that nobody
approves what has changed meanwhile. What comes too late the ledger refuses.
"""

import datetime
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, exists, or_, select

from console.publishing import outgoing, send_all
from infra.database.queries.proposals import waiting
from infra.database.tables import decisions, reminders
from infra.errors import OperatorError
from infra.settings import Settings
from processors.money import to_text
from processors.validation import problems
from schemas.commands import AccountCommand
from schemas.facts import ReminderProposed, Total
from schemas.fields import split_account_id

__all__ = [
    "RequestError",
    "account_of",
    "account_proposed",
    "asked",
    "proposal",
    "proposal_rows",
    "reminder_is_known",
    "send",
]


class RequestError(OperatorError):
    """What a person asks for is not there, or cannot be."""


def proposal(connection: Connection, *, reminder: str) -> ReminderProposed:
    """Give what waits under this id.

    Raises:
        RequestError: nothing does, as far as the read model knows.
    """
    found = next(waiting(connection, reminder=reminder), None)
    if found is None:
        raise RequestError(f"No reminder {reminder} waits for anybody: cobranza proposals list")
    return found


def account_of(connection: Connection, *, reminder: str) -> str:
    """Give the account of a reminder that was decided.

    Raises:
        RequestError: there is none.
    """
    found = connection.execute(
        select(reminders.c["account"]).where(reminders.c["reminder"] == reminder)
    ).scalar()
    if found is None:
        raise RequestError(f"There is no reminder {reminder}: cobranza reminders")
    return str(found)


def account_proposed(connection: Connection, *, reminder: str) -> str:
    """Give the account of a reminder that was proposed, whatever became of it.

    Raises:
        RequestError: none was.
    """
    found = connection.execute(
        select(decisions.c["account"])
        .where(decisions.c["kind"] == "proposed", decisions.c["reminder"] == reminder)
        .limit(1)
    ).scalar()
    if found is None:
        raise RequestError(f"No reminder {reminder} was ever proposed: cobranza proposals list")
    return str(found)


def reminder_is_known(connection: Connection, *, account: str, reminder: str) -> bool:
    """Say whether a reminder of an account was decided, or ever proposed."""
    decided = exists().where(reminders.c["reminder"] == reminder, reminders.c["account"] == account)
    # With its account, which an index begins with: there may be millions of proposals.
    proposed = exists().where(
        decisions.c["kind"] == "proposed",
        decisions.c["account"] == account,
        decisions.c["reminder"] == reminder,
    )
    return bool(connection.execute(select(or_(decided, proposed))).scalar())


def proposal_rows(found: Iterator[ReminderProposed]) -> Iterator[dict[str, Any]]:
    """Give the columns of a list of proposals."""
    for each in found:
        content = each.content
        named = [item.item for item in content.items]
        yield {
            "account": each.account,
            "customer": content.customer_name,
            "step": content.step,
            "total": _totals(content.totals),
            "by": ", ".join(dict.fromkeys(delivery.channel for delivery in content.deliveries)),
            "items": ", ".join(named) + (f" and {content.unlisted} more" if content.unlisted else ""),
            "because": each.because,
            "too_soon_until": each.too_soon_until,
            "revision": each.revision,
            "reminder": each.reminder,
        }


def asked(account: str, *, author: str) -> Mapping[str, Any]:
    """Give what each command about an account has: whose it is, when, by whom, and an id of its own."""
    company, customer = split_account_id(account)
    if not customer:
        raise RequestError(f"{account!r} is no account: COMPANY:CUSTOMER")
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "company": company,
        "customer": customer,
        "occurred_at": now,
        "command": f"console/{uuid.uuid4().hex}",
        "author": author,
    }


def send(event: AccountCommand, *, settings: Settings) -> None:
    """Publish a command.

    Raises:
        RequestError: intake would refuse it.
    """
    wrong = problems(event)
    if wrong:
        raise RequestError("\n".join(wrong))
    send_all([outgoing(event, source="cobranza/console")], settings=settings)


def _totals(totals: tuple[Total, ...]) -> str:
    return ", ".join(
        f"{to_text(each.amount_minor, currency=each.currency)} {each.currency}" for each in totals
    )
