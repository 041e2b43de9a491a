"""What the ledger says, as clauses to compare: the reader's side of ``expect``."""

from collections.abc import Iterator

from processors.calendar import zone_of
from processors.money import to_text
from schemas.charges import Charge, ClaimCorrected, ClaimRaised
from schemas.facts import (
    ExceptionRaised,
    ItemHandedOver,
    LedgerFact,
    LevelTakenOver,
    MessageDecided,
    MessageEnded,
    PlanFinished,
    ReminderDecided,
    ReminderEnded,
    ReminderItem,
    ReminderProposed,
    ReminderRetracted,
    ReminderWasWrong,
    ReminderWithheld,
    TaskClosed,
    TaskOpened,
    Total,
)
from tests.scenarios.arranged import arranged
from tests.scenarios.script import Clauses, Expectation

__all__ = ["clauses_of", "differences"]


def clauses_of(fact: LedgerFact) -> Iterator[Clauses]:
    """Write a fact as clauses, one set per thing said; movements are not asked for here."""
    match fact:
        case ReminderDecided():
            yield _reminder(fact)
        case ReminderProposed():
            yield _proposal(fact)
        case ReminderWithheld():
            for each in fact.items:
                yield {
                    "kind": "withheld",
                    "account": fact.account,
                    "item": each.item,
                    "step": each.step or "-",
                    "because": each.reason,
                    "until": "" if each.until is None else each.until.isoformat(),
                    **_values(each.values),
                }
        case ReminderEnded():
            back = ", ".join(f"{item}:{step}" for item, step in sorted(fact.given_back))
            yield {
                "kind": fact.status,
                "account": fact.account,
                "on": fact.on.isoformat(),
                "gives-back": back,
            }
        case ReminderRetracted():
            yield {"kind": "retracted", "account": fact.account, "item": fact.item}
        case PlanFinished() | ItemHandedOver():
            yield _finished(fact)
        case ExceptionRaised():
            yield {"kind": "exception", "account": fact.account, "because": fact.reason}
        case _:
            yield from _further(fact)


def _further(fact: LedgerFact) -> Iterator[Clauses]:
    match fact:
        case ReminderWasWrong():
            yield {
                "kind": "was-wrong",
                "account": fact.account,
                "item": fact.item,
                "value sent": fact.sent_on.isoformat(),
                "value settled": fact.settled_on.isoformat(),
                "value known": fact.known_on.isoformat(),
                "value because": fact.because,
            }
        case ClaimRaised():
            amount = to_text(fact.amount_minor, currency=fact.currency)
            yield {"kind": "claim", "account": fact.account, "claim": fact.claim, "amount": amount}
        case ClaimCorrected():
            amount = to_text(fact.amount_minor, currency=fact.currency)
            corrected = {"kind": "claim-corrected", "account": fact.account, "because": fact.because}
            yield corrected | {"claim": fact.claim, "amount": amount}
        case TaskOpened():
            # No one knows the id of the reminder that is to be corrected.
            task = fact.task.partition("/")[0] if fact.task_type == "correction" else fact.task
            yield {"kind": "task", "account": fact.account, "task": task, **_values(fact.values)}
        case LevelTakenOver():
            yield {"kind": "taken-over", "account": fact.account, "item": fact.item, "step": fact.step}
        case MessageDecided():
            content = _reminder(fact.content) | {"items": _subject(fact)}
            yield {**content, "kind": "message"}
        case MessageEnded():
            ended = {
                "kind": "unsent",
                "account": fact.account,
                "step": fact.message_kind,
                "item": _subject(fact),
            }
            yield {**ended, "kind": "sent"} if fact.status == "sent" else {**ended, "because": fact.status}
        case TaskClosed():
            name = fact.task.partition("/")[0] if fact.task.startswith("correction/") else fact.task
            yield {"kind": "task-closed", "account": fact.account, "task": name, "as": fact.outcome}
        case _:
            yield from arranged(fact)


def _subject(fact: MessageDecided | MessageEnded) -> str:
    """Say what a message speaks of; no one knows the id of the reminder that a correction is of."""
    return "latest" if fact.message_kind == "correction" else fact.subject


