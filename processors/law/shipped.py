"""The law profiles that come with the package: TOML files, read once. They are part of the fold's version.

A ledger that is replayed must meet the same law: an edition that has been
shipped is never changed. A law that changes is a new edition with its day;
a correction of the past is a new fold version (``digest`` is pinned by a test).
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from schemas.law import LawChoice, LawProfile

__all__ = ["digest", "shipped_choices", "shipped_profiles"]

_CHOICES = "choices.toml"


class _Choices(Struct, frozen=True, forbid_unknown_fields=True):
    choices: tuple[LawChoice, ...]


def _files() -> Iterator[tuple[str, bytes]]:
    folder = resources.files("processors.law").joinpath("profiles")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            yield file.name, file.read_bytes()


@cache
def shipped_profiles() -> dict[str, LawProfile]:
    """Give every shipped profile by id.

    Raises:
        ValueError: a file is not named after its profile.
        msgspec.ValidationError: a file is no profile.
    """
    found: dict[str, LawProfile] = {}
    for name, content in _files():
        if name != _CHOICES:
            profile = msgspec.toml.decode(content, type=LawProfile)
            if name != f"{profile.id}.toml":
                raise ValueError(f"{name} holds the profile {profile.id!r}")
            found[profile.id] = profile
    return found


@cache
def shipped_choices() -> tuple[LawChoice, ...]:
    """Give the shipped order in which a debtor's profile is looked for."""
    content = dict(_files())[_CHOICES]
    return msgspec.toml.decode(content, type=_Choices).choices


def digest() -> str:
    """Sum up what is shipped: what it says, not how it is written."""
    plain = msgspec.json.encode(
        [shipped_choices(), [shipped_profiles()[name] for name in sorted(shipped_profiles())]]
    )
    return hashlib.blake2s(plain, digest_size=12).hexdigest()
