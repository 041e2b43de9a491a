"""A company's own law as a TOML file, or as one more rate; and laws as lines for people."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.errors import OperatorError
from processors.company import said_at
from processors.law.rate_tables import RateError, edition_on, speaks_through, with_rate
from processors.law.shipped import shipped_profiles
from schemas.commands import SetLaw
from schemas.law import Contacting, LawChoice, LawProfile, Rate

__all__ = ["edition_lines", "law_with_rate", "rate_lines", "read_law"]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    choices: tuple[LawChoice, ...] = ()
    profiles: tuple[LawProfile, ...] = ()


def read_law(path: Path, *, company: str, occurred_at: str, author: str) -> SetLaw:
    """Read a file into the command that publishes it.

    Raises:
        OperatorError: it is not there, no TOML, or of another shape; says where.
    """
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError) as error:
        raise OperatorError(f"{path}: {error}") from error
    return SetLaw(
        company=company,
        occurred_at=occurred_at,
        command=f"law/{occurred_at}",
        author=author,
        choices=found.choices,
        profiles=found.profiles,
    )


def law_with_rate(
    own: SetLaw | None, *, company: str, profile: str, currency: str, rate: Rate, author: str
) -> SetLaw:
    """Write a company's law with one more rate in a profile: its own of that id, else a copy of the one that ships.

    Raises:
        OperatorError: there is no such profile, or the rate does not fit into it.
    """
    known = {each.id: each for each in (() if own is None else own.profiles)}
    found = known.get(profile) or shipped_profiles().get(profile)
    if found is None:
        raise OperatorError(
            f"there is no law {profile!r}; there are {', '.join(sorted(shipped_profiles() | known))}"
        )
    try:
        known[profile] = with_rate(found, currency=currency, rate=rate)
    except RateError as error:
        raise OperatorError(str(error)) from error
    now = datetime.datetime.now(datetime.UTC)
    at = now if own is None else max(now, said_at(own) + datetime.timedelta(seconds=1))
    occurred_at = at.astimezone(datetime.UTC).isoformat(timespec="seconds")
    return SetLaw(
        company=company,
        occurred_at=occurred_at,
        command=f"law/{occurred_at}",
        author=author,
        choices=() if own is None else own.choices,
        profiles=tuple(known.values()),
    )


def rate_lines(own: SetLaw | None, *, on: datetime.date) -> Iterator[dict[str, str]]:
    """Give one line per table of rates that holds on a day, a company's own in the place of those that ship."""
    known = {each.id: each for each in (() if own is None else own.profiles)}
    for name, profile in sorted((shipped_profiles() | known).items()):
        edition = edition_on(profile, on=on)
        for terms in () if edition is None else edition.interest:
            through = speaks_through(terms.rates)
            newest = terms.rates[-1] if terms.rates else None
            yield {
                "profile": name,
                "own": "yes" if name in known else "",
                "currency": terms.currency or "any",
                "percent": "none: the company publishes its own" if newest is None else newest.percent,
                "since": "" if newest is None else newest.start_on.isoformat(),
                "through": "" if through is None else through.isoformat(),
                "ended": "yes" if through is not None and through < on else "",
            }


def edition_lines() -> Iterator[dict[str, str]]:
    """Give one line per shipped edition."""
    for name, profile in sorted(shipped_profiles().items()):
        for edition in profile.editions:
            yield {
                "profile": name,
                "from": edition.start_on.isoformat(),
                "until": "" if edition.end_on is None else edition.end_on.isoformat(),
                "hours": _hours(edition.contacting),
                "limits": "; ".join(_limits(edition.contacting)),
                "sources": "; ".join(edition.sources),
            }


def _hours(rules: Contacting) -> str:
    said = [
        f"{'–'.join(dict.fromkeys((each.days[0], each.days[-1])))} {each.opens:%H:%M}–{each.closes:%H:%M}"
        for each in rules.hours
    ]
    return ", ".join([*said, *([] if rules.holidays else ["no holidays"])])


def _limits(rules: Contacting) -> Iterator[str]:
    for each in rules.limits:
        yield f"{' and '.join(each.ways)}: {each.at_most} in {each.within_days} days"
    if rules.cool_off_days:
        yield f"no {' or '.join(rules.cool_off)} for {rules.cool_off_days} days after a conversation"
    if rules.one_channel_days:
        yield f"one channel in {rules.one_channel_days} days"
