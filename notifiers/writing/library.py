"""The templates of all companies: a company's own stand before those that ship, by the same names.

::

    <own>/<company>/<kind>/<language>/{subject,opening,closing,sms}.txt
    <own>/<company>/layout/{body.html,body.txt,labels.<language>.toml}
    <own>/<company>/<logo>

Layouts of letters are not among them: typst is a language of its own, and
what a company could write there cannot be bounded.
"""

import re
from pathlib import Path
from typing import Final

from msgspec import Struct

from notifiers.writing.sandbox import TemplateRoom
from notifiers.writing.shelf import found_in
from notifiers.writing.words import LANGUAGES, Words, own_words, words_of

__all__ = ["PARTS", "Library", "Room"]

PARTS: Final = ("subject", "opening", "closing", "sms")
_ROOMS_MAX: Final = 500
_COMPANY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KIND: Final = re.compile("[a-z0-9][a-z0-9_-]{0,63}")


class Room(Struct, frozen=True, kw_only=True):
    """What a company's messages are written with. ``own`` is its folder, None without one."""

    templates: TemplateRoom
    folders: tuple[Path, ...]
    own: Path | None

    def words(self, language: str) -> Words:
        """Give the words of a language, the company's own ones among them.

        Raises:
            ValueError: there are none in this language, or the company's file is wrong.
        """
        words = words_of(language)
        if self.own is None:
            return words
        file = found_in([self.own], f"layout/labels.{language.partition('-')[0]}.toml")
        return words if file is None else own_words(words, file=file)

    def kinds(self) -> list[str]:
        """List the kinds of texts that there are."""
        found = {
            each.name
            for folder in self.folders
            for each in folder.iterdir()
            if each.is_dir() and _KIND.fullmatch(each.name) and each.name != "layout"
        }
        return sorted(found)

    def pairs(self) -> list[tuple[str, str]]:
        """List each kind with each language that it has texts in."""
        return [
            (kind, language)
            for kind in self.kinds()
            for language in LANGUAGES
            if found_in(self.folders, f"{kind}/{language}/subject.txt") is not None
        ]


class Library:
    """Gives each company its room; keeps rooms, and in them compiled templates, warm.

    Args:
        shipped: the folder of the templates that come with the package.
        own: the folder with a folder per company; it need not exist.
    """

    def __init__(self, shipped: Path, *, own: Path | None) -> None:
        self._own = own
        self._common = Room(templates=TemplateRoom(shipped, inline=True), folders=(shipped,), own=None)
        self._shipped = shipped
        self._rooms: dict[str, Room] = {}

    def room(self, company: str) -> Room:
        """Give a company's room; one without a folder has the common one."""
        if self._own is None or not _COMPANY.fullmatch(company):
            return self._common
        own = self._own / company
        if not own.is_dir():
            return self._common
        room = self._rooms.get(company)
        if room is None:
            if len(self._rooms) >= _ROOMS_MAX:
                del self._rooms[next(iter(self._rooms))]
            folders = (own, self._shipped)
            room = Room(templates=TemplateRoom(*folders, own=1, inline=True), folders=folders, own=own)
            self._rooms[company] = room
        return room
