"""What the worklist says of a customer beside the reasons, in the user's language: the query says it in English."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Final

from console.web.inside.showing import Words, said
from notifiers.writing.figures import short_day_text

__all__ = ["detail_text"]

_SAID_ELSEWHERE: Final = re.compile(r"^proposal \S+$")
_PROMISED: Final = re.compile(r"^promised until (?P<day>\d{4}-\d\d-\d\d)$")
_DATED: Final = re.compile(
    r"^(?P<kind>[a-z_]+)(?P<item> .+)? (?P<what>until|review) (?P<day>\d{4}-\d\d-\d\d)$"
)
_TASK: Final = re.compile(r"^(?P<what>.+) \((?P<day>\d{4}-\d\d-\d\d)\)$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"^(?P<channel>email|sms|letter|task) of \S+$")
_ADDRESSES: Final = re.compile(r"^(?:[a-z]+/[a-z_]+)(?:, [a-z]+/[a-z_]+)*$")


def detail_text(detail: str, *, words: Words, prose: Callable[[str], str] = str) -> str:
    """Say a detail in the user's words; '' where its reason says it all; a text of people is given by ``prose``."""
    if _SAID_ELSEWHERE.match(detail):
        return ""
    if (dated := _dated(detail, words=words, prose=prose)) is not None:
        return dated
    if found := _UNKNOWN.match(detail):
        return str(words["details"]["unknown"]).format(name=words["channels"][found["channel"]])
    if _ADDRESSES.match(detail):
        return "; ".join(_address(each, words=words) for each in detail.split(", "))
    return prose(detail)


def _dated(detail: str, *, words: Words, prose: Callable[[str], str]) -> str | None:
    """Say a detail that has a day; None: it has none."""
    told: Mapping[str, str] = words["details"]
    if found := _PROMISED.match(detail):
        return told["promised"].format(day=_day(found, words=words))
    if found := _DATED.match(detail):
        kind = said(words, "holds" if found["kind"] in words["holds"] else "arrangements", found["kind"])
        name = f"{kind}{found['item'] or ''}"
        return told[found["what"]].format(name=name, day=_day(found, words=words))
    if found := _TASK.match(detail):
        # A summary is as people wrote it; without one the query says the type.
        typed = words["task_types"].get(found["what"].replace(" ", "_"))
        what = prose(found["what"]) if typed is None else typed
        return f"{what} ({_day(found, words=words)})"
    return None


def _day(found: re.Match[str], *, words: Words) -> str:
    return short_day_text(datetime.date.fromisoformat(found["day"]), language=words["language"])


def _address(each: str, *, words: Words) -> str:
    channel, _, error = each.partition("/")
    return f"{said(words, 'channels', channel)}: {said(words, 'reasons', error)}"
