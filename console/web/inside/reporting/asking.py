"""What a report is asked for: filters that can be kept under a name, who asks, and as of which day."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta, Struct
from sqlalchemy import Connection

from console.web.inside.access import Person
from console.web.inside.masking import masked_text
from infra.database.queries.account_choice import AccountChoice
from infra.database.queries.customer_sheet import contact_names

__all__ = ["EDGES", "Filters", "ReportAsked", "edges_of"]

EDGES: Final = (30, 60, 90)
_EDGES_MAX: Final = 8
_EDGE_MAX: Final = 3_660


_Id = Annotated[str, Meta(max_length=64)]
_Name = Annotated[str, Meta(max_length=200)]
_Days = Annotated[int, Meta(ge=1, le=_EDGE_MAX)]


class Filters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a report is asked for; '' and 0: all of it.

    ``edges`` are the last days of the age buckets, ``late`` the fewest days overdue, ``days`` the window
    of figures and of what happened; ``columns`` none: all.
    """

    company: _Id = ""
    account: _Name = ""
    responsible: _Name = ""
    trust: _Id = ""
    currency: _Id = ""
    channel: _Id = ""
    fate: _Id = ""
    kind: _Id = ""
    edges: Annotated[tuple[_Days, ...], Meta(max_length=_EDGES_MAX)] = EDGES
    late: Annotated[int, Meta(ge=0, le=_EDGE_MAX)] = 0
    days: _Days = 90
    columns: Annotated[tuple[_Id, ...], Meta(max_length=40)] = ()


class ReportAsked(Struct, frozen=True, kw_only=True):
    """A report that is asked for by a person, as of the end of a day."""

    person: Person
    on: datetime.date
    filters: Filters = Filters()

    @property
    def first_on(self) -> datetime.date:
        """Give the first day of the window."""
        return self.on - datetime.timedelta(days=self.filters.days - 1)

    @property
    def companies(self) -> tuple[str, ...] | None:
        """Give the companies that are asked for and may be seen; None: all there are."""
        company = self.filters.company or self.filters.account.partition(":")[0]
        if not company:
            return self.person.companies or None
        return (company,) if self.person.sees(company) else ()

    def sees(self, company: str) -> bool:
        """Say whether a company is asked for, and may be seen."""
        companies = self.companies
        return companies is None or company in companies

    def hidden_names(
        self, connection: Connection, *, accounts: Collection[str]
    ) -> Mapping[str, tuple[str, ...]]:
        """Give by account whom the person who asks may not read of: to viewers the customers' contacts."""
        return {} if self.person.may("collector") else contact_names(connection, accounts=accounts)

    def prose(self, text: str, *, names: Iterable[str]) -> str:
        """Give what somebody wrote as the person who asks may read it."""
        return text if self.person.may("collector") else masked_text(text, names=names)

    def choice(self, *, untouched: bool = False, asked: bool = False) -> AccountChoice:
        """Give the accounts that it is about; of ``asked``, those alone of whom there may be something in its days."""
        return AccountChoice(
            companies=self.companies,
            account=self.filters.account,
            responsible=self.filters.responsible,
            trust=self.filters.trust,
            untouched_on=self.on if untouched else None,
            asked_between=(self.first_on, self.on) if asked else None,
        )


def edges_of(text: str) -> tuple[int, ...]:
    """Read the edges of age buckets: '30, 60, 90'.

    Raises:
        ValueError: they are no ascending days, or too many.
    """
    try:
        edges = tuple(int(each) for each in text.replace(";", ",").split(",") if each.strip())
    except ValueError as error:
        raise ValueError(f"{text!r}: days, parted by commas") from error
    ordered = all(one < other for one, other in pairwise(edges))
    if not 1 <= len(edges) <= _EDGES_MAX or not ordered or edges[0] < 1 or edges[-1] > _EDGE_MAX:
        raise ValueError(f"{text!r}: 1 to {_EDGES_MAX} ascending days from 1 to {_EDGE_MAX}")
    return edges
