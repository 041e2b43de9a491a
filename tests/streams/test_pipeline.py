"""Intake and ledger as real workers on a real Kafka: from foreign records to facts (DESIGN 1)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from msgspec import Struct, json

from console.logs import read_log
from infra.kafka import consumers, topics
from infra.kafka.lag import LagReader, watched_groups
from infra.settings import Settings
from schemas.codec import TOPIC_OF_TYPE, type_of
from schemas.commands import ConfigureCompany
from schemas.dead_letters import read_dead_letter
from schemas.events import PaymentReceived
from schemas.facts import Movement
from schemas.rows import AccountRow, CompanyRow, decode_row
from streams.app import build_app
from streams.engine.serving import serve
from streams.settings import StreamSettings
from tests.streams.records import FakeRecord, Latin1Name, event_record, invoice
from tests.streams.rig import grow, until, until_true

LIMITS = StreamSettings(session_timeout_s=60.0, bad_in_a_row_max=5)


@pytest.fixture
def settings(broker: str, namespace: str) -> Settings:
    """Give an installation with its topics."""
    made = Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=2, source_partitions=1)
    topics.apply(made)
    return made


@contextlib.asynccontextmanager
async def _workers(settings: Settings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    apps = [build_app(settings, stage=stage, limits=LIMITS) for stage in ("intake", "ledger")]
    serving = [asyncio.create_task(serve(app, stop=stop)) for app in apps]
    try:
        await until(lambda: [6, 2] == [app.engine.counters.acquired for app in apps])
        yield
    finally:
        stop.set()
        await asyncio.gather(*serving)


def _publish(settings: Settings, *records: FakeRecord, topic: str) -> None:
    with consumers.producer(bootstrap_servers=settings.brokers()) as producer:
        for one in records:
            producer.send(settings.topic(topic), key=one.key, value=one.value, headers=one.headers).get(60)


def _publish_events(settings: Settings, *events: Struct) -> None:
    for number, event in enumerate(events):
        record = event_record(event, event_id=f"e-{number}")
        _publish(settings, record, topic=TOPIC_OF_TYPE[type_of(event)])


def _lag(settings: Settings) -> int:
    with LagReader(settings.brokers()) as reader:
        return sum(one.lag for one in reader.read(watched_groups(settings, reader=reader)))


async def _drained(settings: Settings) -> None:
    await until_true(lambda: _lag(settings) == 0)


def test_billing_events_become_balances_and_movements(settings: Settings) -> None:
    """Through both stages; afterwards nothing lags, control records included."""
    profile = ConfigureCompany(
        company="acme", occurred_at="2026-01-01", command="p-1", name="Acme", time_zone="UTC", currency="USD"
    )
    payment = PaymentReceived(
        company="acme", customer="C-1", occurred_at="2026-01-20", payment="P-1", currency="USD", amount="4.00"
    )

    async def story() -> None:
        async with _workers(settings):
            _publish_events(settings, profile, invoice(1), invoice(2, customer="C-2"), payment)
            await _drained(settings)

    asyncio.run(story())
    movements = [json.decode(one.value, type=Movement) for one in read_log(settings, topic="ledger.movement")]
    balances: dict[str, int] = {}
    for movement in movements:
        balances[movement.account] = balances.get(movement.account, 0) + (
            movement.amount_minor if movement.item else 0
        )
    assert {"acme:C-1": 600, "acme:C-2": 1000} == balances
    rows = {one.key: decode_row(one.value) for one in read_log(settings, topic="ledger.account")}
    accounts = {row.account for row in rows.values() if isinstance(row, AccountRow)}
    assert {"acme:C-1", "acme:C-2"} == accounts
    companies = [
        one.partition for one in read_log(settings, topic="ledger.account") if b',"company",' in one.key
    ]
    assert [0, 1] == sorted(companies)
    assert any(isinstance(row, CompanyRow) for row in rows.values())


def test_bad_records_are_dead_letters_and_their_neighbours_go_on(settings: Settings) -> None:
    """Bytes, key and headers as they came, and the reason; a record over 1 MiB among them."""
    good = [event_record(invoice(n), event_id=f"e-{n}") for n in range(3)]
    bad = FakeRecord(0, 0, b"k", b"\xff not json", good[0].headers)
    huge = FakeRecord(0, 0, b"k", b"x" * 2_000_000, [("ce_specversion", b"1.0")])

    async def story() -> None:
        async with _workers(settings):
            _publish(settings, good[0], bad, good[1], huge, good[2], topic="billing.invoice.v1")
            await _drained(settings)

    asyncio.run(story())
    letters = list(read_log(settings, topic="billing.invoice.v1.dlq"))
    assert [bad.value, huge.value] == [one.value for one in letters]
    found = [read_dead_letter(one.headers) for one in letters]
    assert [("not_json", 1), ("too_large", 3)] == [(one.reason, one.offset) for one in found]
    assert 3 == len(list(read_log(settings, topic="ledger.movement")))


def test_a_header_whose_name_is_not_utf8_makes_a_dead_letter(settings: Settings) -> None:
    """Intake ended at it, and again after each start; the letter says where it is, and what its publisher is to do."""
    good = [event_record(invoice(n), event_id=f"e-{n}") for n in range(3)]
    odd = good[1]._replace(headers=[*good[1].headers, (Latin1Name("señal"), b"1")])

    async def story() -> None:
        async with _workers(settings):
            _publish(settings, good[0], odd, good[2], topic="billing.invoice.v1")
            await _drained(settings)

    asyncio.run(story())
    [letter] = read_log(settings, topic="billing.invoice.v1.dlq")
    found = read_dead_letter(letter.headers)
    assert (odd.value, "not_cloudevent", 1) == (letter.value, found.reason, found.offset)
    assert r"the name of header 6 is not UTF-8: se\xf1al" in found.detail
    assert (r"se\xf1al", b"1") in list(letter.headers)
    assert 2 == len(list(read_log(settings, topic="ledger.movement")))
    # Whoever looks into that topic is not stopped by it either.
    assert 3 == len(list(read_log(settings, topic="billing.invoice.v1")))


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
def test_compressed_events_are_read(settings: Settings, codec: str) -> None:
    """Billing systems, or their broker, compress as they like: intake ended at the first batch of three of these.

    A broker that compresses all topics does so with ours too, which other clients read.
    """
    topics = [settings.topic(name) for name in ("billing.invoice.v1", "ledger.journal", "ledger.movement")]
    with consumers.admin(bootstrap_servers=settings.brokers()) as admin:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, {"compression.type": codec}) for topic in topics]
        )
    events = [event_record(invoice(n), event_id=f"e-{n}") for n in range(20)]

    async def story() -> None:
        async with _workers(settings):
            _publish(settings, *events, topic="billing.invoice.v1")
            await _drained(settings)

    asyncio.run(story())
    assert 20 == len(list(read_log(settings, topic="ledger.movement")))


def test_partitions_that_a_source_gets_are_taken_too(settings: Settings) -> None:
    """Sources are others' topics and may grow while a worker runs (DESIGN 1)."""
    topic = settings.topic("billing.invoice.v1")
    event = event_record(invoice(1), event_id="e-1")

    async def story() -> None:
        stop = asyncio.Event()
        app = build_app(settings, stage="intake", limits=LIMITS)
        serving = asyncio.create_task(serve(app, stop=stop))
        try:
            await until(lambda: 6 == app.engine.counters.acquired)
            await asyncio.to_thread(grow, settings.brokers(), topic, partitions=2)
            with consumers.producer(bootstrap_servers=settings.brokers()) as producer:
                producer.send(topic, event.value, headers=event.headers, partition=1).get(60)
            # It hears of them within five minutes; here at once.
            consumer: Any = app.consumer
            consumer._thread.thread_loop.call_soon_threadsafe(
                consumer._thread._consumer._client.force_metadata_update
            )
            await until(lambda: 1 == app.engine.counters.records)
        finally:
            stop.set()
            await serving

    asyncio.run(story())
    assert 1 == len(list(read_log(settings, topic="ledger.journal")))


