"""B-14: hooks over HTTP: what is believed is kept once, what is not is refused, and nothing is passed over."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from twilio.request_validator import RequestValidator

from infra.database.feedback import FeedbackInbox
from tests.console.web.reader import Reader
from tests.notifiers.feedback.amazon import (
    NOW,
    TOPIC,
    bounce,
    certificate,
    confirmation,
    notification,
    signed,
)

TOKEN = "a token of Twilio's"


class Amazon(BaseHTTPRequestHandler):
    """Amazon's server as a stand-in: certificates and confirmations."""

    confirmed: list[str]

    def do_GET(self) -> None:
        """Answer."""
        if "Action=ConfirmSubscription" in self.path:
            self.server.confirmed.append(self.path)  # type: ignore[attr-defined]
        content = certificate()
        self.send_response(302 if self.path.startswith("/Moved") else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """Serve a stand-in, which the settings name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Amazon)
    server.confirmed = []  # type: ignore[attr-defined]
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    monkeypatch.setenv("COBRANZA_FEEDBACK_SNS_TOPICS", TOPIC)
    monkeypatch.setenv("COBRANZA_FEEDBACK_SNS_ORIGIN", origin(server))
    monkeypatch.setenv("COBRANZA_FEEDBACK_TWILIO_AUTH_TOKENS", TOKEN)
    yield server
    server.shutdown()
    serving.join()
    server.server_close()


def origin(server: ThreadingHTTPServer) -> str:
    """Give the stand-in's address."""
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def reader(amazon: ThreadingHTTPServer, sqlite_engine: Engine, tmp_path: Path) -> Reader:
    """Give the application."""
    return Reader(sqlite_engine, tmp_path, now=NOW)


def kept(reader: Reader) -> list[str]:
    """Give the words in the inbox."""
    return [each.word.word for each in FeedbackInbox(reader.engine).lines(lines_max=100)]


def pem(server: ThreadingHTTPServer, name: str = "SimpleNotificationService-0123456789abcdef") -> str:
    """Give the address of a certificate."""
    return f"{origin(server)}/{name}.pem"


def test_an_event_told_ten_times_is_kept_once(reader: Reader, amazon: ThreadingHTTPServer) -> None:
    """SNS tells until it is answered with 200, and sometimes after."""
    body = signed(notification(bounce(), SigningCertURL=pem(amazon)))
    assert [200] * 10 == [reader.browser.post("/hooks/ses", content=body).status_code for _ in range(10)]
    assert ["ses/0102018e-ses-1/bounced/zoe@customer.example"] == kept(reader)


def test_forged_and_foreign_are_refused(reader: Reader, amazon: ThreadingHTTPServer) -> None:
    """403, and nothing is kept: changed, of another topic, with another's certificate."""
    good = notification(bounce(), SigningCertURL=pem(amazon))
    bodies = [
        signed(good).replace(b"Permanent", b"Transient"),
        signed(good | {"TopicArn": f"{TOPIC}-2"}),
        signed(
            good | {"SigningCertURL": "https://evil.example/SimpleNotificationService-0123456789abcdef.pem"}
        ),
        signed(good | {"SigningCertURL": pem(amazon, "other")}),
    ]
    assert [403] * 4 == [reader.browser.post("/hooks/ses", content=each).status_code for each in bodies]
    assert [] == kept(reader)


def test_what_is_not_understood_and_what_cannot_be_checked(
    reader: Reader, amazon: ThreadingHTTPServer
) -> None:
    """400 is the sender's, 503 asks it to come again; a redirect is not followed; 405 and 413 are HTTP's own."""
    moved = signed(notification(bounce(), SigningCertURL=pem(amazon, "MovedSimple")))
    assert 403 == reader.browser.post("/hooks/ses", content=moved).status_code
    assert 400 == reader.browser.post("/hooks/ses", content=b"{}").status_code
    odd = signed(
        notification({"eventType": "Gossip", "mail": {"messageId": "1"}}, SigningCertURL=pem(amazon))
    )
    assert 400 == reader.browser.post("/hooks/ses", content=odd).status_code
    gone = signed(
        notification(
            bounce(), SigningCertURL="http://127.0.0.1:1/SimpleNotificationService-0123456789abcdef.pem"
        )
    )
    assert 403 == reader.browser.post("/hooks/ses", content=gone).status_code
    assert 405 == reader.browser.get("/hooks/ses").status_code
    assert (
        413 == reader.browser.post("/hooks/ses", content=b"x" * (reader.web.body_bytes_max + 1)).status_code
    )
    assert [] == kept(reader)


def test_amazon_away_is_told_to_come_again(reader: Reader, amazon: ThreadingHTTPServer) -> None:
    """Its certificate cannot be had: no forgery, and nothing is lost, since SNS tells again."""
    body = signed(
        notification(bounce(), SigningCertURL=pem(amazon, "SimpleNotificationService-00000000aaaaaaaa"))
    )
    amazon.shutdown()
    amazon.server_close()
    assert 503 == reader.browser.post("/hooks/ses", content=body).status_code


def test_a_subscription_of_ours_is_confirmed(reader: Reader, amazon: ThreadingHTTPServer) -> None:
    """Once it is believed; the end of one is not, or it would be renewed."""
    url = f"{origin(amazon)}/?Action=ConfirmSubscription&Token=2336412f37"
    body = signed(confirmation(SubscribeURL=url, SigningCertURL=pem(amazon)))
    assert 200 == reader.browser.post("/hooks/ses", content=body).status_code
    assert ["/?Action=ConfirmSubscription&Token=2336412f37"] == amazon.confirmed  # type: ignore[attr-defined]
    ended = signed(confirmation(Type="UnsubscribeConfirmation", SubscribeURL=url, SigningCertURL=pem(amazon)))
    assert 200 == reader.browser.post("/hooks/ses", content=ended).status_code
    foreign = signed(confirmation(TopicArn=f"{TOPIC}-2", SubscribeURL=url, SigningCertURL=pem(amazon)))
    assert 403 == reader.browser.post("/hooks/ses", content=foreign).status_code
    assert 1 == len(amazon.confirmed)  # type: ignore[attr-defined]


def tell(reader: Reader, path: str, form: dict[str, str], *, token: str = TOKEN, url: str = "") -> Any:
    """Post a form as Twilio does, with its signature."""
    called = url or f"https://pay.example{path}"
    signature = RequestValidator(token).compute_signature(called, form)
    return reader.browser.post(path, data=form, headers={"X-Twilio-Signature": signature})


def test_fates_of_sms(reader: Reader) -> None:
    """What is on its way is no word; the end is one, though it is told twice."""
    path = "/hooks/twilio/status?reminder=r1"
    for status in ("sent", "undelivered", "undelivered"):
        form = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": "30005", "To": "+34600000000"}
        assert 200 == tell(reader, path, form).status_code
    [heard] = FeedbackInbox(reader.engine).lines(lines_max=10)
    assert ("r1", "number_unreachable", "failed") == (
        heard.word.reminder,
        heard.word.error_type,
        heard.word.said,
    )


def test_a_status_that_is_neither_yes_nor_no_is_kept(reader: Reader) -> None:
    """Part of it has arrived; or Twilio has a new word: it need not tell it again, and who looks finds it."""
    for status in ("partially_delivered", "vanished"):
        form = {"MessageSid": "SM1", "MessageStatus": status, "To": "+34600000000"}
        assert 200 == tell(reader, "/hooks/twilio/status?reminder=r1", form).status_code
    heard = [each.word for each in FeedbackInbox(reader.engine).lines(lines_max=10)]
    assert [("unclear", "Twilio: partially_delivered"), ("unclear", "Twilio: vanished")] == sorted(
        (word.said, word.detail) for word in heard
    )


def test_what_readers_write_back(reader: Reader) -> None:
    """Nothing is written back to them by us; their words are kept."""
    answer = tell(
        reader, "/hooks/twilio/incoming", {"MessageSid": "SM2", "From": "+34600000000", "Body": "¡Baja!"}
    )
    assert (200, "text/xml; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert answer.text.endswith("<Response/>")
    assert ["stop"] == [each.word.said for each in FeedbackInbox(reader.engine).lines(lines_max=10)]


def test_forged_sms_are_refused(reader: Reader) -> None:
    """Another token, another address, no signature, another form: 403; a form that is none: 400."""
    path, form = "/hooks/twilio/status?reminder=r1", {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert 403 == tell(reader, path, form, token="another").status_code
    assert (
        403 == tell(reader, path, form, url="https://pay.example/hooks/twilio/status?reminder=r2").status_code
    )
    assert 403 == reader.browser.post(path, data=form).status_code
    assert 400 == reader.browser.post(path, content=b"\xff\xfe").status_code
    assert [] == kept(reader)


def test_a_hook_that_nothing_is_set_for_believes_nobody(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it comes, everything is refused."""
    for name in ("SNS_TOPICS", "SNS_ORIGIN", "TWILIO_AUTH_TOKENS"):
        monkeypatch.delenv(f"COBRANZA_FEEDBACK_{name}", raising=False)
    reader = Reader(sqlite_engine, tmp_path, now=NOW)
    assert 403 == reader.browser.post("/hooks/ses", content=signed(notification(bounce()))).status_code
    assert (
        403
        == tell(reader, "/hooks/twilio/incoming", {"MessageSid": "SM2", "From": "+1"}, token="").status_code
    )
