"""SMS by Twilio: one request a message, asked afterwards by number, text and day where the answer was lost.

::

    no connection, a handshake that fails  nothing was said: later (``wire``)
    400 … 499, 503, with Twilio's code     ``twilio_errors``
    the answer does not come, or is cut    nobody knows (``UncertainError``), and nothing is asked twice
    201                                    taken; the price is of our own count of segments

The provider keeps no key of ours, so a message is found again by what it says, to whom and when (``matching``). That is
sound only where it can be told whose it is, and only some time after the question was put: `TwilioChannel.find`
says when it cannot say. It refuses to try again by itself, and to let bodies or numbers into logs.
"""

import datetime
import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final
from urllib.parse import quote

import requests
from msgspec.structs import replace
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from infra.database.queries.tracing import Flight
from notifiers.channel import Message, PermanentError, Receipt, TemporaryError, Traits, UncertainError
from notifiers.second_look import Look, anybody
from notifiers.sms.account import TwilioAccount
from notifiers.sms.matching import Listed, whose
from notifiers.sms.numbers import e164
from notifiers.sms.twilio_errors import Refusal, error_of
from notifiers.sms.wire import Wire, broke_before_a_word

__all__ = ["TwilioChannel"]

_LISTED_MAX: Final = 1_000  # one page of the provider's list
_SKEW: Final = datetime.timedelta(minutes=5)
_FAILED: Final = ("failed", "undelivered")
_TRIAL: Final = " trial account - "


class TwilioChannel:
    """Sends SMS over one account; keeps a connection for each thread that it is called from.

    Args:
        account: whose.
        of_others: of these ids of the provider, those that other deliveries than this reminder's have.
        flights: the deliveries without an answer of a mark, to an address as it was given; that of a reminder
            among them.
        look: refuses what must not leave.
    """

    def __init__(
        self,
        account: TwilioAccount,
        *,
        of_others: Callable[[Collection[str], str], Collection[str]],
        flights: Callable[[str, str, str], Sequence[Flight]],
        look: Look = anybody,
    ) -> None:
        self._account = account
        self._of_others = of_others
        self._flights = flights
        self._wire = Wire(account, look=look)
        self._client = Client(
            account.key_sid or account.account_sid,
            account.secret,
            account.account_sid,
            http_client=self._wire,
        )

    @property
    def traits(self) -> Traits:
        """What it cannot say at once it can say after ``settles_s``."""
        sender = self._account.messaging_service_sid or self._account.sender
        return Traits(
            provider="twilio",
            endpoint=f"{self._account.account_sid}/{sender}",
            at_once=self._account.at_once,
            settles_s=self._account.settle_s,
        )

    def send(self, message: Message) -> Receipt:
        """Hand an SMS over.

        Raises:
            TemporaryError, PermanentError, UncertainError: see the drawing above.
        """
        to = _number(message)
        try:
            made = self._client.messages.create(to=to, body=_body(message), **self._manner(message))
        except TwilioException as error:
            raise error_of(_refusal(error, retry_after_s=self._wire.asked_wait_s)) from error
        except requests.RequestException as error:
            raise _broken(error) from error
        except (ValueError, KeyError, TypeError) as error:
            raise UncertainError(f"the answer cannot be read: {error}") from error
        return _accepted(made)

    def find(self, message: Message) -> Receipt | None:
        """Ask the list of messages for this one.

        None says that it is not listed, which means that it was not taken once ``settle_s`` have passed.

        Raises:
            TemporaryError: the list cannot be asked, or it cannot say: texts are not kept (redaction),
                there are too many messages to this number, or it cannot be told whose they are.
        """
        try:
            to = _number(message)
        except PermanentError:
            return None  # what can have no number was never handed over
        listed = self._listed(to)
        if len(listed) >= _LISTED_MAX:
            raise TemporaryError(f"there are {_LISTED_MAX} messages or more to this number")
        # In this order: who is neither in flight nor has an id after the list was given cannot be in it.
        mark = self.mark(message)
        flights = self._flights(mark, message.contact.phone, message.reminder)
        own = next((each for each in flights if each.reminder == message.reminder), None)
        if own is None:
            own = Flight(reminder=message.reminder, mark=mark, since=message.at, until=None, is_over=True)
            flights = [*flights, own]
        elif own.mark not in ("", mark):  # its text was another one then: a template has changed since
            mark = own.mark
            flights = self._flights(mark, message.contact.phone, message.reminder)
        if len(flights) == 1:  # nobody else can be meant: whatever has come since it was decided is it
            flights = [replace(flights[0], since=message.at, until=None)]
        since = min(message.at, *(each.since for each in flights)) - _SKEW
        recent = [each for each in listed if _is_ours(each) and _made_at(each) >= since]
        others = self._of_others([str(each.sid) for each in recent], message.reminder)
        unclaimed = [each for each in recent if each.sid not in others]
        if any(not each.body for each in unclaimed):
            raise TemporaryError("the provider keeps no texts: they cannot be compared")
        same = [
            Listed(sid=str(each.sid), made_at=_made_at(each))
            for each in unclaimed
            if mark in _marks(to, str(each.body))
        ]
        found = whose(message.reminder, flights=flights, listed=same)
        return None if found is None else Receipt(provider_id=found.sid)

    def mark(self, message: Message) -> str:
        """Give a digest of number and text: all that the list of messages has of it."""
        try:
            return _mark(_number(message), _body(message))
        except PermanentError:
            return ""

    def _manner(self, message: Message) -> dict[str, Any]:
        account = self._account
        manner: dict[str, Any] = {"validity_period": account.validity_s, "smart_encoded": False}
        if account.messaging_service_sid:
            manner["messaging_service_sid"] = account.messaging_service_sid
        else:
            manner["from_"] = account.sender
        if account.status_url:
            joint = "&" if "?" in account.status_url else "?"
            manner["status_callback"] = (
                f"{account.status_url}{joint}reminder={quote(message.reminder, safe='')}"
            )
        return manner

    def _listed(self, to: str) -> list[MessageInstance]:
        try:
            return list(self._client.messages.list(to=to, limit=_LISTED_MAX, page_size=_LISTED_MAX))
        except TwilioException as error:
            raise TemporaryError(
                f"the list was refused: {error}"[:500], retry_after_s=self._wire.asked_wait_s
            ) from error
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise TemporaryError(
                f"the list cannot be read: {type(error).__name__}"
            ) from error  # its words have the number


