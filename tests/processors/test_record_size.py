"""No row and no fact outgrows its record: what would is refused for one account, and the worker goes on."""

import pytest
from msgspec.structs import replace

from processors.partition import Partition
from processors.record_size import (
    EXCEPTION_BYTES_MAX,
    RECORD_BYTES_MAX,
    RecordTooLarge,
    fitting,
)
from schemas.codec import TOPIC_OF_TYPE, encode, type_of
from schemas.events import PaymentLine, PaymentReceived, ReconciliationLine, ReconciliationRecorded
from schemas.facts import AccountQuarantined, ExceptionRaised, LedgerFact, ReminderEnded
from schemas.registry import topic
from schemas.rows import decode_key
from tests.processors.story import ACCOUNT, Story, restored, rows_of
from tests.processors.test_partition import PROFILE, committed, invoice, log

EVENT_BYTES_MAX = 1_048_576  # what intake takes
OVERHEAD_BYTES = 65_536  # key, headers and framing


def test_each_waiting_event_is_a_row_of_its_own() -> None:
    """Ten thousand words on a payment that has not come are as many small rows, and none that grows."""
    story = Story()
    for number in range(20):
        story.reconcile(f"X{number}", "P", f"+A{number}=1.00", on="01-05")
    rows = rows_of(story.account)
    assert 20 == len([key for key in rows if decode_key(key).kind == "waiting"])
    assert 600 > max(map(len, rows.values()))


def test_what_waited_is_folded_in_the_order_of_the_log_after_a_restart() -> None:
    """SEMANTICS 2.3: rows come back in any order; their events do not."""
    story = Story()
    for number, amount in enumerate(("10.00", "90.00", "40.00"), start=1):
        story.amend("A", number, amount=amount, on="01-05")
    stored = rows_of(story.account)
    story.account = restored(dict(sorted(stored.items(), reverse=True)))
    story.invoice("A", "100.00")
    assert (4000, 3) == (story.open("A"), story.account.items["A"].revision)
    assert {} == story.account.waiting


def test_limits_are_below_what_the_topics_take() -> None:
    """A record that the core lets pass is one that Kafka takes."""
    for struct in LedgerFact.__args__:
        limit = EXCEPTION_BYTES_MAX if struct is ExceptionRaised else RECORD_BYTES_MAX
        assert limit + OVERHEAD_BYTES < topic(TOPIC_OF_TYPE[type_of(struct)]).max_message_bytes
    assert RECORD_BYTES_MAX + OVERHEAD_BYTES < topic("ledger.account").max_message_bytes


def test_a_fact_that_no_record_holds_is_refused() -> None:
    """DESIGN 3.6: refused in the fold, where it is one account's poison, not in the producer, where it stops all."""
    said = ReminderEnded(
        id="f",
        account=ACCOUNT,
        reminder="r",
        tick="2026-01-01T00:00:00Z",  # type: ignore[arg-type]  # only its size counts
        status="sent",
        on="2026-01-01",  # type: ignore[arg-type]
        consumed=tuple((f"{number:0>1100}", "first") for number in range(1900)),
    )
    with pytest.raises(RecordTooLarge, match="ReminderEnded f has"):
        fitting([said, said])


def test_a_credit_that_names_more_than_a_row_holds_is_its_accounts_poison() -> None:
    """The bank names ever more items for one payment: one account is quarantined, its neighbour goes on."""
    partition = Partition(number=0)
    payment = PaymentReceived(
        company="acme", customer="c", occurred_at="2026-01-03", payment="P", currency="USD", amount="100.00"
    )
    words = [_words(number) for number in range(4)]
    assert EVENT_BYTES_MAX > max(len(encode(each)) for each in words)
    steps = committed(partition, log(PROFILE, payment, *words, invoice("I1", customer="good")))
    facts = [fact for step in steps for fact in step.facts]
    assert {"acme:c"} == {fact.account for fact in facts if isinstance(fact, AccountQuarantined)}
    assert [4, 5] == [poison.index for step in steps for poison in step.poison]
    assert "names 4500 items" in steps[0].poison[0].error
    assert "I1" in partition.account("acme:good").items
    assert RECORD_BYTES_MAX > max(map(len, partition.rows().values()))


def _words(number: int) -> ReconciliationRecorded:
    """Name 1,500 items with the longest ids that there can be."""
    return ReconciliationRecorded(
        company="acme",
        customer="c",
        occurred_at="2026-01-04",
        reconciliation=f"X{number}",
        payment="P",
        lines=tuple(
            ReconciliationLine(action="apply", document=f"{number * 1500 + line:04}" + "😀" * 124)
            for line in range(1500)
        ),
    )


def test_the_largest_events_make_rows_and_facts_that_fit() -> None:
    """What intake takes, 1 MiB, comes to records that Kafka takes: folded, waiting, contradicted, too old."""
    document = "😀" * 119 + "{:09}"
    count = 1_900
    payment = PaymentReceived(
        company="acme",
        customer="c",
        occurred_at="2026-01-03",
        payment="P",
        currency="USD",
        amount="100.00",
        lines=tuple(PaymentLine(document=document.format(number)) for number in range(count)),
    )
    other = replace(payment, amount="90.00")
    words = ReconciliationRecorded(
        company="acme",
        customer="c",
        occurred_at="2026-01-04",
        reconciliation="X",
        payment="Q",
        lines=tuple(
            ReconciliationLine(action="apply", document=document.format(number)) for number in range(count)
        ),
    )
    assert all(900_000 < len(encode(each)) < EVENT_BYTES_MAX for each in (payment, words))
    partition = Partition(number=0)
    steps = committed(partition, log(PROFILE, payment, other, words))
    assert [] == [poison for step in steps for poison in step.poison]
    assert RECORD_BYTES_MAX > max(map(len, partition.rows().values())) > EVENT_BYTES_MAX
    (conflict,) = [fact for step in steps for fact in step.facts if isinstance(fact, ExceptionRaised)]
    assert EXCEPTION_BYTES_MAX > len(encode(conflict)) > EVENT_BYTES_MAX


@pytest.mark.parametrize("at_once", [False, True])
def test_whatever_row_is_too_large_only_its_account_suffers(
    at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that nobody thought of: the record that made it is found in its run, and the rest of the run goes on."""
    monkeypatch.setattr("processors.record_size.RECORD_BYTES_MAX", 700)
    large = replace(invoice("LARGE"), reference="x" * 400)
    records = log(PROFILE, invoice("I1"), large, invoice("I2"), invoice("I1", customer="good"))
    partition = Partition(number=0)
    runs = [records] if at_once else [[record] for record in records]
    steps = [step for run in runs for step in committed(partition, run)]
    assert ["I1", "I2"] == list(partition.account("acme:c").items)
    assert ["I1"] == list(partition.account("acme:good").items)
    quarantines = [fact for step in steps for fact in step.facts if isinstance(fact, AccountQuarantined)]
    assert [("acme:c", 2)] == [(fact.account, fact.journal_offset) for fact in quarantines]
    assert "is larger than a record" in quarantines[0].error
