"""SES: what is asked of it, what each of its answers means, and what no answer means."""

import base64
import email
import email.policy
import json
import re
import threading
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest
from botocore.validate import ParamValidator
from moto import mock_aws
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from infra.ports import free_port
from notifiers.channel import Message, PermanentError, TemporaryError, UncertainError
from notifiers.mail.ses import SesChannel, ses_channel
from notifiers.mail.settings import SesSettings
from schemas.events import Contact
from tests.notifiers.sending import CONTACT, RENDERER, SettableClock, reminder

PATH = "/v2/email/outbound-emails"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give credentials that open nothing, and what an environment may say about repeating."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")


@pytest.fixture
def channel(httpserver: HTTPServer) -> SesChannel:
    """Give a channel to a stand-in on this machine."""
    return channel_to(httpserver.url_for(""))


@cache
def channel_to(url: str, *, timeout_s: float = 60.0) -> SesChannel:
    """Make a channel to an endpoint; boto3 takes a second for it."""
    settings = SesSettings(
        region="eu-west-1", endpoint_url=url, configuration_set="events", timeout_s=timeout_s
    )
    return ses_channel(settings, clock=SettableClock())


def message(contact: Contact = CONTACT, *, name: str = "r1") -> Message:
    """Make a mail."""
    return RENDERER.message(reminder(name, contact=contact), "email")


def refuse(server: HTTPServer, *, status: int, code: str, said: str = "no") -> None:
    """Have SES answer with an error, as it does."""
    server.expect_request(PATH).respond_with_json(
        {"message": said}, status=status, headers={"x-amzn-ErrorType": code} if code else {}
    )


def test_what_ses_is_asked(httpserver: HTTPServer, channel: SesChannel) -> None:
    """One recipient, the whole mail, the configuration set, and tags by which its events find the reminder."""
    httpserver.expect_oneshot_request(PATH, method="POST").respond_with_json({"MessageId": "0100-abc"})
    receipt = channel.send(msgspec.structs.replace(message(), reminder="r/1 ñ"))
    assert "0100-abc" == receipt.provider_id
    ((request, _),) = httpserver.log
    asked = json.loads(request.get_data())
    content = base64.b64decode(asked.pop("Content")["Raw"]["Data"])
    assert {
        "FromEmailAddress": "billing@company.example",
        "Destination": {"ToAddresses": ["zoe@customer.example"]},
        "ConfigurationSetName": "events",
        "EmailTags": [
            {"Name": "reminder", "Value": "r_1__"},
            {"Name": "company", "Value": "acme"},
            {"Name": "channel", "Value": "email"},
        ],
    } == asked
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert "Zoë Ñandú <zoe@customer.example>" == mail["To"]
    assert request.headers["User-Agent"].startswith("cobranza Boto3/")


