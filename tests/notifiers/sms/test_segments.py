"""How many segments an SMS is: what is paid for is known before it is sent."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.sms.segments import plain, segments

GSM = st.text(alphabet="abcñéàü@¿¡ ,.0123456789€[]{}", max_size=700)
ANY = st.text(max_size=400)


@pytest.mark.parametrize(
    ("text", "encoding", "count", "units"),
    [
        ("", "gsm7", 1, 0),
        ("a" * 160, "gsm7", 1, 160),
        ("a" * 161, "gsm7", 2, 161),
        ("a" * 306, "gsm7", 2, 306),
        ("a" * 307, "gsm7", 3, 307),
        ("€" * 80, "gsm7", 1, 160),
        ("€" * 81, "gsm7", 2, 162),
        ("á" * 70, "ucs2", 1, 70),
        ("á" * 71, "ucs2", 2, 71),
        ("á" * 134, "ucs2", 2, 134),
        ("á" * 135, "ucs2", 3, 135),
        ("🙂" * 35, "ucs2", 1, 70),
        ("🙂" * 36, "ucs2", 2, 72),
    ],
)
def test_segments_of_each_alphabet(text: str, encoding: str, count: int, units: int) -> None:
    """160 septets alone, 153 of several; 70 and 67 UTF-16 units; an extension or an emoji takes two."""
    found = segments(text)
    assert (encoding, count, units) == (found.encoding, found.count, found.units)


def test_nothing_is_cut_between_two_units() -> None:
    """76 euro signs are 152 of 153 septets: the 77th begins the second segment, as an emoji does in UCS-2."""
    assert 3 == segments("€" * 76 + "€" * 76 + "€").count
    assert 3 == segments("🙂" * 33 + "🙂" * 33 + "🙂").count  # 66 of 67 units each
    assert 2 == segments("🙂" * 66).count


@pytest.mark.parametrize("letter", "éèàùìòñÑüÜöÖäÄåÅæÆøØßÉÇ¿¡£¥§@")
def test_letters_of_gsm7(letter: str) -> None:
    """What is in the default alphabet costs nothing."""
    assert "gsm7" == segments(letter).encoding


@pytest.mark.parametrize("letter", "áíóúÁÍÓÚçãõêâ’–…“")
def test_letters_that_force_ucs2(letter: str) -> None:
    """Spanish and Portuguese vowels, and typography, make the whole message dearer; they are named."""
    found = segments(f"Estimado cliente {letter}{letter}")
    assert ("ucs2", letter) == (found.encoding, found.forcing)


def test_a_reminder_in_spanish_is_cheaper_without_accents() -> None:
    """The option: 'Transferencia' keeps its ñ and é, and gives up ó and á."""
    text = "Señores: la factura F-1 venció el 3 de marzo. Por favor páguela hoy; así evitará más gestión. Café 1.000 €"
    assert ("ucs2", 2) == (segments(text).encoding, segments(text).count)
    written = plain(text)
    assert ("gsm7", 1) == (segments(written).encoding, segments(written).count)
    assert (
        "Señores: la factura F-1 vencio el 3 de marzo. Por favor paguela hoy; asi evitara mas gestion. Café 1.000 €"
        == written
    )


def test_what_stays_ucs2_keeps_its_accents() -> None:
    """One sign that cannot be written plainly: giving up the others would buy nothing."""
    assert "Pagó ₡ 1.000 – gracias" == plain("Pagó ₡ 1.000 – gracias")


def test_a_decomposed_letter_is_the_letter() -> None:
    """An e with a combining accent is é, which GSM-7 has."""
    assert "gsm7" == segments(unicodedata.normalize("NFD", "café")).encoding


@given(GSM | ANY)
def test_counts_fit(text: str) -> None:
    """All units fit into the segments, and one segment fewer would not do."""
    found = segments(text)
    alone, of_several = (160, 153) if found.encoding == "gsm7" else (70, 67)
    if found.count == 1:
        assert found.units <= alone
    else:
        # At most one unit of each segment but the last may be left for a sign of two.
        assert (found.count - 1) * (of_several - 1) < found.units <= found.count * of_several
    assert 0 <= found.left <= alone


@given(GSM | ANY)
def test_writing_plainly_never_costs_more(text: str) -> None:
    """It is GSM-7 then, or the very text; twice is once."""
    written = plain(text)
    assert plain(written) == written
    assert segments(written).count <= segments(text).count
    if segments(written).encoding == "ucs2":
        assert unicodedata.normalize("NFC", text) == written
