"""A stage to test the engine with: it remembers per key what it folded, and says each one.

Values are numbers as text. ``poison`` raises, ``huge`` makes an output over the limit,
``slices:<n>`` takes n transactions. As a program it is a worker that can be killed.
"""

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence

from msgspec import json

from streams.engine.options import EngineOptions
from streams.engine.serving import serve_until_signal
from streams.engine.stage import Output, Record, Row, StageSpec, Step
from streams.engine.worker import EngineApp, build_engine_app

LIMIT_BYTES = 1_000_000
Kept = dict[int, tuple[dict[bytes, list[int]], bytes | None]]  # by partition: state and mark
# A worker of a test is not lost to a busy machine; one that is to be missed when it is killed soon is.
QUICK = EngineOptions(
    session_timeout_s=60.0, transaction_timeout_s=60.0, heartbeat_s=1.0, request_timeout_s=72.0
)
MORTAL = EngineOptions(
    session_timeout_s=6.0, transaction_timeout_s=6.0, heartbeat_s=1.0, request_timeout_s=8.0
)


class Toy:
    """Numbers by key, in the order in which they were folded; `kept` is its disk."""

    def __init__(self, *, partition: int, out: str, kept: Kept | None = None) -> None:
        self.partition = partition
        self.out = out
        self._kept: Kept = {} if kept is None else kept
        self.state, self._mark = self._kept.get(partition, ({}, None))
        self._changed: dict[bytes, list[int]] = {}

    def mark(self) -> bytes | None:
        """Give the mark that came with the state."""
        return self._mark

    def restore(self, rows: Sequence[Row], *, mark: bytes | None) -> None:
        """Take rows back."""
        for key, value in rows:
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = json.decode(value, type=list[int])
        self._keep(mark)

    def step(self, records: Sequence[Record], *, cursor: str) -> Step:
        """Append each record's number to its key's list, and say it."""
        outputs: list[Output] = []
        for index, record in enumerate(records):
            key, value = record.key or b"", (record.value or b"").decode()
            if value == "poison":
                raise ValueError("poison")
            if value == "huge":
                outputs.append(Output(self.out, self.partition, key, b"x" * (LIMIT_BYTES + 1)))
            elif value.startswith("slices:"):
                done = int(cursor or 0) + 1
                outputs.append(Output(self.out, self.partition, key, b"slice %d" % done))
                if done < int(value.removeprefix("slices:")):
                    return Step(self._rows(), outputs, index, str(done))
                cursor = ""
            elif value == "pause":
                return Step(self._rows(), outputs, index + 1, "", "asked to")
            else:
                numbers = self._changed.setdefault(key, list(self.state.get(key, [])))
                numbers.append(int(value))
                outputs.append(Output(self.out, self.partition, key, value.encode()))
        return Step(self._rows(), outputs, len(records))

    def commit(self, *, mark: bytes = b"") -> None:
        """Make the last step the state; without a changelog there is no mark."""
        self.state |= self._changed
        self._changed = {}
        self._keep(mark)

    def discard(self) -> None:
        """Forget the last step."""
        self._changed = {}

    def wipe(self) -> None:
        """Forget everything."""
        self.state = {}
        self._changed = {}
        self._keep(None)

    def close(self) -> None:
        """Hold nothing open, so release nothing."""

    def _keep(self, mark: bytes | None) -> None:
        self._mark = mark
        self._kept[self.partition] = (self.state, mark)

    def _rows(self) -> list[Row]:
        return [(key, json.encode(numbers)) for key, numbers in self._changed.items()]


def spec(prefix: str, *, stateful: bool = True, kept: Kept | None = None) -> StageSpec:
    """Wire the toy under a prefix: ``src`` to ``out``."""

    def make(_topic: str, partition: int, _counts: Mapping[str, int]) -> Toy:
        return Toy(partition=partition, out=f"{prefix}out", kept=kept)

    names = ("out", "rows", "chain") if stateful else ("out",)
    return StageSpec(
        name="toy",
        sources=(f"{prefix}src",),
        targets=dict.fromkeys((f"{prefix}{name}" for name in names), LIMIT_BYTES),
        open=make,
        changelog=f"{prefix}rows" if stateful else "",
        chain=f"{prefix}chain" if stateful else "",
    )


def build(
    prefix: str,
    *,
    bootstrap_servers: str,
    stateful: bool = True,
    options: EngineOptions = QUICK,
    member: str | None = None,
    kept: Kept | None = None,
) -> EngineApp:
    """Make the toy's app."""
    return build_engine_app(
        group=f"{prefix}group",
        spec=spec(prefix, stateful=stateful, kept=kept),
        bootstrap_servers=bootstrap_servers,
        options=options,
        member=member,
    )


async def main(bootstrap_servers: str, prefix: str, member: str, stateful: str) -> None:
    """Run the worker until it is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = build(
        prefix,
        bootstrap_servers=bootstrap_servers,
        stateful=stateful == "stateful",
        options=MORTAL,
        member=member or None,
    )
    await serve_until_signal(app)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
