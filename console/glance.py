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

__all__ = ["Glance", "Glances", "GroupLag", "ProcessLine", "frame", "glance"]

_STYLES = {"ready": "green", "not ready": "yellow", "stalled": "red", "down": "red"}
_NUMBERS = {"runs/s", "records/s", "MB", "records", "seconds"}
_RATED = {"intake": "cobranza_runs_total", "ledger": "cobranza_runs_total"}
_RECORDS = {
    "intake": "cobranza_records_total",
    "ledger": "cobranza_records_total",
    "projector": "cobranza_projected_records_total",
}


class ProcessLine(Struct, frozen=True, kw_only=True):
    """One process: `trouble` is "" when it is well; rates are None where they mean nothing."""

    process: str
    address: str
    state: str
    trouble: str
    runs_per_s: float | None
    records_per_s: float | None
    memory_bytes: float


class GroupLag(Struct, frozen=True, kw_only=True):
    """A consumer group: records over all its partitions, seconds of the worst."""

    group: str
    records: int
    seconds: float


class Glance(Struct, frozen=True, kw_only=True):
    """One frame; counts by their labels, since the processes' start."""

    processes: tuple[ProcessLine, ...]
    lags: tuple[GroupLag, ...]
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
        named = {each.process: answer for each, answer in zip(self._targets, answers, strict=True)}
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
    """Sum up what processes say now, and said `passed_s` ago."""
    every = list(answers.values())
    return Glance(
        processes=tuple(
            _line(each, answers[each.process], before=before.get(each.process), passed_s=passed_s)
            for each in targets
        ),
        lags=_lags(every),
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
        state, trouble = "down", f"nothing answers at {target.address}"
    elif answer.stalled:
        state, trouble = "stalled", answer.stalled
    elif answer.unready:
        state, trouble = "not ready", answer.unready
    else:
        state, trouble = "ready", ""

    def rate(names: Mapping[str, str]) -> float | None:
        name = names.get(target.process)
        if name is None or before is None or not (answer.reached and before.reached and passed_s > 0):
            return None
        return max(0.0, answer.total(name) - before.total(name)) / passed_s

    return ProcessLine(
        process=target.process,
        address=target.address,
        state=state,
        trouble=trouble.replace("\n", "; "),
        runs_per_s=rate(_RATED),
        records_per_s=rate(_RECORDS),
        memory_bytes=answer.total("process_resident_memory_bytes"),
    )


def _lags(answers: Iterable[Answer]) -> tuple[GroupLag, ...]:
    records: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for answer in answers:
        for labels, value in answer.values("cobranza_lag_records"):
            records[labels["group"]] = records.get(labels["group"], 0) + int(value)
        for labels, value in answer.values("cobranza_lag_seconds"):
            seconds[labels["group"]] = max(seconds.get(labels["group"], 0.0), value)
    return tuple(
        GroupLag(group=group, records=count, seconds=seconds.get(group, 0.0))
        for group, count in sorted(records.items())
    )


def _counts(answers: Iterable[Answer], name: str, first: str, second: str) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for answer in answers:
        for labels, value in answer.values(name):
            key = (labels[first], labels[second])
            counts[key] = counts.get(key, 0) + int(value)
    return dict(sorted(counts.items()))


def frame(seen: Glance) -> "RenderableType":
    """Draw a frame."""
    from rich.console import Group

    parts: list[RenderableType] = [_process_table(seen.processes)]
    parts += [
        f"  [{_STYLES[each.state]}]{each.process}[/]: {each.trouble}"
        for each in seen.processes
        if each.trouble
    ]
    parts += ["", _lag_table(seen.lags), ""]
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


def _lag_table(lags: Iterable[GroupLag]) -> "Table":
    table = _table("group behind by", "records", "seconds")
    for each in lags:
        table.add_row(each.group, f"{each.records:,}", f"{each.seconds:.0f}")
    return table


def _table(*titles: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title in _NUMBERS else "left")
    return table


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _sentence(title: str, counts: Mapping[str, int]) -> str:
    said = " · ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    return f"[bold]{title}[/]  {said or 'none'}"
