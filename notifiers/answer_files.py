"""Files that come with an answer: bounded, of few kinds by what is in them, kept under the hash of their content.

Nothing here opens, converts or shows a file, and no page behind a link gives one back: it goes with the mail
that tells the company's desk of the answer, or is fetched on purpose (``cobranza answers file``). The name
that a reader gave is text, never a path.
"""

import datetime
import hashlib
import re
import unicodedata
from pathlib import Path
from typing import Final

import structlog

from infra.errors import OperatorError
from notifiers.channel import Attachment
from notifiers.folders import write_whole
from notifiers.writing.render import Enclose
from notifiers.writing.words import Words
from schemas.answers import AnswerFile
from schemas.facts import ReminderDecided

__all__ = [
    "ANSWER_FILES",
    "NoSuchFileError",
    "enclosing_answers",
    "keep_file",
    "kept_file",
    "media_type_of",
    "sweep_files",
]

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


def keep_file(folder: Path, *, name: str, content: bytes) -> AnswerFile:
    """Keep a file below ``folder``; one that is there already is the same one.

    Raises:
        TemporaryError: the disk does not take it.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = _path(folder, digest)
    if path.exists():
        path.touch()  # it is sent anew, and kept from now on
    else:
        write_whole(path, content, durable=True)
    media_type = media_type_of(content)
    return AnswerFile(
        sha256=digest, name=_named(name, media_type), media_type=media_type, size_bytes=len(content)
    )


def kept_file(folder: Path, *, sha256: str) -> bytes:
    """Give the content of a file; what is not that content any more is refused.

    Raises:
        NoSuchFileError: it is not there, or not what it was.
    """
    if not _SHA256.fullmatch(sha256):
        raise NoSuchFileError(f"{sha256!r} is no SHA-256 in hexadecimal")
    path = _path(folder, sha256)
    if not path.is_file():
        raise NoSuchFileError(f"There is no file {sha256} in {folder}.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NoSuchFileError(f"{path} is not what the reader sent: its content has changed.")
    return content


def sweep_files(folder: Path, *, before: datetime.datetime) -> int:
    """Remove the files that were last sent before an instant; return how many."""
    old = [path for path in folder.glob("??/*") if path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def enclosing_answers(folder: Path, *, otherwise: Enclose | None) -> Enclose:
    """Give who encloses what a reader sent where a mail tells of his answer, and ``otherwise`` all else.

    A file that is not there (another machine keeps it) is named in the mail and fetched by its hash.
    """

    def enclose(reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
        if reminder.answer is None:
            return () if otherwise is None else otherwise(reminder, words=words)
        found = []
        for each in reminder.answer.files:
            try:
                content = kept_file(folder, sha256=each.sha256)
            except NoSuchFileError as error:
                _log.warning("answer_file_missing", reminder=reminder.id, detail=str(error))
            else:
                found.append(Attachment(name=each.name, media_type=each.media_type, content=content))
        return tuple(found)

    return enclose


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def _named(name: str, media_type: str) -> str:
    """Give a name that is safe to show and to save: without folders, controls, or an ending that lies."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(
        each for each in last if unicodedata.category(each)[0] in "LNPSZ" and each not in '<>:"|?*'
    )
    stem = plain.rpartition(".")[0] or plain
    ending = next(suffix for _, kind, suffix in _BEGINNINGS if kind == media_type)
    return (stem.strip(" .")[:_NAME_MAX] or "file") + ending
