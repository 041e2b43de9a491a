"""What both stores of rows promise, in memory and on disk."""

import datetime
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local_rows import LocalRows, LocalRowsError, RowsMemory
from infra.metrics.tally import Tally
from processors.row_store import KeptRow, MemoryRows, RowStore, Wake, WakeChange
from schemas.rows import AccountRow, ClockRow, RowKey, decode_key, encode_key, encode_row

NAMES = ("acme:C-1", 'acme:"C,"', "acme:C-10", "beta:Ñ")
OPEN: dict[str, Callable[[Path], RowStore]] = {"memory": lambda _: MemoryRows(), "disk": LocalRows}


@pytest.fixture(params=OPEN)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RowStore]:
    """An empty store, of both kinds in turn."""
    opened = OPEN[request.param](tmp_path)
    yield opened
    opened.close()


def header(account: str, *, wake_at_s: int | None, version: int) -> KeptRow:
    row = AccountRow(account=account, wake_at_s=wake_at_s, config_version=version)
    return encode_key(RowKey("account", account, "")), encode_row(row)


def item(account: str, name: str) -> KeptRow:
    return encode_key(RowKey("item", account, name)), f"{account} {name}".encode()


def test_rows_are_found_by_their_owner(store: RowStore) -> None:
    """An account's rows, and none of the account whose name begins like it."""
    store.take_back([item(account, "I") for account in NAMES], mark=b"1")
    assert {name: [f"{name} I".encode()] for name in NAMES} == store.load(NAMES)
    assert {} == store.load(["acme:C"])


def test_a_row_that_was_taken_away_is_gone(store: RowStore) -> None:
    """A tombstone takes one row, not its neighbours."""
    store.take_back([item("acme:C-1", "I1"), item("acme:C-1", "I2")], mark=None)
    store.take_back([(item("acme:C-1", "I1")[0], None)], mark=b"2")
    assert [item("acme:C-1", "I2")] == list(store.items())


def test_the_mark_stays_until_another_comes(store: RowStore) -> None:
    """A write without a mark keeps it; rows taken back without one say that more is to come."""
    store.take_back([item("acme:C-1", "I1")], mark=b"1")
    store.write([item("acme:C-1", "I2")], wakes=[], mark=None)
    assert b"1" == store.mark()
    store.take_back([item("acme:C-1", "I3")], mark=None)
    assert store.mark() is None


def test_who_wakes_is_found_in_order(store: RowStore) -> None:
    """R4: by time, then by account; and by what a later row says."""
    store.take_back(
        [header("acme:b", wake_at_s=20, version=1), header("acme:a", wake_at_s=20, version=1)], mark=b"1"
    )
    store.take_back(
        [header("acme:c", wake_at_s=10, version=1), header("acme:d", wake_at_s=30, version=1)], mark=b"2"
    )
    assert [(10, "acme:c"), (20, "acme:a"), (20, "acme:b")] == list(store.waking(20))
    store.write([], wakes=[WakeChange("acme:c", Wake(10, 1), Wake(None, 1))], mark=b"3")
    store.take_back([header("acme:a", wake_at_s=15, version=1)], mark=b"4")
    assert [(15, "acme:a"), (20, "acme:b")] == list(store.waking(29))


def test_who_has_not_seen_a_change_is_found(store: RowStore) -> None:
    """A published plan concerns its company's accounts, each until it was looked at."""
    store.take_back(
        [header("acme:a", wake_at_s=None, version=1), header("acme:b", wake_at_s=None, version=0)], mark=b"1"
    )
    store.take_back([header("beta:a", wake_at_s=None, version=0)], mark=b"1")
    assert [(0, "acme:b"), (1, "acme:a")] == list(store.outdated("acme", version=2))
    store.write([], wakes=[WakeChange("acme:b", Wake(None, 0), Wake(None, 2))], mark=b"2")
    assert [(1, "acme:a")] == list(store.outdated("acme", version=2))
    assert ["acme", "beta"] == store.companies()


def test_a_wiped_store_is_empty(store: RowStore) -> None:
    """Rows, wakes and mark are gone."""
    store.take_back([header("acme:a", wake_at_s=1, version=1)], mark=b"1")
    store.wipe()
    assert ([], [], [], None) == (list(store.items()), list(store.waking(9)), store.companies(), store.mark())


headers = st.builds(
    header, st.sampled_from(NAMES), wake_at_s=st.none() | st.integers(-5, 50), version=st.integers(0, 3)
)
items = st.builds(item, st.sampled_from(NAMES), st.sampled_from("abc"))
tombstones = items.map(lambda row: (row[0], None))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(headers | items | tombstones, max_size=8), max_size=8))
def test_disk_and_memory_say_the_same(batches: list[list[KeptRow]]) -> None:
    """Whatever rows come back, also after the store was closed and opened again."""
    with tempfile.TemporaryDirectory() as folder:
        memory, disk = MemoryRows(), LocalRows(Path(folder))
        for number, rows in enumerate(batches):
            for each in (memory, disk):
                each.take_back(rows, mark=b"%d" % number)
        disk.close()
        disk = LocalRows(Path(folder))
        assert _told(memory) == _told(disk)
        disk.close()


