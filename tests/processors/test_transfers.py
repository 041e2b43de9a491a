"""Transfers (SEMANTICS 2.6): two accounts in two partitions, and no cent made or lost between them."""

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.account import Account
from processors.invariants import check
from processors.partition import Partition
from processors.payment_plans import in_instalments_minor
from schemas import commands, events
from schemas.facts import AccountTold, ExceptionRaised, LedgerFact, Movement, TransferSent
from schemas.journal import JournalEntry, JournalEvent, encode_entry
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Record, Stage, _hold_true, run

HOMES = {"A": 0, "B": 1}
ITEMS = ("I1", "I2", "I3")
PAYMENTS = ("P1", "P2")


class _Two:
    """Two partitions with an account each; what one is told by the other comes when ``deliver`` says so."""

    def __init__(self) -> None:
        self.partitions = {0: Partition(number=0), 1: Partition(number=1)}
        self.logs: dict[int, list[Record]] = {0: [], 1: []}
        self.facts: list[LedgerFact] = []
        self.underway: list[TransferSent | AccountTold] = []

    def tell(self, event: JournalEvent, *, event_id: str = "") -> None:
        """Write an event to its account's partition, and fold it."""
        number = HOMES[event.customer]  # type: ignore[union-attr]  # no ticks here
        log = self.logs[number]
        log.append(Record(len(log), 0, encode_entry(JournalEntry(event, event_id or f"e{len(log)}", "test"))))
        step = self.partitions[number].step(log[-1:], cursor="")
        assert [] == step.poison
        self.partitions[number].commit()
        self.facts += step.facts
        self.underway += [fact for fact in step.facts if isinstance(fact, TransferSent | AccountTold)]

    def deliver(self) -> None:
        """Let the accounts hear what they told each other, until nothing is underway."""
        for _ in range(100):
            if not self.underway:
                return
            sent = self.underway.pop(0)
            self.tell(sent.event, event_id=sent.id)
        raise AssertionError("accounts send things to and fro without end")

    def net_minor(self) -> int:
        """Give Σ open − Σ credits of both accounts."""
        balances = [self.account(name).row.balances.values() for name in HOMES]
        return sum(each.open_minor - each.credit_minor for found in balances for each in found)

    def account(self, name: str) -> Account:
        """Give an account by its customer."""
        return self.partitions[HOMES[name]].account(f"acme:{name}")


def _outside_minor(facts: Iterable[LedgerFact]) -> int:
    """Sum what movements other than transfers say of Σ open − Σ credits: what came from outside both accounts."""
    return sum(
        fact.amount_minor if fact.item else -fact.amount_minor
        for fact in facts
        if isinstance(fact, Movement) and fact.kind not in ("transferred_in", "transferred_out")
    )


def _event(verb: str, *, customer: str, number: int, index: int) -> JournalEvent:
    """Make the event of an act; ids repeat, so that events meet."""
    told: dict[str, Any] = {
        "company": "acme",
        "customer": customer,
        "occurred_at": f"2026-01-{1 + index % 28:02d}",
    }
    item, payment = f"{customer}-{ITEMS[number % 3]}", f"{customer}-{PAYMENTS[number % 2]}"
    due = datetime.date(2026, 2, 1 + number)
    money: dict[str, Any] = {"currency": "USD", "amount": f"{10 * (number + 1)}.00"}
    asked = told | {"command": f"c{index}"}
    to: dict[str, Any] = {"to_customer": "B" if customer == "A" else "A"}
    lines = (events.PaymentLine(document=item),) if number % 2 else ()
    named: dict[str, Any] = {"invoice": item} if number % 2 else {}
    split: dict[str, Any] = {"count": 2 + number % 3, "first_on": due}
    made: dict[str, Callable[[], JournalEvent]] = {
        "invoice": lambda: events.InvoiceIssued(**told, document=item, due_date=due, **money),
        "amend": lambda: events.InvoiceAmended(
            **told, document=item, revision=index + 1, amount=f"{5 * (number + 1)}.00"
        ),
        "postpone": lambda: events.InvoiceAmended(
            **told, document=item, revision=index + 1, due_date=due + datetime.timedelta(days=index)
        ),
        "cancel": lambda: events.InvoiceCancelled(**told, document=item),
        "payment": lambda: events.PaymentReceived(**told, payment=payment, lines=lines, **money),
        "reverse": lambda: events.PaymentReversed(**told, payment=payment),
        "refund": lambda: events.RefundPaid(
            **told, refund=f"R{index}", credit=payment, currency="USD", amount="5.00"
        ),
        "note": lambda: events.CreditNoteIssued(
            **told, document=f"{customer}-N{number % 2}", **named, **money
        ),
        "merge": lambda: events.CustomerMerged(**told, into=to["to_customer"]),
        "plan": lambda: commands.MakePaymentPlan(**asked, document=item, **split),
        "transfer": lambda: commands.TransferItem(**asked, document=item, **to),
        "pay-other": lambda: commands.TransferPayment(**asked, payment=payment, **to),
    }
    return made[verb]()


