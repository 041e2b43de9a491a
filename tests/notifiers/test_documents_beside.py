"""Documents are fetched beside the loop: many at a time, few from one host, and a slow host keeps back its own mails only."""

import datetime
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from notifiers.enclosing.enclosures import Enclosures, has_not_answered
from notifiers.enclosing.fetching import DocumentKind, Fetcher, FetchFailedError
from notifiers.enclosing.lookalike import LookalikePress
from notifiers.enclosing.parallel import Fetches
from notifiers.enclosing.resolving import BoundedResolver
from notifiers.enclosing.settings import DocumentSettings
from notifiers.enclosing.store import DocumentStore, Failure
from notifiers.writing.render import Renderer, templates_folder
from schemas.facts import ReminderDecided
from tests.notifiers import sending
from tests.notifiers.sending import ScriptedChannel, SettableClock, dispatcher, know, read, states

PDF = b"%PDF-1.7 made up"
PRESS = LookalikePress(templates_folder() / "layout")
SETTINGS = DocumentSettings(hosts=".example")


class Hosts:
    """Hosts of documents: those whose name begins with "slow" answer when they are let."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.active: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.asked: list[str] = []
        self.down: set[str] = set()
        self._guard = threading.Lock()

    def fetch(self, url: str, *, kind: DocumentKind) -> bytes:
        """Give a PDF, sooner or later."""
        host = url.split("/")[2]
        with self._guard:
            self.asked.append(url)
            self.active[host] += 1
            self.most[host] = max(self.most[host], self.active[host])
        try:
            if host in self.down:
                raise FetchFailedError("connection refused")
            if host.startswith("slow"):
                assert self.released.wait(60.0)
            return PDF
        finally:
            with self._guard:
                self.active[host] -= 1


class PatientFetches(Fetches[bytes | Failure]):
    """Waits for hosts that answer as long as that takes on a busy machine, for those that do not only a moment."""

    hosts: Hosts

    def wait(self, names: Iterable[str], *, wait_s: float) -> bool:
        """Wait until all of this work is done, or all that will be."""
        chosen = tuple(names)
        answering = [
            each for each in chosen if self.hosts.released.is_set() or not each.startswith("https://slow")
        ]
        assert super().wait(answering, wait_s=60.0)
        return super().wait(chosen, wait_s=min(wait_s, 0.05))


class Desk:
    """A loop of mails whose documents come from these hosts, in threads."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.hosts = Hosts()
        self.clock = SettableClock(
            datetime.datetime.now(datetime.UTC)
        )  # files are as old as the machine says
        self.fetches = PatientFetches(
            at_once=4,
            per_host=2,
            has_failed=has_not_answered,
            monotonic=self._seconds,
        )
        self.fetches.hosts = self.hosts
        self.enclosures = Enclosures(
            source=self.hosts,
            store=DocumentStore(folder, kept=datetime.timedelta(hours=24)),
            rebuilder=PRESS,
            settings=SETTINGS,
            clock=self.clock,
            fetches=self.fetches,
        )
        self.engine = engine
        self.channel = ScriptedChannel()
        self.loop = dispatcher(
            engine,
            channel=self.channel,
            clock=self.clock,
            gates=[self.enclosures],
            render=Renderer(enclose=self.enclosures.files).message,
            prepare=self.enclosures.prepare,
        )

    def _seconds(self) -> float:
        return self.clock().timestamp()

    def record(self, *made: ReminderDecided) -> None:
        """Have these reminders decided."""
        know(self.engine, version=5, clock=self.clock.now)
        self.loop.record([read(each) for each in made])

    def mail(self, name: str, *urls: str, mode: str = "live") -> ReminderDecided:
        """Make a reminder with documents."""
        made = sending.reminder(name, mode=mode, tick=self.clock.now)  # type: ignore[arg-type]
        items = tuple(
            msgspec.structs.replace(made.items[0], item=f"F-{number}", pdf_url=url)
            for number, url in enumerate(urls)
        )
        return msgspec.structs.replace(made, items=items, attach_invoices=True)

    def run_after(self, seconds: float) -> None:
        """Let time go by, and the loop do a round."""
        self.clock.pass_s(seconds)
        know(self.engine, version=5, clock=self.clock.now)
        self.loop.run(partitions=[0])


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Iterator[Desk]:
    """Give a loop; whatever still hangs at its end is let go."""
    made = Desk(sqlite_engine, tmp_path)
    yield made
    made.hosts.released.set()


