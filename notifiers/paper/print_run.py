"""Letters gathered into print runs: each into one run, each run written out once, with a manifest.

::

    letter ─► spool/<company>/<letter>.pdf ─► row in SQL: it is in the run (accepted)
                                                  │ the run is full, the hour has come, or a person says so
    runs/<company>/<run>/000001-<letter>.pdf … ◄──┘
                         000001.01-<enclosure>.pdf …
                         letters.pdf               all of them for the printer, where that is wanted
                         manifest.json             last: where it is, the run is whole

A letter that is not as it was accepted is left out of its run, which goes to the printer without it: a person puts its
file back and has it printed with another run, or gives it up. Where more than a few are damaged, or none is whole, it is
the store that is wrong: nothing is left out, and the run waits.

The rows alone say which letter is in which run. Whatever is killed in between is done again and
gives the same files under the same names; a file that no row speaks of is in no manifest.
"""

import datetime
import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice
from typing import Final

import structlog

from infra.database.print_runs import Enclosed, NewLetter, PrintRuns, Run, RunLetter
from infra.errors import OperatorError
from notifiers.channel import Attachment, Message, PermanentError, Receipt, TemporaryError, Traits
from notifiers.folders import path_of
from notifiers.paper.manifest import (
    LETTERS,
    MANIFEST,
    FileOf,
    enclosure_file,
    file_of,
    folder_of,
    manifest_of,
    merged,
)
from notifiers.paper.sheets import Extent, extent_of_letter
from notifiers.paper.stores import MissingError, Store
from notifiers.second_look import Look, Outgoing, anybody

__all__ = ["DamagedLetterError", "ForeignStoreError", "PrintRun", "RunCloser", "last_cut_off"]

_log = structlog.get_logger(__name__)
# What closing may take of the sending loop at a time; the rest follows at its next round.
_SLICE_S: Final = 2.0
_LOOK_EVERY: Final = datetime.timedelta(seconds=5)
# Of a run, one letter or a tenth may be left out, never all: a folder that is not mounted has no letter at all.
_LEFT_OUT_SHARE: Final = 10
# So many other letters of a run are looked for: a store that has none of them is not the one that the run lies in.
_LOOKED_FOR: Final = 100


class DamagedLetterError(OperatorError):
    """A letter is not in the spool as it was accepted; says which, and the way out."""


class ForeignStoreError(OperatorError):
    """Nothing of a run is where this process looks for letters; says where that is, and which settings name another place."""


class PrintRun:
    """Takes letters into runs; a receipt names run and position.

    Args:
        runs: the rows.
        store: where the letters are kept.
        closer: writes out the runs that have become full or whose hour has come.
        clock: the wall clock, UTC.
        letters_max: a run of so many is full.
        duplex: two pages make a sheet.
        look: refuses what must not leave.
    """

    def __init__(
        self,
        *,
        runs: PrintRuns,
        store: Store,
        closer: "RunCloser",
        clock: Callable[[], datetime.datetime],
        letters_max: int,
        duplex: bool = False,
        look: Look = anybody,
    ) -> None:
        self._look = look
        self._runs = runs
        self._store = store
        self._closer = closer
        self._clock = clock
        self._letters_max = letters_max
        self._duplex = duplex

    @property
    def traits(self) -> Traits:
        """To put a letter into its run twice is to put it there once."""
        return Traits(provider="print_run", endpoint=self._store.place(""), is_repeatable=True)

    def send(self, message: Message) -> Receipt:
        """Put a letter into its company's run; one that is in a run stays there.

        Raises:
            PermanentError: there is no postal address.
            TemporaryError: the store does not take it. To put it there again does no harm, so that
                nothing is ever uncertain.
        """
        if not any(line.strip() for line in message.contact.address):
            raise PermanentError(
                error_type="address_missing", detail=f"customer {message.customer} has no postal address"
            )
        known = self.find(message)
        if known is not None:
            return known
        lines = message.address_lines or message.contact.address
        self._look(Outgoing(channel="letter", reminder=message.reminder, lines=lines, pdf=message.pdf))
        letter = self._letter(message)
        for enclosed, each in zip(letter.enclosures, message.attachments, strict=True):
            self._store.put(enclosed.spool, each.content)
        self._store.put(letter.spool, message.pdf)
        return self._receipt(self._runs.add(letter, now=self._clock(), letters_max=self._letters_max))

    def find(self, message: Message) -> Receipt | None:
        """Say whether the letter is in a run."""
        letter = self._runs.letter(message.reminder)
        return None if letter is None else self._receipt(letter)

    def tend(self) -> None:
        """Close runs whose hour has come, and write out closed ones, a little at a time."""
        self._closer.tend()

    def _letter(self, message: Message) -> NewLetter:
        extent = extent_of_letter(message)
        spool = f"spool/{message.sender.company}/{path_of(message, suffix='').name}"
        return NewLetter(
            reminder=message.reminder,
            company=message.sender.company,
            account=message.account,
            customer=message.customer,
            spool=f"{spool}.pdf",
            sha256=hashlib.sha256(message.pdf).hexdigest(),
            size_bytes=len(message.pdf),
            pages=extent.pages,
            sheets=extent.sheets(duplex=self._duplex),
            paper=extent.paper,
            enclosures=tuple(
                self._enclosed(each, spool=f"{spool}-{place:02d}.pdf")
                for place, each in enumerate(message.attachments, start=1)
            ),
        )

    def _enclosed(self, attachment: Attachment, *, spool: str) -> Enclosed:
        extent = Extent(pages=attachment.pages, paper=attachment.paper)
        return Enclosed(
            name=attachment.name,
            spool=spool,
            sha256=hashlib.sha256(attachment.content).hexdigest(),
            size_bytes=len(attachment.content),
            pages=extent.pages,
            sheets=extent.sheets(duplex=self._duplex),
            paper=extent.paper,
        )

    @staticmethod
    def _receipt(letter: RunLetter) -> Receipt:
        return Receipt(provider_id=f"{letter.run}/{letter.position:06d}")


class RunCloser:
    """Closes runs and writes them out. Any number may be at work on the same runs.

    Args:
        runs: the rows.
        store: where letters and runs are kept.
        clock: the wall clock, UTC.
        cut_off: gives the newest cut-off that has passed at an instant; a run that was opened before it
            is closed. None: only its size, or a person, closes a run.
        duplex: for the manifest, and for sheets that no two letters share in the merged file.
        merge: also write all letters of a run as one PDF.
    """

    def __init__(
        self,
        *,
        runs: PrintRuns,
        store: Store,
        clock: Callable[[], datetime.datetime],
        cut_off: Callable[[datetime.datetime], datetime.datetime] | None = None,
        duplex: bool = False,
        merge: bool = False,
    ) -> None:
        self._runs = runs
        self._store = store
        self._clock = clock
        self._cut_off = cut_off
        self._duplex = duplex
        self._merge = merge
        self._at_work: Iterator[None] | None = None
        self._look_at: datetime.datetime | None = None

    def tend(self) -> None:
        """Do a little of what is to be done; what cannot be done now is noted on its run, and tried again."""
        now = self._clock()
        if self._look_at is None or now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            if self._cut_off is not None:
                self._runs.close(now=now, opened_before=self._cut_off(now))
            self._at_work = self._at_work or self._all()
        until_s = time.monotonic() + _SLICE_S
        for _ in self._at_work or ():
            if time.monotonic() >= until_s:
                return
        self._at_work = None

    def close(self, company: str = "") -> list[Run]:
        """Close the open runs of a company ("": of all), write out all that are closing, and return those now closed.

        Raises:
            TemporaryError: the store does not take one; all others have been written out.
            DamagedLetterError: letters of one are not as they were accepted; all others have been written out.
        """
        self._runs.close(now=self._clock(), company=company)
        closed: list[Run] = []
        refused: list[Exception] = []
        for run in self._runs.runs(states=("closing",), company=company):
            try:
                closed.append(self._closed(run))
            except (TemporaryError, DamagedLetterError) as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return closed

    def _closed(self, run: Run) -> Run:
        """Write a run out, and once more where a letter was left out while it was done."""
        for _ in range(2):
            for _ in self.write_out(run):
                pass
            found = self._runs.run(run.run) or run
            if found.state == "closed":
                return found
        raise TemporaryError(f"run {run.run} is changed by somebody else while it is closed; close it again")

    def write_out(self, run: Run) -> Iterator[None]:
        """Write the files of a closing run, one a step; to do it again, wholly or in part, changes nothing.

        Raises:
            TemporaryError: the store does not take them.
            DamagedLetterError: more letters than a few, or all, are not as they were accepted.
        """
        folder = folder_of(run)
        run = self._runs.run(run.run) or run
        if run.is_to_write:
            try:
                yield from self._put_run(run, folder=folder)
            except (TemporaryError, DamagedLetterError):
                # Another closer may have written it out meanwhile, and taken the letters from the spool.
                if (self._runs.run(run.run) or run).is_to_write:
                    raise
        run = self._runs.run(run.run) or run
        if run.state == "closing" and not run.is_to_write:
            yield from self._end(run, folder=folder)

    def _put_run(self, run: Run, *, folder: str) -> Iterator[None]:
        """Put the letters, all of them as one where that is wanted, and the manifest; note that it is there."""
        files: list[FileOf] = []
        contents: list[bytes] = []
        letters = yield from self._put_letters(run, folder=folder, contents=contents if self._merge else None)
        if self._merge and letters:
            whole = merged(contents, duplex=self._duplex)
            self._store.put(f"{folder}/{LETTERS}", whole)
            files.append(FileOf.of(LETTERS, whole))
            yield
        run = self._runs.run(run.run) or run  # its counts are without what was left out
        if not run.is_to_write or run.letters != len(letters):
            return  # another closer was first, or has left out what was whole here: the next round sees
        manifest = manifest_of(run, letters=letters, duplex=self._duplex, merged=files[0] if files else None)
        self._store.put(f"{folder}/{MANIFEST}", manifest)
        self._runs.written(
            run.run,
            letters=len(letters),
            place=self._store.place(folder),
            manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        )
        yield

    def _end(self, run: Run, *, folder: str) -> Iterator[None]:
        """Empty the spool of a run that lies before the printer, and close it."""
        letters = self._runs.letters(run.run)
        for letter in letters:
            if letter.left_out:
                continue
            for part, _ in _parts(letter, folder=folder):
                self._store.drop(part.spool)
                yield
        is_closed = self._runs.finish(
            run.run,
            now=self._clock(),
            place=run.place,
            manifest_sha256=run.manifest_sha256,
            detail=_left_out_of(letters),
        )
        if is_closed:
            _log.info(
                "print_run_closed", run=run.run, company=run.company, letters=run.letters, sheets=run.sheets
            )

    def check(self, letter: RunLetter) -> None:
        """See whether a letter that was left out is in the spool again.

        Raises:
            DamagedLetterError: it is not there as it was accepted.
            TemporaryError: the store does not answer.
        """
        for part, _ in _parts(letter, folder=""):
            self._content(letter, part, places=(part.spool,))

    def leave_out(self, letter: RunLetter) -> None:
        """Leave a letter out of a run that waits, if it is damaged, in the run's own files too: a person gives it up.

        Raises:
            ForeignStoreError: nothing else of its run is there, nor a file of its own: it may be whole elsewhere.
            TemporaryError: the store does not answer.
        """
        run = self._runs.run(letter.run)
        if run is None or not run.is_to_write:
            return
        folder = folder_of(run)
        try:
            for part, name in _parts(letter, folder=folder):
                self._content(letter, part, places=(part.spool, name))
        except DamagedLetterError as error:
            self._require_run(letter, folder=folder)
            self._leave_out(letter, folder=folder, why=str(error))

    def _require_run(self, letter: RunLetter, *, folder: str) -> None:
        """See that the store has anything of a letter's run: one of another machine, or not mounted, has nothing of it."""
        others = (each for each in self._runs.letters(letter.run) if each.reminder != letter.reminder)
        for each in (letter, *islice(others, _LOOKED_FOR)):
            if any(self._has(part.spool) or self._has(name) for part, name in _parts(each, folder=folder)):
                return
        raise ForeignStoreError(
            f"Nothing of run {letter.run} is in {self._store.place('')}: letter {letter.reminder} may be whole in "
            "another place, and is not given up. Name the place where the notifiers keep letters: their data folder "
            "(COBRANZA_DATA_DIR), or their bucket (COBRANZA_SEND_PRINT_RUN_BUCKET, COBRANZA_SEND_PRINT_RUN_PREFIX). "
            f"If this is the place, and the letter is lost, put an empty file at {self._store.place(letter.spool)}."
        )

    def _has(self, name: str) -> bool:
        try:
            self._store.get(name)
        except MissingError:
            return False
        return True

    def _put_letters(
        self, run: Run, *, folder: str, contents: list[bytes] | None
    ) -> Generator[None, None, list[RunLetter]]:
        """Put each letter that is whole into the run, and what it says into ``contents``; return these, leave out the others.

        All are looked at before one is left out: where more than a few are damaged, or none is whole,
        the store is wrong and no letter is.
        """
        letters = self._runs.letters(run.run)
        left_out_before = sum(bool(each.left_out) for each in letters)
        whole: list[RunLetter] = []
        damaged: list[tuple[RunLetter, DamagedLetterError]] = []
        for letter in letters:
            if letter.left_out:
                self._clear(letter, folder=folder)
                continue
            try:
                read = self._put_letter(letter, folder=folder)
            except DamagedLetterError as error:
                damaged.append((letter, error))
                if left_out_before + len(damaged) > max(1, len(letters) // _LEFT_OUT_SHARE):
                    raise
                yield
                continue
            whole.append(letter)
            yield
            if contents is not None:
                contents += read
        if damaged and not whole:
            raise damaged[0][1]
        for letter, why in damaged:
            self._leave_out(letter, folder=folder, why=str(why))
            yield
        return whole

    def _put_letter(self, letter: RunLetter, *, folder: str) -> list[bytes]:
        """Put what comes into an envelope into the run, when all of it is whole; return what it says."""
        parts = list(_parts(letter, folder=folder))
        read = [self._content(letter, part, places=(part.spool, name)) for part, name in parts]
        for (_, name), (content, place) in zip(parts, read, strict=True):
            if place != name:
                self._store.keep(name, content, of=place)
        return [content for content, _ in read]

    def _leave_out(self, letter: RunLetter, *, folder: str, why: str) -> None:
        """Note that a letter is not printed with its run; what an earlier try has written of it goes."""
        if self._runs.leave_out(letter, why=why):
            self._clear(letter, folder=folder)
            _log.error("letter_left_out", reminder=letter.reminder, run=letter.run, detail=why)

    def _clear(self, letter: RunLetter, *, folder: str) -> None:
        for _, name in _parts(letter, folder=folder):
            self._store.drop(name)

    def _all(self) -> Iterator[None]:
        """Write out what is closing; a run that cannot be does not stop the others."""
        for run in self._runs.runs(states=("closing",)):
            try:
                yield from self.write_out(run)
            except (TemporaryError, DamagedLetterError) as error:
                _log.error("print_run_waits", run=run.run, company=run.company, detail=str(error))
                self._runs.wait(run.run, detail=str(error)[:2_000])
            except Exception as error:  # noqa: BLE001 - nor does one over which the code breaks
                _log.exception("print_run_broke", run=run.run, company=run.company)
                self._runs.wait(run.run, detail=f"writing it out failed: {type(error).__name__}")

    def _content(
        self, letter: RunLetter, part: RunLetter | Enclosed, *, places: Sequence[str]
    ) -> tuple[bytes, str]:
        """Read a letter or an enclosure from the spool, else, where that was emptied already, from the run; say from where."""
        for place in places:
            try:
                content = self._store.get(place)
            except MissingError:
                continue
            if hashlib.sha256(content).hexdigest() == part.sha256:
                return content, place
        raise DamagedLetterError(
            f"Letter {letter.reminder} of run {letter.run} is not in {self._store.place(part.spool)} as it was "
            f"accepted (SHA-256 {part.sha256}). Put the file back from a copy."
        )


def _parts(letter: RunLetter, *, folder: str) -> Iterator[tuple[RunLetter | Enclosed, str]]:
    """Walk what comes into an envelope, in order: what, and its name in the run."""
    yield letter, f"{folder}/{file_of(letter)}"
    for place, each in enumerate(letter.enclosures, start=1):
        yield each, f"{folder}/{enclosure_file(letter, place)}"


def _left_out_of(letters: Sequence[RunLetter]) -> str:
    """Say for `letters list` what is not in a run's files."""
    names = [each.reminder for each in letters if each.left_out]
    return f"left out, because damaged: {', '.join(names)}"[:2_000] if names else ""


def last_cut_off(now: datetime.datetime, *, at: datetime.time, zone: datetime.tzinfo) -> datetime.datetime:
    """Give the newest instant, now or before, at which it was ``at`` in ``zone``."""
    local = now.astimezone(zone)
    today = datetime.datetime.combine(local.date(), at, zone)
    found = (
        today
        if today <= local
        else datetime.datetime.combine(local.date() - datetime.timedelta(days=1), at, zone)
    )
    return found.astimezone(datetime.UTC)
