"""Letters as the post sees them (S0-07): the address in the envelope's window, however the sheet slides; all pages whole."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import msgspec
import pypdf
import pytest
from structlog.testing import capture_logs

from notifiers.channel import Message, PermanentError
from notifiers.paper import sheets
from notifiers.paper.sheets import Extent, extent_of
from notifiers.writing.render import KINDS, Renderer
from notifiers.writing.samples import SampleLinks, sample_reminder
from schemas.events import Contact
from schemas.facts import Delivery, ReminderDecided, ReminderItem
from schemas.fields import LetterLayout
from tests.notifiers.paper.reading import Word, read_pages, words
from tests.notifiers.paper.verapdf import judged
from tests.notifiers.pictures import png
from tests.notifiers.test_statements import long_statement

INCH = 25.4
RENDERER = Renderer()
LAYOUTS: tuple[LetterLayout, ...] = get_args(LetterLayout)


@dataclass(frozen=True)
class Window:
    """An envelope's window over the sheet that stands on the envelope's floor at the left, in mm; and the sheet's play."""

    left: float
    top: float
    right: float
    bottom: float
    play_x: float
    play_y: float
    fold: float

    def always(self) -> dict[str, float]:
        """Give what is seen wherever the sheet slides: to the right, and up."""
        return {
            "left": self.left,
            "top": self.top + self.play_y,
            "right": self.right - self.play_x,
            "bottom": self.bottom,
        }

    def ever(self) -> dict[str, float]:
        """Give what may be seen."""
        return {
            "left": self.left - self.play_x,
            "top": self.top,
            "right": self.right,
            "bottom": self.bottom + self.play_y,
        }


def window_of(
    *,
    sheet: tuple[float, float],
    fold: float,
    envelope: tuple[float, float],
    window: tuple[float, float, float, float],
) -> Window:
    """Lay a window (from the left, from the floor, width, height) over the first panel of a sheet, ``fold`` high."""
    left, floor, width, height = window
    return Window(
        left=left,
        right=left + width,
        bottom=fold - floor,
        top=fold - floor - height,
        play_x=envelope[0] - sheet[0],
        play_y=envelope[1] - max(fold, sheet[1] / 3 if sheet[1] < 290 else 105.0),
        fold=fold,
    )


DL = {"sheet": (210.0, 297.0), "envelope": (220.0, 110.0), "window": (20.0, 15.0, 90.0, 45.0)}
TEN = {
    "sheet": (8.5 * INCH, 11 * INCH),
    "envelope": (9.5 * INCH, 4.125 * INCH),
    "window": (0.875 * INCH, 0.5 * INCH, 4.5 * INCH, 1.125 * INCH),
}
WINDOWS = {
    "din_5008_a": window_of(fold=87.0, **DL),  # type: ignore[arg-type]  # a plain table of numbers
    "din_5008_b": window_of(fold=105.0, **DL),  # type: ignore[arg-type]
    "us_10": window_of(fold=11 / 3 * INCH, **TEN),  # type: ignore[arg-type]
}
SHORT = ("Calle 1", "28001 Madrid")
LONG = (
    "Polígono Industrial Ñandú-Coyoacán, Edificio C",
    "Avenida de los Ingenieros de Caminos 1234-1238, nave 17",
    "Planta 5, puerta B, a la atención de cuentas por pagar",
    "Apartado de correos 991",
    "28001 Rivas-Vaciamadrid",
    "España",
)


def written(*, layout: LetterLayout, **changes: object) -> Message:
    """Write the sample reminder as a letter of this layout."""
    made = msgspec.structs.replace(
        sample_reminder(kind="second", language="es"), letter_layout=layout, **changes
    )
    return RENDERER.message(made, "letter")


def to(*lines: str, name: str = "Cuentas por pagar") -> dict[str, object]:
    """Address a letter."""
    at = sample_reminder(kind="second", language="es").tick
    contact = Contact(name=name, address=lines)
    return {"deliveries": (Delivery(channel="letter", not_before=at, contact=contact),)}