def test_a_slow_host_keeps_back_its_own_mails_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4-14: the one mail waits for its document, the others go; when it is there, that one goes too, with it."""
    mails = [desk.mail(f"r{number}", f"https://fast.example/{number}.pdf") for number in range(3)]
    desk.record(desk.mail("a-slow", "https://slow.example/1.pdf"), *mails)
    desk.loop.run(partitions=[0])
    assert {"a-slow/email": "scheduled"} == {
        name: each for name, each in states(desk.engine).items() if each != "accepted"
    }
    assert ["r0", "r1", "r2"] == sorted(desk.channel.asked)
    with monkeypatch.context() as patched:  # what is under way is not waited for a second time
        patched.setattr(desk.fetches, "wait", lambda *_, **__: 1 / 0)
        desk.run_after(2.0)
    assert 3 == len(desk.channel.asked)
    desk.hosts.released.set()
    assert desk.fetches.wait(["https://slow.example/1.pdf"], wait_s=60.0)
    desk.run_after(16.0)
    assert ("a-slow", 1) == (desk.channel.asked[-1], desk.hosts.asked.count("https://slow.example/1.pdf"))


def test_a_host_is_asked_for_few_documents_at_a_time(desk: Desk) -> None:
    """Two of four threads at most are busy with one host, so that another one always has its turn."""
    slow = [desk.mail(f"s{number}", f"https://slow.example/{number}.pdf") for number in range(6)]
    desk.record(*slow, desk.mail("z-fast", "https://fast.example/1.pdf"))
    desk.loop.run(partitions=[0])
    assert ["z-fast"] == desk.channel.asked
    desk.hosts.released.set()
    assert desk.fetches.wait([f"https://slow.example/{number}.pdf" for number in range(6)], wait_s=60.0)
    desk.run_after(16.0)
    assert (7, 2) == (len(desk.channel.asked), desk.hosts.most["slow.example"])


def test_a_host_that_does_not_answer_is_not_asked_for_every_document(desk: Desk) -> None:
    """After three in a row the rest has failed as well, each by one of its tries; later it is asked again."""
    desk.hosts.down.add("down.example")
    urls = [f"https://down.example/{number}.pdf" for number in range(20)]
    desk.record(desk.mail("r1", *urls))
    desk.loop.run(partitions=[0])
    assert desk.fetches.wait(urls, wait_s=60.0)
    assert len(desk.hosts.asked) <= 3 + 1  # one was on its way
    desk.hosts.down.clear()
    desk.run_after(2.0)
    assert [] == desk.channel.asked
    desk.run_after(61.0)
    assert desk.fetches.wait(urls, wait_s=60.0)
    desk.run_after(16.0)
    assert ["r1"] == desk.channel.asked


def test_a_played_journal_waits_for_its_documents(desk: Desk) -> None:
    """Its days go by too fast to come back: the mail is written when its document is there."""
    desk.record(desk.mail("r1", "https://slow.example/1.pdf", mode="played"))
    threading.Timer(0.7, desk.hosts.released.set).start()
    desk.loop.run(partitions=[0])
    assert {"r1/email": "accepted"} == states(desk.engine)


def test_what_a_fetch_raises_is_not_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours in a thread stays with its document: it ends no loop, and the document is asked for again."""
    monkeypatch.setattr(desk.hosts, "fetch", lambda *_, **__: 1 / 0)
    desk.record(desk.mail("r1", "https://fast.example/1.pdf"))
    desk.loop.run(partitions=[0])
    assert {"r1/email": "scheduled"} == states(desk.engine)
    monkeypatch.undo()
    desk.run_after(61.0)
    assert desk.fetches.wait(["https://fast.example/1.pdf"], wait_s=60.0)
    desk.run_after(16.0)
    assert {"r1/email": "accepted"} == states(desk.engine)
    assert ["https://fast.example/1.pdf"] == desk.hosts.asked


# -- names ---------------------------------------------------------------------------------------


class Names:
    """A resolver that hangs for some hosts."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[str] = []
        self.hanging: set[str] = set()

    def __call__(self, host: str, port: int) -> Sequence[str]:
        """Give an address, sooner or later."""
        self.asked.append(host)
        if host.startswith("slow"):
            self.hanging.add(host)
            self.released.wait(60.0)
        if host.startswith("no"):
            raise socket.gaierror(-2, "Name or service not known")
        return ["192.0.2.1"]


@pytest.fixture
def names() -> Iterator[Names]:
    """Give a resolver; what hangs at the end is let go."""
    made = Names()
    yield made
    made.released.set()


def answer_of(resolve: BoundedResolver, host: str) -> Sequence[str] | OSError:
    """Look a name up until there is an answer: on a busy machine some come too late."""
    error = OSError(f"no answer for {host}")
    for _ in range(600):
        try:
            return resolve(host, 443)
        except OSError as refused:
            error = refused
            if isinstance(refused, socket.gaierror):
                break
    return error


def test_a_name_is_looked_up_for_so_long_only(names: Names) -> None:
    """The system's resolver may take half a minute; a fetch does not."""
    resolve = BoundedResolver(at_once=2, timeout_s=0.05, resolve=names)
    with pytest.raises(OSError, match=r"slow.example was not found within 0.05 s"):
        resolve("slow.example", 443)
    assert ["192.0.2.1"] == answer_of(resolve, "fast.example")
    assert "not known" in str(answer_of(resolve, "no.example"))


def test_names_that_hang_leave_room_for_few_others(names: Names) -> None:
    """One name is asked once however many wait for it; with all places taken, others fail for now and are tried again."""
    resolve = BoundedResolver(at_once=2, timeout_s=0.05, resolve=names)
    for host in ("slow1.example", "slow1.example", "slow2.example"):
        while True:  # until it hangs, and not before: on a busy machine it comes late to it
            with pytest.raises(OSError, match="not found"):
                resolve(host, 443)
            if host in names.hanging:
                break
    assert ["slow1.example", "slow2.example"] == names.asked
    with pytest.raises(OSError, match=r"not found|has to wait"):
        resolve("fast.example", 443)
    names.released.set()
    assert ["192.0.2.1"] == answer_of(resolve, "fast.example"), "no place has become free"


def test_what_was_looked_up_in_time_is_checked_all_the_same(names: Names) -> None:
    """The guard against our own network stays: a name that leads inside is refused, and nothing is connected to."""
    inside = BoundedResolver(at_once=2, timeout_s=60.0, resolve=lambda *_: ["10.0.0.7"])
    fetcher = Fetcher(SETTINGS, resolve=inside)
    with pytest.raises(Exception, match=r"leads to 10.0.0.7, which is not in public"):
        fetcher.fetch("https://files.example/1.pdf", kind="pdf")
