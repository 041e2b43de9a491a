"""Documents with a mail: attached where they can be had, waited for a little, else linked."""

import datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from infra.database.send_values import Job
from notifiers.channel import Message, Receipt
from notifiers.enclosing.enclosures import Enclosures
from notifiers.enclosing.fetching import DocumentKind, FetchFailedError, FetchRefusedError
from notifiers.enclosing.lookalike import LookalikePress
from notifiers.enclosing.opening import open_enclosures
from notifiers.enclosing.settings import DocumentSettings
from notifiers.enclosing.store import DocumentStore
from notifiers.gates.gate import Candidate
from notifiers.writing.render import Renderer, templates_folder
from notifiers.writing.samples import sample_reminder
from schemas.facts import ReminderDecided
from tests.notifiers import sending
from tests.notifiers.sending import ScriptedChannel, SettableClock, dispatcher, job_row, know, read, states

XML = (Path(__file__).parents[1] / "data" / "invoices" / "dte-33.xml").read_bytes()
PDF = b"%PDF-1.7 made up"
NOW = datetime.datetime(2026, 3, 16, 12, tzinfo=datetime.UTC)
PRESS = LookalikePress(templates_folder() / "layout")
SETTINGS = DocumentSettings(hosts="files.example")


class Files:
    """Gives documents by address, or raises what is there instead."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes | Exception] = {}
        self.asked: list[str] = []

    def fetch(self, url: str, *, kind: DocumentKind) -> bytes:
        self.asked.append(url)
        found = self.documents.get(url, FetchRefusedError("the server answers 404"))
        if isinstance(found, Exception):
            raise found
        return found


class Desk:
    """A renderer with documents, whose clock is set by hand."""

    def __init__(self, folder: Path, *, settings: DocumentSettings = SETTINGS) -> None:
        self.files = Files()
        self.now = datetime.datetime.now(datetime.UTC)  # files are as old as the machine says
        self._store = DocumentStore(folder, kept=datetime.timedelta(hours=24))
        self.enclosures = Enclosures(
            source=self.files,
            store=self._store,
            rebuilder=PRESS,
            settings=settings,
            clock=lambda: self.now,
        )
        self._renderer = Renderer(enclose=self.enclosures.files)

    def mail(self, made: ReminderDecided) -> Message:
        """Write it as a mail."""
        return self._renderer.message(made, "email")

    def waits(
        self, made: ReminderDecided, message: Message, *, mode: str = "live"
    ) -> datetime.datetime | None:
        """Ask the gate until when the mail must wait."""
        candidate = Candidate(job=made_job(made.id, mode=mode), message=message)
        wait = self.enclosures.waits([candidate], now=self.now).get(made.id)
        return None if wait is None else wait.until


def made_job(reminder: str, *, mode: str) -> Job:
    """Make a job of which only name and mode matter."""
    given = dict.fromkeys(Job.__struct_fields__, "") | {"reminder": reminder, "mode": mode}
    return Job(**given)  # type: ignore[arg-type]  # the gate looks at two of them


def reminder(*documents: tuple[str, str], **changes: object) -> ReminderDecided:
    """Make a reminder whose items have these documents (PDF and XML), '' for none."""
    made = sample_reminder(kind="second", language="es")
    items = tuple(
        msgspec.structs.replace(made.items[0], item=f"F/{number}", pdf_url=pdf, xml_url=xml)
        for number, (pdf, xml) in enumerate(documents, start=1)
    )
    return msgspec.structs.replace(made, items=items, **changes)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a renderer with an empty store."""
    return Desk(tmp_path)


def names(message: Message) -> list[str]:
    """Give the names of what goes along."""
    return [each.name for each in message.attachments]


def test_pdf_and_xml_go_along(desk: Desk) -> None:
    """S4-14, S4-15, S2-08: the PDF, and the XML where there is one; the mail says which."""
    desk.files.documents = {"https://files.example/1.pdf": PDF, "https://files.example/1.xml": XML}
    written = desk.mail(reminder(("https://files.example/1.pdf", "https://files.example/1.xml")))
    assert ["F_1.pdf", "F_1.xml"] == names(written)
    assert [("application/pdf", PDF), ("application/xml", XML)] == [
        (each.media_type, each.content) for each in written.attachments
    ]
    assert "Adjuntos: F_1.pdf, F_1.xml" in written.text
    assert "Adjuntos: F_1.pdf, F_1.xml" in written.html


def test_an_invoice_of_others_is_rebuilt(desk: Desk) -> None:
    """S4-16: only an XML: a look-alike that says so in its name and on its pages, and the XML, which is valid."""
    desk.files.documents = {"https://files.example/1.xml": XML}
    written = desk.mail(reminder(("", "https://files.example/1.xml")))
    assert ["F_1-reconstruido-no-es-el-original.pdf", "F_1.xml"] == names(written)
    assert written.attachments[0].content.startswith(b"%PDF-")


