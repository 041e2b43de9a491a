"""Company days: time zones, business days, and instants of a local day; no clock is read here."""

import calendar
import datetime
import functools
import zoneinfo

import holidays
from holidays.registry import EntityLoader

__all__ = [
    "add_business_days",
    "business_day",
    "business_day_before",
    "end_of_month",
    "epoch_s",
    "instant_of",
    "is_business_day",
    "is_holiday",
    "known_countries",
    "local_day",
    "local_hour",
    "next_business_day",
    "told_at",
    "zone_of",
]

# Zone rules are part of what a fold depends on: the locked tzdata, never the machine's own files.
zoneinfo.reset_tzpath(to=())

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SATURDAY = 5
_DAY = datetime.timedelta(days=1)
_SECOND = datetime.timedelta(seconds=1)


@functools.cache
def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Give the zone of an IANA name, such as ``America/Santiago``.

    Raises:
        ValueError: no such zone.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"no such time zone: {name!r}") from error


@functools.cache
def known_countries() -> frozenset[str]:
    """Give the ISO 3166 codes of the countries whose holidays are known."""
    # The library's own list of countries loads all their calendars: a second's work in the midst of the first fold.
    return frozenset(EntityLoader.get_country_codes())


@functools.lru_cache(maxsize=4096)  # most of a day's events say the same day
def business_day(when: str, zone: zoneinfo.ZoneInfo) -> datetime.date:
    """Give the company day of a business time (SEMANTICS 2.4).

    Args:
        when: ``YYYY-MM-DD`` (that very day), or RFC 3339 with an offset.
        zone: the company's zone.

    Raises:
        ValueError: it is neither.
    """
    if len(when) == 10:
        if when[4] != "-" or when[7] != "-":  # ISO 8601 week dates are ten long, too
            raise ValueError(f"not a day: {when!r}")
        return datetime.date.fromisoformat(when)
    instant = datetime.datetime.fromisoformat(when)
    if instant.tzinfo is None:
        raise ValueError(f"a time needs an offset: {when!r}")
    return instant.astimezone(zone).date()


def told_at(when: str, zone: zoneinfo.ZoneInfo) -> datetime.datetime:
    """Give the instant of a business time, to tell which of two is the later; a day without a time begins it (SEMANTICS 2.4).

    Args:
        when: ``YYYY-MM-DD``, or RFC 3339 with an offset: times of two zones are not to be compared as they are written.
        zone: whose midnight begins the day.
    """
    if is_day(when):
        return instant_of(datetime.date.fromisoformat(when), hour=0, zone=zone)
    return datetime.datetime.fromisoformat(when)


def is_day(when: str) -> bool:
    """Say whether a business time is a day without a time."""
    return len(when) == 10


def local_day(at: datetime.datetime, zone: zoneinfo.ZoneInfo) -> datetime.date:
    """Give the company day of an instant."""
    return at.astimezone(zone).date()


def local_hour(at: datetime.datetime, zone: zoneinfo.ZoneInfo) -> int:
    """Give the hour, 0 to 23, that a clock in the zone shows at an instant."""
    return at.astimezone(zone).hour


def instant_of(day: datetime.date, *, hour: int, zone: zoneinfo.ZoneInfo) -> datetime.datetime:
    """Give the instant (UTC) of a full local hour; the earlier one where clocks go back."""
    local = datetime.datetime(day.year, day.month, day.day, hour, tzinfo=zone)
    return local.astimezone(datetime.UTC)


def epoch_s(at: datetime.datetime) -> int:
    """Give whole seconds since 1970 of an instant, rounded down."""
    return (at - _EPOCH) // _SECOND


def instant_of_ms(epoch_ms: int) -> datetime.datetime:
    """Give the instant of milliseconds since 1970, as Kafka stamps records."""
    return _EPOCH + datetime.timedelta(milliseconds=epoch_ms)


@functools.cache
def _holidays(country: str) -> holidays.HolidayBase | None:
    return holidays.country_holidays(country) if country in known_countries() else None


@functools.lru_cache(maxsize=65_536)
def is_business_day(day: datetime.date, *, country: str = "") -> bool:
    """Say whether a day is worked on: no weekend, no public holiday.

    A country that is not known (or ``''``) has no holidays, and weekends on
    Saturday and Sunday.
    """
    known = _holidays(country)
    if known is None:
        return day.weekday() < _SATURDAY
    return bool(known.is_working_day(day))


@functools.lru_cache(maxsize=65_536)
def is_holiday(day: datetime.date, *, country: str) -> bool:
    """Say whether a day is a public holiday; a country that is not known (or ``''``) has none."""
    known = _holidays(country)
    return known is not None and day in known


def next_business_day(day: datetime.date, *, country: str = "") -> datetime.date:
    """Give the first business day on or after ``day`` (R6)."""
    while not is_business_day(day, country=country):
        day += _DAY
    return day


def business_day_before(day: datetime.date, *, country: str = "") -> datetime.date:
    """Give the last business day before ``day`` (R21)."""
    day -= _DAY
    while not is_business_day(day, country=country):
        day -= _DAY
    return day


def add_business_days(day: datetime.date, count: int, *, country: str = "") -> datetime.date:
    """Give the day that is ``count`` business days after ``day`` (R21, SEMANTICS 2.3)."""
    while count > 0:
        day += _DAY
        count -= is_business_day(day, country=country)
    return day


def end_of_month(day: datetime.date) -> datetime.date:
    """Give the last day of the month that ``day`` is in."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