def address_of(message: Message) -> list[Word]:
    """Find the words of the address on the first page: the first ones of their size at their place, joined lines."""
    wanted = plain("".join(message.address_lines))
    page = words(read_pages(message.pdf)[0])
    for first in range(len(page)):
        for last in range(first + 1, len(page) + 1):
            said = plain("".join(word.text for word in page[first:last]))
            if said == wanted:
                return page[first:last]
            if not wanted.startswith(said):
                break
    raise AssertionError(f"{wanted!r} is not on the page")


def plain(text: str) -> str:
    """Leave out white space, and what may only be broken at."""
    return "".join(text.replace("\u200b", "").split())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_address_is_in_the_window_wherever_the_sheet_slides(layout: LetterLayout) -> None:
    """Five lines, at a size that a machine can read."""
    message = written(layout=layout, **to(*SHORT, "España"))
    seen = WINDOWS[layout].always()
    for word in address_of(message):
        assert (word, True) == (word, word.within(**seen))
        assert word.size_pt >= 8.5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_long_address_is_in_the_window(layout: LetterLayout) -> None:
    """Eight lines and more: smaller, and on a #10 only as long as the sheet stands on the envelope's floor."""
    message = written(layout=layout, **to(*LONG))
    window = WINDOWS[layout]
    seen = window.always() if layout != "us_10" else window.always() | {"top": window.top}
    for word in address_of(message):
        assert (word, True) == (word, word.within(**seen))
        assert word.size_pt >= 6.0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lines", [SHORT, LONG])
def test_nothing_else_shows_through_the_window(layout: LetterLayout, lines: tuple[str, ...]) -> None:
    """No amount, no number of a customer: only the address, and the sender in small print (DIN)."""
    message = written(layout=layout, **to(*lines))
    address = address_of(message)
    window = WINDOWS[layout].ever()
    shown = [word.text for word in words(read_pages(message.pdf)[0]) if word.touches(**window)]
    sender = plain("Muestras y Señales S.A. · Calle Larga 77 · Valparaíso · Chile")
    others = (
        plain("".join(shown)).replace(plain("".join(word.text for word in address)), "").replace(sender, "")
    )
    assert "" == others


@pytest.mark.parametrize("layout", ["us_10"])
def test_the_sender_is_in_the_second_window(layout: LetterLayout) -> None:
    """A #10 with two windows has the sender's 3.5 × 1 in, 0.875 in from the left, 2.25 in from the floor."""
    second = window_of(
        sheet=(8.5 * INCH, 11 * INCH),
        fold=11 / 3 * INCH,
        envelope=(9.5 * INCH, 4.125 * INCH),
        window=(0.875 * INCH, 2.25 * INCH, 3.5 * INCH, 1 * INCH),
    )
    page = words(
        read_pages(
            written(layout=layout, company_address=("Calle Larga 77", "Piso 2", "Valparaíso", "Chile")).pdf
        )[0]
    )
    sender = page[:4]
    assert ["Muestras y Señales S.A.", "Calle Larga 77", "Piso 2", "Valparaíso, Chile"] == [
        word.text.strip() for word in sender
    ]
    assert all(word.within(**second.always()) for word in sender)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_absurdly_long_is_refused_not_cut(layout: LetterLayout) -> None:
    """All that a contact may hold: it is in the window whole, or it is no letter (R19)."""
    absurd = to(*("Ñ" * 60 + " " + "W" * 59,) * 6, name="W" * 200)
    with pytest.raises(PermanentError) as caught:
        written(layout=layout, customer_name="W" * 200, **absurd)
    assert "the address does not fit the window" in caught.value.detail


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_words_begin_below_the_fold_or_the_window(layout: LetterLayout) -> None:
    """The subject stands under all that the window can show."""
    page = words(read_pages(written(layout=layout).pdf)[0])
    (subject,) = [word for word in page if word.size_pt == 11.5][:1]
    assert subject.top > WINDOWS[layout].bottom


@pytest.mark.parametrize(
    ("layout", "paper"), [("din_5008_a", "a4"), ("din_5008_b", "a4"), ("us_10", "us_letter")]
)
def test_the_paper_is_the_layouts(layout: LetterLayout, paper: str) -> None:
    """A4, or US Letter."""
    assert paper == extent_of(written(layout=layout).pdf).paper


