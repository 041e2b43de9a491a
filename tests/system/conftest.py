"""Fixtures of tests in a browser: one Chromium; an installation with a console on each database, and a desk in each language.

All journeys share them: what each costs is its own pages, and nothing else. On SQLite each is gone in every language; on
PostgreSQL in one, and the languages take turns: what is sorted, searched and compared there is sorted in all of them.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.database_fixture import create_database
from tests.system.console_house import PATIENCE_MS, House, opened_house
from tests.system.desks import Desk
from tests.system.house_story import LANGUAGES

_MANY: tuple[str, ...] = ("house", "browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run first what looks at a run of its own: beside two houses and a browser it would look at a busy machine."""
    left_out = _not_in_turn(items)
    items[:] = [each for each in items if each not in left_out]
    config.hook.pytest_deselected(items=left_out)
    items.sort(key=lambda each: any(name in getattr(each, "fixturenames", ()) for name in _MANY))


def _not_in_turn(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Choose for each journey on PostgreSQL the next language; give what is left out."""
    journeys: dict[str, list[pytest.Item]] = {}
    for each in items:
        if not isinstance(each, pytest.Function) or not hasattr(each, "callspec"):
            continue
        chosen = each.callspec.params
        if chosen.get("house") == "postgresql" and "desk" in chosen:
            journeys.setdefault(f"{each.path} {each.originalname}", []).append(each)
    return [
        each
        for turn, languages in enumerate(journeys.values())
        for number, each in enumerate(languages)
        if number != turn % len(languages)
    ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium; fail when it is not there."""
    found = shutil.which("chromium")
    if found is None:
        pytest.fail("chromium is not there: make test-system provides it")
    with sync_playwright() as driver:
        # Its own sandbox needs rights that containers do not give; it sees our pages only.
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        expect.set_options(timeout=PATIENCE_MS)
        yield started
        started.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, broker: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Run an installation on each database."""
    url = (
        None if request.param == "sqlite" else create_database(request.getfixturevalue("postgresql"), "house")
    )
    folder = tmp_path_factory.mktemp(f"house-{request.param}")
    with opened_house(broker, prefix=f"house.{request.param}.", data_dir=folder, database_url=url) as opened:
        yield opened


@pytest.fixture(scope="session")
def seats(
    house: House, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Desk]]:
    """Give the desk of each language: a browser that stays open from the first journey to the last one."""
    taken: dict[str, Desk] = {}

    def seat(language: str) -> Desk:
        if language not in taken:
            folder = tmp_path_factory.mktemp(f"seen-{language}")
            taken[language] = Desk(house, browser, language, folder=folder)
        return taken[language]

    yield seat
    for each in taken.values():
        each.context.close()


@pytest.fixture(params=LANGUAGES)
def desk(request: pytest.FixtureRequest, house: House, seats: Callable[[str], Desk]) -> Iterator[Desk]:
    """Sit down for a journey in each language; what the browser complains of, or its policy has stopped, fails it."""
    language: str = request.param
    taken = seats(language)
    taken.complaints.clear()
    yield taken
    # That a form came back with what is wrong in it is told like an error.
    assert [] == [each for each in taken.complaints if "422" not in each]
    assert house.planted == house.reports()
