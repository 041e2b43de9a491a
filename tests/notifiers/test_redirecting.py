"""Trying things out: with a sandbox set, no message reaches a customer, by whatever way it comes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from infra.errors import OperatorError
from infra.settings import Settings
from notifiers.assembly import open_channel, utc_now
from notifiers.channel import Message, PermanentError, Receipt, TracingChannel
from notifiers.redirecting import SandboxRecipients, guarded, redirected, rehearsed
from notifiers.settings import SendSettings, SettingsError, read_settings
from schemas.events import Contact
from schemas.fields import Channel
from tests.notifiers.mail_server import MailServer
from tests.notifiers.sending import (
    RENDERER,
    ScriptedChannel,
    ScriptedTracer,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
)

US = SandboxRecipients(
    email="trial@company.example", phone="+34911111111", address=("Trial Desk", "Calle 9", "28009 Madrid")
)
MARK = "[for zoe@customer.example] "


def written(channel: Channel = "email", *, to: SandboxRecipients = US) -> Message:
    """Write a reminder as a rehearsal does."""
    return rehearsed(RENDERER.message, to=to)(reminder(channels=(channel,)), channel)


def test_a_mail_goes_to_the_sandbox_and_says_for_whom_it_was() -> None:
    """The subject is marked; the customer's name stays."""
    made = written()
    assert ("trial@company.example", "Zoë Ñandú") == (made.contact.email, made.contact.name)
    assert made.subject.startswith(MARK)
    assert "zoe@customer.example" == made.meant_for


def test_an_sms_says_it_in_its_text() -> None:
    """There is no other place."""
    made = written("sms")
    assert ("+34911111111", True) == (made.contact.phone, made.text.startswith("[for +34600000000] "))


def test_a_letter_has_the_sandbox_in_its_window() -> None:
    """The printed address is exchanged, not only the one beside the file; its first line says for whom."""
    from io import BytesIO

    from pypdf import PdfReader

    made = written("letter")
    assert ("FOR: Calle 1, 28001 Madrid", *US.address) == made.contact.address
    printed = PdfReader(BytesIO(made.pdf)).pages[0].extract_text()
    assert "Trial Desk" in printed
    assert "FOR: Calle 1, 28001 Madrid" in printed


def test_who_has_no_address_gets_none() -> None:
    """R19: the fallbacks show as they would be."""
    made = reminder(contact=Contact(name="Nobody"))
    assert "" == rehearsed(RENDERER.message, to=US)(made, "email").contact.email


def test_a_channel_without_a_sandbox_is_left_alone() -> None:
    """Only what is set is exchanged; tasks are for colleagues."""
    only_mail = SandboxRecipients(email="trial@company.example")
    assert RENDERER.message(reminder(channels=("sms",)), "sms") == written("sms", to=only_mail)
    assert "" == written("task").meant_for


def test_redirecting_twice_changes_nothing() -> None:
    """The mark is there once."""
    assert written() == redirected(written(), to=US)


def test_the_door_catches_what_was_not_redirected() -> None:
    """Whoever writes a message: the carrier gets none with a customer's address."""
    carried: list[Message] = []

    class Carrier(ScriptedChannel):
        def send(self, message: Message) -> Any:
            carried.append(message)
            return super().send(message)

    door = guarded(Carrier(), to=US)
    door.send(RENDERER.message(reminder(), "email"))
    door.send(written())
    assert ["trial@company.example"] * 2 == [each.contact.email for each in carried]


def test_the_door_stops_a_letter_that_was_printed_for_its_customer() -> None:
    """Its window cannot be changed any more."""
    carrier = ScriptedChannel()
    with pytest.raises(PermanentError):
        guarded(carrier, to=US).send(RENDERER.message(reminder(channels=("letter",)), "letter"))
    assert [] == carrier.asked


def test_behind_the_door_a_tracer_still_traces() -> None:
    """After a crash it is asked as before."""
    door = guarded(ScriptedTracer(taken={"r1"}), to=US)
    assert isinstance(door, TracingChannel)
    assert door.find(written()) is not None
    assert not isinstance(guarded(ScriptedChannel(), to=US), TracingChannel)


def test_the_job_notes_where_it_really_went(engine: Engine) -> None:
    """`cobranza deliveries` shows the address that was used."""
    running = dispatcher(engine, channel=ScriptedChannel(), render=rehearsed(RENDERER.message, to=US))
    know(engine)
    running.record([read(reminder())])
    running.run(partitions=[0])
    row = job_row(engine)
    assert ("accepted", "trial@company.example") == (row["state"], row["recipient"])
    assert str(row["subject"]).startswith(MARK)


