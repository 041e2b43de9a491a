"""Money on an account, as a controller would tell it (SEMANTICS 3 and 7; docs/domain.md, Settlement)."""

from tests.processors.story import Story, exceptions, movements, said


def test_money_without_names_pays_the_oldest_of_three() -> None:
    """S1-19: oldest due date first, ties by document number, whatever the order of arrival."""
    story = Story()
    story.invoice("C", "100.00", due="03-01")
    story.invoice("B", "100.00", due="02-01")
    story.invoice("A", "100.00", due="02-01")
    story.pay("P", "150.00", on="02-10")
    assert {"A": 10000, "B": 5000} == story.settled("payment/P")
    assert [0, 5000, 10000] == [story.open(item) for item in "ABC"]


def test_money_without_names_stays_credit_where_the_company_says_so() -> None:
    """``auto_apply`` off: nobody guesses what money is for."""
    story = Story(auto_apply=False)
    story.invoice("A", "100.00")
    story.pay("P", "150.00", on="01-10")
    story.invoice("B", "100.00", on="01-20")
    assert (10000, 10000, 15000) == (story.open("A"), story.open("B"), story.left("payment/P"))


def test_named_items_are_paid_in_the_order_named() -> None:
    """S1-18: up to the amount named, or each open amount; the order is the customer's, not the due dates'."""
    story = Story()
    story.invoice("A", "100.00", due="02-01")
    story.invoice("B", "100.00", due="03-01")
    story.invoice("C", "100.00", due="01-15")
    story.pay("P", "150.00", "B", "A=30.00", "C", on="01-10")
    assert {"A": 3000, "B": 10000, "C": 2000} == story.settled("payment/P")


def test_part_payment_leaves_the_residual_open() -> None:
    """R9: the rest is owed, and the item is not settled."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "40.00", "A", on="01-10")
    assert (6000, "open") == (story.open("A"), story.account.items["A"].status)
    story.pay("Q", "60.00", "A", on="01-12")
    assert (0, "settled") == (story.open("A"), story.account.items["A"].status)


def test_overpayment_is_credit_and_goes_to_the_next_item() -> None:
    """More than is owed stays as credit, and is applied to items that arrive later (``auto_apply``)."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "130.00", "A", on="01-10")
    assert 3000 == story.left("payment/P")
    facts = story.invoice("B", "100.00", on="01-20")
    assert [
        ("issued", "B", 10000, "01-20"),
        ("applied", "B", -3000, "01-20"),
        ("applied", "payment/P", -3000, "01-20"),
    ] == said(facts)


def test_loose_money_is_used_in_log_order() -> None:
    """What came first is used first, also when it was taken off another item meanwhile."""
    story = Story()
    story.invoice("A", "50.00")
    story.pay("P", "50.00", "A", on="01-05")
    story.pay("Q", "50.00", on="01-06")
    story.cancel("A", on="01-10")
    story.invoice("B", "60.00", on="01-20")
    assert ({"B": 5000}, {"B": 1000}) == (story.settled("payment/P"), story.settled("payment/Q"))