def test_what_ses_is_asked_has_the_shape_that_it_wants(
    httpserver: HTTPServer, channel: SesChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checked by boto3 here, with its own model of SES, and not for each mail."""
    asked: dict[str, object] = {}

    def send_email(**given: object) -> dict[str, str]:
        asked.update(given)
        return {"MessageId": "1"}

    monkeypatch.setattr(channel._client, "send_email", send_email)
    channel.send(message())
    shape = channel._client.meta.service_model.operation_model("SendEmail").input_shape
    assert not ParamValidator().validate(asked, shape).has_errors()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (429, "TooManyRequestsException", "slow down"),
        (400, "ThrottlingException", "Maximum sending rate exceeded."),
        (400, "ThrottlingException", "Daily message quota exceeded."),
        (400, "LimitExceededException", "too many"),
        (400, "SendingPausedException", "paused"),
        (400, "AccountSuspendedException", "suspended"),
        (403, "UnrecognizedClientException", "the security token is invalid"),
        (403, "AccessDeniedException", "not authorized to perform ses:SendEmail"),
        (403, "ExpiredTokenException", "expired"),
        (404, "NotFoundException", "Configuration set <events> does not exist."),
        (503, "ServiceUnavailable", "come back"),
        (503, "", "a load balancer's page"),
        (403, "", "a firewall's page"),
        (407, "", "a proxy's page"),
        (404, "", "another service's page"),
    ],
)
def test_what_concerns_all_mails_is_for_later(
    httpserver: HTTPServer, channel: SesChannel, status: int, code: str, said: str
) -> None:
    """No mail is at fault: all wait, and lag shows it. SES was asked once."""
    refuse(httpserver, status=status, code=code, said=said)
    with pytest.raises(TemporaryError) as caught:
        channel.send(message())
    assert (True, 1) == (caught.value.provider_down, len(httpserver.log))
    assert said in caught.value.detail


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"x-amzn-ErrorType": "TooManyRequestsException", "Retry-After": "15"}, 15.0),
        (400, {"x-amzn-ErrorType": "ThrottlingException", "x-amz-retry-after": "2500"}, 2.5),
        (503, {"Retry-After": "60"}, 60.0),
        (503, {}, 0.0),
    ],
)
def test_how_long_ses_is_to_be_left_alone_is_told(
    httpserver: HTTPServer, channel: SesChannel, status: int, headers: dict[str, str], wait_s: float
) -> None:
    """In seconds as everybody says it, in Amazon's milliseconds, or not at all."""
    httpserver.expect_request(PATH).respond_with_json({"message": "no"}, status=status, headers=headers)
    with pytest.raises(TemporaryError) as caught:
        channel.send(message())
    assert wait_s == caught.value.retry_after_s


@pytest.mark.parametrize(
    ("code", "said", "error_type"),
    [
        ("MessageRejected", "Email content rejected.", "content_refused"),
        ("BadRequestException", "Missing required header 'From'.", "content_refused"),
        ("BadRequestException", "Local address contains control or whitespace", "address_refused"),
        ("MailFromDomainNotVerifiedException", "not verified", "provider_refused"),
        (
            "MessageRejected",
            (
                "Email address is not verified. The following identities failed the check in region "
                "EU-WEST-1: billing@company.example"
            ),
            "provider_refused",
        ),
        (
            "MessageRejected",
            (
                "Email address is not verified. The following identities failed the check in region "
                "EU-WEST-1: ZOE@customer.example"
            ),
            "address_refused",
        ),
        ("SomethingNewException", "?", "content_refused"),
    ],
)
def test_what_concerns_this_mail_is_for_good(
    httpserver: HTTPServer, channel: SesChannel, code: str, said: str, error_type: str
) -> None:
    """Sender, address and content each have their label, so that only a bad address is held against a customer."""
    refuse(httpserver, status=400, code=code, said=said)
    with pytest.raises(PermanentError) as caught:
        channel.send(message())
    assert (error_type, 1) == (caught.value.error_type, len(httpserver.log))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "InternalFailure"),
        (500, "InternalServiceErrorException"),
        (500, ""),
        (502, "BadGateway"),
        (504, ""),
    ],
)
def test_what_failed_within_ses_is_in_doubt(
    httpserver: HTTPServer, channel: SesChannel, status: int, code: str
) -> None:
    """Also with a code of SES's own, or a gateway's JSON: nobody says that the mail was not taken before it failed."""
    refuse(httpserver, status=status, code=code, said="we failed")
    with pytest.raises(UncertainError):
        channel.send(message())
    assert 1 == len(httpserver.log)


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateways_error_is_in_doubt(httpserver: HTTPServer, channel: SesChannel, status: int) -> None:
    """Not SES says so: what stands between may have passed the mail on."""
    httpserver.expect_request(PATH).respond_with_data(
        "<html>Bad Gateway</html>", status=status, content_type="text/html"
    )
    with pytest.raises(UncertainError):
        channel.send(message())
    assert 1 == len(httpserver.log)


def test_an_answer_that_does_not_come_is_in_doubt_and_not_asked_again(httpserver: HTTPServer) -> None:
    """boto3 would ask again, and the customer get a second mail: nothing is repeated, whatever the environment says."""
    held, answered = threading.Event(), threading.Event()
    asked: list[int] = []

    def hang(_: Request) -> Response:
        asked.append(1)
        assert held.wait(60)
        answered.set()
        return Response("{}")

    httpserver.expect_request(PATH).respond_with_handler(hang)
    with pytest.raises(UncertainError):
        channel_to(httpserver.url_for(""), timeout_s=0.3).send(message())
    held.set()
    assert answered.wait(60)  # on a busy machine it may be read after its sender has gone
    assert 1 == len(asked)


