"""R37: who is to be looked at, for all reasons, the most urgent first."""

import datetime
from pathlib import Path

from sqlalchemy import Engine

from infra.database.engine import reading, writing
from infra.database.queries.worklist import WorkLine, worklist
from infra.database.send_tables import tasks
from infra.projection.duplicates import record_duplicates
from tests.infra.database.filled import Filled
from tests.infra.database.played import play_into

_PLAN = """plan default
    first      0 email
    second   +20 email
"""


def _lines(engine: Engine, *, company: str = "", on: str = "") -> dict[str, WorkLine]:
    day = datetime.date.fromisoformat(on) if on else None
    with reading(engine) as connection:
        return {each.account: each for each in worklist(connection, company=company, on=day)}


def _whys(engine: Engine, *, on: str = "") -> dict[str, list[str]]:
    return {account: each.whys for account, each in _lines(engine, on=on).items()}


def _customers(*names: str) -> str:
    return "".join(f"@{name} customer email {name.lower()}@test\n" for name in names)


def test_ranked_by_money_at_risk(engine: Engine, tmp_path: Path) -> None:
    """What is overdue counts; not what is not due yet, nor the bare number in a currency of small units."""
    story = "# three who owe\n" + _customers("C1", "C2", "C3") + "company courtesies on\n"
    story += "2026-01-02  invoice A 100.00 due 2026-02-01\n2026-01-02  @C2 invoice B 300.00 due 2026-02-01\n"
    story += "2026-01-02  @C2 invoice B2 900.00 due 2026-12-01\n"
    story += "2026-01-02  @C3 invoice C 9999 CLP due 2026-02-01\n2026-02-05  tick\n"
    story += "".join(
        f"    expect @{name} withheld {item} - because no_plan\n"
        for name, item in (("C1", "A"), ("C2", "B"), ("C3", "C"))
    )
    play_into(engine, story, folder=tmp_path)
    found = _lines(engine)
    # Of a mean open item: C3 owes 1 in pesos, C2 300 of 433.33 dollars, C1 100 of them.
    assert ["acme:C3", "acme:C2", "acme:C1"] == list(found)
    assert [("USD", 30000)] == found["acme:C2"].at_risk
    assert [("CLP", 9999)] == found["acme:C3"].at_risk
    assert 4 == found["acme:C1"].days
    assert {"no_action"} == {why for each in found.values() for why in each.whys}
    assert {} == _lines(engine, company="beta")


def test_next_action_is_fifteen_days_after_the_last_contact_or_note(engine: Engine, tmp_path: Path) -> None:
    """R20, S0-14, S0-17: the reminder is a contact; a note moves the day, and delays no step; a date by hand wins."""
    story = "# four who owe\n" + _customers("C1", "C2", "C3", "C4") + _PLAN
    for name in ("C1", "C2", "C3", "C4"):
        story += f"2026-01-02  @{name} invoice I-{name} 100.00 due 2026-02-01\n"
    story += "2026-02-02  tick\n" + "".join(
        f"    expect @{n} reminder first I-{n} by email\n" for n in ("C1", "C2", "C3", "C4")
    )
    story += '2026-02-10  @C2 note "they changed banks"\n2026-02-10  @C3 next-date 2026-02-12\n'
    story += '2026-02-10  @C4 call-attempt "nobody there"\n2026-02-11  tick\n'
    play_into(engine, story, folder=tmp_path)
    assert {} == _whys(engine, on="2026-02-11")
    assert {"acme:C3": ["next_action"]} == _whys(engine, on="2026-02-12")
    assert {"acme:C3": ["next_action"], "acme:C1": ["next_action"]} == _whys(engine, on="2026-02-17")
    found = _lines(engine, on="2026-02-25")
    assert {"2026-02-25"} == {str(found[name].next_on) for name in ("acme:C2", "acme:C4")}
    assert {"acme:C4"} == {name for name, each in found.items() if each.is_called()}


def test_listed_from_the_day_after_the_due_date(engine: Engine, tmp_path: Path) -> None:
    """Section 1, R20: who is overdue is listed on the next day, though nothing is due then, and no more once it is paid."""
    story = "# two who owe\nplan default\n    first +15 email\n" + _customers("C1", "C2")
    story += "2026-01-02  invoice I 100.00 due 2026-02-02\n2026-01-02  @C2 invoice J 100.00 due 2026-02-02\n"
    story += "2026-01-02..2026-02-03  tick\n2026-02-04  @C2 payment P 100.00\n2026-02-04..2026-02-08  tick\n"
    play_into(engine, story, folder=tmp_path)
    assert {} == _lines(engine, on="2026-02-02")
    assert {"acme:C1": ["no_action"]} == _whys(engine, on="2026-02-03")
    assert "2026-02-03" == str(_lines(engine, on="2026-02-08")["acme:C1"].next_on)


def test_a_company_may_wait_longer(engine: Engine, tmp_path: Path) -> None:
    """S0-14: the company's own number of days."""
    story = "# one who owes\ncompany next-action-days 30\n" + _customers("C1") + _PLAN
    story += "2026-01-02  invoice I 100.00 due 2026-02-01\n2026-02-02  tick\n    expect reminder first I by email\n"
    play_into(engine, story, folder=tmp_path)
    assert {} == _whys(engine, on="2026-03-03")
    assert {"acme:C1": ["next_action"]} == _whys(engine, on="2026-03-04")


