"""Topics on a broker, made and kept as the registry says: plan, apply, check.

``apply`` creates what is missing and changes settings that lose nothing; when anything
is refused it changes nothing at all. Nothing is ever deleted here.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, for_code

from infra.errors import OperatorError
from infra.kafka.consumers import admin
from infra.kafka.topic_plan import Change, ExistingTopic, WantedTopic, changes, is_ours, wanted_topics
from infra.settings import Settings

__all__ = ["TopicsFailedError", "TopicsRefusedError", "apply", "plan"]

_VISIBLE_S_MAX: Final = 30
_POLL_S: Final = 0.05


class TopicsRefusedError(OperatorError):
    """Some changes would lose or move records; none was made. The text has a line for each."""


class TopicsFailedError(OperatorError):
    """The broker refused a change; the text has its words."""


def plan(settings: Settings) -> tuple[Change, ...]:
    """Return what differs between the registry and the broker; empty when nothing does."""
    with admin(bootstrap_servers=settings.brokers()) as client:
        return _plan(client, settings=settings)


def apply(settings: Settings) -> tuple[Change, ...]:
    """Make the broker's topics as the registry says; return what was done, idempotent.

    Raises:
        TopicsRefusedError: a change would be destructive; nothing was changed.
        TopicsFailedError: the broker did not do as asked.
    """
    with admin(bootstrap_servers=settings.brokers()) as client:
        planned = _plan(client, settings=settings)
        refused = [change for change in planned if change.action == "refused"]
        if refused:
            lines = "\n".join(f"  {change.topic} {change.text}" for change in refused)
            raise TopicsRefusedError(f"Refused, and nothing was changed:\n{lines}")
        wanted = wanted_topics(settings)
        _create(client, [wanted[one.topic] for one in planned if one.action == "create"])
        _alter(client, [one for one in planned if one.action == "alter"])
        _await_visible(client, settings=settings)
        return planned


def _await_visible(client: KafkaAdminClient, *, settings: Settings) -> None:
    """Wait until the broker describes what was asked for: it learns of changes a little later."""
    deadline = time.monotonic() + _VISIBLE_S_MAX
    while left := _plan(client, settings=settings):
        if time.monotonic() > deadline:
            raise TopicsFailedError(f"The broker does not show the change after {_VISIBLE_S_MAX} s: {left}")
        time.sleep(_POLL_S)


def _plan(client: KafkaAdminClient, *, settings: Settings) -> tuple[Change, ...]:
    names = [name for name in client.list_topics() if is_ours(name, prefix=settings.topic_prefix)]
    return changes(wanted=wanted_topics(settings), existing=_existing(client, names))


def _existing(client: KafkaAdminClient, names: list[str]) -> dict[str, ExistingTopic]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs = client.describe_configs(resources, config_filter="all")["topic"]
    return {
        one["name"]: ExistingTopic(
            name=one["name"],
            partitions=len(one["partitions"]),
            replication_factor=len(one["partitions"][0]["replica_nodes"]),
            configs=_values(configs[one["name"]]),
        )
        for one in client.describe_topics(names)
    }


def _values(described: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: str(config["value"]) for name, config in described.items() if config["value"] is not None}


def _create(client: KafkaAdminClient, missing: Iterable[WantedTopic]) -> None:
    requests = {
        one.name: {
            "num_partitions": one.partitions,
            "replication_factor": one.replication_factor,
            "configs": one.configs,
        }
        for one in missing
    }
    if not requests:
        return
    for answer in client.create_topics(requests, raise_errors=False)["topics"]:
        # Somebody who applies at the same time may have been first with one of them.
        if answer["error_code"] not in (0, TopicAlreadyExistsError.errno):
            reason = answer["error_message"] or for_code(answer["error_code"]).__name__
            raise TopicsFailedError(f"The broker did not create {answer['name']}: {reason}")
    client.wait_for_topics(list(requests), timeout_ms=_VISIBLE_S_MAX * 1000)


def _alter(client: KafkaAdminClient, alterations: Iterable[Change]) -> None:
    by_topic: dict[str, dict[str, str]] = {}
    for change in alterations:
        if change.config is not None:
            name, value = change.config
            by_topic.setdefault(change.topic, {})[name] = value
    if not by_topic:
        return
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, new) for name, new in by_topic.items()]
    for name, result in client.alter_configs(resources)["topic"].items():
        if result != "OK":
            raise TopicsFailedError(f"The broker did not change {name}: {result}")
