"""What is wrong with a plan, and what of it will wait, in the user's language: the core says it in English, for logs and the command line."""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["PLAN_FAULTS", "plan_fault_text"]

_PATH: Final = re.compile(r" - at `(?P<path>\$[^`]*)`$")
_Q: Final = "['\"]"  # a name is quoted by one or the other
# From what the core says to the word of [plan_faults] that says it to people; what it names is filled in.
PLAN_FAULTS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern.replace("~", _Q))
    for name, pattern in (
        ("too_large", r"^is too large for a plan"),
        ("no_yaml", r"^no YAML: (?P<detail>.*)$"),
        ("key_twice", r"^is there twice$"),
        ("unknown_field", r"^Unknown field$"),
        ("missing_field", r"^Missing required field$"),
        ("expected", r"^Expected (?P<what>.+)$"),
        ("no_such_value", r"^Invalid (?:enum )?value (?P<value>.+)$"),
        ("other_plan", r"^this page is of plan ~(?P<plan>.*)~$"),
        ("published", r"^version (?P<newest>\d+) is published already: the next is (?P<next>\d+)$"),
        ("name_taken", r"^name ~(?P<name>.*)~ is taken by step (?P<step>\d+)$"),
        ("month_end_courtesy", r"^the end of a month may be after the due date"),
        ("first_anchor", r"^the first step has no reminder before it"),
        ("courtesy_anchor", r"^a step before the due date counts from it"),
        ("not_later", r"^offset (?P<offset>-?\d+) is not later than (?P<before>-?\d+) of step ~(?P<step>.*)~"),
        ("unprintable", r"^name .* has characters that do not print$"),
        ("no_template_name", r"^template ~(?P<template>.*)~ is no template's name"),
        ("negative", r"^(?:fee|amount) (?P<amount>\S+) is negative$"),
        ("courtesy_fee", r"^a courtesy costs nothing"),
        ("channel_twice", r"^channel ~(?P<channel>.*)~ is there twice"),
        ("copies", r"^copies go with a mail"),
        ("role_twice", r"^role ~(?P<role>.*)~ is there twice"),
        ("task_only", r"^only a task has a (?P<field>\w+)$"),
        ("timeout", r"^only a blocking step times out$"),
        ("blocking_task", r"^a blocking step is one task"),
        ("blocking_early", r"^nothing is blocked before the due date$"),
        ("blocking_automatic", r"^a blocking step is a person's anyway"),
        ("no_condition", r"^says nothing: give a condition"),
        ("country", r"^country ~(?P<country>.*)~ is not known$"),
        ("no_meaning", r"^has no meaning where after_last is ~(?P<after>.*)~$"),
        ("needs", r"^after_last ~(?P<after>.*)~ needs (?P<field>\w+)$"),
        ("repeat_unsent", r"^only a level that is sent can be repeated"),
        ("part_paid", r"^part_paid_percent and part_paid_delay_days go together$"),
        ("currency", r"^currency ~(?P<currency>.*)~ is not in ISO 4217$"),
        ("no_amount", r"^amount ~(?P<amount>.*)~ (?:is no decimal|has more than)"),
        ("waits_gap", r"^step ~(?P<step>.*)~ comes (?P<apart>\d+) days after ~(?P<before>.*)~, and contacts keep (?P<days>\d+)"),
        ("waits_pay", r"^step ~(?P<before>.*)~ gives (?P<days>\d+) days to pay, and ~(?P<step>.*)~ comes after (?P<apart>\d+)"),
        ("waits_month", r"^step ~(?P<before>.*)~ comes at the end of a month, which may be after the day of ~(?P<step>.*)~:"),
        ("waits_repeat", r"^the last step repeats every (?P<every>\d+) days, and contacts keep (?P<days>\d+)"),
        ("no_template", r"^step ~(?P<step>.*)~ needs template ~(?P<template>.*)~, which does not ship \(there are (?P<there>.*)\)$"),
        ("no_copies", r"^step ~(?P<step>.*)~ names who gets a copy, and no customer of this plan"),
    )
}  # fmt: skip


def plan_fault_text(said: str, *, words: Mapping[str, Any]) -> str:
    """Say it in the user's words; what has none stays as it was said. Where it is, is left out."""
    bare = _PATH.sub("", said)
    for name, pattern in PLAN_FAULTS.items():
        if found := pattern.search(bare):
            return str(words["plan_faults"][name]).format(**found.groupdict())
    return bare
