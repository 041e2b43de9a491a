"""Which law holds for a debtor on a day: the company's own profiles and choices before the shipped ones."""

import datetime

from processors.law.days import is_open_day
from processors.law.shipped import shipped_choices, shipped_profiles
from schemas.commands import SetLaw
from schemas.events import CustomerUpserted
from schemas.law import DebtorKind, LawEdition, LawProfile
from schemas.rows import CustomerRow

__all__ = ["LawBook", "kind_of", "law_of", "place_of", "reached_at"]

_LOOK_BACK_DAYS = 31
_LAST_RESORT: dict[DebtorKind, str] = {"consumer": "strict", "business": "plain"}


def kind_of(customer: CustomerUpserted | None) -> DebtorKind:
    """Give the kind that the law sees: whoever is not known to be a business is a consumer."""
    return "business" if customer is not None and customer.kind == "business" else "consumer"


class LawBook:
    """The law as a company applies it."""

    __slots__ = ("_choices", "_editions", "_ids", "_open_days", "_profiles")

    def __init__(self, law: SetLaw | None = None) -> None:
        own = () if law is None else law.profiles
        self._profiles = shipped_profiles() | {each.id: each for each in own}
        self._choices = (*(() if law is None else law.choices), *shipped_choices())
        self._ids: dict[tuple[str, DebtorKind], str] = {}
        self._open_days: dict[tuple[str, DebtorKind, str, datetime.date], datetime.date] = {}
        self._editions: dict[tuple[str, DebtorKind, datetime.date], tuple[str, LawEdition]] = {}

    def profile_id(self, customer: CustomerRow | None) -> str:
        """Name the profile of a debtor, by its country and kind."""
        return self._profile_id(*place_of(customer))

    def profile(self, name: str) -> LawProfile | None:
        """Give a profile by id."""
        return self._profiles.get(name)

    def edition(self, customer: CustomerRow | None, *, on: datetime.date) -> LawEdition:
        """Give the rules for a debtor on a day."""
        return self.named_edition(customer, on=on)[1]

    def named_edition(self, customer: CustomerRow | None, *, on: datetime.date) -> tuple[str, LawEdition]:
        """Give profile id and rules for a debtor on a day.

        Where the profile had no rules yet, or has none any more, the default
        for the debtor's kind holds: strict or plain.
        """
        return self.placed_edition(*place_of(customer), on=on)

    def placed_edition(self, country: str, kind: DebtorKind, *, on: datetime.date) -> tuple[str, LawEdition]:
        """Give profile id and rules for whoever is of a kind in a country."""
        found = self._editions.get((country, kind, on))
        if found is None:
            found = self._editions[country, kind, on] = self._find(country, kind, on=on)
        return found

    def open_day(self, customer: CustomerRow | None, *, day: datetime.date, home: str) -> datetime.date:
        """Give the last day up to ``day`` on which a debtor, or the parent that is written to, may be contacted at all.

        Args:
            home: the company's country, for a debtor whose own is not known.
        """
        country, kind, _ = reached_at(customer)
        key = (country, kind, country or home, day)
        found = self._open_days.get(key)
        if found is None:
            found = day
            for _ in range(_LOOK_BACK_DAYS):
                rules = self.placed_edition(country, kind, on=found)[1].contacting
                if is_open_day(rules, day=found, country=country or home):
                    break
                found -= datetime.timedelta(days=1)
            else:
                found = day  # a law that is closed for weeks: the day itself, and the permits say when
            self._open_days[key] = found
        return found

    def editions(
        self, customer: CustomerRow | None, *, until_on: datetime.date
    ) -> list[tuple[datetime.date, LawEdition]]:
        """Give the rules for a debtor up to a day, each with the day from which they hold; the first from the first day there is.

        Each day has what ``edition`` gives for it: before a profile's first edition that of the default, which bears no
        interest unless a company has one of its own.
        """
        country, kind = place_of(customer)
        changes = {datetime.date.min}
        for name in (self._profile_id(country, kind), _LAST_RESORT[kind]):
            for each in self._profiles[name].editions:
                changes |= {each.start_on} if each.end_on is None else {each.start_on, each.end_on}
        held = sorted(each for each in changes if each <= until_on)
        return [(each, self.placed_edition(country, kind, on=each)[1]) for each in held]

    def _find(self, country: str, kind: DebtorKind, *, on: datetime.date) -> tuple[str, LawEdition]:
        for name in (self._profile_id(country, kind), _LAST_RESORT[kind]):
            for edition in reversed(self._profiles[name].editions):
                if edition.start_on <= on:
                    if edition.end_on is None or on < edition.end_on:
                        return name, edition
                    break
        last = _LAST_RESORT[kind]  # a company's own, which begins too late or has ended
        return last, shipped_profiles()[last].editions[-1]

    def _profile_id(self, country: str, kind: DebtorKind) -> str:
        name = self._ids.get((country, kind))
        if name is None:
            name = self._ids[country, kind] = next(
                (
                    each.profile
                    for each in self._choices
                    if each.country in ("", country) and each.kind in (None, kind)
                ),
                _LAST_RESORT[kind],
            )
        return name


def place_of(customer: CustomerRow | None) -> tuple[str, DebtorKind]:
    """Give what decides which law holds for a debtor: the country ('' when not known), and the kind."""
    said = None if customer is None else customer.customer
    return ("" if said is None else said.country, kind_of(said))


def reached_at(customer: CustomerRow | None) -> tuple[str, DebtorKind, str]:
    """Give (country, kind, zone) of whoever is written to: the parent, where the customer is dunned there (B-13)."""
    said = None if customer is None else customer.customer
    if customer is None or said is None:
        return "", "consumer", ""
    place = customer.parent_place
    if place is None or said.dunned_at != "parent" or not customer.parent_contacts:
        return said.country, kind_of(said), said.time_zone
    return place.country, "business" if place.kind == "business" else "consumer", place.time_zone


def law_of(law: SetLaw | None) -> LawBook:
    """Give the law of a company by what it has set; those that have set none share one."""
    return _AS_SHIPPED if law is None else LawBook(law)


_AS_SHIPPED = LawBook()
