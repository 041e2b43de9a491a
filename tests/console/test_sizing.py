"""The capacity model: more asked never needs less, units add up, and the promise on takeover is kept."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.cli.main import main
from console.sizing.measured import ConstantsError, read_constants
from console.sizing.model import Demand, Prices, estimate
from processors.account_cache import CACHED_ROW_BYTES
from streams.settings import StreamSettings

CONSTANTS, SOURCES = read_constants()
# What grows with a demand, whatever it is.
GROWING = (
    "rows",
    "ledger workers",
    "intake workers",
    "projectors",
    "partitions",
    "written",
    "disk of brokers",
    "disk of workers",
    "brokers",
    "memory of workers",
    "cores of workers",
)

demands = st.builds(
    Demand,
    accounts=st.floats(1, 1e10),
    items_per_account=st.floats(0, 1e4),
    events_per_s=st.floats(0.01, 1e7),
    average_share=st.floats(0.01, 1),
    reminders_per_account_year=st.floats(0, 365),
    retention_days=st.floats(1, 4000),
    replication=st.integers(1, 5),
    standbys=st.integers(0, 2),
    takeover_s=st.floats(1, 600),
)


def _values(demand: Demand) -> dict[str, float]:
    return {name: line.value for name, line in estimate(demand, constants=CONSTANTS).lines.items()}


@given(
    demands,
    st.sampled_from(["accounts", "items_per_account", "events_per_s", "retention_days"]),
    st.floats(1, 100),
)
def test_more_of_anything_never_needs_less(demand: Demand, name: str, factor: float) -> None:
    """Monotonic in each demand."""
    more = msgspec.structs.replace(demand, **{name: getattr(demand, name) * factor})
    before, after = _values(demand), _values(more)
    assert [] == [each for each in GROWING if after[each] < before[each] * (1 - 1e-9)]


@given(demands)
def test_takeover_is_within_what_was_asked_for(demand: Demand) -> None:
    """Without standbys a lost worker's rows are read back in time; each survivor takes its part."""
    said = _values(demand)
    if not demand.standbys:
        assert said["from the changelog"] <= (CONSTANTS.detection_s + demand.takeover_s) * (1 + 1e-9)
        assert 2 <= said["ledger workers"]
    assert said["partitions"] >= 2 * said["ledger workers"]


@given(demands)
def test_every_figure_is_one(demand: Demand) -> None:
    """Finite, not negative; what comes whole is whole."""
    for line in estimate(demand, constants=CONSTANTS).lines.values():
        assert math.isfinite(line.value)
        assert 0 <= line.value
        if line.name in ("partitions", "brokers", "ledger workers", "installations"):
            assert int(line.value) == line.value


def test_memory_of_a_worker_is_what_the_code_limits_it_to() -> None:
    """One budget a worker, in the code as in the model: interpreter, live accounts, blocks, unwritten rows."""
    limits = StreamSettings()
    cached_mib = limits.cached_rows_max * CACHED_ROW_BYTES / 1024**2
    limited_mib = 200 + cached_mib + limits.cached_blocks_mib + limits.unwritten_mib
    assert math.isclose(limited_mib, CONSTANTS.worker_memory_mib, rel_tol=0.02)


@given(demands)
def test_memory_counts_workers_once_and_partitions_each(demand: Demand) -> None:
    """A worker with four partitions has one cache; what each partition fetches is its own, as is each copy."""
    larger = msgspec.structs.replace(CONSTANTS, partition_memory_mib=CONSTANTS.partition_memory_mib + 1024)
    lines = [estimate(demand, constants=each).lines for each in (CONSTANTS, larger)]
    before, after = (each["memory of workers"].value for each in lines)
    copies = lines[0]["partitions"].value * (1 + demand.standbys)
    assert math.isclose(after - before, copies, rel_tol=1e-6)