def _check_copies(two: _Two, name: str) -> None:
    """What was sent of a credit counts at the other account, neither more nor less (R14)."""
    others = two.account("B" if name == "A" else "A").credits
    for credit in two.account(name).credits.values():
        copy = others.get(f"{credit.credit}@{name}")
        counts = 0 if copy is None else copy.effective_minor + copy.moved_minor
        assert credit.moved_minor == counts


def _check_items(two: _Two, name: str) -> None:
    """What moved of an item is what the other account has of it; cancelled here, it is not owed there (R13)."""
    others = two.account("B" if name == "A" else "A").items
    for item in two.account(name).items.values():
        if item.moved_to in ("", item.moved_from):
            continue  # here, or home again, where it is the customer's own item
        names = (item.item, item.document.document, f"{item.document.document} @{name}")
        copies = [
            others[each]
            for each in dict.fromkeys(names)
            if each in others and others[each].moved_from == name
        ]
        there_minor = item.moved_minor - in_instalments_minor(two.account(name), item)
        home_minor = sum(copy.moved_minor for copy in copies if copy.moved_to == name)
        assert there_minor == sum(copy.amount_minor for copy in copies) - home_minor
        if item.status == "cancelled":
            assert [] == [copy.item for copy in copies if copy.open_minor]
        for copy in copies:
            assert copy.due_on == item.due_on or not item.moved_minor


VERBS = st.sampled_from(
    ["invoice"] * 3
    + ["payment"] * 3
    + [
        "amend",
        "postpone",
        "cancel",
        "reverse",
        "refund",
        "note",
        "plan",
        "transfer",
        "transfer",
        "pay-other",
        "pay-other",
    ]
)
ACTS = st.tuples(VERBS, st.sampled_from(("A", "A", "B")), st.integers(0, 5), st.booleans())


def _check_cancelled(two: _Two, name: str) -> None:
    """Cancelled, nothing of an item is owed or paid any more, in its instalments neither (R13, R25)."""
    account = two.account(name)
    for item in account.items.values():
        if item.status == "cancelled":
            assert 0 == in_instalments_minor(account, item)


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTS, min_size=3, max_size=25), st.none() | st.integers(0, 20), st.booleans())
def test_no_cent_is_made_or_lost_between_two_accounts(
    acts: list[tuple[str, str, int, bool]], merged_at: int | None, both_ways: bool
) -> None:
    """SEMANTICS 2.6, conservation: what both owe is what came from outside; transfers only carry it over."""
    two = _Two()
    for index, (verb, customer, number, at_once) in enumerate(acts):
        if index == merged_at:
            two.tell(_event("merge", customer="A", number=0, index=index))
            if both_ways:
                two.tell(_event("merge", customer="B", number=0, index=index))
        two.tell(_event(verb, customer=customer, number=number, index=index))
        if at_once:
            two.deliver()
    two.deliver()
    for name in HOMES:
        check(two.account(name))
        _check_copies(two, name)
        _check_items(two, name)
        _check_cancelled(two, name)
    assert _outside_minor(two.facts) == two.net_minor()


