"""Where the processes of an installation answer: a file in the form of Prometheus' file discovery.

`cobranza up` writes it into the data folder; Prometheus and `cobranza top` read it.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

__all__ = ["Target", "read_targets", "targets_file", "write_targets"]


class Target(Struct, frozen=True, kw_only=True):
    """One process and the ``host:port`` of its HTTP server."""

    process: str
    address: str


class _Group(Struct, frozen=True, kw_only=True):
    targets: list[str]
    labels: dict[str, str] = {}


def targets_file(data_dir: Path) -> Path:
    """Return where the file of an installation is."""
    return data_dir / "prometheus" / "targets" / "up.json"


def write_targets(file: Path, *, targets: Sequence[Target]) -> None:
    """Write the file, as a whole or not at all."""
    groups = [_Group(targets=[each.address], labels={"process": each.process}) for each in targets]
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".fresh")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(groups), indent=2) + b"\n")
    fresh.replace(file)


def read_targets(file: Path) -> list[Target]:
    """Read the file; no processes when there is none.

    Raises:
        msgspec.DecodeError: it is not of this form.
    """
    if not file.exists():
        return []
    groups = msgspec.json.decode(file.read_bytes(), type=list[_Group])
    return [
        Target(process=each.labels.get("process", "") or address, address=address)
        for each in groups
        for address in each.targets
    ]