def test_a_connection_cut_after_the_request_is_in_doubt(httpserver: HTTPServer, channel: SesChannel) -> None:
    """The mail is out and no answer came."""
    asked: list[int] = []

    def cut(request: Request) -> Response:
        asked.append(1)
        request.environ["werkzeug.socket"].shutdown(2)
        return Response("{}")

    httpserver.expect_request(PATH).respond_with_handler(cut)
    with pytest.raises(UncertainError):
        channel.send(message())
    assert 1 == len(asked)


def test_a_proxy_that_hangs_up_after_the_request_is_in_doubt(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the whole mail, and may have handed it on."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", httpserver.url_for("/"))

    def cut(request: Request) -> Response:
        request.get_data()
        request.environ["werkzeug.socket"].shutdown(2)
        return Response("")

    httpserver.expect_request(re.compile(".*")).respond_with_handler(cut)
    with pytest.raises(UncertainError):
        channel_to("http://one.ses.example").send(message())


def test_a_proxy_that_is_not_there_is_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has left: no mail is in doubt by it."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(TemporaryError, match="proxy"):
        channel_to("http://other.ses.example").send(message())


def test_an_answer_that_is_none_is_in_doubt(httpserver: HTTPServer, channel: SesChannel) -> None:
    """200, and no message id: something else answered."""
    httpserver.expect_request(PATH).respond_with_data("welcome to the hotel's network", status=200)
    with pytest.raises(UncertainError):
        channel.send(message())


def test_an_endpoint_that_is_not_there_is_for_later() -> None:
    """Nothing has left."""
    with pytest.raises(TemporaryError) as caught:
        channel_to(f"http://127.0.0.1:{free_port()}").send(message())
    assert caught.value.provider_down


def test_without_credentials_nothing_leaves(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Like a refused password: for later, for all mails."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(TemporaryError) as caught:
        channel_to.__wrapped__(httpserver.url_for("")).send(message())
    assert (True, []) == (caught.value.provider_down, httpserver.log)


def test_an_address_that_ses_cannot_take_is_not_tried(httpserver: HTTPServer, channel: SesChannel) -> None:
    """SES has no SMTPUTF8: refused here (R19: the next channel)."""
    with pytest.raises(PermanentError) as caught:
        channel.send(message(Contact(email="ñandú@customer.example")))
    assert ("address_refused", []) == (caught.value.error_type, httpserver.log)


@pytest.fixture
def amazon() -> Iterator[None]:
    """Give moto's Amazon."""
    with mock_aws():
        yield


@pytest.mark.usefixtures("amazon")
def test_with_moto_a_verified_sender_sends() -> None:
    """The same request through another implementation of SES."""
    import boto3

    channel = ses_channel(SesSettings(region="eu-west-1"), clock=SettableClock())
    with pytest.raises(PermanentError) as caught:
        channel.send(message())
    assert "MessageRejected: Did not have authority to send" in caught.value.detail
    client = boto3.client("sesv2", region_name="eu-west-1")
    client.create_email_identity(EmailIdentity="billing@company.example")
    assert channel.send(message()).provider_id


def test_copies_are_asked_for_by_name(httpserver: HTTPServer, channel: SesChannel) -> None:
    """B-13: SES sends to whom it is told, whatever the mail's own fields say."""
    httpserver.expect_oneshot_request(PATH, method="POST").respond_with_json({"MessageId": "0100-abc"})
    channel.send(msgspec.structs.replace(message(), cc=(Contact(email="boss@customer.example"),)))
    ((request, _),) = httpserver.log
    assert {
        "ToAddresses": ["zoe@customer.example"],
        "CcAddresses": ["boss@customer.example"],
    } == json.loads(request.get_data())["Destination"]
