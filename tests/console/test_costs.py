"""What sending has cost: by day, channel, company, level and provider, with the prices that were known before."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from console.cli.main import main
from console.costing import usual_prices
from infra.settings import Settings
from notifiers.limits import LimitSettings, worded
from schemas.fields import Channel
from tests.infra.database.filled import Filled
from tests.notifiers.sending import (
    RENDERER,
    TICK,
    ScriptedChannel,
    SettableClock,
    dispatcher,
    know,
    read,
    reminder,
)

PRICES = """
[[price]]
channel = "sms"
currency = "USD"
part = "0.04"

[[price]]
channel = "letter"
currency = "EUR"
delivery = "1.10"
"""
Rows = Callable[..., list[dict[str, Any]]]


def _send(engine: Engine, name: str, *, channel: Channel, at: datetime.datetime, settings: Settings) -> None:
    """Send a reminder over a channel at an instant."""
    render = worded(RENDERER.message, provider="x", settings=settings, limits=LimitSettings())
    clock = SettableClock(at)
    running = dispatcher(engine, channel=ScriptedChannel(), name=channel, clock=clock, render=render)
    know(engine, clock=at)
    running.record([read(reminder(name, channels=(channel,), tick=at))])
    assert 1 == running.run(partitions=[0])


@pytest.fixture
def settings(tmp_path: Path, database: str) -> Settings:
    """Give an installation with prices of its own."""
    (tmp_path / "prices.toml").write_text(PRICES)
    return Settings(data_dir=tmp_path, database_url=database)


@pytest.fixture
def rows(engine: Engine, settings: Settings) -> Rows:
    """Send an SMS, a letter and a mail, and an SMS late in the evening; give a function that asks what they cost."""
    filled = Filled(engine)
    filled.company("acme", "America/Santiago")
    filled.reminder("acme:C1", name="r1", tick=TICK, step="first", items="I1", channels=("sms",))
    _send(engine, "r1", channel="sms", at=TICK, settings=settings)
    _send(engine, "r1", channel="letter", at=TICK, settings=settings)
    _send(engine, "r1", channel="email", at=TICK, settings=settings)
    # Two in the morning in UTC is the evening before in Santiago.
    _send(engine, "r2", channel="sms", at=TICK + datetime.timedelta(hours=14), settings=settings)

    def cobranza(*arguments: str) -> list[dict[str, Any]]:
        given = ["--data-dir", str(settings.data_dir), "costs", "--format", "json", *arguments]
        result = CliRunner().invoke(main, given, env={"COBRANZA_DATABASE_URL": settings.database_url})
        assert 0 == result.exit_code, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    return cobranza


def test_by_channel_currencies_apart(rows: Rows) -> None:
    """Two SMS at 4 cents a segment, a letter, and a mail that nobody has a price for."""
    found = {row["channel"]: row for row in rows()}
    assert {"sms", "letter", "email"} == found.keys()
    segments = found["sms"]["parts"]
    assert (2, "USD", 0) == tuple(found["sms"][name] for name in ("deliveries", "currency", "unpriced"))
    assert f"{segments * 0.04:.2f}" == found["sms"]["cost"]
    assert ("1.10", "EUR") == (found["letter"]["cost"], found["letter"]["currency"])
    assert (1, "", 1) == tuple(found["email"][name] for name in ("deliveries", "currency", "unpriced"))


def test_by_day_of_the_company(rows: Rows) -> None:
    """All of it is one day in Santiago; the next day has nothing."""
    assert {"2012-03-04"} == {row["day"] for row in rows("--by", "day")}
    assert 4 == sum(
        row["deliveries"] for row in rows("--by", "day", "--from", "2012-03-04", "--to", "2012-03-04")
    )
    assert [] == rows("--by", "day", "--from", "2012-03-05")


def test_by_level_and_company(rows: Rows) -> None:
    """A delivery of a reminder that the read model has not seen has no level yet."""
    assert {"", "first"} == {row["level"] for row in rows("--by", "level")}
    assert 3 == sum(row["deliveries"] for row in rows("--level", "first"))
    assert ["acme"] == sorted({row["company"] for row in rows("--by", "company", "--channel", "sms")})
    assert [] == rows("--company", "beta")


def test_reminders_show_what_each_cost(rows: Rows, settings: Settings) -> None:
    """Beside the amount that they ask for."""
    segments = {row["channel"]: row for row in rows()}["sms"]["parts"] // 2
    given = ["--data-dir", str(settings.data_dir), "reminders", "--format", "json"]
    result = CliRunner().invoke(main, given, env={"COBRANZA_DATABASE_URL": settings.database_url})
    [line] = json.loads(result.stdout)
    assert f"USD {segments * 0.04:.2f}" == line["cost"]


def test_a_look_beforehand_is_as_it_would_be_sent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without accents where the company wishes it, with its segments and what they will cost."""
    given = ["--data-dir", str(settings.data_dir), "render", "--kind", "second", "--language", "es"]
    options = ["--channel", "sms", "--output", str(tmp_path / "look")]
    dear = CliRunner().invoke(main, [*given, *options]).output
    assert "of UCS-2" in dear
    assert "USD 0.12" in dear
    monkeypatch.setenv("COBRANZA_SEND_SMS_PLAIN", '["*"]')
    plain = CliRunner().invoke(main, [*given, *options]).output
    assert "2 segments of GSM-7" in plain
    assert "USD 0.08" in plain


def test_what_if_counts_with_the_same_prices(rows: Rows, settings: Settings) -> None:
    """For as many segments as SMS have had; a channel without a price costs nothing known."""
    segments = {row["channel"]: row for row in rows()}["sms"]["parts"] // 2
    found = usual_prices(settings)
    assert {"sms", "letter"} == found.keys()
    assert (f"{segments * 0.04:.2f}", "USD") == (str(found["sms"].amount), found["sms"].currency)
    assert "1.10" == str(found["letter"].amount)