def test_an_xml_that_cannot_be_read_goes_along_alone(desk: Desk) -> None:
    """What we cannot read, the customer's own program may."""
    desk.files.documents = {"https://files.example/1.xml": b"<Other/>"}
    assert ["F_1.xml"] == names(desk.mail(reminder(("", "https://files.example/1.xml"))))


def test_what_nobody_foresaw_of_a_document_keeps_no_mail_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that a library breaks over is linked, after its tries; an XML that the press breaks over goes along alone."""
    desk.files.documents = {
        "https://files.example/1.pdf": UnicodeError("label too long"),
        "https://files.example/2.xml": XML,
    }

    def broken(*_: object, **__: object) -> bytes:
        raise RecursionError("too deep")

    monkeypatch.setattr(PRESS, "rebuild", broken)
    made = reminder(("https://files.example/1.pdf", ""), ("", "https://files.example/2.xml"))
    written = desk.mail(made)
    assert ["F_2.xml"] == names(written)
    assert desk.waits(made, written) is not None
    for _ in range(2):
        desk.now += datetime.timedelta(minutes=3)
        written = desk.mail(made)
    assert None is desk.waits(made, written)
    assert 3 == desk.files.asked.count("https://files.example/1.pdf")


def test_what_was_fetched_is_not_fetched_again(desk: Desk) -> None:
    """A mail that waits for something else, or a second level, asks the billing system once a day."""
    desk.files.documents = {"https://files.example/1.pdf": PDF}
    made = reminder(("https://files.example/1.pdf", ""))
    first, second = desk.mail(made), desk.mail(made)
    assert first == second
    assert ["https://files.example/1.pdf"] == desk.files.asked
    desk.now += datetime.timedelta(hours=25)
    desk.mail(made)
    assert 2 == len(desk.files.asked)


def test_instalments_share_their_invoice_s_document(desk: Desk) -> None:
    """R25: three instalments, one invoice, one file."""
    desk.files.documents = {"https://files.example/1.pdf": PDF}
    assert ["F_1.pdf"] == names(desk.mail(reminder(*[("https://files.example/1.pdf", "")] * 3)))


def test_a_busy_server_is_waited_for_and_then_done_without(desk: Desk) -> None:
    """Three tries with growing waits; then the mail goes without, and links the document."""
    url = "https://files.example/1.pdf"
    desk.files.documents = {url: FetchFailedError("the server answers 503")}
    made, waits = reminder((url, "")), []
    for _ in range(3):
        until = desk.waits(made, desk.mail(made))
        waits.append(None if until is None else (until - desk.now).total_seconds())
        desk.mail(made)  # asked again before its time, it does not ask the server
        desk.now = until or desk.now
    assert [60.0, 120.0, None] == waits
    assert [url] * 3 == desk.files.asked
    written = desk.mail(made)
    assert ([], True) == (names(written), f'href="{url}"' in written.html)


def test_a_server_that_is_back_is_asked(desk: Desk) -> None:
    """The wait is over, the document is there: it goes along, and nothing waits any more."""
    url = "https://files.example/1.pdf"
    desk.files.documents = {url: FetchFailedError("time-out")}
    made = reminder((url, ""))
    desk.now = desk.waits(made, desk.mail(made)) or desk.now
    desk.files.documents = {url: PDF}
    written = desk.mail(made)
    assert (["F_1.pdf"], None) == (names(written), desk.waits(made, written))


def test_what_is_refused_is_not_waited_for(desk: Desk) -> None:
    """A document that is gone, or lies where we may not ask, is linked at once, and asked for once an hour."""
    made = reminder(("https://files.example/gone.pdf", ""))
    written = desk.mail(made)
    assert ([], None) == (names(written), desk.waits(made, written))
    desk.mail(made)
    assert 1 == len(desk.files.asked)


def test_a_played_journal_does_not_wait(desk: Desk) -> None:
    """Two years of history are played in minutes: a server that is down does not stop them."""
    desk.files.documents = {"https://files.example/1.pdf": FetchFailedError("down")}
    made = reminder(("https://files.example/1.pdf", ""))
    assert desk.waits(made, desk.mail(made), mode="played") is None


@pytest.mark.parametrize(
    ("changes", "asked"), [({"attach_invoices": False}, 0), ({}, 1)], ids=["not asked for", "asked for"]
)
def test_a_step_says_whether_documents_go_along(desk: Desk, changes: dict[str, bool], asked: int) -> None:
    """S2-08: an option of the level."""
    desk.mail(reminder(("https://files.example/1.pdf", ""), **changes))
    assert asked == len(desk.files.asked)


def test_letters_and_messages_to_phones_have_no_files(desk: Desk) -> None:
    """Only a mail can hold them."""
    made = reminder(("https://files.example/1.pdf", ""))
    renderer = Renderer(enclose=desk.enclosures.files)
    assert [(), ()] == [renderer.message(made, channel).attachments for channel in ("sms", "letter")]
    assert [] == desk.files.asked


def test_a_mail_has_room_for_so_much(tmp_path: Path) -> None:
    """Limits of number and size: what does not fit is linked, what is smaller still goes."""
    settings = DocumentSettings(hosts="files.example", files_max=2, message_bytes_max=10_000)
    desk = Desk(tmp_path, settings=settings)
    documents = {
        f"https://files.example/{size}.pdf": PDF + b"x" * size for size in (6_000, 5_000, 3_000, 100)
    }
    desk.files.documents = dict(documents)
    written = desk.mail(reminder(*[(url, "") for url in documents]))
    assert ["F_1.pdf", "F_3.pdf"] == names(written)


def test_names_cannot_be_paths(desk: Desk) -> None:
    """A document's number is a part of a file name, and no more than that."""
    desk.files.documents = {"https://files.example/1.pdf": PDF}
    made = reminder(("https://files.example/1.pdf", ""))
    for item, name in (
        ("../../etc/passwd", "etc_passwd.pdf"),
        ("a" * 300, "a" * 80 + ".pdf"),
        ("…", "document.pdf"),
    ):
        items = (msgspec.structs.replace(made.items[0], item=item),)
        assert [name] == [
            each.strip("_") for each in names(desk.mail(msgspec.structs.replace(made, items=items)))
        ]


