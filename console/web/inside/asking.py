"""From a form to a command: made once per form, noted in the audit, published; and a page that waits until it shows.

The command's id is a function of the user and of the nonce that the form was made with (R26): a double
click or the back button asks once. A form that was changed in between is told so by the ledger (a conflict).
"""

import asyncio
import datetime
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fastapi.responses import RedirectResponse
from msgspec import Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool

from console.web.inside.access import Person
from console.web.inside.auditing import content_of, kept_fields, note
from console.web.inside.parts import InsideParts
from infra.database.engine import reading
from infra.database.queries.moment import business_now
from infra.database.queries.requests import has_request, refusal_of
from processors.validation import problems
from schemas.codec import ContractError, decode_source, encode, type_of
from schemas.commands import AccountCommand
from schemas.events import BillingEvent
from schemas.fields import split_account_id
from schemas.journal import SourceEvent

__all__ = [
    "Asked",
    "WrongRequestError",
    "ask",
    "await_written",
    "enter",
    "nonce",
    "refused_by_intake",
    "said_by",
    "told",
    "until_told",
    "until_written",
]

_LOOK_EVERY_S: Final = 0.05
_REFUSAL_COMES_S: Final = 0.2
NONCE_CHARACTERS: Final = 64


class WrongRequestError(Exception):
    """What was asked for cannot be: ``problems`` say what to change, ``fields`` where, one for each ('': in all of it).

    Without ``fields`` they are as intake tells them, each with its path.
    """

    def __init__(self, said: list[str], *, fields: Sequence[str] = ()) -> None:
        super().__init__("; ".join(said))
        self.problems = said
        self.fields = fields


class Asked(Struct, frozen=True, kw_only=True):
    """What a page says of the request that led to it; ``is_written``: what it shows has it.

    ``refused`` is why the ledger refused it, as it says it; '' where it has not.
    """

    request: str
    is_written: bool
    refused: str = ""


def nonce() -> str:
    """Give a word for a new form."""
    return secrets.token_urlsafe(12)


def said_by(person: Person, *, given: str) -> str:
    """Give the id of the request that a form makes."""
    digest = hashlib.sha256(f"{person.user}\n{given[:NONCE_CHARACTERS]}".encode()).hexdigest()
    return f"console/{digest[:32]}"


def told(parts: InsideParts, person: Person, *, account: str, given: str) -> Mapping[str, Any]:
    """Give what each command about an account has: whose it is, when, by whom, and its id."""
    company, customer = split_account_id(account)
    command = said_by(person, given=given)
    asked_before = parts.people.entry(command)
    # The second click says what the first one said: another instant would be another content (R26).
    wall = parts.clock() if asked_before is None else asked_before.at
    with reading(parts.engine) as connection:
        now = business_now(connection, wall=wall)
    return {
        "company": company,
        "customer": customer,
        "occurred_at": now.isoformat(timespec="seconds"),
        "command": command,
        "author": person.user,
    }


def ask(
    parts: InsideParts,
    person: Person,
    command: AccountCommand,
    *,
    account: str,
    back_to: str,
    more: Mapping[str, str] | None = None,
) -> RedirectResponse:
    """Publish a command and send the browser on to ``back_to`` (``more`` in its query), which waits for it.

    Raises:
        WrongRequestError: intake would refuse it.
        PublishError: Kafka does not take it; the audit has the attempt.
    """
    _publish(parts, person, command, entry=command.command, account=account)
    query = urlencode({**(more or {}), "asked": command.command})
    return RedirectResponse(f"{back_to}?{query}", status_code=303)


def enter(
    parts: InsideParts,
    person: Person,
    event: BillingEvent,
    *,
    entry: str,
    account: str,
    back_to: str,
    more: Mapping[str, str],
) -> RedirectResponse:
    """Publish a fact that a person enters instead of the billing system; ``entry`` names it in the audit, and to the page.

    Raises:
        WrongRequestError: intake would refuse it.
        PublishError: Kafka does not take it; the audit has the attempt.
    """
    _publish(parts, person, event, entry=entry, account=account)
    return RedirectResponse(f"{back_to}?{urlencode({**more, 'asked': entry})}", status_code=303)


def _publish(
    parts: InsideParts, person: Person, event: AccountCommand | BillingEvent, *, entry: str, account: str
) -> None:
    wrong = refused_by_intake(event)
    if wrong:
        raise WrongRequestError(wrong)
    note(
        parts,
        person,
        entry=entry,
        act=type_of(event),
        account=account,
        said_json=kept_fields([event]),
        content=content_of([event]),
    )
    parts.publish([event])


def refused_by_intake(event: SourceEvent) -> list[str]:
    """List what intake would refuse of an event, each with its path: what its contract does not allow, and problems."""
    try:
        decode_source(type_of(event), encode(event))
    except ContractError as error:
        return [str(error)]
    return problems(event)


async def await_written(parts: InsideParts, *, account: str, request: str) -> Asked | None:
    """Wait until the read model has a request, for so long as the settings say; None: none was made."""

    def is_written() -> bool:
        with reading(parts.engine) as connection:
            return has_request(connection, account=account, request=request)

    return await until_told(parts, account=account, request=request, is_written=is_written)


async def until_told(
    parts: InsideParts, *, account: str, request: str, is_written: Callable[[], bool]
) -> Asked | None:
    """Wait until the read model has a request about an account, or why it was refused; None: none was made."""

    def why_not() -> str:
        with reading(parts.engine) as connection:
            return refusal_of(connection, account=account, request=request)

    # One that was refused before it was looked into (it is dated before what is forgotten) is never written.
    found = await until_written(parts, is_written=lambda: is_written() or bool(why_not()), request=request)
    if found is None:
        return None
    refused = await run_in_threadpool(why_not)
    if not refused and found.is_written and parts.console.written_s_max:
        # A refusal is a record of another topic, which the projector may read a moment later.
        await asyncio.sleep(min(_REFUSAL_COMES_S, parts.console.written_s_max))
        refused = await run_in_threadpool(why_not)
    return replace(found, refused=refused)


async def until_written(parts: InsideParts, *, is_written: Callable[[], bool], request: str) -> Asked | None:
    """Ask SQL until it has a request, for so long as the settings say; None: none was made."""
    if not request:
        return None
    began, limit = parts.clock(), datetime.timedelta(seconds=parts.console.written_s_max)
    # The read model is SQL, which calls nobody: it is asked again.
    while not (found := await run_in_threadpool(is_written)) and parts.clock() - began < limit:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_EVERY_S)
    return Asked(request=request, is_written=found)
