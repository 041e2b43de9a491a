"""Messages other than reminders, and what the law wants in a message: written, and sent like reminders."""

import datetime

import msgspec
import pytest
from sqlalchemy import Engine

from notifiers.reading import ReadReminder
from notifiers.writing.render import MESSAGE_KINDS, Renderer
from notifiers.writing.samples import sample_reminder
from notifiers.writing.words import LANGUAGES
from processors.messages import UNBOUND
from schemas.facts import MessageDecided
from schemas.law import LegalText
from schemas.reminders import read_reminder
from tests.notifiers.sending import TICK, ScriptedChannel, dispatcher, know, reminder, states

RENDERER = Renderer()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_each_message_has_texts_for_each_channel(kind: str, language: str) -> None:
    """R33: mail, letter and SMS of each kind, in each language, without a place that was not filled."""
    made = sample_reminder(kind=kind, language=language)
    for channel in ("email", "letter", "sms"):
        written = RENDERER.message(made, channel)
        assert written.subject
        assert written.text or written.pdf
        assert "{{" not in written.text
        assert "None" not in written.text


def test_a_thanks_names_the_amount_and_lists_nothing() -> None:
    """S4-10: what was paid, and no table of items that are open."""
    written = RENDERER.message(sample_reminder(kind="payment_received", language="en"), "email")
    assert "We have received your payment of $1,250.56." in written.text
    assert "Document" not in written.text
    assert "<th" not in written.html


@pytest.mark.parametrize(("channel", "expected"), [("email", True), ("letter", True), ("sms", False)])
def test_what_the_law_wants_said_comes_first(channel: str, expected: bool) -> None:
    """Section 5: mandatory texts stand at the start, on the channels that they are for."""
    text = LegalText(language="en", text="You have the right to ask for a written copy.")
    made = msgspec.structs.replace(sample_reminder(kind="first", language="en"), legal_texts=(text,))
    written = RENDERER.message(made, channel)  # type: ignore[arg-type]  # a channel
    if channel == "letter":
        assert (
            len(written.pdf)
            > len(RENDERER.message(sample_reminder(kind="first", language="en"), "letter").pdf) - 1
        )
    else:
        assert expected == ("written copy" in written.text)


def test_opting_out_is_offered_in_a_text_message() -> None:
    """Section 5, Reg F: a message of 160 characters says how to get no more of them."""
    text = LegalText(language="en", text="Answer STOP.", channels=("sms",))
    made = msgspec.structs.replace(sample_reminder(kind="first", language="en"), legal_texts=(text,))
    assert RENDERER.message(made, "sms").text.endswith("Answer STOP.")


def test_a_message_is_sent_although_the_account_has_changed(engine: Engine) -> None:
    """R33, R32: that an invoice was issued stays true; a reminder of the same version is overtaken."""
    content = msgspec.structs.replace(reminder("m1"), template="invoice_issued", decision_version=UNBOUND)
    fact = MessageDecided(
        id="m1", account="acme:C1", message_kind="invoice_issued", subject="INV-1", content=content
    )
    running = dispatcher(engine, channel=ScriptedChannel())
    running.record(
        [
            ReadReminder(partition=0, reminder=made, text=text)
            for made, text in map(read_reminder, map(msgspec.json.encode, (fact, reminder("r1"))))
        ]
    )
    know(engine, version=9, clock=TICK + datetime.timedelta(minutes=1))
    running.run(partitions=[0])
    running.run(partitions=[0])
    assert {"m1/email": "accepted", "r1/email": "superseded"} == states(engine)
