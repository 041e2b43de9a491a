"""Dead letters say where they come from and why; the record itself is untouched (DESIGN 9)."""

from schemas.dead_letters import (
    DeadLetter,
    dead_letter_headers,
    note_headers,
    noted_place,
    own_headers,
    read_dead_letter,
)

LETTER = DeadLetter(
    reason="not_json", detail="año", stage="intake", topic="billing.invoice.v1", partition=3, offset=17
)


def test_headers_go_out_and_come_back() -> None:
    """The record's own headers stay first and whole; ours are read back."""
    original = [("ce_id", b"1"), ("empty", None)]
    headers = dead_letter_headers(LETTER, original=original)
    assert [("ce_id", b"1"), ("empty", b"")] == headers[:2]
    assert LETTER == read_dead_letter(headers)


def test_the_last_failure_counts() -> None:
    """A letter that was sent again and failed again tells of its last failure."""
    again = DeadLetter(reason="invalid", detail="", stage="intake", topic="t", partition=0, offset=1)
    headers = dead_letter_headers(again, original=dead_letter_headers(LETTER, original=[]))
    assert again == read_dead_letter(headers)


def test_a_stranger_s_letter_is_unknown_not_an_error() -> None:
    """Records that others put there are shown all the same."""
    found = read_dead_letter([("dlq_offset", b"x"), ("dlq_reason", b"\xff")])
    assert ("\ufffd", "unknown", -1) == (found.reason, found.topic, found.offset)


def test_long_details_are_cut() -> None:
    """A detail cannot make a record too large for its topic."""
    long = DeadLetter(reason="r", detail="x" * 10_000, stage="s", topic="t", partition=0, offset=0)
    assert 2_000 == len(read_dead_letter(dead_letter_headers(long, original=[])).detail)


def test_a_note_tells_which_letter_was_sent_again() -> None:
    """A letter is no note; what is sent again has the record's own headers only."""
    headers = dead_letter_headers(LETTER, original=[("ce_id", b"1")])
    assert ("", "t.dlq/0/7") == (noted_place(headers), noted_place(note_headers("t.dlq/0/7")))
    assert [("ce_id", b"1")] == own_headers(headers)