def test_deposits_and_credit_notes_are_never_applied_unasked() -> None:
    """A deposit with an order reference and an unlinked note wait for a word."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "70.00", on="01-05", order="PO-7")
    story.credit_note("N", "20.00", on="01-06")
    story.invoice("B", "100.00", on="01-10")
    assert (10000, 10000, 7000, 2000) == (
        story.open("A"),
        story.open("B"),
        story.left("payment/P"),
        story.left("credit_note/N"),
    )


def test_six_invoices_and_two_unlinked_notes() -> None:
    """R12: notes that name no invoice stay credit; the decision sets them against levels, the ledger does not."""
    story = Story()
    for number in range(6):
        story.invoice(f"I{number}", "100.00", due=f"02-0{number + 1}")
    story.credit_note("N", "150.00", on="02-10")
    story.credit_note("M", "30.00", on="02-11")
    balance = story.account.row.balances["USD"]
    assert (60000, 18000) == (balance.open_minor, balance.credit_minor)


def test_linked_credit_note_reduces_its_invoice() -> None:
    """R12: and what it has over its invoice is left on the account."""
    story = Story()
    story.invoice("A", "100.00")
    story.credit_note("N", "30.00", on="01-10", invoice="A")
    assert 7000 == story.open("A")
    story.credit_note("M", "90.00", on="01-11", invoice="A")
    assert (0, 2000) == (story.open("A"), story.left("credit_note/M"))


def test_cancelled_credit_note_opens_its_invoice_again() -> None:
    """What it had settled is owed again, from the day of the cancellation."""
    story = Story()
    story.invoice("A", "100.00")
    story.credit_note("N", "30.00", on="01-10", invoice="A")
    facts = story.cancel_credit_note("N", on="01-20")
    assert [
        ("unapplied", "A", 3000, "01-20"),
        ("unapplied", "credit_note/N", 3000, "01-20"),
        ("credit_note_cancelled", "credit_note/N", -3000, "01-20"),
    ] == said(facts)


def test_reversal_opens_exactly_what_was_settled_at_the_old_level() -> None:
    """R14: level, plan and anchor of the item are as they were, also after it was settled."""
    story = Story()
    story.invoice("A", "100.00")
    story.invoice("B", "50.00")
    item = story.account.items["A"]
    item.step, item.plan, item.plan_version = 2, "default", 1
    story.pay("P", "120.00", "A", "B", on="01-10")
    story.pay("Q", "30.00", "B", on="01-11")
    story.reverse("P", on="01-20")
    assert (10000, 2000) == (story.open("A"), story.open("B"))
    assert (2, "default", "open") == (item.step, item.plan, item.status)


def test_reversal_lets_money_that_waits_by_name_take_the_item() -> None:
    """What is left of money keeps its names: the item is open again, and it goes there first."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A", on="01-05")
    story.pay("Q", "100.00", "A", on="01-06")
    assert 10000 == story.left("payment/Q")
    story.reverse("P", on="01-20")
    assert (0, {"A": 10000}) == (story.open("A"), story.settled("payment/Q"))
    assert {"payment/P": 0, "payment/Q": 10000} == {
        name: story.as_of("01-19").get(name, 0) for name in ("payment/P", "payment/Q")
    }
    assert {} == story.as_of("01-20")


def test_payment_before_its_invoice_waits_for_it() -> None:
    """SEMANTICS 2.3: reserved by name, and not used for anything else meanwhile."""
    story = Story()
    story.pay("P", "100.00", "A", on="01-05")
    story.invoice("B", "100.00", on="01-06")
    assert (10000, 10000) == (story.open("B"), story.left("payment/P"))
    facts = story.invoice("A", "80.00", on="01-04")
    assert ("applied", "A", -8000, "01-05") in said(facts)
    assert (0, 2000) == (story.open("A"), story.left("payment/P"))


def test_the_rest_of_money_that_no_longer_waits_is_loose() -> None:
    """Once its name is served, the remainder goes to items that arrive."""
    story = Story()
    story.pay("P", "100.00", "A", on="01-05")
    story.invoice("A", "80.00", on="01-06")
    story.invoice("B", "50.00", on="01-07")
    assert {"A": 8000, "B": 2000} == story.settled("payment/P")


def test_an_amount_named_for_an_item_is_all_that_it_gets() -> None:
    """A line of 50.00 is the customer's word on that item: the remainder goes elsewhere."""
    story = Story()
    story.pay("P", "100.00", "A=50.00", on="01-05")
    story.invoice("A", "80.00", on="01-06")
    story.invoice("B", "80.00", on="01-07")
    assert {"A": 5000, "B": 5000} == story.settled("payment/P")


