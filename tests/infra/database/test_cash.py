"""U-9, the cash forecast: each part of what is owed has a day, or says why it has none."""

import datetime
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from infra.database.engine import reading
from infra.database.queries.account_choice import AccountChoice
from infra.database.queries.cash import cash_expected
from infra.database.tables import items
from tests.infra.database.played import play_into

_SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.txt"))
_PLAN = """customer email ana@c1.test
plan default
    first   0 email pay-by 10
    second +30 email pay-by 5
"""
_STORY = f"""# one of each: promised, instalments, a cheque, disputed, excluded, asked for, and what is not due
{_PLAN}2026-01-02  invoice PROMISED 100.00 due 2026-01-20
2026-01-02  invoice BEYOND 50.00 due 2026-01-21
2026-01-02  promise 120.00 by 2026-03-10 items PROMISED,BEYOND
    expect promised PROMISED BEYOND until 2026-03-12 total 120.00
2026-01-02  invoice SPLIT 90.00 due 2026-02-01
2026-01-02  payment-plan SPLIT 3 first 2026-03-15 every month
    expect split SPLIT "30.00 on 2026-03-15; 30.00 on 2026-04-15; 30.00 on 2026-05-15"
2026-01-02  invoice CHEQUE 30.00 due 2026-02-01
2026-01-02  conditional CH-1 20.00 cheque received payable 2026-03-20 for CHEQUE
    expect conditional CH-1 received CHEQUE
2026-01-02  invoice DISPUTED 40.00 due 2026-02-01
2026-01-02  dispute DISPUTED 15.00 because "broken"
    expect disputed DISPUTED
2026-01-02  invoice OUT 11.00 due 2026-02-01
2026-01-02  exclude OUT because "sold to a factor"
2026-01-02  invoice LATER 70.00 due 2026-04-30
2026-02-26  tick
    expect withheld PROMISED first because promised until 2026-03-13
    expect withheld BEYOND first because promised until 2026-03-13
    expect withheld OUT first because excluded
    expect reminder first CHEQUE DISPUTED by email total "35.00 USD"
2026-03-01  tick
"""
_ELSE = f"""# overdue, written to in vain; a hold; money that nobody has applied; another who has no plan left
company auto-apply off
{_PLAN}2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  @C2 invoice HELD 60.00 due 2026-02-02
2026-01-02  @C2 hold legal_hold because "in court"
2026-01-02  @C2 invoice NOT-DUE 5.00 due 2026-05-01
2026-02-02  tick
    expect reminder first INV-1 by email
    expect @C2 withheld HELD first because legal_hold
2026-02-20  payment P-1 30.00
2026-02-20  tick
"""
_CREDIT = f"""# credit beside what is held: the oldest is promised, the next is excluded; a note that names nothing goes to the highest level
company auto-apply off
{_PLAN}2026-01-01  payment P-1 60.00
2026-01-02  invoice PROMISED 100.00 due 2026-01-20
2026-01-02  promise 100.00 by 2026-03-10 items PROMISED
    expect promised PROMISED until 2026-03-12
2026-01-02  invoice OUT 11.00 due 2026-01-21
2026-01-02  exclude OUT because "sold to a factor"
2026-01-02  invoice ASKED 50.00 due 2026-02-02
2026-01-02  invoice LATER 70.00 due 2026-04-30
2026-02-02  tick
    expect withheld PROMISED first because promised until 2026-03-13
    expect withheld OUT first because excluded
    expect withheld ASKED first because credit_covers until 2026-05-01
    expect task apply_credit/USD
2026-02-03  credit-note CN-1 5.00
2026-02-03  @C2 invoice HELD 60.00 due 2026-02-02
2026-02-03  @C2 hold legal_hold because "in court"
2026-02-03  @C2 payment P-2 10.00
2026-02-03  tick
    expect @C2 withheld HELD first because legal_hold
"""
_IGNORED = f"""# the company does not look at money on account; a note lowers what is owed all the same
company auto-apply off credits ignore
{_PLAN}2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email
2026-02-03  payment P-1 60.00
2026-02-03  credit-note CN-1 5.00
2026-02-03  tick
"""
_COURTESY = """# a note that names nothing, while the overdue invoice has no step yet and another has had its courtesy
company auto-apply off
customer email ana@c1.test
plan default
    courtesy -10 email
    first     +5 email pay-by 10
plan late
    first     +5 email pay-by 10
2026-01-02  invoice OVERDUE 100.00 due 2026-02-02 plan late
2026-01-02  invoice LATER 70.00 due 2026-02-14
2026-02-04  tick
    expect reminder courtesy LATER by email
2026-02-05  credit-note CN-1 30.00
2026-02-05  credit-note CN-2 80.00
2026-02-05  payment P-1 10.00
2026-02-05  tick
"""
_COME = f"""# 60.00 have come for a promise of 100.00, and nobody has applied them; another invoice is asked for
company auto-apply off
{_PLAN}2026-01-02  invoice PROMISED 100.00 due 2026-01-20
2026-01-02  promise 100.00 by 2026-03-10 items PROMISED
    expect promised PROMISED until 2026-03-12
2026-01-02  invoice ASKED 50.00 due 2026-02-02
2026-01-03  payment P-1 60.00
2026-02-02  tick
    expect withheld PROMISED first because promised until 2026-03-13
    expect withheld ASKED first because credit_covers
    expect task apply_credit/USD
2026-02-03  payment P-2 55.00
2026-02-03  tick
"""
_TWO = f"""# a merged customer's promise goes on beside one's own; 60.00 have come, and nobody has applied them
company auto-apply off
{_PLAN}2026-01-02  invoice OWN 100.00 due 2026-01-20
2026-01-02  invoice HIS 100.00 due 2026-01-21 @C2
2026-01-02  promise 100.00 by 2026-03-10 items OWN named PR-1
    expect promised OWN until 2026-03-12
2026-01-02  promise 100.00 by 2026-03-20 items HIS named PR-2 @C2
    expect promised HIS until 2026-03-22 @C2
2026-01-03  merge into C1 @C2
    expect promise moved received 0.00 @C2
    expect transferred HIS @C2
    expect transferred @C2
    expect promised HIS until 2026-03-22
2026-01-06  payment P-1 60.00
2026-02-02  tick
    expect withheld OWN first because promised until 2026-03-13
    expect withheld HIS first because promised until 2026-03-23
"""
_RESIDUAL = f"""# what is left of INV-1 is a fee of the bank, and no debt to dun: the money on account is for INV-2
company auto-apply off
{_PLAN}2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  invoice INV-2 50.00 due 2026-02-03
2026-02-01  payment P-1 95.00 for INV-1 short 5.00 bank_fee
    expect task write_off/INV-1
2026-02-01  payment P-2 20.00
2026-02-01  tick
"""