def test_proposals_holds_and_those_of_whom_nothing_is_left_to_dun(engine: Engine, tmp_path: Path) -> None:
    """R15, R19: a proposal; a hold that is over or to be reviewed; an account whose items are all held."""
    story = "# four cases\n" + _customers("C1", "C2", "C3", "C4") + _PLAN
    for name in ("C1", "C2", "C3", "C4"):
        story += f"2026-01-02  @{name} invoice I-{name} 100.00 due 2026-02-01\n"
    story += "2026-01-03  @C1 mode manual\n2026-01-03  @C2 hold blocked until 2026-02-10\n"
    story += "2026-01-03  @C3 exclude I-C3 review 2026-02-03\n2026-01-03  @C4 hold do_not_contact\n"
    story += '2026-02-03  @C1 note "seen"\n2026-02-03  @C2 note "seen"\n2026-02-03  @C3 note "seen"\n2026-02-03  @C4 note "seen"\n'
    story += "2026-02-03  tick\n"
    story += "    expect @C1 proposal first I-C1 by email\n" + "".join(
        f"    expect @{name} withheld I-{name} first because {why}\n"
        for name, why in (
            ("C2", "blocked until 2026-02-10"),
            ("C3", "excluded"),
            ("C4", "do_not_contact"),
        )
    )
    play_into(engine, story, folder=tmp_path)
    assert {
        "acme:C1": ["proposal"],
        "acme:C2": ["all_held"],
        "acme:C3": ["review", "all_held"],
        "acme:C4": ["all_held"],
    } == _whys(engine, on="2026-02-03")
    assert "expired_hold" in _whys(engine, on="2026-02-10")["acme:C2"]


def test_tasks_addresses_and_doubts(engine: Engine, tmp_path: Path) -> None:
    """R19, R28, R37: what people are asked to do, addresses that failed, deliveries of which nobody knows."""
    story = "# one who owes\n" + _customers("C1") + _PLAN
    story += "2026-01-02  invoice I 100.00 due 2026-02-01\nnotifier email fails address_refused\n"
    story += "2026-02-02  tick\n    expect reminder first I by email\n    expect failed\n"
    play_into(engine, story, folder=tmp_path)
    told = Filled(engine)
    told.outcome("acme:C7", reminder="r9", channel="email", status="unknown")
    told.outcome("acme:C8", reminder="r8", channel="sms", status="unknown")
    told.outcome("acme:C8", reminder="r8", channel="sms", status="accepted")
    with writing(engine) as connection:
        day = datetime.date(2026, 2, 2)
        connection.execute(
            tasks.insert().values(
                reminder="r1", position=0, account="acme:C5", company="acme", customer="C5", step="second",
                task_type="call", summary="Call them", responsible="ana", due_on=day, status="open",
            )
        )  # fmt: skip
    found = _lines(engine, on="2026-02-02")
    assert {
        "acme:C1": ["bad_address", "no_action"],
        "acme:C5": ["task"],
        "acme:C7": ["unknown_outcome"],
    } == {account: each.whys for account, each in found.items()}
    assert ("ana", ["Call them (2026-02-02)"]) == (found["acme:C5"].responsible, found["acme:C5"].details)
    assert ["email/address_refused"] == found["acme:C1"].details


def test_a_broken_promise_goes_first(engine: Engine, tmp_path: Path) -> None:
    """R35, R37: before whoever owes more; not any more once another promise was made."""
    story = "# two who owe\n" + _customers("C1", "C2") + _PLAN
    story += "2026-01-02  invoice I 500.00 due 2026-02-01\n2026-01-02  @C2 invoice J 100.00 due 2026-02-01\n"
    story += "2026-02-01  @C2 promise all by 2026-02-05\n"
    story += "    expect @C2 promised J until 2026-02-07 total 100.00\n"
    story += "2026-02-02  tick\n    expect reminder first I by email\n"
    story += "    expect @C2 withheld J first because promised until 2026-02-08\n2026-02-09  tick\n"
    story += "    expect @C2 promise broken received 0.00\n    expect @C2 reminder first J by email\n"
    stage = play_into(engine, story, folder=tmp_path)
    found = _lines(engine, on="2026-02-17")
    assert [("acme:C2", ["broken_promise"]), ("acme:C1", ["next_action"])] == [
        (account, each.whys) for account, each in found.items()
    ]
    assert 1 == stage.partition.account("acme:C2").row.broken_promises
    story += (
        "2026-02-10  @C2 promise all by 2026-02-28\n    expect @C2 promised J until 2026-03-02 total 100.00\n"
    )
    play_into(engine, story, folder=tmp_path)
    assert ["acme:C1"] == list(_lines(engine, on="2026-02-17"))


def test_a_document_under_two_customers_asks_for_a_hold(engine: Engine, tmp_path: Path) -> None:
    """SEMANTICS 2.2: the later one is asked about, until it is excluded or settled."""
    story = "# two who have one invoice\n" + _customers("C1", "C2")
    story += (
        "2026-01-02  invoice A 100.00 due 2026-06-01 @C1\n2026-01-03  invoice A 100.00 due 2026-06-01 @C2\n"
    )
    _play_with_duplicates(engine, story, folder=tmp_path)
    detail = "document A of company acme is under acme:C1 already: exclude it until it is clear whose it is"
    assert {"acme:C2": [detail]} == {name: each.details for name, each in _lines(engine).items()}
    _play_with_duplicates(
        engine, story + '2026-01-04  exclude A because "whose is it?" @C2\n', folder=tmp_path
    )
    assert {} == _lines(engine)


def _play_with_duplicates(engine: Engine, story: str, *, folder: Path) -> None:
    play_into(engine, story, folder=folder)
    with writing(engine) as connection:
        at = datetime.datetime(2026, 1, 4, tzinfo=datetime.UTC)
        record_duplicates(connection, items=[("acme", "A")], credit_notes=(), recorded_at=at)
