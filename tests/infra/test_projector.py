"""The projector on a real Kafka: positions with rows or neither, over control records, from SQL's place."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError
from sqlalchemy import Engine, func, select

from infra.database import tables
from infra.database.engine import reading, writing
from infra.kafka.consumers import admin, producer
from infra.kafka.lag import LagReader
from infra.projector import GROUP, TOPICS, ProjectionError, Projector, log_ends, open_reader, physical_topics
from infra.settings import Settings
from schemas.codec import encode, type_of
from schemas.envelope import Envelope, to_headers
from schemas.events import CustomerUpserted
from schemas.facts import Movement
from schemas.rows import AccountRow, CustomerRow, RowKey, encode_key, encode_row
from tests.infra.projection.test_rows import FACTS, OUTCOME, everything

_PARTITIONS = 2


@pytest.fixture
def settings(broker: str, namespace: str) -> Settings:
    """Give an installation of its own, with the projector's topics."""
    made = Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=_PARTITIONS)
    wanted = {"num_partitions": _PARTITIONS, "replication_factor": 1}
    with admin(bootstrap_servers=broker) as client:
        client.create_topics({made.topic(name): wanted for name in TOPICS}, wait_for_metadata=True)
    return made


@pytest.fixture
def running(engine: Engine, settings: Settings) -> Iterator[Projector]:
    """Give a projector that has not started."""
    reader = open_reader(settings)
    yield Projector(engine=engine, reader=reader, topics=physical_topics(settings))
    reader.close()


def say(settings: Settings, *, first: int, count: int, abort: bool = False) -> None:
    """Say account rows and movements first … in one transaction, as the ledger does, a link among them."""
    writer = producer(bootstrap_servers=settings.brokers(), transactional_id=settings.group(f"test-{first}"))
    writer.init_transactions()
    writer.begin_transaction()
    for number in range(first, first + count):
        account = f"acme:C{number}"
        partition = number % _PARTITIONS
        key = encode_key(RowKey("account", account, ""))
        row = encode_row(AccountRow(account=account, version=number))
        writer.send(settings.topic("ledger.account"), row, key=key, partition=partition)
        fact = Movement(
            id=f"{account}/1",
            account=account,
            currency="USD",
            kind="received",
            amount_minor=number,
            business_date=FACTS[0].business_date,  # type: ignore[union-attr]
            cause="e",
            credit="payment/1",
        )
        writer.send(
            settings.topic("ledger.movement"), encode(fact), key=account.encode(), partition=partition
        )
    writer.send(settings.topic("ledger.account"), b"0:1", key=b"\0link", partition=0)
    if abort:
        writer.abort_transaction()
    else:
        writer.commit_transaction()
    writer.close()


def read_all(running: Projector, settings: Settings) -> int:
    """Read to the ends that the topics have now, and over markers that are written a moment later."""
    records = running.run_to(log_ends(settings), stopping=lambda: False)
    while lags(settings) != {0}:
        records += running.step(wait_ms=100)
    return records


def catch_up(running: Projector, settings: Settings) -> int:
    """Start it and read to the end."""
    running.start()
    return read_all(running, settings)


def versions(engine: Engine) -> dict[str, int]:
    """Read each account's version."""
    with reading(engine) as connection:
        rows = connection.execute(select(tables.accounts.c.account, tables.accounts.c.version))
        return {row[0]: row[1] for row in rows}


def lags(settings: Settings) -> set[int]:
    """Read the projector's lags as a lag tool sees them."""
    with LagReader(settings.brokers()) as lag:
        group = settings.group(GROUP)
        return {one.lag for one in lag.read({group: [settings.topic(name) for name in TOPICS]})}


def test_committed_records_are_read_and_the_lag_is_zero(
    running: Projector, engine: Engine, settings: Settings
) -> None:
    """Rows and facts of committed transactions; markers and links are passed, aborted ones leave nothing."""
    say(settings, first=0, count=10)
    say(settings, first=10, count=10, abort=True)
    say(settings, first=20, count=10)
    assert 42 == catch_up(running, settings)
    assert {f"acme:C{number}": number for number in [*range(10), *range(20, 30)]} == versions(engine)
    assert 20 == count(engine, tables.movements)
    assert {0} == lags(settings)


