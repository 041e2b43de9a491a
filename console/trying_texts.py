"""Texts that somebody is writing, tried on a made-up customer before they are saved: faults by file and line, and the messages.

It is what ``cobranza templates check`` and ``cobranza render`` do with texts that are saved: the draft stands in a copy of
the company's folder for as long as it takes. Nothing is sent.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from msgspec import Struct

from console.own_texts import TextGroup
from console.previewing import sample_of
from notifiers.channel import Message, PermanentError
from notifiers.writing.checking import Fault, check_kind
from notifiers.writing.library import Library
from notifiers.writing.render import Renderer, templates_folder
from notifiers.writing.samples import SampleLinks
from processors.company import Company
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["Example", "Tried", "messages_of", "tried"]

Write = Callable[[ReminderDecided, Channel], Message]
_SAMPLE_KIND: Final = "first"


class Tried(Struct, frozen=True, kw_only=True):
    """A draft: what is wrong with it; and, where nothing is, its messages by channel."""

    faults: tuple[Fault, ...]
    messages: dict[Channel, Message]


class Example(Struct, frozen=True, kw_only=True):
    """Of which company the texts are, as it is known; and the folder of all companies' texts."""

    name: str
    company: Company | None
    folder: Path
    fonts: Path | None = None


def tried(of: Example, group: TextGroup, texts: Mapping[str, str], *, channels: tuple[Channel, ...]) -> Tried:
    """Try a draft of a group.

    Args:
        of: the company.
        group: what is edited.
        texts: the draft, by file.
        channels: the messages that are wanted.
    """
    with _copied(of, group, texts) as folder:
        write = Renderer(own=folder, fonts=of.fonts, links=SampleLinks()).message
        library = Library(templates_folder(), own=folder)
        faults: list[Fault] = []
        known: set[str] = (
            set()
        )  # a layout is tried with each kind in each language: once it is wrong, that is enough
        for language in group.languages:
            for kind in _kinds(library, of, group):
                faults += check_kind(library, company=of.name, kind=kind, language=language, known=known)
        # A letter is set of what is right only: a character that no font has is found so.
        if not faults:
            kind, language = _sample(group)
            faults += check_kind(library, company=of.name, kind=kind, language=language, write=write)
        if faults:
            return Tried(faults=tuple(sorted(set(faults))), messages={})
        return Tried(faults=(), messages=_messages(of, group, write=write, channels=channels))


def messages_of(of: Example, group: TextGroup, *, channels: tuple[Channel, ...]) -> dict[Channel, Message]:
    """Write the messages of a group as its texts stand; what cannot be written is left out."""
    write = Renderer(own=of.folder, fonts=of.fonts, links=SampleLinks()).message
    return _messages(of, group, write=write, channels=channels)


def _messages(
    of: Example, group: TextGroup, *, write: Write, channels: tuple[Channel, ...]
) -> dict[Channel, Message]:
    kind, language = _sample(group)
    made = sample_of(kind, language=language, name=of.name, company=of.company)
    found: dict[Channel, Message] = {}
    for channel in channels:
        try:
            found[channel] = write(made, channel)
        except PermanentError:
            continue
    return found


def _sample(group: TextGroup) -> tuple[str, str]:
    return (_SAMPLE_KIND if group.kind == "layout" else group.kind), group.languages[0]


def _kinds(library: Library, of: Example, group: TextGroup) -> list[str]:
    return library.room(of.name).kinds() if group.kind == "layout" else [group.kind]


@contextmanager
def _copied(of: Example, group: TextGroup, texts: Mapping[str, str]) -> Iterator[Path]:
    """Give a folder that has the company's texts with the draft among them, for a while."""
    with TemporaryDirectory(prefix="cobranza-texts-") as name:
        folder = Path(name)
        own = folder / of.name
        if (of.folder / of.name).is_dir():
            # A link may lead anywhere: no draft is written through one, and no message is written from one.
            shutil.copytree(of.folder / of.name, own, ignore=_links)
        for file, text in texts.items():
            path = own / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            # An empty one is kept only where it stands instead of a shipped text.
            if text.strip() or (group.kind != "layout" and (templates_folder() / file).is_file()):
                path.write_text(text, encoding="utf-8")
        yield folder


def _links(folder: str, names: list[str]) -> list[str]:
    return [each for each in names if (Path(folder) / each).is_symlink()]
