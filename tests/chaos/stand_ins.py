"""Providers on this machine that count what they take, refuse as real ones do, and hang up in the middle.

They live in the process that judges, which nobody kills. Mail comes by SMTP or as SES is spoken to,
SMS as Twilio is, letters as a print-and-post service is: a reminder that is taken twice is seen.
"""

import base64
import email.utils
import http.server
import json
import random
import re
import sys
import threading
import time
from asyncio import Transport
from collections import Counter
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.ports import free_port

__all__ = ["StandIns"]

_REMINDER: Final = re.compile(rb"(?mi)^X-Cobranza-Reminder: *(\S+)")
_TEMPORARY: Final = 0.02
_HANGS_UP: Final = 0.004
_REFUSED: Final = 0.01
_SIZE_MAX: Final = 8 * 1024 * 1024


class StandIns:
    """All of them; a context. ``taken`` counts by (channel, reminder), ``refused`` what was refused for good."""

    def __init__(self, *, seed: int) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        self.refused: set[tuple[str, str]] = set()
        self._chance = random.Random(seed)  # noqa: S311 - what goes wrong, no secret
        self._guard = threading.Lock()
        self._smtp_port = free_port()
        self._smtp = Controller(_Mailbox(self), hostname="127.0.0.1", port=self._smtp_port)
        self._http = _Http(self)
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.letters: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._smtp.start()
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._smtp.stop()
        self._http.shutdown()
        self._http.server_close()

    def environment(self, *, email_by: str) -> dict[str, str]:
        """Give the settings that send everything here; mail by ``smtp`` or ``ses``."""
        url = f"http://127.0.0.1:{self._http.server_address[1]}"
        given = {
            "EMAIL": email_by,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self._smtp_port),
            "SMTP_SECURITY": "none",
            "SMTP_SENDER": "desk@company.example",
            "SMTP_CONNECTIONS": "4",
            "SMTP_TIMEOUT_S": "10",
            "SES_REGION": "eu-west-1",
            "SES_SENDER": "desk@company.example",
            "SES_ENDPOINT_URL": url,
            "SES_CONNECTIONS": "4",
            "SES_TIMEOUT_S": "10",
            "SMS": "twilio",
            "TWILIO_URL": url,
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "secret",
            "TWILIO_SENDER": "+34911111111",
            "TWILIO_STATUS_URL": "https://hooks.example/twilio",
            "TWILIO_TIMEOUT_S": "10",
            "TWILIO_SETTLE_S": "5",
            "LETTER": "post",
            "POST_URL": url + "/v1",
            "POST_USER": "desk",
            "POST_KEY": "secret",
            "POST_TIMEOUT_S": "10",
            "RETRY_S_FIRST": "0.05",
            "RETRY_S_MAX": "1",
            "ATTEMPTS_MAX": "1000",
        }
        # Without any credentials SES's client asks nobody, and all mail waits.
        keys = {"AWS_ACCESS_KEY_ID": "stand-in", "AWS_SECRET_ACCESS_KEY": "stand-in"}
        return keys | {f"COBRANZA_SEND_{name}": value for name, value in given.items()}

    def fate(self, channel: str, reminder: str) -> str:
        """Draw what becomes of one call: 'take', 'later', 'refuse', 'hang up', or 'take and hang up'."""
        with self._guard:
            drawn = self._chance.random()
        if drawn < _TEMPORARY:
            return "later"
        if drawn < _TEMPORARY + _HANGS_UP:
            return "hang up"
        if drawn < _TEMPORARY + 2 * _HANGS_UP:
            return "take and hang up"
        if drawn < _TEMPORARY + 2 * _HANGS_UP + _REFUSED:
            with self._guard:
                self.refused.add((channel, reminder))
            return "refuse"
        return "take"

    def take(self, channel: str, reminder: str) -> int:
        """Count a message that is taken from now on; how often it was."""
        with self._guard:
            self.taken[channel, reminder] += 1
            return self.taken[channel, reminder]


class _Mailbox:
    def __init__(self, of: StandIns) -> None:
        self._of = of

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content
        found = _REMINDER.search(content if isinstance(content, bytes) else str(content).encode())
        assert found is not None
        reminder = found[1].decode()
        fate = self._of.fate("email", reminder)
        if fate == "later":
            return "451 4.3.0 try again"
        if fate == "refuse":
            return "554 5.7.1 not this"
        if fate.startswith("take"):
            self._of.take("email", reminder)
        if fate.endswith("hang up"):
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        return "250 2.0.0 taken"


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that end because their process was killed; all else is a bug here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def __init__(self, of: StandIns) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.of = of


