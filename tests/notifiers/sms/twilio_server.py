"""A stand-in for Twilio's API on this machine: it answers as the real one does, refusals and silence included."""

import datetime
import email.utils
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

ACCOUNT = "AC" + "0" * 32
SERVICE = "MG" + "1" * 32
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


class TwilioServer:
    """Takes messages and lists them; ``refusals`` of sendings come first, in order: (status, code).

    A client that gave up leaves its request in the queue, to be answered when the one before it is: what is refused
    of sendings is therefore kept apart from what is refused of questions. Where an answer is to be lost, the
    connection is cut (``loses``): that takes no time, which a busy machine might not have.
    """

    def __init__(self, server: HTTPServer, *, now: datetime.datetime) -> None:
        self.now = now
        self.url = server.url_for("").rstrip("/")
        self.requests: list[dict[str, str]] = []
        self.authorized: list[tuple[str, str]] = []
        self.taken: list[dict[str, Any]] = []
        self.refusals: list[tuple[int, int]] = []
        self.unlisted: list[tuple[int, int]] = []
        self.loses = False  # it takes messages, and its answers do not arrive, those to questions included
        self.silent = False  # it takes the message and does not answer before it is released
        self.released = threading.Event()
        self.answered = threading.Event()  # after a silence
        server.expect_request(MESSAGES, method="POST").respond_with_handler(self._create)
        server.expect_request(MESSAGES, method="GET").respond_with_handler(self._list)

    def take(self, *, to: str, body: str, at: datetime.datetime | None = None, **more: Any) -> dict[str, Any]:
        """Put a message into the list."""
        made = {
            "sid": f"SM{len(self.taken):032x}",
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "to": to,
            "from": None,
            "messaging_service_sid": SERVICE,
            "body": body,
            "status": "accepted",
            "direction": "outbound-api",
            "date_created": email.utils.format_datetime(at or self.now),
            "date_updated": email.utils.format_datetime(at or self.now),
            "date_sent": None,
            "error_code": None,
            "error_message": None,
            "num_media": "0",
            "num_segments": "0",
            "price": None,
            "price_unit": None,
            "subresource_uris": {},
            "uri": "/",
        } | more
        self.taken.append(made)
        return made

    def _create(self, request: Request) -> Response:
        self.requests.append(request.form.to_dict())
        if request.authorization is not None:
            self.authorized.append(
                (request.authorization.username or "", request.authorization.password or "")
            )
        if self.refusals:
            return _refusal(*self.refusals.pop(0))
        made = self.take(to=request.form["To"], body=request.form["Body"])
        self._may_lose(request)
        if self.silent:
            assert self.released.wait(60)
            self.answered.set()
        return _answer(201, made)

    def _may_lose(self, request: Request) -> None:
        if self.loses:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)

    def _list(self, request: Request) -> Response:
        self._may_lose(request)
        if self.unlisted:
            return _refusal(*self.unlisted.pop(0))
        listed = [each for each in self.taken if each["to"] == request.args["To"]]
        size = int(request.args["PageSize"])
        return _answer(
            200,
            {
                "messages": list(reversed(listed))[:size],
                "page": 0,
                "page_size": size,
                "start": 0,
                "end": len(listed),
                "uri": request.path,
                "first_page_uri": request.path,
                "next_page_uri": None,
                "previous_page_uri": None,
            },
        )


def _refusal(status: int, code: int) -> Response:
    if code == 0:  # a gateway before the API
        return Response("<html>no</html>", status=status, content_type="text/html")
    more = f"https://www.twilio.com/docs/errors/{code}"
    return _answer(
        status, {"code": code, "message": f"refused as {code}", "more_info": more, "status": status}
    )


def _answer(status: int, data: object) -> Response:
    return Response(json.dumps(data), status=status, content_type="application/json")


@contextmanager
def cutting_server(first: bytes = b"") -> Iterator[str]:
    """Give the address of a server that reads each request, says ``first``, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            with connection:
                while b"Body=" not in connection.recv(65_536):
                    pass
                connection.sendall(first)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=60)