def test_overpayment_refunded() -> None:
    """The refund is taken out of what is left; no item is touched."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "130.00", "A", on="01-10")
    facts = story.refund("R", "30.00", payment="P", on="01-20")
    assert [("refunded", "payment/P", -3000, "01-20")] == said(facts)
    assert (0, 0) == (story.open("A"), story.left("payment/P"))


def test_refund_takes_unasked_applications_before_named_ones() -> None:
    """What the customer named stays settled longest; of several, the last one named goes first."""
    story = Story()
    story.invoice("A", "40.00")
    story.invoice("B", "40.00")
    story.pay("P", "100.00", "A", "B", on="01-05")
    story.invoice("C", "20.00", on="01-06")
    assert {"A": 4000, "B": 4000, "C": 2000} == story.settled("payment/P")
    story.refund("R", "15.00", payment="P", on="01-20")
    assert {"A": 4000, "B": 4000, "C": 500} == story.settled("payment/P")
    story.refund("S", "25.00", payment="P", on="01-21")
    assert {"A": 4000, "B": 2000} == story.settled("payment/P")


def test_refund_of_more_than_is_left_is_shown_to_a_person() -> None:
    """Only what the payment counts goes back; the rest is an exception, since someone paid it out."""
    story = Story()
    story.pay("P", "50.00", on="01-05")
    story.refund("R", "30.00", payment="P", on="01-10")
    facts = story.refund("S", "30.00", payment="P", on="01-11")
    assert [("refunded", "payment/P", -2000, "01-11")] == said(facts)
    assert [("over_refunded", "refund/S")] == [(each.reason, each.key) for each in exceptions(facts)]


def test_refund_of_a_credit_note() -> None:
    """A note may be paid out instead of being set against invoices."""
    story = Story()
    story.credit_note("N", "50.00", on="01-05")
    story.refund("R", "50.00", note="N", on="01-10")
    assert 0 == story.left("credit_note/N")


def test_amended_up_and_down() -> None:
    """The highest revision stands; money that is too much is credit again and keeps its name."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A", on="01-05")
    facts = story.amend("A", 2, amount="70.00", on="01-10")
    assert [
        ("unapplied", "A", 3000, "01-10"),
        ("unapplied", "payment/P", 3000, "01-10"),
        ("amended", "A", -3000, "01-10"),
    ] == said(facts)
    assert [] == story.amend("A", 1, amount="500.00", on="01-11")
    story.amend("A", 3, amount="90.00", on="01-12")
    assert (0, 1000) == (story.open("A"), story.left("payment/P"))


def test_amended_down_releases_the_last_application_first() -> None:
    """Last in, first out: the oldest money keeps the item."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "60.00", "A", on="01-05")
    story.pay("Q", "40.00", "A", on="01-06")
    story.amend("A", 1, amount="50.00", on="01-10")
    assert ({"A": 5000}, {}) == (story.settled("payment/P"), story.settled("payment/Q"))


def test_money_released_by_an_amendment_goes_to_its_next_name() -> None:
    """The customer named B after A: what A does not need any more is for B."""
    story = Story()
    story.invoice("A", "100.00")
    story.invoice("B", "100.00")
    story.pay("P", "100.00", "A", "B", on="01-05")
    story.amend("A", 1, amount="60.00", on="01-10")
    assert {"A": 6000, "B": 4000} == story.settled("payment/P")


def test_amended_up_moves_money_back_to_the_name_before() -> None:
    """A distribution is what it would have been: the order of names holds after an amendment, too."""
    story = Story()
    story.invoice("A", "60.00")
    story.invoice("B", "60.00")
    story.pay("P", "100.00", "A", "B", on="01-05")
    story.amend("A", 1, amount="80.00", on="01-10")
    assert {"A": 8000, "B": 2000} == story.settled("payment/P")
    assert {"B": 2000} == story.as_of("01-09")  # what was true until then stays true
    assert {"B": 4000} == story.as_of("01-10")


def test_new_due_date_is_a_movement_of_nothing() -> None:
    """Aging of a past day uses the due date that stood then."""
    story = Story()
    story.invoice("A", "100.00", due="02-01")
    (moved,) = movements(story.amend("A", 1, due="03-01", on="01-20"))
    assert (0, "2024-03-01", "2024-01-20") == (
        moved.amount_minor,
        str(moved.due_on),
        str(moved.business_date),
    )


def test_amendment_of_texts_moves_no_money_but_is_a_new_version() -> None:
    """R32: a reminder decided before it is judged again."""
    story = Story()
    story.invoice("A", "100.00", due="02-01")
    version = story.account.row.version
    assert [] == story.amend("A", 1, on="01-20")
    assert version + 1 == story.account.row.version


def test_amendment_with_too_many_decimals_is_refused_by_the_fold() -> None:
    """Only the fold knows the currency of what is amended; nothing is rounded."""
    story = Story()
    story.invoice("A", "100.00")
    facts = story.amend("A", 1, amount="99.999", on="01-20")
    assert (["amount_refused"], 10000) == ([each.reason for each in exceptions(facts)], story.open("A"))


def test_cancelled_invoice_gives_its_money_back() -> None:
    """R13: closed for good; the money is credit and keeps its names."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "40.00", "A", on="01-05")
    facts = story.cancel("A", on="01-20")
    assert [
        ("unapplied", "A", 4000, "01-20"),
        ("unapplied", "payment/P", 4000, "01-20"),
        ("cancelled", "A", -10000, "01-20"),
    ] == said(facts)
    assert (0, 4000, "cancelled") == (
        story.open("A"),
        story.left("payment/P"),
        story.account.items["A"].status,
    )
    assert [] == story.amend("A", 5, amount="500.00", on="01-25")
    assert 0 == story.open("A")


