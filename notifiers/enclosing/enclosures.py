"""Which documents go with a mail or a letter (S2-08, S4-14 … S4-16): fetched, else waited for a little, else linked.

::

    pdf_url ──► the PDF ─────────────────────────────► attached
    xml_url ──► the XML ──► attached; without a PDF ─► a look-alike of it, marked as not the original
    is under way ──► the mail waits a moment (a gate), and no other one for it
    cannot be had now ──► the mail waits (a gate), a bounded number of times ──► linked in the mail
    cannot be had at all ────────────────────────────► linked in the mail

They are fetched beside the loop (``parallel``), which is told of a batch of mails before it writes them.
"""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Protocol
from urllib.parse import urlsplit

import structlog
from msgspec import Struct, json

from infra.database.send_values import Job
from notifiers.channel import Attachment, TemporaryError
from notifiers.enclosing.fetching import DocumentKind, FetchFailedError, FetchRefusedError
from notifiers.enclosing.invoice_xml import InvoiceXmlError
from notifiers.enclosing.parallel import Fetches
from notifiers.enclosing.settings import DocumentSettings
from notifiers.enclosing.store import DocumentStore, Failure
from notifiers.gates.gate import Candidate, Wait
from notifiers.paper.press import PaperError
from notifiers.writing.words import Words
from schemas.facts import ReminderDecided, ReminderItem

__all__ = ["DocumentSource", "Enclosures", "Rebuilder", "has_not_answered"]