@pytest.mark.parametrize("layout", LAYOUTS)
def test_many_items_take_many_pages(layout: LetterLayout) -> None:
    """DESIGN 3.6: 500 items; each is there once, each page repeats the table's head and says its number of how many."""
    message = written(layout=layout, items=items(500))
    pages = read_pages(message.pdf)
    texts = [" ".join(word.text for word in words(page)) for page in pages]
    count = len(pages)
    assert count > 8
    assert Extent(pages=count, paper="us_letter" if layout == "us_10" else "a4") == extent_of(message.pdf)
    for number, text in enumerate(texts, start=1):
        assert f"Página {number} de {count}" in text
        assert number == 1 or "N.º de cliente C-100" in text
        assert ("Emisión" in text) == ("Q-1" in text)
    whole = " ".join(texts)
    assert [1] * 500 == [whole.count(each.item) for each in items(500)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_leaves_the_page(layout: LetterLayout) -> None:
    """Words longer than a line, amounts of twenty figures, a footer of a page: broken, not cut."""
    long = "X" * 120
    item = msgspec.structs.replace(
        items(1)[0], item=long, reference="R" * 200, amount_minor=10**17, open_minor=10**17
    )
    message = written(
        layout=layout,
        items=(item,),
        others=(item,),
        customer=long,
        payment_instructions="\n".join(["Cuenta " + "9" * 120] * 20),
        footer="\n".join(["Aviso legal: " + "z" * 150] * 12),
        **to(*SHORT),
    )
    for page in read_pages(message.pdf):
        width = float(page.mediabox.width) / 72 * INCH
        height = float(page.mediabox.height) / 72 * INCH
        for word in words(page):
            assert (word, True) == (word, word.within(left=0.0, top=0.0, right=width - 5, bottom=height - 5))


def test_the_same_reminder_gives_the_same_bytes() -> None:
    """Another process, another day: the file is what was accepted."""
    assert written(layout="us_10").pdf == written(layout="us_10").pdf
    made = msgspec.structs.replace(sample_reminder(kind="second", language="es"), letter_layout="us_10")
    assert written(layout="us_10").pdf == Renderer().message(made, "letter").pdf


@pytest.mark.parametrize(
    "name", ["Ελλάς Α.Ε.", "Завод №5", "Łódź Žižkov Ștefan", "ליד בע״מ", "¿Ñandú? ½ € ₡ ₲ ₴"]
)
def test_the_scripts_of_the_texts_have_fonts(name: str) -> None:
    """Latin of all Europe, Greek, Cyrillic, Hebrew: named in the window as they name themselves."""
    message = written(layout="din_5008_b", customer_name=name)
    shown = plain("".join(word.text for word in words(read_pages(message.pdf)[0])))
    assert plain(name) in shown or plain(name)[::-1] in shown


def test_a_script_without_a_font_is_said() -> None:
    """PDF/A holds no empty boxes: no letter goes out in which a name cannot be read, and the detail says what to do."""
    with pytest.raises(PermanentError) as caught:
        written(layout="din_5008_b", customer_name="株式会社")
    assert "template_error" == caught.value.error_type
    assert "株" in caught.value.detail
    assert "COBRANZA_SEND_LETTER_FONTS" in caught.value.detail


def test_letters_conform_to_pdf_a_and_pdf_ua(tmp_path: Path) -> None:
    """Judged by veraPDF: PDF/A-2a to be kept, PDF/UA-1 to be read aloud; every layout, kind, language, many pages; codes; statements."""
    made: dict[str, ReminderDecided] = {
        f"{layout}-{kind}-{language}": msgspec.structs.replace(
            sample_reminder(kind=kind, language=language), letter_layout=layout
        )
        for layout in LAYOUTS
        for kind in KINDS
        for language in ("en", "es")
    }
    files = {name: RENDERER.message(each, "letter").pdf for name, each in made.items()}
    files |= {f"{layout}-many": written(layout=layout, items=items(120)).pdf for layout in LAYOUTS}
    files |= {
        f"{layout}-long": written(layout=layout, items=items(2), footer="f\n" * 9, **to(*LONG)).pdf
        for layout in LAYOUTS
    }
    files |= {f"{layout}-logo": with_logo(layout, folder=tmp_path).pdf for layout in LAYOUTS}
    files |= {f"{layout}-codes": with_codes(layout).pdf for layout in LAYOUTS}
    files |= {f"statement-{language}": long_statement(language) for language in ("en", "es", "pt")}
    assert dict.fromkeys(files, "") == judged(files, flavour="2a")
    assert dict.fromkeys(files, "") == judged(files, flavour="ua1")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [2, 90])
