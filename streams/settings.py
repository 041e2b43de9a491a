"""What a worker's owner can set, by ``COBRANZA_STREAM_*`` variables: limits of the streams."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from processors.account_cache import CACHE_ROWS_MAX
from processors.partition import SLICE_ACCOUNTS_MAX
from streams.engine.options import EngineOptions

__all__ = ["StreamSettings"]


class StreamSettings(BaseSettings):
    """Limits of the workers and of the clock; the defaults suit a machine that runs all.

    Attributes:
        session_timeout_s: a worker that is silent so long loses its partitions; an open
            transaction is aborted after the same time.
        records_per_run_max: of one partition in one transaction.
        slice_accounts_max: accounts of one tick in one transaction (DESIGN 3.1).
        bad_in_a_row_max: so many dead letters in a row pause their source partition.
        bad_ratio_max: a larger share of dead letters among ``bad_window`` records does, too.
        local_rows: keep the ledger's rows on disk too, so that a restart reads only what is new;
            for workers with a member name, by which the folder is found again.
        cached_rows_max: of live accounts in memory, in all partitions of the worker together, about
            3 KB each: 170,000 are about 520 MB.
        cached_blocks_mib: of rows read from disk, in MiB, in all partitions together.
        unwritten_mib: of rows not yet on disk, in MiB, in all partitions together.
        standby: keep copies of the ledger partitions that other workers own; see ``EngineOptions``.
        tick_every_s: how often the live clock ticks.
        tick_patience_s: how long a tick waits for intake before it names who lags.
    """

    model_config = SettingsConfigDict(env_prefix="COBRANZA_STREAM_", frozen=True, extra="forbid")

    session_timeout_s: float = Field(default=10.0, ge=6.0, le=300.0)
    records_per_run_max: int = Field(default=8000, ge=1, le=100_000)
    slice_accounts_max: int = Field(default=SLICE_ACCOUNTS_MAX, ge=1)
    bad_in_a_row_max: int = Field(default=1000, ge=1)
    bad_ratio_max: float = Field(default=0.5, gt=0.0, le=1.0)
    bad_window: int = Field(default=10_000, ge=1)
    local_rows: bool = True
    cached_rows_max: int = Field(default=CACHE_ROWS_MAX, ge=1)
    cached_blocks_mib: int = Field(default=64, ge=1)
    unwritten_mib: int = Field(default=64, ge=1)
    standby: bool = False
    tick_every_s: float = Field(default=15.0, gt=0.0, le=3600.0)
    tick_patience_s: float = Field(default=60.0, ge=0.0, le=3600.0)

    def engine_options(self) -> EngineOptions:
        """Give the engine its limits; what hangs on the session follows it."""
        return EngineOptions(
            session_timeout_s=self.session_timeout_s,
            heartbeat_s=self.session_timeout_s / 5,
            transaction_timeout_s=self.session_timeout_s,
            request_timeout_s=self.session_timeout_s * 1.2,
            records_per_run_max=self.records_per_run_max,
            standby=self.standby,
        )
