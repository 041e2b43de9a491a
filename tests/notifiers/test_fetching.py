"""Documents from the web: only from allowed hosts, only in public, only of the kind and size that was asked for."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from notifiers.enclosing.addresses import AddressRefusedError, checked_address, checked_url
from notifiers.enclosing.fetching import Fetcher, FetchFailedError, FetchRefusedError
from notifiers.enclosing.settings import DocumentSettings
from tests.notifiers.certificates import certificate_of
from tests.notifiers.document_server import HOST, Answer, DocumentServer, serving

PDF = b"%PDF-1.7 made up"
PDF_ANSWER: Answer = (200, {"Content-Type": "application/pdf"}, PDF)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentServer]:
    """Give the server of documents."""
    with serving(tmp_path_factory.mktemp("tls")) as told:
        yield told


def fetcher(server: DocumentServer, **changes: object) -> Fetcher:
    """Make one that may ask our own network, where the server is."""
    given = {
        "hosts": f"{HOST}:{server.port}",
        "private": True,
        "ca_file": str(server.ca_file),
        "bytes_max": 10_000,
        "timeout_s": 60.0,
    }
    settings = DocumentSettings(**(given | changes))  # type: ignore[arg-type]
    return Fetcher(settings, resolve=lambda _host, _port: ["127.0.0.1"])


def test_a_document_is_fetched(server: DocumentServer) -> None:
    """S4-14: the PDF, byte by byte; the name is resolved by us, the certificate is its own."""
    server.answers["/f.pdf?a=1"] = PDF_ANSWER
    assert PDF == fetcher(server).fetch(server.url("/f.pdf?a=1"), kind="pdf")


def test_xml_is_fetched(server: DocumentServer) -> None:
    """S4-15: XML with a byte order mark, under a type of its own."""
    xml = b"\xef\xbb\xbf<?xml version='1.0'?><a/>"
    server.answers["/f.xml"] = (200, {"Content-Type": "application/vnd.invoice+xml; charset=utf-8"}, xml)
    assert xml == fetcher(server).fetch(server.url("/f.xml"), kind="xml")


@pytest.mark.parametrize(
    ("answer", "error", "detail"),
    [
        ((404, {}, b""), FetchRefusedError, "404"),
        ((403, {}, b""), FetchRefusedError, "403"),
        ((503, {}, b""), FetchFailedError, "503"),
        ((429, {}, b""), FetchFailedError, "429"),
        ((200, {"Content-Type": "text/html"}, b"<html>log in</html>"), FetchRefusedError, "'text/html'"),
        ((200, {"Content-Type": "application/pdf"}, b"<html>log in</html>"), FetchRefusedError, "no PDF"),
        ((200, {}, b"MZ\x90"), FetchRefusedError, "no PDF"),
        ((200, {"Content-Type": "application/pdf", "Content-Encoding": "gzip"}, PDF), FetchRefusedError, "compressed"),
        ((200, {"Content-Type": "application/pdf"}, PDF + b"x" * 10_000), FetchRefusedError, "larger than"),
        ((200, {"Content-Length": "99999999"}, PDF), FetchRefusedError, "larger than"),
        ((200, {"Content-Length": "100"}, PDF), FetchFailedError, "IncompleteRead|missing"),
        ((302, {"Location": "http://files.example/"}, b""), FetchRefusedError, "only https"),
        ((302, {"Location": "https://169.254.169.254/latest"}, b""), FetchRefusedError, "not among the allowed"),
        ((302, {"Location": "file:///etc/passwd"}, b""), FetchRefusedError, "only https"),
        ((302, {"Location": "/answer"}, b""), FetchRefusedError, "leads elsewhere more than"),
        ((302, {"Location": "https://[::1/x"}, b""), FetchRefusedError, "no address"),
        ((302, {}, b""), FetchRefusedError, "leads elsewhere more than"),
    ],
)  # fmt: skip
def test_what_is_not_taken(
    server: DocumentServer, answer: Answer, error: type[Exception], detail: str
) -> None:
    """A login page is no invoice; a busy server is asked again later; a redirect does not lead inside."""
    server.answers["/answer"] = answer
    with pytest.raises(error, match=detail):
        fetcher(server).fetch(server.url("/answer"), kind="pdf")


def test_a_redirect_to_an_allowed_place_is_followed(server: DocumentServer) -> None:
    """A billing system may keep its files elsewhere on the same host."""
    server.answers["/old"] = (302, {"Location": "/new.pdf"}, b"")
    server.answers["/new.pdf"] = PDF_ANSWER
    assert PDF == fetcher(server).fetch(server.url("/old"), kind="pdf")


def test_what_never_ends_is_given_up(server: DocumentServer) -> None:
    """A body without a length that goes on and on ends at the limit of size."""

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/pdf")
        handler.end_headers()
        handler.wfile.write(PDF)
        try:
            for _ in range(100_000):
                handler.wfile.write(b"x" * 65_536)
        except OSError:
            return

    server.answers["/endless"] = endless
    with pytest.raises(FetchRefusedError, match="larger than"):
        fetcher(server).fetch(server.url("/endless"), kind="pdf")


@pytest.mark.parametrize("part", ["head", "body"])
def test_what_drips_is_given_up(server: DocumentServer, part: str) -> None:
    """A server that sends a byte now and then does not hold a worker for longer than the limit of time."""

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.0 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 5000\r\n\r\n"
        try:
            if part == "body":
                handler.wfile.write(head)
            for each in head * 100:
                handler.wfile.write(bytes((each,)))
                handler.wfile.flush()
        except OSError:
            return

    now_s = iter(range(1_000_000))
    server.answers["/drip"] = dripping
    settings = DocumentSettings(
        hosts=f"{HOST}:{server.port}", private=True, ca_file=str(server.ca_file), timeout_s=50.0
    )
    slow = Fetcher(settings, resolve=lambda _host, _port: ["127.0.0.1"], monotonic=lambda: float(next(now_s)))
    with pytest.raises(FetchFailedError, match="within 50 s"):
        slow.fetch(server.url("/drip"), kind="pdf")


def test_a_name_that_no_resolver_takes_is_refused() -> None:
    """A label of 70 letters below an allowed domain is no host, and no accident."""
    fetching = Fetcher(DocumentSettings(hosts=".files.example"))
    with pytest.raises(FetchRefusedError, match="no address"):
        fetching.fetch(f"https://{'a' * 70}.files.example/", kind="pdf")


def test_a_certificate_of_somebody_else_is_refused(server: DocumentServer) -> None:
    """The address is ours to look up; who answers there must still be the host."""
    with pytest.raises(FetchRefusedError, match="certificate"):
        fetcher(server, hosts=f"other.example:{server.port}").fetch(
            f"https://other.example:{server.port}/f.pdf", kind="pdf"
        )
    with pytest.raises(FetchRefusedError, match="certificate"):
        fetcher(server, ca_file="").fetch(server.url("/f.pdf"), kind="pdf")


def test_a_changed_file_of_certificates_needs_no_restart(server: DocumentServer, tmp_path: Path) -> None:
    """It gets the one that the host shows by now: the next document is fetched, by who has begun with the old one."""
    (tmp_path / "old").mkdir()
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(certificate_of(tmp_path / "old").read_bytes())
    server.answers["/f.pdf"] = PDF_ANSWER
    fetching = fetcher(server, ca_file=str(trusted))
    with pytest.raises(FetchRefusedError, match="certificate"):
        fetching.fetch(server.url("/f.pdf"), kind="pdf")
    trusted.write_bytes(server.ca_file.read_bytes())
    assert PDF == fetching.fetch(server.url("/f.pdf"), kind="pdf")


def test_nobody_there_may_be_there_later(tmp_path: Path) -> None:
    """A connection that is refused, or a name that has no address, is a failure that may pass."""
    settings = DocumentSettings(hosts=f"{HOST}:1", private=True)
    with pytest.raises(FetchFailedError):
        Fetcher(settings, resolve=lambda _host, _port: ["127.0.0.1"]).fetch(f"https://{HOST}:1/", kind="pdf")
    with pytest.raises(FetchFailedError):
        Fetcher(settings, resolve=lambda _host, _port: []).fetch(f"https://{HOST}:1/", kind="pdf")


INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0",  # noqa: S104 - is refused
    "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "fec0::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_our_own_network_is_not_asked(address: str) -> None:
    """An allowed name that leads inside, in whatever spelling, beside whatever public address, is refused."""
    with pytest.raises(AddressRefusedError):
        checked_address(HOST, 443, private=False, resolve=lambda _host, _port: ["93.184.216.34", address])


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_the_public_network_is_asked(address: str) -> None:
    """The address that was looked at is the one that is connected to."""
    assert address == checked_address(HOST, 443, private=False, resolve=lambda _host, _port: [address])


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "224.0.0.1"])
def test_what_clouds_keep_their_keys_behind_is_never_asked(address: str) -> None:
    """Also where our own network is allowed, link-local addresses are not."""
    with pytest.raises(AddressRefusedError):
        checked_address(HOST, 443, private=True, resolve=lambda _host, _port: [address])


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://files.example/a.pdf", True),
        ("https://FILES.example/a.pdf", True),
        ("https://files.example:443/a.pdf", True),
        ("https://files.example./a.pdf", True),
        ("https://a.b.billing.example/x", True),
        ("https://other.example:8443/x", True),
        ("https://billing.example/x", False),
        ("https://other.example/x", False),
        ("https://files.example:8443/a.pdf", False),
        ("http://files.example/a.pdf", False),
        ("https://files.example.evil.example/", False),
        ("https://evil.example/?files.example", False),
        ("https://files.example@evil.example/", False),
        ("https://evil.example#@files.example/", False),
        ("https://evil.example\\@files.example/", False),
        ("https://2130706433/", False),
        ("https://[::1]/", False),
        ("https:///a.pdf", False),
        ("ftp://files.example/", False),
        ("https://files.example:x/", False),
        ("https://files.example/a b", False),
        ("https://files.example/\r\nHost: evil", False),
    ],
)
def test_only_allowed_hosts(url: str, is_allowed: bool) -> None:
    """A host as it is named, all below a domain, a port of its own; nothing that merely looks like it."""
    hosts = DocumentSettings(hosts="files.example, .billing.example,other.example:8443").allowed_hosts()
    if is_allowed:
        assert checked_url(url, hosts=hosts).hostname
    else:
        with pytest.raises(AddressRefusedError):
            checked_url(url, hosts=hosts)


@pytest.mark.parametrize("hosts", ["https://files.example", "files.example:x", "a b", "*.example"])
def test_hosts_that_are_none(hosts: str) -> None:
    """A slip in the setting is said when a process starts."""
    with pytest.raises(ValueError, match="is no host"):
        DocumentSettings(hosts=hosts)