def _parts(engine: Engine, *, company: str = "", account: str = "") -> list[tuple[str, str, int, str]]:
    choice = AccountChoice(companies=(company,) if company else None, account=account)
    with reading(engine) as connection:
        return [
            (each.part.item, each.part.basis, each.part.amount_minor, str(each.part.on or ""))
            for each in cash_expected(connection, choice=choice)
        ]


def test_each_part_of_what_is_owed_has_its_day_or_its_reason(engine: Engine, tmp_path: Path) -> None:
    """U-9: promises, instalments, cheques, what is disputed or excluded, what was asked for, what is not due."""
    play_into(engine, _STORY, folder=tmp_path)
    assert [
        # Of a promise of 120.00 the oldest has 100.00; for the rest a level goes once the promise is over: 13 March + 10.
        ("PROMISED", "promised", 10_000, "2026-03-10"),
        ("BEYOND", "promised", 2_000, "2026-03-10"),
        ("BEYOND", "next_level", 3_000, "2026-03-23"),
        ("CHEQUE", "not_cleared", 2_000, "2026-03-20"),
        ("CHEQUE", "asked", 1_000, "2026-03-08"),
        ("DISPUTED", "disputed", 1_500, ""),
        ("DISPUTED", "asked", 2_500, "2026-03-08"),
        ("OUT", "held", 1_100, ""),
        ("SPLIT 1/3", "instalment", 3_000, "2026-03-15"),
        ("SPLIT 2/3", "instalment", 3_000, "2026-04-15"),
        ("LATER", "on_due_date", 7_000, "2026-04-30"),
        ("SPLIT 3/3", "instalment", 3_000, "2026-05-15"),
    ] == _parts(engine)


def test_what_was_asked_for_in_vain_is_expected_at_the_next_level(engine: Engine, tmp_path: Path) -> None:
    """U-9: the pay-by day of 12 February is over, the second level (4 March) asks until 9 March; money that is here is not to come."""
    play_into(engine, _ELSE, folder=tmp_path)
    assert [
        ("INV-1", "credit", 3_000, ""),
        ("INV-1", "next_level", 7_000, "2026-03-09"),
        ("HELD", "held", 6_000, ""),
        ("NOT-DUE", "on_due_date", 500, "2026-05-01"),
    ] == _parts(engine)
    assert ["HELD", "NOT-DUE"] == [name for name, *_ in _parts(engine, account="acme:C2")]
    assert [] == _parts(engine, company="beta")


