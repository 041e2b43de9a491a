"""The journal under the log's rules and under others, partition by partition; and followed as it grows.

Nothing is written to it: what comes of it is given to whoever asks.
"""

import datetime
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from kafka import TopicPartition
from msgspec import Struct

from console.comparing import ChannelPrice, Side, Sum, differing, side_of, sums
from console.law_windows import law_windows
from console.logs import log_size, partitions_of, read_log
from console.persons import persons_of
from console.shadowing import DayDifference, Shadow
from console.spooling import Spool
from infra.errors import OperatorError
from infra.kafka.consumers import consumer
from infra.kafka.ends import decided_ends
from infra.settings import Settings
from processors.alternative import Alternative, Contact, Debtor, Log, Rules, learn
from processors.law.shipped import shipped_profiles
from schemas.law import Contacting
from streams.names import JOURNAL

__all__ = ["Comparison", "DaySum", "RulesError", "compare", "follow", "follow_days", "rules_of"]

_POLL_MS = 500
_INTERNAL = b"\0"
_READINGS = 2  # once from Kafka, to learn from; once from the spool, for both sets of rules
_KEEP_EVERY_S = 60.0  # a shadow that is killed folds so much again
_TOLD_EVERY = 2_000


class RulesError(OperatorError):
    """The other rules say nothing, or name a law that does not ship."""


class DaySum(Struct, frozen=True, kw_only=True):
    """Contacts of a day, under both sets of rules."""

    on: datetime.date
    now: int
    other: int


class Comparison(Struct, frozen=True, kw_only=True):
    """Both sides, counts by level and channel and by day, and what only one side sends."""

    now: Side
    other: Side
    sums: list[Sum]
    lines: list[tuple[str, Contact]]
    days: list[DaySum] = []


def rules_of(*, plan: str | None, profile: str, company: str) -> Rules:
    """Make rules of what a command was given.

    Raises:
        RulesError: neither plan nor profile, or no such profile.
        PlanFileError: the plan cannot be evaluated.
    """
    from console.plan_files import find_plan

    if plan is None and not profile:
        raise RulesError("say what is other: --plan FILE, --profile LAW, or both")
    if profile and profile not in shipped_profiles():
        raise RulesError(f"there is no law {profile!r}; there are {', '.join(sorted(shipped_profiles()))}")
    return Rules(plan=None if plan is None else find_plan(plan), profile=profile, company=company)


def compare(
    settings: Settings,
    *,
    rules: Rules,
    first_on: datetime.date,
    last_on: datetime.date,
    prices: Mapping[str, ChannelPrice],
    told: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005 - nobody asks how far it is
) -> Comparison:
    """Fold each partition of the journal under both sets of rules, and compare the contacts of some days.

    It is read from Kafka once, into a file in the data folder that is gone afterwards: what it says at its end (an
    address that fails) is to be known at its beginning.

    ``told`` hears how many records have been read, and how many there are to read in all.

    Raises:
        LogError: the journal cannot be read.
    """
    count = _Count(told, total=_READINGS * log_size(settings, topic=JOURNAL))
    within: tuple[list[Contact], list[Contact]] = ([], [])
    paid: dict[tuple[str, str], list[tuple[datetime.date, int]]] = {}
    laws: dict[str, Contacting] = {}
    called: list[tuple[str, datetime.date]] = []
    debtors: dict[str, Debtor] = {}
    for number in partitions_of(settings, topic=JOURNAL):
        with closing(Spool(settings.data_dir)) as spool:
            records = read_log(settings, topic=JOURNAL, partition=number)
            log = learn(count.of(spool.take(records)))
            folds = [Alternative(number=number, rules=each, log=log) for each in (Rules(), rules)]
            for record in count.of(spool):
                for side, fold in zip(within, folds, strict=True):
                    side.extend(each for each in fold.take(record) if first_on <= each.on <= last_on)
            paid |= folds[0].paid
            laws |= folds[0].laws | folds[1].laws
            debtors |= folds[0].debtors
            called += [each for each in folds[0].called if first_on <= each[1] <= last_on]
    # A person is one whatever the company: what another one sends counts in the same windows (R24).
    windows = law_windows(
        *within, laws=laws, called=called, persons=persons_of(debtors), company=rules.company
    )
    shown = [_concerned(side, rules=rules) for side in within]
    return Comparison(
        now=side_of(shown[0], paid=paid, prices=prices, windows=windows[0]),
        other=side_of(shown[1], paid=paid, prices=prices, windows=windows[1]),
        sums=sums(*shown),
        lines=differing(*shown),
        days=_by_day(*shown),
    )


