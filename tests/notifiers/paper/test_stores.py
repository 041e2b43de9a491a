"""Where letters and runs are kept: a folder, and S3 (by moto, and by a stand-in that fails as S3 does)."""

import base64
import errno
import hashlib
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from infra.database.print_runs import PrintRuns
from notifiers.channel import TemporaryError
from notifiers.paper.print_run import PrintRun, RunCloser
from notifiers.paper.stores import FolderStore, MissingError, S3Store, Store, open_s3
from tests.notifiers.paper.printing import TICK, letter
from tests.notifiers.sending import SettableClock


def test_a_store_keeps_and_forgets(store: Store) -> None:
    """The newer content of a name holds; what is forgotten twice is forgotten."""
    store.put("spool/acme/a.pdf", b"one")
    store.put("spool/acme/a.pdf", b"two")
    assert b"two" == store.get("spool/acme/a.pdf")
    store.drop("spool/acme/a.pdf")
    store.drop("spool/acme/a.pdf")
    with pytest.raises(MissingError):
        store.get("spool/acme/a.pdf")


def test_what_is_kept_under_a_second_name_stays_when_the_first_goes(store: Store) -> None:
    """Twice is once, what stood there before is gone, and nothing else lies about."""
    store.put("spool/acme/a.pdf", b"one")
    store.put("runs/acme/1/a.pdf", b"older")
    for _ in range(2):
        store.keep("runs/acme/1/a.pdf", b"one", of="spool/acme/a.pdf")
    store.drop("spool/acme/a.pdf")
    assert b"one" == store.get("runs/acme/1/a.pdf")
    if isinstance(store, FolderStore):
        assert ["a.pdf"] == [each.name for each in Path(store.place("runs/acme/1")).iterdir()]


def test_a_folder_without_second_names_writes_the_file_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As file systems of other machines are."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no second names here")

    store = FolderStore(tmp_path)
    store.put("spool/a.pdf", b"one")
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    store.keep("runs/a.pdf", b"one", of="spool/a.pdf")
    assert b"one" == store.get("runs/a.pdf")