def _number(message: Message) -> str:
    try:
        return e164(message.contact.phone, country=message.country)
    except PermanentError as error:
        raise PermanentError(
            error_type=error.error_type, detail=f"customer {message.customer}: {error.detail}"
        ) from error


def _body(message: Message) -> str:
    return message.text.strip()


def _accepted(made: MessageInstance) -> Receipt:
    if not made.sid:
        raise UncertainError("the answer names no message")
    if str(made.status) in _FAILED:
        raise error_of(Refusal(status=400, code=_code(made.error_code), text=str(made.error_message)))
    return Receipt(provider_id=str(made.sid))


def _refusal(error: TwilioException, *, retry_after_s: float) -> Refusal:
    """Read what the client raises: in either form of its errors, or in none (no status: nobody knows)."""
    if isinstance(error, TwilioRestException):
        text = str(error.msg)
    elif isinstance(error, TwilioServiceException):
        text = f"{error.title}: {error.detail}" if error.detail else str(error.title)
    else:
        return Refusal(status=0, text=str(error))
    # Without a body of its own the client gives the HTTP status for a code.
    code = 0 if error.code == error.status else _code(error.code)
    return Refusal(status=_code(error.status), code=code, text=text, retry_after_s=retry_after_s)


def _code(given: object) -> int:
    """Read a number of the provider's; 0 for none, and for what is no number."""
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() else 0


def _broken(error: requests.RequestException) -> TemporaryError | UncertainError:
    """Say of a connection that failed whether anything can have been said over it."""
    if broke_before_a_word(error):
        return TemporaryError(f"there is no connection: {error}"[:500])
    return UncertainError(f"no answer after the message was handed over: {error}"[:500])


def _is_ours(each: MessageInstance) -> bool:
    return str(each.direction).startswith("outbound")


def _made_at(each: MessageInstance) -> datetime.datetime:
    made: datetime.datetime | None = each.date_created
    return datetime.datetime.max.replace(tzinfo=datetime.UTC) if made is None else made


def _mark(number: str, text: str) -> str:
    return hashlib.blake2s(f"{number}\n{text}".encode(), digest_size=16).hexdigest()


def _marks(number: str, listed: str) -> tuple[str, ...]:
    """Give what a listed text can be; a trial account's begins with words of the provider's."""
    text = listed.strip()
    return _mark(number, text), _mark(number, text.partition(_TRIAL)[2])
