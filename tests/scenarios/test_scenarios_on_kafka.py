"""The same scenario files through real workers and Kafka: what the core says is what is in the topics."""

import itertools
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from console.installation import await_ready, environment, services
from console.logs import read_log
from console.quiet import Quiet, groups_of
from console.replaying import COMPARED_TOPICS
from console.supervisor import Supervisor
from infra.kafka.consumers import producer
from infra.kafka.lag import LagReader
from infra.kafka.topics import apply
from infra.settings import Settings
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.rows import decode_key
from tests.scenarios.language import read_script
from tests.scenarios.on_kafka import Told, Writing, batches, renamed, tell, writings

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))
# An installation has 256 partitions at most (docs/scale.md), and each story has one of its own.
_STORIES_MAX = 200
STAGES = ("intake", "ledger")
_STALLED_S_MAX = 300.0

# The first test waits for all stories.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

Facts = dict[str, dict[str, list[bytes]]]
Rows = dict[bytes, bytes]


class _Lot(NamedTuple):
    """What the core says of some stories, and what an installation that played them has in its topics."""

    told: dict[str, Told]
    facts: Facts
    rows: Rows


class _Installation:
    """Intake and ledger on a broker, with a journal partition for each story."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._sender = producer(bootstrap_servers=settings.brokers())

    def write(self, records: list[Writing]) -> None:
        sent = [
            self._sender.send(
                self.settings.topic(each.topic),
                key=each.key,
                value=each.value,
                headers=each.headers,
                partition=each.partition,
            )
            for each in records
        ]
        for each in sent:
            each.get(timeout=30)

    def close(self) -> None:
        self._sender.close()


@pytest.fixture(scope="module")
def lots(broker: str, tmp_path_factory: pytest.TempPathFactory) -> list[_Lot]:
    """Play all stories, as many side by side as an installation has partitions for."""
    found = []
    for number, paths in enumerate(_by_length(SCENARIOS)):
        told = _told(paths)
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("stories"),
            bootstrap_servers=broker,
            topic_prefix=f"stories-{number}.",
            partitions=len(told),
        )
        _play(told, settings)
        found.append(_Lot(told, _facts(settings), _rows(settings)))
    return found


def _by_length(paths: list[Path]) -> list[list[Path]]:
    """Divide stories so that those of one lot are of like length: a lot goes on until its longest one ends."""
    size = -(-len(paths) // -(-len(paths) // _STORIES_MAX))
    ordered = sorted(paths, key=lambda path: len(read_script(path).steps))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _told(paths: list[Path]) -> dict[str, Told]:
    """Tell stories to the core, under the names that they have on Kafka."""
    return {
        path.stem: tell(renamed(read_script(path), partition=number, partitions=len(paths)), partition=number)
        for number, path in enumerate(paths)
    }


def _play(told: dict[str, Told], settings: Settings) -> None:
    """Play stories side by side, each step of each after the one before is done."""
    apply(settings)
    stages = [each for each in services(clock=False) if each.name in STAGES]
    groups = {name: topics for name, topics in groups_of(settings).items() if name.endswith(STAGES)}
    installation = _Installation(settings)
    with (
        Supervisor(settings.data_dir, services=stages, environment=environment(settings)) as supervisor,
        LagReader(settings.brokers()) as reader,
    ):
        # A broker that has just started has no coordinators yet, and a busy machine is slow to start workers.
        await_ready(settings, groups=groups, check=supervisor.check)
        quiet = Quiet(
            reader=reader, groups=groups, engine=None, check=supervisor.check, stalled_s_max=_STALLED_S_MAX
        )
        for round_ in itertools.zip_longest(
            *(batches(writings(each)) for each in told.values()), fillvalue=[]
        ):
            installation.write([record for batch in round_ for record in batch])
            quiet.wait(at=None)
    installation.close()


def _facts(settings: Settings) -> Facts:
    found: Facts = {}
    for topic in COMPARED_TOPICS:
        for record in read_log(settings, topic=topic):
            account = record.key.decode()
            if account.endswith(":*") and not account.endswith(f"-{record.partition}:*"):
                continue  # what concerns a company is said by every partition, each in its own time
            found.setdefault(topic, {}).setdefault(account, []).append(record.value)
    return found


def _rows(settings: Settings) -> Rows:
    found: Rows = {}
    for record in read_log(settings, topic="ledger.account"):
        owner = decode_key(record.key).owner
        if owner and ":" not in owner and not owner.endswith(f"-{record.partition}"):
            continue  # a company's rows are in every partition, each as that one's ticks left them
        if record.value is None:
            found.pop(record.key, None)
        else:
            found[record.key] = record.value
    return found


def _decoded(values: list[bytes]) -> list[object]:
    return [msgspec.json.decode(each) for each in values]


@pytest.mark.parametrize("story", [path.stem for path in SCENARIOS])
def test_story_is_the_same_through_kafka(story: str, lots: list[_Lot]) -> None:
    """Each account's facts in order, and its rows by key, are those of the core (whose story held)."""
    [(told, facts, rows)] = [lot for lot in lots if story in lot.told]
    for account, expected in told[story].facts.items():
        for topic in COMPARED_TOPICS:
            of_topic = [encode(fact) for fact in expected if TOPIC_OF_TYPE[type_of(fact)] == topic]
            assert _decoded(of_topic) == _decoded(facts.get(topic, {}).get(account, []))
    owned = {key: value for key, value in told[story].rows.items() if decode_key(key).owner}
    assert owned
    assert {key: msgspec.json.decode(value) for key, value in owned.items()} == {
        key: msgspec.json.decode(rows[key]) if key in rows else None for key in owned
    }


def test_nothing_was_refused(lots: list[_Lot]) -> None:
    """No account but those of the stories has rows: nothing fell beside its partition."""
    for told, _, rows in lots:
        assert _owners(rows) == {owner for each in told.values() for owner in _owners(each.rows)}


def _owners(rows: Rows) -> set[str]:
    return {decode_key(key).owner for key in rows}
