"""R19, B-14: what providers said of a day's deliveries, and what followed, in sentences."""

import datetime
import re
from pathlib import Path
from typing import get_args

import pytest

from console.explaining.sentences import Teller
from console.explaining.words import LANGUAGES, words_of
from processors.fates import UNREACHED
from processors.retelling import retell
from schemas.outcomes import ErrorType
from tests.processors.test_retelling import story_journal

_STORY = """# a mail that bounces, and one that is complained of
customer email ana@c1.test address "Calle 1, Santiago" name "Ana"
plan default
    first      0 email
    second   +10 email
notifier email waits
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-02  tick
    expect reminder first INV-1 by email
2026-02-02 10:00  outcome email accepted
2026-02-03 10:00  outcome email bounced address_bounced at ana@c1.test
    expect failed gives-back INV-1:first
2026-02-03 12:00  tick
    expect withheld INV-1 first because failed until 2026-02-06
2026-02-03 13:00  outcome email complained at ana@c1.test
"""


def _lines(day: str, *, folder: Path, language: str) -> list[str]:
    records = story_journal(_STORY, folder=folder)
    told = retell(records, account="acme:C1", day=datetime.date.fromisoformat(day))
    return [
        re.sub(r"\[[0-9a-f]{32}\]", "[id]", line) for line in Teller(told, words=words_of(language)).day()
    ]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            [
                "  The reminder reached nobody after all; given back: INV-1 first [id].",
                "What providers said of deliveries on that day:",
                "  e-mail ana@c1.test: came back (there is no such address) [id]",
                "  e-mail ana@c1.test: the reader complained: no more by this channel [id]",
            ],
        ),
        (
            "es",
            [
                "  Al final el recordatorio no llegó a nadie; se devuelve: INV-1 first [id].",
                "Lo que los proveedores dijeron ese día de los envíos:",
                "  correo electrónico ana@c1.test: rebotó (la dirección no existe) [id]",
                "  correo electrónico ana@c1.test: el lector reclamó: nada más por este canal [id]",
            ],
        ),
    ],
)
def test_what_came_back_is_told(language: str, expected: list[str], tmp_path: Path) -> None:
    """By which address, what was said, and that the level was given back."""
    lines = _lines("2026-02-03", folder=tmp_path, language=language)
    assert expected == [line for line in lines if line in expected]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_provider_has_words(language: str) -> None:
    """Each fate, and each error that only a provider gives."""
    words = words_of(language)
    assert {*UNREACHED, "delivered", "complained"} == words.fates.keys()
    assert words.errors.keys() <= set(get_args(ErrorType))
