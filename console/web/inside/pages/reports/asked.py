"""What a request says about a report: its filters, read from the address and from forms alike."""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import HTTPException, Query
from msgspec import ValidationError, convert, structs

from console.web.inside.access import Person
from console.web.inside.asking import WrongRequestError
from console.web.inside.given import is_askable
from console.web.inside.parts import InsideParts
from console.web.inside.reporting.asking import EDGES, Filters, ReportAsked, edges_of
from console.web.inside.reporting.catalogue import REPORTS, Report
from infra.database.engine import reading
from infra.database.queries.moment import business_now, company_day

__all__ = ["DAYS_MAX", "as_query", "asked_by", "filters_asked", "filters_of_query", "report_named"]

DAYS_MAX: Final = 3_660
_NAMES: Final = frozenset(Filters.__struct_fields__)
_Short = Annotated[str, Query(max_length=64)]
_Name = Annotated[str, Query(max_length=200)]


def filters_asked(
    *,
    company: _Short = "",
    account: _Name = "",
    responsible: _Name = "",
    trust: _Short = "",
    currency: _Short = "",
    channel: _Short = "",
    fate: _Short = "",
    kind: _Short = "",
    edges: _Short = "",
    late: Annotated[int, Query(ge=0, le=DAYS_MAX)] = 0,
    days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = 90,
    columns: Annotated[list[str] | None, Query(max_length=40)] = None,
) -> Filters:
    """Read filters from an address.

    Raises:
        WrongRequestError: the edges of the age buckets are none.
    """
    try:
        days_of_buckets = edges_of(edges) if edges.strip() else EDGES
    except ValueError as error:
        raise WrongRequestError([str(error)]) from error
    return Filters(
        company=company,
        account=account.strip(),
        responsible=responsible,
        trust=trust,
        currency=currency,
        channel=channel,
        fate=fate,
        kind=kind,
        edges=days_of_buckets,
        late=late,
        days=days,
        columns=tuple(columns or ()),
    )


def filters_of_query(query: str) -> tuple[Filters, datetime.date | None]:
    """Read what a form says about the page that it stands on: filters, and the day.

    Raises:
        WrongRequestError: they are none.
    """
    fields = dict(parse_qsl(query))
    fields.pop("after", None)
    day = fields.pop("on", "")
    told: dict[str, object] = {
        **fields,
        "columns": [each for name, each in parse_qsl(query) if name == "columns"],
    }
    try:
        if "edges" in told:
            told["edges"] = edges_of(fields["edges"])
        filters = convert({name: told[name] for name in told if name in _NAMES}, Filters, strict=False)
        on = datetime.date.fromisoformat(day) if day else None
    except (ValueError, ValidationError) as error:
        raise WrongRequestError([str(error)]) from error
    if on is not None and not is_askable(on):
        raise WrongRequestError([f"{on} is a day of no year that is asked about"])
    return filters, on


def report_named(name: str) -> Report:
    """Give a report.

    Raises:
        HTTPException: 404: there is none of that name.
    """
    found = REPORTS.get(name)
    if found is None:
        raise HTTPException(404)
    return found


def asked_by(
    parts: InsideParts, person: Person, filters: Filters, *, on: datetime.date | None
) -> ReportAsked:
    """Say what is asked; no day: that which it is at the company, or of the clock where there are several."""
    if on is None:
        with reading(parts.engine) as connection:
            company = filters.company or filters.account.partition(":")[0]
            wall = parts.clock()
            on = (
                company_day(connection, company, wall=wall)
                if company
                else business_now(connection, wall=wall).date()
            )
    return ReportAsked(person=person, on=on, filters=filters)


def as_query(filters: Filters, **more: str) -> list[tuple[str, str]]:
    """Give filters as the fields of an address, those that are not as usual; ``more`` before them."""
    usual: Mapping[str, Any] = structs.asdict(Filters())
    fields = [(name, value) for name, value in more.items() if value]
    for name, value in structs.asdict(filters).items():
        if value == usual[name]:
            continue
        if name == "columns":
            fields += [(name, each) for each in value]
        else:
            fields.append((name, ",".join(map(str, value)) if name == "edges" else str(value)))
    return fields
