"""The bank's word: apply, re-apply and unapply a payment's money (SEMANTICS 3)."""

from tests.processors.story import Story, exceptions, movements, said


def test_money_applied_unasked_is_moved_to_the_item_it_is_for() -> None:
    """Unapply and apply in one statement: as of their own dates, as if it had always been so."""
    story = Story()
    story.invoice("A", "100.00", due="02-01")
    story.invoice("B", "100.00", due="03-01")
    story.pay("P", "100.00", on="01-10")
    facts = story.reconcile("X", "P", "-A", "+B", on="01-20")
    assert [
        ("unapplied", "A", 10000, "01-10"),
        ("unapplied", "payment/P", 10000, "01-10"),
        ("applied", "B", -10000, "01-10"),
        ("applied", "payment/P", -10000, "01-10"),
    ] == said(facts)
    assert (10000, 0) == (story.open("A"), story.open("B"))


def test_a_name_beats_what_was_applied_unasked() -> None:
    """An apply line alone moves money that no one had named."""
    story = Story()
    story.invoice("A", "100.00", due="02-01")
    story.invoice("B", "100.00", due="03-01")
    story.pay("P", "100.00", on="01-10")
    story.reconcile("X", "P", "+B=40.00", on="01-20")
    assert {"A": 6000, "B": 4000} == story.settled("payment/P")


def test_a_new_name_comes_after_the_payments_own() -> None:
    """What the customer named first keeps its place; the bank takes it off with an unapply line."""
    story = Story()
    story.invoice("A", "100.00")
    story.invoice("B", "100.00")
    story.pay("P", "100.00", "A", on="01-10")
    story.reconcile("X", "P", "+B=40.00", on="01-20")
    assert {"A": 10000} == story.settled("payment/P")
    story.reconcile("Y", "P", "-A=40.00", on="01-21")
    assert {"A": 6000, "B": 4000} == story.settled("payment/P")


def test_an_apply_line_replaces_what_the_payment_said_of_the_item() -> None:
    """With a smaller amount it takes off, without an amount it gives all that is open."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A=80.00", on="01-10")
    story.reconcile("X", "P", "+A=30.00", on="01-20")
    assert 7000 == story.open("A")
    story.reconcile("Y", "P", "-A=10.00", on="01-21")
    assert 8000 == story.open("A")
    story.reconcile("Z", "P", "+A", on="01-22")
    assert 0 == story.open("A")


def test_unapplying_ends_the_name() -> None:
    """The money is credit; when the item is open again, it does not go there."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A", on="01-10")
    story.reconcile("X", "P", "-A", on="01-20")
    assert (10000, 10000) == (story.open("A"), story.left("payment/P"))
    story.amend("A", 1, amount="120.00", on="01-21")
    assert (12000, 10000) == (story.open("A"), story.left("payment/P"))


def test_what_is_taken_off_goes_to_who_waits_by_name() -> None:
    """In log order, and not back to where it came from."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A", on="01-10")
    story.pay("Q", "20.00", "A", on="01-11")
    story.reconcile("X", "P", "-A=50.00", on="01-20")
    assert ({"A": 5000}, {"A": 2000}, 3000) == (
        story.settled("payment/P"),
        story.settled("payment/Q"),
        story.open("A"),
    )


def test_taking_off_an_amount_leaves_the_item_that_much_more_open() -> None:
    """Also where the payment, or what it named, was more than the item: 'all but 30.00 of it'."""
    story = Story()
    story.invoice("A", "60.00")
    story.pay("P", "100.00", "A", on="01-10")
    story.reconcile("X", "P", "-A=30.00", on="01-20")
    assert (3000, 7000) == (story.open("A"), story.left("payment/P"))


def test_taking_off_an_amount_before_the_item_is_known_comes_to_the_same() -> None:
    """SEMANTICS 2.3: the order of sources does not matter."""
    story = Story()
    story.pay("P", "100.00", "A", on="01-10")
    story.reconcile("X", "P", "-A=30.00", on="01-20")
    story.invoice("A", "60.00")
    assert (3000, 7000) == (story.open("A"), story.left("payment/P"))


def test_what_is_taken_off_follows_an_amendment() -> None:
    """All but 30.00 of it, whatever the item's amount is."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A", on="01-10")
    story.reconcile("X", "P", "-A=30.00", on="01-20")
    story.amend("A", 1, amount="80.00", on="01-25")
    assert (3000, {"A": 5000}) == (story.open("A"), story.settled("payment/P"))


