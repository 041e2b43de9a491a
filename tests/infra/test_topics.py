"""Topics on a real broker: created as registered, again without effect, never destructively."""

import time

import msgspec
import pytest
from kafka.admin import ConfigResource

from infra.kafka.consumers import admin
from infra.kafka.topic_plan import Change, ExistingTopic, changes, is_ours, wanted_topics
from infra.kafka.topics import TopicsFailedError, TopicsRefusedError, apply, plan
from infra.settings import Settings
from schemas.registry import topics

DAY_MS = 86_400_000


@pytest.fixture
def settings(broker: str, namespace: str) -> Settings:
    """Give an installation of its own on the session's broker."""
    return Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=3)


def _as_wanted(settings: Settings) -> dict[str, ExistingTopic]:
    return {
        name: ExistingTopic(
            name=name,
            partitions=one.partitions,
            replication_factor=one.replication_factor,
            configs=dict(one.configs),
        )
        for name, one in wanted_topics(settings).items()
    }


def _compare(name: str, **different: object) -> tuple[Change, ...]:
    """Compare the registry with a broker on which one topic differs."""
    settings = Settings()
    existing = _as_wanted(settings)
    existing[name] = msgspec.structs.replace(existing[name], **different)
    return changes(wanted=wanted_topics(settings), existing=existing)


def _with_config(name: str, config: str, value: str) -> Change:
    before = _as_wanted(Settings())[name].configs
    [change] = _compare(name, configs=before | {config: value})
    return change


def test_all_topics_are_created_once(settings: Settings) -> None:
    """Everything is made, dead letters too; a second apply has nothing to do."""
    assert len(topics()) == len([one for one in plan(settings) if one.action == "create"])
    apply(settings)
    assert plan(settings) == ()
    assert apply(settings) == ()


def test_a_new_journal_is_as_registered(settings: Settings) -> None:
    """Partitions, retention, size and timestamps are really in force on the broker."""
    apply(settings)
    name = settings.topic("ledger.journal")
    with admin(bootstrap_servers=settings.brokers()) as client:
        [described] = client.describe_topics([name])
        configs = client.describe_configs([ConfigResource("topic", name)], config_filter="all")["topic"][name]
    assert len(described["partitions"]) == 3
    assert configs["retention.ms"]["value"] == "-1"
    assert configs["max.message.bytes"]["value"] == str(2 * 1024 * 1024)
    assert configs["message.timestamp.type"]["value"] == "LogAppendTime"


def test_another_partition_count_is_refused_whole(settings: Settings) -> None:
    """With another count set, apply names every topic of the group and changes nothing."""
    apply(settings)
    other = settings.model_copy(update={"partitions": 5, "replication_factor": 1})
    with pytest.raises(TopicsRefusedError) as refused:
        apply(other)
    group = [name for name, one in topics().items() if one.partitions == "journal"]
    assert all(settings.topic(name) in str(refused.value) for name in group)
    assert "has 3 partitions, 5 are set" in str(refused.value)
    assert plan(settings) == ()


def test_drift_that_loses_nothing_is_mended(settings: Settings) -> None:
    """A limit lowered by hand is found and put back."""
    apply(settings)
    name = settings.topic("ledger.movement")
    with admin(bootstrap_servers=settings.brokers()) as client:
        client.alter_configs(
            [ConfigResource("topic", name, {"retention.ms": "1000000000", "max.message.bytes": "1000"})]
        )
    deadline = time.monotonic() + 60
    while len(plan(settings)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)  # the broker describes a change a little after it took it
    assert {"retention.ms: 1000000000 -> -1", "max.message.bytes: 1000 -> 2097152"} == {
        change.text for change in plan(settings)
    }
    apply(settings)
    assert plan(settings) == ()


def test_the_broker_s_refusal_is_shown(settings: Settings) -> None:
    """More replicas than brokers: the broker's own words come through."""
    with pytest.raises(TopicsFailedError, match="replication factor"):
        apply(settings.model_copy(update={"replication_factor": 3}))


@pytest.mark.parametrize("name", ["ledger.journal", "ledger.chain", "collections.command.v1"])
@pytest.mark.parametrize("count", [1, 64])
def test_partition_counts_never_change(name: str, count: int) -> None:
    """Fewer or more: both would move keys."""
    [change] = _compare(name, partitions=count)
    assert ("refused", name) == (change.action, change.topic)
    assert f"has {count} partitions" in change.text


@pytest.mark.parametrize(
    ("name", "config", "present"),
    [
        ("collections.exception.v1", "retention.ms", str(401 * DAY_MS)),
        ("collections.exception.v1", "retention.ms", "-1"),
        ("ledger.account", "delete.retention.ms", str(31 * DAY_MS)),
        ("ledger.account", "cleanup.policy", "delete"),
        ("ledger.journal", "cleanup.policy", "compact"),
        ("billing.invoice.v1", "cleanup.policy", "compact"),
        ("ledger.movement", "max.message.bytes", str(9_000_000)),
        ("ledger.movement", "min.insync.replicas", "2"),
    ],
)
def test_what_would_lose_records_is_refused(name: str, config: str, present: str) -> None:
    """Lower retention, another cleanup policy, smaller records, fewer replicas: refused, and why."""
    change = _with_config(name, config, present)
    assert ("refused", name) == (change.action, change.topic)
    assert config in change.text


@pytest.mark.parametrize(
    ("name", "config", "present"),
    [
        ("ledger.journal", "retention.ms", str(7 * DAY_MS)),
        ("collections.exception.v1", "retention.ms", str(7 * DAY_MS)),
        ("ledger.journal", "message.timestamp.type", "CreateTime"),
        ("ledger.account", "delete.retention.ms", str(DAY_MS)),
    ],
)
def test_what_loses_nothing_is_altered(name: str, config: str, present: str) -> None:
    """Longer retention and the like are made so."""
    change = _with_config(name, config, present)
    assert change.action == "alter"
    assert change.config == (config, wanted_topics(Settings())[name].configs[config])


def test_an_owner_s_choices_stand() -> None:
    """Partitions and retention of a source are its owner's (DESIGN 1)."""
    mine = _as_wanted(Settings())["billing.invoice.v1"]
    other = {"retention.ms": str(DAY_MS), "max.message.bytes": "1000", "message.timestamp.type": "CreateTime"}
    assert _compare(mine.name, partitions=12, replication_factor=3, configs=mine.configs | other) == ()


def test_replicas_are_moved_by_other_means() -> None:
    """Another replication factor is said, not tried."""
    [change] = _compare("ledger.journal", replication_factor=3)
    assert ("refused", "has 3 replicas, 1 are set") == (change.action, change.text.partition(":")[0])


def test_a_topic_that_left_the_registry_is_never_deleted() -> None:
    """A name of ours on the broker without a file is refused; strangers are not even seen."""
    settings = Settings()
    old = ExistingTopic(name="ledger.old", partitions=1, replication_factor=1, configs={})
    [change] = changes(wanted=wanted_topics(settings), existing=_as_wanted(settings) | {old.name: old})
    assert ("refused", "ledger.old") == (change.action, change.topic)
    assert is_ours("ledger.old", prefix="")
    assert not is_ours("payroll.salary.v1", prefix="")
    assert not is_ours("ledger.old", prefix="acme.")
