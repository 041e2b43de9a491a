"""Which documents go with a mail (S2-08, S4-14 … S4-16): fetched, else waited for a little, else linked.

::

    pdf_url ──► the PDF ─────────────────────────────► attached
    xml_url ──► the XML ──► attached; without a PDF ─► a look-alike of it, marked as not the original
    cannot be had now ──► the mail waits (a gate), a bounded number of times ──► linked in the mail
    cannot be had at all ────────────────────────────► linked in the mail
"""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import structlog
from msgspec import Struct

from notifiers.channel import Attachment, TemporaryError
from notifiers.enclosing.fetching import DocumentKind, FetchFailedError, FetchRefusedError
from notifiers.enclosing.invoice_xml import InvoiceXmlError
from notifiers.enclosing.settings import DocumentSettings
from notifiers.enclosing.store import DocumentStore, Failure
from notifiers.gates.gate import Candidate, Wait
from notifiers.paper.press import PaperError
from notifiers.writing.words import Words
from schemas.facts import ReminderDecided, ReminderItem

__all__ = ["DocumentSource", "Enclosures", "Rebuilder"]

_MEDIA: Final[dict[DocumentKind, str]] = {"pdf": "application/pdf", "xml": "application/xml"}
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_NAME_MAX: Final = 80
_WAITING_MAX: Final = 10_000
_log = structlog.get_logger(__name__)


class DocumentSource(Protocol):
    """Where documents come from (``notifiers.enclosing.fetching``)."""

    def fetch(self, url: str, *, kind: DocumentKind) -> bytes:
        """Give a document, or raise `FetchFailedError` or `FetchRefusedError`."""
        ...


class Rebuilder(Protocol):
    """Who makes a readable document of an invoice's XML (``notifiers.enclosing.lookalike``)."""

    def rebuild(self, content: bytes, *, language: str, made_at: datetime.datetime) -> bytes:
        """Give it as PDF, or raise `InvoiceXmlError` or `PaperError`."""
        ...


class _Wanted(Struct, frozen=True, kw_only=True):
    item: str
    url: str
    kind: DocumentKind
    is_alone: bool  # there is no PDF beside this XML


