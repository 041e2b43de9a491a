"""The topics: one TOML file each in ``topics/``, read into frozen structs and checked.

The file's name is the topic's *logical* name; the physical one has the installation's
prefix before it. A topic with ``dead_letter = true`` brings ``<topic>.dlq`` with it.
Nothing here talks to a broker: ``cobranza topics`` compares and creates.
"""

from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

__all__ = [
    "DEAD_LETTER_SUFFIX",
    "PiiClass",
    "RegistryError",
    "SharedCount",
    "Topic",
    "dead_letter_of",
    "logical_name",
    "physical_name",
    "read_topic",
    "topic",
    "topics",
]

DEAD_LETTER_SUFFIX = ".dlq"
_DEAD_LETTER_RETENTION_DAYS = 400
_DEAD_LETTER_BYTES_MAX = 5 * 1024 * 1024
# A dead letter carries the original record and its reason headers.
_RECORD_BYTES_MAX = 4 * 1024 * 1024

SharedCount = Literal["journal", "source", "single"]
PiiClass = Literal["none", "pseudonymous", "personal"]
Unlimited = Literal["unlimited"]


class RegistryError(ValueError):
    """A topic file is wrong; says which file, which field and why."""


class Topic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic: contract, ownership and broker settings in one reviewable place.

    ``partitions`` names the count that it shares: ``journal`` (never changes: keys
    stay together across topics), ``source``, or ``single`` (1). ``external``: made by
    us only when it is missing; partitions and retention are its owner's choice.
    """

    description: str
    owner: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    key: str
    partitions: SharedCount
    retention_days: int | Unlimited
    cleanup: Literal["delete", "compact"]
    pii: PiiClass
    dead_letter: bool
    external: bool
    max_message_bytes: int
    timestamps: Literal["CreateTime", "LogAppendTime"]
    delete_retention_days: int | None = None
    name: str = ""


@cache
def topics() -> dict[str, Topic]:
    """Return every topic by logical name, dead-letter topics included, sorted by name.

    Raises:
        RegistryError: a file of the registry is wrong.
    """
    found: dict[str, Topic] = {}
    for file in resources.files("schemas").joinpath("topics").iterdir():
        if file.name.endswith(".toml"):
            one = read_topic(file.name.removesuffix(".toml"), content=file.read_text(encoding="utf-8"))
            found[one.name] = one
            if one.dead_letter:
                letters = _dead_letters(one)
                found[letters.name] = letters
    return dict(sorted(found.items()))


def topic(name: str) -> Topic:
    """Return the topic of this logical name.

    Raises:
        RegistryError: there is none.
    """
    try:
        return topics()[name]
    except KeyError:
        raise RegistryError(
            f"no topic {name!r} in schemas/topics; there are: {', '.join(topics())}"
        ) from None


def dead_letter_of(name: str) -> str:
    """Return the logical name of a topic's dead-letter topic.

    Raises:
        RegistryError: the topic is unknown or has none.
    """
    if not topic(name).dead_letter:
        raise RegistryError(f"topic {name!r} has no dead-letter topic (dead_letter = false)")
    return name + DEAD_LETTER_SUFFIX


def physical_name(name: str, *, prefix: str) -> str:
    """Return what a topic is called on the broker."""
    return prefix + name


def logical_name(physical: str, *, prefix: str) -> str | None:
    """Return the logical name behind a name on the broker, None when it is not ours."""
    name = physical.removeprefix(prefix)
    return name if physical.startswith(prefix) and name in topics() else None


def read_topic(name: str, *, content: str) -> Topic:
    """Read and check the content of one topic file.

    Raises:
        RegistryError: with the file, the field and what is wrong with it.
    """
    try:
        read = msgspec.toml.decode(content, type=Topic)
    except msgspec.DecodeError as error:
        raise RegistryError(f"topics/{name}.toml: {error}") from error
    found = msgspec.structs.replace(read, name=name)
    for problem in _problems(found, named_inside=bool(read.name)):
        raise RegistryError(f"topics/{name}.toml: {problem}")
    return found


def _problems(topic: Topic, *, named_inside: bool) -> list[str]:
    compacted = topic.cleanup == "compact"
    limited = topic.retention_days != "unlimited"
    checks = [
        (named_inside, "name: the file's name is the topic's name, do not repeat it"),
        (not topic.description, "description: is empty"),
        (not topic.owner, "owner: is empty"),
        (not topic.producers, "producers: names nobody"),
        (not topic.consumers, "consumers: names nobody"),
        (not topic.key, "key: say what the record key is"),
        (limited and _days(topic) < 1, 'retention_days: at least 1, or "unlimited"'),
        (limited and compacted, "retention_days: a compacted topic keeps its newest rows for ever"),
        (
            compacted != (topic.delete_retention_days is not None),
            "delete_retention_days: needed by a compacted topic, and only there",
        ),
        (
            not 0 < topic.max_message_bytes <= _RECORD_BYTES_MAX,
            f"max_message_bytes: 1 to {_RECORD_BYTES_MAX}, or its dead letters would not fit theirs",
        ),
        (
            topic.name.endswith(DEAD_LETTER_SUFFIX),
            "dead-letter topics have no file: say dead_letter = true in the topic's own",
        ),
    ]
    return [text for wrong, text in checks if wrong]


def _days(topic: Topic) -> int:
    return topic.retention_days if isinstance(topic.retention_days, int) else 0


def _dead_letters(source: Topic) -> Topic:
    return Topic(
        name=source.name + DEAD_LETTER_SUFFIX,
        description=f"Records of {source.name} that could not be used: original bytes, and why, in headers.",
        owner="cobranza",
        producers=source.consumers,
        consumers=("cobranza dlq",),
        key="as the original record",
        partitions="single",
        retention_days=_DEAD_LETTER_RETENTION_DAYS,
        cleanup="delete",
        pii=source.pii,
        dead_letter=False,
        external=False,
        max_message_bytes=_DEAD_LETTER_BYTES_MAX,
        timestamps="LogAppendTime",
    )
