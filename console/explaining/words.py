"""The words of explanations, one TOML file per language, read once and checked as a whole."""

import tomllib
from functools import cache
from importlib import resources
from typing import Final

import msgspec
from msgspec import Struct

from schemas.answers import AnswerKind
from schemas.facts import Reason
from schemas.fields import Channel

__all__ = ["LANGUAGES", "Words", "words_of"]

LANGUAGES: Final = ("en", "es", "pt")


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sentences with ``{braces}``; ``reasons`` has every reason, the other tables those that have a word.

    ``decimal`` and ``thousands`` separate figures; ``tasks`` are kinds of tasks, ``terms`` what became of
    something, or what it is.
    """

    decimal: str
    thousands: str

    head: str
    no_tick_yet: str
    no_tick: str
    before_hour: str
    looked: str
    lagging: str
    too_soon: str
    nothing_said: str
    decided: str
    items: str
    no_items: str
    late: str
    next: str
    next_nothing: str
    reminder: str
    reminder_nothing_due: str
    proposed: str
    message: str
    ended_sent: str
    ended_failed: str
    ended_superseded: str
    ended_dropped: str
    ended_cancelled: str
    ended_given_back: str
    providers: str
    provider_word: str
    retracted: str
    plan_finished: str
    task_opened: str
    task_closed: str
    exception: str
    other_fact: str
    item: str
    overdue: str
    overdue_one: str
    due_today: str
    not_due: str
    not_due_one: str
    settled: str
    cancelled: str
    in_reminder: str
    fate_open: str
    fate_sent: str
    fate_failed: str
    fate_superseded: str
    fate_dropped: str
    fate_cancelled: str
    withheld: str
    withheld_no_step: str
    judged_by: str
    until: str
    until_event: str
    said_first: str
    not_yet_said: str
    next_step: str
    no_next_step: str
    no_plan_step: str
    facts: str
    movement: str
    known_at: str
    known_after: str
    known_before_all: str
    requests: str
    heard: str
    not_due_yet: str
    foreseen: str
    foreseen_reminder: str
    foreseen_proposal: str
    foreseen_message: str
    foreseen_finished: str
    foreseen_task: str
    foreseen_withheld: str
    foreseen_follow_up: str
    nobody: str
    no_address: str
    opted_out: str
    opted_out_on: str
    by: str
    and_more: str
    channels: dict[Channel, str]
    answers: dict[AnswerKind, str]
    fates: dict[str, str]
    errors: dict[str, str]
    reasons: dict[Reason, str]
    values: dict[str, str]
    movements: dict[str, str]
    tasks: dict[str, str]
    terms: dict[str, str]
    events: dict[str, str]
    facts_of: dict[str, str]


@cache
def words_of(language: str) -> Words:
    """Give the words of ``'es'``, ``'pt'`` or ``'en'``; a region may follow. Others are told in English."""
    base = language.partition("-")[0]
    name = base if base in LANGUAGES else "en"
    text = resources.files("console.explaining").joinpath(f"words_{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Words)
