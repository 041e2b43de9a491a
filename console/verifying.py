"""The audit of the whole ledger: which partitions, from where to where, and what each came to."""

import datetime
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from console.logs import partitions_of
from console.verify.findings import PartitionReport
from console.verify.logs import Logs, PartitionLog
from console.verify.partition import Wanted, verify_partition
from infra.errors import OperatorError
from infra.kafka.lag import LagReader
from infra.settings import Settings
from streams.intake import place
from streams.names import JOURNAL
from streams.settings import StreamSettings

__all__ = ["PlaceError", "place_in_log", "verify_ledger"]


class PlaceError(OperatorError):
    """A place in the journal is given in a way that says no place, or a partition that is not there."""


def verify_ledger(
    settings: Settings,
    *,
    partition: int | None = None,
    account: str = "",
    since: str = "",
    until: str = "",
    patience_s: float = 10.0,
) -> Iterator[PartitionReport]:
    """Audit one partition after the other, and give a report of each when it is done.

    Args:
        settings: the installation; its workers may run.
        partition: only this one.
        account: only this account: its partition's chain, its own money, rows and facts.
        since, until: see ``place_in_log``; "" for the journal's start and the newest link.
        patience_s: how long what one transaction wrote may take to be readable everywhere.

    Raises:
        PlaceError: there is no such partition, or no such place.
        LogError: a topic is missing, or the broker stopped answering.
    """
    numbers = partitions_of(settings, topic=JOURNAL)
    chosen = _chosen(numbers, partition=partition, account=account)
    wanted = Wanted(
        account=account,
        since=place_in_log(since) if since else None,
        until=place_in_log(until) if until else None,
        slice_accounts_max=StreamSettings().slice_accounts_max,
        patience_s=patience_s,
    )
    with (
        Logs(settings) as logs,
        LagReader(settings.brokers()) as lags,
        tempfile.TemporaryDirectory(prefix="cobranza-verify-") as folder,
    ):
        for number in chosen:
            committed = _group_offset(settings, lags=lags, number=number)
            yield verify_partition(number, logs=logs, wanted=wanted, committed=committed, folder=Path(folder))


def place_in_log(text: str) -> Callable[[PartitionLog], int]:
    """Read a journal position (``1200``), or a day or time (``2026-01-31``, with a zone or UTC), which is one per partition.

    Raises:
        PlaceError: it is neither.
    """
    if text.isdecimal():
        position = int(text)
        return lambda _: position
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise PlaceError(f"{text!r} is neither a journal position nor a day or time (ISO 8601)") from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    time_ms = int(at.timestamp() * 1000)
    return lambda log: log.position_at(time_ms)


def _chosen(numbers: list[int], *, partition: int | None, account: str) -> list[int]:
    if account:
        own = place(account, partitions=len(numbers))
        if partition not in (None, own):
            raise PlaceError(f"Account {account} is in partition {own}, not in {partition}")
        return [own]
    if partition is None:
        return numbers
    if partition not in numbers:
        raise PlaceError(f"There is no partition {partition}; there are {len(numbers)}, from 0 on")
    return [partition]


def _group_offset(settings: Settings, *, lags: LagReader, number: int) -> Callable[[], int | None]:
    groups = {settings.group("ledger"): [settings.topic(JOURNAL)]}
    return lambda: next(one.committed for one in lags.read(groups) if one.partition == number)
