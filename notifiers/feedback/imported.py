"""Words from a file: returned letters, lists of a provider without a hook, what a person knows.

CSV with a header line, or NDJSON: ``channel``, ``said``, and ``reminder`` or ``provider_id``; optional
``error_type``, ``detail``, ``address``, ``occurred_at``. All lines or none.
"""

import csv
import datetime
import io
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from infra.database.feedback import Word
from infra.errors import OperatorError
from schemas.outcomes import ErrorType

__all__ = ["FeedbackFileError", "Line", "word_of_line", "words_of_file"]

_LINES_MAX: Final = 1_000_000


class FeedbackFileError(OperatorError):
    """A file of feedback cannot be taken; says which lines are wrong, and why."""


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One word of a file."""

    channel: Literal["email", "sms", "letter"]
    said: Literal["delivered", "bounced", "returned", "complained", "failed"]
    reminder: Annotated[str, Meta(max_length=64)] = ""
    provider_id: Annotated[str, Meta(max_length=500)] = ""
    error_type: ErrorType = ""
    detail: Annotated[str, Meta(max_length=1000)] = ""
    address: Annotated[str, Meta(max_length=500)] = ""
    occurred_at: Annotated[str, Meta(max_length=40)] = ""


def words_of_file(content: bytes, *, received_at: datetime.datetime) -> list[Word]:
    """Read a file.

    Raises:
        FeedbackFileError: with each line that is wrong.
    """
    words: list[Word] = []
    problems: list[str] = []
    for number, fields in _lines(content):
        try:
            words.append(word_of_line(msgspec.convert(fields, Line), received_at=received_at))
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise FeedbackFileError("Nothing was taken:\n" + "\n".join(problems[:20]))
    return words


def word_of_line(line: Line, *, received_at: datetime.datetime) -> Word:
    """Make the word of one line; the same word of the same delivery is said once.

    Raises:
        ValueError: it names no delivery, or its time is none.
    """
    if bool(line.reminder) == bool(line.provider_id):
        raise ValueError("name the delivery by one of reminder and provider_id")
    at = received_at
    if line.occurred_at:
        at = datetime.datetime.fromisoformat(line.occurred_at)
        if at.tzinfo is None:
            at = at.replace(tzinfo=datetime.UTC)
    return Word(
        word=f"file/{line.channel}/{line.reminder or line.provider_id}/{line.said}",
        source="file",
        said=line.said,
        channel=line.channel,
        occurred_at=min(at, received_at).astimezone(datetime.UTC).isoformat(timespec="milliseconds"),
        reminder=line.reminder,
        provider_id=line.provider_id,
        address=line.address,
        error_type=line.error_type,
        detail=line.detail,
    )


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedbackFileError(f"The file is not in UTF-8: {error}") from error
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield number, _object(number, line)
        return
    number = 1
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text, newline=""), strict=True), start=2):
            if number > _LINES_MAX:
                raise FeedbackFileError(f"The file has more than {_LINES_MAX:,} lines.")
            if None in row:
                raise FeedbackFileError(
                    f"Nothing was taken:\nline {number}: more cells than the first line names"
                )
            yield number, {str(name): value for name, value in row.items() if value}
    except csv.Error as error:
        raise FeedbackFileError(f"Nothing was taken:\nline {number + 1}: {error}") from error


def _object(number: int, line: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(line, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise FeedbackFileError(f"Nothing was taken:\nline {number}: {error}") from error
