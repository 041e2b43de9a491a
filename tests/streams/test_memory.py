"""What a worker's partitions hold in memory: one budget for all of them, however many the group gives it."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog.testing

from infra.local_rows import LocalRows, RowsMemory
from infra.settings import Settings
from processors.account import Account
from processors.account_cache import RowsBudget
from processors.partition import Partition
from schemas.fields import account_id
from schemas.journal import JournalEntry, encode_entry
from streams.app import stage_spec
from streams.ledger import Ledger
from streams.settings import StreamSettings
from tests.streams.records import FakeRecord, invoice

PARTITIONS = range(4)
ROWS_MAX = 400


def bought(customer: str, *, number: int) -> FakeRecord:
    event = invoice(number, customer=customer)
    value = encode_entry(JournalEntry(event, f"e-{number}", "erp"))
    return FakeRecord(number, 0, account_id("acme", customer).encode(), value, [])


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[list[Ledger]]:
    settings = Settings(bootstrap_servers="127.0.0.1:1", data_dir=tmp_path)
    limits = StreamSettings(cached_rows_max=ROWS_MAX)
    spec = stage_spec(settings, stage="ledger", limits=limits, member="a")
    counts = dict.fromkeys(spec.targets, len(PARTITIONS))
    made = [spec.open(spec.sources[0], number, counts) for number in PARTITIONS]
    yield made  # type: ignore[misc]  # traced, it is a Ledger still
    for each in made:
        each.close()  # type: ignore[union-attr]


def live_rows() -> int:
    gc.collect()
    return sum(1 + each.size() for each in gc.get_objects() if isinstance(each, Account))


def test_four_partitions_keep_one_budget(ledgers: list[Ledger]) -> None:
    """Of the live accounts of all partitions no more rows stay than one worker may hold, about."""
    before = live_rows()
    for number in range(2_000):
        ledger = ledgers[number % len(ledgers)]
        ledger.step([bought(f"C-{number}", number=number)], cursor="")
        ledger.commit(mark=b"%d" % number)
    assert ROWS_MAX // 4 < live_rows() - before <= ROWS_MAX + 10


def test_a_busy_partition_takes_the_room_of_quiet_ones(ledgers: list[Ledger]) -> None:
    """What is not asked for goes, wherever it is: a partition has no share of its own that lies idle."""
    before = live_rows()
    for number in range(200):
        ledgers[number % 3].step([bought(f"C-{number}", number=number)], cursor="")
        ledgers[number % 3].commit(mark=b"m")
    for number in range(200, 1_000):
        ledgers[3].step([bought(f"C-{number}", number=number)], cursor="")
        ledgers[3].commit(mark=b"m")
    assert ROWS_MAX // 4 < live_rows() - before <= ROWS_MAX + 10


def test_a_step_that_waits_for_its_commit_loses_nothing() -> None:
    """While one partition's transaction is under way another may let go of all: the rows are the same."""
    budget = RowsBudget(rows_max=20)
    waiting, busy, alone = (Partition(number=0, budget=each) for each in (budget, budget, None))
    for number in range(20):
        record = bought("C-1", number=number)
        for each in (waiting, alone):
            each.step([record], cursor="")  # type: ignore[list-item]  # of a consumed record's shape
        for other in range(30):
            busy.step([bought(f"C-{other}", number=100 * number + other)], cursor="")  # type: ignore[list-item]
            busy.commit()
        waiting.commit()
        alone.commit()
    assert alone.rows() == waiting.rows()


def test_stores_share_what_is_not_on_disk_yet(tmp_path: Path) -> None:
    """Twelve partitions that are taken back at once have their unwritten rows within one limit."""
    memory = RowsMemory(writes_mib=12)
    stores = [LocalRows(tmp_path / str(number), memory=memory) for number in range(12)]
    most = 0
    for block in range(50):
        for store in stores:
            rows = [(b'["acme:C-%d","item","%d"]' % (block, each), b"x" * 500) for each in range(100)]
            store.write(rows, wakes=[], mark=None)
        held = (store._db.property_int_value("rocksdb.cur-size-all-mem-tables") for store in stores)
        most = max(most, sum(held))
    for store in stores:
        store.close()
    assert 4 < most / 1024 / 1024 < 13


class _Told:
    """A database that counts how often it was told its share."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def set_options(self, options: dict[str, str]) -> None:
        """Note the share."""
        self.sizes.append(int(options["write_buffer_size"]))


def test_hundreds_of_stores_are_told_their_shares_a_few_times() -> None:
    """Each word to a store writes a file: told at each one that came, a worker of 219 partitions stood still for a minute."""
    memory = RowsMemory(writes_mib=64)
    databases = [_Told() for _ in range(219)]
    for each in databases:
        memory.join(each)
    told = sum(len(each.sizes) for each in databases)
    assert told <= 2 * len(databases)
    assert {512 * 1024} == {each.sizes[-1] for each in databases if each.sizes}
    assert 512 * 1024 == memory.buffer_size()
    for each in databases[1:]:
        memory.leave(each)
    assert 32 * 1024 * 1024 == databases[0].sizes[-1]


@pytest.mark.parametrize(
    ("member", "limits", "said"),
    [
        (None, StreamSettings(), ["no --member"]),
        ("a", StreamSettings(local_rows=False), ["COBRANZA_STREAM_LOCAL_ROWS is false"]),
        ("a", StreamSettings(), []),
    ],
)
def test_a_worker_says_that_its_rows_are_in_memory(
    member: str | None, limits: StreamSettings, said: list[str], tmp_path: Path
) -> None:
    """Nobody learns it from the system that ends the process for its memory; intake has no rows."""
    settings = Settings(bootstrap_servers="127.0.0.1:1", data_dir=tmp_path)
    with structlog.testing.capture_logs() as lines:
        stage_spec(settings, stage="ledger", limits=limits, member=member)
        stage_spec(settings, stage="intake", limits=limits, member=member)
    assert said == [line["why"] for line in lines if line["event"] == "rows_in_memory"]


def test_a_partition_that_was_given_back_holds_nothing(ledgers: list[Ledger]) -> None:
    """Its accounts are gone when it is closed, not when somebody collects garbage."""
    before = live_rows()
    for number in range(50):
        ledgers[0].step([bought(f"C-{number}", number=number)], cursor="")
        ledgers[0].commit(mark=b"m")
    gc.disable()
    try:
        ledgers.pop(0).close()
        held = sum(1 + each.size() for each in gc.get_objects() if isinstance(each, Account))
    finally:
        gc.enable()
    assert before == held