def test_write_off_and_its_reversal() -> None:
    """A write-off settles like money; taken back, the item is owed again."""
    story = Story()
    story.invoice("A", "100.00")
    story.pay("P", "99.98", "A", on="01-05")
    facts = story.write_off("W", "0.02", item="A", on="01-06")
    assert ("write_off_booked", "write_off/W", 2, "01-06") in said(facts)
    assert 0 == story.open("A")
    facts = story.reverse_write_off("W", on="01-10")
    assert ("write_off_reversed", "write_off/W", -2, "01-10") in said(facts)
    assert 2 == story.open("A")


def test_write_off_of_more_than_is_owed_is_seen_as_credit() -> None:
    """The postings say so: nothing is cut in silence."""
    story = Story()
    story.invoice("A", "10.00")
    story.write_off("W", "15.00", item="A", on="01-06")
    assert (0, 500) == (story.open("A"), story.left("write_off/W"))
    story.invoice("B", "10.00", on="01-10")
    assert (1000, 500) == (story.open("B"), story.left("write_off/W"))


def test_debit_note_is_a_receivable() -> None:
    """It is paid like an invoice, and said with a kind of its own."""
    story = Story()
    facts = story.debit_note("D", "12.00")
    assert [("debit_note_issued", "D", 1200, "01-01")] == said(facts)
    story.pay("P", "12.00", on="01-05")
    assert 0 == story.open("D")


def test_opened_item_counts_what_is_left_of_it() -> None:
    """R36: what was settled before the cut-over is none of our movements; amendments speak of the whole document."""
    story = Story()
    story.pay("P", "30.00", "A", on="01-05")
    facts = story.opened("A", "100.00", left="60.00", issued="01-01", due="01-15", on="01-20")
    assert [
        ("opened", "A", 6000, "01-20"),
        ("applied", "A", -3000, "01-20"),
        ("applied", "payment/P", -3000, "01-20"),
    ] == said(facts)
    story.amend("A", 1, amount="80.00", on="01-25")
    assert 1000 == story.open("A")
    story.amend("A", 2, amount="35.00", on="01-26")
    assert (0, 3000) == (story.open("A"), story.left("payment/P"))


def test_money_in_another_currency_stays_credit_and_is_shown() -> None:
    """SEMANTICS 3: never added together, never applied; in whichever order they come."""
    story = Story()
    story.invoice("A", "100.00")
    facts = story.pay("P", "5000", "A", "B", on="01-05", currency="CLP")
    assert [("currency_mismatch", "payment/P/A")] == [(each.reason, each.key) for each in exceptions(facts)]
    facts = story.invoice("B", "100.00", on="01-06")
    assert [("currency_mismatch", "payment/P/B")] == [(each.reason, each.key) for each in exceptions(facts)]
    assert (10000, 10000, 5000) == (story.open("A"), story.open("B"), story.left("payment/P"))
    assert [] == exceptions(story.reverse("P", on="01-07"))


def test_currencies_are_settled_apart() -> None:
    """R23: money without names pays the oldest item of its own currency."""
    story = Story()
    story.invoice("A", "1000", currency="CLP", due="01-10")
    story.invoice("B", "10.00", due="01-20")
    story.pay("P", "10.00", on="01-05")
    assert (1000, 0) == (story.open("A"), story.open("B"))


def test_a_zero_invoice_is_settled_when_it_is_issued() -> None:
    """Nothing is owed, nothing is chased, nothing is lost."""
    story = Story()
    story.invoice("A", "0.00")
    assert "settled" == story.account.items["A"].status


def test_backdated_money_changes_the_past() -> None:
    """SEMANTICS 2.4: an application dates from the later of its money and its item."""
    story = Story()
    story.invoice("A", "100.00", on="01-05")
    story.invoice("B", "100.00", on="01-25")
    story.pay("P", "150.00", "A", "B", on="01-10")
    assert {"A": 10000} == story.as_of("01-09")
    assert {"payment/P": 5000} == story.as_of("01-24")
    assert {"B": 5000} == story.as_of("01-25")


