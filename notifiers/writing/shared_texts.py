"""Companies' own texts and logos on their way from SQL to the folder that messages are written from, on each machine that has one.

What was saved is written out once, each file whole. A file that a person changes there afterwards stands until it is
saved anew: folders stay a source of their own. A file that no message asks for is not written.
"""

import datetime
import fcntl
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog
from msgspec import DecodeError, json

from infra.database.own_text_book import OwnTextBook, SavedFile
from infra.errors import OperatorError
from notifiers.channel import TemporaryError
from notifiers.folders import write_whole
from notifiers.writing.checking import is_shared_file

__all__ = ["TOLD_S", "UNREADABLE", "SharedTexts"]

TOLD_S: Final = 30.0
UNREADABLE: Final = "unreadable"
_COMPANY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LOCK: Final = ".lock"
_BROUGHT: Final = ".brought"
_MISSED: Final = ".missed"
_log = structlog.get_logger(__name__)


class SharedTexts:
    """Brings what was saved into a folder; several threads and processes may do so for the same one.

    Args:
        book: where it was saved.
        folder: has a folder per company; it need not exist.
    """

    def __init__(self, book: OwnTextBook, folder: Path) -> None:
        self._book = book
        self.folder = folder
        self._known: dict[str, tuple[object, str]] = {}

    def bring(self, company: str = "") -> str:
        """Write out what was saved since the last time; return why it could not be, "" if it could.

        A file that the disk does not take keeps back no other, and is tried again the next time. With a ``company``
        only what keeps back its texts is told.
        """
        try:
            if self._book.newest() != self._brought() or self._missed():
                with self.locked():
                    self._bring(self._book.newest())  # read anew: another may have brought more meanwhile
            missed = self._missed()
        except (OSError, TemporaryError) as error:
            _log.error("texts_not_brought", folder=str(self.folder), detail=str(error))
            return str(error)
        return next(
            (why for name, why in missed.items() if name.startswith(f"{company}/" if company else "")), ""
        )

    def save(self, company: str, files: Mapping[str, bytes | None], *, seen: int | None = None) -> bool:
        """Save files for all (None: the shipped one stands again); False: others saved after the change ``seen``."""
        return self._book.save(company, files, seen=seen)

    def share(self, company: str) -> int:
        """Save all that stands in this folder of a company, in its place whatever was saved; return how many files.

        Raises:
            OperatorError: there is nothing to share, or others have saved what this folder has not brought.
        """
        try:
            with self.locked():
                files = self.files_of(company) if _COMPANY.fullmatch(company) else {}
                if not files:
                    raise OperatorError(
                        f"{self.folder / company} has no texts or pictures: nothing is shared"
                    )
                gone = dict.fromkeys(self._book.files(company) - files.keys())
                whole = not any(name.startswith(f"{company}/") for name in self._missed())
                if not (whole and self._book.save(company, {**gone, **files}, seen=self._brought())):
                    raise OperatorError(
                        f"{self.folder} has not brought all that was saved elsewhere: nothing is shared."
                        " Keep a copy of what you have changed, let `cobranza ready` bring the rest, share then"
                    )
        except OSError as error:
            raise OperatorError(f"{self.folder}: {error}") from error
        self.bring()
        return len(files)

    @property
    def brought(self) -> int:
        """The newest change that this folder has, 0 before the first."""
        return self._brought()

    def files_of(self, company: str) -> dict[str, bytes]:
        """Give a company's own texts and pictures as they stand in this folder."""
        found = {}
        for each in self._files(company):
            with suppress(FileNotFoundError):  # it went while we looked
                found[each.relative_to(self.folder / company).as_posix()] = each.read_bytes()
        return found

    def digest(self, company: str) -> str:
        """Give a word for all that stands of a company, '' for nothing; the same on each machine.

        ``UNREADABLE`` where a file cannot be read: which one is in the log.
        """
        try:
            return self._digest(company)
        except OSError as error:
            _log.error("texts_not_read", company=company, detail=str(error))
            return UNREADABLE

    def _digest(self, company: str) -> str:
        marks = []
        for each in self._files(company):
            with suppress(FileNotFoundError):
                marks.append((str(each), (found := each.stat()).st_mtime_ns, found.st_size))
        known = self._known.get(company)
        if known is not None and known[0] == marks:
            return known[1]
        digest = hashlib.sha256()
        for name, content in sorted(self.files_of(company).items()):
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
        word = digest.hexdigest()[:32] if marks else ""
        self._known[company] = (marks, word)
        return word

    def tell(self, place: str, *, at: datetime.datetime) -> None:
        """Say in SQL what this place sees of each company."""
        self._book.tell(
            place, {each: word for each in self._companies() if (word := self.digest(each))}, at=at
        )

    def _companies(self) -> list[str]:
        try:
            found = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
            return [each.name for each in found if _COMPANY.fullmatch(each.name) and each.is_dir()]
        except OSError as error:
            _log.error("texts_not_read", folder=str(self.folder), detail=str(error))
            return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one at a time compare and write, of all processes that have the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _bring(self, newest: int) -> None:
        old, missed = self._missed(), dict[str, str]()
        for name in old:
            for saved in self._book.saved(*name.split("/", 1)):
                self._try(saved, missed)
        # A database that counts from the start again is another one: what it has is brought whole.
        done = brought if (brought := self._brought()) <= newest else 0
        while changes := self._book.after(done):
            for each in changes:
                self._try(each, missed)
            done = changes[-1].change
        # In this order: who reads that all was brought reads what was not.
        if missed:
            write_whole(self.folder / _MISSED, json.encode(missed), durable=True)
        elif old:
            (self.folder / _MISSED).unlink(missing_ok=True)
        if done != brought:
            write_whole(self.folder / _BROUGHT, str(done).encode(), durable=True)

    def _try(self, saved: SavedFile, missed: dict[str, str]) -> None:
        name = f"{saved.company}/{saved.file}"
        missed.pop(name, None)
        try:
            self._write(saved)
        except (OSError, TemporaryError) as error:
            _log.error("text_not_brought", file=name, detail=str(error))
            missed[name] = str(error)

    def _write(self, saved: SavedFile) -> None:
        if not _COMPANY.fullmatch(saved.company) or not is_shared_file(saved.file):
            _log.error("text_not_written", company=saved.company, file=saved.file)
            return
        path = self.folder / saved.company / saved.file
        if saved.content is None:
            path.unlink(missing_ok=True)
        elif not path.is_file() or path.read_bytes() != saved.content:
            write_whole(path, saved.content, durable=True)

    def _brought(self) -> int:
        try:
            said = (self.folder / _BROUGHT).read_bytes()
        except FileNotFoundError:
            return 0
        return int(said) if said.isdigit() else 0

    def _missed(self) -> dict[str, str]:
        """Give the files that could not be written (``company/file``), and why."""
        try:
            return json.decode((self.folder / _MISSED).read_bytes(), type=dict[str, str])
        except (FileNotFoundError, DecodeError):
            return {}

    def _files(self, company: str) -> list[Path]:
        own = self.folder / company
        found = own.rglob("*") if own.is_dir() else ()
        return sorted(
            each for each in found if each.is_file() and is_shared_file(each.relative_to(own).as_posix())
        )
