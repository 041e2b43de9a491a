"""Rows of a partition on this machine's disk: a ``processors.row_store.RowStore`` on RocksDB.

One database a partition, one key space for each thing, and one batch a write, so that
rows, indexes and mark always fit together::

    ["acme:C-1","item","INV-1"]          a row, under its record key
    w | time (8 bytes) | account         an account's wake
    v | company | 0 | version | account  the company version that it was computed with
    m                                    the mark

There is no write-ahead log: after a crash the database is as of its last flush, mark and
all, and the changelog has the rest. It refuses to know what a mark says.

What is damaged is wiped, when it is opened: the changelog has it all. Damage that shows while it is
read ends the process, and the folder is wiped when it is opened again. A reader never takes
what cannot be read for what is not there.
"""

import contextlib
import logging
import shutil
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from infra.errors import OperatorError
from infra.metrics.tally import Tally
from processors.row_store import KeptRow, WakeChange, account_wake, is_account_key, owner_and_wake
from schemas.fields import split_account_id
from schemas.rows import owner_prefix

__all__ = ["LocalRows", "LocalRowsError", "RowsMemory"]

_log = logging.getLogger(__name__)
_ROWS, _WAKES, _VERSIONS, _MARK = b"[", b"w", b"v", b"m"
_TIME = struct.Struct(">Q")
_VERSION = struct.Struct(">I")
_TIME_ZERO = 1 << 63  # times before 1970 are below it
_MIB = 1024 * 1024
_ARENA_BLOCK = 64 * 1024


class LocalRowsError(OperatorError):
    """The folder of a partition's rows cannot be used, or not any more."""


