"""Where the committed rows of a partition are kept, and what a tick must find in them.

``RowStore`` is what the fold asks of a store; ``MemoryRows`` is the one that replay and
tests use, and workers without a disk. It knows of no changelog: a mark is kept unread.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct, json

from processors.wake_index import WakeIndex
from schemas.fields import split_account_id
from schemas.rows import decode_key, owner_prefix

__all__ = [
    "KeptRow",
    "MemoryRows",
    "RowStore",
    "Wake",
    "WakeChange",
    "account_wake",
    "is_account_key",
    "owner_and_wake",
    "prefix_of",
]

KeptRow = tuple[bytes, bytes | None]

_ACCOUNT_KEY_END = b',"account",""]'  # no other key ends so: quotes within a name are escaped


class Wake(NamedTuple):
    """When a tick must look at an account, and with which company version that was computed.

    ``at_s`` is in epoch seconds UTC, None: no time to come.
    """

    at_s: int | None
    version: int


class WakeChange(NamedTuple):
    """An account's wake before (None: it had none) and after a step."""

    account: str
    before: Wake | None
    after: Wake


class RowStore(Protocol):
    """Rows by key, in key order, with the wakes of accounts; one write changes all of it or nothing."""

    def mark(self) -> bytes | None:
        """Give the mark that came with the last write that had one."""

    def load(self, owners: Iterable[str]) -> dict[str, list[bytes]]:
        """Give the row values of owners; an owner without rows is left out."""

    def write(self, rows: Sequence[KeptRow], *, wakes: Sequence[WakeChange], mark: bytes | None) -> None:
        """Put rows (None: take away) with what they change of the wakes; ``mark`` None: it stays as it is."""

    def take_back(self, rows: Sequence[KeptRow], *, mark: bytes | None) -> None:
        """Put rows read from a changelog, in log order; wakes are found in them. ``mark`` None: the state is incomplete."""

    def waking(self, until_s: int) -> Iterator[tuple[int, str]]:
        """Walk (time, account) of the wakes until ``until_s``, in that order; not to be changed meanwhile."""

    def outdated(self, company: str, *, version: int) -> Iterator[tuple[int, str]]:
        """Walk (version, account) of a company's wakes that were computed with an older version, in that order."""

    def companies(self) -> list[str]:
        """List the companies that have accounts here, in order."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Walk all rows."""

    def wipe(self) -> None:
        """Take everything away, the mark too."""

    def close(self) -> None:
        """Let go of what is held on disk."""


class MemoryRows:
    """A ``RowStore`` in memory; it is gone with its process."""

    def __init__(self) -> None:
        self._rows: dict[bytes, dict[bytes, bytes]] = {}
        self._wakes = WakeIndex()
        self._versions: dict[str, WakeIndex] = {}
        self._mark: bytes | None = None

    def mark(self) -> bytes | None:
        """See ``RowStore``."""
        return self._mark

    def load(self, owners: Iterable[str]) -> dict[str, list[bytes]]:
        """See ``RowStore``."""
        found = {}
        for owner in owners:
            rows = self._rows.get(owner_prefix(owner))
            if rows:
                found[owner] = list(rows.values())
        return found

    def write(self, rows: Sequence[KeptRow], *, wakes: Sequence[WakeChange], mark: bytes | None) -> None:
        """See ``RowStore``."""
        self._put(rows)
        for account, before, after in wakes:
            self._change_wake(account, before, after)
        if mark is not None:
            self._mark = mark

    def take_back(self, rows: Sequence[KeptRow], *, mark: bytes | None) -> None:
        """See ``RowStore``."""
        self._mark = mark
        last = {key: value for key, value in rows if key.endswith(_ACCOUNT_KEY_END)}
        for key, value in last.items():
            # What it had before need not be known: the indexes know what they hold.
            account, wake = owner_and_wake(key, value)
            self._change_wake(account, None, wake)
        self._put(rows)

    def waking(self, until_s: int) -> Iterator[tuple[int, str]]:
        """See ``RowStore``."""
        return self._wakes.until(until_s)

    def outdated(self, company: str, *, version: int) -> Iterator[tuple[int, str]]:
        """See ``RowStore``."""
        index = self._versions.get(company)
        return iter(()) if index is None else index.until(version - 1)

    def companies(self) -> list[str]:
        """See ``RowStore``."""
        return sorted(self._versions)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """See ``RowStore``."""
        for rows in self._rows.values():
            yield from rows.items()

    def wipe(self) -> None:
        """See ``RowStore``."""
        MemoryRows.__init__(self)

    def close(self) -> None:
        """Hold nothing on disk, so let go of nothing."""

    def _put(self, rows: Iterable[KeptRow]) -> None:
        kept = self._rows
        prefix: bytes = b"none"
        owned: dict[bytes, bytes] = {}
        for key, value in rows:
            if not key.startswith(prefix):  # an owner's rows mostly come together
                prefix = prefix_of(key)
                owned = kept.setdefault(prefix, {})
            if value is not None:
                owned[key] = value
            else:
                owned.pop(key, None)

    def _change_wake(self, account: str, before: Wake | None, after: Wake) -> None:
        if before is None or before.at_s != after.at_s:
            self._wakes.set(account, after.at_s)
        if before is None or before.version != after.version:
            company, _ = split_account_id(account)
            index = self._versions.get(company)
            if index is None:
                index = self._versions[company] = WakeIndex()
            index.set(account, after.version)


def is_account_key(key: bytes) -> bool:
    """Say whether the row with this key is the header of an account, which holds its wake."""
    return key.endswith(_ACCOUNT_KEY_END)


def prefix_of(key: bytes) -> bytes:
    """Give ``owner_prefix`` of the row with this key."""
    if b"\\" in key:  # a name with a quote in it
        return owner_prefix(decode_key(key).owner)
    return key[: key.index(b'",') + 2]


class _Header(Struct, gc=False, tag_field="kind", tag="account"):
    """What a wake needs of an ``AccountRow``: read alone, it costs half."""

    account: str
    wake_at_s: int | None = None
    config_version: int = 0


_header_decoder = json.Decoder(_Header)


def account_wake(value: bytes | None) -> Wake | None:
    """Read the wake from an account's row; None for a row that is not there.

    Raises:
        msgspec.ValidationError: it is no account's row.
    """
    if value is None:
        return None
    header = _header_decoder.decode(value)
    return Wake(header.wake_at_s, header.config_version)


def owner_and_wake(key: bytes, value: bytes | None) -> tuple[str, Wake]:
    """Read whose header a row is, and its wake; of one that is gone (None), that it has none.

    Raises:
        msgspec.ValidationError: it is no account's row.
    """
    if value is None:
        return decode_key(key).owner, Wake(None, 0)
    header = _header_decoder.decode(value)
    return header.account, Wake(header.wake_at_s, header.config_version)
