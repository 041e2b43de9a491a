"""Which accounts are one person's, as the register of contacts has it (``infra.database.queries.contacts``), from what a log says of customers.

Pure over values: for a log that is folded again there is no database to ask.
"""

from collections import defaultdict
from collections.abc import Mapping

from processors.alternative import Debtor

__all__ = ["persons_of"]


def persons_of(debtors: Mapping[str, Debtor]) -> dict[str, frozenset[str]]:
    """Give account -> all accounts whose contacts are those of the person who is written to for it (R24, B-13).

    Those with its tax id, of any company (without one, the account alone), those of its parent, where it is dunned there, and all
    that are dunned at one of these.
    """
    same: defaultdict[str, set[str]] = defaultdict(set)
    children: defaultdict[str, set[str]] = defaultdict(set)
    for account, debtor in debtors.items():
        if debtor.tax_id:
            same[debtor.tax_id].add(account)
        if debtor.dunned_at:
            children[debtor.dunned_at].add(account)

    def of(account: str) -> set[str]:
        known = debtors.get(account)
        return {account} | (same[known.tax_id] if known is not None and known.tax_id else set())

    found: dict[str, frozenset[str]] = {}
    for account, debtor in debtors.items():
        person = of(account) | (of(debtor.dunned_at) if debtor.dunned_at else set())
        found[account] = frozenset(person.union(*(children[each] for each in person if each in children)))
    return found
