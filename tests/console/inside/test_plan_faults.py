"""What is wrong with a plan is told in the user's language: each sentence of the core has words in three (S3-05)."""

import re
from pathlib import Path

import pytest

from console.plan_files import plan_in, template_warnings
from console.web.inside.plan_faults import PLAN_FAULTS, plan_fault_text
from console.web.inside.showing import LANGUAGES, words_of
from processors import plan as core
from processors.plan import plan_warnings
from schemas.plans import Plan

GOOD = """id: default
version: 1
name: Default
steps:
- name: first
  offset_days: 0
  actions: [{channel: email}]
- name: visit
  offset_days: 1
  actions: [{channel: letter}]
"""
SOURCE = Path(str(core.__file__)).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_has_its_words_with_the_same_places(language: str) -> None:
    """What is named in a fault is named in each language."""
    words = words_of(language)["plan_faults"]
    assert list(PLAN_FAULTS) == list(words)
    for name, pattern in PLAN_FAULTS.items():
        assert set(re.findall(r"{(\w+)}", words[name])) == set(pattern.groupindex), name


def test_no_sentence_of_the_core_is_without_words() -> None:
    """A new check needs a sentence here: those of the source are read, with something in the place of each value."""
    pieces = re.findall(
        r'f?"((?:[^"\\]|\\.)*?) - at `',
        SOURCE.replace('"\n                f"', "").replace('"\n            f"', ""),
    )
    assert len(pieces) > 20
    for piece in (each for each in pieces if not each.startswith("List what")):  # a docstring
        said = re.sub(r"{[^{}]*!r}", "'x'", piece)
        said = re.sub(r"{error.detail}", "currency 'x' is not in ISO 4217", said)
        said = re.sub(r"{[^{}]*}", "3", said)
        assert said != plan_fault_text(said, words=words_of("pt")), said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("offset_days: 1", "offset_days: 0"), "O dia 0 não é depois do 0 do passo anterior, first."),
        (("name: visit", "name: first"), "O nome first já é do passo 1."),
        (("version: 1", "verzion: 1"), "Um plano não tem esse campo."),
        (("channel: letter", "channel: owl"), "Não se pode escolher"),
    ],
)
def test_a_fault_is_told_in_portuguese(changed: tuple[str, str], said: str) -> None:
    """At its line, as before; in words that one reads."""
    found = plan_in(GOOD.replace(*changed))
    assert isinstance(found, list)
    assert any(plan_fault_text(each.detail, words=words_of("pt")).startswith(said) for each in found)


def test_what_will_wait_is_told_too() -> None:
    """Warnings: the plan is good, and will not go as its days say."""
    found = plan_in(GOOD)
    assert isinstance(found, Plan)
    told = [*plan_warnings(found, min_days_between_contacts=3), *template_warnings(found)]
    texts = [plan_fault_text(each, words=words_of("es")) for each in told]
    assert any(each.startswith("El paso visit viene 1 días después de first") for each in texts)
    assert any("El paso visit necesita el texto visit" in each for each in texts)