def test_a_full_disk_keeps_no_mail_back(desk: Desk, tmp_path: Path) -> None:
    """What was fetched goes along although it cannot be kept for the next mail."""
    url = "https://files.example/1.pdf"
    desk.files.documents = {url: PDF}
    path = next(iter(tmp_path.iterdir()), None)
    assert path is None
    tmp_path.rmdir()
    tmp_path.write_text("no folder")
    assert ["F_1.pdf"] == names(desk.mail(reminder((url, ""))))
    desk.files.documents = {url: FetchFailedError("down")}
    made = reminder((url, ""))
    assert desk.waits(made, desk.mail(made)) is not None


def test_without_hosts_nothing_is_fetched(tmp_path: Path) -> None:
    """As delivered, no connection is made: documents are linked."""
    assert open_enclosures(DocumentSettings(), folder=tmp_path, clock=lambda: NOW) is None


def test_old_files_are_swept(tmp_path: Path) -> None:
    """The folder does not grow for ever."""
    now = datetime.datetime.now(datetime.UTC)
    store = DocumentStore(tmp_path, kept=datetime.timedelta(hours=24))
    store.keep("https://files.example/1.pdf", kind="pdf", content=PDF)
    assert (0, 1) == (store.sweep(now=now), store.sweep(now=now + datetime.timedelta(hours=25)))
    assert store.find("https://files.example/1.pdf", kind="pdf", now=now) is None


class Keeper(ScriptedChannel):
    """Remembers what it was handed."""

    def send(self, message: Message) -> Receipt:
        """Take it."""
        self.messages = [*getattr(self, "messages", []), message]
        return super().send(message)


def test_the_loop_waits_for_a_document_and_sends_it_along(engine: Engine, tmp_path: Path) -> None:
    """S4-14: put off while the billing system is down, which is no attempt; sent once, with the PDF, when it is back."""
    desk, url = Desk(tmp_path), "https://files.example/1.pdf"
    desk.files.documents = {url: FetchFailedError("the server answers 503")}
    clock = SettableClock(desk.now)
    made = sending.reminder("r1", mode="live", tick=desk.now)
    items = (msgspec.structs.replace(made.items[0], item="F-1", pdf_url=url),)
    made = msgspec.structs.replace(made, items=items, attach_invoices=True)
    keeper = Keeper()
    running = dispatcher(
        engine,
        channel=keeper,
        clock=clock,
        gates=[desk.enclosures],
        render=Renderer(enclose=desk.enclosures.files).message,
    )
    running.record([read(made)])
    know(engine, version=5, clock=desk.now)
    running.run(partitions=[0])
    assert ({"r1/email": "scheduled"}, []) == (states(engine), keeper.asked)
    assert "503" in str(job_row(engine)["detail"])
    desk.files.documents = {url: PDF}
    clock.pass_s(61)
    desk.now = clock.now
    know(engine, version=5, clock=desk.now)
    running.run(partitions=[0])
    assert {"r1/email": "accepted"} == states(engine)
    assert [["F-1.pdf"]] == [names(each) for each in keeper.messages]
