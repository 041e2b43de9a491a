"""A small https server of documents for tests: it answers as it is told, well or badly."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["HOST", "Answer", "DocumentServer", "serving"]

HOST = "files.example"
_HERE = "127.0.0.1"
Answer = tuple[int, dict[str, str], bytes]
_FROM, _TO = datetime.datetime(2020, 1, 1), datetime.datetime(2120, 1, 1)


class DocumentServer:
    """Answers GET by path; remembers what it was asked."""

    def __init__(self, port: int, ca_file: Path) -> None:
        self.port = port
        self.ca_file = ca_file
        self.answers: dict[str, Answer | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []

    def url(self, path: str) -> str:
        """Give a document's address."""
        return f"https://{HOST}:{self.port}{path}"

    def url_here(self, path: str) -> str:
        """Give an address that needs nobody who knows what ``HOST`` is."""
        return f"https://{_HERE}:{self.port}{path}"


@contextmanager
def serving(folder: Path) -> Iterator[DocumentServer]:
    """Serve on 127.0.0.1 with a certificate for ``HOST``."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer((_HERE, 0), BaseHTTPRequestHandler)
    told = DocumentServer(server.server_address[1], certificate)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            answer = told.answers.get(self.path, (404, {}, b""))
            if callable(answer):
                answer(self)
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name
            pass

    server.RequestHandlerClass = Handler
    server.socket = context.wrap_socket(
        server.socket,
        server_side=True,
        do_handshake_on_connect=False,  # by whom it is served: one that hangs keeps nobody
    )
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that leaves is what is tested
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    names = x509.SubjectAlternativeName(
        [x509.DNSName(HOST), *(x509.IPAddress(ipaddress.ip_address(each)) for each in ("192.0.2.1", _HERE))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret
