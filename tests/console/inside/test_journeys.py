"""Each row that a person does on a screen has a journey in a real browser, or a reason why not (issue 7)."""

from tests.system.journeys import NOT_ON_A_SCREEN, journeys, on_a_screen, rows_in


def test_each_row_of_a_screen_has_a_journey() -> None:
    """Who adds a page to docs/capabilities.md goes there in a browser; ``python -m tests.system.journeys`` is the table."""
    known = journeys()
    rows = on_a_screen()
    assert len(rows) > 90  # they were read: an empty table would have passed
    assert [] == [row for row in rows if row not in known and row not in NOT_ON_A_SCREEN]


def test_a_reason_is_for_what_has_no_journey() -> None:
    """A reason that has become untrue goes."""
    assert [] == [row for row in NOT_ON_A_SCREEN if row in journeys() or row not in on_a_screen()]


def test_ranges_are_read_row_by_row() -> None:
    """As docs/capabilities.md and docstrings write them."""
    assert ["S1-14", "S1-15", "S1-16", "B-02", "U-1"] == list(rows_in("S1-14 … S1-16, B-02; U-1"))
