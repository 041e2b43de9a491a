"""Intake as a pure stage: what is admitted, what is refused and why; no broker (DESIGN 1, 9)."""

import pytest
from msgspec import json

from schemas.commands import ConfigureCompany
from schemas.dead_letters import read_dead_letter
from schemas.envelope import UnreadableName
from schemas.journal import BROADCAST_KEY, JournalEntry, decode_entry
from streams.engine.stage import Step
from streams.intake import RECORD_BYTES_MAX, Admitted, BadLimits, Intake, Refused, admit, place
from tests.streams.records import FakeRecord, event_record, invoice

TOPIC = "billing.invoice.v1"


def _intake(limits: BadLimits | None = None) -> Intake:
    return Intake(
        topic=TOPIC,
        source=("x.billing.invoice.v1", 1),
        journal=("x.ledger.journal", 4),
        dead_letters=("x.billing.invoice.v1.dlq", 0),
        limits=limits or BadLimits(),
        places={},
    )


def _bad(offset: int = 0) -> FakeRecord:
    return FakeRecord(offset, 0, b"k", b"not json", [("ce_specversion", b"1.0")])


def test_an_event_becomes_a_journal_entry_under_its_account() -> None:
    """The foreign key does not count; id and source of the envelope are kept, headers are not."""
    step = _intake().step([event_record(invoice(1), event_id="e-7")], cursor="")
    (output,) = step.outputs
    assert JournalEntry(invoice(1), "e-7", "billing/test") == decode_entry(output.value or b"")
    assert ("x.ledger.journal", place("acme:C-1", partitions=4), b"acme:C-1", []) == (
        output.topic,
        output.partition,
        output.key,
        output.headers,
    )


@pytest.mark.parametrize(
    ("account", "partition"), [("acme:C-1", 3), ("acme:0379-NEVHP", 1), ("globex:ñandú", 2), ("a:b", 3)]
)
def test_an_account_has_the_partition_of_kafkas_default_partitioner(account: str, partition: int) -> None:
    """The Java client would choose the same: murmur2 of the key, made positive, modulo the count."""
    from kafka.partitioner.default import murmur2

    expected = (murmur2(account.encode()) & 0x7FFFFFFF) % 4
    assert expected == partition == place(account, partitions=4)


def test_what_concerns_a_company_goes_to_every_partition() -> None:
    """Each partition's log alone determines its state (DESIGN 1)."""
    profile = ConfigureCompany(
        company="acme", occurred_at="2026-01-01", command="p-1", name="Acme", time_zone="UTC", currency="USD"
    )
    record = event_record(profile)
    intake = Intake(
        topic="collections.command.v1",
        source=("collections.command.v1", 0),
        journal=("ledger.journal", 4),
        dead_letters=("collections.command.v1.dlq", 0),
        limits=BadLimits(),
        places={},
    )
    step = intake.step([record], cursor="")
    assert [(n, BROADCAST_KEY) for n in range(4)] == [(one.partition, one.key) for one in step.outputs]


def test_structured_mode_is_admitted_too() -> None:
    """One JSON object with the data inside, as ``publish`` reads files."""
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "billing/test",
        "type": "billing.invoice.issued.v1",
        "data": invoice(1),
    }
    record = FakeRecord(0, 0, None, json.encode(event), [("content-type", b"application/cloudevents+json")])
    assert isinstance(admit(record, topic=TOPIC), Admitted)


def _with(record: FakeRecord, **headers: bytes) -> FakeRecord:
    return record._replace(headers=[(name, headers.get(name, old)) for name, old in record.headers])


GOOD = event_record(invoice(1))


