"""``cobranza worker ledger`` with a mark: the product's own command, told when its warm-up is over.

Nothing else differs from what users start: the command line, the engine and the stage are theirs.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.mark import Mark
from console.cli.main import main
from streams.engine.stage import Record, Step
from streams.ledger import Ledger


def run(folder: Path, *, warm_up: int, options: Sequence[str]) -> None:
    """Count the records of each step before it is folded, and run the worker with the command's own options."""
    folder.mkdir(exist_ok=True)
    mark, step = Mark(folder, warm_up=warm_up), Ledger.step

    def marked(self: Ledger, records: Sequence[Record], *, cursor: str) -> Step:
        mark.count(len(records))
        return step(self, records, cursor=cursor)

    Ledger.step = marked  # type: ignore[method-assign]
    sys.argv = ["cobranza", "worker", "ledger", *options]
    main()


if __name__ == "__main__":
    run(Path(sys.argv[1]), warm_up=int(sys.argv[2]), options=sys.argv[3:])
