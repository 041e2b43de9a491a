"""Promises, disputes and what else was arranged with a customer: the verbs, what is expected, and what was said."""

from collections.abc import Iterator

from processors.money import to_text
from schemas.facts import (
    AccountQuarantined,
    AnswerGiven,
    ConditionalPaymentChanged,
    CreditLimitCrossed,
    DisputeOpened,
    DisputeRuled,
    LedgerFact,
    PaymentPlanEnded,
    PaymentPlanMade,
    PromiseJudged,
    PromiseMade,
    TransferSent,
)
from tests.scenarios.script import Clauses
from tests.scenarios.words import ScenarioError, Words

__all__ = ["arranged", "expected"]


def arranged(fact: LedgerFact) -> Iterator[Clauses]:
    """Write what was arranged with a customer, and what became of it, as clauses."""
    whose = {"account": fact.account}
    match fact:
        case PromiseMade():
            items = ", ".join(sorted(fact.items))
            total = to_text(fact.amount_minor, currency=fact.currency)
            until = fact.until.isoformat()
            yield whose | {"kind": "promised", "items": items, "total": total, "until": until}
        case PromiseJudged():
            received = to_text(fact.received_minor, currency=fact.currency)
            yield whose | {"kind": "promise", "status": fact.status, "received": received}
        case DisputeOpened():
            yield whose | {"kind": "disputed", "item": fact.item}
        case DisputeRuled():
            amount = to_text(fact.amount_minor, currency=fact.currency)
            yield whose | {"kind": "dispute", "status": fact.ruling, "amount": amount}
        case ConditionalPaymentChanged():
            items = ", ".join(sorted(fact.items))
            yield whose | {
                "kind": "conditional",
                "payment": fact.payment,
                "state": fact.state,
                "items": items,
            }
        case PaymentPlanMade():
            parts = "; ".join(
                f"{to_text(each.amount_minor, currency=fact.currency)} on {each.due_on}"
                for each in fact.instalments
            )
            yield whose | {"kind": "split", "item": fact.item, "parts": parts}
        case PaymentPlanEnded():
            returned = to_text(fact.returned_minor, currency=fact.currency)
            yield whose | {
                "kind": "payment-plan",
                "item": fact.item,
                "status": fact.status,
                "returned": returned,
            }
        case CreditLimitCrossed():
            exposure = to_text(fact.exposure_minor, currency=fact.currency)
            yield whose | {"kind": "limit", "status": fact.direction, "exposure": exposure}
        case AnswerGiven():
            yield whose | {"kind": "answered", "status": fact.said.kind, "placed": ", ".join(fact.placed)}
        case TransferSent():
            items = ", ".join(sorted(each.document.document for each in fact.event.items))
            yield whose | {"kind": "transferred", "items": items}
        case AccountQuarantined():
            yield whose | {"kind": "quarantined", "because": fact.error}
        case _:
            return  # movements are not asked for here


def expected(kind: str, words: Words, *, stops: tuple[str, ...]) -> Clauses:
    """Read what is expected of promises and disputes."""
    clauses: Clauses = {}
    match kind:
        case "promised":
            clauses["items"] = ", ".join(sorted(words.until_word("until", *stops)))
            clauses |= {"until": words.day().isoformat()} if words.take_if("until") else {}
        case "promise":
            clauses["status"] = words.take("what became of it")
            clauses |= {"received": words.take("an amount")} if words.take_if("received") else {}
        case "conditional":
            clauses["payment"], clauses["state"] = words.take("a payment"), words.take("a state")
            clauses["items"] = ", ".join(sorted(words.until_word(*stops)))
        case "split":
            clauses["item"], clauses["parts"] = words.take("an item"), words.take("its instalments")
        case "payment-plan":
            clauses["item"], clauses["status"] = words.take("an item"), words.take("what became of it")
            clauses |= {"returned": words.take("an amount")} if words.take_if("returned") else {}
        case "limit":
            clauses["status"], clauses["exposure"] = words.take("above or below"), words.take("an amount")
        case "transferred":
            clauses["items"] = ", ".join(sorted(words.until_word(*stops)))
        case "answered":
            clauses["status"] = words.take("a kind of answer")
            clauses |= {"placed": words.take("what was placed")} if words.take_if("placed") else {}
        case "disputed":
            clauses["item"] = words.take("an item")
        case "dispute":
            clauses["status"] = words.take("the ruling")
            clauses |= {"amount": words.take("an amount")} if words.take_if("amount") else {}
        case _:
            raise ScenarioError(words.line, f"nothing says {kind!r}")
    return clauses