def _finished(fact: PlanFinished | ItemHandedOver) -> Clauses:
    said = {"account": fact.account, "item": fact.item, "plan": f"{fact.plan}/{fact.plan_version}"}
    if isinstance(fact, PlanFinished):
        return {"kind": "finished", **said}
    return {"kind": "handed-over", "to": fact.to, **said}


def _reminder(fact: ReminderDecided) -> Clauses:
    contacts = dict.fromkeys(
        each.contact.email or each.contact.name or " ".join(each.contact.address) for each in fact.deliveries
    )
    return {
        "kind": "reminder" if fact.items else "follow-up",
        "account": fact.account,
        "step": fact.step,
        "items": _items(fact),
        "by": ", ".join(sorted({each.channel for each in fact.deliveries})),
        "to": ", ".join(contact for contact in contacts if contact),
        "total": _totals(fact.totals),
        "others": ", ".join(sorted(each.item for each in fact.others)),
        "others-total": _totals(fact.other_totals),
        "pay-by": fact.pay_by_on.isoformat(),
        "credits": ", ".join(sorted(each.credit for each in fact.credits)),
        "charges": ", ".join(sorted(map(_charge, fact.charges))),
        "unlisted": str(fact.unlisted),
        "language": fact.language,
        "template": fact.template,
        "tasks": "; ".join(each.summary for each in fact.deliveries if each.channel == "task"),
        "plan": ", ".join(sorted({f"{each.plan}/{each.plan_version}" for each in fact.items})),
        "later": ", ".join(_held(fact)),
        "overdue": ", ".join(str(each.days_overdue) for each in fact.items),
        "text": fact.text,
        "approved-by": fact.approved_by,
        "now-because": fact.now_because,
        "attached": "yes" if fact.attach_invoices else "no",
        "copies": ", ".join(one.email for each in fact.deliveries for one in each.cc),
    }


def _proposal(fact: ReminderProposed) -> Clauses:
    return _reminder(fact.content) | {
        "kind": "proposal",
        "revision": str(fact.revision),
        "because": fact.because,
        "too-soon-until": "" if fact.too_soon_until is None else fact.too_soon_until.isoformat(),
    }


def _values(values: dict[str, str]) -> Clauses:
    return {f"value {name}": value for name, value in values.items()}


def _held(fact: ReminderDecided) -> Iterator[str]:
    for each in fact.deliveries:
        if each.not_before > fact.tick:
            local = each.not_before.astimezone(zone_of(fact.time_zone))
            yield f"{each.channel} {local:%Y-%m-%d %H:%M}"


def _charge(charge: Charge) -> str:
    """Write ``INV-1/interest=1.23``; one of an earlier claim with ``=1.23*``."""
    name = f"{charge.item}/{charge.kind}" + (f"/{charge.step}" if charge.step else "")
    amount = to_text(charge.amount_minor, currency=charge.currency)
    return f"{name}={amount}" + ("" if charge.is_new else "*")


def _items(fact: ReminderDecided) -> str:
    def written(each: ReminderItem) -> str:
        return each.item if each.step == fact.step else f"{each.item}:{each.step}"

    return ", ".join(sorted(written(each) for each in fact.items))


def _totals(totals: tuple[Total, ...]) -> str:
    return ", ".join(
        f"{to_text(each.amount_minor, currency=each.currency)} {each.currency}" for each in totals
    )


def differences(facts: list[LedgerFact], *, expects: list[Expectation]) -> list[str]:
    """Compare what was said with what was expected, each once; that a reminder was sent goes without saying."""
    said = [clauses for fact in facts for clauses in clauses_of(fact)]
    problems: list[str] = []
    for expected in expects:
        if expected.clauses["kind"] == "nothing":
            continue
        found = next((each for each in said if expected.clauses.items() <= each.items()), None)
        if found is None:
            problems.append(f"line {expected.line}: not said: {expected.text}")
        else:
            said.remove(found)
    unexpected = [each for each in said if each["kind"] != "sent"]
    return problems + [f"said, and not expected: {_sentence(each)}" for each in unexpected]


def _sentence(clauses: Clauses) -> str:
    return ", ".join(f"{name} {value}" for name, value in clauses.items() if value)
