"""From a bug to the account's release, with real workers on a real Kafka (DESIGN 3.6)."""

import asyncio
import datetime
from typing import Any

import pytest
from msgspec import json

from console.logs import read_log, replayed_ledger, written_ledger
from console.replaying import differences
from infra.kafka import topics
from infra.kafka.dead_letters import read_letters
from infra.kafka.replays import Replayed, Wanted, replay_letters
from infra.settings import Settings
from processors import partition
from processors.fold import fold
from schemas.events import InvoiceIssued
from schemas.facts import AccountReleased
from schemas.rows import AccountRow, decode_row
from tests.streams.records import invoice
from tests.streams.test_pipeline import _drained, _publish_events, _workers

ACCOUNT = "acme:C-1"


@pytest.fixture
def settings(broker: str, namespace: str) -> Settings:
    """Give an installation with its topics."""
    made = Settings(bootstrap_servers=broker, topic_prefix=namespace, partitions=2, source_partitions=1)
    topics.apply(made)
    return made


def test_a_bug_is_mended_and_its_account_goes_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raised on, replayed too early, mended, replayed, released; a replay of the journal agrees with all of it."""
    told: list[Replayed] = []
    real = fold

    def raising(account: Any, event: Any, **more: Any) -> Any:
        if isinstance(event, InvoiceIssued) and event.document == "INV-2":
            raise ZeroDivisionError("a bug")
        return real(account, event, **more)

    async def story() -> None:
        async with _workers(settings):
            monkeypatch.setattr(partition, "fold", raising)
            _publish_events(settings, invoice(1), invoice(2), invoice(3), invoice(2, customer="C-2"))
            await _drained(settings)
            told.append(await asyncio.to_thread(replay, settings))
            await _drained(settings)
            assert _account(settings).quarantined
            monkeypatch.setattr(partition, "fold", real)
            told.append(await asyncio.to_thread(replay, settings))
            await _drained(settings)

    asyncio.run(story())
    assert [{"ledger.journal": 2}, {"ledger.journal": 2}] == [each.sent for each in told]
    assert [(ACCOUNT, "acme:C-2")] * 2 == [each.released for each in told]
    assert [True] * 4 == [bool(each.replayed_at) for each in read_letters(settings).newest]
    row = _account(settings)
    assert ("", 3000) == (row.quarantined, row.balances["USD"].open_minor)
    released = [
        json.decode(record.value, type=AccountReleased).account
        for record in read_log(settings, topic="collections.decision.v1")
        if b"collections.account.released.v1" in record.value
    ]
    assert [ACCOUNT, "acme:C-2"] == sorted(released)
    replayed, written = replayed_ledger(settings), written_ledger(settings)
    assert ([], 4) == (list(differences(replayed=replayed, written=written)), len(replayed.poison))


def replay(settings: Settings) -> Replayed:
    """Send all dead letters again."""
    return replay_letters(settings, wanted=Wanted(), now=datetime.datetime.now(datetime.UTC))


def _account(settings: Settings) -> AccountRow:
    rows = [decode_row(each.value) for each in read_log(settings, topic="ledger.account") if each.value]
    return [row for row in rows if isinstance(row, AccountRow) and row.account == ACCOUNT][-1]
