"""Files that come with an answer: bounded, of few kinds by what is in them, kept in SQL under the hash of their content.

Nothing here opens, converts or shows a file, and no page behind a link gives one back: it goes with the mail
that tells the company's desk of the answer, or is fetched on purpose (``cobranza answers file``). The name
that a reader gave is text, never a path.
"""

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, Engine

from infra.database.answer_file_book import AnswerFileBook
from infra.errors import OperatorError
from notifiers.channel import Attachment
from notifiers.writing.render import Enclose
from notifiers.writing.words import Words
from schemas.answers import AnswerFile
from schemas.facts import ReminderDecided

__all__ = ["ANSWER_FILES", "AnswerFiles", "NoSuchFileError", "enclosing_answers", "file_of", "media_type_of"]

ANSWER_FILES: Final = "answers"
_NAME_MAX: Final = 100
_BEGINNINGS: Final = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
)
_log = structlog.get_logger(__name__)
_SHA256: Final = re.compile("[0-9a-f]{64}")


class NoSuchFileError(OperatorError):
    """No answer brought such a file."""


def media_type_of(content: bytes) -> str:
    """Say what a file is by its first bytes; "": none of the kinds that are taken."""
    return next((kind for begin, kind, _ in _BEGINNINGS if content.startswith(begin)), "")


def file_of(name: str, content: bytes) -> AnswerFile:
    """Say what a command says of a file of a kind that is taken; it is kept by ``AnswerFiles.keep``."""
    media_type = media_type_of(content)
    return AnswerFile(
        sha256=hashlib.sha256(content).hexdigest(),
        name=_named(name, media_type),
        media_type=media_type,
        size_bytes=len(content),
    )


class AnswerFiles:
    """Keeps and gives what readers sent; several threads and processes may use it.

    Args:
        engine: of the installation's database, which each machine reaches.
        folder: where versions before this one kept them on the machine that took them; nothing is written there.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._book = AnswerFileBook(engine)
        self._folder = folder

    def keep(self, connection: Connection, contents: Iterable[bytes], *, at: datetime.datetime) -> None:
        """Keep files that were sent at an instant, with what else the connection's transaction keeps.

        One that is there already is the same one.
        """
        found = {hashlib.sha256(each).hexdigest(): each for each in contents}
        self._book.keep(connection, found, at=at)

    def content(self, sha256: str) -> bytes:
        """Give the content of a file; what is not that content any more is refused.

        Raises:
            NoSuchFileError: it is not there, or not what it was.
        """
        if not _SHA256.fullmatch(sha256):
            raise NoSuchFileError(f"{sha256!r} is no SHA-256 in hexadecimal")
        path = self._folder / sha256[:2] / sha256
        content = self._book.content(sha256)
        if content is None and path.is_file():
            content = path.read_bytes()
        if content is None:
            raise NoSuchFileError(f"There is no file {sha256}: nobody sent it, or it was kept long enough.")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NoSuchFileError(f"{sha256} is not what the reader sent: its content has changed.")
        return content

    def sweep(self, *, before: datetime.datetime) -> int:
        """Remove the files that were last sent before an instant; return how many."""
        old = [path for path in self._folder.glob("??/*") if path.stat().st_mtime < before.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old) + self._book.sweep(before=before)


def enclosing_answers(files: AnswerFiles, *, otherwise: Enclose | None) -> Enclose:
    """Give who encloses what a reader sent where a mail tells of his answer, and ``otherwise`` all else.

    A file that is not there (it was kept long enough) is named in the mail.
    """

    def enclose(reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
        if reminder.answer is None:
            return () if otherwise is None else otherwise(reminder, words=words)
        found = []
        for each in reminder.answer.files:
            try:
                content = files.content(each.sha256)
            except NoSuchFileError as error:
                _log.warning("answer_file_missing", reminder=reminder.id, detail=str(error))
            else:
                found.append(Attachment(name=each.name, media_type=each.media_type, content=content))
        return tuple(found)

    return enclose


def _named(name: str, media_type: str) -> str:
    """Give a name that is safe to show and to save: without folders, controls, or an ending that lies."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(
        each for each in last if unicodedata.category(each)[0] in "LNPSZ" and each not in '<>:"|?*'
    )
    stem = plain.rpartition(".")[0] or plain
    ending = next(suffix for _, kind, suffix in _BEGINNINGS if kind == media_type)
    return (stem.strip(" .")[:_NAME_MAX] or "file") + ending
