"""A company's own texts as people edit them: by group (a kind in a language, or a file of the layout), seen, saved, given back.

What is saved goes into SQL, and from there into files below ``<data>/templates/<company>/`` of this and every other
machine that writes messages (``notifiers.writing.shared_texts``). Whoever saves over what another has changed since he
looked is refused, on whichever machine that was. Whether a text is right, others say (``console.trying_texts``).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from infra.errors import OperatorError
from notifiers.writing.checking import is_text_file
from notifiers.writing.library import PARTS, Library
from notifiers.writing.render import MESSAGE_KINDS, templates_folder
from notifiers.writing.shared_texts import SharedTexts
from notifiers.writing.words import LANGUAGES

__all__ = ["ChangedTextsError", "KindLine", "OwnText", "OwnTexts", "TextGroup", "group_of"]

Origin = Literal["shipped", "instead", "own", "missing"]
_KIND: Final = re.compile("[a-z0-9][a-z0-9_-]{0,63}")
_LAYOUT: Final = "layout"


class ChangedTextsError(Exception):
    """Somebody else has changed these texts since they were looked at."""


class TextGroup(Struct, frozen=True, kw_only=True):
    """Texts that are edited together: ``kind`` in the language ``name``, or the file ``name`` of the layout."""

    kind: str
    name: str

    @property
    def files(self) -> tuple[str, ...]:
        """Their files, below the company's folder."""
        if self.kind == _LAYOUT:
            return (f"{_LAYOUT}/{self.name}",)
        return tuple(f"{self.kind}/{self.name}/{part}.txt" for part in PARTS)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages whose messages have them."""
        if self.kind != _LAYOUT:
            return (self.name,)
        return tuple(each for each in LANGUAGES if self.name == f"labels.{each}.toml") or LANGUAGES


class OwnText(Struct, frozen=True, kw_only=True):
    """A text that stands, and what would stand without the company's own; of words ('labels') only its own are a text."""

    file: str
    text: str
    shipped: str
    origin: Origin


class KindLine(Struct, frozen=True, kw_only=True):
    """A kind of message: in each language how many of its texts are the company's own; None: it has none there."""

    kind: str
    own: dict[str, int | None]


def group_of(kind: str, name: str) -> TextGroup | None:
    """Give a group by its names; None: no company can have such texts."""
    group = TextGroup(kind=kind, name=name)
    is_known = _KIND.fullmatch(kind) is not None and all(is_text_file(each) for each in group.files)
    return group if is_known else None


class OwnTexts:
    """Reads and writes all companies' texts; several threads, processes and machines may do so.

    Args:
        folder: has a folder per company; it need not exist.
        shared: takes what is saved to all machines, and brings into this folder what was saved on others.
    """

    def __init__(self, folder: Path, *, shared: SharedTexts) -> None:
        self._folder = folder
        self._shared = shared
        self._shipped = templates_folder()
        self._library = Library(self._shipped, own=folder)

    def kinds(self, company: str) -> list[KindLine]:
        """List the kinds that a company has texts of, its own ones among them."""
        self._shared.bring()
        room = self._library.room(company)
        return [
            KindLine(
                kind=kind,
                own={each: self._own_count(company, kind=kind, language=each) for each in LANGUAGES},
            )
            for kind in room.kinds()
        ]

    def reminder_kinds(self, company: str, *, language: str) -> list[str]:
        """List the kinds that a company's reminders can be written with in a language ('es', 'es-CL'), its own ones among them."""
        self._shared.bring()
        short = language.partition("-")[0]
        found = self._library.room(company).pairs()
        return [kind for kind, each in found if each == short and kind not in MESSAGE_KINDS]

    def _own_count(self, company: str, *, kind: str, language: str) -> int | None:
        group = TextGroup(kind=kind, name=language)
        found = [self._text(company, each) for each in group.files]
        if all(each.origin == "missing" for each in found):
            return None
        return sum(each.origin in ("own", "instead") for each in found)

    def layouts(self, company: str) -> list[OwnText]:
        """List the files of the layout that a company can have instead."""
        names = ("body.html", "body.txt", *(f"labels.{each}.toml" for each in LANGUAGES))
        return [self._text(company, f"{_LAYOUT}/{name}") for name in names]

    def texts(self, company: str, group: TextGroup) -> list[OwnText]:
        """Give the texts of a group as they stand."""
        self._shared.bring()
        return [self._text(company, each) for each in group.files]

    def revision(self, company: str, group: TextGroup) -> str:
        """Give a word for what stands: another one when anything of it was changed."""
        self._shared.bring()
        return self._revision(company, group)

    def _revision(self, company: str, group: TextGroup) -> str:
        digest = hashlib.sha256()
        for each in (self._text(company, name) for name in group.files):
            digest.update(f"{each.file}\n{each.origin}\n{each.text}\0".encode())
        return digest.hexdigest()[:32]

    def save(self, company: str, group: TextGroup, texts: Mapping[str, str], *, revision: str) -> list[str]:
        """Write a company's own texts; what is as it ships is the shipped one from then on. Return what has changed.

        A message that is written in this moment may have the subject of before and the text of after.

        Args:
            company: whose.
            group: which.
            texts: all of them, by file.
            revision: of what they were changed from.

        Raises:
            ChangedTextsError: something else stands by now; nothing is saved.
            OperatorError: the disk does not take it.
        """
        self._brought(company)
        with self._locked():
            seen = self._shared.brought
            if self._revision(company, group) != revision:
                raise ChangedTextsError
            files = {}
            for known in (self._text(company, each) for each in group.files):
                wanted = _tidy(texts[known.file])
                if wanted != _tidy(known.text):
                    files[known.file] = None if wanted == _tidy(known.shipped) else wanted.encode()
            # What another machine saved meanwhile is looked at before anything is saved over it.
            if files and not self._shared.save(company, files, seen=seen):
                raise ChangedTextsError
        self._brought(company)
        return list(files)

    def stands(self, company: str, group: TextGroup, texts: Mapping[str, str]) -> bool:
        """Say whether these are the texts that stand."""
        return all(_tidy(texts[each.file]) == _tidy(each.text) for each in self.texts(company, group))

    def keep_picture(self, company: str, name: str, content: bytes) -> None:
        """Keep a company's logo; a picture is replaced as a whole, whoever put the one before.

        Raises:
            OperatorError: the disk does not take it.
        """
        self._brought(company)
        with self._locked():
            self._shared.save(company, {name: content})
        self._brought(company)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one at a time compare and save; a folder that takes no file is found out before anything is saved for all."""
        try:
            with self._shared.locked():
                yield
        except OSError as error:
            raise OperatorError(f"{self._folder} cannot be written: {error}") from error

    def _brought(self, company: str) -> None:
        trouble = self._shared.bring(company)
        if trouble:
            raise OperatorError(trouble)

    def _text(self, company: str, file: str) -> OwnText:
        own, shipped = self._folder / company / file, self._shipped / file
        is_partial = file.startswith(f"{_LAYOUT}/labels.")
        base = _read(shipped) if shipped.is_file() and not is_partial else ""
        if own.is_file():
            origin: Origin = "instead" if shipped.is_file() else "own"
            return OwnText(file=file, text=_read(own), shipped=base, origin=origin)
        return OwnText(
            file=file, text=base, shipped=base, origin="shipped" if shipped.is_file() else "missing"
        )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace").replace("\r\n", "\n")


def _tidy(text: str) -> str:
    """Write a text as it is kept: lines end as everywhere, and the last one ends, too."""
    plain = text.replace("\r\n", "\n").rstrip("\n")
    return f"{plain}\n" if plain.strip() else ""
