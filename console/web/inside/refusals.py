"""Why the ledger refused something, in the user's language: it says so in English, for logs and the command line."""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["refusal_text"]

# From what the ledger says to the word of [refusals] that says it to people.
_SAID: Final = (
    ("nothing_waits", re.compile(r"^nothing waits$|waits for nobody$")),
    ("already_so", re.compile(r"^already so$")),
    ("empty", re.compile(r"^empty$")),
    (
        "changed",
        re.compile(
            r"^changed meanwhile$|^reminder \S+ is at revision \d+ by now|^reminder \S+ was changed \d+ times"
        ),
    ),
    (
        "too_soon",
        re.compile(r"^too soon|^the last contact was on (?P<last>[\d-]+): too soon before (?P<until>[\d-]+)"),
    ),
    ("goes_again", re.compile(r"would go again by itself")),
    (
        "nothing_to_undo",
        re.compile(r"is not approved$|is as its plan has it$|was not dropped: |waits for nothing any more$"),
    ),
    ("too_late", re.compile(r"cannot be called back")),
)


def refusal_text(detail: str, *, words: Mapping[str, Any]) -> str:
    """Say it in the user's words; what has none stays as it was said."""
    known = next((name for name, pattern in _SAID if pattern.search(detail)), "")
    return str(words["refusals"][known]) if known else detail
