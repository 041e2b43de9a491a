"""What a reader of a message answered (S4-17, B-21): a fact, a task for a person, and what the company lets happen at once.

::

    paid ──────────► the account rests for ``answer_rest_days``, once a message; a task to look for the money
    will_pay ──────► a promise (R35), up to ``answer_promise_days`` ahead and within the limits; else a task only
    dispute ───────► each named item is disputed (R29), to be looked at again after two weeks
    wrong_person ──► nothing more goes to that address (as after R19's bad address)
    other ─────────► a task

The reader is whoever has the link. So nothing here pays, forgives or ends anything: it puts
off, for days that are few and said, and a person decides. The company's desk is told by mail.
"""

import datetime

from processors import identity
from processors.account import Account
from processors.addressing import distrust_address
from processors.arrangements import disputed_minor
from processors.context import FoldContext
from processors.disputes import open_dispute
from processors.messages import tell_desk
from processors.promises import make_promise
from processors.tasks import open_task
from schemas.answers import AnswerGiven, GiveAnswer, Placed
from schemas.commands import MakePromise, OpenDispute
from schemas.facts import LedgerFact, PromiseMade
from schemas.rows import HoldRow

__all__ = ["give_answer"]

REVIEW_DAYS = 14  # a dispute that nobody has looked at by then is on the list of expired holds
_DISPUTED_MAX = 50  # by one answer; more are a matter for a person
_NAMED_MAX = 100  # in the task
_SUMMARY_MAX = 500


def give_answer(account: Account, event: GiveAnswer, *, context: FoldContext) -> list[LedgerFact]:
    """Take an answer down once; repetitions change nothing."""
    key = f"command/{event.command}"
    repeated = identity.remember_for_retention(account, event, key=key, context=context)
    if repeated is not None:
        return repeated
    facts, placed = _placed(account, event, context=context)
    said = event.said
    task = f"answer/{event.command}"
    account.touch(account.row)
    given = AnswerGiven(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        answer=event.command,
        reminder=event.reminder,
        channel=event.channel,
        said=said,
        task=task,
        placed=placed,
    )
    asked = open_task(
        account,
        task=task,
        task_type=f"answer_{said.kind}",
        on=_today(context),
        items=said.documents[:_NAMED_MAX],
        summary=" ".join(f"{said.reason} {said.text}".split())[:_SUMMARY_MAX],
        responsible="" if account.customer is None else account.customer.responsible(),
        values=_values(event, placed=placed),
    )
    tell_desk(account, answer=event.command, context=context)
    return [given, *facts, *asked]


def _placed(
    account: Account, event: GiveAnswer, *, context: FoldContext
) -> tuple[list[LedgerFact], tuple[Placed, ...]]:
    """Do what the company allows on a reader's word; give the facts, and what was done."""
    match event.said.kind:
        case "will_pay":
            return _promise(account, event, context=context)
        case "dispute":
            return _dispute(account, event, context=context)
        case "paid":
            return [], ("pause",) if _rest(account, event, context=context) else ()
        case "wrong_person":
            return [], ("address_stopped",) if _stop_address(account, event) else ()
        case "other":
            return [], ()


def _promise(
    account: Account, event: GiveAnswer, *, context: FoldContext
) -> tuple[list[LedgerFact], tuple[Placed, ...]]:
    """Take a promise that is near enough, where none is open: what was agreed with a person stands."""
    said, profile, today = event.said, context.company.profile, _today(context)
    latest = today + datetime.timedelta(days=profile.answer_promise_days)
    if said.on is None or not profile.answer_promise_days or not today <= said.on <= latest:
        return [], ()
    arranged = account.arrangements
    documents = tuple(name for name in said.documents if _is_open(account, name))
    if said.documents and not documents:
        return [], ()  # settled, or somewhere else by now: it is no promise of all the rest
    is_bound = arranged is not None and any(row.status == "open" for row in arranged.promises.values())
    if is_bound or account.row.promises >= profile.promises_per_episode:
        return [], ()
    facts = make_promise(
        account,
        MakePromise(
            company=event.company,
            customer=event.customer,
            occurred_at=event.occurred_at,
            command=event.command,
            author=event.author,
            due_on=said.on,
            amount=said.amount,
            currency=said.currency,
            documents=documents,
            by=said.by,
            how=said.means or "",
        ),
        context=context,
    )
    is_made = any(isinstance(fact, PromiseMade) for fact in facts)
    return facts, ("promise",) if is_made else ()


