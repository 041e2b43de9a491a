"""Print runs: which letter is in which run, and every move of a run as a compare-and-set.

It owns that a letter is in one run, and a run closed once; it refuses to touch files or to look at
a clock: instants are arguments, and whoever asks has put the letter's file into safety before.
"""

import datetime
import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec import Struct, json, structs
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    RowMapping,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from infra.database.engine import again_if_undone, reading, writing
from infra.database.feedback import Word, keep_words
from infra.database.print_tables import print_letters, print_runs

__all__ = ["Enclosed", "NewLetter", "PrintRuns", "Run", "RunLetter", "RunState"]

RunState = Literal["open", "closing", "closed"]
# Each try finds the open run or makes one; that a neighbour closes each of them in between is no accident.
_TRIES_MAX: Final = 20
_POSITION: Final = re.compile("[0-9]{1,9}")


class Enclosed(Struct, frozen=True, kw_only=True):
    """A document that goes into the envelope behind its letter, in safety at ``spool``; ``name`` is for people."""

    name: str
    spool: str
    sha256: str
    size_bytes: int
    pages: int
    sheets: int
    paper: str


class NewLetter(Struct, frozen=True, kw_only=True):
    """A letter that is in safety at ``spool``; ``sheets`` are what is paid for, ``paper`` is 'a4' or 'us_letter'.

    Pages and sheets are the letter's own; ``enclosures`` come behind it in their order, each with its own.
    """

    reminder: str
    company: str
    account: str
    customer: str
    spool: str
    sha256: str
    size_bytes: int
    pages: int
    sheets: int
    paper: str
    enclosures: tuple[Enclosed, ...] = ()

    @property
    def all_pages(self) -> int:
        """How many pages come into the envelope."""
        return self.pages + sum(each.pages for each in self.enclosures)

    @property
    def all_sheets(self) -> int:
        """How many sheets are folded into the envelope: no two files share one."""
        return self.sheets + sum(each.sheets for each in self.enclosures)


class RunLetter(NewLetter, frozen=True, kw_only=True):
    """A letter in its run, at ``position`` from 1; ``left_out`` says why it was not printed with it, '' where it was.

    What was left out and is settled (``settled_at``) nobody need look at any more.
    """

    run: str
    position: int
    added_at: datetime.datetime
    left_out: str = ""
    settled_at: datetime.datetime | None = None


class Run(Struct, frozen=True, kw_only=True):
    """A run as it stands; pages and sheets are those of letters and enclosures. ``place`` and ``manifest_sha256`` are of what was written when it was closed."""

    run: str
    company: str
    state: RunState
    letters: int
    pages: int
    sheets: int
    opened_at: datetime.datetime
    closing_at: datetime.datetime | None
    closed_at: datetime.datetime | None
    place: str
    manifest_sha256: str
    detail: str

    @property
    def is_to_write(self) -> bool:
        """Whether it is being written out, and does not lie before the printer yet."""
        return self.state == "closing" and not self.manifest_sha256


