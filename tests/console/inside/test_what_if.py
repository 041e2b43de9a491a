"""What if, before anybody publishes: begun from the page, under way, stopped, done, gone; one at a time (U-1)."""

import datetime
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from console.comparing import Side, Sum
from console.law_windows import LawWindow
from console.simulating import Progress, SimulationReport, asked_of, write_json, write_lines
from console.web.inside.app import inside_app
from console.web.inside.pages.settings.what_if import weeks_of
from console.what_if import DaySum
from infra.settings import Settings
from processors.alternative import Contact
from tests.console.inside.desk import Desk

STORY = """# a company with a plan
plan default
    first      0 email
    second   +90 email
customer email ana@c1.test
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-03  tick
    expect reminder first INV-1 by email
"""
PAGE = "/settings/acme/what-if"
TEXT = "id: default\nversion: 2\nsteps:\n  - {name: x, offset_days: 5, actions: [{channel: letter}]}\n"


@dataclass
class Process:
    """A process of a what-if that does nothing by itself."""

    folder: Path
    code: int | None = None

    def poll(self) -> int | None:
        """Give its exit code."""
        return self.code

    def kill(self) -> None:
        """End it."""
        self.code = -9

    def wait(self) -> int:
        """Give its exit code."""
        return self.code or 0


@dataclass
class Bench:
    """A desk whose what-ifs are started by hand; ``restart``: another console on the same folder."""

    desk: Desk
    started: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with a fresh console."""
        self.restart()

    def launch(self, folder: Path, settings: Settings) -> Process:
        """Note that a process was asked for."""
        assert settings == self.desk.parts.settings
        self.started.append(Process(folder))
        return self.started[-1]

    def restart(self) -> None:
        """Let the console start again; who was logged in still is."""
        from dataclasses import replace

        parts = replace(self.desk.parts, launch=self.launch)
        cookies = self.desk.browser.cookies
        self.desk.browser = TestClient(
            inside_app(parts), base_url="http://console.test", follow_redirects=False
        )
        self.desk.browser.cookies.update(cookies)

    def start(self, **fields: str) -> Response:
        """Fill in the form."""
        days = {"first_on": "2026-01-01", "last_on": "2026-02-28"}
        return self.desk.submit(PAGE, "/what-if", **({"plan": "default/1"} | days | fields))


@pytest.fixture
def bench(sqlite_engine: Engine, tmp_path: Path) -> Bench:
    """Give a console with an approver at it."""
    return Bench(Desk(sqlite_engine, tmp_path, STORY).at_work("bea", role="approver"))


def test_it_is_begun_followed_and_shown(bench: Bench) -> None:
    """Progress survives a reload; then sums, cost, contacts by week, a chart over its table, and the differences."""
    there = bench.start(text=TEXT).headers["location"]
    (process,) = bench.started
    asked = asked_of(process.folder)
    assert asked is not None
    assert asked.plan is not None
    assert ("acme", 2, "2026-01-01") == (asked.company, asked.plan.version, asked.first_on.isoformat())
    write_json(process.folder, Progress(done=40, total=120))
    assert "40 / 120" in bench.desk.browser.get(there).text
    write_lines(process.folder, [("+", _contact())])
    write_json(process.folder, _report())
    process.code = 0
    text = bench.desk.browser.get(there).text
    assert "EUR 3.60" in text
    assert "acme:C1" in text
    assert '"data": [1, 2]' in text  # what ECharts draws, and the table behind it
    assert "second reminder by letter" in text
    assert "cl_consumer: most messages of a person in 7 days (the law allows 2)" in text
    assert "4; 3 persons above" in text
    assert "co: most channels of a person in 7 days (the law allows 1)" in text
    assert ["console.what_if.start"] == [each.act for each in bench.desk.people.entries(limit=9)]


def test_one_at_a_time_and_a_double_click_is_one(bench: Bench) -> None:
    """Bounded: the second one is told; the first may be stopped."""
    there = bench.start().headers["location"]
    answer = bench.start(profile="strict")
    assert 409 == answer.status_code
    assert "Another one is under way" in answer.text
    assert 1 == len(bench.started)
    bench.desk.submit(there, "/stop")
    assert -9 == bench.started[0].code
    assert "It was stopped." in bench.desk.browser.get(there).text
    assert 303 == bench.start(profile="strict").status_code
    assert 2 == len(bench.started)


def test_one_that_has_left_its_report_is_in_nobodys_way(bench: Bench) -> None:
    """It is shown as done: whoever begins the next one right then is not told that another is under way."""
    there = bench.start().headers["location"]
    write_json(bench.started[0].folder, _report())
    assert "EUR 3.60" in bench.desk.browser.get(there).text
    assert 303 == bench.start(profile="strict").status_code
    assert "EUR 3.60" in bench.desk.browser.get(there).text
    assert 2 == len(bench.started)


def test_after_a_restart_what_was_under_way_is_said_to_be_gone(bench: Bench) -> None:
    """And what was done or stopped still is."""
    there = bench.start().headers["location"]
    bench.restart()
    assert "The console was restarted while it ran: it is gone." in bench.desk.browser.get(there).text
    later = bench.start().headers["location"]
    write_json(bench.started[1].folder, _report())
    bench.restart()
    assert "EUR 3.60" in bench.desk.browser.get(later).text
    assert "EUR 3.60" not in bench.desk.browser.get(there).text


def test_what_fails_says_why_and_what_takes_too_long_is_ended(bench: Bench) -> None:
    """The last line that the process said; half an hour at most."""
    there = bench.start().headers["location"]
    (bench.started[0].folder / "errors.txt").write_text("Topic x does not exist: cobranza topics apply\n")
    bench.started[0].code = 1
    assert "cobranza topics apply" in bench.desk.browser.get(there).text
    later = bench.start().headers["location"]
    bench.desk.now += datetime.timedelta(minutes=31)
    assert "took longer than half an hour" in bench.desk.browser.get(later).text
    assert -9 == bench.started[1].code


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"plan": ""}, "Say what is other"),
        ({"profile": "none"}, "No such law"),
        ({"first_on": "2026-03-01"}, "A first and a last day"),
        ({"last_on": "soon"}, "A first and a last day"),
        ({"text": "id: default"}, "Say what is other"),
    ],
)
def test_what_cannot_be_tried_is_said(bench: Bench, fields: dict[str, str], said: str) -> None:
    """Nothing is begun."""
    answer = bench.start(**fields)
    assert 422 == answer.status_code
    assert said in answer.text
    assert [] == bench.started


def test_another_companys_what_if_is_not_there(bench: Bench) -> None:
    """Per-company visibility."""
    there = bench.start().headers["location"]
    write_json(bench.started[0].folder, _report())
    run = parse_qs(urlparse(there).query)["run"][0]
    bench.desk.employ("eve", role="administrator", companies=("beta",))
    bench.desk.log_in("eve")
    assert 404 == bench.desk.browser.get(there).status_code
    assert "EUR 3.60" not in bench.desk.browser.get(f"/settings/beta/what-if?run={run}").text


def test_a_checked_text_can_be_tried_before_it_is_published(bench: Bench) -> None:
    """From the plan's page: the very text that would be published."""
    bench.desk.employ("adm", role="administrator")
    bench.desk.log_in("adm")
    checked = bench.desk.submit("/settings/acme/plans/default", "/check", text=TEXT).text
    forms = re.findall(
        r'<form method="post" action="/settings/acme/what-if"[^>]*>(.*?)</form>', checked, re.DOTALL
    )
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', forms[0]))
    days = {"first_on": "2026-01-01", "last_on": "2026-02-28"}
    assert 303 == bench.desk.browser.post(PAGE, data=hidden | days | {"text": TEXT}).status_code
    asked = asked_of(bench.started[0].folder)
    assert asked is not None
    assert asked.plan is not None
    assert 5 == asked.plan.steps[0].offset_days


