"""Whom a person has chosen: accounts by name, or all that a filter of the worklist shows; and the query that says so again."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from msgspec import Struct
from starlette.datastructures import FormData, ImmutableMultiDict, QueryParams

from console.web.inside.access import Person
from infra.database.queries.worklist_page import WorkFilter

__all__ = ["FILTER_NAMES", "NAMED_MAX", "AskedFilter", "Chosen", "chosen_of", "filter_of", "filter_query"]

FILTER_NAMES = ("company", "why", "days", "responsible", "trust", "level", "not_called")
NAMED_MAX = 200  # accounts in one address
_TEXT_MAX = 200


class AskedFilter:
    """A dependency: the filter of the worklist that a page's query has."""

    def __init__(
        self,
        *,
        company: Annotated[str, Query(max_length=64)] = "",
        why: Annotated[str, Query(max_length=40)] = "",
        days: Annotated[str, Query(max_length=5)] = "",
        responsible: Annotated[str, Query(max_length=128)] = "",
        trust: Annotated[str, Query(max_length=10)] = "",
        level: Annotated[str, Query(max_length=64)] = "",
        not_called: Annotated[str, Query(max_length=5)] = "",
    ) -> None:
        self.given = {
            "company": company,
            "why": why,
            "days": days,
            "responsible": responsible,
            "trust": trust,
            "level": level,
            "not_called": not_called,
        }


class Chosen(Struct, frozen=True, kw_only=True):
    """Accounts by name; ``is_whole``: all others that the filter shows, too."""

    accounts: tuple[str, ...] = ()
    is_whole: bool = False
    given: dict[str, str] = {}

    def query(self) -> str:
        """Give the query string that chooses the same again."""
        whole = [("whole", "true"), *self.given.items()] if self.is_whole else []
        return urlencode([*(("accounts", each) for each in self.accounts), *whole])


def filter_of(given: dict[str, str], *, person: Person) -> WorkFilter:
    """Make the filter, for what this person may see; days that are no number are none."""
    days = given.get("days", "")
    return WorkFilter(
        companies=person.companies,
        company=given.get("company", ""),
        why=given.get("why", ""),
        days=int(days) if days.isascii() and days.isdecimal() else None,
        responsible=given.get("responsible", ""),
        trust=given.get("trust", ""),
        level=given.get("level", ""),
        not_called=given.get("not_called", "") == "true",
    )


def filter_query(given: dict[str, str]) -> str:
    """Give the query string of a filter: what is off is left out."""
    return urlencode({name: given[name] for name in FILTER_NAMES if given.get(name)})


def chosen_of(values: QueryParams | FormData, *, person: Person) -> Chosen:
    """Read what a page's query, or its form, has chosen; of companies that the person may not see nothing."""
    named = [each for each in _texts(values, "accounts") if person.sees(each.partition(":")[0])]
    given = {name: text for name in FILTER_NAMES if (text := (_texts(values, name) or [""])[0])}
    return Chosen(
        accounts=tuple(dict.fromkeys(named))[:NAMED_MAX],
        is_whole=_texts(values, "whole") == ["true"],
        given=given,
    )


def _texts(values: ImmutableMultiDict[str, object], name: str) -> Sequence[str]:
    return [each[:_TEXT_MAX] for each in values.getlist(name) if isinstance(each, str)]
