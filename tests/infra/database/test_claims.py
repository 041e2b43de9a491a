"""Of two who change the same thing from the same state, one may; on both databases, by one statement (issue 7, safety)."""

import datetime
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace
from sqlalchemy import Engine

from infra.database.claims import CLAIM_HOLDS, Claim, claim, claim_of

NOW = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)
ANA = Claim(name="profile/acme", revision="7", user="ana", entry="console/1", at=NOW)


def test_the_second_is_refused_until_the_first_one_stands_or_came_to_nothing(engine: Engine) -> None:
    """From another state it is another change; who was first may try again; nobody is kept out for ever."""
    ben = replace(ANA, user="ben", entry="console/2")
    assert claim(engine, ANA)
    assert not claim(engine, ben)
    assert claim(engine, replace(ANA, entry="console/3"))
    held = claim_of(engine, "profile/acme")
    assert held is not None
    assert ("ana", "console/3") == (held.user, held.entry)
    assert claim(engine, replace(ben, revision="8"))
    assert claim(engine, replace(ANA, revision="8", at=NOW + CLAIM_HOLDS * 2))
    assert claim(engine, replace(ben, name="profile/beta"))
    assert claim_of(engine, "profile/gamma") is None


def test_of_many_at_the_same_moment_one_goes_first(engine: Engine) -> None:
    """Compare-and-set in SQL: not a look and then a step."""
    everybody = [replace(ANA, user=f"user-{number}", entry=f"console/{number}") for number in range(12)]
    with ThreadPoolExecutor(max_workers=6) as threads:
        assert 1 == sum(threads.map(lambda each: claim(engine, each), everybody))
