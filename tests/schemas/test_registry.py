"""The topic registry: every topic in one reviewable file, and wrong files refused by name (DESIGN 1)."""

import pytest

from schemas.codec import TOPIC_OF_TYPE
from schemas.registry import (
    RegistryError,
    dead_letter_of,
    logical_name,
    physical_name,
    read_topic,
    topic,
    topics,
)

GOOD = """
description = "d"
owner = "o"
producers = ["p"]
consumers = ["c"]
key = "k"
partitions = "source"
retention_days = 7
cleanup = "delete"
pii = "none"
dead_letter = true
external = false
max_message_bytes = 1000
timestamps = "CreateTime"
"""


def test_every_event_type_has_its_topic() -> None:
    """No contract points at a topic that nobody creates."""
    assert set() == set(TOPIC_OF_TYPE.values()) - set(topics())


def test_the_journal_group_is_what_shares_keys() -> None:
    """Journal and everything that the ledger writes by account have one partition count (DESIGN 1)."""
    shared = {name for name, one in topics().items() if one.partitions == "journal"}
    assert shared == {
        "ledger.journal",
        "ledger.account",
        "ledger.movement",
        "ledger.chain",
        "collections.decision.v1",
        "collections.reminder.v1",
        "collections.exception.v1",
    }


def test_retention_is_the_design_s() -> None:
    """Sources keep 7 days, facts for ever, dead letters and exceptions 400 days (DESIGN 1)."""
    kept = {name: one.retention_days for name, one in topics().items()}
    sources = [name for name in kept if name.startswith("billing.") and not name.endswith(".dlq")]
    limited = [name for name in kept if name.endswith(".dlq") or name == "collections.exception.v1"]
    assert {7} == {kept[name] for name in sources}
    assert {400} == {kept[name] for name in limited}
    assert {"unlimited"} == {days for name, days in kept.items() if name not in [*sources, *limited]}
    assert [("ledger.account", 30)] == [
        (name, one.delete_retention_days) for name, one in topics().items() if one.cleanup == "compact"
    ]


def test_every_source_has_dead_letters_that_hold_its_records() -> None:
    """A record that a source takes fits its dead-letter topic with its headers."""
    for name, one in topics().items():
        if one.partitions == "source":
            letters = topic(dead_letter_of(name))
            assert letters.max_message_bytes >= one.max_message_bytes + 1024 * 1024
            assert letters.pii == one.pii


def test_names_go_out_and_come_back() -> None:
    """The prefix is put before logical names, and only our names are taken back."""
    assert physical_name("ledger.journal", prefix="a.") == "a.ledger.journal"
    assert logical_name("a.ledger.journal", prefix="a.") == "ledger.journal"
    assert logical_name("b.ledger.journal", prefix="a.") is None
    assert logical_name("a.other", prefix="a.") is None


def test_unknown_topics_are_refused() -> None:
    """A misspelt name is an error that lists the right ones."""
    with pytest.raises(RegistryError, match=r"ledger\.journal"):
        topic("ledger.jurnal")
    with pytest.raises(RegistryError, match="has no dead-letter topic"):
        dead_letter_of("ledger.chain")


def test_a_good_file_is_read() -> None:
    """The file's name becomes the topic's."""
    assert read_topic("some.topic", content=GOOD).name == "some.topic"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('owner = "o"', 'owner = ""', "owner: is empty"),
        ('owner = "o"', "", "missing required field `owner`"),
        ('owner = "o"', "owner = 3", r"\$.owner"),
        ('owner = "o"', 'owner = "o"\ncolour = "red"', "unknown field `colour`"),
        ('owner = "o"', 'owner = "o"\nname = "x"', "do not repeat it"),
        ('consumers = ["c"]', "consumers = []", "consumers: names nobody"),
        ("retention_days = 7", "retention_days = 0", "at least 1"),
        ("retention_days = 7", 'retention_days = "long"', r"\$.retention_days"),
        ('cleanup = "delete"', 'cleanup = "compact"', "retention_days"),
        ("max_message_bytes = 1000", "max_message_bytes = 5_000_000", "max_message_bytes"),
        ('key = "k"', 'key = "k', "topics/some.topic.toml"),
        ('key = "k"', 'key = "k"\ndelete_retention_days = 3', "only there"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(old: str, new: str, said: str) -> None:
    """Every mistake says its file and field."""
    with pytest.raises(RegistryError, match=said) as refused:
        read_topic("some.topic", content=GOOD.replace(old, new))
    assert str(refused.value).startswith("topics/some.topic.toml: ")