def test_a_source_of_nothing_but_rubbish_is_paused_and_the_others_go_on(settings: Settings) -> None:
    """Five bad ones in a row are enough here; the lag of that topic shows the rest."""
    rubbish = [FakeRecord(0, 0, None, b"rubbish", [])] * 9

    async def story() -> None:
        async with _workers(settings):
            _publish(settings, *rubbish, topic="billing.payment.v1")
            await until_true(lambda: 5 == len(list(read_log(settings, topic="billing.payment.v1.dlq"))))
            _publish_events(settings, invoice(1))
            await until_true(lambda: 1 == len(list(read_log(settings, topic="ledger.movement"))))
            assert 4 == _lag(settings)

    asyncio.run(story())


def test_a_ledger_worker_goes_on_from_its_copy_of_anothers_partitions(
    settings: Settings, tmp_path: Path
) -> None:
    """With rows on disk: what the standby has copied is not read again, and the books are right."""
    mine = settings.model_copy(update={"data_dir": tmp_path})
    # A member with a name is missed when its session is over, and not before.
    limits = LIMITS.model_copy(update={"standby": True, "session_timeout_s": 10.0})

    async def story() -> None:
        stops = [asyncio.Event() for _ in range(3)]
        apps = [
            build_app(mine, stage="intake", limits=limits),
            *(build_app(mine, stage="ledger", limits=limits, member=name) for name in ("a", "b")),
        ]
        serving = [asyncio.create_task(serve(app, stop=stop)) for app, stop in zip(apps, stops, strict=True)]
        _, first, second = (app.engine for app in apps)
        try:
            await until(lambda: 1 == len(first.copied) == len(second.copied))
            _publish_events(mine, *(invoice(n, customer=f"C-{n}") for n in range(20)))
            await _drained(mine)
            stops[1].set()
            await serving[1]
            await until(lambda: 2 == sum(one.owned for one in second.partitions.values()))
            assert second.counters.rows_restored < 10
            _publish_events(mine, *(invoice(n, customer=f"C-{n}") for n in range(20, 30)))
            await _drained(mine)
        finally:
            for stop in stops:
                stop.set()
            await asyncio.gather(*serving)

    asyncio.run(story())
    assert 30 == len(list(read_log(mine, topic="ledger.movement")))
    rows = {one.key: decode_row(one.value) for one in read_log(mine, topic="ledger.account")}
    assert 30 == sum(isinstance(row, AccountRow) for row in rows.values())
