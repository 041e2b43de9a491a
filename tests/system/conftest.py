"""Fixtures of tests in a browser: one Chromium, and an installation with a console on each database, for all of them."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.database_fixture import create_database
from tests.system.console_house import House, opened_house


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium; fail when it is not there."""
    found = shutil.which("chromium")
    if found is None:
        pytest.fail("chromium is not there: make test-system provides it")
    with sync_playwright() as driver:
        # Its own sandbox needs rights that containers do not give; it sees our pages only.
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
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
