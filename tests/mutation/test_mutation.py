"""The mutation runner: what it changes, and that it notices what is wrong and nothing else."""

import ast
import importlib
import inspect
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.changes import Mutant, changed, mutants_of
from tests.mutation.grafting import graft
from tests.mutation.trial import NOTICED_BY, Trial, own_tests, read_stories

_SOURCE = '''
"""A module; nothing here, and no text for people, is changed."""
import os
__all__ = ["owed"]
_TABLE = {"a": 1}
def owed(account: "Account", *, day: int = 3) -> list[str]:
    """Say what is owed."""
    if day <= 2 and not account:
        raise ValueError(f"too early: {day + 1}")
    total = len(account) + day
    account.touch(day)
    return [each for each in account if each > total]
'''


def test_each_change_is_made_alone_and_told() -> None:
    """Operators, numbers, texts that are names, arguments, conditions, calls, assignments, returns; prose is left alone."""
    tree = ast.parse(_SOURCE)
    mutants = mutants_of(tree)
    assert [
        "_TABLE = {'a': 1} -> _TABLE = None",
        "'a' -> ''",
        "1 -> 2",
        "3 -> 4",
        "if day <= 2 and (not account): -> if not (day <= 2 and (not account)):",
        "day <= 2 and (not account) -> day <= 2 or not account",
        "day <= 2 -> day < 2",
        "2 -> 3",
        "not account -> account",
        "total = len(account) + day -> total = None",
        "len(account) + day -> len(account) - day",
        "len(...) -> without account",
        "account.touch(day) -> pass",
        "account.touch(...) -> without day",
        "return [each for each in account if each > total] -> return None",
        "for each in account if each > total -> for each in account",
        "each > total -> each >= total",
    ] == [each.said for each in mutants]
    whole = ast.dump(tree)
    assert len(mutants) == len({ast.unparse(changed(tree, each)) for each in mutants})
    assert whole == ast.dump(tree)


@pytest.fixture(scope="module")
def trial() -> Trial:
    """Give the module that says which holds are in force, and stories of holds until a date."""
    return Trial.prepare("processors.holds", stories=read_stories("r15_order_of_holds"), tests=[])


def test_a_planted_mutant_is_noticed(trial: Trial) -> None:
    """A hold that lasts a day too long is noticed by the story of a hold until a date; the module here is as it was."""
    (planted,) = [
        each for each in mutants_of(trial.tree) if each.said == "day < hold.until -> day <= hold.until"
    ]
    assert "stories" == NOTICED_BY[trial.ask(planted)]
    assert trial.reached[planted.line]


def test_an_equal_program_survives(trial: Trial) -> None:
    """The same condition in other words: nobody notices it, neither as the stories are told nor from rows."""
    (known,) = [each for each in mutants_of(trial.tree) if each.said.startswith("day < hold.until ->")]
    equal = replace(known, node=ast.parse("hold.until > day", mode="eval").body)
    assert "nobody" == NOTICED_BY[trial.ask(equal)]


def test_tests_that_fail_anyway_are_told_first(trial: Trial, tmp_path: Path) -> None:
    """They would notice everything."""
    test = tmp_path / "test_wrong.py"
    test.write_text("def test_wrong() -> None:\n    assert False\n")
    trial.check()
    with pytest.raises(AssertionError, match="fail as it is"):
        replace(trial, tests=[test]).check()


def test_what_never_ends_is_noticed_by_its_time(trial: Trial) -> None:
    """A mutant may loop for ever; its process is ended."""
    loop = ast.parse("def in_force(hold, day):\n    while True:\n        pass\n").body[0]
    place = next(
        number for number, node in enumerate(trial.tree.body) if getattr(node, "name", "") == "in_force"
    )
    line = next(each.line for each in mutants_of(trial.tree) if each.said.startswith("day < "))
    planted = Mutant(line=line, said="for ever", parent=0, field="body", place=place, node=loop)
    assert "time" == NOTICED_BY[replace(trial, seconds_max=1).ask(planted)]


def test_a_module_keeps_its_functions_and_tables_when_it_is_changed() -> None:
    """Whoever has imported a function, or a table of functions, has the changed one."""
    holds = importlib.import_module("processors.holds")
    mine, order = holds.in_force, holds.ACCOUNT_HOLDS
    tree = ast.parse(inspect.getsource(holds))
    assert False is mine(None, None)
    try:
        (planted,) = [each for each in mutants_of(tree) if "hold is not None and " in each.said][:1]
        graft(holds, changed(tree, planted))
        assert mine is holds.in_force
    finally:
        graft(holds, tree)
    assert (False, order) == (mine(None, None), holds.ACCOUNT_HOLDS)


def test_own_tests_are_those_that_import_a_module_or_have_its_name() -> None:
    """That of kin by its name, that of plans of payment by its import."""
    assert ["test_kin"] == [path.stem for path in own_tests("processors.kin")]
    assert "test_transfers" in [path.stem for path in own_tests("processors.payment_plans")]
