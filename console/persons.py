"""Which accounts are one person's, as the register of contacts has it (``infra.database.queries.contacts``), from what a log says of customers.

Pure over values: for a log that is folded again there is no database to ask.
"""

from collections.abc import Mapping

from processors.alternative import Debtor

__all__ = ["persons_of"]


def persons_of(debtors: Mapping[str, Debtor]) -> dict[str, frozenset[str]]:
    """Give account -> all accounts of the person who is written to for it (R24, B-13); those of one person share one set.

    Accounts are one person's that have one tax id, of any company, or of which one is dunned at the other, and so are those that
    are linked through others by this: nobody is counted twice. (Sending looks one link far.) Without a tax id, and dunned by itself, an account is alone.
    """
    linked: dict[str, str] = {}  # each towards one that stands for its person, and which leads to itself
    first_of: dict[str, str] = {}
    for account, debtor in debtors.items():
        if debtor.tax_id:
            _link(linked, account, first_of.setdefault(debtor.tax_id, account))
        if debtor.dunned_at:
            _link(linked, account, debtor.dunned_at)
    members: dict[str, list[str]] = {}
    for account in dict.fromkeys((*debtors, *linked)):
        members.setdefault(_first(linked, account), []).append(account)
    return {account: person for person in map(frozenset, members.values()) for account in person}


def _link(linked: dict[str, str], account: str, other: str) -> None:
    one, two = _first(linked, account), _first(linked, other)
    linked.setdefault(one, one)
    if one != two:
        linked[one] = two
        linked.setdefault(two, two)


def _first(linked: dict[str, str], account: str) -> str:
    """Give who stands for an account's person, and shorten the way there for whoever asks next."""
    while (above := linked.get(account, account)) != account:
        linked[account] = linked[above]
        account = linked[account]
    return account