def test_group_offsets_that_could_not_be_committed_are_made_up_for(
    running: Projector, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are a copy: a coordinator that is away stops nothing, and the lag is 0 again when it is back."""
    say(settings, first=0, count=4)
    running.start()

    def away(*_: Any, **__: Any) -> None:
        raise KafkaTimeoutError("no coordinator")

    with monkeypatch.context() as broken:
        broken.setattr(running._reader, "commit", away)
        assert 9 == running.run_to(log_ends(settings), stopping=lambda: False)
    assert {0} < lags(settings)
    assert 0 == read_all(running, settings)


def test_it_goes_on_where_sql_is(engine: Engine, settings: Settings) -> None:
    """A second projector reads only what is new; the group's offsets do not matter."""
    for first in (0, 100):
        reader = open_reader(settings)
        say(settings, first=first, count=5)
        projector = Projector(engine=engine, reader=reader, topics=physical_topics(settings))
        assert 11 == catch_up(projector, settings)
        reader.close()
    assert 10 == count(engine, tables.movements)


def test_a_text_that_postgresql_has_no_character_for_stops_nothing(
    running: Projector, engine: Engine, settings: Settings
) -> None:
    """Billing's free texts may hold U+0000: a name is shown with the sign for such, and what comes behind it is read."""
    account = "acme:C1"
    said = CustomerUpserted(company="acme", customer="C1", occurred_at="2026-03-02", name="Al\0ma\x1fcén")
    writer = producer(bootstrap_servers=settings.brokers())
    key = encode_key(RowKey("customer", account, ""))
    row = encode_row(CustomerRow(account=account, customer=said))
    writer.send(settings.topic("ledger.account"), row, key=key, partition=0)
    writer.flush()
    writer.close()
    say(settings, first=2, count=2)
    assert 6 == catch_up(running, settings)
    with reading(engine) as connection:
        assert "Al\ufffdma\x1fcén" == connection.execute(select(tables.customers.c["name"])).scalar_one()
    assert {0} == lags(settings)


def test_a_failed_write_moves_nothing(
    running: Projector, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the rows cannot be written the positions stay, and a new projector reads the same records."""
    say(settings, first=0, count=4)
    running.start()

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("infra.projector.record_duplicates", fails)
        with pytest.raises(RuntimeError, match="disk full"):
            read_all(running, settings)
    assert {} == versions(engine)
    reader = open_reader(settings)
    assert 9 == catch_up(Projector(engine=engine, reader=reader, topics=physical_topics(settings)), settings)
    reader.close()
    assert 4 == len(versions(engine))


def test_one_that_was_overtaken_writes_nothing_old(
    running: Projector, engine: Engine, settings: Settings
) -> None:
    """A frozen projector that wakes finds SQL further on, takes its place, and goes on from there."""
    say(settings, first=0, count=4)
    running.start()
    frozen_records = poll_without_writing(running)
    assert frozen_records > 0
    reader = open_reader(settings)
    other = Projector(engine=engine, reader=reader, topics=physical_topics(settings))
    catch_up(other, settings)
    say(settings, first=0, count=4)  # the same accounts again, newer
    read_all(other, settings)
    before = everything(engine)
    assert 0 == running.step(wait_ms=0)
    read_all(running, settings)
    assert before == everything(engine)
    say(settings, first=50, count=2)
    assert 5 == read_all(running, settings)
    reader.close()


def poll_without_writing(running: Projector) -> int:
    """Fetch records and freeze before they are written: what a step does first."""
    reader = running._reader
    records = 0
    while not records:
        records = sum(map(len, reader.poll(timeout_ms=1000).values()))
    return records


def test_a_rebuild_gives_the_same_and_leaves_the_rest_alone(
    running: Projector, engine: Engine, settings: Settings
) -> None:
    """From offset 0 the read model is what it was; tables that are not the projector's are not touched."""
    from infra.database.send_tables import tasks

    say(settings, first=0, count=20)
    say_facts(settings)
    catch_up(running, settings)
    before = everything(engine)
    with writing(engine) as connection:
        connection.execute(tables.accounts.delete())
        columns = {column.name: _sample(column) for column in tasks.columns if not column.nullable}
        connection.execute(tasks.insert().values(**columns))
    running.start(rebuild=True)
    read_all(running, settings)
    assert before == everything(engine)
    assert 1 == count(engine, tasks)


def _sample(column: Any) -> Any:
    kinds = {int: 1, bool: False, str: "x"}
    return kinds.get(column.type.python_type, FACTS[1].tick)  # type: ignore[union-attr]


def say_facts(settings: Settings) -> None:
    """Say one fact of each kind, and an outcome, and a bad one from somebody else."""
    topics = {"ledger.movement": FACTS[:1], "collections.reminder.v1": FACTS[1:2]}
    topics |= {"collections.decision.v1": FACTS[2:5], "collections.exception.v1": FACTS[5:]}
    with producer(bootstrap_servers=settings.brokers()) as writer:
        for topic, facts in topics.items():
            for fact in facts:
                headers = to_headers(Envelope(id=fact.id, source="/ledger", type=type_of(fact)))
                writer.send(settings.topic(topic), encode(fact), key=fact.account.encode(), headers=headers)
        headers = to_headers(Envelope(id="o", source="/notifier", type=type_of(OUTCOME)))
        writer.send(settings.topic("notify.outcome.v1"), encode(OUTCOME), headers=headers)
        writer.send(settings.topic("notify.outcome.v1"), b"not an event")


def test_it_waits_for_records_and_takes_them_at_once(
    running: Projector, engine: Engine, settings: Settings
) -> None:
    """The loop ends when asked, and rows are there long before a wait is over."""
    stopping = threading.Event()
    running.start()
    thread = threading.Thread(target=running.run, kwargs={"stopping": stopping.is_set, "wait_ms": 500})
    thread.start()
    say(settings, first=0, count=3)
    while count(engine, tables.movements) < 3:
        assert thread.is_alive()
        stopping.wait(0.01)
    while lags(settings) != {0}:
        assert thread.is_alive()
    stopping.set()
    thread.join(timeout=90)
    assert not thread.is_alive()


def test_missing_topics_are_said(engine: Engine, broker: str, namespace: str) -> None:
    """Without its topics it does not wait for ever."""
    nowhere = Settings(bootstrap_servers=broker, topic_prefix=namespace)
    reader = open_reader(nowhere)
    with pytest.raises(ProjectionError, match="run `cobranza topics apply`"):
        Projector(engine=engine, reader=reader, topics=physical_topics(nowhere)).start()
    reader.close()


def test_another_brokers_log_is_refused(running: Projector, engine: Engine, settings: Settings) -> None:
    """SQL that has read further than the log reaches belongs to other data: --rebuild is the way out."""
    say(settings, first=0, count=2)
    catch_up(running, settings)
    with writing(engine) as connection:
        connection.execute(tables.projector_offsets.update().values(next_offset=10_000))
    reader = open_reader(settings)
    again = Projector(engine=engine, reader=reader, topics=physical_topics(settings))
    with pytest.raises(ProjectionError, match="--rebuild"):
        again.start()
    again.start(rebuild=True)
    assert 5 == read_all(again, settings)
    reader.close()


def test_a_record_of_ours_that_cannot_be_read_stops_it(
    running: Projector, engine: Engine, settings: Settings
) -> None:
    """It says where, and writes nothing of the batch: reading on would lose money in silence."""
    with producer(bootstrap_servers=settings.brokers()) as writer:
        writer.send(settings.topic("ledger.movement"), b'{"type":"ledger.movement.v9"}', partition=1)
    running.start()
    with pytest.raises(ProjectionError, match=r"ledger.movement 1 at offset 0"):
        read_all(running, settings)
    with reading(engine) as connection:
        assert [0] == connection.execute(
            select(func.sum(tables.projector_offsets.c.next_offset))
        ).scalars().all()


def count(engine: Engine, table: Any) -> int:
    """Count a table's rows."""
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_free_text_with_a_nul_is_kept_on_both_databases(
    running: Projector, engine: Engine, settings: Settings
) -> None:
    """PostgreSQL's text cannot hold U+0000; a hold's reason that has one must not stop everything."""
    from schemas.rows import HoldRow

    hold = HoldRow(account="acme:C1", hold="snoozed", reason="a\0b")
    key = encode_key(RowKey("hold", "acme:C1", "snoozed"))
    with producer(bootstrap_servers=settings.brokers()) as writer:
        writer.send(settings.topic("ledger.account"), encode_row(hold), key=key, partition=0)
    catch_up(running, settings)
    with reading(engine) as connection:
        assert ["a\ufffdb"] == connection.execute(select(tables.holds.c.reason)).scalars().all()