class RowsMemory:
    """What the stores of one process share of its memory: cached blocks, and writes not yet on disk.

    Each open store has an equal share of the writes: a half that fills while the other is flushed. When
    both are full it waits for the disk. Shares are halved and doubled only: to tell all stores of each that
    comes or goes takes minutes where there are hundreds.

    Args:
        blocks_mib: of blocks read from disk.
        writes_mib: of rows not yet on disk; a store has 1 MiB at least.
        wiped: counts the stores that were damaged, and wiped.
    """

    def __init__(self, *, blocks_mib: int = 64, writes_mib: int = 64, wiped: Tally | None = None) -> None:
        self.wiped = wiped
        self.blocks = Cache(blocks_mib * _MIB)
        self._writes = writes_mib * _MIB
        self._open: dict[int, Any] = {}
        self._told = 0

    def buffer_size(self, *, more: int = 0) -> int:
        """Give the bytes of a store's half, with so many stores more than there are."""
        stores = max(1, len(self._open) + more)
        return max(_MIB // 2, self._writes // 2 // (1 << (stores - 1).bit_length()))

    def join(self, database: Any) -> None:
        """Count an opened database; all get smaller."""
        self._open[id(database)] = database
        self._share()

    def leave(self, database: Any) -> None:
        """Count it no more; the others get larger."""
        if self._open.pop(id(database), None) is not None:
            self._share()

    def _share(self) -> None:
        size = self.buffer_size()
        if size == self._told:
            return
        self._told = size
        for database in self._open.values():
            database.set_options({"write_buffer_size": str(size)})


class LocalRows:
    """Rows under a folder, which this process holds alone until ``close``.

    Raises:
        LocalRowsError: another process holds the folder, or the system refuses it; from any method: it
            was found damaged.
    """

    def __init__(self, folder: Path, *, memory: RowsMemory | None = None) -> None:
        self._folder = folder
        self._damaged = folder.with_name(f"{folder.name}.damaged")
        self._memory = memory or RowsMemory()
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[method-assign, assignment]  # its stubs are wrong
        self._db = self._open()

    def mark(self) -> bytes | None:
        """See ``RowStore``."""
        with self._noticing():
            mark: bytes | None = self._db.get(_MARK)
        return mark

    def load(self, owners: Iterable[str]) -> dict[str, list[bytes]]:
        """See ``RowStore``."""
        found: dict[str, list[bytes]] = {}
        walk = self._db.iter()
        # In key order: neighbours share blocks.
        with self._noticing():
            for prefix, owner in sorted((owner_prefix(owner), owner) for owner in owners):
                values = [walk.value() for _ in _under(walk, prefix)]
                if values:
                    found[owner] = values
        return found

    def write(self, rows: Sequence[KeptRow], *, wakes: Sequence[WakeChange], mark: bytes | None) -> None:
        """See ``RowStore``."""
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in rows:
            if value is None:
                delete(key)
            else:
                put(key, value)
        for change in wakes:
            _change_wake(batch, change)
        if mark is not None:
            put(_MARK, mark)
        with self._noticing():
            self._db.write(batch, self._unlogged)

    def take_back(self, rows: Sequence[KeptRow], *, mark: bytes | None) -> None:
        """See ``RowStore``."""
        last = {key: value for key, value in rows if is_account_key(key)}
        keys = list(last)
        with self._noticing():
            before = self._db.get(keys) if keys else []
        wakes = []
        for key, old in zip(keys, before, strict=True):
            account, wake = owner_and_wake(key, last[key])
            wakes.append(WakeChange(account, account_wake(old), wake))
        if mark is None:
            self._db.delete(_MARK, self._unlogged)
        self.write(rows, wakes=wakes, mark=mark)

    def waking(self, until_s: int) -> Iterator[tuple[int, str]]:
        """See ``RowStore``."""
        end = _WAKES + _TIME.pack(until_s + 1 + _TIME_ZERO)
        with self._noticing():
            for key in _under(self._db.iter(), _WAKES):
                if key >= end:
                    break
                yield _TIME.unpack_from(key, 1)[0] - _TIME_ZERO, key[1 + _TIME.size :].decode()

    def outdated(self, company: str, *, version: int) -> Iterator[tuple[int, str]]:
        """See ``RowStore``."""
        prefix = _versions_of(company)
        with self._noticing():
            for key in _under(self._db.iter(), prefix):
                found = _VERSION.unpack_from(key, len(prefix))[0]
                if found >= version:
                    break
                yield found, key[len(prefix) + _VERSION.size :].decode()

    def companies(self) -> list[str]:
        """See ``RowStore``."""
        found: list[str] = []
        walk, start = self._db.iter(), _VERSIONS
        with self._noticing():
            while (key := next(_under(walk, _VERSIONS, start=start), None)) is not None:
                company = key[1:].partition(b"\0")[0]
                found.append(company.decode())
                start = _VERSIONS + company + b"\1"  # behind all accounts of this one
        return found

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """See ``RowStore``."""
        walk = self._db.iter()
        with self._noticing():
            for key in _under(walk, _ROWS):
                yield key, walk.value()

    def wipe(self) -> None:
        """See ``RowStore``."""
        _log.warning("%s: the local rows are wiped; they will be read from the changelog", self._folder)
        self._shut()
        Rdict.destroy(str(self._folder))
        self._db = self._open()

    def close(self) -> None:
        """Write all to disk and let go of the folder, also where the disk takes no more: the changelog has it."""
        try:
            with self._noticing():
                self._db.flush()
        finally:
            self._shut()

    def _shut(self) -> None:
        self._memory.leave(self._db)
        self._db.close()

    def _open(self) -> Any:
        try:
            database = self._opened()
            if self._damaged.exists():
                database.close()  # opened before, to be sure that nobody else has it
                self._clear("a part of it could not be read")
                database = self._opened()
        except Exception as error:
            # rocksdict raises plain Exception for whatever RocksDB says.
            if not _is_damage(error):
                raise LocalRowsError(
                    f"{self._folder} cannot be opened: {error}. Is another worker using it?"
                ) from error
            self._clear(str(error))
            database = self._opened()
        self._memory.join(database)
        return database

    def _opened(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Rdict(str(self._folder), _options(self._memory))

    def _clear(self, why: str) -> None:
        """Delete a damaged store; say so and count it."""
        _log.error("%s: the local rows are damaged and wiped; the changelog has them: %s", self._folder, why)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._damaged.unlink(missing_ok=True)
        if self._memory.wiped is not None:
            self._memory.wiped.add()

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        """Note damage for who opens the store next, and raise it as ``LocalRowsError``."""
        try:
            yield
        except Exception as error:
            if not _is_damage(error):
                raise
            self._damaged.touch()
            raise LocalRowsError(
                f"{self._folder} is damaged, and is wiped when the worker starts again: {error}"
            ) from error


def _is_damage(error: Exception) -> bool:
    """Say whether this is RocksDB's word that files are wrong or missing; a lock or a full disk is not."""
    text = str(error)
    missing = text.startswith("IO error: No such file or directory") and "LOCK" not in text
    return type(error) is Exception and (text.startswith("Corruption") or missing)


def _under(walk: Any, prefix: bytes, *, start: bytes = b"") -> Iterator[bytes]:
    """Walk the keys that begin with `prefix`, from `start` on; at each one ``walk.value()`` is its value."""
    walk.seek(start or prefix)
    while walk.valid() and (key := walk.key()).startswith(prefix):
        yield key
        walk.next()
    walk.status()  # raises: what ended it may be a block that cannot be read


def _options(memory: RowsMemory) -> Options:
    blocks = BlockBasedOptions()
    blocks.set_block_cache(memory.blocks)
    blocks.set_cache_index_and_filter_blocks(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_size(memory.buffer_size(more=1))
    options.set_arena_block_size(
        _ARENA_BLOCK
    )  # its eighth of the buffer, times the partitions, would be much
    options.set_max_write_buffer_number(2)
    options.set_max_open_files(256)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    options.set_compression_type(DBCompressionType.lz4())
    return options


def _change_wake(batch: WriteBatch, change: WakeChange) -> None:
    account, before, after = change
    company, _ = split_account_id(account)
    name = account.encode()
    if before is None or before.version != after.version:
        if before is not None:
            batch.delete(_versions_of(company) + _VERSION.pack(before.version) + name)
        batch.put(_versions_of(company) + _VERSION.pack(after.version) + name, b"")
    if before is not None and before.at_s is not None and before.at_s != after.at_s:
        batch.delete(_WAKES + _TIME.pack(before.at_s + _TIME_ZERO) + name)
    if after.at_s is not None and (before is None or before.at_s != after.at_s):
        batch.put(_WAKES + _TIME.pack(after.at_s + _TIME_ZERO) + name, b"")


def _versions_of(company: str) -> bytes:
    return _VERSIONS + company.encode() + b"\0"
