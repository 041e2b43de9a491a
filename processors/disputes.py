"""Disputes (R29): of an item or a part of it, until a ruling re-opens it or it is credited.

The undisputed part goes on. A ruling for the customer keeps its amount held
until billing's credit note is there: the ledger makes no money of its own.
"""

import datetime
from collections.abc import Iterable, Mapping

from processors.account import Account
from processors.context import FoldContext
from processors.dispute_notes import share_notes
from processors.money import MoneyError, to_minor
from processors.promises import refused
from processors.tasks import close_task, open_task
from schemas.arrangement_facts import DisputeOpened, DisputeRuled
from schemas.commands import OpenDispute, RuleDispute
from schemas.facts import LedgerFact
from schemas.rows import DisputeRow, ItemRow

__all__ = ["CREDIT_NOTE_DUE", "due_again", "open_dispute", "review", "rule_dispute"]

CREDIT_NOTE_DUE = "credit_note_due"  # the task of billing after a ruling


def open_dispute(account: Account, event: OpenDispute, *, context: FoldContext) -> list[LedgerFact]:
    """Take a dispute of a known item down."""
    item = account.items[event.document]
    try:
        amount_minor = None if event.amount is None else to_minor(event.amount, currency=item.currency)
    except MoneyError as error:
        key = f"dispute/{event.command}"
        return [refused(account, reason="amount_refused", key=key, detail=error.detail)]
    row = DisputeRow(
        account=account.id,
        dispute=event.command,
        item=item.item,
        order=account.row.sequence + 1,
        opened_on=context.day,
        amount_minor=amount_minor,
        reason=event.reason,
        author=event.author,
        review_on=event.review_on,
    )
    account.arranged().add_dispute(row)
    account.touch(row)
    account.advance()
    return [
        DisputeOpened(
            id=f"{account.id}/{account.next_sequence()}",
            account=account.id,
            dispute=row.dispute,
            item=row.item,
            currency=item.currency,
            amount_minor=amount_minor,
            reason=row.reason,
            author=row.author,
            review_on=row.review_on,
        )
    ]


def rule_dispute(account: Account, event: RuleDispute, *, context: FoldContext) -> list[LedgerFact]:
    """Decide a dispute: it is dunned again, or waits for its credit note, of which billing is told by a task."""
    arranged = account.arrangements
    row = None if arranged is None else arranged.disputes.get(event.dispute)
    key = f"command/{event.command}"  # this ruling is refused: another one of the same dispute may stand
    if row is None or row.ruled_on is not None:
        detail = "there is no such dispute, or it is decided"
        return [refused(account, reason="unknown_subject", key=key, detail=detail)]
    item = account.items[row.item]
    try:
        credited_minor = _credited_minor(account, row, event=event, item=item)
    except MoneyError as error:
        return [refused(account, reason="amount_refused", key=key, detail=error.detail)]
    facts = [_ruled(account, row, event=event, item=item, amount_minor=credited_minor)]
    account.advance()
    account.touch(item)
    if not credited_minor:
        account.drop_dispute(row)
        return facts
    row.amount_minor, row.ruled_on = credited_minor, context.day
    account.touch(row)
    if item.status != "cancelled" and share_notes(account, item)[row.dispute].left_minor:
        facts += _ask_for_note(account, row, amount_minor=credited_minor, on=context.today())
    return [*facts, *review(account)]


def review(account: Account) -> list[LedgerFact]:
    """End the disputes that were ruled for the customer and are credited by now; who had paid is owed his note all the same."""
    facts: list[LedgerFact] = []
    arranged = account.arranged()
    for name in sorted({row.item for row in arranged.disputes.values() if row.ruled_on is not None}):
        facts += _end_credited(account, account.items[name])
    return facts


def _end_credited(account: Account, item: ItemRow) -> list[LedgerFact]:
    """End the ruled disputes of an item that its notes cover: what they had of them is for no other one."""
    facts: list[LedgerFact] = []
    shares = share_notes(account, item)
    for dispute, row in sorted(account.arranged().disputed[item.item].items()):
        if row.ruled_on is None or (item.status != "cancelled" and shares[dispute].left_minor):
            continue
        facts += close_task(account, task=f"{CREDIT_NOTE_DUE}/{dispute}", outcome="needless")
        _end(account, row, taken_minor=shares[dispute].taken_minor)
        arranged = account.arranged()
        remembered = (each for each in arranged.amended_away.get(item.item, {}).values() if each is not row)
        for other in [*arranged.disputed.get(item.item, {}).values(), *remembered]:
            for credit, minor in shares[dispute].taken_minor.items():
                other.noted_minor[credit] = other.noted_minor.get(credit, 0) + minor
            account.touch(other)
    return facts


def _end(account: Account, row: DisputeRow, *, taken_minor: Mapping[str, int]) -> None:
    """End a dispute; of one that was amended away, what is left to give back is remembered: notes have had their part for good."""
    if not row.amended_minor or account.items[row.item].status == "cancelled" or row.amount_minor is None:
        account.drop_dispute(row)
        return
    for credit, minor in taken_minor.items():
        row.amount_minor -= minor
        row.noted_minor[credit] = row.noted_minor.get(credit, 0) + minor
    account.arranged().remember_dispute(row)
    account.touch(row)


def due_again(account: Account, rows: Iterable[DisputeRow], *, on: datetime.date) -> list[LedgerFact]:
    """Tell billing again of rulings that an amendment had done, and another one has undone."""
    facts: list[LedgerFact] = []
    for row in rows:
        left_minor = share_notes(account, account.items[row.item])[row.dispute].left_minor
        if left_minor:  # a note that came meanwhile, and was for no other one, is for this one
            facts += _ask_for_note(account, row, amount_minor=left_minor, on=on)
    return facts


def _ask_for_note(
    account: Account, row: DisputeRow, *, amount_minor: int, on: datetime.date
) -> list[LedgerFact]:
    return open_task(
        account,
        task=f"{CREDIT_NOTE_DUE}/{row.dispute}",
        task_type=CREDIT_NOTE_DUE,
        on=on,
        items=[row.item],
        values={"currency": account.items[row.item].currency, "amount_minor": str(amount_minor)},
    )


def _credited_minor(account: Account, row: DisputeRow, *, event: RuleDispute, item: ItemRow) -> int:
    """Give how much the customer was right about: 0, the amount that is said, or all that he disputes.

    Raises:
        MoneyError: the amount has more decimals than the item's currency.
    """
    if event.ruling == "rejected":
        return 0
    if event.amount is not None:
        return min(to_minor(event.amount, currency=item.currency), item.amount_minor)
    if row.amount_minor is not None:
        return min(row.amount_minor, item.amount_minor)
    # Of the whole that was open: what has been paid of it since was paid under protest.
    return item.open_minor + sum(
        each.amount_minor
        for each in account.applications.get(item.item, {}).values()
        if account.credits[each.credit].order > row.order
    )


def _ruled(
    account: Account, row: DisputeRow, *, event: RuleDispute, item: ItemRow, amount_minor: int
) -> LedgerFact:
    return DisputeRuled(
        id=f"{account.id}/{account.next_sequence()}",
        account=account.id,
        dispute=row.dispute,
        item=row.item,
        ruling=event.ruling,
        currency=item.currency,
        amount_minor=amount_minor,
        author=event.author,
        text=event.text,
    )
