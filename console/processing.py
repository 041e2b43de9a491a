"""A batch carried out: its commands published, and the ledger's word of them gathered.

What a person sees of it is one line per statement. It decides nothing: whom it means and what
follows is planned before (``batching``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from console.batching import Planned, Skipped
from console.comparing import ChannelPrice
from console.publishing import Outgoing, outgoing, send_all
from console.reaching import stages_of, wait_until_read
from console.requests import RequestError
from infra.database.engine import open_engine, reading
from infra.database.tables import exceptions
from infra.kafka.lag import LagReader
from infra.settings import Settings
from processors.validation import problems
from schemas.commands import ApproveReminder, EditReminder

__all__ = ["Done", "foreseen_cost", "outcome", "published", "would_be"]

_KEYS_AT_ONCE: Final = 500
Result = Literal["asked", "would be asked", "refused"] | Skipped


class Done(Struct, frozen=True, kw_only=True):
    """What came of one statement; ``note`` says why where it was not simply asked."""

    account: str
    name: str
    result: Result
    note: str = ""


def would_be(plan: Iterable[Planned]) -> list[Done]:
    """Say what a batch would ask."""
    return [_done(each, result="would be asked") for each in plan]


def foreseen_cost(plan: Iterable[Planned], *, prices: Mapping[str, ChannelPrice]) -> dict[str, Decimal]:
    """Sum up what the proposals of a plan that are let go will cost, by currency: each delivery as it usually is."""
    sums: dict[str, Decimal] = {}
    for each in plan:
        approved = [event for event in each.events if isinstance(event, ApproveReminder)]
        edited = [
            event.channels for event in each.events if isinstance(event, EditReminder) and event.channels
        ]
        channels = (edited[0] if edited else each.statement.channels) if approved else ()
        for price in (prices[channel] for channel in channels if channel in prices):
            sums[price.currency] = sums.get(price.currency, Decimal(0)) + price.amount
    return dict(sorted(sums.items()))


def published(plan: Sequence[Planned], *, settings: Settings) -> int:
    """Publish the commands of a batch in their order, all checked before the first; return how many.

    Raises:
        RequestError: intake would refuse one; nothing is published.
        PublishError: the broker did not take one; run again, the batch asks only for what is missing.
    """
    wrong = [
        f"{each.statement.account}: {said}"
        for each in plan
        for event in each.events
        for said in problems(event)
    ]
    if wrong:
        raise RequestError("\n".join(wrong))
    count = sum(len(each.events) for each in plan)
    return send_all(_tracked(_records(plan), total=count), settings=settings) if count else 0


def outcome(plan: Sequence[Planned], *, settings: Settings, wait_s: float) -> list[Done]:
    """Wait for the ledger, and say what it has refused; with ``wait_s`` 0 what it has refused so far."""
    commands = [event.command for each in plan for event in each.events]
    is_read = True
    if commands and wait_s > 0:
        with LagReader(settings.brokers()) as reader:
            is_read = wait_until_read(reader, stages=stages_of(settings), seconds_max=wait_s)
    engine = open_engine(settings.database)
    try:
        with reading(engine) as connection:
            refused = _refused(connection, commands)
    finally:
        engine.dispose()
    return [_judged(each, refused=refused, is_read=is_read) for each in plan]


def _judged(each: Planned, *, refused: dict[str, str], is_read: bool) -> Done:
    words = [refused[event.command] for event in each.events if event.command in refused]
    if words:
        return Done(
            account=each.statement.account, name=each.statement.name, result="refused", note="; ".join(words)
        )
    done = _done(each, result="asked")
    if is_read or not each.events:
        return done
    return Done(account=done.account, name=done.name, result="asked", note="the ledger has not answered yet")


def _done(each: Planned, *, result: Literal["asked", "would be asked"]) -> Done:
    return Done(
        account=each.statement.account,
        name=each.statement.name,
        result=each.skipped or result,
        note=each.note,
    )


def _records(plan: Iterable[Planned]) -> Iterator[Outgoing]:
    for each in plan:
        for event in each.events:
            yield outgoing(event, source="cobranza/batch")


def _tracked(records: Iterator[Outgoing], *, total: int) -> Iterator[Outgoing]:
    from console.cli.progress import tracked

    return tracked(records, label="Asking", total=total)


def _refused(connection: Connection, commands: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(commands), _KEYS_AT_ONCE):
        keys = [f"command/{command}" for command in commands[start : start + _KEYS_AT_ONCE]]
        query = select(exceptions.c["key"], exceptions.c["detail"]).where(exceptions.c["key"].in_(keys))
        found |= {key.removeprefix("command/"): detail for key, detail in connection.execute(query)}
    return found