def test_two_closers_at_one_letter_leave_the_spool_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one gives the same second name a moment before: nothing is written through it into the letter."""
    link = Path.hardlink_to

    def second(path: Path, target: Path) -> None:
        link(path, target)
        link(path, target)

    store = FolderStore(tmp_path)
    store.put("spool/a.pdf", b"one")
    monkeypatch.setattr(Path, "hardlink_to", second)
    store.keep("runs/a.pdf", b"two", of="spool/a.pdf")
    assert (b"one", b"one") == (store.get("spool/a.pdf"), store.get("runs/a.pdf"))


def test_a_letter_that_another_closer_has_taken_from_the_spool_is_for_later(tmp_path: Path) -> None:
    """It is not written again from memory: the run may lie before the printer already."""
    store = FolderStore(tmp_path)
    with pytest.raises(TemporaryError):
        store.keep("runs/a.pdf", b"one", of="spool/a.pdf")
    with pytest.raises(MissingError):
        store.get("runs/a.pdf")


def carrier(engine: Engine, store: Store) -> PrintRun:
    """Make the channel on a store."""
    clock = SettableClock(TICK)
    runs = PrintRuns(engine)
    closer = RunCloser(runs=runs, store=store, clock=clock)
    return PrintRun(runs=runs, store=store, closer=closer, clock=clock, letters_max=100)


def test_a_run_in_a_bucket(sqlite_engine: Engine, bucket: Any) -> None:
    """The printer finds the letters below the run, and the manifest beside them."""
    store = S3Store(bucket, bucket="print-house", prefix="cobranza")
    carrier(sqlite_engine, store).send(letter())
    (run,) = RunCloser(runs=PrintRuns(sqlite_engine), store=store, clock=SettableClock(TICK)).close()
    assert "s3://print-house/cobranza/runs/acme/acme-000001" == run.place
    names = [each["Key"] for each in bucket.list_objects_v2(Bucket="print-house")["Contents"]]
    assert [
        "cobranza/runs/acme/acme-000001/000001-C1-first-r1.pdf",
        "cobranza/runs/acme/acme-000001/manifest.json",
    ] == names
    assert "application/pdf" == bucket.head_object(Bucket="print-house", Key=names[0])["ContentType"]
    manifest = bucket.get_object(Bucket="print-house", Key=names[1])["Body"].read()
    assert run.manifest_sha256 == hashlib.sha256(manifest).hexdigest()


def test_a_bucket_that_is_not_there_is_for_later(sqlite_engine: Engine, bucket: Any) -> None:
    """Nothing is accepted; the run goes on when somebody has made it."""
    store = S3Store(bucket, bucket="forgotten")
    with pytest.raises(TemporaryError, match="NoSuchBucket") as caught:
        carrier(sqlite_engine, store).send(letter())
    assert caught.value.provider_down
    assert [] == PrintRuns(sqlite_engine).runs()
    with pytest.raises(TemporaryError):
        store.get("spool/a")


@contextmanager
def failing_s3(answers: list[tuple[int, str] | None]) -> Iterator[tuple[str, list[str]]]:
    """Open an S3 that answers so (None: not at all), then takes everything; give its URL and what it was asked."""
    asked: list[str] = []
    sums: list[tuple[str, bytes]] = []
    waiting = threading.Event()

    class Desk(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

        def do_PUT(self) -> None:
            asked.append(self.path)
            if self.headers.get("Expect"):
                self.send_response_only(100)
                self.end_headers()
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            if len(content) == length:  # who was not answered may have gone before it had said all
                sums.append((self.headers["x-amz-checksum-sha256"], content))
            answer = answers.pop(0) if answers else (200, "")
            if answer is None:
                waiting.wait(60)
                self.close_connection = True
                return
            status, code = answer
            body = f"<Error><Code>{code}</Code><Message>so it is</Message></Error>".encode() if code else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        waiting.set()
        server.shutdown()
        thread.join()
        server.server_close()
    # What arrives damaged is refused by S3 itself.
    for said, content in sums:
        assert base64.b64encode(hashlib.sha256(content).digest()).decode() == said


@pytest.mark.parametrize(
    "answers",
    [
        [(403, "AccessDenied")],
        [(403, "InvalidAccessKeyId")],
        [(503, "SlowDown")] * 9,
        [(500, "InternalError")] * 9,
        [None] * 9,
    ],
    ids=["denied", "wrong key", "slow down", "broken", "silent"],
)
def test_what_s3_refuses_is_for_later(
    sqlite_engine: Engine, keys: None, answers: list[tuple[int, str] | None]
) -> None:
    """Denied, slow down, broken, silent: not accepted, in no run; to put it there again later is safe."""
    with failing_s3(answers) as (url, asked):
        patience_s = 0.2 if None in answers else 60.0
        store = S3Store(open_s3(endpoint_url=url, timeout_s=patience_s), bucket="print-house")
        channel = carrier(sqlite_engine, store)
        with pytest.raises(TemporaryError) as caught:
            channel.send(letter())
        assert caught.value.provider_down
        assert channel.find(letter()) is None
        answers.clear()
        patient = S3Store(open_s3(endpoint_url=url, timeout_s=60.0), bucket="print-house")
        assert "acme-000001/000001" == carrier(sqlite_engine, patient).send(letter()).provider_id
        assert all(path.endswith("/print-house/spool/acme/C1-first-r1.pdf") for path in asked)


def test_s3_that_was_busy_for_a_moment_is_asked_again(sqlite_engine: Engine, keys: None) -> None:
    """Slow down, once: the letter is taken, and nobody need know."""
    with failing_s3([(503, "SlowDown")]) as (url, asked):
        store = S3Store(open_s3(endpoint_url=url, timeout_s=60.0), bucket="print-house")
        assert "acme-000001/000001" == carrier(sqlite_engine, store).send(letter()).provider_id
        assert 2 == len(asked)


def test_nobody_listens_is_for_later(keys: None) -> None:
    """No connection."""
    store = S3Store(open_s3(endpoint_url="http://127.0.0.1:9", timeout_s=60.0), bucket="print-house")
    with pytest.raises(TemporaryError):
        store.put("a", b"")
    with pytest.raises(TemporaryError):
        store.drop("a")
