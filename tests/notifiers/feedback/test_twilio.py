"""B-14: what Twilio tells is believed by its signature, and read: fates of SMS, stop, start, and other replies."""

import datetime

import pytest
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator
from twilio.rest.api.v2010.account.message import MessageInstance

from infra.database.feedback import Word
from notifiers.feedback.refusals import ForgedError, MalformedError
from notifiers.feedback.replies import meaning_of
from notifiers.feedback.twilio import check_signature, read_form, word_of_reply, word_of_status

TOKEN = "12345"
NOW = datetime.datetime(2026, 2, 3, 12, tzinfo=datetime.UTC)
URL = "https://pay.example/hooks/twilio/status?reminder=r1"
_ON_ITS_WAY = ("queued", "accepted", "scheduled", "sending", "sent", "receiving", "received")
FORM = [("MessageSid", "SM1"), ("MessageStatus", "delivered"), ("Body", ""), ("To", "+34600000000")]


def sign(url: str, form: list[tuple[str, str]]) -> str:
    """Sign as Twilio's own library does."""
    return str(RequestValidator(TOKEN).compute_signature(url, dict(form)))


@pytest.mark.parametrize(
    ("signed", "called"),
    [
        (URL, URL),
        ("https://pay.example:443/hooks/twilio/status?reminder=r1", URL),
        (URL, "https://pay.example:8443/hooks/twilio/status?reminder=r1"),
        ("http://pay.example/x", "http://pay.example:80/x"),
    ],
)
def test_signature_fits_with_and_without_the_port(signed: str, called: str) -> None:
    """Which of both Twilio signs depends on the kind of request; empty values count."""
    check_signature(url=called, form=FORM, signature=sign(signed, FORM), tokens=["old", TOKEN])


def test_names_that_come_twice_are_signed_as_twilio_does() -> None:
    """Each value of a name once, in order."""
    form = [("Media", "b"), ("Media", "a"), ("Media", "b"), ("A", "1")]
    signature = str(RequestValidator(TOKEN).compute_signature(URL, FormData([*form])))
    check_signature(url=URL, form=form, signature=signature, tokens=[TOKEN])


@pytest.mark.parametrize(
    ("url", "form", "signature", "tokens"),
    [
        (URL, [*FORM, ("Extra", "1")], sign(URL, FORM), [TOKEN]),
        (URL.replace("r1", "r2"), FORM, sign(URL, FORM), [TOKEN]),
        (URL, FORM, sign(URL, FORM), ["another"]),
        (URL, FORM, sign(URL, FORM), []),
        (URL, FORM, "", [TOKEN]),
        (URL, FORM, "ñ€", [TOKEN]),
    ],
)
def test_forged(url: str, form: list[tuple[str, str]], signature: str, tokens: list[str]) -> None:
    """Another form, another address, another token, none at all: not believed."""
    with pytest.raises(ForgedError):
        check_signature(url=url, form=form, signature=signature, tokens=tokens)


def test_forms() -> None:
    """A form is read with its empty values; what is none is refused, and so is one without end."""
    assert [("Body", "No más"), ("To", "")] == list(read_form(b"Body=No+m%C3%A1s&To="))
    assert [] == list(read_form(b""))
    for body in (b"\xff", b"Body=%ff", b"&".join(b"a=1" for _ in range(300)), b"{}"):
        with pytest.raises(MalformedError):
            read_form(body)


def status(**said: str) -> Word | None:
    """Read a status of the SMS SM1 of the reminder r1."""
    return word_of_status(
        list(({"MessageSid": "SM1", "To": "+34600000000"} | said).items()), reminder="r1", received_at=NOW
    )


@pytest.mark.parametrize("said", _ON_ITS_WAY)
def test_on_its_way(said: str) -> None:
    """Nothing follows before its end is known."""
    assert status(MessageStatus=said) is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("30003", "bounce_gave_up"),  # the phone is off: tomorrow it may be on
        ("30008", "carrier_refused"),
        ("30034", "provider_refused"),  # our number is not registered
        ("30023", "cap_reached"),
        ("30630", "opted_out"),
        ("30005", "number_unreachable"),
        ("30006", "number_unreachable"),
        ("30004", "carrier_refused"),
        ("30007", "carrier_refused"),
        ("30010", "cap_reached"),
        ("30036", "expired"),
        ("21610", "opted_out"),
        ("21614", "address_refused"),
        ("30002", "provider_refused"),
        ("99999", "carrier_refused"),
        ("", "carrier_refused"),
        ("9" * 5_000, "carrier_refused"),
    ],
)
def test_undelivered(code: str, error: str) -> None:
    """Twilio's codes are of the closed list; one that is new is the carrier's."""
    word = status(MessageStatus="undelivered", ErrorCode=code)
    assert word is not None
    assert ("failed", error, "r1", "SM1") == (word.said, word.error_type, word.reminder, word.provider_id)


