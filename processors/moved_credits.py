"""Money and credit notes on their way between accounts, and their coming in (SEMANTICS 2.6)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, zip_longest
from types import MappingProxyType

from processors.account import Account
from processors.context import FoldContext
from processors.money_tasks import watch_unknown
from processors.movements import Postings
from processors.promised_money import count_credit, take_back
from processors.settle import cascade, receive, settle
from processors.whereabouts import name_here
from schemas.rows import CreditRow, Name
from schemas.transfers import MovedCredit

__all__ = ["moved_credit", "take_credit"]


def moved_credit(
    credit: CreditRow,
    *,
    amount_minor: int,
    names: Sequence[Name],
    named_there: bool = False,
    promised: Mapping[str, int] = MappingProxyType({}),
) -> MovedCredit:
    """Write what is sent of a credit, what it is meant for, and has counted for (R35); negative: what was sent counts no more."""
    has_limits = any(name.limit_minor is not None for name in names)
    return MovedCredit(
        credit=credit.credit,
        document=credit.document,
        currency=credit.currency,
        amount_minor=amount_minor,
        received_on=credit.received_on,
        documents=tuple(name.document for name in names),
        limits=tuple(name.limit_minor for name in names) if has_limits else (),
        named_there=named_there,
        excluded=credit.excluded,
        promised=dict(sorted(promised.items())),
    )


def take_credit(postings: Postings, moved: MovedCredit, *, from_customer: str, context: FoldContext) -> None:
    """Take money or a note in, or let what came before count less: all its parts, the newest first."""
    account = postings.account
    if moved.amount_minor >= 0:
        credit = _part_for(account, moved, from_customer=from_customer, context=context)
        _book(postings, credit, amount_minor=moved.amount_minor, context=context)
        for promise, minor in moved.promised.items():
            credit.promised[promise] = credit.promised.get(promise, 0) + minor
        count_credit(account, credit, amount_minor=moved.amount_minor - sum(moved.promised.values()))
        return
    left_minor = -moved.amount_minor
    for credit in reversed(_parts(account, moved, from_customer=from_customer)):
        taken_minor = min(left_minor, credit.amount_minor)
        if taken_minor:
            left_minor -= taken_minor
            _book(postings, credit, amount_minor=-taken_minor, context=context)
            take_back(account, credit, amount_minor=taken_minor)
    if left_minor:
        key = f"{moved.credit}@{from_customer}"
        detail = (
            f"{left_minor} minor units of {key} are forgotten here: what counts no more of them is not booked"
        )
        postings.object_to(reason="too_old", key=key, detail=detail)


def _keys(account: Account, moved: MovedCredit, *, from_customer: str) -> Iterator[str]:
    """Walk the names of a credit's parts here: the first as it is told, each for other documents with its number."""
    first = f"{moved.credit}@{from_customer}"
    for number in count(1):
        key = first if number == 1 else f"{first}+{number}"
        if key not in account.credits:
            return
        yield key


def _parts(account: Account, moved: MovedCredit, *, from_customer: str) -> list[CreditRow]:
    """Give a credit's parts here, the oldest first, also where one between them, or the first, is forgotten."""
    first = f"{moved.credit}@{from_customer}"
    numbers = {first: 1} if first in account.credits else {}
    for key in account.credits:
        number = key.removeprefix(f"{first}+")
        if number != key and number.isdecimal():
            numbers[key] = int(number)
    return [account.credits[key] for key in sorted(numbers, key=lambda each: numbers[each])]


def _part_for(account: Account, moved: MovedCredit, *, from_customer: str, context: FoldContext) -> CreditRow:
    """Give the part that money is a part of: what a person sends for other documents than before is one of its own."""
    keys = list(_keys(account, moved, from_customer=from_customer))
    for key in keys:
        known = account.credits[key]
        if not moved.named_there or moved.documents == tuple(name.document for name in known.names):
            return known
    key = f"{moved.credit}@{from_customer}" + (f"+{len(keys) + 1}" if keys else "")
    return _new_part(account, moved, key=key, of=from_customer, context=context)


def _new_part(account: Account, moved: MovedCredit, *, key: str, of: str, context: FoldContext) -> CreditRow:
    def name_of(document: str) -> str:
        return document if moved.named_there else name_here(account, document, of=of)

    account.credits[key] = credit = CreditRow(
        account=account.id,
        credit=key,
        credit_kind=moved.credit.partition("/")[0],  # type: ignore[arg-type]  # one of the three
        document=moved.document,
        currency=moved.currency,
        amount_minor=0,
        effective_minor=0,
        rest_minor=0,
        names=[
            Name(document=name_of(document), limit_minor=limit_minor)
            for document, limit_minor in zip_longest(moved.documents, moved.limits)
        ],
        received_on=moved.received_on,
        freed_on=max(moved.received_on, context.day),
        excluded=moved.excluded,
        order=account.row.sequence + 1,
    )
    for each in credit.names:
        account.settling.claim(credit, each)
    return credit


def _book(postings: Postings, credit: CreditRow, *, amount_minor: int, context: FoldContext) -> None:
    """Let a credit count so much more, or less, and settle what it can."""
    on = max(context.day, credit.received_on, credit.freed_on or context.day)
    credit.amount_minor += amount_minor
    credit.effective_minor += amount_minor
    if amount_minor < 0:
        settle(postings, credit)
    postings.change_credit(credit, kind="transferred_in", amount_minor=amount_minor, on=on)
    order = getattr(credit.document, "order_reference", "")
    is_money = credit.credit_kind == "payment" and not credit.names and not order
    unasked = is_money and amount_minor > 0 and not credit.excluded
    profile = context.company.profile
    receive(
        postings,
        credit,
        auto_apply=unasked and profile.auto_apply,
        costs_first=profile.money_pays == "costs_first",
    )
    cascade(postings)
    watch_unknown(postings.account, credit, context=context)
