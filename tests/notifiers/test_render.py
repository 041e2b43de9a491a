"""Messages as their readers see them: every figure is there, in their language, and nothing of markup."""

import datetime
import html
import io
import re
from typing import get_args

import msgspec
import pypdf
import pytest

from notifiers.channel import Message, PermanentError
from notifiers.writing.render import KINDS, Renderer
from notifiers.writing.samples import sample_reminder
from notifiers.writing.words import LANGUAGES, words_of
from schemas.facts import ReminderDecided, Total
from schemas.fields import Channel

RENDERER = Renderer()


def sample(kind: str = "second", language: str = "en", **changes: object) -> ReminderDecided:
    """Make the sample reminder, with changes."""
    return msgspec.structs.replace(sample_reminder(kind=kind, language=language), **changes)


def mail(made: ReminderDecided) -> Message:
    """Write it as a mail."""
    return RENDERER.message(made, "email")


def letter_text(made: ReminderDecided) -> str:
    """Read the letter's text, pages one after the other, white space as single spaces."""
    pages = pypdf.PdfReader(io.BytesIO(RENDERER.message(made, "letter").pdf)).pages
    return plain(" ".join(page.extract_text() for page in pages))


def plain(text: str) -> str:
    """Make white space, no-break spaces among it, single spaces."""
    return " ".join(text.split())


def visible(page: str) -> str:
    """Give what a reader of HTML sees, roughly."""
    return plain(html.unescape(re.sub(r"<[^>]+>", " ", page)))


EXPECTED = {
    "en": [
        "F-10023", "PO 7781", "$1,250.56", "F-10031", "$325.50", "of $800.00", "F-10032", "CLP 459,900",
        "Total open in USD", "$1,576.06", "Total open in CLP", "Jan 30, 2026", "Mar 1, 2026", "15 days overdue",
        "F-10044", "due in 12 days", "$210.00", "credit note N-551", "Your credit in USD", "$42.75",
        "late interest on F-10023, Mar 7, 2026 to Mar 16, 2026", "$6.15", "Interest and costs in USD", "March 23, 2026", "Bank transfer to account 00-123-45678-90",
        "Samples & Signals Ltd", "Calle Larga 77", "+56 32 000 0000", "76.000.000-0", "Office hours",
        "Dear Accounts Payable,",
    ],
    "es": [
        "F-10023", "PO 7781", "1.250,56 US$", "F-10031", "325,50 US$", "de 800,00 US$", "F-10032",
        "459.900 CLP", "Total pendiente en USD", "1.576,06 US$", "Total pendiente en CLP", "30 ene 2026",
        "1 mar 2026", "15 días de retraso", "F-10044", "vence en 12 días", "210,00 US$", "nota de crédito N-551", "42,75 US$",
        "interés por mora de F-10023, del 7 mar 2026 al 16 mar 2026", "6,15 US$", "23 de marzo de 2026",
        "Transferencia a la cuenta 00-123-45678-90", "Muestras y Señales S.A.", "Valparaíso",
        "+56 32 000 0000", "76.000.000-0", "Horario de atención", "A la atención de Cuentas por pagar:",
    ],
    "pt": [
        "F-10023", "PO 7781", "US$ 1.250,56", "F-10031", "US$ 325,50", "de US$ 800,00", "F-10032",
        "CLP 459.900", "Total em aberto em USD", "US$ 1.576,06", "Total em aberto em CLP", "30 de jan. de 2026",
        "1 de mar. de 2026", "15 dias de atraso", "F-10044", "vence em 12 dias", "US$ 210,00", "nota de crédito N-551", "US$ 42,75",
        "juros de mora de F-10023, de 7 de mar. de 2026 a 16 de mar. de 2026", "US$ 6,15", "23 de março de 2026",
        "Transferência para a conta 00-123-45678-90", "Amostras e Sinais S.A.", "Valparaíso",
        "+56 32 000 0000", "76.000.000-0", "Horário de atendimento", "aos cuidados de Contas a pagar:",
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_is_in_every_form(language: str) -> None:
    """S4-13, S4-18: names, documents, dates, amounts, subtotals, how to pay and the footer, in all three forms."""
    made = sample(language=language)
    written = mail(made)
    forms = {
        "text": plain(written.text),
        "html": visible(written.html),
        "letter": letter_text(made),
    }
    missing = {
        name: [value for value in EXPECTED[language] if value not in form] for name, form in forms.items()
    }
    assert {"text": [], "html": [], "letter": []} == missing


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", get_args(Channel))
@pytest.mark.parametrize("count", [1, 3])
def test_every_template_renders(kind: str, language: str, channel: Channel, count: int) -> None:
    """Each kind, language and channel, for one item and for several: something, and no braces left."""
    made = sample(kind, language)
    written = RENDERER.message(msgspec.structs.replace(made, items=made.items[:count]), channel)
    filled = {
        "email": bool(written.text and written.html),
        "sms": bool(written.text),
        "letter": written.pdf.startswith(b"%PDF"),
        "task": len(written.tasks) == 1,
    }
    assert filled[channel]
    for text in (written.subject, written.text):
        assert "{" not in text
        assert "}" not in text
        assert "  \n" not in text


def test_levels_grow_firmer() -> None:
    """The four kinds say four different things."""
    assert [
        "Coming up for payment: 3 documents – Samples & Signals Ltd",
        "Payment reminder: 3 documents – Samples & Signals Ltd",
        "Second reminder: 3 documents still open – Samples & Signals Ltd",
        "Final reminder: 3 documents overdue – Samples & Signals Ltd",
    ] == [mail(sample(kind)).subject for kind in KINDS]


def test_one_document_is_named_in_the_subject() -> None:
    """S4-13: the document's number, in the reader's grammar."""
    one = {language: sample("second", language) for language in LANGUAGES}
    assert [
        "Second reminder: document F-10023 still open – Samples & Signals Ltd",
        "Segundo recordatorio: el documento F-10023 sigue pendiente – Muestras y Señales S.A.",
        "Segundo lembrete: o documento F-10023 continua em aberto – Amostras e Sinais S.A.",
    ] == [mail(msgspec.structs.replace(made, items=made.items[:1])).subject for made in one.values()]


def test_a_long_number_is_no_fault_of_the_template() -> None:
    """A document's id has up to 128 characters, a company's name 200: the subject is cut, and the mail goes."""
    made = sample("second", company_name="N" * 200)
    item = msgspec.structs.replace(made.items[0], item="9" * 128)
    subject = mail(msgspec.structs.replace(made, items=(item,))).subject
    assert (200, "…") == (len(subject), subject[-1])


def test_html_is_escaped() -> None:
    """What customers call themselves is text in HTML, and text in a letter."""
    nasty = '<script>alert(1)</script> #read("x") *b* $x$ & {{ 7 * 7 }}'
    made = sample(customer_name=nasty, footer=nasty)
    page = mail(made).html
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }}" in visible(page)
    assert plain(nasty) in letter_text(made)


