"""What intake refuses although it can be decoded: the sentence says what, the path says where."""

import pytest

from processors.validation import problems
from schemas.codec import decode_source
from schemas.commands import PublishPlan
from schemas.journal import SourceEvent
from schemas.plans import Action, Plan, Step

HEAD = '"company":"acme","customer":"c-1","occurred_at":"2026-01-05"'
INVOICE = "billing.invoice.issued.v1"
PAYMENT = "billing.payment.received.v1"


def event(event_type: str, body: str) -> SourceEvent:
    """Decode an event as intake does."""
    return decode_source(event_type, ("{" + body + "}").encode())


def invoice(
    *, head: str = HEAD, document: str = "I1", currency: str = "USD", amount: str = "1"
) -> SourceEvent:
    """Make an invoice with one thing to look at."""
    return event(INVOICE, f'{head},"document":"{document}","currency":"{currency}","amount":"{amount}"')


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"amount": "10.001"}, "more than the 2 decimals"),
        ({"currency": "XXQ"}, "`$.currency`"),
        ({"amount": "-10"}, "credit note"),
        ({"amount": "1e3"}, "no decimal"),
        ({"document": " I1"}, "`$.document`"),
        ({"document": "I\\n1"}, "`$.document`"),
        ({"head": HEAD.replace("acme", "a:b")}, "`$.company`"),
        ({"head": HEAD.replace("-01-05", "-13-05")}, "`$.occurred_at`"),
        ({"head": HEAD.replace("-01-05", "-01-05T10:00:00")}, "`$.occurred_at`"),
        ({"head": HEAD.replace("2026-01-05", "0001-01-01T00:00:00+14:00")}, "`$.occurred_at`"),
        ({"head": HEAD.replace("2026-01-05", "9999-12-31")}, "`$.occurred_at`"),
        ({"head": HEAD + ',"due_date":"0205-02-01"'}, "`$.due_date`"),
    ],
)
def test_each_problem_of_an_invoice_is_said_with_its_place(wrong: dict[str, str], expected: str) -> None:
    """One problem, one sentence, and it holds what the reader needs."""
    found = problems(invoice(**wrong))
    assert 1 == len(found)
    assert expected in found[0]


@pytest.mark.parametrize(
    ("event_type", "body", "expected"),
    [
        (PAYMENT, f'{HEAD},"payment":"P","currency":"USD","amount":"0"', "not above zero"),
        (
            "billing.payment.state_changed.v1",
            f'{HEAD},"payment":"P","state":"cleared","change":"7 "',
            "`$.change`",
        ),
        (PAYMENT, f'{HEAD},"payment":"P","currency":"CLP","amount":"100.50"', "0 decimals of CLP"),
        (
            PAYMENT,
            (
                f'{HEAD},"payment":"P","currency":"USD","amount":"10",'
                '"lines":[{"document":"A","amount":"6"},{"document":"B","amount":"6"}]'
            ),
            "lines name more",
        ),
        (
            PAYMENT,
            f'{HEAD},"payment":"P","currency":"USD","amount":"10","lines":[{{"document":"A"}},{{"document":"A"}}]',
            "`$.lines[1].document`",
        ),
        (
            "collections.company.configure.v1",
            (
                '"company":"acme","occurred_at":"2026-01-05","command":"c","name":"A",'
                '"time_zone":"Mars/Olympus","currency":"USD"'
            ),
            "`$.time_zone`",
        ),
        (
            "billing.customer.upserted.v1",
            f'{HEAD},"name":"C","contacts":[{{"email":"nobody"}}]',
            "`$.contacts[0].email`",
        ),
    ],
)
def test_each_problem_of_other_events_is_said_with_its_place(
    event_type: str, body: str, expected: str
) -> None:
    """Payments, profiles and master data have their own rules."""
    found = problems(event(event_type, body))
    assert 1 == len(found)
    assert expected in found[0]


@pytest.mark.parametrize("amount", ["10", "10.5", "10.50", "0", "0.00"])
def test_plain_amounts_pass(amount: str) -> None:
    """Fewer decimals than the currency has are fine (SEMANTICS 3)."""
    assert [] == problems(invoice(amount=amount))


def test_a_time_with_offset_passes() -> None:
    """RFC 3339 with an offset is a business time (SEMANTICS 2.4)."""
    assert [] == problems(invoice(head=HEAD.replace("2026-01-05", "2026-01-05T10:00:00-03:00")))


def test_plan_that_cannot_be_evaluated_is_refused_with_its_place() -> None:
    """R2: the path of a problem leads through the event to the step."""
    steps = tuple(Step(name=name, offset_days=0, actions=(Action(channel="email"),)) for name in ("a", "b"))
    event = PublishPlan(
        company="acme", occurred_at="2026-01-01", command="c-1", plan=Plan(id="p", version=1, steps=steps)
    )
    (problem,) = problems(event)
    assert "at `$.plan.steps[1].offset_days`" == problem.rpartition(" - ")[2]