def test_names_of_headers_are_read_however_they_are_written() -> None:
    """Some clients write them with capitals, and add their own; those that come last count."""
    shouted = GOOD._replace(
        headers=[("trace", b"t"), *((name.upper(), value) for name, value in GOOD.headers)]
    )
    again = GOOD._replace(headers=[*GOOD.headers, ("CE_ID", b"e-9")])
    verdicts = [admit(record, topic=TOPIC) for record in (GOOD, shouted, again)]
    assert ["e-1", "e-1", "e-9"] == [each.entry.id for each in verdicts if isinstance(each, Admitted)]


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        (GOOD._replace(value=None), "not_cloudevent", "no value"),
        (GOOD._replace(headers=[]), "not_cloudevent", "ce_specversion is missing"),
        (
            GOOD._replace(headers=[*GOOD.headers, (UnreadableName(r"se\xf1al"), b"1")]),
            "not_cloudevent",
            r"the name of header 6 is not UTF-8: se\xf1al",
        ),
        (_with(GOOD, ce_id=b"x" * 1025), "not_cloudevent", "at most 1024"),
        (GOOD._replace(value=b"{"), "not_json", "truncated"),
        (GOOD._replace(value=b"\xff"), "not_json", ""),
        (_with(GOOD, ce_type=b"billing.invoice.lost.v1"), "unknown_type", "is unknown"),
        (
            _with(GOOD, ce_type=b"billing.invoice.issued.v2"),
            "unknown_version",
            "known: billing.invoice.issued.v1",
        ),
        (GOOD._replace(value=b"{}"), "invalid", "company"),
        (event_record(invoice(1, amount="1.001")), "invalid", "decimals"),
        (event_record(invoice(1, amount="-1")), "invalid", "negative"),
        (event_record(invoice(1, currency="XXZ")), "invalid", "XXZ"),
        (GOOD._replace(value=b" " * RECORD_BYTES_MAX + b"{}"), "too_large", "at most 1048576"),
    ],
)
def test_bad_input_is_refused_with_its_reason(record: FakeRecord, reason: str, detail: str) -> None:
    """Every kind of it, each with a closed label and a sentence for people."""
    verdict = admit(record, topic=TOPIC)
    assert isinstance(verdict, Refused)
    assert reason == verdict.reason
    assert detail in verdict.detail


def test_an_event_on_the_wrong_topic_is_refused() -> None:
    """Its order against its neighbours would be another one there."""
    verdict = admit(GOOD, topic="billing.payment.v1")
    assert isinstance(verdict, Refused)
    assert "wrong_topic" == verdict.reason


def test_a_dead_letter_is_the_record_as_it_came_and_says_why() -> None:
    """Bytes, key and own headers untouched; neighbours go on."""
    bad = FakeRecord(41, 0, b"\x00k", b"\xff\xfe", [("ce_specversion", b"1.0"), ("trace", b"t")])
    step = _intake().step([event_record(invoice(1)), bad, event_record(invoice(2))], cursor="")
    first, letter, last = step.outputs
    assert ["x.ledger.journal"] * 2 == [first.topic, last.topic]
    assert ("x.billing.invoice.v1.dlq", 0, bad.key, bad.value) == letter[:4]
    assert bad.headers == letter.headers[:2]
    found = read_dead_letter(letter.headers)
    assert ("not_cloudevent", "intake", "x.billing.invoice.v1", 1, 41) == (
        found.reason,
        found.stage,
        found.topic,
        found.partition,
        found.offset,
    )


def test_too_many_bad_records_in_a_row_pause_the_partition() -> None:
    """Those up to the limit are dead letters; what follows stays in the source."""
    step = _intake(BadLimits(in_a_row_max=3)).step([_bad(n) for n in range(9)], cursor="")
    assert (3, 3, "3 bad records in a row") == (len(step.outputs), step.consumed, step.pause)


def test_good_records_between_them_begin_the_count_anew() -> None:
    """Three bad ones in a row are meant, not three in all."""
    records = [_bad(), _bad(), event_record(invoice(1)), _bad(), _bad()]
    assert "" == _intake(BadLimits(in_a_row_max=3)).step(records, cursor="").pause


def test_too_large_a_share_of_bad_records_pauses_the_partition() -> None:
    """Half of ten is still taken, six of ten are not."""
    limits = BadLimits(ratio_max=0.5, window=10)
    half = [_bad(), event_record(invoice(1))] * 5
    assert "" == _intake(limits).step(half, cursor="").pause
    assert (
        "6 of the last 10 records are bad"
        == _intake(limits).step([_bad(), _bad(), *half[:8]], cursor="").pause
    )


def test_records_that_come_again_are_counted_once() -> None:
    """After a discard the same run comes again: its bad ones are not bad twice."""
    intake = _intake(BadLimits(in_a_row_max=3))
    for _ in range(4):
        assert "" == intake.step([_bad(), _bad()], cursor="").pause
        intake.discard()
    intake.step([_bad(), _bad()], cursor="")
    intake.commit()
    assert Step((), [], 1, "", "3 bad records in a row")[2:] == intake.step([_bad()], cursor="")[2:]
