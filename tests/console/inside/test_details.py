"""What the worklist says beside its reasons is in the user's language, days included; what people wrote stays."""

import pytest

from console.web.inside.details import detail_text
from console.web.inside.showing import words_of


@pytest.mark.parametrize(
    ("language", "detail", "expected"),
    [
        ("es", "bank line (2026-02-09)", "movimiento bancario sin cliente (9 feb 2026)"),
        ("pt", "Call about what is open (2026-02-17)", "Call about what is open (17 de fev. de 2026)"),
        ("en", "promised until 2026-02-21", "promised until Feb 21, 2026"),
        ("es", "proposal r-1", ""),
        ("es", "asked for it (twice)", "asked for it (twice)"),
    ],
)
def test_details_are_said_in_the_users_words(language: str, detail: str, expected: str) -> None:
    """S0-21: a task with its day; a type of task is translated, its summary is not."""
    assert expected == detail_text(detail, words=words_of(language))
