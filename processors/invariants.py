"""Truths about every account, computed from the whole; a break is our bug.

The fold keeps sums and indexes incrementally and asserts conservation of each
event; tests compare them with the whole after each event.
"""

from processors.account import Account
from processors.conservation import InvariantBroken
from processors.settle import counted_minor, limit_minor
from schemas.rows import Balance, CreditRow, ItemRow

__all__ = ["check"]


def check(account: Account) -> None:
    """Compare an account with what its rows must add up to.

    Raises:
        InvariantBroken: says which row and which figures.
    """
    for item in account.items.values():
        _check_item(account, item)
    for credit in account.credits.values():
        _check_credit(account, credit)
        _check_greedy(account, credit)
    _check_applications(account)
    _check_balances(account)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise InvariantBroken(what)


def _check_item(account: Account, item: ItemRow) -> None:
    rows = account.applications.get(item.item, {}).values()
    cancelled = item.status == "cancelled"
    expected = 0 if cancelled else counted_minor(item) - sum(row.amount_minor for row in rows)
    _expect(item.open_minor == expected >= 0, f"{item.item}: open {item.open_minor}, expected {expected}")
    _expect(not (cancelled and rows), f"{item.item}: cancelled, and still settled by {list(rows)}")
    if not cancelled:
        status = "open" if item.open_minor else "settled"
        _expect(item.status == status, f"{item.item}: {item.status} with {item.open_minor} open")


def _check_credit(account: Account, credit: CreditRow) -> None:
    name = credit.credit
    counts = (
        0
        if credit.ended_on
        else max(0, credit.amount_minor - credit.converted_minor - credit.refunded_minor - credit.moved_minor)
    )
    _expect(credit.effective_minor == counts, f"{name}: counts {credit.effective_minor}, expected {counts}")
    rest = counts - sum(row.amount_minor for row in account.applied.get(name, {}).values())
    _expect(credit.rest_minor == rest >= 0, f"{name}: rest {credit.rest_minor}, expected {rest}")
    _expect(0 <= credit.reserved_minor <= rest, f"{name}: {credit.reserved_minor} reserved of {rest}")
    documents = [each.document for each in credit.names]
    _expect(len(documents) == len(set(documents)), f"{name}: names an item twice")
    for each in credit.names:
        claimed = any(
            claimant is credit and claim is each for claimant, claim in account.settling.claims(each.document)
        )
        _expect(claimed, f"{name}: its name {each.document} is not indexed")


def _check_greedy(account: Account, credit: CreditRow) -> None:
    """While a named item is open, the credit keeps nothing back from it, and serves nothing that comes after it."""
    applied = account.applied.get(credit.credit, {})
    left = credit.effective_minor
    reserved = 0
    for name in credit.names:
        item = account.items.get(name.document)
        row = applied.get(name.document)
        held = row.amount_minor if row is not None else 0
        if item is None:
            reserved += (reserve := limit_minor(name, item=None, most=left))
            left -= reserve
            continue
        if item.status == "cancelled" or item.currency != credit.currency:
            _expect(held == 0, f"{credit.credit}: settles {name.document}, which it may not")
            continue
        asked = limit_minor(name, item=item, most=left)
        _expect(
            held == asked or (held < asked and item.open_minor == 0),
            f"{credit.credit}: {held} on {name.document}, which asks for {asked} and has {item.open_minor} open",
        )
        left -= held
    _expect(
        reserved == credit.reserved_minor,
        f"{credit.credit}: reserves {credit.reserved_minor}, not {reserved}",
    )


def _check_applications(account: Account) -> None:
    by_item = {(row.item, row.credit): row for rows in account.applications.values() for row in rows.values()}
    by_credit = {(row.item, row.credit): row for rows in account.applied.values() for row in rows.values()}
    _expect(by_item == by_credit, "applications by item and by credit differ")
    for (item, credit), row in by_item.items():
        _expect(row.amount_minor > 0, f"{credit} settles {row.amount_minor} of {item}")
        same = account.items[item].currency == account.credits[credit].currency
        _expect(same, f"{credit} and {item} have different currencies")
        named = any(name.document == item for name in account.credits[credit].names)
        _expect(row.automatic != named, f"{credit} on {item}: automatic is {row.automatic}")


def _check_balances(account: Account) -> None:
    sums: dict[str, Balance] = {currency: Balance() for currency in account.row.balances}
    for item in account.items.values():
        sums.setdefault(item.currency, Balance()).open_minor += item.open_minor
    for credit in account.credits.values():
        sums.setdefault(credit.currency, Balance()).credit_minor += credit.rest_minor
    _expect(sums == account.row.balances, f"balances {account.row.balances}, expected {sums}")