def test_what_was_paid_of_an_instalment_is_not_called_back_from_another_customer() -> None:
    """R13, R25, SEMANTICS 2.6: an instalment is paid, then the customer is merged, then the invoice is cancelled: both have what is theirs."""
    two = _Two()
    acts = (("invoice", 0), ("invoice", 1), ("plan", 0), ("payment", 0), ("merge", 0), ("cancel", 0))
    for index, (verb, number) in enumerate(acts):
        two.tell(_event(verb, customer="A", number=number, index=index))
        two.deliver()
    for name in HOMES:
        _check_items(two, name)
        _check_cancelled(two, name)
    assert _outside_minor(two.facts) == two.net_minor() == 1000


def test_an_instalment_does_not_go_to_another_customer_alone() -> None:
    """R25: it is refused, and said what can be transferred; cancelled here, it would be owed there."""
    two = _Two()
    for index, verb in enumerate(("invoice", "plan")):
        two.tell(_event(verb, customer="A", number=0, index=index))
    (part, *_) = two.account("A").arranged().payment_plans["c1"].instalments
    command = commands.TransferItem(
        company="acme", customer="A", occurred_at="2026-01-05", command="c9", document=part, to_customer="B"
    )
    two.tell(command)
    assert [] == two.underway
    said = [fact.detail for fact in two.facts if isinstance(fact, ExceptionRaised)]
    assert ["it is an instalment: transfer A-I1"] == said


def test_an_instalment_whose_money_goes_back_follows_its_invoice_to_the_other_customer() -> None:
    """R14, R25: the plan was kept when the invoice was re-assigned; what bounces is owed where the invoice is."""
    two = _Two()
    for index, (verb, number) in enumerate(
        (("invoice", 0), ("plan", 0), ("payment", 0), ("transfer", 0), ("reverse", 0))
    ):
        two.tell(_event(verb, customer="A", number=number, index=index))
        two.deliver()
    assert {"A-I1": 1000} == {item.item: item.open_minor for item in two.account("B").items.values()}
    _check_items(two, "A")


@settings(max_examples=25, deadline=None)
@given(st.lists(ACTS, min_size=3, max_size=20))
def test_a_replay_of_both_journals_sends_nothing_twice(acts: list[tuple[str, str, int, bool]]) -> None:
    """DESIGN 3: what accounts told each other is in the log; folding it again gives the same rows and facts."""
    two = _Two()
    for index, (verb, customer, number, _) in enumerate(acts):
        two.tell(_event(verb, customer=customer, number=number, index=index))
        two.deliver()
    for number, log in two.logs.items():
        again = Partition(number=number)
        facts: list[LedgerFact] = []
        for record in log:
            facts += again.step([record], cursor="").facts
            again.commit()
        name = "A" if number == 0 else "B"
        assert [fact for fact in two.facts if fact.account == f"acme:{name}"] == facts
        assert two.partitions[number].rows() == again.rows()


SENT_ON = """# R14, SEMANTICS 2.6: a merged customer's payment is sent on to a third one, by hand, in part; then it bounces.
customer email ana@c1.test
customer @C2 email eva@c2.test
customer @C3 email ida@c3.test
plan default
    first 0 email
2026-01-02  invoice INV-2 40.00 due 2026-02-02 @C2
2026-01-02  invoice INV-3 60.00 due 2026-02-02 @C3
2026-01-03  merge into C2
    expect transferred
2026-01-04  payment P-1 100.00 for INV-2, INV-7
    expect transferred
2026-01-05  transfer-payment P-1@C1 60.00 to C3 items INV-3 @C2
    expect transferred @C2
2026-01-06  reverse P-1
    expect transferred
    expect transferred @C2
2026-02-02  tick
    expect reminder first INV-2 by email total "40.00 USD" @C2
    expect finished INV-2 @C2
    expect reminder first INV-3 by email total "60.00 USD" @C3
    expect finished INV-3 @C3
"""


def test_what_was_sent_on_by_hand_bounces_everywhere(tmp_path: Path) -> None:
    """R14, SEMANTICS 2.6: the bank takes a payment back under the name that it knows: nobody keeps a part of it."""
    path = tmp_path / "sent_on.txt"
    path.write_text(SENT_ON, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    _hold_true(stage)