def test_money_that_moved_on_was_where_it_was_until_then() -> None:
    """No past day shows less than nothing: an item opened again late is paid again late."""
    story = Story()
    story.invoice("A", "100.00", on="01-01")
    story.pay("P", "100.00", "A", on="01-05")
    story.reverse("P", on="01-20")
    story.pay("Q", "100.00", "A", on="01-08")  # heard of only now
    assert {"payment/Q": 10000} == story.as_of("01-19")
    assert {} == story.as_of("01-20")


def test_money_that_waits_for_two_waits_for_the_first_named() -> None:
    """Without amounts the first name may need all of it: the second is served once the first has come."""
    story = Story()
    story.pay("P", "100.00", "A", "B", on="01-05")
    story.invoice("B", "100.00", on="01-06")
    assert 10000 == story.open("B")
    story.invoice("A", "60.00", on="01-07")
    assert {"A": 6000, "B": 4000} == story.settled("payment/P")


def test_who_came_first_is_served_first_also_where_two_items_open_at_once() -> None:
    """One reversal opens A and B; Q named B before R named both."""
    story = Story()
    story.invoice("A", "50.00")
    story.invoice("B", "50.00")
    story.pay("P", "100.00", "A", "B", on="01-05")
    story.pay("Q", "30.00", "B", on="01-06")
    story.pay("R", "100.00", "A", "B", on="01-07")
    story.reverse("P", on="01-20")
    assert ({"B": 3000}, {"A": 5000, "B": 2000}) == (story.settled("payment/Q"), story.settled("payment/R"))


def test_a_reversal_dated_before_a_later_part_takes_back_from_then_on() -> None:
    """An application in two parts is taken back from the day of its last one: earlier days stay as they were."""
    story = Story()
    story.invoice("A", "60.00")
    story.pay("P", "100.00", "A", on="01-05")
    story.amend("A", 1, amount="100.00", on="01-20")
    story.reverse("P", on="01-10")
    assert {"payment/P": 4000} == story.as_of("01-15")
    assert {"A": 10000} == story.as_of("01-20")


def test_names_that_came_to_compete_share_as_they_are_named() -> None:
    """A refund leaves less than the names ask for: whichever item comes first, the earlier name is served first."""
    for order in ("AB", "BA"):
        story = Story()
        story.pay("P", "100.00", "A=50.00", "B=50.00", on="01-05")
        story.refund("R", "40.00", payment="P", on="01-06")
        for item in order:
            story.invoice(item, "50.00", on="01-10")
        assert {"A": 5000, "B": 1000} == story.settled("payment/P"), order


def test_a_name_takes_no_more_than_its_item_owes() -> None:
    """The limit of a name is one bound, what is open of its item the other; the rest stays on the account."""
    for names in (("A=50.00",), ("A=50.00", "B=20.00")):
        story = Story(auto_apply=False)
        story.pay("P", "100.00", *names, on="01-05")
        story.invoice("A", "30.00", on="01-10")
        assert ({"A": 3000}, 7000) == (story.settled("payment/P"), story.left("payment/P")), names
        story.amend("A", 1, amount="45.00", on="01-12")
        assert ({"A": 4500}, 5500) == (story.settled("payment/P"), story.left("payment/P")), names


def test_who_comes_second_takes_what_the_first_left() -> None:
    """Two payments wait for one invoice: in log order, the second has what is open then, and keeps the rest."""
    story = Story(auto_apply=False)
    story.pay("P", "80.00", "A=80.00", on="01-05")
    story.pay("Q", "100.00", "A=50.00", "B=20.00", on="01-06")
    story.invoice("A", "100.00", on="01-10")
    assert ({"A": 8000}, {"A": 2000}) == (story.settled("payment/P"), story.settled("payment/Q"))
    assert (0, 8000) == (story.open("A"), story.left("payment/Q"))


def test_who_has_all_that_his_name_asks_for_is_left_alone() -> None:
    """R14: another's money goes back; what a payment has on the item by its own name does not move by nothing."""
    story = Story(auto_apply=False)
    story.invoice("A", "100.00")
    story.pay("P", "100.00", "A=50.00", "B=20.00", on="01-05")
    story.pay("Q", "50.00", "A", on="01-06")
    facts = story.reverse("Q", on="01-10")
    assert ["unapplied", "unapplied", "reversed"] == [kind for kind, *_ in said(facts)]
    assert (5000, {"A": 5000}) == (story.open("A"), story.settled("payment/P"))
