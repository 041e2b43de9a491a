"""A line of the worklist stays on the screen, however many tasks an account has."""

from console.cli.worklist import in_short


def test_a_table_shows_the_first_details_and_counts_the_rest() -> None:
    """R37: an account with eight open calls once made every line of the table 2,000 characters wide."""
    assert "call (03-04); call (04-07); and 6 more" == in_short(
        [f"call ({day})" for day in ("03-04", "04-07", "06-06", "07-28", "09-12", "11-05", "12-09", "12-27")]
    )
    assert "call (03-04); call (04-07)" == in_short(["call (03-04)", "call (04-07)"])
    assert "" == in_short([])
