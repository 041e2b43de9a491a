"""A print-and-post service on this machine that answers as a real one does, errors included.

It keeps letters by reference and refuses to keep two of one; what goes wrong is told to it beforehand.
"""

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

Trouble = Literal["drop before", "drop after", "silent after", "garbage after"]
KEY = "Basic " + base64.b64encode(b"desk:secret").decode()


@dataclass
class PostOffice:
    """What it has taken, what it was asked, and what is to go wrong next (`answers`: a status, its code, or a trouble)."""

    url: str = ""
    letters: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answers: list[tuple[int, str] | Trouble] = field(default_factory=list)
    quiet: list[tuple[int, str]] = field(default_factory=list)  # what questions by reference are answered
    is_silent: threading.Event = field(
        default_factory=threading.Event
    )  # it has taken a letter and says nothing
    price_per_sheet: float = 0.85
    retry_after: str = ""  # what each answer says of the next try

    def submitted(self) -> int:
        """Count the uploads."""
        return self.asked.count("POST /letters")


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """Open it on a free port."""
    office = PostOffice()
    server = _Office(office)
    office.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield office
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Office(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, office: PostOffice) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.office = office


class _Desk(http.server.BaseHTTPRequestHandler):
    server: _Office

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.office.asked.append(f"GET {parts.path.removeprefix('/v1')}")
        if self.server.office.quiet:
            return self._error(*self.server.office.quiet.pop(0))
        reference = parse_qs(parts.query)["reference"][0]
        found = self.server.office.letters.get(reference)
        return self._answer(200, {"letters": [] if found is None else [found]})

    def do_POST(self) -> None:
        path = self.path.removeprefix("/v1")
        self.server.office.asked.append(f"POST {path}")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != KEY:
            return self._error(401, "unauthorized")
        if path == "/quotes":
            return self._answer(200, self._price(body))
        trouble = self.server.office.answers.pop(0) if self.server.office.answers else None
        if isinstance(trouble, tuple):
            return self._error(*trouble)
        if trouble == "drop before":
            return self._hang_up()
        return self._take(body, trouble)

    def _take(self, body: dict[str, Any], trouble: Trouble | None) -> None:
        reference = body["reference"]
        if reference in self.server.office.letters:
            return self._error(409, "duplicate_reference")
        assert reference == self.headers["Idempotency-Key"]
        assert base64.b64decode(body["document"]).startswith(b"%PDF")
        taken = {
            "id": f"L-{len(self.server.office.letters) + 1}",
            "status": "received",
            "reference": reference,
        }
        self.server.office.letters[reference] = taken | self._price(body) | {"recipient": body["recipient"]}
        if trouble == "drop after":
            return self._hang_up()
        if trouble == "silent after":
            self.server.office.is_silent.set()
            self.rfile.read(1)  # until the other side gives up
            self.close_connection = True
            return None
        if trouble == "garbage after":
            return self._write(200, b"<html>gateway</html>")
        return self._answer(201, self.server.office.letters[reference])

    def _price(self, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "price": f"{self.server.office.price_per_sheet * body['sheets']:.2f}",
            "currency": "EUR",
            "sheets": body["sheets"],
        }

    def _error(self, status: int, code: str) -> None:
        self._answer(status, {"error": {"code": code, "message": f"{code} was asked for"}})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._write(status, json.dumps(body).encode())

    def _write(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if self.server.office.retry_after:
            self.send_header("Retry-After", self.server.office.retry_after)
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()
