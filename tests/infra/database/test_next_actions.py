"""Control of actions (S1-16): customers by the day on which somebody acts next, set by hand or by the rule (R20)."""

import datetime
from typing import Any

import pytest
from msgspec import json
from sqlalchemy import Engine, Table, insert

from infra.database.engine import reading, writing
from infra.database.queries.account_choice import AccountChoice
from infra.database.queries.next_actions import NextAction, next_actions
from infra.database.tables import accounts, companies, holds

MARCH = datetime.date(2026, 3, 1)
# customer: (episode opened, last contact, last note, set by hand) as days after 1 March; None: never.
STORY = {
    "calm": (None, 3, 3, None),
    "new": (10, None, None, None),
    "touched-before": (10, 5, 9, None),
    "called": (10, 12, None, None),
    "noted": (10, 12, 14, None),
    "written-to": (10, 20, 14, None),
    "on-the-day": (10, 10, None, None),
    "by-hand": (10, 12, 14, 40),
    "by-hand-calm": (None, None, None, 2),
}


def _plain(table: Table) -> dict[str, Any]:
    """Give a row that says nothing where something must be said."""
    return {each.name: each.type.python_type() for each in table.columns if not each.nullable}


def _day(after: int | None) -> datetime.date | None:
    return None if after is None else MARCH + datetime.timedelta(days=after)


@pytest.fixture
def told(engine: Engine) -> Engine:
    """Give two companies with the same customers; one says 7 days, the other nothing."""
    with writing(engine) as connection:
        for company, said in (("acme", {"next_action_days": 7}), ("beta", {})):
            row = {
                **_plain(companies), "company": company, "time_zone": "UTC", "profile_json": json.encode(said).decode(),
            }  # fmt: skip
            connection.execute(insert(companies), row)
            for customer, (opened, contact, note, by_hand) in STORY.items():
                account = f"{company}:{customer}"
                connection.execute(
                    insert(accounts),
                    {
                        **_plain(accounts),
                        "account": account, "company": company, "customer": customer,
                        "episode_opened_on": _day(opened), "last_contact_on": _day(contact), "last_note_on": _day(note),
                    },
                )  # fmt: skip
                if by_hand is not None:
                    connection.execute(
                        insert(holds),
                        {
                            **_plain(holds),
                            "account": account,
                            "hold": "next",
                            "by_hand": True,
                            "until_on": _day(by_hand),
                        },
                    )
    return engine


def _expected() -> list[NextAction]:
    days = {
        company: {
            "new": 10, "touched-before": 10, "called": 12 + wait, "noted": 14 + wait, "written-to": 20 + wait,
            "on-the-day": 10 + wait, "by-hand": 40, "by-hand-calm": 2,
        }
        for company, wait in (("acme", 7), ("beta", 15))
    }  # fmt: skip
    return sorted(
        NextAction(next_on=MARCH + datetime.timedelta(days=after), account=f"{company}:{customer}")
        for company, of in days.items()
        for customer, after in of.items()
    )


def test_the_day_is_set_by_hand_else_by_the_rule(told: Engine) -> None:
    """R20: so long after the last contact or note of this episode as the company says, else the day it opened."""
    with reading(told) as connection:
        assert _expected() == next_actions(connection, AccountChoice(), after=None, actions_max=100)


def test_pages_put_together_are_the_whole_list(told: Engine) -> None:
    """Each page goes on behind the last line of the one before it, also within a day."""
    found: list[NextAction] = []
    with reading(told) as connection:
        while page := next_actions(
            connection, AccountChoice(), after=found[-1] if found else None, actions_max=3
        ):
            found += page
    assert _expected() == found
