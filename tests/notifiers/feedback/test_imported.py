"""B-14: a file of words, for returned letters and for providers without a hook: all of it or nothing."""

import datetime

import pytest

from notifiers.feedback.imported import FeedbackFileError, words_of_file

NOW = datetime.datetime(2026, 2, 3, 12, tzinfo=datetime.UTC)


def test_csv_and_ndjson_say_the_same() -> None:
    """A returned letter, named by its reminder or by the printer's number."""
    table = "reminder,channel,said,error_type,occurred_at\nr1,letter,returned,letter_returned,2026-02-02\n"
    lines = '{"reminder": "r1", "channel": "letter", "said": "returned", "error_type": "letter_returned", "occurred_at": "2026-02-02"}\n\n'
    [word] = words_of_file(table.encode(), received_at=NOW)
    assert [word] == words_of_file(lines.encode(), received_at=NOW)
    assert ("r1", "returned", "2026-02-02T00:00:00.000+00:00") == (word.reminder, word.said, word.occurred_at)
    [other] = words_of_file(b"provider_id,channel,said\nP-77,letter,delivered\n", received_at=NOW)
    assert ("", "P-77", NOW.isoformat(timespec="milliseconds")) == (
        other.reminder,
        other.provider_id,
        other.occurred_at,
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            "reminder,channel,said\nr1,letter,returned\nr2,letter,vanished\n",
            "line 3: Invalid enum value 'vanished'",
        ),
        ("channel,said\nletter,returned\n", "one of reminder and provider_id"),
        ("reminder,provider_id,channel,said\nr1,P,letter,returned\n", "one of reminder and provider_id"),
        ("reminder,channel,said,why\nr1,letter,returned,moved\n", "unknown field `why`"),
        ("reminder,channel,said,occurred_at\nr1,letter,returned,yesterday\n", "isoformat"),
        ("reminder,channel,said,occurred_at\nr1,letter,returned,0001-01-01T00:00:00+14:00\n", "line 2"),
        ("reminder,channel,said\nr1,letter,returned,moved\n", "line 2: more cells"),
        ('reminder,channel,said\nr1,letter,returned\n"r2,letter,returned\n', "line 3"),
        ("reminder,channel,said\n" + "x" * 140_000, "line 2"),
        ('{"reminder": "r1"\n', "line 1"),
        ('{"reminder": "r1", "channel": "task", "said": "returned"}', "'task'"),
    ],
)
def test_a_wrong_line_stops_all(content: str, why: str) -> None:
    """Each wrong line is named; nothing of the file is taken."""
    with pytest.raises(FeedbackFileError, match="Nothing was taken") as caught:
        words_of_file(content.encode(), received_at=NOW)
    assert why in str(caught.value)


def test_not_text() -> None:
    """A spreadsheet by mistake."""
    with pytest.raises(FeedbackFileError, match="UTF-8"):
        words_of_file(b"PK\x03\x04\xff\xfe", received_at=NOW)