def test_a_link_leads_to_the_web_or_nowhere() -> None:
    """An invoice's PDF is linked where the step attaches invoices, and never as a script."""
    made = sample(attach_invoices=True)
    first, second, third = made.items
    items = (
        msgspec.structs.replace(first, pdf_url="https://bills.example/1.pdf?a=1&b=2"),
        msgspec.structs.replace(second, pdf_url="javascript:alert(1)"),
        third,
    )
    page = mail(msgspec.structs.replace(made, items=items)).html
    assert ['href="https://bills.example/1.pdf?a=1&amp;b=2"'] == re.findall('href="[^"]*"', page)
    unattached = msgspec.structs.replace(made, items=items, attach_invoices=False)
    assert "bills.example" not in mail(unattached).html


def test_styles_are_inline() -> None:
    """Mail programs drop style sheets; what only they can say (dark and narrow screens) stays one."""
    page = mail(sample()).html
    assert 1 == page.count("<style")
    assert "prefers-color-scheme: dark" in page
    assert 'class="bar" style="' in page
    assert "{{" not in page


def test_currencies_are_never_added() -> None:
    """R23: each currency has its own subtotal, listed in a sentence."""
    made = sample(totals=tuple(Total(currency=each, amount_minor=1000) for each in ("CLP", "EUR", "USD")))
    assert "CLP 1,000, €10.00 and $10.00" in plain(mail(made).text)


