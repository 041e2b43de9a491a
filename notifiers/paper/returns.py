"""Letters that came back: what the mail room says of them, read and put where providers' words are kept.

A letter is named by the reference in its foot (its reminder), or by what its carrier calls it (the place in
a print run, the number of a service). Of what is not known to have been sent nothing is said. What follows
from a returned letter is the core's (R19).
"""

import csv
import datetime
import io
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct, structs
from sqlalchemy import Engine

from infra.database.feedback import FeedbackInbox, SentJob, Word
from infra.database.print_runs import PrintRuns
from infra.errors import OperatorError
from schemas.fields import split_account_id

__all__ = ["ReturnFileError", "ReturnNoted", "ReturnedLetter", "note_returned", "read_returned"]

_SOURCE: Final = "mail room"
_COLUMNS: Final = {"reference": True, "on": False, "reason": False}
_LINES_MAX: Final = 100_000
_TEXT_MAX: Final = 2_000
# A letter in one of these states may have been posted.
_POSTED: Final = ("accepted", "unknown", "delivered", "returned")


class ReturnFileError(OperatorError):
    """A file of returned letters cannot be read; says which line and what is expected."""


class ReturnedLetter(Struct, frozen=True, kw_only=True):
    """A letter that came back on a day (None: not said), and why, in the post's words."""

    reference: str
    on: datetime.date | None = None
    reason: str = ""


class ReturnNoted(Struct, frozen=True, kw_only=True):
    """What became of it: noted now, noted before, no letter of that name, or one that was never posted."""

    reference: str
    outcome: Literal["noted", "known", "not found", "not sent"]
    reminder: str = ""
    company: str = ""
    customer: str = ""


def read_returned(content: bytes) -> list[ReturnedLetter]:
    """Read a CSV file: columns ``reference``, and ``on`` (YYYY-MM-DD) and ``reason`` where wanted; comma or semicolon.

    Raises:
        ReturnFileError: it is no such file.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReturnFileError(f"The file is not UTF-8: {error}") from error
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    # Strictly: a quotation mark that is never closed would swallow the letters behind it.
    rows = _rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    names = [name.strip().lower() for name in next(rows, [])]
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown or "reference" not in names:
        raise ReturnFileError(
            f"The first line must name the columns reference, on, reason; it says {', '.join(names) or 'nothing'}"
        )
    found = []
    for number, row in enumerate(rows, start=2):
        if number > _LINES_MAX:
            raise ReturnFileError(f"The file has more than {_LINES_MAX:,} lines")
        if any(cell.strip() for cell in row):
            if any(cell.strip() for cell in row[len(names) :]):
                raise ReturnFileError(f"Line {number} has more cells than the first line names columns")
            found.append(_letter(dict(zip(names, row, strict=False)), number=number))
    return found


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    number = 0
    try:
        for number, row in enumerate(reader, start=1):  # noqa: B007 - the last one read is named below
            yield row
    except csv.Error as error:
        raise ReturnFileError(f"Line {number + 1} cannot be read: {error}") from error


def note_returned(
    engine: Engine, letters: Iterable[ReturnedLetter], *, now: datetime.datetime
) -> list[ReturnNoted]:
    """Note letters that came back, each once, however often it is said."""
    inbox, runs = FeedbackInbox(engine), PrintRuns(engine)
    return [_note(inbox, letter, runs=runs, now=now) for letter in letters]


def _letter(cells: dict[str, str], *, number: int) -> ReturnedLetter:
    said = cells.get("on", "").strip()
    try:
        on = datetime.date.fromisoformat(said) if said else None
    except ValueError as error:
        raise ReturnFileError(f"Line {number}: {said!r} is no day such as 2026-03-31") from error
    reference = cells.get("reference", "").strip()
    if not reference or not reference.isprintable():
        raise ReturnFileError(f"Line {number} names no letter")
    return ReturnedLetter(reference=reference, on=on, reason=cells.get("reason", "").strip()[:_TEXT_MAX])


def _note(
    inbox: FeedbackInbox, letter: ReturnedLetter, *, runs: PrintRuns, now: datetime.datetime
) -> ReturnNoted:
    job = _job(inbox, letter.reference, runs=runs)
    if job is None:
        return ReturnNoted(reference=letter.reference, outcome="not found")
    company, customer = split_account_id(job.account)
    noted = inbox.take([_word(letter, job=job, now=now)], received_at=now) if job.state in _POSTED else None
    return ReturnNoted(
        reference=letter.reference,
        outcome="not sent" if noted is None else ("noted" if noted else "known"),
        reminder=job.reminder,
        company=company,
        customer=customer,
    )


def _job(inbox: FeedbackInbox, reference: str, *, runs: PrintRuns) -> SentJob | None:
    by_reminder = Word(
        word="", source=_SOURCE, said="returned", channel="letter", occurred_at="", reminder=reference
    )
    by_carrier = structs.replace(by_reminder, reminder="", provider_id=reference)
    found = inbox.job_of(by_reminder) or inbox.job_of(by_carrier)
    if found is not None:
        return found
    # A letter that was left out and printed again has another place than the one it was accepted at.
    moved = runs.letter_at(reference)
    return None if moved is None else inbox.job_of(structs.replace(by_reminder, reminder=moved.reminder))


def _word(letter: ReturnedLetter, *, job: SentJob, now: datetime.datetime) -> Word:
    return Word(
        word=f"returned/{job.reminder}",
        source=_SOURCE,
        said="returned",
        channel="letter",
        occurred_at=_when(letter.on, job=job, now=now).isoformat(),
        reminder=job.reminder,
        error_type="letter_returned",
        detail=letter.reason,
    )


def _when(on: datetime.date | None, *, job: SentJob, now: datetime.datetime) -> datetime.datetime:
    """Give the instant of a return: noon of its day, never before it was sent; of a played letter never the wall clock's."""
    sent = datetime.datetime.fromisoformat(job.occurred_at) if job.occurred_at else now
    if on is None:
        return now if job.mode == "live" else sent
    noon = datetime.datetime.combine(on, datetime.time(12), datetime.UTC)
    return max(sent, min(noon, now))
