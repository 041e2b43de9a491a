"""Why the ledger refused something, in the user's language: it says so in English, for logs and the command line."""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["refusal_text"]

# From what the ledger says to the word of [refusals] that says it to people.
_SAID: Final = (
    ("nothing_waits", re.compile(r"^nothing waits$|waits for nobody$")),
    ("already_so", re.compile(r"^already so$")),
    ("not_seen", re.compile(r"^of a company that its author does not see$")),
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
    ("promise_past", re.compile(r"is before \S+, the day of the promise")),
    ("promises_made", re.compile(r"^(?P<count>\d+) promises have been made in this episode$")),
    ("nothing_to_cover", re.compile(r"^nothing is open in (?P<currency>\S+) that it could cover$")),
    ("over", re.compile(r"^there is no such (?:promise|dispute|payment plan), or it is (?:over|decided)$")),
    ("first_past", re.compile(r"^the first instalment would be due on ")),
    ("in_plan", re.compile(r"^(?P<item>.+) is in a payment plan already$")),
    ("too_little", re.compile(r"are open and not held: too little to split$")),
    ("decimals", re.compile(r"has more than the (?P<decimals>\d+) decimals of (?P<currency>\S+)$")),
    ("no_amount", re.compile(r"^amount .+ is no decimal such as ")),
    ("no_currency", re.compile(r"^currency .+ is not in ISO 4217$")),
    ("said_otherwise", re.compile(r"^the same key came with other content")),
    ("forgotten", re.compile(r"^what is dated \S+ or before is forgotten$")),
    ("has_cleared", re.compile(r"^it cannot be deposited: it has cleared$")),
    ("is_reversed", re.compile(r"^it cannot be (?:deposited|cleared|returned): it is reversed$")),
    ("no_master_data", re.compile(r"^the customer has no master data yet")),
)


def refusal_text(detail: str, *, words: Mapping[str, Any]) -> str:
    """Say it in the user's words; what has none stays as it was said."""
    for name, pattern in _SAID:
        found = pattern.search(detail)
        if found is not None:
            return str(words["refusals"][name]).format(**found.groupdict())
    return detail