def test_pages_are_counted_as_any_reader_counts_them(layout: LetterLayout, count: int) -> None:
    """Where typst writes it, without reading the file: a release that writes it elsewhere is read, not believed."""
    pdf = written(layout=layout, items=items(count)).pdf
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert sheets._TREE.match(pdf)
    assert len(reader.pages) == extent_of(pdf).pages
    again = io.BytesIO()
    pypdf.PdfWriter(clone_from=reader).write(again)
    assert extent_of(pdf) == extent_of(again.getvalue())


def with_codes(layout: LetterLayout) -> Message:
    """Write a letter that leads to where one can pay, and answer."""
    made = msgspec.structs.replace(
        sample_reminder(kind="third", language="pt"),
        letter_layout=layout,
        payment_link="https://pay.example.com/{customer}?r={reminder}",
    )
    return Renderer(links=SampleLinks()).message(made, "letter")


def with_logo(layout: LetterLayout, *, folder: Path, content: bytes | None = None) -> Message:
    """Write a letter of a company that has a logo."""
    (folder / "sample").mkdir(exist_ok=True)
    (folder / "sample" / "logo.png").write_bytes(png(400, 120) if content is None else content)
    made = msgspec.structs.replace(
        sample_reminder(kind="second", language="es"), letter_layout=layout, logo="logo.png"
    )
    return Renderer(own=folder).message(made, "letter")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_logo_is_at_the_head(layout: LetterLayout, tmp_path: Path) -> None:
    """S4-18: the picture of the profile is on the first page, the address stays where it was, and how to pay is said."""
    plain_, made = written(layout=layout), with_logo(layout, folder=tmp_path)
    file = pypdf.PdfReader(io.BytesIO(made.pdf))
    objects = [file.get_object(number) for number in range(1, int(str(file.trailer["/Size"])))]
    pictures = [
        (int(str(each["/Width"])), int(str(each["/Height"])))
        for each in objects
        if isinstance(each, pypdf.generic.StreamObject) and each.get("/Subtype") == "/Image"
    ]
    assert [(400, 120)] == pictures
    assert address_of(plain_) == address_of(made)
    assert "Transferencia a la cuenta" in "".join(page.extract_text() for page in file.pages)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\xd8\xff\xe0\x00\x10", b"no picture", png(colour=3)]
)
def test_what_is_no_picture_leaves_the_name_in_its_place(tmp_path: Path, content: bytes) -> None:
    """A broken logo stops no letter."""
    with capture_logs() as said:
        made = with_logo("din_5008_b", folder=tmp_path, content=content)
    assert ["logo_left_out"] == [each["event"] for each in said]
    assert made.pdf == written(layout="din_5008_b").pdf


def test_the_judge_is_not_blind() -> None:
    """A file that says that it conforms, and does not, is found out."""
    good = written(layout="din_5008_b").pdf
    bad = good.replace(b"/Lang", b"/Xang").replace(b"/MarkInfo", b"/MorkInfo")
    assert good != bad
    assert "" != judged({"bad": bad}, flavour="ua1")["bad"]


def items(count: int) -> tuple[ReminderItem, ...]:
    """Make items whose names are no part of each other."""
    (first, *_) = sample_reminder(kind="second", language="es").items
    return tuple(
        msgspec.structs.replace(first, item=f"Q-1{number:04d}Z", reference="") for number in range(count)
    )
