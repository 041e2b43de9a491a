"""Why a carrier cannot be opened is told in the user's language, whatever the settings say in English (S4-24)."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from console.web.inside.carrier_faults import CARRIER_FAULTS, carrier_fault_text
from console.web.inside.showing import LANGUAGES, words_of
from tests.console.inside.desk import Desk
from tests.console.inside.test_access import STORY

READY = "/settings/acme/ready?check=true"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_fault_has_its_words_with_the_same_places(language: str) -> None:
    """What is named in a fault is named in each language."""
    words = words_of(language)["carrier_faults"]
    assert [*CARRIER_FAULTS, "other"] == list(words)
    for name, pattern in CARRIER_FAULTS.items():
        assert set(re.findall(r"{(\w+)}", words[name])) == set(pattern.groupindex), name


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            (
                "Settings of sending are wrong:\n"
                "COBRANZA_SEND_SMTP_*: COBRANZA_SEND_SMTP_HOST is needed when COBRANZA_SEND_EMAIL is smtp"
            ),
            "COBRANZA_SEND_SMTP_*: Con este transporte hay que definir COBRANZA_SEND_SMTP_HOST.",
        ),
        (
            (
                "Settings of sending are wrong:\nCOBRANZA_SEND_SMTP_*: user and password go together\n"
                "COBRANZA_SEND_SMTP_PORT: Input should be a valid integer, unable to parse string as an integer"
            ),
            (
                "COBRANZA_SEND_SMTP_*: van juntos, defina todos o ninguno: user, password. "
                "COBRANZA_SEND_SMTP_PORT: no es un número que pueda tener."
            ),
        ),
        (
            "COBRANZA_SEND_SMS: nobody carries sms by pigeon",
            "COBRANZA_SEND_SMS: nadie lleva estos mensajes con pigeon: nombre otro transporte.",
        ),
        (
            "messages have no links: COBRANZA_PUBLIC_URL and COBRANZA_LINK_SECRETS not set",
            "falta definir: COBRANZA_PUBLIC_URL, COBRANZA_LINK_SECRETS.",
        ),
        (
            "nobody has foreseen this",
            "no sirve como está definido. El transporte dice: nobody has foreseen this",
        ),
    ],
)
def test_a_carriers_fault_is_told_in_the_language_of_who_reads(said: str, expected: str) -> None:
    """Variables stay as they are called; what nobody has foreseen is said to be the carrier's own word."""
    assert expected == carrier_fault_text(said, words=words_of("es"))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"COBRANZA_SEND_EMAIL": "smtp"}, "é preciso definir COBRANZA_SEND_SMTP_HOST"),
        ({"COBRANZA_SEND_EMAIL": "ses"}, "é preciso definir COBRANZA_SEND_SES_REGION"),
    ],
)
def test_readiness_says_it_in_portuguese(
    sqlite_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    said: str,
) -> None:
    """S4-24: the carriers' own words, as the settings really say them; links, too."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    desk = Desk(sqlite_engine, tmp_path, STORY).at_work("eva", language="pt")
    desk.employ("ada", role="administrator", language="pt")
    desk.log_in("ada")
    desk.submit("/settings/acme/profile", "/profile", name="Acme")
    text = desk.browser.get(READY).text
    assert said in text
    assert "falta definir: COBRANZA_PUBLIC_URL" in text
    assert "messages have no links" not in text