def test_items_that_are_not_named_are_counted() -> None:
    """DESIGN 3.6: a reminder names at most 500 items; the rest is said as a number."""
    made = sample(unlisted=23)
    assert "26 documents" in mail(made).subject
    assert "and 23 more documents, which are included in the total" in plain(mail(made).text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_claims_that_are_not_named_are_a_line_of_their_own(language: str) -> None:
    """R22: a message names a hundred open claims; its lines add up to its total all the same."""
    made = sample(language=language, charge_totals=(Total(currency="USD", amount_minor=1_015),))
    further = words_of(language).charge_further
    for said in (plain(mail(made).text), visible(mail(made).html), letter_text(made)):
        assert further in said
        assert said.index("4,00" if language != "en" else "$4.00") > said.index(further)


def test_a_region_sets_the_figures_and_not_the_words() -> None:
    """es-CL: Spanish, with Chilean figures; an unknown region is just Spanish."""
    assert "Segundo recordatorio" in mail(sample(language="es", customer="x")).subject
    chile = mail(msgspec.structs.replace(sample(language="es"), language="es-CL"))
    assert "$459.900" in chile.text
    elsewhere = mail(msgspec.structs.replace(sample(language="es"), language="es-XX"))
    assert "459.900\N{NO-BREAK SPACE}CLP" in elsewhere.text


def test_the_day_is_the_companys() -> None:
    """A tick at 02:00 UTC is still the day before in Santiago."""
    made = sample(tick=datetime.datetime(2026, 3, 17, 2, tzinfo=datetime.UTC))
    assert datetime.date(2026, 3, 16) == mail(made).on
    assert "March 16, 2026" in letter_text(made)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"template": "fifth"}, "there are: answer, correction, courtesy, first"),
        ({"template": "../layout"}, "there are: answer, correction, courtesy, first"),
        ({"template": "layout"}, "there is no template"),
        ({"template": ""}, "there is no template"),
        ({"language": "fr"}, "there are no texts in 'fr'"),
        ({"totals": (Total(currency="XXX", amount_minor=1),)}, "not in ISO 4217"),
    ],
)
def test_what_cannot_be_written_fails_for_good(changes: dict[str, object], detail: str) -> None:
    """Unknown kinds, languages and currencies are template errors that say what there is."""
    with pytest.raises(PermanentError) as caught:
        mail(msgspec.structs.replace(sample(), **changes))
    assert "template_error" == caught.value.error_type
    assert detail in caught.value.detail


def test_a_letter_is_tagged_and_the_same_each_time() -> None:
    """PDF/UA-1: tags, title, language; made twice it is the same file."""
    made = sample(language="es")
    pdf = RENDERER.message(made, "letter").pdf
    document = pypdf.PdfReader(io.BytesIO(pdf))
    root = document.trailer["/Root"]
    assert True is bool(root["/MarkInfo"]["/Marked"])  # type: ignore[index]  # a PDF dictionary
    assert "es" == root["/Lang"]  # type: ignore[index]
    assert document.metadata is not None
    assert mail(made).subject == document.metadata.title
    assert pdf == Renderer().message(made, "letter").pdf


def test_a_long_letter_has_pages() -> None:
    """500 items: the header row is repeated, pages are counted, the last item is there."""
    made = sample()
    items = tuple(msgspec.structs.replace(made.items[0], item=f"N-{number:04}") for number in range(500))
    long = msgspec.structs.replace(made, items=items)
    reader = pypdf.PdfReader(io.BytesIO(RENDERER.message(long, "letter").pdf))
    pages = [plain(page.extract_text()) for page in reader.pages]
    assert len(pages) > 10
    assert f"Page 2 of {len(pages)}" in pages[1]
    assert "Open amount" in pages[1]
    assert "N-0499" in " ".join(pages)


def test_a_task_says_what_is_to_be_done() -> None:
    """S2-09: type, summary and responsible of each delivery; without a summary, the subject."""
    made = sample()
    call = msgspec.structs.replace(
        made.deliveries[0], channel="task", task_type="call", summary="Call them", responsible="ana"
    )
    bare = msgspec.structs.replace(made.deliveries[0], channel="task")
    written = RENDERER.message(msgspec.structs.replace(made, deliveries=(call, bare)), "task")
    assert [("call", "Call them", "ana"), ("task", written.subject, "")] == [
        (note.task_type, note.summary, note.responsible) for note in written.tasks
    ]


def test_person_s_words_stand_for_the_opening() -> None:
    """R19: an approved reminder opens with what its approver wrote, figures stay; markup in it is text, not a template."""
    written = "As agreed <today> with {{ your }} office.\n\nSee you on Friday."
    made = mail(sample(text=written))
    assert "As agreed <today> with {{ your }} office." in plain(made.text)
    assert "As agreed <today> with {{ your }} office." in visible(made.html)
    assert "$1,250.56" in made.text
    assert "See you on Friday." in letter_text(sample(text=written))
    assert plain(written) == RENDERER.message(sample(text=written), "sms").text
