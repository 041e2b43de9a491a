"""What a message costs, before it is sent: by provider, country, and the parts that are paid for."""

from pathlib import Path

import msgspec
import pytest

from notifiers.channel import Cost, Message
from notifiers.pricing import PriceError, micros_of, read_prices
from notifiers.sms.wording import plainly
from tests.notifiers.sending import CONTACT, RENDERER, reminder

PRICES = """
[[price]]
channel = "sms"
currency = "EUR"
part = "0.09"

[[price]]
channel = "sms"
country = "ES"
currency = "EUR"
part = "0.07"

[[price]]
provider = "twilio"
channel = "sms"
currency = "USD"
part = "0.0586"

[[price]]
provider = "twilio"
channel = "sms"
country = "CL"
currency = "USD"
part = "0.0612"

[[price]]
channel = "letter"
currency = "EUR"
part = "0.12"
delivery = "0.95"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write prices."""
    path = tmp_path / "prices.toml"
    path.write_text(PRICES)
    return path


def sms(phone: str, text: str = "pay", *, country: str = "") -> Message:
    """Make an SMS."""
    contact = msgspec.structs.replace(CONTACT, phone=phone)
    made = RENDERER.message(reminder(contact=contact, channels=("sms",)), "sms")
    return msgspec.structs.replace(made, text=text, country=country)


@pytest.mark.parametrize(
    ("provider", "phone", "country", "cost"),
    [
        ("other", "+34600000000", "", ("EUR", 70_000)),
        ("other", "+56961234567", "ES", ("EUR", 90_000)),
        ("twilio", "+56961234567", "", ("USD", 61_200)),
        ("twilio", "961234567", "CL", ("USD", 61_200)),
        ("twilio", "+34600000000", "", ("USD", 58_600)),
    ],
)
def test_the_entry_that_names_most_holds(
    file: Path, provider: str, phone: str, country: str, cost: tuple[str, int]
) -> None:
    """The number's own country counts, not the customer's; a provider goes before a country."""
    found = read_prices(file).cost(sms(phone, country=country), provider=provider)
    assert Cost(currency=cost[0], micros=cost[1], parts=1) == found


def test_segments_and_pages_are_paid_for(file: Path) -> None:
    """Two segments cost twice; a letter has its envelope besides."""
    prices = read_prices(file)
    assert 140_000 == prices.cost(sms("+34600000000", "á" * 71), provider="x").micros
    letter = msgspec.structs.replace(sms("+34600000000"), channel="letter", pages=3)
    assert Cost(currency="EUR", micros=1_310_000, parts=3) == prices.cost(letter, provider="folder")


def test_what_has_no_price_is_counted(file: Path) -> None:
    """Its parts are known, its cost is not."""
    mail = msgspec.structs.replace(sms("+34600000000"), channel="email")
    assert Cost(currency="", micros=0, parts=1) == read_prices(file).cost(mail, provider="smtp")


def test_prices_that_ship_can_be_read() -> None:
    """Without a file of one's own."""
    found = read_prices(None).price("email", provider="ses")
    assert found is not None
    assert Cost(currency="USD", micros=100, parts=1) == found.cost(1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[price]]\nchannel = "sms"\ncurrency = "usd"\n', "currency"),
        ('[[price]]\nchannel = "sms"\ncurrency = "USD"\npart = "-1"\n', "price 1"),
        ('[[price]]\nchannel = "sms"\ncurrency = "USD"\npart = "0.00000001"\n', "millionths"),
        ('[[price]]\nchannel = "sms"\ncurrency = "USD"\nsegment = "1"\n', "segment"),
        (
            '[[price]]\nchannel = "sms"\ncurrency = "USD"\n[[price]]\nchannel = "sms"\ncurrency = "EUR"\n',
            "price 2",
        ),
    ],
)
def test_prices_that_cannot_be_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """Each with the entry, before anything is sent."""
    (tmp_path / "prices.toml").write_text(text)
    with pytest.raises(PriceError, match=said):
        read_prices(tmp_path / "prices.toml")


def test_millionths() -> None:
    """Decimals are exact; what is no amount is said."""
    assert [58_600, 1_000_000, 0] == [micros_of(each) for each in ("0.0586", "1", "0")]
    with pytest.raises(PriceError):
        micros_of("NaN")


def test_a_company_writes_its_sms_plainly() -> None:
    """The option holds for the companies that it names, and for SMS alone."""
    asked = msgspec.structs.replace(reminder(channels=("sms", "email")), text="Pagó? Verá más")
    plain = plainly(RENDERER.message, companies=("acme",))
    assert "Pago? Vera mas" in plain(asked, "sms").text
    assert "Pagó? Verá más" in plain(asked, "email").text
    assert "Pagó? Verá más" in plainly(RENDERER.message, companies=("beta",))(asked, "sms").text
    assert "Pago?" in plainly(RENDERER.message, companies=("*",))(asked, "sms").text


def test_an_sms_is_composed_as_its_segments_are_counted() -> None:
    """A file typed on another machine has "é" as two characters: sent so, GSM-7 became UCS-2 and cost double what was said."""
    asked = msgspec.structs.replace(reminder(channels=("sms", "email")), text="Cafe\u0301 n\u0303")
    written = plainly(RENDERER.message, companies=())
    assert "Caf\u00e9 \u00f1" in written(asked, "sms").text
    assert "Cafe\u0301 n\u0303" in written(asked, "email").text