class PrintRuns:
    """The runs of an installation; any number of processes may use them at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # What it returns says whether it was there: an insert does not count its rows on PostgreSQL.
        self._adding = (
            self._insert(print_letters).on_conflict_do_nothing().returning(print_letters.c["reminder"])
        )

    @again_if_undone
    def add(self, letter: NewLetter, *, now: datetime.datetime, letters_max: int) -> RunLetter:
        """Put a letter into its company's open run, which is made where there is none.

        A letter that is in a run already stays there. The run that has become
        ``letters_max`` long takes no more.
        """
        with writing(self._engine) as connection:
            run = self._open_run(connection, letter.company, now=now)
            added = RunLetter(**structs.asdict(letter), run=run.run, position=run.letters + 1, added_at=now)
            if connection.execute(self._adding, _row(added)).first() is None:
                known = _letter(connection, letter.reminder)
                if known is None:
                    raise AssertionError(f"letter {letter.reminder} is neither new nor known")
                return known
            self._count(connection, added, run=run, now=now, letters_max=letters_max)
        return added

    def letter(self, reminder: str) -> RunLetter | None:
        """Give the letter of a reminder, None when it is in no run."""
        with reading(self._engine) as connection:
            return _letter(connection, reminder)

    def letter_at(self, place: str) -> RunLetter | None:
        """Give the letter that is at a place ``run/position`` now, None when none is or it is no place."""
        run, _, position = place.rpartition("/")
        if not _POSITION.fullmatch(position):
            return None
        query = select(print_letters).where(
            print_letters.c["run"] == run, print_letters.c["position"] == int(position)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _read(row)

    def letters(self, run: str) -> list[RunLetter]:
        """List the letters of a run in their order, those that were left out of it, too."""
        query = (
            select(print_letters).where(print_letters.c["run"] == run).order_by(print_letters.c["position"])
        )
        with reading(self._engine) as connection:
            return [_read(row) for row in connection.execute(query).mappings()]

    def run(self, name: str) -> Run | None:
        """Give a run, None when there is none of that name."""
        with reading(self._engine) as connection:
            row = connection.execute(select(*_COLUMNS).where(print_runs.c["run"] == name)).mappings().first()
        return None if row is None else Run(**row)

    def runs(self, *, states: Sequence[RunState] = (), company: str = "", limit: int = 1_000) -> list[Run]:
        """List runs in these states (none: in any) of a company ("": of all), the newest first."""
        query = select(*_COLUMNS).order_by(print_runs.c["opened_at"].desc(), print_runs.c["run"]).limit(limit)
        if states:
            query = query.where(print_runs.c["state"].in_(states))
        if company:
            query = query.where(print_runs.c["company"] == company)
        with reading(self._engine) as connection:
            return [Run(**row) for row in connection.execute(query).mappings()]

    @again_if_undone
    def close(
        self, *, now: datetime.datetime, company: str = "", opened_before: datetime.datetime | None = None
    ) -> list[str]:
        """Let open runs that have letters take no more: of a company ("": of all), opened before an instant (None: at any)."""
        which = [print_runs.c["state"] == "open", print_runs.c["letters"] > 0]
        if company:
            which.append(print_runs.c["company"] == company)
        if opened_before is not None:
            which.append(print_runs.c["opened_at"] < opened_before)
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(print_runs)
                .where(*which)
                .values(state="closing", closing_at=now)
                .returning(print_runs.c["run"])
            )
            return sorted(moved.scalars())

    def left_out(
        self, *, companies: Sequence[str] = (), skip: int = 0, limit: int = 1_000
    ) -> list[RunLetter]:
        """List letters that were left out of their runs and wait for a person, of companies (none: of all), the oldest first."""
        query = (
            select(print_letters)
            .where(_WAITS)
            .order_by(print_letters.c["added_at"], print_letters.c["reminder"])
            .offset(skip)
            .limit(limit)
        )
        if companies:
            query = query.where(print_letters.c["company"].in_(companies))
        with reading(self._engine) as connection:
            return [_read(row) for row in connection.execute(query).mappings()]

    @again_if_undone
    def leave_out(self, letter: RunLetter, *, why: str) -> bool:
        """Leave a letter out of its closing run, whose counts are then without it; False when somebody else was first.

        That is whoever left it out, or has written the run out: what a printer may have stays in its run.
        """
        # Held until the end: nobody writes the run out in between.
        held = select(print_runs.c["run"]).where(*_to_write(letter.run)).with_for_update()
        with writing(self._engine) as connection:
            if connection.execute(held).first() is None:
                return False
            marked = connection.execute(
                update(print_letters)
                .where(
                    print_letters.c["reminder"] == letter.reminder,
                    print_letters.c["run"] == letter.run,
                    print_letters.c["left_out"] == "",
                )
                .values(left_out=why)
            )
            if marked.rowcount == 1:
                connection.execute(
                    update(print_runs)
                    .where(print_runs.c["run"] == letter.run)
                    .values(
                        letters=print_runs.c["letters"] - 1,
                        pages=print_runs.c["pages"] - letter.all_pages,
                        sheets=print_runs.c["sheets"] - letter.all_sheets,
                    )
                )
        return marked.rowcount == 1

    def settle(self, reminder: str, *, now: datetime.datetime, saying: Sequence[Word] = ()) -> bool:
        """Note that nobody need look at a letter that was left out; False where none of that reminder waits.

        ``saying`` is what is heard of it with that: both, or none.
        """
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(print_letters)
                .where(print_letters.c["reminder"] == reminder, _WAITS)
                .values(settled_at=now)
            )
            if moved.rowcount == 1:
                keep_words(connection, saying, received_at=now)
        return moved.rowcount == 1

    def again(self, reminder: str, *, now: datetime.datetime, letters_max: int) -> RunLetter | None:
        """Put a letter that was left out into its company's open run; None where none of that reminder waits."""
        with writing(self._engine) as connection:
            known = _letter(connection, reminder)
            if known is None or not known.left_out or known.settled_at is not None:
                return None
            run = self._open_run(connection, known.company, now=now)
            moved = structs.replace(known, run=run.run, position=run.letters + 1, added_at=now, left_out="")
            changed = connection.execute(
                update(print_letters)
                .where(print_letters.c["reminder"] == reminder, _WAITS)
                .values(run=moved.run, position=moved.position, added_at=now, left_out="")
            )
            if changed.rowcount == 0:
                return None
            self._count(connection, moved, run=run, now=now, letters_max=letters_max)
        return moved

    @again_if_undone
    def written(self, run: str, *, letters: int, place: str, manifest_sha256: str) -> bool:
        """Note that a closing run with so many letters lies before the printer; False when somebody else was first.

        From then on nothing is left out of it, and its letters may go from the spool.
        """
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(print_runs)
                .where(*_to_write(run), print_runs.c["letters"] == letters)
                .values(place=place, manifest_sha256=manifest_sha256)
            )
        return moved.rowcount == 1

    @again_if_undone
    def finish(
        self, run: str, *, now: datetime.datetime, place: str, manifest_sha256: str, detail: str = ""
    ) -> bool:
        """Note that a closing run has been written out; False when somebody else was first."""
        with writing(self._engine) as connection:
            moved = connection.execute(
                update(print_runs)
                .where(print_runs.c["run"] == run, print_runs.c["state"] == "closing")
                .values(
                    state="closed", closed_at=now, place=place, manifest_sha256=manifest_sha256, detail=detail
                )
            )
        return moved.rowcount == 1

    @again_if_undone
    def wait(self, run: str, *, detail: str) -> None:
        """Note why a closing run is not written out yet."""
        with writing(self._engine) as connection:
            connection.execute(
                update(print_runs)
                .where(print_runs.c["run"] == run, print_runs.c["state"] == "closing")
                .values(detail=detail)
            )

    @staticmethod
    def _count(
        connection: Connection, letter: NewLetter, *, run: Run, now: datetime.datetime, letters_max: int
    ) -> None:
        """Count a letter that has come into an open run."""
        is_full = run.letters + 1 >= letters_max
        counted = {
            "of": run.run,
            "more_pages": letter.all_pages,
            "more_sheets": letter.all_sheets,
            # A run that was made for a letter which had meanwhile come into another one begins now.
            "since": run.opened_at if run.letters else now,
            "as": "closing" if is_full else "open",
            "full_at": now if is_full else None,
        }
        connection.execute(_COUNTING, counted)

    def _open_run(self, connection: Connection, company: str, *, now: datetime.datetime) -> Run:
        """Give the open run of a company, held until the transaction ends: letters are counted one at a time."""
        for _ in range(_TRIES_MAX):
            row = connection.execute(_OPEN, {"whose": company}).mappings().first()
            if row is not None:
                return Run(**row)
            newest = select(func.coalesce(func.max(print_runs.c["number"]), 0)).where(
                print_runs.c["company"] == company
            )
            number = connection.execute(newest).scalar_one() + 1
            connection.execute(
                self._insert(print_runs).on_conflict_do_nothing(),
                {
                    "run": f"{company}-{number:06d}",
                    "company": company,
                    "number": number,
                    "state": "open",
                    "letters": 0,
                    "pages": 0,
                    "sheets": 0,
                    "opened_at": now,
                },
            )
        raise AssertionError(f"no run of {company} stays open")

    def _insert(self, table: Any) -> Any:
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        return insert(table)