def _told(store: RowStore) -> tuple[object, ...]:
    outdated = [list(store.outdated(company, version=3)) for company in store.companies()]
    loaded = {owner: sorted(values) for owner, values in store.load(NAMES).items()}
    return sorted(store.items()), list(store.waking(60)), outdated, store.companies(), store.mark(), loaded


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    """Two workers on one folder would each write the other's rows over: the second one is told."""
    held = LocalRows(tmp_path)
    with pytest.raises(LocalRowsError, match="another worker"):
        LocalRows(tmp_path)
    held.close()


def _filled(folder: Path) -> dict[bytes, bytes]:
    """Fill a store with rows that LZ4 cannot make small, in several blocks, and give them."""
    chance = random.Random(7)  # noqa: S311 - rows, no secret
    rows = {b'["acme:C-%04d","item","1"]' % number: chance.randbytes(300) for number in range(1000)}
    store = LocalRows(folder)
    store.write(list(rows.items()), wakes=[], mark=b"1")
    store.close()
    return rows


def _flip(folder: Path) -> None:
    """Change some bytes in the middle of what is on disk."""
    [file] = folder.glob("*.sst")
    octets = bytearray(file.read_bytes())
    middle = slice(len(octets) // 2, len(octets) // 2 + 200)
    octets[middle] = bytes(each ^ 0xFF for each in octets[middle])
    file.write_bytes(octets)


@pytest.mark.parametrize("pattern", ["*.sst", "MANIFEST-*", "CURRENT"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(b"x")], ids=["gone", "spoilt"])
def test_a_damaged_store_is_wiped_and_counted(
    pattern: str, damage: Callable[[Path], object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """DESIGN 3.8: everything is on the changelog, so nobody has to come and delete it."""
    _filled(tmp_path / "0")
    for file in (tmp_path / "0").glob(pattern):
        damage(file)
    wiped = Tally("cobranza_local_rows_wiped_total", known=[()])
    store = LocalRows(tmp_path / "0", memory=RowsMemory(wiped=wiped))
    assert (None, []) == (store.mark(), list(store.items()))
    assert 1 == wiped.count()
    assert "damaged and wiped" in caplog.text
    store.write([(b"[1", b"a")], wakes=[], mark=b"2")
    store.close()


def test_a_block_that_cannot_be_read_is_not_taken_for_absent_rows(tmp_path: Path) -> None:
    """An account would be folded on as if it had nothing; the worker ends, and wipes the store when it is back."""
    rows = _filled(tmp_path / "0")
    _flip(tmp_path / "0")
    store = LocalRows(tmp_path / "0")
    with pytest.raises(LocalRowsError, match="is damaged, and is wiped"):
        store.load([decode_key(key).owner for key in rows])
    with pytest.raises(LocalRowsError, match="is damaged"):
        list(store.items())
    store.close()
    store = LocalRows(tmp_path / "0")
    assert (None, []) == (store.mark(), list(store.items()))
    store.close()
    store = LocalRows(tmp_path / "0")
    store.write([(b"[1", b"a")], wakes=[], mark=b"2")
    store.close()
    again = LocalRows(tmp_path / "0")
    assert b"2" == again.mark()  # it is wiped once, not for ever
    again.close()


def test_a_store_that_is_held_is_never_wiped(tmp_path: Path) -> None:
    """Also by one who knows that it was damaged: it is another worker's until he lets go."""
    held = LocalRows(tmp_path / "0")
    held.write([(b"[1", b"a")], wakes=[], mark=b"1")
    held._damaged.touch()
    wiped = Tally("cobranza_local_rows_wiped_total", known=[()])
    with pytest.raises(LocalRowsError, match="another worker"):
        LocalRows(tmp_path / "0", memory=RowsMemory(wiped=wiped))
    assert (b"1", 0) == (held.mark(), wiped.count())
    held.close()


def test_a_store_that_a_full_disk_did_not_take_is_let_go_all_the_same(tmp_path: Path) -> None:
    """Its partition may come back to this very worker, which would take itself for another one that holds it."""
    script = """
import random, resource, signal, sys
from pathlib import Path
from infra.local_rows import LocalRows

folder = Path(sys.argv[1])
store = LocalRows(folder)
store.write([(b"[1", random.Random(7).randbytes(200_000))], wakes=[], mark=b"1")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
try:
    store.close()
except Exception as error:
    print("not written:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
again = LocalRows(folder)
print("opened again:", again.mark(), list(again.items()))
again.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("not written: IO error")
    assert "opened again: None []" == second


def test_after_a_crash_rows_and_mark_fit_together(tmp_path: Path) -> None:
    """There is no write-ahead log: what was not on disk yet is gone, and so is the mark that spoke of it."""
    script = (
        "import os, sys; from pathlib import Path; from infra.local_rows import LocalRows;"
        "store = LocalRows(Path(sys.argv[1])); store.write([(b'[1', b'a')], wakes=[], mark=b'1');"
        "store.close(); store = LocalRows(Path(sys.argv[1]));"
        "store.write([(b'[2', b'b')], wakes=[], mark=b'2'); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert 9 == done.returncode
    store = LocalRows(tmp_path)
    assert (b"1", [(b"[1", b"a")]) == (store.mark(), list(store.items()))
    store.close()


def test_the_clock_is_a_row_without_an_owner(store: RowStore) -> None:
    """What a partition has once is found under no one's name."""
    row = encode_row(ClockRow(at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), mode="played"))
    store.take_back([(encode_key(RowKey("clock", "", "0")), row)], mark=b"1")
    assert {"": [row]} == store.load([""])
