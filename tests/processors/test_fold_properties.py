"""What holds for every history of an account and every order in which it is heard (SEMANTICS 2.2, 2.3, 3)."""

import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.account import Account
from processors.company import Company
from processors.fold import fold
from processors.invariants import check
from processors.wake import reschedule
from schemas.facts import LedgerFact
from schemas.journal import AccountEvent
from tests.processors.histories import History, Source, definite_histories, histories, interleavings
from tests.processors.story import (
    ACCOUNT,
    as_of,
    changes_of,
    company,
    movements,
    restored,
    rows_of,
    write_changes,
)

AUTOMATIC = company(auto_apply=True)
BY_NAME_ONLY = company(auto_apply=False)
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=number) for number in range(40)]


def taken(account: Account, event: AccountEvent, *, number: int, by: Company) -> list[LedgerFact]:
    """Fold one event as a partition does: what it changed is worked off before the next."""
    facts = fold(account, event, cause=f"e{number}", company=by)
    reschedule(account, company=by)
    check(account)
    return facts


def folded(events: Source, *, by: Company) -> tuple[Account, list[LedgerFact]]:
    """Fold a history into a new account, checking the whole after each event."""
    account = Account(ACCOUNT)
    facts: list[LedgerFact] = []
    for number, event in enumerate(events):
        facts += taken(account, event, number=number, by=by)
    return account, facts


def net(account: Account) -> dict[str, int]:
    """Give Σ open − Σ credits by currency."""
    return {
        currency: balance.open_minor - balance.credit_minor
        for currency, balance in account.row.balances.items()
    }


@st.composite
def heard_twice(draw: st.DrawFn, told: st.SearchStrategy[History]) -> tuple[Source, Source]:
    """Draw one history in two orders."""
    history = draw(told)
    return draw(interleavings(history)), draw(interleavings(history))


def heard() -> st.SearchStrategy[Source]:
    """Draw any history in one order."""
    return histories().flatmap(interleavings)


@settings(max_examples=100, deadline=None)
@given(heard_twice(histories()), st.booleans())
def test_the_balance_does_not_depend_on_the_order_of_sources(
    both: tuple[Source, Source], automatic: bool
) -> None:
    """Σ open − Σ credits per currency is equal for every interleaving of the sources."""
    by = AUTOMATIC if automatic else BY_NAME_ONLY
    one, other = (folded(events, by=by)[0] for events in both)
    assert net(one) == net(other)


@settings(max_examples=100, deadline=None)
@given(heard_twice(definite_histories()))
def test_open_amounts_do_not_depend_on_the_order_of_sources(both: tuple[Source, Source]) -> None:
    """Each item's open amount is equal, too, where lines are definite and nothing is auto-applied."""
    one, other = (folded(events, by=BY_NAME_ONLY)[0] for events in both)
    expected = {name: (item.open_minor, item.status) for name, item in one.items.items()}
    assert expected == {name: (item.open_minor, item.status) for name, item in other.items.items()}


@settings(max_examples=60, deadline=None)
@given(heard())
def test_no_past_day_shows_less_than_nothing(events: Source) -> None:
    """As of any day, no item is open below zero and no credit is below zero; in the end, movements are the rows."""
    account, facts = folded(events, by=AUTOMATIC)
    for day in DAYS:
        assert {name: amount for name, amount in as_of(facts, day).items() if amount < 0} == {}
    rows = {name: item.open_minor for name, item in account.items.items()}
    rows |= {name: credit.rest_minor for name, credit in account.credits.items()}
    assert {name: amount for name, amount in rows.items() if amount} == as_of(facts, datetime.date.max)


@settings(max_examples=60, deadline=None)
@given(heard(), st.data())
def test_hearing_events_again_changes_nothing(events: Source, data: st.DataObject) -> None:
    """Any prefix of the log, and any event of it, can come again: no fact, no row, no number changes (SEMANTICS 2.2)."""
    account, _ = folded(events, by=AUTOMATIC)
    before = rows_of(account)
    account.forget_changes()
    prefix = events[: data.draw(st.integers(0, len(events)))]
    again = prefix + data.draw(st.permutations(events))
    facts = [fact for event in again for fact in fold(account, event, cause="again", company=AUTOMATIC)]
    assert ([], before, {}) == (facts, rows_of(account), changes_of(account))


@settings(max_examples=60, deadline=None)
@given(heard(), st.data())
def test_run_boundaries_change_nothing(events: Source, data: st.DataObject) -> None:
    """An account that is built again from its written rows, anywhere in its log, goes on as if it had not been."""
    expected, expected_facts = folded(events, by=AUTOMATIC)
    account = Account(ACCOUNT)
    stored = rows_of(account)
    facts: list[LedgerFact] = []
    for number, event in enumerate(events):
        if data.draw(st.booleans()):
            write_changes(account, stored)
            assert stored == rows_of(account)
            account = restored(stored)
        facts += taken(account, event, number=number, by=AUTOMATIC)
    assert (rows_of(expected), expected_facts) == (rows_of(account), facts)


@settings(max_examples=30, deadline=None)
@given(heard())
def test_every_fact_has_its_own_id(events: Source) -> None:
    """Ids of movements and exceptions are functions of the log, each used once."""
    _, facts = folded(events, by=AUTOMATIC)
    assert len(facts) == len({fact.id for fact in facts})
    assert movements(facts) == movements(folded(events, by=AUTOMATIC)[1])