_MEDIA: Final[dict[DocumentKind, str]] = {"pdf": "application/pdf", "xml": "application/xml"}
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_NAME_MAX: Final = 80
_WAITING_MAX: Final = 10_000
# What comes at once goes with this round's mails; all others have not waited for longer.
_PATIENCE_S: Final = 0.5
_LOOK_AGAIN: Final = datetime.timedelta(seconds=1)
_LOOK_AGAIN_MAX: Final = datetime.timedelta(seconds=15)
_log = structlog.get_logger(__name__)
_decoder = json.Decoder(ReminderDecided)


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
        fetches: fetches beside the loop; None: each document is fetched when its mail is written.
    """

    def __init__(
        self,
        *,
        source: DocumentSource,
        store: DocumentStore,
        rebuilder: Rebuilder,
        settings: DocumentSettings,
        clock: Callable[[], datetime.datetime],
        fetches: Fetches[bytes | Failure] | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._rebuilder = rebuilder
        self._settings = settings
        self._clock = clock
        self._fetches = fetches
        self._waiting: dict[str, Failure] = {}
        self._begun_at: dict[str, datetime.datetime] = {}

    def prepare(self, jobs: Sequence[Job]) -> None:
        """Begin to fetch what a batch of mails will want, all at once, and wait a moment for it."""
        if self._fetches is None or not self._settings.allowed_hosts():
            return
        begun: list[str] = []
        for job in jobs:
            reminder = _decoder.decode(job.reminder_json)
            if reminder.attach_invoices and (job.channel == "email" or reminder.letter_documents):
                begun += [each.url for each in _wanted(reminder) if self._begin(each)]
        if begun:
            self._fetches.wait(begun, wait_s=_PATIENCE_S)

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
            if failure is None or each.job.mode != "live":
                continue
            if not failure.tries:  # however long the writing of this batch took, its document is not there
                until = max(failure.retry_at, now + _LOOK_AGAIN)
                waits[each.message.reminder] = Wait(
                    until=until, why="document", detail=failure.detail, by="wall"
                )
            elif failure.retry_at > now:
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
            self._landed(wanted)
            return kept
        found: bytes | Failure | None = self._landed(wanted) or self._known_failure(wanted, now=now)
        if found is None and self._fetches is None:
            found = self._fetch(wanted, "")
        elif found is None:
            found = self._under_way(wanted, is_played=reminder.mode != "live")
        if isinstance(found, Failure):
            self._note(reminder, found)
            return None
        return found

    def _known_failure(self, wanted: _Wanted, *, now: datetime.datetime) -> Failure | None:
        before = self._store.failure(wanted.url, now=now)
        return before if before is not None and (before.ended or before.retry_at > now) else None

    def _under_way(self, wanted: _Wanted, *, is_played: bool) -> bytes | Failure:
        """Give what comes of a fetch beside the loop; a played journal waits for it, since its days do not."""
        if self._fetches is None:
            raise AssertionError("nothing is fetched beside the loop")
        self._begin(wanted)
        while is_played and not self._fetches.wait([wanted.url], wait_s=self._settings.timeout_s):
            pass
        found = self._landed(wanted)
        if found is not None:
            return found
        now = self._clock()
        for_so_long = now - self._begun_at.get(wanted.url, now)
        wait = min(_LOOK_AGAIN_MAX, max(_LOOK_AGAIN, for_so_long))
        return Failure(tries=0, retry_at=now + wait, detail="a document is being fetched")

    def _begin(self, wanted: _Wanted) -> bool:
        """Fetch a document beside the loop, unless it is there, cannot be had, or is under way."""
        now = self._clock()
        if self._fetches is None or self._store.has(wanted.url, kind=wanted.kind, now=now):
            return False
        if self._known_failure(wanted, now=now) is not None:
            return False
        host = urlsplit(wanted.url).netloc.lower() if wanted.url.isprintable() else ""
        is_new = self._fetches.begin(wanted.url, host=host, work=partial(self._fetch, wanted))
        if is_new:
            self._begun_at[wanted.url] = now
        return is_new

    def _landed(self, wanted: _Wanted) -> bytes | Failure | None:
        """Give what has come of a fetch beside the loop, once."""
        found = None if self._fetches is None else self._fetches.result(wanted.url)
        if found is not None:
            self._begun_at.pop(wanted.url, None)
        return found

    def _fetch(self, wanted: _Wanted, given_up: str) -> bytes | Failure:
        """Fetch a document and keep it, or note how it could not be had; ``given_up``: by that, without asking.

        Several threads do this at a time.
        """
        now = self._clock()
        try:
            content = self._ask(wanted, given_up)
        except FetchRefusedError as error:
            return self._failed(wanted, Failure(tries=1, retry_at=now, detail=str(error), ended=True))
        except FetchFailedError as error:
            before = self._store.failure(wanted.url, now=now)
            tries = 1 if before is None else before.tries + 1
            wait_s = self._settings.retry_s * 2.0 ** (tries - 1)
            failure = Failure(
                tries=tries,
                retry_at=self._clock() + datetime.timedelta(seconds=wait_s),
                detail=str(error),
                ended=tries >= self._settings.tries_max,
                is_host=True,
            )
            return self._failed(wanted, failure)
        try:
            self._store.keep(wanted.url, kind=wanted.kind, content=content)
        except TemporaryError as error:  # the disk takes nothing: it goes along all the same
            _log.warning("document_not_kept", item=wanted.item, detail=error.detail)
        return content

    def _ask(self, wanted: _Wanted, given_up: str) -> bytes:
        if given_up:
            raise FetchFailedError(given_up)
        try:
            return self._source.fetch(wanted.url, kind=wanted.kind)
        except (FetchFailedError, FetchRefusedError):
            raise
        except Exception as error:  # an address, an answer that nobody foresaw: the mail goes, and links it
            _log.exception("document_broke", item=wanted.item, kind=wanted.kind)
            raise FetchFailedError(f"fetching it failed: {type(error).__name__}") from error

    def _failed(self, wanted: _Wanted, failure: Failure) -> Failure:
        try:
            self._store.fail(wanted.url, failure)
        except TemporaryError as error:
            _log.warning("document_not_kept", item=wanted.item, detail=error.detail)
        _log.warning(
            "document_not_fetched",
            item=wanted.item,
            kind=wanted.kind,
            tries=failure.tries,
            ended=failure.ended,
            detail=failure.detail,
        )
        return failure

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
            except Exception:  # noqa: BLE001 - somebody else's file: nothing in it may keep the mail back
                _log.exception("document_broke", reminder=reminder.id, item=wanted.item, kind=wanted.kind)
            else:
                yield Attachment(
                    name=f"{name}-{_safe(words.rebuilt_file)}.pdf", media_type=_MEDIA["pdf"], content=rebuilt
                )
        yield Attachment(name=f"{name}.{wanted.kind}", media_type=_MEDIA[wanted.kind], content=content)


def has_not_answered(found: bytes | Failure) -> bool:
    """Say of a fetch whether its host did not answer: then others of it will not come either."""
    return isinstance(found, Failure) and found.is_host


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
