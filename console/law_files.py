"""A company's own law as a TOML file, and the shipped one as lines for people."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.errors import OperatorError
from processors.law.shipped import shipped_profiles
from schemas.commands import SetLaw
from schemas.law import Contacting, LawChoice, LawProfile

__all__ = ["edition_lines", "read_law"]


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
