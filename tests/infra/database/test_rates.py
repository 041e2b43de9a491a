"""Buckets that workers share: no number of them is faster than the provider may be written to."""

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from infra.database.engine import writing
from infra.database.rates import Bucket
from infra.database.send_tables import rate_buckets

AT = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
_TAKER = """
import datetime, sys, time
from infra.database.engine import open_engine
from infra.database.rates import Bucket

engine, bucket = open_engine(sys.argv[1]), Bucket(name="p", per_s=50.0, burst=5)
started, taken = time.time(), 0
while taken < 60:
    found = bucket.take(engine, wanted=3, now=datetime.datetime.now(datetime.UTC))
    taken += found.granted
print(taken, started, time.time())
"""


def _later(seconds: float) -> datetime.datetime:
    return AT + datetime.timedelta(seconds=seconds)


def test_a_bucket_gives_its_burst_and_then_its_rate(engine: Engine) -> None:
    """Five at once, then one each tenth of a second; the next instant is said."""
    bucket = Bucket(name="twilio", per_s=10.0, burst=5)
    first = bucket.take(engine, wanted=8, now=AT)
    assert (5, _later(0.1)) == (first.granted, first.next_at)
    assert 0 == bucket.take(engine, wanted=1, now=_later(0.099)).granted
    assert 1 == bucket.take(engine, wanted=3, now=_later(0.1)).granted
    assert 2 == bucket.take(engine, wanted=3, now=_later(0.3)).granted
    assert 5 == bucket.take(engine, wanted=50, now=_later(60)).granted


def test_providers_have_buckets_of_their_own(engine: Engine) -> None:
    """An SMS takes nothing from mail."""
    assert 1 == Bucket(name="twilio", per_s=1.0, burst=1).take(engine, wanted=1, now=AT).granted
    assert 1 == Bucket(name="ses", per_s=1.0, burst=1).take(engine, wanted=1, now=AT).granted


def test_a_clock_that_is_behind_gets_nothing_more(engine: Engine) -> None:
    """Of two machines the one that is late waits longer."""
    bucket = Bucket(name="ses", per_s=10.0, burst=2)
    assert 2 == bucket.take(engine, wanted=2, now=AT).granted
    assert 0 == bucket.take(engine, wanted=2, now=_later(-30)).granted


def test_a_slower_rate_holds_at_once(engine: Engine) -> None:
    """Settings that changed, on a bucket that the old ones have used."""
    assert 100 == Bucket(name="ses", per_s=100.0, burst=100).take(engine, wanted=100, now=AT).granted
    assert 0 == Bucket(name="ses", per_s=1.0, burst=1).take(engine, wanted=5, now=_later(0.5)).granted


@pytest.mark.parametrize("every_s", [0.01, 0.03])
def test_no_token_is_left_and_none_is_made(engine: Engine, every_s: float) -> None:
    """Two that ask in turn get whole tokens, and all that the rate gives, whatever part of one comes between."""
    both = [Bucket(name="p", per_s=50.0, burst=5) for _ in range(2)]
    asked = [both[at % 2].take(engine, wanted=3, now=_later(at * every_s)).granted for at in range(101)]
    assert {int} == set(map(type, asked))
    assert 5 + 50 * 100 * every_s == sum(asked)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asks=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 20)), min_size=1, max_size=12),
    per_s=st.floats(0.2, 50),
    burst=st.integers(1, 10),
)
def test_no_window_has_more(
    sqlite_engine: Engine, asks: list[tuple[float, int]], per_s: float, burst: int
) -> None:
    """In any t seconds: burst + rate × t at most, whoever asks, whenever."""
    bucket, seconds, given_ = Bucket(name="p", per_s=per_s, burst=burst), 0.0, []
    with writing(sqlite_engine) as connection:
        connection.execute(delete(rate_buckets))
    for wait, wanted in asks:
        seconds += wait
        found = bucket.take(sqlite_engine, wanted=wanted, now=_later(seconds))
        assert 0 <= found.granted <= wanted
        given_.append((seconds, found.granted))
    for start in range(len(given_)):
        for end in range(start, len(given_)):
            taken = sum(count for _, count in given_[start : end + 1])
            assert taken <= burst + per_s * 1.001 * (given_[end][0] - given_[start][0]) + 1e-3


def test_two_processes_do_not_pass_the_rate(database: str) -> None:
    """Two that ask as fast as they can get together what one may have, however long the machine takes."""
    root = Path(__file__).resolve().parents[3]
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _TAKER, database], cwd=root, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [[float(word) for word in each.communicate()[0].split()] for each in both]
    taken = sum(count for count, _, _ in told)
    lasted_s = max(end for _, _, end in told) - min(start for _, start, _ in told)
    assert 120 <= taken <= 5 + 50.0 * lasted_s