_COLUMNS: Final = [print_runs.c[name] for name in Run.__struct_fields__]
# In the words of its index: a database sees with a parameter only when it is asked that the index is of these rows.
_WAITS: Final = and_(
    print_letters.c["left_out"] != literal_column("''"), print_letters.c["settled_at"].is_(None)
)
# Built once: to build a statement takes longer than to run it, and each letter runs these.
_LETTER: Final = select(print_letters).where(print_letters.c["reminder"] == bindparam("of"))
_OPEN: Final = (
    select(*_COLUMNS)
    .where(print_runs.c["company"] == bindparam("whose"), print_runs.c["state"] == "open")
    .with_for_update()
)
_COUNTING: Final = (
    update(print_runs)
    .where(print_runs.c["run"] == bindparam("of"))
    .values(
        letters=print_runs.c["letters"] + 1,
        pages=print_runs.c["pages"] + bindparam("more_pages", type_=Integer),
        sheets=print_runs.c["sheets"] + bindparam("more_sheets", type_=Integer),
        opened_at=bindparam("since"),
        state=bindparam("as"),
        closing_at=bindparam("full_at"),
    )
)


def _to_write(run: str) -> tuple[ColumnElement[bool], ...]:
    """Say that a run is being written out, and does not lie before the printer yet."""
    return (
        print_runs.c["run"] == run,
        print_runs.c["state"] == "closing",
        print_runs.c["manifest_sha256"] == "",
    )


def _letter(connection: Connection, reminder: str) -> RunLetter | None:
    row = connection.execute(_LETTER, {"of": reminder}).mappings().first()
    return None if row is None else _read(row)


def _row(letter: RunLetter) -> dict[str, Any]:
    fields = structs.asdict(letter)
    del fields["enclosures"]
    return fields | {"enclosures_json": json.encode(letter.enclosures).decode()}


def _read(row: RowMapping) -> RunLetter:
    fields = dict(row)
    enclosures = json.decode(fields.pop("enclosures_json"), type=tuple[Enclosed, ...])
    return RunLetter(**fields, enclosures=enclosures)