class _Desk(http.server.BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/v1/letters":
            found = self.server.of.letters.get(asked["reference"])
            return self._answer(200, {"letters": [] if found is None else [found]})
        listed = self.server.of.messages.get(asked["To"], [])
        more = {"page": 0, "page_size": 50, "start": 0, "end": len(listed), "uri": parts.path}
        pages = {"first_page_uri": parts.path, "next_page_uri": None, "previous_page_uri": None}
        return self._answer(200, {"messages": listed[::-1], **more, **pages})

    def do_POST(self) -> None:
        length = min(int(self.headers["Content-Length"]), _SIZE_MAX)
        content = self.rfile.read(length)
        if len(content) < length:  # who asked was killed in the middle: this was never asked
            self.close_connection = True
            return None
        if self.path == "/v1/letters":
            return self._letter(json.loads(content))
        if self.path == "/v1/quotes":
            return self._answer(200, {"price": "0.85", "currency": "EUR", "sheets": 1})
        if "outbound-emails" in self.path:
            return self._mail(json.loads(content))
        return self._message({name: values[0] for name, values in parse_qs(content.decode()).items()})

    def do_PUT(self) -> None:
        """SES's older verb."""
        self.do_POST()

    def _mail(self, body: dict[str, Any]) -> None:
        found = _REMINDER.search(base64.b64decode(body["Content"]["Raw"]["Data"]))
        assert found is not None
        refusal = {"message": "no", "__type": "TooManyRequestsException"}
        refused = {"message": "no", "__type": "MessageRejected"}
        self._by_fate("email", found[1].decode(), later=(429, refusal), refuse=(400, refused))

    def _message(self, form: dict[str, str]) -> None:
        reminder = parse_qs(urlsplit(form["StatusCallback"]).query)["reminder"][0]
        more = {"message": "no", "more_info": "https://twilio.example"}
        self._by_fate(
            "sms",
            reminder,
            later=(429, {"code": 20429, "status": 429} | more),
            refuse=(400, {"code": 21211, "status": 400} | more),
            form=form,
        )

    def _letter(self, body: dict[str, Any]) -> None:
        known = self.server.of.letters.get(body["reference"])
        if known is not None:
            return self._answer(409, {"error": {"code": "duplicate_reference", "message": "known"}})
        error = {"error": {"code": "busy", "message": "busy"}}
        refused = {"error": {"code": "address_invalid", "message": "no such street"}}
        return self._by_fate(
            "letter", body["reference"], later=(503, error), refuse=(422, refused), form={"sheets": 1}
        )

    def _by_fate(
        self,
        channel: str,
        reminder: str,
        *,
        later: tuple[int, object],
        refuse: tuple[int, object],
        form: dict[str, Any] | None = None,
    ) -> None:
        fate = self.server.of.fate(channel, reminder)
        if fate in ("later", "refuse"):
            return self._answer(*(later if fate == "later" else refuse))
        answer: dict[str, Any] = {"MessageId": reminder}
        if fate.startswith("take"):
            count = self.server.of.take(channel, reminder)
            if channel == "sms":
                answer = self._listed(form or {}, sid=f"SM{reminder}-{count}")
            elif channel == "letter":
                answer = {"id": f"L-{reminder}", "status": "received", "reference": reminder}
                self.server.of.letters[reminder] = answer | {"price": "0.85", "currency": "EUR", "sheets": 1}
                answer = self.server.of.letters[reminder]
        if fate.endswith("hang up"):
            self.close_connection = True
            self.connection.close()
            return None
        return self._answer(200 if channel == "email" else 201, answer)

    def _listed(self, form: dict[str, Any], *, sid: str) -> dict[str, Any]:
        now = email.utils.formatdate(time.time())
        made = {
            "sid": sid,
            "account_sid": "AC" + "0" * 32,
            "api_version": "2010-04-01",
            "to": form["To"],
            "from": form.get("From"),
            "body": form["Body"],
            "status": "queued",
            "direction": "outbound-api",
            "date_created": now,
            "date_updated": now,
            "date_sent": None,
            "error_code": None,
            "error_message": None,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "subresource_uris": {},
            "uri": "/",
        }
        self.server.of.messages.setdefault(form["To"], []).append(made)
        return made

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
