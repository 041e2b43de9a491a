"""R34: trust follows the customer's own payments, or what a person said, and the counters follow every reversal."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.account import Account
from processors.company import Company
from processors.context import FoldContext
from processors.purge import purge
from processors.trust import derived_trust, note_payment, note_promise, set_trust
from schemas.charges import ClaimDocument
from schemas.commands import SetTrust
from schemas.events import InvoiceIssued
from schemas.facts import ExceptionRaised, LedgerFact
from schemas.rows import AccountRow, ApplicationRow, ItemRow
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

_HEAD = """# a customer's payments
customer email ana@c1.test
"""


def _row(story: str, *, folder: Path) -> AccountRow:
    path = folder / "story.txt"
    lines = sorted(story.splitlines(), key=lambda line: line[:10])  # in the order of days
    path.write_text(_HEAD + "\n".join(lines), encoding="utf-8")
    stage = Stage(restores=True)
    run(read_script(path), stage=stage)
    return stage.partition.account("acme:C1").row


def _paid(number: int, *, on: str) -> str:
    return f"2026-01-02  invoice INV-{number} 10.00 due 2026-02-02\n{on}  payment P-{number} 10.00 for INV-{number}\n"


@pytest.mark.parametrize(
    ("paid", "late", "days", "broken", "expected"),
    [
        (0, 0, 0, 0, "normal"),  # nothing is known
        (2, 2, 200, 0, "normal"),  # two invoices are no history
        (3, 0, 0, 0, "good"),
        (10, 1, 30, 0, "good"),  # one of ten late, three days on average
        (10, 1, 31, 0, "normal"),
        (10, 2, 4, 0, "normal"),
        (10, 0, 0, 1, "normal"),  # a broken promise costs the good name
        (0, 0, 0, 2, "bad"),  # two cost all of it
        (4, 2, 60, 0, "normal"),  # fifteen days on average are not more than fifteen
        (4, 2, 61, 0, "bad"),
        (5, 2, 500, 0, "normal"),  # less than half were late
    ],
)
def test_formula(paid: int, late: int, days: int, broken: int, expected: str) -> None:
    """The limits of docs/domain.md, each on both sides."""
    row = AccountRow(account="a:b", paid_items=paid, late_items=late, late_days=days, broken_promises=broken)
    assert expected == derived_trust(row)


def test_who_pays_in_time_is_good(tmp_path: Path) -> None:
    """S0-26: three invoices paid on the due date."""
    row = _row("".join(_paid(number, on="2026-02-02") for number in (1, 2, 3)), folder=tmp_path)
    assert ("good", 3, 0, 0) == (row.trust, row.paid_items, row.late_items, row.late_days)


def test_days_late_are_those_of_the_last_money(tmp_path: Path) -> None:
    """An invoice is paid when its last cent is; credit notes are no payments."""
    story = _paid(1, on="2026-02-12")
    story += "2026-01-02  invoice INV-2 10.00 due 2026-02-02\n2026-02-01  payment A 4.00 for INV-2\n"
    story += "2026-02-07  payment B 6.00 for INV-2\n"
    story += "2026-01-02  invoice INV-3 10.00 due 2026-02-02\n2026-02-20  credit-note N 10.00 for INV-3\n"
    row = _row(story, folder=tmp_path)
    assert (2, 2, 15) == (row.paid_items, row.late_items, row.late_days)


def test_a_cheque_that_bounces_was_no_payment(tmp_path: Path) -> None:
    """R14: what was counted is taken back, and counted again when it is paid again."""
    paid = "".join(_paid(number, on="2026-02-02") for number in (1, 2, 3))
    bounced = paid + "2026-02-10  reverse P-3\n"
    row = _row(bounced, folder=tmp_path)
    assert ("normal", 2, 0) == (row.trust, row.paid_items, row.late_days)
    row = _row(bounced + "2026-03-04  payment P-9 10.00 for INV-3\n", folder=tmp_path)
    assert ("normal", 3, 1, 30) == (row.trust, row.paid_items, row.late_items, row.late_days)


def test_a_persons_word_stands_until_it_is_cleared(tmp_path: Path) -> None:
    """S2-22: set by hand, history changes nothing; cleared, it counts again."""
    paid = "".join(_paid(number, on="2026-02-02") for number in (1, 2, 3))
    row = _row("2026-01-01  trust bad\n" + paid, folder=tmp_path)
    assert ("bad", "bad", 3) == (row.trust, row.trust_set, row.paid_items)
    row = _row("2026-01-01  trust bad\n" + paid + "2026-02-03  trust derived\n", folder=tmp_path)
    assert ("good", None) == (row.trust, row.trust_set)


def test_notes_and_calls_are_remembered(tmp_path: Path) -> None:
    """R20, R37: the day of the last note, and of the last call; a note moves no decision version."""
    told = '2026-02-03  note "a"\n2026-02-05  call-attempt "b"\n2026-02-04  conversation "c"\n2026-02-09  note "d"\n'
    row = _row(told, folder=tmp_path)
    assert ("2026-02-09", "2026-02-05", "2026-02-04") == tuple(
        str(each) for each in (row.last_note_on, row.last_call_on, row.last_contact_on)
    )


def test_broken_promises_count() -> None:
    """R34, R35: the second one makes it bad, and is a new decision version; late money takes one back."""
    account = Account("acme:C1")
    note_promise(account, before="open", after="broken")
    note_promise(account, before="open", after="kept")
    assert ("normal", 1, 0) == (account.row.trust, account.row.broken_promises, account.row.version)
    note_promise(account, before="open", after="broken")
    assert ("bad", 1) == (account.row.trust, account.row.version)
    note_promise(account, before="broken", after="kept")
    assert ("normal", 1, 2) == (account.row.trust, account.row.broken_promises, account.row.version)


_lives = st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=6)


@settings(max_examples=25, deadline=None)
@given(lives=_lives)
def test_counters_are_what_is_settled(
    lives: list[tuple[int, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However payments come and bounce, the counters are those of the items that money holds settled."""
    story = ""
    for number, (late, bounces) in enumerate(lives):
        story += _paid(number, on=f"2026-{2 + late // 27:02d}-{2 + late % 27:02d}")
        if bounces:
            story += f"2026-05-01  reverse P-{number}\n"
    row = _row(story, folder=tmp_path_factory.mktemp("lives"))
    kept = [late for late, bounces in lives if not bounces]
    shown = [(0 if late < 27 else 1) + late for late in kept]
    assert len(kept) == row.paid_items
    assert sum(late > 0 for late in shown) == row.late_items