def test_all_differences_are_there_by_pages(bench: Bench) -> None:
    """U-1: of two hundred and fifty the page has a hundred at a time; no more of them are looked at (issue 7: never load everything)."""
    there = bench.start().headers["location"]
    folder = bench.started[0].folder
    write_lines(folder, [("+", _contact(f"acme:C{each:03}")) for each in range(250)])
    write_json(folder, _report(line_count=250))
    first, last = bench.desk.browser.get(there).text, bench.desk.browser.get(f"{there}&page=3").text
    assert [f"acme:C{each:03}" for each in range(100)] == re.findall(r">(acme:C\d+)</a>", first)
    assert [f"acme:C{each:03}" for each in range(200, 250)] == re.findall(r">(acme:C\d+)</a>", last)
    assert "250 contacts" in first
    assert "Page 1 of 3" in first
    lines = (folder / "lines.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "lines.jsonl").write_bytes(b"".join([*lines[:100], b"of another page"]))
    assert 200 == bench.desk.browser.get(there).status_code


def test_of_an_older_versions_report_what_it_kept_is_there_and_what_is_missing_is_said(bench: Bench) -> None:
    """It kept the first five hundred within its report: pages were empty, and nothing said why."""
    there = bench.start().headers["location"]
    folder = bench.started[0].folder
    write_json(folder, _report(line_count=700))
    older = msgspec.json.decode((folder / "report.json").read_bytes())
    older["lines"] = msgspec.to_builtins([("+", _contact(f"acme:C{each:03}")) for each in range(500)])
    (folder / "report.json").write_bytes(msgspec.json.encode(older))
    last = bench.desk.browser.get(f"{there}&page=5").text
    assert [f"acme:C{each:03}" for each in range(400, 500)] == re.findall(r">(acme:C\d+)</a>", last)
    assert "700 contacts" in last
    assert "Page 5 of 5" in last
    assert "only the first 500 of them" in last
    write_lines(folder, [])
    assert "An older version" not in bench.desk.browser.get(there).text


def test_a_report_that_cannot_be_read_any_more_is_said_to_be_so(bench: Bench) -> None:
    """Of a version that kept other figures: the page of the others stays open, and says what to do."""
    there = bench.start().headers["location"]
    (bench.started[0].folder / "report.json").write_text('{"now": {"reminders": 3}}')
    answer = bench.desk.browser.get(there)
    assert (200, True) == (answer.status_code, "cannot be read any more" in answer.text)


def test_of_other_runs_only_their_names_are_read(bench: Bench) -> None:
    """Thirty are kept: what came of each is looked at when it is opened."""
    bench.start()
    (bench.started[0].folder / "report.json").write_text("a large report")
    assert 200 == bench.desk.browser.get(PAGE).status_code


def test_weeks_without_contacts_are_drawn_too() -> None:
    """A quiet week is a gap in the chart, no missing bar."""
    days = [
        DaySum(on=datetime.date(2026, 1, 6), now=1, other=0),
        DaySum(on=datetime.date(2026, 1, 20), now=0, other=2),
    ]
    assert [(1, 0), (0, 0), (0, 2)] == [(each.now, each.other) for each in weeks_of(days)]


def _contact(account: str = "acme:C1") -> Contact:
    return Contact(
        on=datetime.date(2026, 2, 3),
        account=account,
        reminder="r",
        step="second",
        channel="letter",
        fate="accepted",
        items=("INV-1",),
        amounts=(("EUR", 10_000),),
    )


def _report(*, line_count: int = 1) -> SimulationReport:
    side = Side(
        reminders=3,
        accounts=1,
        contacts=3,
        failed=0,
        cost={"EUR": Decimal("3.60")},
        worst_week=1,
        weeks={1: 1},
        needless=0,
        windows=[
            LawWindow(law="cl_consumer", ways=("message",), within_days=7, at_most=2, worst=4, above=3),
            LawWindow(
                law="co", ways=("call", "message"), within_days=7, at_most=1, of_channels=True, worst=2
            ),
        ],
    )
    return SimulationReport(
        now=side,
        other=side,
        sums=[Sum(step="second", channel="letter", now=0, other=3)],
        days=[
            DaySum(on=datetime.date(2026, 2, 3), now=1, other=1),
            DaySum(on=datetime.date(2026, 2, 10), now=2, other=0),
        ],
        line_count=line_count,
    )
