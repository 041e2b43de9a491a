"""Signed links: made the same each time, read only as they were made, and only until their day."""

import datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from notifiers.links import Link, LinkError, Links, LinkSettings, Purpose
from schemas.fields import Channel
from tests.notifiers.sending import reminder

SECRET = "a secret that is long enough for anybody"
OTHER = "another secret that is as long as the first"
TODAY = datetime.date(2026, 3, 2)


def links(*secrets: str, url: str = "https://pay.example", days: int = 120) -> Links:
    """Make links signed by the first of these secrets."""
    given_secrets = SecretStr(",".join(secrets or (SECRET,)))
    return Links(LinkSettings(public_url=url, link_secrets=given_secrets, link_days=days))


any_link = st.builds(
    Link,
    purpose=st.sampled_from(get_args(Purpose)),
    reminder=st.one_of(st.binary(min_size=16, max_size=16).map(bytes.hex), st.text(min_size=1, max_size=64)),
    channel=st.sampled_from(get_args(Channel)),
    last_on=st.dates(min_value=TODAY, max_value=datetime.date(2199, 1, 1)),
    subject=st.text(max_size=60),
)


@settings(deadline=None)
@given(link=any_link)
def test_a_link_says_what_it_was_made_of(link: Link) -> None:
    """Whatever it names, what is read is what was signed."""
    signed = links()
    assert link == signed.read(signed.token(link), purpose=link.purpose, today=TODAY)


@settings(max_examples=200, deadline=None)
@given(link=any_link, data=st.data())
def test_any_changed_bit_is_refused(link: Link, data: st.DataObject) -> None:
    """No bit of an address can be another one: no name, no day, no key, no signature, nor how it is written."""
    signed = links()
    raw = bytearray(signed.token(link).encode())
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LinkError, match="forged"):
        signed.read(raw.decode("latin-1"), purpose=link.purpose, today=TODAY)


@settings(deadline=None)
@given(token=st.text(max_size=80))
def test_what_we_did_not_make_is_refused(token: str) -> None:
    """Any text at all: refused, never an error of ours."""
    with pytest.raises(LinkError, match="forged"):
        links().read(token, purpose="answer", today=TODAY)


def test_a_link_is_good_for_one_thing() -> None:
    """Who may answer may not stop messages by the same address."""
    signed = links()
    url = signed.answer(reminder("r1"), channel="email")
    token = url.rpartition("/")[2]
    assert url.startswith("https://pay.example/a/")
    assert "r1" == signed.read(token, purpose="answer", today=datetime.date(2012, 3, 5)).reminder
    with pytest.raises(LinkError, match="forged"):
        signed.read(token, purpose="unsubscribe", today=datetime.date(2012, 3, 5))


def test_a_link_ends_with_its_day() -> None:
    """It is good on its last day, and not on the next."""
    signed = links(days=10)
    token = signed.answer(reminder("r1"), channel="email").rpartition("/")[2]
    last_on = datetime.date(2012, 3, 14)
    assert last_on == signed.read(token, purpose="answer", today=last_on).last_on
    with pytest.raises(LinkError, match="ended"):
        signed.read(token, purpose="answer", today=last_on + datetime.timedelta(days=1))


def test_messages_can_be_stopped_for_longer_than_anything_else() -> None:
    """A mail lies in a mailbox for long: leaving is good for 400 days at least."""
    signed = links(days=10)
    token = signed.unsubscribe(reminder("r1"), channel="email").rpartition("/")[2]
    on = datetime.date(2012, 3, 4) + datetime.timedelta(days=400)
    assert "unsubscribe" == signed.read(token, purpose="unsubscribe", today=on).purpose


def test_a_secret_is_changed_without_ending_the_links_that_are_out() -> None:
    """The new one in front signs; the old one reads until it is taken away."""
    link = Link(purpose="answer", reminder="r1", channel="email", last_on=TODAY)
    old = links(OTHER).token(link)
    assert link == links(SECRET, OTHER).read(old, purpose="answer", today=TODAY)
    assert old != links(SECRET, OTHER).token(link)
    with pytest.raises(LinkError, match="forged"):
        links(SECRET).read(old, purpose="answer", today=TODAY)


def test_the_same_message_has_the_same_links() -> None:
    """A mail that is written again is the same mail."""
    assert links().answer(reminder("r1"), channel="email") == links().answer(reminder("r1"), channel="email")
    assert links().answer(reminder("r1"), channel="email") != links().answer(reminder("r1"), channel="letter")


def test_an_address_fits_into_a_text_message() -> None:
    """An SMS has 160 characters: the address of a real reminder takes fewer than 100."""
    url = links().answer(reminder("9a1cf2b07d7f4f5e8a2b3c4d5e6f7081"), channel="sms")
    assert len(url) < 100


@pytest.mark.parametrize(
    ("settings_given", "missing"),
    [
        ({}, "COBRANZA_PUBLIC_URL and COBRANZA_LINK_SECRETS"),
        ({"public_url": "https://pay.example"}, "COBRANZA_LINK_SECRETS"),
        ({"link_secrets": SecretStr(SECRET)}, "COBRANZA_PUBLIC_URL"),
    ],
)
def test_without_address_or_secret_there_are_no_links(
    settings_given: dict[str, object], missing: str
) -> None:
    """Nothing is half made, what is missing is said, and nobody's token is good."""
    unset = Links(LinkSettings.model_validate(settings_given))
    assert missing in unset.missing
    assert "" == unset.answer(reminder("r1"), channel="email")
    with pytest.raises(LinkError):
        unset.read("aaaa.bbbb.cccc", purpose="answer", today=TODAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"link_secrets": "too short"},
        {"link_secrets": f"{SECRET},short"},
        {"public_url": "pay.example"},
        {"public_url": "ftp://pay.example"},
        {"public_url": "https://pay.example/?x=1"},
    ],
)
def test_settings_that_would_do_harm_are_refused(wrong: dict[str, str]) -> None:
    """A short secret can be guessed; an address must lead to the web."""
    with pytest.raises(ValidationError):
        LinkSettings.model_validate(wrong)


def test_tasks_and_the_desks_own_mails_have_no_links() -> None:
    """A link is for a customer: colleagues have the console."""
    assert "" == links().answer(reminder("r1"), channel="task")
    assert "" == links().unsubscribe(reminder("r1", template="answer"), channel="email")
