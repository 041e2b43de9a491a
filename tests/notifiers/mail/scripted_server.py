"""An SMTP server that does exactly what it is told, byte by byte: what no real one can be made to do."""

import socketserver
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Self

__all__ = ["HANG_UP", "ScriptedServer"]

HANG_UP = "hang up"
_GOOD = {"DATA": "354 go ahead", "content": "250 2.0.0 taken", "STARTTLS": "220 go", "RSET": "250 ok"}


class ScriptedServer:
    """Serves each connection in a thread, as a context.

    Attributes:
        extensions: what it offers to EHLO.
        answers: command (or "content", "connect") -> answers to give in turn, then the usual one.
        heard: the commands of each connection, in order.
        contents: the mails that were handed over whole.
        withholds: answers to MAIL and RCPT come with the one to DATA: only who sends all at once gets on.
        tls: a certificate to show, at once or after STARTTLS.
        before_content_answer: called before the answer to a content.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, is_tls_at_once: bool = False) -> None:
        self.extensions = ["SIZE 1000000", "PIPELINING", "STARTTLS" if tls else "8BITMIME"]
        self.answers: dict[str, list[str]] = defaultdict(list)
        self.heard: list[list[str]] = []
        self.contents: list[bytes] = []
        self.withholds = False
        self.tls = tls
        self.is_tls_at_once = is_tls_at_once
        self.before_content_answer: Callable[[], object] = lambda: None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.script = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def commands(self) -> list[str]:
        """All commands after the greeting, of all connections, without what follows the word."""
        return [
            each.partition(" ")[0]
            for said in self.heard
            for each in said
            if each[:4].upper() not in ("EHLO", "QUIT")
        ]

    def answer_to(self, command: str) -> str:
        """Give the next answer."""
        told = self.answers[command]
        return told.pop(0) if told else _GOOD.get(command, "250 ok")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    script: ScriptedServer


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        script = self.server.script
        heard: list[str] = []
        script.heard.append(heard)
        if script.tls is not None and script.is_tls_at_once:
            self._protect(script.tls)
        self._say(script.answer_to("connect").replace("250", "220"))
        held = ""
        while line := self.rfile.readline():
            heard.append(line.decode().strip())
            word = heard[-1].partition(" ")[0].upper()
            if word == "EHLO":
                self._say(
                    "\r\n".join(["250-scripted", *(f"250-{each}" for each in script.extensions), "250 HELP"])
                )
                continue
            answer = script.answer_to(word)
            if answer == HANG_UP:
                return
            if script.withholds and word in ("MAIL", "RCPT"):
                held += f"{answer}\r\n"
                continue
            self._say(held + answer)
            held = ""
            if word == "STARTTLS" and script.tls is not None:
                self._protect(script.tls)
            if answer.startswith("354") and not self._take_content():
                return

    def _take_content(self) -> bool:
        """Read a mail, answer; False: the connection is to end."""
        script = self.server.script
        if script.answers["content"][:1] == [f"{HANG_UP} within"]:
            self.rfile.read(1_000)
            return False
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            line = self.rfile.readline()
            if not line:
                return False
            content += line
        script.contents.append(content)
        script.before_content_answer()
        answer = script.answer_to("content")
        if answer == HANG_UP:
            return False
        self._say(answer)
        return True

    def _protect(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.request = self.connection
        self.rfile = self.connection.makefile("rb")

    def _say(self, answer: str) -> None:
        self.connection.sendall(f"{answer}\r\n".encode())