class _Count:
    """Counts records as they are read, and says now and then how far that is."""

    def __init__(self, told: Callable[[int, int], None], *, total: int) -> None:
        self._told, self._total, self._done = told, total, 0

    def of(self, records: Iterable[Any]) -> Iterator[Any]:
        for record in records:
            self._done += 1
            if self._done % _TOLD_EVERY == 0:
                self._told(self._done, self._total)
            yield record


def _by_day(now: Iterable[Contact], other: Iterable[Contact]) -> list[DaySum]:
    counts = [Counter(each.on for each in side if each.fate == "accepted") for side in (now, other)]
    return [
        DaySum(on=on, now=counts[0][on], other=counts[1][on])
        for on in sorted(counts[0].keys() | counts[1].keys())
    ]


def _concerned(contacts: Sequence[Contact], *, rules: Rules) -> list[Contact]:
    return [each for each in contacts if rules.concern(each.account.partition(":")[0])]


def follow(settings: Settings, *, rules: Rules, is_over: Callable[[bool], bool]) -> Iterator[Contact]:
    """Give what would be sent under rules, from the journal's beginning on, as it grows.

    Args:
        settings: the installation; nothing is written to it.
        rules: in the log's place.
        is_over: asked after each look, with whether all that there was has been read; True ends it.

    Raises:
        LogError: the journal cannot be read.
    """
    numbers = partitions_of(settings, topic=JOURNAL)
    logs = {each: learn(read_log(settings, topic=JOURNAL, partition=each)) for each in numbers}
    folds = {each: Alternative(number=each, rules=rules, log=logs[each]) for each in numbers}
    reader = consumer(bootstrap_servers=settings.brokers(), group=None)
    name = settings.topic(JOURNAL)
    places = {TopicPartition(name, each): each for each in numbers}
    try:
        reader.assign(list(places))
        reader.seek_to_beginning(*places)
        ends = decided_ends(reader, list(places), bootstrap_servers=settings.brokers())
        while True:
            for place, records in reader.poll(timeout_ms=_POLL_MS).items():
                number = places[place]
                yield from _fold(records, fold=folds[number], log=logs[number])
            if is_over(all(reader.position(place) >= ends[place] for place in places)):
                return
    finally:
        reader.close()


def _fold(records: Sequence[object], *, fold: Alternative, log: Log) -> Iterator[Contact]:
    for record in records:
        if (getattr(record, "key", None) or b"").startswith(_INTERNAL):
            continue
        log.take(record)  # type: ignore[arg-type]  # kafka-python's have no types
        yield from fold.take(record)  # type: ignore[arg-type]


def follow_days(
    settings: Settings, *, rules: Rules, name: str, is_over: Callable[[bool], bool]
) -> Iterator[DayDifference]:
    """Give what differs between the log's rules and others, each day once it is over; begin where the shadow of this name stopped.

    Args:
        settings: the installation; only the shadow's own files are written.
        rules: in the log's place.
        name: of the shadow.
        is_over: asked after each look, with whether all that there was has been read; True ends it.

    Raises:
        LogError: the journal cannot be read.
        OperatorError: the shadow of this name tries other rules.
    """
    numbers = partitions_of(settings, topic=JOURNAL)
    shadow = Shadow(settings.data_dir, name=name, rules=rules, numbers=numbers)
    for number in numbers:
        if not shadow.next_offset(number):
            shadow.learn(number, read_log(settings, topic=JOURNAL, partition=number))
    reader = consumer(bootstrap_servers=settings.brokers(), group=None)
    places = {TopicPartition(settings.topic(JOURNAL), each): each for each in numbers}
    try:
        reader.assign(list(places))
        for place, number in places.items():
            reader.seek(place, shadow.next_offset(number))
        ends = decided_ends(reader, list(places), bootstrap_servers=settings.brokers())
        kept_at = time.monotonic()
        while True:
            for place, records in reader.poll(timeout_ms=_POLL_MS).items():
                for record in records:
                    if not (record.key or b"").startswith(_INTERNAL):
                        shadow.take(places[place], record)
            yield from shadow.over()
            ended = is_over(all(reader.position(place) >= ends[place] for place in places))
            if ended or time.monotonic() - kept_at > _KEEP_EVERY_S:
                shadow.keep()
                kept_at = time.monotonic()
            if ended:
                return
    finally:
        reader.close()
