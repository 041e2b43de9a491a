"""Documents that were fetched, as files, and how often fetching one has failed; both are forgotten after a while.

Several workers share the folder: files appear whole, and what is there
twice is the same.
"""

import datetime
import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from notifiers.enclosing.fetching import DocumentKind
from notifiers.folders import write_whole

__all__ = ["DocumentStore", "Failure"]

# A document that could not be had is asked for again after this, for another message.
_FAILURE_KEPT: Final = datetime.timedelta(hours=1)


class Failure(Struct, frozen=True, kw_only=True):
    """How a document could not be had: after how many tries, and when to try again; ``ended`` is for good.

    ``is_host``: the host did not answer; else it has, and not with the document.
    """

    tries: int
    retry_at: datetime.datetime
    detail: str
    ended: bool = False
    is_host: bool = False


class DocumentStore:
    """A folder of documents by address.

    Args:
        folder: it is made when something is kept.
        kept: for so long a document is good.
    """

    def __init__(self, folder: Path, *, kept: datetime.timedelta) -> None:
        self._folder = folder
        self._kept = kept

    def has(self, url: str, *, kind: DocumentKind, now: datetime.datetime) -> bool:
        """Say whether a document is there; it is not looked at."""
        return _is_younger(self._path(url, suffix=kind), than=self._kept, now=now)

    def find(self, url: str, *, kind: DocumentKind, now: datetime.datetime) -> bytes | None:
        """Give a document that was fetched not too long ago."""
        path = self._path(url, suffix=kind)
        if not _is_younger(path, than=self._kept, now=now):
            return None
        try:
            return path.read_bytes()
        except OSError:  # another worker has swept it, or the disk does not give it: it is fetched again
            return None

    def keep(self, url: str, *, kind: DocumentKind, content: bytes) -> None:
        """Keep a document, and forget that it could not be had."""
        write_whole(self._path(url, suffix=kind), content, durable=False)
        self._path(url, suffix="failed").unlink(missing_ok=True)

    def failure(self, url: str, *, now: datetime.datetime) -> Failure | None:
        """Give how it could not be had lately."""
        path = self._path(url, suffix="failed")
        if not _is_younger(path, than=_FAILURE_KEPT, now=now):
            return None
        try:
            return msgspec.json.decode(path.read_bytes(), type=Failure)
        except (OSError, msgspec.MsgspecError):
            return None

    def fail(self, url: str, failure: Failure) -> None:
        """Note that it could not be had."""
        write_whole(self._path(url, suffix="failed"), msgspec.json.encode(failure), durable=False)

    def sweep(self, *, now: datetime.datetime) -> int:
        """Remove what is too old to be used; return how many files."""
        swept = 0
        for path in self._folder.glob("??/*"):
            kept = _FAILURE_KEPT if path.suffix == ".failed" else self._kept
            if not _is_younger(path, than=kept, now=now):
                path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _path(self, url: str, *, suffix: str) -> Path:
        name = hashlib.blake2b(url.encode(), digest_size=16).hexdigest()
        return self._folder / name[:2] / f"{name}.{suffix}"


def _is_younger(path: Path, *, than: datetime.timedelta, now: datetime.datetime) -> bool:
    try:
        written_s = path.stat().st_mtime
    except OSError:
        return False
    return now.timestamp() - written_s <= than.total_seconds()
