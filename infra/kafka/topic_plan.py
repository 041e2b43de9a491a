"""What must change so that the broker's topics are the registry's; pure, nothing is done here.

A change is *create*, *alter* or *refused*. What would lose records, move keys away from
their partition or weaken a promise is refused, one sentence each; a person does it by
hand, or not at all.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from infra.settings import Settings
from schemas.registry import Topic, logical_name, physical_name, topics

__all__ = ["Change", "ExistingTopic", "WantedTopic", "changes", "is_ours", "wanted_topics"]

_DAY_MS: Final = 86_400_000
_UNLIMITED: Final = -1
# Where a smaller value would lose records, or refuse some that are let in today.
_MAY_ONLY_GROW: Final = {
    "retention.ms": "records would be deleted",
    "delete.retention.ms": "a standby that was away would miss deletions",
    "max.message.bytes": "records that are let in today would be refused",
    "min.insync.replicas": "acknowledged records could be lost",
}
_OUR_NAMES: Final = ("ledger.", "collections.", "notify.")


class WantedTopic(Struct, frozen=True, kw_only=True):
    """A topic as it should be on the broker, under its physical name."""

    name: str
    topic: Topic
    partitions: int
    replication_factor: int
    configs: dict[str, str]


class ExistingTopic(Struct, frozen=True, kw_only=True):
    """A topic as it is on the broker; ``configs`` are the values in force."""

    name: str
    partitions: int
    replication_factor: int
    configs: dict[str, str]


class Change(Struct, frozen=True, kw_only=True):
    """One thing that differs: what would be done, or why it is refused."""

    action: Literal["create", "alter", "refused"]
    topic: str
    text: str
    config: tuple[str, str] | None = None


def wanted_topics(settings: Settings) -> dict[str, WantedTopic]:
    """Return every topic of the registry as it should be, by physical name."""
    counts = {"journal": settings.partitions, "source": settings.source_partitions, "single": 1}
    found = {}
    for one in topics().values():
        name = physical_name(one.name, prefix=settings.topic_prefix)
        found[name] = WantedTopic(
            name=name,
            topic=one,
            partitions=counts[one.partitions],
            replication_factor=settings.replication_factor,
            configs=_configs(one, replication_factor=settings.replication_factor),
        )
    return found


def is_ours(physical: str, *, prefix: str) -> bool:
    """Say whether a topic's name lies in our part of the broker, registered or not."""
    name = physical.removeprefix(prefix)
    return physical.startswith(prefix) and (
        name.startswith(_OUR_NAMES) or logical_name(physical, prefix=prefix) is not None
    )


def changes(
    *, wanted: Mapping[str, WantedTopic], existing: Mapping[str, ExistingTopic]
) -> tuple[Change, ...]:
    """Return all differences, sorted by topic; none means that there is nothing to do."""
    found: list[Change] = []
    for name, one in wanted.items():
        there = existing.get(name)
        found.extend([_creation(one)] if there is None else _differences(one, there=there))
    found.extend(_removal(name) for name in existing if name not in wanted)
    return tuple(sorted(found, key=lambda change: change.topic))


def _configs(topic: Topic, *, replication_factor: int) -> dict[str, str]:
    configs = {
        "cleanup.policy": topic.cleanup,
        "max.message.bytes": str(topic.max_message_bytes),
        "message.timestamp.type": topic.timestamps,
        # One replica less than there are, so that one broker may be down for repair.
        "min.insync.replicas": str(max(1, replication_factor - 1)),
    }
    if topic.cleanup == "delete":
        days = topic.retention_days
        configs["retention.ms"] = str(_UNLIMITED if days == "unlimited" else days * _DAY_MS)
    if topic.delete_retention_days is not None:
        configs["delete.retention.ms"] = str(topic.delete_retention_days * _DAY_MS)
    return configs


def _creation(one: WantedTopic) -> Change:
    configs = ", ".join(f"{name}={value}" for name, value in sorted(one.configs.items()))
    text = f"{one.partitions} partitions, {one.replication_factor} replicas, {configs}"
    return Change(action="create", topic=one.name, text=text)


def _removal(name: str) -> Change:
    text = "is on the broker but not in the registry: nothing is ever deleted here; do it by hand if meant"
    return Change(action="refused", topic=name, text=text)


def _differences(one: WantedTopic, *, there: ExistingTopic) -> Iterable[Change]:
    if not one.topic.external:
        yield from _layout_differences(one, there=there)
    for name, wanted in one.configs.items():
        present = there.configs.get(name, "")
        # What its owner set on an external topic stands, as long as facts are not compacted away.
        if present != wanted and (not one.topic.external or name == "cleanup.policy"):
            yield _config_change(one.name, name=name, present=present, wanted=wanted)


def _layout_differences(one: WantedTopic, *, there: ExistingTopic) -> Iterable[Change]:
    if there.partitions != one.partitions:
        text = f"has {there.partitions} partitions, {one.partitions} are set: {_why_count_stays(one)}"
        yield Change(action="refused", topic=one.name, text=text)
    if there.replication_factor != one.replication_factor:
        text = (
            f"has {there.replication_factor} replicas, {one.replication_factor} are set: "
            "moving replicas is kafka-reassign-partitions' work"
        )
        yield Change(action="refused", topic=one.name, text=text)


def _why_count_stays(one: WantedTopic) -> str:
    if one.topic.partitions == "journal":
        return "the journal's count never changes, keys would part from their past; growth is a new journal"
    return "keys would move to other partitions and overtake their past"


def _config_change(topic: str, *, name: str, present: str, wanted: str) -> Change:
    text = f"{name}: {present or 'unset'} -> {wanted}"
    if name == "cleanup.policy":
        return Change(action="refused", topic=topic, text=f"{text}: records would be lost, or kept for ever")
    if name in _MAY_ONLY_GROW and _shrinks(name, present=present, wanted=wanted):
        return Change(action="refused", topic=topic, text=f"{text}: {_MAY_ONLY_GROW[name]}")
    return Change(action="alter", topic=topic, text=text, config=(name, wanted))


def _shrinks(name: str, *, present: str, wanted: str) -> bool:
    if name == "retention.ms" and int(wanted) == _UNLIMITED:
        return False
    if name == "retention.ms" and int(present) == _UNLIMITED:
        return True
    return int(wanted) < int(present)