def test_taking_off_where_names_compete_is_from_what_the_item_has() -> None:
    """The item that got a part only has that part lowered."""
    story = Story()
    story.invoice("A", "60.00")
    story.invoice("B", "60.00")
    story.pay("P", "100.00", "A", "B", on="01-10")
    story.reconcile("X", "P", "-B=30.00", on="01-20")
    assert {"A": 6000, "B": 1000} == story.settled("payment/P")


def test_taking_off_what_was_applied_unasked() -> None:
    """An amount, and then all of it; the same event does not apply it again."""
    story = Story()
    story.invoice("A", "100.00", due="02-01")
    story.invoice("B", "100.00", due="03-01")
    story.pay("P", "100.00", on="01-10")
    story.reconcile("X", "P", "-A=30.00", on="01-20")
    assert ({"A": 7000}, 10000) == (story.settled("payment/P"), story.open("B"))
    story.reconcile("Y", "P", "-A", on="01-21")
    assert ({}, 10000) == (story.settled("payment/P"), story.left("payment/P"))


def test_reconciliation_before_its_payment_waits() -> None:
    """SEMANTICS 2.3: it is folded when the payment arrives, with its own cause."""
    story = Story(auto_apply=False)
    story.invoice("A", "100.00")
    assert [] == story.reconcile("X", "P", "+A=60.00", on="01-12")
    facts = movements(story.pay("P", "100.00", on="01-10"))
    assert [("e3", "received"), ("e2", "applied"), ("e2", "applied")] == [
        (fact.cause, fact.kind) for fact in facts
    ]
    assert {} == story.account.waiting


def test_bank_words_with_too_many_decimals_are_shown_and_the_other_lines_count() -> None:
    """A line has no currency of its own: only the fold can judge it."""
    story = Story()
    story.invoice("A", "100.00", due="02-01")
    story.invoice("B", "100.00", due="03-01")
    story.pay("P", "100.00", "A", on="01-10")
    facts = story.reconcile("X", "P", "-A=1.005", "+B=5.00", "-A=5.00", on="01-20")
    assert ["amount_refused"] == [each.reason for each in exceptions(facts)]
    assert {"A": 9500, "B": 500} == story.settled("payment/P")


def test_the_bank_may_reserve_money_for_an_item_to_come() -> None:
    """An apply line for an unknown item keeps the money from others."""
    story = Story()
    story.pay("P", "100.00", on="01-10")
    story.reconcile("X", "P", "+A=60.00", on="01-11")
    story.invoice("B", "100.00", on="01-12")
    assert {"B": 4000} == story.settled("payment/P")
    story.invoice("A", "100.00", on="01-13")
    assert {"A": 6000, "B": 4000} == story.settled("payment/P")


def test_names_that_do_not_compete_are_served_without_the_others() -> None:
    """Each line has its amount: serving one asks nothing of a payment's other thousand."""
    story = Story()
    story.pay("P", "100.00", "A=10.00", "B=20.00", on="01-05")
    story.invoice("C", "70.00", on="01-06")
    story.invoice("A", "5.00", on="01-07")
    assert {"A": 500, "C": 7000} == story.settled("payment/P")
    assert (2500, 2000) == (story.left("payment/P"), story.account.credits["payment/P"].reserved_minor)
    story.invoice("D", "5.00", on="01-08")
    story.amend("A", 1, amount="12.00", on="01-09")  # 5.00 more by name: taken from what went to D unasked
    assert {"A": 1000, "C": 7000} == story.settled("payment/P")


def test_an_apply_line_forgets_what_was_taken_off_before() -> None:
    """The bank's last word on an item stands alone."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A", on="01-10")
    story.reconcile("X", "P", "-A=30.00", on="01-20")
    story.reconcile("Y", "P", "+A=80.00", on="01-21")
    assert {"A": 8000} == story.settled("payment/P")
