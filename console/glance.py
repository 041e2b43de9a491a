"""How an installation is, at a glance: what its processes answer, made into a few tables."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct

from infra.metrics.scrape import Answer, ask
from infra.metrics.targets import Target

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["Glance", "Glances", "GroupLag", "PartitionLag", "ProcessLine", "WorkerLine", "frame", "glance"]

_STYLES = {"ready": "green", "not ready": "yellow", "stalled": "red", "down": "red"}
_TEXTS = {"process", "state", "at", "worker", "group behind by", "of group", "topic"}
_RUNS = "cobranza_runs_total"
_RECORDS = ("cobranza_records_total", "cobranza_projected_records_total")


class ProcessLine(Struct, frozen=True, kw_only=True):
    """One process: `trouble` is "" when it is well, or says why and until when it rests; rates are None where they mean nothing."""

    process: str
    address: str
    state: str
    trouble: str
    runs_per_s: float | None
    records_per_s: float | None
    memory_bytes: float


class WorkerLine(Struct, frozen=True, kw_only=True):
    """What one worker's engine did.

    Attributes:
        run_records: source records of its last transaction.
        transaction_s: a transaction's mean time since the look before; None: there was none.
        acquisitions, fencings, unknown_outcomes, chain_breaks: since it started.
    """

    process: str
    run_records: int
    transaction_s: float | None
    acquisitions: int
    fencings: int
    unknown_outcomes: int
    chain_breaks: int


class PartitionLag(Struct, frozen=True, kw_only=True):
    """How far a group is behind in one partition."""

    group: str
    topic: str
    partition: int
    records: int
    seconds: float


class GroupLag(Struct, frozen=True, kw_only=True):
    """A consumer group: records over all its partitions, seconds of the worst."""

    group: str
    records: int
    seconds: float


class Glance(Struct, frozen=True, kw_only=True):
    """One frame; counts by their labels, since the processes' start."""

    processes: tuple[ProcessLine, ...]
    workers: tuple[WorkerLine, ...]
    lags: tuple[GroupLag, ...]
    partitions: tuple[PartitionLag, ...]
    letters: dict[tuple[str, str], int]
    sendings: dict[tuple[str, str], int]
    waiting: dict[str, int]


class Glances:
    """Looks again and again; rates are from look to look."""

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        asked: Callable[[str], Answer] = ask,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._targets, self._asked, self._now_s = targets, asked, now_s
        self._before: tuple[float, dict[str, Answer]] | None = None

    def look(self) -> Glance:
        """Ask all processes at once, and sum up what they say."""
        with ThreadPoolExecutor(max_workers=len(self._targets)) as pool:
            answers = list(pool.map(self._asked, (each.address for each in self._targets)))
        now_s = self._now_s()
        # By address: two workers of a stage may have one name.
        named = {each.address: answer for each, answer in zip(self._targets, answers, strict=True)}
        before_s, before = self._before or (now_s, {})
        self._before = (now_s, named)
        return glance(self._targets, answers=named, before=before, passed_s=now_s - before_s)


def glance(
    targets: Sequence[Target],
    *,
    answers: Mapping[str, Answer],
    before: Mapping[str, Answer],
    passed_s: float,
) -> Glance:
    """Sum up what processes say now, and said `passed_s` ago; answers are by address."""
    every = list(answers.values())
    partitions = _partitions(every)
    return Glance(
        processes=tuple(
            _line(each, answers[each.address], before=before.get(each.address), passed_s=passed_s)
            for each in targets
        ),
        workers=tuple(
            _worker(each, answers[each.address], before=before.get(each.address))
            for each in targets
            if any(answers[each.address].values(_RUNS))
        ),
        lags=_lags(partitions),
        partitions=partitions,
        letters=_counts(every, "cobranza_dead_letters_total", "topic", "reason"),
        sendings=_counts(every, "cobranza_sendings_total", "channel", "outcome"),
        waiting={
            said: int(sum(answer.total(name) for answer in every))
            for said, name in {
                "accounts due": "cobranza_due_accounts",
                "deliveries due": "cobranza_due_deliveries",
                "in doubt": "cobranza_deliveries_in_doubt",
                "quarantined": "cobranza_quarantined_accounts",
            }.items()
        },
    )


def _line(target: Target, answer: Answer, *, before: Answer | None, passed_s: float) -> ProcessLine:
    if not answer.reached:
        state, trouble = "down", f"nothing of ours answers at {target.address}"
    elif answer.stalled:
        state, trouble = "stalled", answer.stalled
    elif answer.unready:
        state, trouble = "not ready", answer.unready
    else:
        state, trouble = "ready", answer.resting

    def rate(*names: str) -> float | None:
        counted = [name for name in names if any(answer.values(name))]
        if not counted or before is None or not (before.reached and passed_s > 0):
            return None
        return sum(max(0.0, answer.total(name) - before.total(name)) for name in counted) / passed_s

    return ProcessLine(
        process=target.process,
        address=target.address,
        state=state,
        trouble=trouble.replace("\n", "; "),
        runs_per_s=rate(_RUNS),
        records_per_s=rate(*_RECORDS),
        memory_bytes=answer.total("process_resident_memory_bytes"),
    )


