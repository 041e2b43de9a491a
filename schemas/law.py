"""What a law profile is: dated editions of contact rules, texts, interest, fixed sums and cost caps, with sources.

The shipped files (``processors/law/profiles``, TOML) and the profiles of a
``collections.law.set.v1`` have this one shape. It is data about the law of a
place, not legal advice.
"""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Amount, Channel, TextLanguage

__all__ = [
    "Contacting",
    "CostBand",
    "CostCap",
    "DebtorKind",
    "FixedSum",
    "Hours",
    "Interest",
    "LawChoice",
    "LawEdition",
    "LawPlace",
    "LawProfile",
    "LawTerms",
    "LegalText",
    "Limit",
    "Rate",
    "Way",
    "Weekday",
]

DebtorKind = Literal["consumer", "business"]  # unknown counts as consumer
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# Calls and visits are limited apart from whatever is written (mail, SMS, letter).
Way = Literal["call", "message"]
ProfileId = Annotated[str, Meta(min_length=1, max_length=64)]
_Text = Annotated[str, Meta(min_length=1, max_length=2000)]
_Percent = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=12,
        description="Percent a year as decimal text: '10.15'.",
        extra_json_schema={"pattern": r"^-?[0-9]{1,4}(\.[0-9]{1,6})?$"},
    ),
]


class _Part(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A part of an edition."""


class Hours(_Part, frozen=True, kw_only=True):
    """On these weekdays, from ``opens`` (included) to ``closes`` (excluded), in the debtor's time zone."""

    days: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)]
    opens: datetime.time
    closes: datetime.time


class Limit(_Part, frozen=True, kw_only=True):
    """At most ``at_most`` contacts in any ``within_days`` consecutive days of the debtor's zone.

    ``ways`` are counted together. "At least 2 days apart" is one within 2 days.
    """

    ways: Annotated[tuple[Way, ...], Meta(min_length=1, max_length=2)] = ("call", "message")
    at_most: Annotated[int, Meta(ge=1, le=1000)]
    within_days: Annotated[int, Meta(ge=1, le=366)]


class Contacting(_Part, frozen=True, kw_only=True):
    """When and how often a debtor may be contacted.

    ``hours`` empty: at any hour. ``holidays``: contact is allowed on public
    holidays of the debtor's country. ``cool_off_days``: so many days, the
    day of a conversation being the first, without a ``cool_off`` way.
    ``one_channel_days``: after a contact, no other channel for so many days,
    its day included. ``register_days`` is how long each contact is kept.
    """

    hours: Annotated[tuple[Hours, ...], Meta(max_length=14)] = ()
    holidays: bool = True
    limits: Annotated[tuple[Limit, ...], Meta(max_length=20)] = ()
    cool_off: Annotated[tuple[Way, ...], Meta(max_length=2)] = ()
    cool_off_days: Annotated[int, Meta(ge=0, le=366)] = 0
    one_channel_days: Annotated[int, Meta(ge=0, le=366)] = 0
    opt_out: Annotated[tuple[Channel, ...], Meta(max_length=4)] = ()  # messages that must say how to opt out
    register_days: Annotated[int, Meta(ge=400, le=36_500)] = 731


class LegalText(_Part, frozen=True, kw_only=True):
    """A text that a message must carry; ``levels_only``: courtesies need it not."""

    language: TextLanguage
    text: _Text
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=4)] = ("email", "letter")
    levels_only: bool = True


class Rate(_Part, frozen=True, kw_only=True):
    """A yearly percentage that holds from a day until the next one's."""

    start_on: datetime.date
    percent: _Percent


class Interest(_Part, frozen=True, kw_only=True):
    """Statutory late interest of one currency, simple, from the day after the due date.

    ``rates`` ascend by day and include ``margin_percent``; a day before the
    first has none. Empty: the law allows interest whose rates the company
    must publish itself.
    """

    currency: Annotated[str, Meta(max_length=3)] = ""  # "": any
    margin_percent: _Percent = "0"
    days_in_year: Literal[360, 365] = 365
    rates: Annotated[tuple[Rate, ...], Meta(max_length=400)] = ()


class FixedSum(_Part, frozen=True, kw_only=True):
    """A fixed compensation, once per item whose amount is ``from_amount`` or more: the highest that fits.

    Either ``amount`` or ``percent`` of the item's amount.
    """

    currency: Annotated[str, Meta(max_length=3)] = ""
    from_amount: Amount = "0"
    amount: Amount = "0"
    percent: _Percent = "0"


class CostBand(_Part, frozen=True, kw_only=True):
    """Of the part of a debt up to ``up_to`` units, at most ``percent``; no ``up_to``: of all above."""

    percent: _Percent
    up_to: Amount | None = None


class CostCap(_Part, frozen=True, kw_only=True):
    """What collection may cost the debtor: nothing in the first ``free_days`` overdue, then bands.

    ``unit`` is a currency, or a unit of account (``UF``) whose value the
    company publishes; '' where there is one band only. Bands ascend; each
    applies to the part of the debt in it.
    """

    free_days: Annotated[int, Meta(ge=0, le=366)] = 0
    unit: Annotated[str, Meta(max_length=3)] = ""
    bands: Annotated[tuple[CostBand, ...], Meta(min_length=1, max_length=20)]


class LawEdition(_Part, frozen=True, kw_only=True):
    """The rules that hold from ``start_on`` until the day before ``end_on``, or the next edition's start.

    ``sources`` say where each rule was read, and when.
    """

    start_on: datetime.date
    end_on: datetime.date | None = None
    sources: Annotated[tuple[_Text, ...], Meta(min_length=1, max_length=20)]
    contacting: Contacting = Contacting()
    texts: Annotated[tuple[LegalText, ...], Meta(max_length=40)] = ()
    interest: Annotated[tuple[Interest, ...], Meta(max_length=40)] = ()
    fixed_sums: Annotated[tuple[FixedSum, ...], Meta(max_length=40)] = ()
    cost_cap: CostCap | None = None


class LawProfile(_Part, frozen=True, kw_only=True):
    """The law of a jurisdiction for a kind of debtor; editions ascend by ``start_on``."""

    id: ProfileId
    name: Annotated[str, Meta(max_length=200)] = ""
    editions: Annotated[tuple[LawEdition, ...], Meta(min_length=1, max_length=100)]


class LawChoice(_Part, frozen=True, kw_only=True):
    """Which profile holds for debtors of a country and kind.

    ``country`` '' is any country that no choice names; ``kind`` None is both.
    """

    profile: ProfileId
    country: Annotated[str, Meta(max_length=2)] = ""
    kind: DebtorKind | None = None


class LawPlace(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What decides which law of contact holds for a person: its kind and country, and its zone; '' where not known."""

    kind: Literal["business", "consumer", "unknown"] = "unknown"
    country: str = ""
    time_zone: str = ""


class LawTerms(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The rules of contact that a message was decided under, for whoever sends it to check again.

    ``profile`` names the law, ``country`` is the one whose holidays count,
    ``time_zone`` the debtor's.
    """

    profile: str
    time_zone: str
    country: str = ""
    contacting: Contacting = Contacting()