class Enclosures:
    """Gives the files of a mail, and says as a gate whether the mail should wait for them.

    Args:
        source: fetches documents.
        store: keeps them.
        rebuilder: makes look-alikes.
        settings: limits.
        clock: the wall clock, UTC.
    """

    def __init__(
        self,
        *,
        source: DocumentSource,
        store: DocumentStore,
        rebuilder: Rebuilder,
        settings: DocumentSettings,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._source = source
        self._store = store
        self._rebuilder = rebuilder
        self._settings = settings
        self._clock = clock
        self._waiting: dict[str, Failure] = {}

    def files(self, reminder: ReminderDecided, *, words: Words) -> tuple[Attachment, ...]:
        """Give what goes with a mail; what is not among it, the mail links to."""
        self._waiting.pop(reminder.id, None)
        if not reminder.attach_invoices or not self._settings.allowed_hosts():
            return ()
        found: list[Attachment] = []
        room = self._settings.message_bytes_max
        for wanted in _wanted(reminder):
            if len(found) >= self._settings.files_max:
                break
            content = self._content(wanted, reminder=reminder)
            if content is None:
                continue
            made = [*self._made(wanted, content, reminder=reminder, words=words)]
            size = sum(len(each.content) for each in made)
            if size <= room:
                room -= size
                found += made
        return tuple(found[: self._settings.files_max])

    def waits(self, candidates: Sequence[Candidate], *, now: datetime.datetime) -> Mapping[str, Wait]:
        """Say which mails should wait for a document; a played journal's do not, its days go by too fast."""
        waits = {}
        for each in candidates:
            failure = self._waiting.get(each.message.reminder)
            if failure is not None and failure.retry_at > now and each.job.mode == "live":
                detail = f"a document could not be fetched ({failure.tries} times): {failure.detail}"
                waits[each.message.reminder] = Wait(
                    until=failure.retry_at, why="document", detail=detail, by="wall"
                )
        return waits

    def _content(self, wanted: _Wanted, *, reminder: ReminderDecided) -> bytes | None:
        """Give a document that was fetched, or fetch it; None: it cannot be had, for now or at all."""
        now = self._clock()
        kept = self._store.find(wanted.url, kind=wanted.kind, now=now)
        if kept is not None:
            return kept
        before = self._store.failure(wanted.url, now=now)
        if before is not None and (before.ended or before.retry_at > now):
            self._note(reminder, before)
            return None
        try:
            content = self._source.fetch(wanted.url, kind=wanted.kind)
        except FetchRefusedError as error:
            self._failed(reminder, wanted, Failure(tries=1, retry_at=now, detail=str(error), ended=True))
            return None
        except FetchFailedError as error:
            tries = 1 if before is None else before.tries + 1
            wait_s = self._settings.retry_s * 2.0 ** (tries - 1)
            failure = Failure(
                tries=tries,
                retry_at=now + datetime.timedelta(seconds=wait_s),
                detail=str(error),
                ended=tries >= self._settings.tries_max,
            )
            self._failed(reminder, wanted, failure)
            return None
        try:
            self._store.keep(wanted.url, kind=wanted.kind, content=content)
        except TemporaryError as error:  # the disk takes nothing: it goes along all the same
            _log.warning("document_not_kept", item=wanted.item, detail=error.detail)
        return content

    def _failed(self, reminder: ReminderDecided, wanted: _Wanted, failure: Failure) -> None:
        try:
            self._store.fail(wanted.url, failure)
        except TemporaryError as error:
            _log.warning("document_not_kept", item=wanted.item, detail=error.detail)
        self._note(reminder, failure)
        _log.warning(
            "document_not_fetched",
            reminder=reminder.id,
            item=wanted.item,
            kind=wanted.kind,
            tries=failure.tries,
            ended=failure.ended,
            detail=failure.detail,
        )

    def _note(self, reminder: ReminderDecided, failure: Failure) -> None:
        if failure.ended:
            return
        if len(self._waiting) >= _WAITING_MAX:  # who never asks the gate about them leaves them behind
            self._waiting.clear()
        self._waiting[reminder.id] = failure

    def _made(
        self, wanted: _Wanted, content: bytes, *, reminder: ReminderDecided, words: Words
    ) -> Iterator[Attachment]:
        name = _safe(wanted.item)
        if wanted.is_alone:
            try:
                rebuilt = self._rebuilder.rebuild(content, language=reminder.language, made_at=reminder.tick)
            except (InvoiceXmlError, PaperError) as error:
                # The XML itself goes along all the same: it is what the law knows.
                _log.warning(
                    "document_not_rebuilt", reminder=reminder.id, item=wanted.item, detail=str(error)
                )
            else:
                yield Attachment(
                    name=f"{name}-{_safe(words.rebuilt_file)}.pdf", media_type=_MEDIA["pdf"], content=rebuilt
                )
        yield Attachment(name=f"{name}.{wanted.kind}", media_type=_MEDIA[wanted.kind], content=content)


def _safe(text: str) -> str:
    """Make a part of a file name of a text."""
    return (_UNSAFE.sub("_", text).strip("._") or "document")[:_NAME_MAX]


def _wanted(reminder: ReminderDecided) -> Iterator[_Wanted]:
    seen: set[str] = set()
    for item in reminder.items:
        for wanted in _documents(item):
            if wanted.url not in seen:  # instalments share their invoice's
                seen.add(wanted.url)
                yield wanted


def _documents(item: ReminderItem) -> Iterator[_Wanted]:
    if item.pdf_url:
        yield _Wanted(item=item.item, url=item.pdf_url, kind="pdf", is_alone=False)
    if item.xml_url:
        yield _Wanted(item=item.item, url=item.xml_url, kind="xml", is_alone=not item.pdf_url)
