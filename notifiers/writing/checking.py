"""Every text of a company tried with made-up messages, before a customer reads one; each fault with its file and line.

It finds what a message would fail on, and files that no message asks for.
It sends nothing, and it does not judge wording.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from jinja2 import TemplateNotFound
from msgspec import Struct
from msgspec.structs import replace

from notifiers.channel import PermanentError
from notifiers.writing.library import PARTS, Library, Room
from notifiers.writing.logo import LogoError, logo_of
from notifiers.writing.samples import SampleLinks, sample_reminder
from notifiers.writing.sandbox import TemplateFaultError
from notifiers.writing.view import as_data, view_of
from notifiers.writing.ways import Ways
from notifiers.writing.words import LANGUAGES, WordsError
from schemas.facts import ReminderDecided
from schemas.fields import Channel

__all__ = ["Fault", "TextFile", "check_kind", "check_texts", "is_shared_file", "is_text_file", "text_files"]

Write = Callable[[ReminderDecided, Channel], object]
_CHANNELS: Final[tuple[Channel, ...]] = ("email", "sms", "letter")
_LIMIT: Final = 2_000_000
_LAYOUTS: Final = ("body.html", "body.txt")
_LABELS: Final = re.compile(r"labels\.([a-z]{2})\.toml")
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PICTURE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.(png|jpg|jpeg|gif)")


class Fault(Struct, frozen=True, kw_only=True, order=True):
    """What is wrong with a file of a company; ``line`` is 0 where it is the file as a whole."""

    company: str
    file: str
    line: int
    detail: str


class TextFile(Struct, frozen=True, kw_only=True, order=True):
    """A file that messages are written with; ``origin`` says whose it is."""

    file: str
    origin: str  # 'shipped', 'own', or 'instead' of a shipped one


def text_files(library: Library, *, shipped: Path, company: str) -> list[TextFile]:
    """List what a company's messages are written with: its own files, and the shipped ones that it has not replaced."""
    own = library.room(company).own
    mine = set() if own is None else _files(own)
    theirs = {each for each in _files(shipped) if is_text_file(each)}
    origins = dict.fromkeys(theirs - mine, "shipped") | {
        name: "instead" if name in theirs else "own" for name in mine
    }
    return sorted(TextFile(file=name, origin=origin) for name, origin in origins.items())


def is_text_file(name: str) -> bool:
    """Say whether a company can have a file of this name that its messages are written with."""
    match name.split("/"):
        case ["layout", file]:
            labels = _LABELS.fullmatch(file)
            return file in _LAYOUTS or (labels is not None and labels[1] in LANGUAGES)
        case [_, language, file]:
            return language in LANGUAGES and file.removesuffix(".txt") in PARTS and file.endswith(".txt")
    return False


def is_shared_file(name: str) -> bool:
    """Say whether a company can have a file of this name, a text or a picture, that is the same on every machine."""
    is_inside = all(_PART.fullmatch(each) for each in name.split("/"))
    return is_inside and (is_text_file(name) or _PICTURE.fullmatch(name) is not None)


def check_texts(library: Library, *, company: str, write: Write | None = None) -> Iterator[Fault]:
    """Try all that a company's messages are written with.

    Args:
        library: where they are.
        company: whose; '' tries what ships.
        write: writes whole messages with them, letters too: a character that no font has is found so.
    """
    room = library.room(company)
    if room.own is not None:
        yield from _odd_files(room, company=company)
    for language in LANGUAGES:
        try:
            room.words(language)
        except WordsError as error:
            yield Fault(company=company, file=f"layout/labels.{language}.toml", line=0, detail=str(error))
        else:
            yield from _texts(room, company=company, language=language, write=write)


def check_kind(
    library: Library,
    *,
    company: str,
    kind: str,
    language: str,
    write: Write | None = None,
    known: set[str] | None = None,
) -> Iterator[Fault]:
    """Try the texts of one kind in one language, as `check_texts` tries all of them.

    ``known`` are the files whose faults were told, and which are not tried again; they are added.
    """
    room = library.room(company)
    known = set() if known is None else known
    try:
        room.words(language)
    except WordsError as error:
        yield Fault(company=company, file=f"layout/labels.{language}.toml", line=0, detail=str(error))
    else:
        yield from _kind(room, company=company, kind=kind, language=language, known=known, write=write)