def _dispute(
    account: Account, event: GiveAnswer, *, context: FoldContext
) -> tuple[list[LedgerFact], tuple[Placed, ...]]:
    """Open a dispute of each named item that is open and not disputed yet."""
    if not context.company.profile.answer_disputes:
        return [], ()
    facts: list[LedgerFact] = []
    review_on = _today(context) + datetime.timedelta(days=REVIEW_DAYS)
    for position, name in enumerate(event.said.documents[:_DISPUTED_MAX], start=1):
        if not _is_open(account, name) or disputed_minor(account, item := account.items[name]):
            continue
        facts += open_dispute(
            account,
            OpenDispute(
                company=event.company,
                customer=event.customer,
                occurred_at=event.occurred_at,
                command=f"{event.command}/{position}",
                author=event.author,
                document=name,
                amount=_amount_of(event, currency=item.currency),
                reason=" – ".join(part for part in (event.said.reason, event.said.text) if part)[:2000],
                review_on=review_on,
            ),
            context=context,
        )
    return facts, ("disputes",) if facts else ()


def _amount_of(event: GiveAnswer, *, currency: str) -> str | None:
    """Give how much of an item is disputed, where one is and its amount is said; else all of it."""
    said = event.said
    return said.amount if len(said.documents) == 1 and said.currency == currency else None


def _rest(account: Account, event: GiveAnswer, *, context: FoldContext) -> bool:
    """Let the account rest for some days, once a message: who says so again and again is written to all the same."""
    days = context.company.profile.answer_rest_days
    message = account.messages_sent_as.get(event.reminder, "")
    sent = account.reminders.get(event.reminder) or account.messages.get(message)
    if not days or sent is None or sent.rested:
        return False
    until = _today(context) + datetime.timedelta(days=days)
    known = account.holds.get("snoozed")
    if known is not None and (known.by_hand or known.until is None or known.until >= until):
        return False  # a person has set a date, or it rests for longer
    sent.rested = True
    account.touch(sent)
    account.holds["snoozed"] = hold = HoldRow(
        account=account.id,
        hold="snoozed",
        reason="a reader says that it is paid",
        author=event.author,
        until=until,
        placed_at=event.occurred_at,
    )
    account.touch(hold)
    account.row.episode_in_doubt = True  # the next tick looks: all may be held now
    account.advance()
    return True


def _stop_address(account: Account, event: GiveAnswer) -> bool:
    """Write no more to where the message went, until it changes: what one owes is not told to somebody else."""
    reminder = account.reminders.get(event.reminder)
    about = () if reminder is None else (each.item for each in reminder.items)
    return distrust_address(
        account, channel=event.channel, address=event.recipient, items=(*event.said.documents, *about)
    )


def _is_open(account: Account, document: str) -> bool:
    item = account.items.get(document)
    return item is not None and item.status == "open"


def _today(context: FoldContext) -> datetime.date:
    """Give the day of the answer, or the ledger's where that has come further."""
    return max(context.day, context.today())


def _values(event: GiveAnswer, *, placed: tuple[Placed, ...]) -> dict[str, str]:
    said = event.said
    values = {
        "reminder": event.reminder,
        "amount": "" if said.amount is None else f"{said.amount} {said.currency}",
        "on": "" if said.on is None else said.on.isoformat(),
        "means": said.means or "",
        "reference": said.reference,
        "by": said.by,
        "reach": said.reach,
        "files": "" if not said.files else str(len(said.files)),
        "placed": ", ".join(placed),
    }
    return {name: value for name, value in values.items() if value}
