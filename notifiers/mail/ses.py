"""Mail by Amazon SES (API v2, SendEmail with the whole mail as raw content).

::

    throttled · quota · paused · suspended · credentials · 503 · no connection   later, for everybody
    a proxy's or a firewall's page (401, 403, 404, 405, 407, 408, 425)           later, for everybody
    MailFromDomainNotVerified, an identity of ours is not verified               this sender never
    the recipient is not verified (SES's own sandbox), illegal address           this address never
    MessageRejected, BadRequest, too large                                       this content never
    no answer after the request went out, one that is none, any other 5xx        nobody knows
    a proxy, its tunnel, a handshake (TLS) that fails: no byte of the request    later, for everybody

boto3 repeats nothing here: a second request after a lost answer would be a second mail, and SES
has no key that would tell them apart.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import boto3
import botocore
from botocore import exceptions
from botocore.awsrequest import AWSConnection, AWSHTTPSConnectionPool
from botocore.config import Config

from notifiers.channel import Message, PermanentError, Receipt, TemporaryError, Traits, UncertainError
from notifiers.handshake import ToldConnection
from notifiers.mail.mime import Mail, MailSender, mail_of
from notifiers.mail.settings import SesSettings
from notifiers.retry_after import asked_wait_s
from notifiers.second_look import Look, Outgoing, anybody

__all__ = ["SesChannel", "ses_channel"]

_DETAIL_MAX: Final = 500
_DOWN: Final = 503  # the only one of the 5xx by which nothing was begun
# No word of SES's on a mail, whatever page it is: of credentials, of the way there, of too many at once.
_ON_THE_WAY: Final = (401, 403, 404, 405, 407, 408, 425, 429, _DOWN)
_TAG: Final = re.compile(r"[^A-Za-z0-9_.@-]")
_TAG_MAX: Final = 256
# No mail is at fault, and none would pass: a person has to act, or time to go by.
_EVERYBODY: Final = frozenset(
    (
        "AccessDeniedException",
        "AccountSuspendedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "LimitExceededException",
        "MissingAuthenticationTokenException",
        "NotFoundException",  # the configuration set
        "OptInRequired",
        "RequestExpired",
        "RequestTimeout",
        "RequestTimeoutException",
        "SendingPausedException",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "UnrecognizedClientException",
    )
)
# Raised before a byte of the request has left.
_NOT_SENT: Final = (
    exceptions.ConnectTimeoutError,
    exceptions.CredentialRetrievalError,
    exceptions.EndpointConnectionError,
    exceptions.InvalidEndpointConfigurationError,
    exceptions.NoAuthTokenError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)


class SesChannel:
    """Sends mail by SES. Thread-safe.

    Args:
        client: boto3's for ``sesv2``, which must repeat nothing (``ses_channel`` makes one).
        sender: whose address mails come from; SES must have verified it.
        configuration_set: its name, "" for the account's own.
        clock: dates mails; UTC.
        connections: so many callers may come at a time.
        look: refuses what must not leave.
    """

    def __init__(
        self,
        client: Any,
        *,
        sender: MailSender,
        configuration_set: str,
        clock: Callable[[], datetime.datetime],
        connections: int = 1,
        look: Look = anybody,
    ) -> None:
        self._client = client
        self._look = look
        self._sender = sender
        self._configuration_set = configuration_set
        self._clock = clock
        self._connections = connections

    @property
    def traits(self) -> Traits:
        """SES takes no idempotency key, and cannot be asked what it took."""
        return Traits(provider="ses", endpoint=str(self._client.meta.endpoint_url), at_once=self._connections)

    def send(self, message: Message) -> Receipt:
        """Hand a mail over; the receipt has SES's message id, which its events name.

        Raises:
            TemporaryError, PermanentError, UncertainError: see the drawing above.
        """
        mail = mail_of(message, sender=self._sender, dated=self._clock())
        if mail.is_international:
            raise PermanentError(
                error_type="address_refused",
                detail=f"SES cannot take {mail.recipient!r} from {mail.sender!r}",
            )
        request = self._request(message, mail)
        self._look(_outgoing(request, reminder=message.reminder))
        try:
            answer = self._client.send_email(**request)
        except exceptions.ClientError as error:
            raise _meaning(error, recipient=mail.recipient) from error
        except exceptions.ProxyConnectionError as error:
            raise _unless_carried(error) from error
        except _NOT_SENT as error:
            raise TemporaryError(_text_of_none(error)) from error
        except exceptions.ParamValidationError as error:
            raise PermanentError(error_type="content_refused", detail=_text(error)) from error
        except exceptions.BotoCoreError as error:
            raise UncertainError(f"no answer after the mail was handed over: {_text(error)}") from error
        if not answer.get("MessageId"):
            raise UncertainError("what answered is not SES: no message id")
        return Receipt(provider_id=str(answer["MessageId"]))

    def _request(self, message: Message, mail: Mail) -> dict[str, Any]:
        tags = {"reminder": message.reminder, "company": message.sender.company, "channel": message.channel}
        request: dict[str, Any] = {
            "FromEmailAddress": mail.sender,
            "Destination": _destination(mail),
            "Content": {"Raw": {"Data": mail.content}},
            "EmailTags": [{"Name": name, "Value": _tag(value)} for name, value in tags.items()],
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        return request


class _Connection(AWSConnection, ToldConnection):  # type: ignore[misc]  # botocore's classes have no types
    """botocore's own, which tells a handshake that failed as a connection that was not made."""