def _worker(target: Target, answer: Answer, *, before: Answer | None) -> WorkerLine:
    def passed(name: str) -> float:
        return answer.total(name) - (before.total(name) if before is not None else 0.0)

    runs = passed(_RUNS)
    return WorkerLine(
        process=target.process,
        run_records=int(answer.total("cobranza_run_records")),
        transaction_s=passed("cobranza_transaction_seconds_total") / runs if runs > 0 else None,
        acquisitions=int(answer.total("cobranza_acquisitions_total")),
        fencings=int(answer.total("cobranza_fencings_total")),
        unknown_outcomes=int(answer.total("cobranza_unknown_outcomes_total")),
        chain_breaks=int(answer.total("cobranza_chain_breaks_total")),
    )


def _partitions(answers: Iterable[Answer]) -> tuple[PartitionLag, ...]:
    """Give every partition, the one that is most behind first."""
    found = []
    for answer in answers:
        seconds = {_place(labels): value for labels, value in answer.values("cobranza_lag_seconds")}
        for labels, value in answer.values("cobranza_lag_records"):
            group, topic, number = place = _place(labels)
            age_s = seconds.get(place, 0.0)
            found.append(
                PartitionLag(
                    group=group, topic=topic, partition=int(number), records=int(value), seconds=age_s
                )
            )
    return tuple(
        sorted(found, key=lambda one: (-one.seconds, -one.records, one.group, one.topic, one.partition))
    )


def _place(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return labels["group"], labels["topic"], labels["partition"]


def _lags(partitions: Iterable[PartitionLag]) -> tuple[GroupLag, ...]:
    groups: dict[str, list[PartitionLag]] = {}
    for each in partitions:
        groups.setdefault(each.group, []).append(each)
    return tuple(
        GroupLag(
            group=group,
            records=sum(each.records for each in those),
            seconds=max(each.seconds for each in those),
        )
        for group, those in sorted(groups.items())
    )


def _counts(answers: Iterable[Answer], name: str, first: str, second: str) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for answer in answers:
        for labels, value in answer.values(name):
            key = (labels[first], labels[second])
            counts[key] = counts.get(key, 0) + int(value)
    return dict(sorted(counts.items()))


def frame(seen: Glance, *, partitions_max: int = 10) -> "RenderableType":
    """Draw a frame, with so many of the partitions that are most behind."""
    from rich.console import Group

    parts: list[RenderableType] = [_process_table(seen.processes)]
    parts += [
        f"  [{_STYLES[each.state]}]{each.process}[/]: {each.trouble}"
        for each in seen.processes
        if each.trouble
    ]
    parts += ["", _worker_table(seen.workers), "", _lag_table(seen.lags), ""]
    behind = [each for each in seen.partitions if each.records or each.seconds]
    if behind and partitions_max:
        parts.append(_partition_table(behind[:partitions_max]))
        if len(behind) > partitions_max:
            parts.append(f"  and {len(behind) - partitions_max} partitions more, less behind")
        parts.append("")
    parts.append(_sentence("waiting", seen.waiting))
    for title, counts in (("dead letters", seen.letters), ("sendings", seen.sendings)):
        parts.append(_sentence(title, {" ".join(key): count for key, count in counts.items()}))
    return Group(*parts)


def _process_table(lines: Iterable[ProcessLine]) -> "Table":
    table = _table("process", "state", "runs/s", "records/s", "MB", "at")
    for each in lines:
        state = f"[{_STYLES[each.state]}]{each.state}[/]"
        megabytes = f"{each.memory_bytes / 1e6:.0f}" if each.memory_bytes else ""
        table.add_row(
            each.process, state, _rate(each.runs_per_s), _rate(each.records_per_s), megabytes, each.address
        )
    return table


def _worker_table(lines: Iterable[WorkerLine]) -> "Table":
    table = _table("worker", "run size", "transaction", "taken", "fenced", "unknown outcomes", "chain breaks")
    for each in lines:
        took = "" if each.transaction_s is None else f"{each.transaction_s * 1000:,.0f} ms"
        counts = (each.acquisitions, each.fencings, each.unknown_outcomes, each.chain_breaks)
        table.add_row(each.process, f"{each.run_records:,}", took, *(f"{count:,}" for count in counts))
    return table


def _partition_table(lags: Iterable[PartitionLag]) -> "Table":
    table = _table("of group", "topic", "partition", "records", "seconds")
    for each in lags:
        table.add_row(each.group, each.topic, str(each.partition), f"{each.records:,}", f"{each.seconds:.0f}")
    return table


def _lag_table(lags: Iterable[GroupLag]) -> "Table":
    table = _table("group behind by", "records", "seconds")
    for each in lags:
        table.add_row(each.group, f"{each.records:,}", f"{each.seconds:.0f}")
    return table


def _table(*titles: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, justify="left" if title in _TEXTS else "right")
    return table


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _sentence(title: str, counts: Mapping[str, int]) -> str:
    said = " · ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    return f"[bold]{title}[/]  {said or 'none'}"
