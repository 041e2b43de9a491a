"""Letters that were left out of their print runs: a person has one printed again, or gives it up (R19).

The command (``cobranza letters``) and the console's page do the same by these. A letter is printed again or given up, never
both: the first word counts.
"""

import datetime
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from infra.database.print_runs import PrintRuns, RunLetter
from infra.errors import OperatorError
from notifiers.channel import TemporaryError
from notifiers.feedback.imported import Line, word_of_line
from notifiers.paper.opening import open_closer
from notifiers.paper.settings import PrintRunSettings
from notifiers.settings import read_settings

__all__ = ["NotLeftOutError", "give_up", "print_again"]


class NotLeftOutError(OperatorError):
    """No letter of that reminder waits for a person."""


def print_again(
    reminder: str, *, engine: Engine, data_dir: Path, clock: Callable[[], datetime.datetime]
) -> RunLetter:
    """Put a letter into its company's open run, and give it at its new place.

    Raises:
        NotLeftOutError: none of that reminder waits.
        OperatorError: its file is not as it was accepted, the store does not answer, or settings are wrong.
    """
    chosen, runs = read_settings(PrintRunSettings), PrintRuns(engine)
    found = runs.letter(reminder)
    if found is None or not found.left_out or found.settled_at is not None:
        raise _not_left_out(reminder)
    try:
        open_closer(chosen, data_dir=data_dir, engine=engine, clock=clock).check(found)
    except TemporaryError as error:
        raise OperatorError(error.detail) from error
    moved = runs.again(reminder, now=clock(), letters_max=chosen.letters_max)
    if moved is None:
        raise _not_left_out(reminder)
    return moved


def give_up(
    reminder: str,
    *,
    because: str,
    engine: Engine,
    data_dir: Path,
    clock: Callable[[], datetime.datetime],
) -> None:
    """Say that a letter has failed; a damaged one of a run that waits is left out with that.

    Raises:
        NotLeftOutError: none of that reminder waits, and it is not damaged in a run that does.
        OperatorError: the store does not answer, has nothing of the run (`ForeignStoreError`), or settings are wrong.
    """
    chosen, runs, now = read_settings(PrintRunSettings), PrintRuns(engine), clock()
    found = runs.letter(reminder)
    if found is not None and not found.left_out:
        try:
            open_closer(chosen, data_dir=data_dir, engine=engine, clock=clock).leave_out(found)
        except TemporaryError as error:
            raise OperatorError(error.detail) from error
    line = Line(reminder=reminder, channel="letter", said="failed", detail=because)
    if not runs.settle(reminder, now=now, saying=[word_of_line(line, received_at=now)]):
        raise _not_left_out(reminder)


def _not_left_out(reminder: str) -> NotLeftOutError:
    return NotLeftOutError(f"No letter of reminder {reminder!r} was left out: cobranza letters left-out")