def _texts(room: Room, *, company: str, language: str, write: Write | None) -> Iterator[Fault]:
    """Fill in each text of each kind for several messages; of each file only its first fault is told."""
    known: set[str] = set()
    for kind in room.kinds():
        if any((folder / kind / language).is_dir() for folder in room.folders):
            yield from _kind(room, company=company, kind=kind, language=language, known=known, write=write)


def _kind(
    room: Room, *, company: str, kind: str, language: str, known: set[str], write: Write | None
) -> Iterator[Fault]:
    names = [f"{kind}/{language}/{part}.txt" for part in PARTS]
    for made in _messages(kind, language=language, company=company):
        for name in (*names, *(f"layout/{each}" for each in _LAYOUTS)):
            if name in known:
                continue
            fault = _fault(room, made, name=name, company=company)
            if fault is not None:
                known.add(name)
                yield fault
    if write is not None and not known:
        yield from _whole(sample_reminder(kind=kind, language=language, company=company), write=write)


def _whole(made: ReminderDecided, *, write: Write) -> Iterator[Fault]:
    for channel in _CHANNELS:
        try:
            write(made, channel)
        except PermanentError as error:
            place = f"{made.template}/{made.language} ({channel})"
            yield Fault(company=made.company, file=place, line=0, detail=error.detail)


def _fault(room: Room, made: ReminderDecided, *, name: str, company: str) -> Fault | None:
    links = SampleLinks()
    ways = Ways(
        report=links.answer(made, channel="email"),
        unsubscribe=links.unsubscribe(made, channel="email"),
        logo="https://example.com/logo.png",
        attached=("F-1.pdf",),
    )
    contact = made.deliveries[0].contact
    view = view_of(made, contact=contact, words=room.words(made.language), ways=ways)
    texts = {"subject": "subject", "opening": ["opening"], "closing": ["closing"]}
    try:
        room.templates.render(name, as_data(view) | texts, limit=_LIMIT)
    except TemplateNotFound:
        return Fault(company=company, file=name, line=0, detail="is missing: each kind has four texts")
    except TemplateFaultError as error:
        return Fault(company=company, file=error.name, line=error.line, detail=error.detail)
    return None


def _messages(kind: str, *, language: str, company: str) -> Iterator[ReminderDecided]:
    """Give messages that differ in what texts ask about: one item or several, with a phone or without, ways to pay."""
    made = sample_reminder(kind=kind, language=language, company=company or "sample")
    yield made
    yield replace(made, items=made.items[:1], unlisted=0, company_phone="", company_address=(), footer="")
    yield replace(
        made,
        items=tuple(replace(each, reference="R", pdf_url="https://x.example/1.pdf") for each in made.items),
        unlisted=3,
        payment_link="https://pay.example/{document}?{amount}{currency}",
    )


def _odd_files(room: Room, *, company: str) -> Iterator[Fault]:
    """Name files that no message asks for, and pictures that are no logos."""
    if room.own is None:
        return
    for name in sorted(_files(room.own)):
        detail = _oddity(name, folder=room.own)
        if detail:
            yield Fault(company=company, file=name, line=0, detail=detail)


def _oddity(name: str, *, folder: Path) -> str:
    if is_text_file(name):
        return ""
    if _PICTURE.fullmatch(name):
        try:
            logo_of(name, folder=folder)
        except LogoError as error:
            return str(error)
        return ""
    if name.endswith(".typ"):
        return "is not used: letters have no layout of a company's own"
    there = ", ".join(f"{part}.txt" for part in PARTS)
    return f"is never used: texts are KIND/LANGUAGE/PART, languages {', '.join(LANGUAGES)}, parts {there}"


def _files(folder: Path) -> set[str]:
    return {
        each.relative_to(folder).as_posix()
        for each in folder.rglob("*")
        if each.is_file() and not any(part.startswith(".") for part in each.relative_to(folder).parts)
    }