@given(demands)
def test_units_add_up(demand: Demand) -> None:
    """The parts of the disk are its sum; copies and days count as often as they are; cost is linear."""
    said = _values(demand)
    parts = [value for name, value in said.items() if name.startswith("disk: ")]
    assert math.isclose(said["disk of brokers"], sum(parts), rel_tol=1e-9)
    twice = _values(msgspec.structs.replace(demand, retention_days=2 * demand.retention_days))
    assert math.isclose(twice["disk: journal"], 2 * said["disk: journal"], rel_tol=1e-9)
    copied = _values(msgspec.structs.replace(demand, replication=2 * demand.replication))
    assert math.isclose(copied["disk of brokers"], 2 * said["disk of brokers"], rel_tol=1e-9)
    prices = Prices(core=10, memory_gib=2, disk_gib=0.5)
    doubled = Prices(core=20, memory_gib=4, disk_gib=1)
    once = estimate(demand, constants=CONSTANTS, prices=prices).value("a month")
    assert math.isclose(
        2 * once, estimate(demand, constants=CONSTANTS, prices=doubled).value("a month"), rel_tol=1e-9
    )


def test_what_binds_is_said() -> None:
    """Few accounts and many events: load; many accounts and few events: reading them back."""

    def binding(accounts: float, events_per_s: float) -> str:
        demand = Demand(accounts=accounts, items_per_account=3, events_per_s=events_per_s)
        return estimate(demand, constants=CONSTANTS).lines["ledger workers"].binds

    assert ("load", "takeover") == (binding(1e4, 1e5), binding(1e9, 1e2))


def test_a_billion_accounts_fit_no_single_installation() -> None:
    """And it is said what to do about it."""
    demand = Demand(accounts=1e9, items_per_account=3, events_per_s=1e5)
    warnings = estimate(demand, constants=CONSTANTS).warnings
    assert any("partitions are more than one installation has" in each for each in warnings)
    assert any("read models, by company" in each for each in warnings)
    assert any(each.startswith("cost a month = ") for each in warnings)


@pytest.mark.parametrize(
    ("name", "value"), [("accounts", 0), ("average_share", 1.5), ("takeover_s", -1), ("replication", 0)]
)
def test_a_demand_that_cannot_be_is_refused(name: str, value: float) -> None:
    """With the field's name."""
    given_: dict[str, Any] = {"accounts": 1, "items_per_account": 1, "events_per_s": 1, name: value}
    with pytest.raises(ValueError, match=name):
        Demand(**given_)


def test_every_constant_says_where_it_comes_from() -> None:
    """Measured by a command that exists, or assumed: never neither, never both."""
    root = Path(__file__).parents[2]
    for name, constant in SOURCES.items():
        assert bool(constant.measured) != bool(constant.assumed), name
        assert constant.unit, name
        if constant.measured.startswith("python -m "):
            module = constant.measured.split()[2].replace(".", "/")
            assert (root / f"{module}.py").exists(), name


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["capacity", *arguments])
    return result.exit_code, result.output


def test_command_shows_figures_formulas_and_sources() -> None:
    """For a person and as JSON."""
    exit_code, output = _run("--accounts", "1e6", "--events-per-second", "2000", "--items-per-account", "4")
    assert 0 == exit_code
    assert "= accounts × (rows_per_account + rows_per_item × items_per_account)" in output
    assert "(python -m benchmarks.sizes)" in output
    assert "a month  " not in output
    prices = ("--price-core", "10", "--price-memory-gib", "2", "--price-disk-gib", "0.1")
    exit_code, output = _run("--json", *prices)
    found = json.loads(output)
    assert (0, "a month") == (exit_code, found["lines"][-1]["name"])
    assert {"demand", "lines", "warnings", "constants"} == found.keys()


def test_prices_are_given_together_or_not_at_all() -> None:
    """A sum of some of them would be wrong."""
    exit_code, output = _run("--price-core", "10")
    assert (2, True) == (exit_code, "Give all three prices, or none" in output)


def test_own_constants_stand_over_the_shipped_ones(tmp_path: Path) -> None:
    """Only what differs is named; what the model does not know is refused."""
    own = tmp_path / "own.toml"
    own.write_text("[ledger_events_per_s]\nvalue = 100_000\nmeasured = 'my own'\n")
    constants, sources = read_constants(own)
    assert 100_000 == constants.ledger_events_per_s
    assert ("my own", CONSTANTS.row_bytes) == (sources["ledger_events_per_s"].measured, constants.row_bytes)
    own.write_text("[speed]\nvalue = 1\n")
    with pytest.raises(ConstantsError, match="speed"):
        read_constants(own)