def test_one_payment_of_two_invoices_says_the_same_whatever_they_are_called(tmp_path: Path) -> None:
    """R26: names, hashed anew by each process, are no order.

    With 17 of 18 paid in time, one late makes 2 of 19, which is not good; one in time first makes it 2 of 20.
    """
    paid = "".join(_paid(number, on="2026-02-02") for number in range(1, 18)) + _paid(18, on="2026-02-03")
    versions = set()
    for name in range(8):
        row = _row(
            f"{paid}2026-01-02  invoice LATE-{name} 10.00 due 2026-02-04\n"
            f"2026-01-02  invoice TIME-{name} 10.00 due 2026-02-05\n"
            "2026-02-05  payment P-99 20.00\n",
            folder=tmp_path,
        )
        assert (20, 2) == (row.paid_items, row.late_items)
        versions.add(row.version)
    assert 1 == len(versions)


def _set(account: Account, trust: str, *, command: str) -> list[LedgerFact]:
    company = Company("acme")
    context = FoldContext(company, "cause", datetime.date(2026, 2, 1))
    told: Any = {"company": "acme", "customer": "C1", "occurred_at": "2026-02-01", "command": command}
    return set_trust(account, SetTrust(**told, trust=trust), context=context)  # type: ignore[arg-type]


def test_a_request_counts_once() -> None:
    """SEMANTICS 2.2: the same request again changes nothing, other content under its id is a conflict; it is kept."""
    account = Account("acme:C1")
    assert [] == _set(account, "bad", command="c1")
    assert [] == _set(account, "good", command="c2")
    version = account.row.version
    assert [] == _set(account, "good", command="c2")
    assert [] == _set(account, "bad", command="c1")
    assert ("good", version) == (account.row.trust, account.row.version)
    (conflict,) = _set(account, "normal", command="c2")
    assert isinstance(conflict, ExceptionRaised)
    assert ("conflict", "command/c2", "good") == (conflict.reason, conflict.key, account.row.trust)
    assert {"command/c1", "command/c2"} <= account.seen.keys()
    assert datetime.date(2027, 3, 8) == account.row.purge_on  # forgotten after the retention of 400 days


def test_a_request_is_forgotten_after_the_retention() -> None:
    """SEMANTICS 2.2: remembered for 400 days, and no day less."""
    account, company = Account("acme:C1"), Company("acme")
    _set(account, "bad", command="c1")
    since = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    purge(account, day=datetime.date(2027, 3, 7), since=since, company=company)
    assert ["command/c1"] == list(account.seen)
    purge(account, day=datetime.date(2027, 3, 8), since=since, company=company)
    assert ([], "bad") == (list(account.seen), account.row.trust)


def test_interest_that_was_paid_late_says_nothing() -> None:
    """R22: a claim has no terms of its own; how long it stood open is not how the customer pays."""
    account = Account("acme:C1")
    claim = ClaimDocument(
        company="acme",
        customer="C1",
        occurred_at="2026-01-01",
        document="CL",
        currency="USD",
        amount="10",
        charge="interest",
        item="I",
    )
    issued = InvoiceIssued(
        company="acme", customer="C1", occurred_at="2026-01-01", document="I", currency="USD", amount="10"
    )
    day = datetime.date(2026, 1, 1)
    for document in (claim, issued):
        row = ItemRow(
            account="acme:C1",
            item=document.document,
            document=document,
            currency="USD",
            amount_minor=1000,
            open_minor=0,
            issued_on=day,
            due_on=day,
            status="settled",
        )
        paid = ApplicationRow(
            account="acme:C1",
            credit="payment/P",
            item=row.item,
            amount_minor=1000,
            applied_on=datetime.date(2026, 3, 1),
        )
        account.items[row.item] = row
        account.put_application(paid)
        note_payment(account, row)
    assert (1, 1, 59) == (account.row.paid_items, account.row.late_items, account.row.late_days)
