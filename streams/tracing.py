"""One log line per event and per fact, for following an event through the stages; only at level debug.

A stage is wrapped only when such lines are wanted, so that they cost nothing otherwise.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from msgspec import json

from schemas.journal import decode_entry
from streams.engine.stage import Output, Record, Step

__all__ = ["traced"]

_FACT_FIELDS: Final = ("cause", "item", "credit", "reminder", "step", "status")
_Open = Callable[[str, int, Mapping[str, int]], Any]
_log = structlog.get_logger(__name__)


def traced(open_stage: _Open, *, journal: str) -> _Open:
    """Wrap what opens stages, if debug lines are wanted now; `journal` is its physical name."""
    if not logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
        return open_stage

    def make(topic: str, partition: int, counts: Mapping[str, int]) -> _Traced:
        return _Traced(open_stage(topic, partition, counts), source=(topic, partition), journal=journal)

    return make


class _Traced:
    """A stage that tells what its committed steps read and wrote; everything else is the stage's."""

    def __init__(self, stage: Any, *, source: tuple[str, int], journal: str) -> None:
        self._stage, self._source, self._journal = stage, source, journal
        self._lines: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def step(self, records: Sequence[Record], *, cursor: str) -> Step:
        step: Step = self._stage.step(records, cursor=cursor)
        topic, partition = self._source
        self._lines = []
        if topic == self._journal:
            for record in records[: step.consumed]:
                self._lines.append(
                    ("event_folded", _entry_of(record.key, record.value, offset=record.offset))
                )
        self._lines += [_line_of(output, journal=self._journal) for output in step.outputs]
        for _, fields in self._lines:
            fields.update(source_topic=topic, source_partition=partition)
        return step

    def commit(self, **given: Any) -> None:
        self._stage.commit(**given)
        for event, fields in self._lines:
            _log.debug(event, **fields)
        self._lines = []

    def discard(self) -> None:
        self._stage.discard()
        self._lines = []


def _line_of(output: Output, *, journal: str) -> tuple[str, dict[str, Any]]:
    if output.topic == journal:
        return "event_admitted", _entry_of(output.key, output.value)
    fact = json.decode(output.value or b"{}", strict=False) if output.topic[-4:] != ".dlq" else {}
    named = {name: fact[name] for name in _FACT_FIELDS if name in fact}
    if isinstance(fact.get("items"), list):
        named["items"] = [each.get("item") for each in fact["items"]]
    fields = {"fact_id": fact.get("id", ""), "type": fact.get("type", ""), "account": _text(output.key)}
    return "fact_written", {"topic": output.topic, **fields, **named}


def _entry_of(key: bytes | None, value: bytes | None, **more: Any) -> dict[str, Any]:
    entry = decode_entry(value or b"")
    return {"event_id": entry.id, "account": _text(key), **more}


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")
