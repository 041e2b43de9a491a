"""A sandbox does not believe a message's own word: what would reach a customer is stopped where it would leave."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from msgspec.structs import replace
from sqlalchemy import Engine

from infra.settings import Settings
from notifiers.assembly import open_channel, utc_now
from notifiers.channel import Channel, Message, PermanentError, TemporaryError, UncertainError
from notifiers.dispatch import sendings_tally
from notifiers.mail.mime import Mail, mail_of
from notifiers.redirecting import SandboxRecipients, guarded
from notifiers.second_look import Outgoing, only
from notifiers.settings import SendSettings, read_settings
from schemas.fields import Channel as ChannelName
from tests.chaos.stand_ins import StandIns
from tests.notifiers.sending import (
    RENDERER,
    ScriptedChannel,
    dispatcher,
    job_row,
    know,
    read,
    reminder,
)
from tests.notifiers.test_redirecting import US as DESK
from tests.notifiers.test_redirecting import written as written_to

BY: dict[str, tuple[ChannelName, str]] = {
    "smtp": ("email", "smtp"),
    "ses": ("email", "ses"),
    "twilio": ("sms", "twilio"),
    "post": ("letter", "post"),
    "print_run": ("letter", "print_run"),
}
US = replace(DESK, phone="+34611111111")  # one that takes an SMS
LOOK = only(US)


def written(channel: ChannelName = "email") -> Message:
    """Write a message as a rehearsal does."""
    return written_to(channel, to=US)


def forged(channel: ChannelName) -> Message:
    """Write a message to its customer that says of itself that it goes to the sandbox."""
    return replace(RENDERER.message(reminder(channels=(channel,)), channel), meant_for="somebody else")


@pytest.fixture
def providers() -> Iterator[StandIns]:
    """Give providers on this machine that count what they take."""
    with StandIns(seed=1) as opened:
        yield opened


@pytest.fixture
def opened(
    providers: StandIns, sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Give a function that opens a provider as a notifier does, with a sandbox set."""

    def open_(provider: str) -> Channel:
        channel, name = BY[provider]
        given = providers.environment(email_by="smtp") | {
            f"COBRANZA_SEND_{channel.upper()}": name,
            "COBRANZA_SEND_SANDBOX_EMAIL": US.email,
            "COBRANZA_SEND_SANDBOX_PHONE": US.phone,
            "COBRANZA_SEND_SANDBOX_ADDRESS": "|".join(US.address),
        }
        for variable, value in given.items():
            monkeypatch.setenv(variable, value)
        return open_channel(
            channel,
            settings=Settings(data_dir=tmp_path),
            send=read_settings(SendSettings),
            engine=sqlite_engine,
            clock=utc_now,
        )

    return open_


@pytest.mark.parametrize("provider", BY)
def test_a_forged_word_of_the_sandbox_reaches_nobody(
    opened: Any, providers: StandIns, tmp_path: Path, provider: str
) -> None:
    """Stopped at the door; and, where the door were left open, by the carrier itself before it calls its provider."""
    door = opened(provider)
    for carrier in (door, door._channel):
        with pytest.raises(PermanentError) as caught, structlog.testing.capture_logs() as told:
            carrier.send(forged(BY[provider][0]))
        assert "outside_sandbox" == caught.value.error_type
        assert [("sandbox_breached", "r1")] == [
            (each["event"], each["reminder"]) for each in told if each["event"] == "sandbox_breached"
        ]
        assert "zoe@customer.example" not in str(told)
        assert "+34600000000" not in str(told)
    assert {} == dict(providers.taken)
    assert [] == list((tmp_path / "print-runs").rglob("*.pdf"))


@pytest.mark.parametrize("provider", BY)
def test_what_goes_to_the_sandbox_passes(opened: Any, provider: str) -> None:
    """As a rehearsal writes it; whatever the provider then says of it."""
    with contextlib.suppress(TemporaryError, UncertainError):
        opened(provider).send(written(BY[provider][0]))


@pytest.mark.parametrize("provider", ["smtp", "ses"])
@pytest.mark.parametrize("field", [b"To", b"Cc", b"Bcc", b"Resent-To"])
def test_a_customer_in_the_header_alone_is_one_too_many(
    opened: Any, providers: StandIns, monkeypatch: pytest.MonkeyPatch, provider: str, field: bytes
) -> None:
    """The envelope is the sandbox's; a header that names somebody else, folded, quoted, as second of two, is found in the bytes."""

    def with_field(message: Message, **more: Any) -> Mail:
        mail = mail_of(message, **more)
        extra = (
            field
            + b': "Trial, Desk" <trial@company.example>,\r\n =?utf-8?q?Zo=C3=AB?= <zoe@customer.example>\r\n'
        )
        return replace(mail, content=extra + mail.content)

    monkeypatch.setattr(f"notifiers.mail.{provider}.mail_of", with_field)
    with pytest.raises(PermanentError) as caught:
        opened(provider).send(written())
    assert f"an address in {field.decode().title()} is not the sandbox's: nothing was handed over" == (
        caught.value.detail
    )
    assert {} == dict(providers.taken)


def test_a_letter_is_looked_at_as_it_is_printed() -> None:
    """The lines beside it are the sandbox's, its window is the customer's: it stays here."""
    theirs = RENDERER.message(reminder(channels=("letter",)), "letter")
    ours = written("letter")
    LOOK(Outgoing(channel="letter", reminder="r1", lines=ours.address_lines, pdf=ours.pdf))
    for lines, pdf in (
        (ours.address_lines, theirs.pdf),
        (theirs.address_lines, ours.pdf),
        (ours.address_lines, b"no"),
    ):
        with pytest.raises(PermanentError):
            LOOK(Outgoing(channel="letter", reminder="r1", lines=lines, pdf=pdf))


@pytest.mark.parametrize(
    "lines",
    [
        ("Corner Bakery", "Calle 1", "28001 Madrid", *US.address),
        (*US.address, "Calle 1", "28001 Madrid"),
        US.address[1:],
    ],
    ids=["another street above", "another street below", "not all of it"],
)
def test_an_address_that_holds_another_one_is_none_of_ours(lines: tuple[str, ...]) -> None:
    """Above the sandbox's lines stand two names and for whom it was meant, and nothing below them."""
    with pytest.raises(PermanentError):
        LOOK(Outgoing(channel="letter", reminder="r1", lines=lines))


def test_a_channel_without_a_sandbox_is_not_looked_at() -> None:
    """Which then writes files: a sandbox that leaves a real channel open is refused at the start."""
    only(SandboxRecipients(phone=US.phone))(
        Outgoing(channel="email", reminder="r1", recipients=("zoe@customer.example",))
    )


def test_it_fails_with_a_closed_type_and_is_counted(engine: Engine) -> None:
    """R19 goes on with the next channel, which is looked at as well; the alert stands on the count."""
    sendings = sendings_tally(channels=["email"])
    channel = ScriptedChannel()
    loop = dispatcher(
        engine,
        channel=guarded(channel, to=US),
        render=lambda asked, name: replace(RENDERER.message(asked, name), meant_for="x"),
        sendings=sendings,
    )
    know(engine)
    loop.record([read(reminder())])
    loop.run(partitions=[0])
    row = job_row(engine)
    assert ("failed", "outside_sandbox", []) == (row["state"], row["error_type"], channel.asked)
    assert (1, 1) == (sendings.count("email", "failed"), sendings.count("email", "outside_sandbox"))
