"""The aggregate: what changed, under which key, and what is built again from rows."""

import datetime
from collections.abc import Callable

from processors.account import Account
from schemas.rows import ApplicationRow, HoldRow, RowKey, decode_key, encode_key, encode_row
from tests.processors.story import ACCOUNT, Story, changes_of, restored, rows_of, write_changes


def application(*, credit: str, item: str, amount_minor: int = 1) -> ApplicationRow:
    """Make an application."""
    return ApplicationRow(
        account=ACCOUNT,
        credit=credit,
        item=item,
        amount_minor=amount_minor,
        applied_on=datetime.date(2024, 1, 1),
    )


def test_a_row_made_anew_after_it_was_removed_stands() -> None:
    """Within one step, the last word on a key is what is written."""
    account = Account(ACCOUNT)
    account.put_application(application(credit="payment/P", item="A"))
    account.drop_application(account.applications["A"]["payment/P"])
    assert [None] == list(changes_of(account).values())
    newer = application(credit="payment/P", item="A", amount_minor=2)
    account.put_application(newer)
    assert [encode_row(newer)] == list(changes_of(account).values())


def test_a_removed_row_can_be_touched_again() -> None:
    """A hold that is released and placed again within one step is placed."""
    account = Account(ACCOUNT)
    hold = HoldRow(account=ACCOUNT, hold="snoozed")
    account.remove(hold)
    account.touch(hold)
    assert {encode_key(RowKey("hold", ACCOUNT, "snoozed")): encode_row(hold)} == changes_of(account)


def test_keys_of_applications_cannot_be_mistaken() -> None:
    """Document ids may hold any printable character: 'a|b' and 'c' are not 'a' and 'b|c'."""
    account = Account(ACCOUNT)
    for credit, item in (("payment/a|b", "c"), ("payment/a", "b|c"), ("payment/a", "b\\x1fc")):
        account.put_application(application(credit=credit, item=item))
    assert 3 == len(changes_of(account))


def test_changes_begin_anew_once_handed_over() -> None:
    """A step writes what it touched, not what earlier ones did."""
    story = Story()
    story.invoice("A", "100.00")
    story.account.forget_changes()
    story.pay("P", "100.00", "A", on="01-05")
    kinds = sorted(decode_key(key).kind for key in changes_of(story.account))
    assert ["account", "application", "credit", "item"] == kinds


def test_an_account_built_from_its_rows_is_the_account() -> None:
    """Rows alone are the state: what was written step by step gives everything back."""
    story = Story()
    stored = rows_of(story.account)
    steps: list[Callable[[], object]] = [
        lambda: story.invoice("A", "100.00"),
        lambda: story.pay("P", "150.00", "A", "Z", on="01-05"),
        lambda: story.credit_note("N", "10.00", on="01-06", invoice="A"),
        lambda: story.refund("R", "1.00", payment="Q", on="01-07"),
        lambda: story.reverse("P", on="01-08"),
    ]
    for tell in steps:
        tell()
        write_changes(story.account, stored)
        story.account = restored(stored)
    assert stored == rows_of(story.account)
    assert (9000, {"A": 1000}) == (story.open("A"), story.settled("credit_note/N"))
