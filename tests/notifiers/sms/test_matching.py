"""Whose a message is, by all orders in which doubts may be asked about: never two deliveries' (property), never a guess."""

import datetime
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.database.queries.tracing import Flight
from notifiers.channel import TemporaryError
from notifiers.sms.matching import Listed, whose

NOON = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
_hours = st.integers(0, 6)


def _flight(name: str, *, since: int, until: int | None) -> Flight:
    return Flight(
        reminder=name,
        mark="m",
        since=NOON + datetime.timedelta(hours=since),
        until=None if until is None else NOON + datetime.timedelta(hours=until),
        is_over=True,
    )


def _listed(*hours: int) -> list[Listed]:
    return [
        Listed(sid=f"SM{number}", made_at=NOON + datetime.timedelta(hours=hour))
        for number, hour in enumerate(hours)
    ]


@st.composite
def _flights(draw: st.DrawFn) -> list[Flight]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        since = draw(_hours)
        until = draw(st.none() | st.integers(since, 7))
        found.append(_flight(f"r{number}", since=since, until=until))
    return found


@settings(max_examples=300, deadline=None)
@given(flights=_flights(), hours=st.lists(_hours, max_size=4), order=st.permutations(range(4)))
def test_no_message_is_given_twice_whatever_is_asked_first(
    flights: list[Flight], hours: list[int], order: Sequence[int]
) -> None:
    """Each is asked about alone, what is settled leaves; at the end no two have the same, and what was said at first still stands."""
    at_first = {each.reminder: _said(each.reminder, flights, _listed(*hours)) for each in flights}
    taken = [each for each in at_first.values() if isinstance(each, Listed)]
    assert len(taken) == len(set(taken))
    left, open_ = list(flights), _listed(*hours)
    for number in order:
        mine = [each for each in left if each.reminder == f"r{number}"]
        said = _said(f"r{number}", left, open_) if mine else "nobody can say"
        if isinstance(said, Listed):
            assert at_first[f"r{number}"] == said
            open_.remove(said)
            left.remove(mine[0])


def _said(name: str, flights: Sequence[Flight], listed: Sequence[Listed]) -> Listed | str | None:
    try:
        return whose(name, flights=flights, listed=listed)
    except TemporaryError:
        return "nobody can say"


def test_a_message_that_only_one_can_have_brought_is_its() -> None:
    """And the other one was not taken."""
    flights = [_flight("r1", since=0, until=1), _flight("r2", since=3, until=4)]
    [only] = _listed(3)
    assert (None, only) == (_said("r1", flights, [only]), _said("r2", flights, [only]))


def test_more_messages_than_deliveries_are_somebody_elses_as_well() -> None:
    """A person wrote the same by hand: nobody can say which is ours."""
    assert "nobody can say" == _said("r1", [_flight("r1", since=0, until=1)], _listed(0, 1))


def test_who_is_under_way_is_waited_for() -> None:
    """It may still come with its own answer."""
    going = Flight(reminder="r2", mark="m", since=NOON, until=None, is_over=False)
    with pytest.raises(TemporaryError, match="just now: r2"):
        whose("r1", flights=[_flight("r1", since=0, until=None), going], listed=_listed(0, 0))
    assert whose("r1", flights=[_flight("r1", since=0, until=None), going], listed=[]) is None
