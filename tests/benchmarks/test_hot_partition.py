"""The simulation of a hot partition: the same seed gives the same table, and its lessons hold."""

from benchmarks.hot_partition import Outcome, Setting, draw, simulate

SPEED = 2_000.0
RATE = 0.85 * 10 * SPEED
DRAWN = draw(events=int(RATE * 10), accounts=5_000, exponent=0.8, hot_share=0.05, seed=7)
AS_IT_IS = Setting(name="as it is", run_max=800)


def _outcome(**changes: object) -> Outcome:
    setting = Setting(**{"name": "x", "run_max": 800, **changes})  # type: ignore[arg-type]
    return simulate(setting, drawn=DRAWN, events_per_s=RATE, worker_events_per_s=SPEED)


def test_same_seed_same_outcome() -> None:
    """Nothing but the arguments decides."""
    assert DRAWN == draw(events=len(DRAWN), accounts=5_000, exponent=0.8, hot_share=0.05, seed=7)
    assert _outcome() == _outcome()


def test_the_hot_account_has_its_share() -> None:
    """A twentieth, within what chance does."""
    assert abs(DRAWN.count(0) / len(DRAWN) - 0.05) < 0.005


def test_more_partitions_on_the_same_workers_do_not_help() -> None:
    """The hot account stays in one of them, which then waits for more neighbours."""
    assert _outcome(partitions=160).hot_p99_s > _outcome().hot_p99_s


def test_more_workers_and_a_worker_of_its_own_help() -> None:
    """Fewer neighbours, or none."""
    now = _outcome()
    assert _outcome(workers=20).hot_p99_s < now.hot_p99_s
    alone = _outcome(own_worker=True)
    assert alone.hot_p99_s < now.hot_p99_s
    assert 0 == alone.neighbours_p99_s


def test_short_runs_and_rows_per_event_make_it_worse() -> None:
    """A run's fixed cost and rows are shared by all its events: the longer it is, the less each costs."""
    now = _outcome()
    assert _outcome(run_max=20).hot_p99_s > now.hot_p99_s
    assert _outcome(coalesced=False).hot_p99_s > now.hot_p99_s
