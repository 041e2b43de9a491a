"""Each rule of SEMANTICS, and each case of its section 7, has a story or a test, and ``docs/rules.md`` names it."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_SCENARIOS = Path(__file__).parent
_ROW = re.compile(r"^\| (?!rule |case |-)([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_RULES = {f"R{number}" for number in range(1, 38)}
_TOLD = {
    case.strip(): re.findall(r"`([^`]+)`", told)
    for case, told in _ROW.findall((_ROOT / "docs" / "rules.md").read_text())
}


def _found(name: str) -> bool:
    """Say whether a story, all of a beginning, or a file is there."""
    if "/" in name:
        return (_ROOT / name).is_file()
    return any(_SCENARIOS.glob(f"{name}.txt"))


def test_every_rule_is_told() -> None:
    """None of the 37 is left out, nor one made up."""
    assert _RULES == {case for case in _TOLD if re.fullmatch(r"R\d+", case)}
    assert 31 == len(_TOLD.keys() - _RULES)  # the cases of section 7


@pytest.mark.parametrize("case", _TOLD)
def test_what_proves_it_is_there(case: str) -> None:
    """A story that was renamed is named anew; a rule without any would be a promise only."""
    assert _TOLD[case]
    assert [] == [name for name in _TOLD[case] if name != "*" and not _found(name)]


def test_every_story_of_a_rule_is_of_its_rule() -> None:
    """A story whose file is named after a rule says so in its promise."""
    for path in sorted(_SCENARIOS.glob("r[0-9][0-9]_*.txt")):
        number = int(path.stem[1:3])
        promise = path.read_text(encoding="utf-8").splitlines()[0]
        assert re.search(rf"\bR{number}\b", promise), f"{path.stem}: {promise}"