class _Pool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


def ses_channel(
    settings: SesSettings, *, clock: Callable[[], datetime.datetime], look: Look = anybody
) -> SesChannel:
    """Make the channel that the settings describe; nothing is connected yet."""
    client = boto3.session.Session().client(
        "sesv2",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url or None,
        config=Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=settings.timeout_s,
            read_timeout=settings.timeout_s,
            max_pool_connections=settings.connections,
            # Without one boto3 makes its own anew, twice a mail; the shape of what is asked is ours, and tested.
            user_agent=f"cobranza Boto3/{boto3.__version__} Botocore/{botocore.__version__}",
            parameter_validation=False,
        ),
    )
    # By this botocore makes all its connections, straight and through proxies; it offers no other way to change them.
    client._endpoint.http_session._pool_classes_by_scheme["https"] = _Pool  # noqa: SLF001
    return SesChannel(
        client,
        sender=MailSender(address=settings.sender, always=settings.sender_always),
        configuration_set=settings.configuration_set,
        clock=clock,
        connections=settings.connections,
        look=look,
    )


def _destination(mail: Mail) -> dict[str, list[str]]:
    to = {"ToAddresses": [mail.recipient]}
    return to | {"CcAddresses": list(mail.copies)} if mail.copies else to


def _outgoing(request: Mapping[str, Any], *, reminder: str) -> Outgoing:
    """Give what a request would send, and to whom."""
    return Outgoing(
        channel="email",
        reminder=reminder,
        recipients=tuple(each for some in request["Destination"].values() for each in some),
        mail=request["Content"]["Raw"]["Data"],
    )


def _meaning(
    error: exceptions.ClientError, *, recipient: str
) -> TemporaryError | PermanentError | UncertainError:
    """Say what an answer of SES means."""
    said = error.response.get("Error", {})
    code, text = str(said.get("Code", "")), str(said.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    detail = f"{code or status}: {text}"[:_DETAIL_MAX]
    if code in _EVERYBODY or status in _ON_THE_WAY:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return TemporaryError(detail, retry_after_s=asked_wait_s(headers.items()))
    if status >= 500:
        # What failed within SES, or on the way to it, may have failed after the mail was taken.
        return UncertainError(detail)
    if code == "MailFromDomainNotVerifiedException" or "not verified" in text:
        is_recipient = recipient.lower() in text.lower()
        return PermanentError(
            error_type="address_refused" if is_recipient else "provider_refused", detail=detail
        )
    if code == "BadRequestException" and "address" in text.lower():
        return PermanentError(error_type="address_refused", detail=detail)
    return PermanentError(error_type="content_refused", detail=detail)


def _unless_carried(error: exceptions.ProxyConnectionError) -> TemporaryError | UncertainError:
    """Tell a proxy that is not there, or lets nothing through, from one that broke off after it had the whole mail."""
    if isinstance(_cause(error), ConnectionError):
        return UncertainError(_text(error))
    return TemporaryError(_text_of_none(error))


def _cause(error: exceptions.BotoCoreError) -> object:
    """Give what broke, below botocore and below what urllib3 says of a proxy."""
    theirs = error.kwargs.get("error", "")
    return getattr(theirs, "original_error", theirs)


def _tag(value: str) -> str:
    """Give a tag's value as SES allows it: what it does not is an underscore."""
    return _TAG.sub("_", value)[:_TAG_MAX] or "_"


def _text_of_none(error: exceptions.BotoCoreError) -> str:
    """Say why there was no connection: botocore's own words leave that out."""
    why = str(_cause(error)).partition(": ")[2]
    return f"{_text(error)}: {why}"[:_DETAIL_MAX] if why else _text(error)


def _text(error: Exception) -> str:
    return str(error)[:_DETAIL_MAX]
