"""The two stages wired: which topics each reads and writes, as a Faust app.

    billing.* collections.command.v1 notify.outcome.v1 ─► intake ─► ledger.journal
                                                           └─► <topic>.dlq
    ledger.journal ─► ledger ─► ledger.account ledger.chain ledger.movement collections.*
                        └─► ledger.journal.dlq

Nothing happens at import, and nothing is connected before the app starts.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import structlog

from infra.local_rows import LocalRows, RowsMemory
from infra.metrics.tally import Tally
from infra.settings import Settings
from processors.account_cache import RowsBudget
from processors.partition import Partition
from schemas.registry import dead_letter_of, topic
from schemas.row_version import ROW_VERSION
from streams.engine.stage import StageSpec
from streams.engine.worker import EngineApp, build_engine_app
from streams.intake import BadLimits, RefusedReason, open_intake
from streams.ledger import FOLD_VERSION, POISON, fact_topics, open_ledger
from streams.names import CHAIN, CHANGELOG, JOURNAL, SOURCES, StageName
from streams.settings import StreamSettings
from streams.tracing import traced

__all__ = ["build_app", "possible_letters", "stage_spec"]

_log = structlog.get_logger(__name__)


def build_app(
    settings: Settings,
    *,
    stage: StageName,
    limits: StreamSettings | None = None,
    member: str | None = None,
    letters: Tally | None = None,
    wiped: Tally | None = None,
) -> EngineApp:
    """Make the Faust app of a stage.

    Args:
        settings: the installation: broker and names.
        stage: which stage it runs.
        limits: limits and timeouts; read from the environment when not given.
        member: see ``build_engine_app``.
        letters: counts the dead letters.
        wiped: counts local stores that were damaged, and wiped.

    Raises:
        SeamChanged: the installed libraries are not those that the engine was written on.
        BrokerError: no broker is set and the local one does not run.
    """
    limits = limits or StreamSettings()
    return build_engine_app(
        group=settings.group(stage),
        spec=stage_spec(settings, stage=stage, limits=limits, member=member, letters=letters, wiped=wiped),
        bootstrap_servers=settings.brokers(),
        options=limits.engine_options(),
        member=member,
    )


def possible_letters(settings: Settings, *, stage: StageName) -> list[tuple[str, str, str]]:
    """List stage, physical topic and reason of the dead letters that a stage can write."""
    names, reasons = (SOURCES, get_args(RefusedReason)) if stage == "intake" else ((JOURNAL,), (POISON,))
    return [(stage, settings.topic(name), reason) for name in names for reason in reasons]


def stage_spec(
    settings: Settings,
    *,
    stage: StageName,
    limits: StreamSettings,
    member: str | None = None,
    letters: Tally | None = None,
    wiped: Tally | None = None,
) -> StageSpec:
    """Give a stage its topics' physical names; see ``build_app``."""
    if stage == "intake":
        spec = _intake_spec(settings, limits=limits, tally=letters)
    else:
        spec = _ledger_spec(settings, limits=limits, member=member, tally=letters, wiped=wiped)
    return replace(spec, open=traced(spec.open, journal=settings.topic(JOURNAL)))


def _intake_spec(settings: Settings, *, limits: StreamSettings, tally: Tally | None) -> StageSpec:
    logical = {settings.topic(name): name for name in SOURCES}
    letters = {physical: settings.topic(dead_letter_of(name)) for physical, name in logical.items()}
    bad = BadLimits(limits.bad_in_a_row_max, limits.bad_ratio_max, limits.bad_window)
    return StageSpec(
        name="intake",
        sources=tuple(logical),
        targets=_limits(settings, JOURNAL, *(dead_letter_of(name) for name in SOURCES)),
        open=open_intake(
            logical=logical,
            journal=settings.topic(JOURNAL),
            dead_letters=letters,
            limits=bad,
            tally=tally,
        ),
    )


def _ledger_spec(
    settings: Settings,
    *,
    limits: StreamSettings,
    member: str | None,
    tally: Tally | None,
    wiped: Tally | None,
) -> StageSpec:
    letters = dead_letter_of(JOURNAL)
    return StageSpec(
        name="ledger",
        sources=(settings.topic(JOURNAL),),
        targets=_limits(settings, CHANGELOG, CHAIN, JOURNAL, letters, *fact_topics()),
        open=open_ledger(
            journal=settings.topic(JOURNAL),
            topics={name: settings.topic(name) for name in fact_topics()},
            dead_letters=settings.topic(letters),
            partition=_partitions(settings, limits=limits, member=member, wiped=wiped),
            tally=tally,
        ),
        changelog=settings.topic(CHANGELOG),
        chain=settings.topic(CHAIN),
        fold_version=FOLD_VERSION,
        row_version=ROW_VERSION,
    )


def _partitions(
    settings: Settings, *, limits: StreamSettings, member: str | None, wiped: Tally | None
) -> Callable[[int], Partition]:
    """Give the function that makes a partition's fold: its rows on disk if this worker has a name.

    The partitions of a worker share what they may hold in memory.
    """
    folder = settings.data_dir / "rows" / settings.group("ledger") / str(member)
    budget = RowsBudget(rows_max=limits.cached_rows_max)
    memory = RowsMemory(blocks_mib=limits.cached_blocks_mib, writes_mib=limits.unwritten_mib, wiped=wiped)

    on_disk = limits.local_rows and member is not None
    if not on_disk:
        why = "no --member" if member is None else "COBRANZA_STREAM_LOCAL_ROWS is false"
        _log.warning(
            "rows_in_memory", why=why, means="memory grows with the accounts, a start reads all rows"
        )

    def make(number: int) -> Partition:
        return Partition(
            number=number,
            slice_accounts_max=limits.slice_accounts_max,
            store=LocalRows(folder / str(number), memory=memory) if on_disk else None,
            budget=budget,
        )

    return make


def _limits(settings: Settings, *names: str) -> dict[str, int]:
    return {settings.topic(name): topic(name).max_message_bytes for name in names}