def test_by_smtp_a_header_says_it_too(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment to a real server: envelope, To and X-Cobranza-Meant-For."""
    with MailServer() as server:
        set_all(monkeypatch, {**server.settings, "sandbox_email": US.email})
        channel = open_channel(
            "email",
            settings=Settings(data_dir=tmp_path),
            send=read_settings(SendSettings),
            engine=engine,
            clock=utc_now,
        )
        channel.send(RENDERER.message(reminder(), "email"))
    ((recipients, content),) = server.mails
    assert [US.email] == recipients
    assert b"X-Cobranza-Meant-For: zoe@customer.example\r\n" in content


def set_all(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, object]) -> None:
    """Set ``COBRANZA_SEND_*`` variables."""
    for name, value in values.items():
        monkeypatch.setenv(f"COBRANZA_SEND_{name.upper()}", str(value))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sandbox_email": "nobody"}, "sandbox_email is no mail address"),
        ({"sandbox_phone": "600 000"}, "sandbox_phone is no phone number"),
        ({"sandbox_address": "one line"}, "sandbox_address needs 2 to 5 lines"),
        (
            {"email": "smtp", "sandbox_phone": "+34911111111"},
            "a sandbox is set, but email would reach customers by smtp: set sandbox_email too",
        ),
        ({"email": "pigeon"}, "COBRANZA_SEND_EMAIL: Input should be"),
        ({"retry_s_first": "400"}, "retry_s_first is longer than retry_s_max"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, values: Mapping[str, object], said: str
) -> None:
    """A rehearsal in which one provider would still write to customers is none."""
    set_all(monkeypatch, values)
    with pytest.raises(SettingsError) as caught:
        read_settings(SendSettings)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"email": "smtp"}, "COBRANZA_SEND_SMTP_HOST is needed"),
        ({"email": "smtp", "smtp_host": "h", "smtp_user": "u"}, "user and password go together"),
        (
            {"email": "smtp", "smtp_host": "h", "smtp_user": "u", "smtp_password": "contraseña"},
            "user and password must be of ASCII characters",
        ),
        (
            {
                "email": "smtp",
                "smtp_host": "h",
                "smtp_user": "u",
                "smtp_password": "p",
                "smtp_security": "none",
            },
            "a password is not sent over an unprotected connection",
        ),
        ({"email": "smtp", "smtp_host": "h", "smtp_port": "0"}, "COBRANZA_SEND_SMTP_PORT: "),
        (
            {"email": "smtp", "smtp_host": "h", "dkim_domain": "d"},
            "domain, selector and key_file go together",
        ),
        (
            {
                "email": "smtp",
                "smtp_host": "h",
                "dkim_domain": "d",
                "dkim_selector": "s",
                "dkim_key_file": "/no/key",
            },
            "the DKIM key /no/key cannot be read",
        ),
        (
            {"email": "smtp", "smtp_host": "h", "smtp_sender": "nobody"},
            "COBRANZA_SEND_SMTP_SENDER: 'nobody' is no mail address",
        ),
        ({"email": "ses"}, "COBRANZA_SEND_SES_REGION is needed"),
        ({"email": "ses", "ses_region": "r", "ses_sender_always": "1"}, "sender_always needs a sender"),
        (
            {
                "email": "ses",
                "ses_region": "r",
                "dkim_domain": "d",
                "dkim_selector": "s",
                "dkim_key_file": "/no/key",
            },
            "SES signs mails itself",
        ),
    ],
)
def test_a_provider_without_what_it_needs_is_refused_at_the_start(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: Mapping[str, object], said: str
) -> None:
    """Before anything is read from Kafka, with the variable's name; no password is in the text."""
    set_all(monkeypatch, values)
    with pytest.raises(OperatorError) as caught:
        open_channel(
            "email",
            settings=Settings(data_dir=tmp_path),
            send=read_settings(SendSettings),
            engine=engine,
            clock=utc_now,
        )
    assert said in str(caught.value)


def test_without_settings_nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder and the folder are the defaults."""
    for each in ("EMAIL", "SMS", "LETTER"):
        monkeypatch.delenv(f"COBRANZA_SEND_{each}", raising=False)
    send = SendSettings()
    channels: tuple[Channel, ...] = ("email", "sms", "letter", "task")
    assert [False] * 4 == [send.is_real(each) for each in channels]
    assert not msgspec.structs.asdict(send.sandbox)["email"]


def test_no_copy_leaves_a_sandbox() -> None:
    """B-13: whoever would get a copy is a customer, too."""
    written_for = msgspec.structs.replace(
        RENDERER.message(reminder(), "email"), cc=(Contact(email="boss@customer.example"),)
    )
    assert () == redirected(written_for, to=US).cc

    class Noting(ScriptedChannel):
        """Remembers who got a copy."""

        def send(self, message: Message) -> Receipt:
            assert () == message.cc
            return super().send(message)

    carrier = Noting()
    guarded(carrier, to=US).send(written_for)
    assert ["r1"] == carrier.asked
