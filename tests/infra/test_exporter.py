"""The exporter: lags of a real broker in records and seconds, and a plain word when it cannot read."""

from pathlib import Path

from sqlalchemy import create_engine

from infra.database.engine import open_engine
from infra.database.migrate import upgrade
from infra.exporter import LOOP, Exporter
from infra.kafka.consumers import producer
from infra.kafka.lag import LagReader
from infra.kafka.topics import apply
from infra.metrics.pulse import Pulses
from infra.settings import Settings


def _values(exporter: Exporter, name: str) -> dict[tuple[str, ...], float]:
    return {labels: value for each, value, labels in exporter.samples() if each == name}


def test_lags_and_what_waits_are_exported(broker: str, namespace: str, tmp_path: Path) -> None:
    """Issue 4, point 7: records and seconds per group, topic and partition."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix=namespace)
    apply(settings)
    engine = open_engine(settings.database)
    upgrade(engine)
    pulses, now_s = Pulses([LOOP], stalled_s=60), [100.0]
    exporter = Exporter(settings, engine=engine, pulses=pulses, monotonic_s=lambda: now_s[0])
    place = (settings.group("ledger"), settings.topic("ledger.journal"), "1")
    with LagReader(broker) as reader:
        exporter.read(reader)
        assert 0 == _values(exporter, "cobranza_lag_records")[place]
        with producer(bootstrap_servers=broker) as writer:
            for _ in range(3):
                writer.send(settings.topic("ledger.journal"), b"x", partition=1)
        now_s[0] += 1
        exporter.read(reader)
        now_s[0] += 30
        exporter.read(reader)
    assert (3, 31) == (
        _values(exporter, "cobranza_lag_records")[place],
        _values(exporter, "cobranza_lag_seconds")[place],
    )
    assert {("email",), ("letter",), ("sms",), ("task",)} == _values(
        exporter, "cobranza_due_deliveries"
    ).keys()
    assert {(): 0} == _values(exporter, "cobranza_due_accounts")
    assert ([], []) == (pulses.unready(), pulses.stalled())
    engine.dispose()


def test_what_cannot_be_read_is_told(broker: str, namespace: str, tmp_path: Path) -> None:
    """Topics and tables are missing: it goes on, is not ready, and says why."""
    settings = Settings(data_dir=tmp_path, bootstrap_servers=broker, topic_prefix=namespace)
    pulses = Pulses([LOOP], stalled_s=60)
    engine = create_engine("sqlite://")
    exporter = Exporter(settings, engine=engine, pulses=pulses)
    with LagReader(broker) as reader:
        exporter.read(reader)
    [told] = pulses.unready()
    assert "lags cannot be read" in told
    assert "the database cannot be read: OperationalError" in told
    assert [] == list(exporter.samples())
    engine.dispose()