def test_credit_is_set_against_what_is_not_held(engine: Engine, tmp_path: Path) -> None:
    """U-9, R11, R12: what is promised, excluded or under a legal hold takes none; what is over is there for what comes due."""
    play_into(engine, _CREDIT, folder=tmp_path)
    assert [
        ("PROMISED", "promised", 10_000, "2026-03-10"),
        ("OUT", "held", 1_100, ""),
        ("ASKED", "credit", 5_000, ""),
        ("LATER", "credit", 1_500, ""),
        ("LATER", "on_due_date", 5_500, "2026-04-30"),
        ("HELD", "held", 6_000, ""),
    ] == _parts(engine)


def test_money_that_the_company_does_not_look_at_is_not_set_against_anything(
    engine: Engine, tmp_path: Path
) -> None:
    """U-9, R11 ``ignore``: the customer is asked for all but the note, and that is what may come."""
    play_into(engine, _IGNORED, folder=tmp_path)
    assert [("INV-1", "credit", 500, ""), ("INV-1", "asked", 9_500, "2026-02-12")] == _parts(engine)


def test_a_note_that_names_nothing_goes_to_what_is_overdue_first(engine: Engine, tmp_path: Path) -> None:
    """U-9, R11, R12: an invoice that is not due has a higher level by its courtesy than an overdue one without any, and still comes after it."""
    play_into(engine, _COURTESY, folder=tmp_path)
    assert [
        ("OVERDUE", "credit", 10_000, ""),
        ("LATER", "credit", 2_000, ""),
        ("LATER", "on_due_date", 5_000, "2026-02-14"),
    ] == _parts(engine)


def test_money_that_has_come_for_a_promise_is_set_against_nothing_else(
    engine: Engine, tmp_path: Path
) -> None:
    """U-9, R35, R11: of 115.00 the promise counts 100.00, which are here for what it covers; 15.00 are left for the other invoice."""
    play_into(engine, _COME, folder=tmp_path)
    assert [
        ("PROMISED", "credit", 10_000, ""),
        ("ASKED", "credit", 1_500, ""),
        ("ASKED", "next_level", 3_500, "2026-02-13"),
    ] == _parts(engine)


def test_money_comes_for_one_promise_only(engine: Engine, tmp_path: Path) -> None:
    """U-9, R35: what has come counts for the promise that falls due first; all of the other one is still to come."""
    play_into(engine, _TWO, folder=tmp_path)
    assert [
        ("OWN", "credit", 6_000, ""),
        ("OWN", "promised", 4_000, "2026-03-10"),
        ("HIS", "promised", 10_000, "2026-03-20"),
    ] == _parts(engine)


def test_no_credit_is_set_against_a_residual(engine: Engine, tmp_path: Path) -> None:
    """U-9, section 3: what the bank kept is not asked for, so no credit is used up by it (R11)."""
    play_into(engine, _RESIDUAL, folder=tmp_path)
    parts = _parts(engine)
    assert ("INV-2", "credit", 2_000, "") in parts
    assert ("INV-1", "credit") not in [each[:2] for each in parts]


@pytest.mark.parametrize("path", _SCENARIOS, ids=lambda path: path.stem)
def test_the_forecast_adds_up_to_what_is_owed(path: Path, tmp_path: Path, sqlite_engine: Engine) -> None:
    """Nothing of what is open is left out or there twice, in any story; no day is over."""
    stage = play_into(sqlite_engine, path.read_text(encoding="utf-8"), folder=tmp_path)
    if stage.partition.clock is None:
        return
    with reading(sqlite_engine) as connection:
        owed = {
            (account, item): minor
            for account, item, minor in connection.execute(
                select(items.c["account"], items.c["item"], items.c["open_minor"]).where(
                    items.c["open_minor"] > 0, items.c["status"] == "open"
                )
            )
        }
        told: Counter[tuple[str, str]] = Counter()
        oldest = stage.partition.clock.at.date() - datetime.timedelta(days=1)
        for each in cash_expected(connection, choice=AccountChoice()):
            assert each.part.amount_minor > 0
            assert each.part.on is None or each.part.on >= oldest
            told[each.account, each.part.item] += each.part.amount_minor
    assert owed == dict(told)
