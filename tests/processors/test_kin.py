"""What a parent's word does to a child's account beside what the stories ``b13_*`` show (B-13, R32)."""

from schemas.facts import AccountTold
from schemas.transfers import ChildLinked, ParentKnown
from tests.scenarios.playing import played

_GROUP = """# B-13: a child that is dunned at its parent, which is under a hold.
customer @C1 email head@c1.test
customer @C2 email shop@c2.test parent C1 dunned-at parent
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-06-01 @C2
2026-02-01  hold do_not_contact until 2026-02-10 because "stocktaking" @C1
"""


def test_what_is_decided_before_a_hold_of_the_parent_ends_is_overtaken_on_that_day() -> None:
    """R32: on the day of the end somebody else is written to, so that the decision version moves, and not before."""
    before = played(f"{_GROUP}2026-02-09 tick\n").partition.account("acme:C2")
    after = played(f"{_GROUP}2026-02-10 tick\n").partition.account("acme:C2")
    assert before.row.version + 1 == after.row.version


def test_a_child_wakes_on_the_day_on_which_its_parents_hold_ends() -> None:
    """R4: the child looks by itself: nothing of the parent is told at ticks."""
    story = played(f"{_GROUP}2026-02-09 tick\n2026-02-10 tick\n2026-02-11 tick\n")
    child = story.partition.account("acme:C2")
    assert child.customer is not None
    assert ["head@c1.test"] == [each.email for each in child.customer.parent_contacts]
    assert () == child.customer.parent_held
    assert not child.alarms.is_set


def test_a_longer_hold_of_the_parent_overtakes_nothing() -> None:
    """R32: who can be written to today is the same as before."""
    once = played(_GROUP).partition.account("acme:C2")
    longer = f'{_GROUP}2026-02-05 hold do_not_contact until 2026-03-01 because "stocktaking" @C1\n'
    twice = played(longer).partition.account("acme:C2")
    assert once.row.version == twice.row.version
    assert twice.customer is not None
    assert "2026-03-01" == str(twice.customer.parent_held_until)


def test_master_data_of_who_belongs_to_nobody_are_told_to_nobody() -> None:
    """B-13: also when they change; one's own parent is no parent; a child is told once that it has another one."""
    story = """# B-13: customers alone, and one that changes its parent.
customer @C1 email ana@c1.test
2026-01-01  customer @C1 email eva@c1.test parent C1
2026-01-02  customer @C2 email shop@c2.test parent C1
2026-01-03  customer @C2 email shop@c2.test parent C3
2026-01-04  customer @C2 email shop@c2.test parent ""
"""
    told = [each.event for each in played(story).log if isinstance(each, AccountTold)]
    assert [("C1", True), ("C1", False), ("C3", True), ("C3", False)] == [
        (each.customer, each.is_child) for each in told if isinstance(each, ChildLinked)
    ]
    assert ["C2"] == [each.customer for each in told if isinstance(each, ParentKnown)]


def test_what_a_parent_has_opted_out_of_is_left_out_of_what_its_children_hear() -> None:
    """R15: of its addresses those of the channel alone."""
    story = """# B-13, R15: a parent with every address.
customer @C1 email head@c1.test phone +56211112222 address "Calle 1, Santiago"
customer @C2 email shop@c2.test parent C1
"""
    left = {}
    for channel in ("email", "sms", "letter"):
        child = played(f"{story}2026-01-03 opt-out {channel} @C1\n").partition.account("acme:C2").customer
        assert child is not None
        (contact,) = child.parent_contacts
        left[channel] = (bool(contact.email), bool(contact.phone), bool(contact.address))
    expected = {"email": (False, True, True), "sms": (True, False, True), "letter": (True, True, False)}
    assert expected == left
