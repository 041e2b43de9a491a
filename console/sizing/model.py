"""The capacity model: from a demand and measured constants to machines; pure arithmetic, each line with its formula.

    demand ─► load ─► workers ─► partitions ─► takeover
                 └──► brokers, disks, memory ─► cost, by the prices that you give

Nothing is rounded but what comes in pieces (workers, partitions, brokers), and that upwards.
"""

from collections.abc import Mapping
from math import ceil, sqrt
from typing import Literal

from msgspec import Struct

__all__ = ["Constants", "Demand", "Estimate", "Line", "Prices", "estimate"]

Section = Literal["load", "workers", "partitions", "takeover", "brokers", "disk", "memory", "cost"]

_DAY_S = 86_400
_YEAR_DAYS = 365
_MIB = 1024**2
_TIB = 1024**4
_RESTART_S = 30  # of a worker that comes back with its store


class Demand(Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        items_per_account: open ones, and settled ones that are still remembered.
        events_per_s: at the peak.
        average_share: of the peak, over the days of the retention.
        reminders_per_account_year: decided; each looks at the account once.
        decision_window_s: in which a day's reminders must be decided.
        retention_days: of journal, movements and decisions; what is kept is what can be replayed.
        source_days: of the source topics.
        replication: copies of every topic.
        standbys: warm copies of each partition's rows on other workers.
        takeover_s: in which the survivors must have read a lost worker's rows back, without standbys.
        utilisation: of a core or disk at the peak, at most.
    """

    accounts: float
    items_per_account: float
    events_per_s: float
    average_share: float = 0.25
    reminders_per_account_year: float = 6.0
    decision_window_s: float = 3600.0
    retention_days: float = 365.0
    source_days: float = 7.0
    replication: int = 3
    standbys: int = 0
    takeover_s: float = 60.0
    utilisation: float = 0.6

    def __post_init__(self) -> None:
        """Refuse what no installation can be.

        Raises:
            ValueError: names the field.
        """
        for name in self.__struct_fields__:
            value = getattr(self, name)
            smallest = 0.0 if name in _MAY_BE_ZERO else 1e-9
            if value < smallest:
                raise ValueError(f"{name} must be above zero, not {value}")
        for name in ("average_share", "utilisation"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} is a share, at most 1, not {getattr(self, name)}")


_MAY_BE_ZERO = ("items_per_account", "reminders_per_account_year", "standbys")


class Constants(Struct, frozen=True, kw_only=True):
    """What one of each thing does or weighs; units are in ``constants.toml``, with where they come from."""

    ledger_events_per_s: float
    intake_events_per_s: float
    projector_rows_per_s: float
    decisions_per_s: float
    takeover_rows_per_s: float
    journal_bytes: float
    source_bytes: float
    changelog_bytes: float
    rows_per_event: float
    movement_bytes: float
    movements_per_event: float
    reminder_bytes: float
    link_bytes: float
    rows_per_account: float
    rows_per_item: float
    row_bytes: float
    local_row_bytes: float
    stored_share: float
    worker_memory_mib: float
    partition_memory_mib: float
    small_worker_memory_mib: float
    detection_s: float
    commits_per_s: float
    compaction_factor: float
    broker_mib_per_s: float
    broker_disk_tib: float
    broker_replicas_max: float
    broker_memory_gib: float
    partitions_max: float
    topics_by_partition: float


class Prices(Struct, frozen=True, kw_only=True):
    """What you pay a month, in any one currency; nothing is assumed."""

    core: float
    memory_gib: float
    disk_gib: float


class Line(Struct, frozen=True, kw_only=True):
    """One figure: ``formula`` says how it comes about, ``binds`` why it is not smaller."""

    section: Section
    name: str
    value: float
    unit: str
    formula: str
    binds: str = ""


class Estimate(Struct, kw_only=True):
    """The lines by name, in the order in which they follow from each other, and what to beware of."""

    lines: dict[str, Line] = {}
    warnings: list[str] = []

    def add(
        self, section: Section, name: str, value: float, unit: str, formula: str, *, binds: str = ""
    ) -> float:
        """Append a line; gives its value."""
        self.lines[name] = Line(
            section=section, name=name, value=value, unit=unit, formula=formula, binds=binds
        )
        return value

    def add_whole(
        self, section: Section, name: str, value: float, unit: str, formula: str, *, binds: str = ""
    ) -> float:
        """Append what comes whole: at least one, rounded upwards."""
        return self.add(section, name, float(max(1, ceil(value))), unit, formula, binds=binds)

    def value(self, name: str) -> float:
        """Give the value of a line."""
        return self.lines[name].value


def estimate(demand: Demand, *, constants: Constants, prices: Prices | None = None) -> Estimate:
    """Compute what a demand needs."""
    said = Estimate()
    _load(said, demand, constants)
    _workers(said, demand, constants)
    _partitions(said, demand, constants)
    _takeover(said, demand, constants)
    _brokers(said, demand, constants)
    _memory(said, demand, constants)
    _cost(said, prices)
    return said


def _load(said: Estimate, d: Demand, c: Constants) -> None:
    rows_each = c.rows_per_account + c.rows_per_item * d.items_per_account
    said.add(
        "load",
        "rows",
        d.accounts * rows_each,
        "rows",
        "accounts × (rows_per_account + rows_per_item × items_per_account)",
    )
    average = d.events_per_s * d.average_share
    said.add("load", "average events", average, "events/s", "events_per_s × average_share")
    daily = d.accounts * d.reminders_per_account_year / _YEAR_DAYS
    formula = "accounts × reminders_per_account_year ÷ 365"
    said.add("load", "reminders a day", daily, "reminders", formula)
    rate = daily / d.decision_window_s
    said.add("load", "decision rate", rate, "reminders/s", "reminders a day ÷ decision_window_s")


def _workers(said: Estimate, d: Demand, c: Constants) -> None:
    use = d.events_per_s / c.ledger_events_per_s + said.value("decision rate") / c.decisions_per_s
    needs = {"load": use / d.utilisation}
    if not d.standbys:
        # A lost worker's rows are read back by the others: rows ÷ W ÷ (W − 1) ÷ speed ≤ takeover_s.
        reads = said.value("rows") / (c.takeover_rows_per_s * d.takeover_s)
        needs["takeover"] = 0.5 + sqrt(0.25 + reads)
    said.add_whole(
        "workers",
        "ledger workers",
        max(needs.values()),
        "workers, a core each",
        "max((events_per_s ÷ ledger_events_per_s + decision rate ÷ decisions_per_s) ÷ utilisation, "
        "the W of W × (W − 1) = rows ÷ (takeover_rows_per_s × takeover_s) without standbys)",
        binds=_largest(needs),
    )
    said.add_whole(
        "workers",
        "intake workers",
        d.events_per_s / c.intake_events_per_s / d.utilisation,
        "workers, a core each",
        "events_per_s ÷ intake_events_per_s ÷ utilisation",
    )
    rows = d.events_per_s * (c.rows_per_event + c.movements_per_event)
    formula = "events_per_s × (rows_per_event + movements_per_event)"
    said.add("workers", "rows into SQL", rows, "rows/s", formula)
    projectors = said.add_whole(
        "workers",
        "projectors",
        rows / c.projector_rows_per_s / d.utilisation,
        "processes, a core and a database each",
        "rows into SQL ÷ projector_rows_per_s ÷ utilisation",
    )
    if projectors > 1:
        said.warnings.append(
            f"one SQL database does not take {rows:,.0f} rows/s: {projectors:,.0f} read models, by company"
        )


def _partitions(said: Estimate, d: Demand, c: Constants) -> None:
    needs = {"workers": 2 * said.value("ledger workers")}
    if not d.standbys:
        needs["takeover"] = said.value("rows") / (c.takeover_rows_per_s * d.takeover_s)
    count = said.add_whole(
        "partitions",
        "partitions",
        max(needs.values()),
        "journal partitions",
        "max(2 × ledger workers, rows ÷ (takeover_rows_per_s × takeover_s) without standbys)",
        binds=_largest(needs),
    )
    each = said.value("rows") / count
    said.add("partitions", "rows per partition", each, "rows", "rows ÷ partitions")
    installations = said.add_whole(
        "partitions",
        "installations",
        count / c.partitions_max,
        "installations",
        "partitions ÷ partitions_max; companies are never mixed, so each has some of them",
    )
    if installations > 1:
        said.warnings.append(
            f"{count:,.0f} partitions are more than one installation has: {installations:,.0f} of them"
        )


def _takeover(said: Estimate, d: Demand, c: Constants) -> None:
    workers, partitions = said.value("ledger workers"), said.value("partitions")
    each = ceil(ceil(partitions / workers) / max(workers - 1, 1))
    rows = said.value("rows per partition")
    tail = d.events_per_s * c.rows_per_event / workers / c.takeover_rows_per_s
    said.add(
        "takeover",
        "from the changelog",
        c.detection_s + each * rows / c.takeover_rows_per_s,
        "s",
        "detection_s + partitions per survivor × rows per partition ÷ takeover_rows_per_s",
    )
    said.add(
        "takeover",
        "from the local tail",
        _RESTART_S * tail,
        "s",
        f"{_RESTART_S} s of events_per_s × rows_per_event ÷ ledger workers ÷ takeover_rows_per_s",
    )
    said.add(
        "takeover",
        "from a standby",
        c.detection_s + tail,
        "s",
        "detection_s + 1 s of the same; needs standbys of 1 or more",
    )
    anew = rows / c.takeover_rows_per_s
    formula = "rows per partition ÷ takeover_rows_per_s: after a lost disk, beside the work"
    said.add("takeover", "a copy made anew", anew, "s", formula)


def _brokers(said: Estimate, d: Demand, c: Constants) -> None:
    links = said.value("partitions") * c.commits_per_s * c.link_bytes
    written = _throughput(said, d, c, links=links)
    disk = _disk(said, d, c, links=links)
    needs = {
        "throughput": written / c.broker_mib_per_s / d.utilisation,
        "disk": disk / c.broker_disk_tib / d.utilisation,
        "partitions": said.value("partitions")
        * c.topics_by_partition
        * d.replication
        / c.broker_replicas_max,
        "replication": float(d.replication),
    }
    said.add_whole(
        "brokers",
        "brokers",
        max(needs.values()),
        "brokers",
        "max(written ÷ broker_mib_per_s ÷ utilisation, disk of brokers ÷ broker_disk_tib ÷ utilisation, "
        "partitions × topics_by_partition × replication ÷ broker_replicas_max, replication)",
        binds=_largest(needs),
    )


def _throughput(said: Estimate, d: Demand, c: Constants, *, links: float) -> float:
    once = c.source_bytes + c.journal_bytes + c.movement_bytes
    reminders = said.value("decision rate") * c.reminder_bytes
    peak = d.events_per_s * (once + c.changelog_bytes) + 2 * links + reminders
    formula = "(events_per_s × bytes per event on all topics + links + reminders) × replication"
    written = said.add("brokers", "written", peak * d.replication / _MIB, "MiB/s", formula)
    read = d.events_per_s * (once + c.changelog_bytes * (1 + d.standbys)) + reminders
    formula = "the same without links: by workers, projectors, notifiers; rows once more per standby"
    said.add("brokers", "read", read / _MIB, "MiB/s", formula)
    return written


def _disk(said: Estimate, d: Demand, c: Constants, *, links: float) -> float:
    events = said.value("average events") * _DAY_S  # a day
    parts = {
        "sources": (events * c.source_bytes * d.source_days, "average events × source_bytes × source_days"),
        "journal": (
            events * c.journal_bytes * d.retention_days,
            "average events × journal_bytes × retention_days",
        ),
        "movements": (
            events * c.movement_bytes * d.retention_days,
            "average events × movement_bytes × retention_days",
        ),
        "reminders": (
            said.value("reminders a day") * c.reminder_bytes * d.retention_days,
            "reminders a day × reminder_bytes × retention_days",
        ),
        "chain": (
            links * d.average_share * _DAY_S * d.retention_days,
            "partitions × commits_per_s × average_share × link_bytes × retention_days",
        ),
        "rows": (
            said.value("rows") * c.row_bytes * c.compaction_factor,
            "rows × row_bytes × compaction_factor",
        ),
    }
    for name, (octets, formula) in parts.items():
        stored = octets * c.stored_share * d.replication / _TIB
        said.add("disk", f"disk: {name}", stored, "TiB", f"{formula} × stored_share × replication")
    whole = sum(octets for octets, _ in parts.values()) * c.stored_share * d.replication / _TIB
    binds = _largest({name: octets for name, (octets, _) in parts.items()})
    said.add("disk", "disk of brokers", whole, "TiB", "the sum of these", binds=binds)
    local = said.value("rows") * c.local_row_bytes * (1 + d.standbys) / _TIB
    said.add("disk", "disk of workers", local, "TiB", "rows × local_row_bytes × (1 + standbys)")
    return whole


def _memory(said: Estimate, d: Demand, c: Constants) -> None:
    small = said.value("intake workers") + said.value("projectors")
    mib = (
        said.value("ledger workers") * c.worker_memory_mib
        + said.value("partitions") * (1 + d.standbys) * c.partition_memory_mib
        + small * c.small_worker_memory_mib
    )
    formula = (
        "ledger workers × worker_memory_mib + partitions × (1 + standbys) × partition_memory_mib"
        " + (intake workers + projectors) × small_worker_memory_mib"
    )
    said.add("memory", "memory of workers", mib / 1024, "GiB", formula)
    brokers = said.value("brokers") * c.broker_memory_gib
    said.add("memory", "memory of brokers", brokers, "GiB", "brokers × broker_memory_gib")


def _cost(said: Estimate, prices: Prices | None) -> None:
    cores = sum(said.value(each) for each in ("ledger workers", "intake workers", "projectors"))
    said.add("cost", "cores of workers", cores, "cores", "ledger workers + intake workers + projectors")
    memory = said.value("memory of workers") + said.value("memory of brokers")
    disk = (said.value("disk of brokers") + said.value("disk of workers")) * 1024
    formula = f"{cores:,.0f} × core + {memory:,.0f} × memory_gib + {disk:,.0f} × disk_gib"
    if prices is not None:
        month = cores * prices.core + memory * prices.memory_gib + disk * prices.disk_gib
        said.add("cost", "a month", month, "in your currency", formula)
    else:
        said.warnings.append(
            f"cost a month = {formula}; cores of brokers and databases are not in it; give prices for the sum"
        )


def _largest(needs: Mapping[str, float]) -> str:
    return max(needs, key=needs.__getitem__)