def test_delivered_and_read() -> None:
    """WhatsApp's "read" says no more than that it arrived."""
    words = [status(MessageStatus=each) for each in ("delivered", "read")]
    assert words[0] == words[1]
    assert words[0] is not None
    assert "delivered" == words[0].said


def test_every_status_that_twilio_documents_is_taken() -> None:
    """All that its own library names: what its end is, that it is not known yet, or neither."""
    named = [each for name, each in vars(MessageInstance.Status).items() if name.isupper()]
    kinds = {each: status(MessageStatus=each) for each in named}
    assert {
        **dict.fromkeys(_ON_ITS_WAY, ""),
        "delivered": "delivered",
        "read": "delivered",
        "undelivered": "failed",
        "failed": "failed",
        "canceled": "failed",
        "partially_delivered": "unclear",
    } == {name: "" if word is None else word.said for name, word in kinds.items()}


def test_what_was_stopped_at_twilio_did_not_go() -> None:
    """Somebody has canceled it there: the next channel has its turn (R19), and no address is bad by it."""
    word = status(MessageStatus="canceled")
    assert word is not None
    assert ("failed", "provider_refused", "Twilio: canceled") == (word.said, word.error_type, word.detail)


@pytest.mark.parametrize("said", ["partially_delivered", "vanished", "x" * 5_000])
def test_a_status_that_says_neither_is_kept_and_told(said: str) -> None:
    """A part has arrived, or a word is new: no fate, and no request that is refused again and again."""
    word = status(MessageStatus=said)
    assert word is not None
    assert ("unclear", "r1", "SM1", "", f"Twilio: {said[:40]}", f"twilio/SM1/{said[:40]}") == (
        *(word.said, word.reminder, word.provider_id),
        *(word.error_type, word.detail, word.word),
    )


def test_a_status_of_nothing_is_refused() -> None:
    """It names no message, or no status."""
    for said in (
        {"MessageSid": ""},
        {"MessageStatus": ""},
        {"MessageSid": "", "MessageStatus": "delivered"},
        {},
    ):
        with pytest.raises(MalformedError):
            status(**said)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("STOP", "stop"),
        (" Stop. ", "stop"),
        ("unsubscribe", "stop"),
        ("BAJA", "stop"),
        ("¡No más!", "stop"),
        ("Darme de baja", "stop"),
        ("Cancelar", "stop"),
        ("PARE", "stop"),
        ("descadastrar", "stop"),
        ("Desuscribirme", "stop"),
        ("Cancelar suscripción", "stop"),
        ("No enviar más", "stop"),
        ("Não quero mais!", "stop"),
        ("Pare de enviar.", "stop"),
        ("ALTO 🛑", "stop"),
        ("No quiero pagar más", "reply"),
        ("Cancelei a compra", "reply"),
        ("START", "start"),
        ("alta", "start"),
        ("Começar", "start"),
        ("Stop calling me, I have paid", "reply"),
        ("sí", "reply"),
        ("yes", "reply"),
        ("HELP", "reply"),
        ("", "reply"),
        ("Ya pagué", "reply"),
    ],
)
def test_replies(text: str, meaning: str) -> None:
    """Only a word that is nothing else is a command; all else is for a person."""
    assert meaning == meaning_of(text)


def reply(**said: str) -> Word:
    """Read a message of a reader."""
    return word_of_reply(
        list(({"MessageSid": "SM9", "From": "+34600000000"} | said).items()), received_at=NOW
    )


def test_twilios_own_word_on_opting_out_goes_first() -> None:
    """It has answered the reader already, whatever the words are."""
    assert "stop" == reply(Body="Tschüss", OptOutType="STOP").said
    assert "start" == reply(Body="Hallo", OptOutType="START").said
    assert "reply" == reply(Body="help", OptOutType="HELP").said
    assert "stop" == reply(Body="Stop").said


def test_a_message_of_nobody_is_refused() -> None:
    """Without a number nothing can be done."""
    with pytest.raises(MalformedError):
        reply(From="")
