"""What readers type is read as they mean it: days, amounts with point or comma, and nothing that is not there."""

import datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.web.outside.form import KINDS, Given, Shown, amount_of, day_of, read_form
from console.web.outside.words import LANGUAGES, accepted_language, words_of
from processors.validation import problems
from schemas.answers import AnswerKind, GiveAnswer
from schemas.events import Means

SHOWN = Shown(
    documents=("INV-1", "INV-2"), currencies=("USD",), today=datetime.date(2026, 2, 2), language="es"
)


@pytest.mark.parametrize(
    ("text", "currency", "language", "expected"),
    [
        ("1250", "USD", "en", "1250.00"),
        ("1,250.50", "USD", "en", "1250.50"),
        ("1.250,50", "USD", "es", "1250.50"),
        ("1250,5", "USD", "pt", "1250.50"),
        ("1250.50", "USD", "es", "1250.50"),
        ("1.250", "CLP", "es", "1250"),
        ("1.250", "USD", "es", "1250.00"),
        ("1,250", "USD", "en", "1250.00"),
        ("1,250", "USD", "es", None),
        ("1 250,00 ", "EUR", "es", "1250.00"),
        ("$ 1.250", "CLP", "es-CL", "1250"),
        ("0", "USD", "en", None),
        ("-5", "USD", "en", None),
        ("12.345,678", "USD", "es", None),
        ("a lot", "USD", "en", None),
        ("1e9", "USD", "en", None),
        ("", "USD", "en", None),
        ("9" * 30, "USD", "en", None),
    ],
)
def test_amounts(text: str, currency: str, language: str, expected: str | None) -> None:
    """As everywhere (``test_amounts``), in full decimals; what is none, or could be another, is asked for again."""
    assert expected == amount_of(text, currency=currency, language=language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-09", datetime.date(2026, 2, 9)),
        ("9/2/2026", datetime.date(2026, 2, 9)),
        ("09.02.2026", datetime.date(2026, 2, 9)),
        ("2026-02-30", None),
        ("9/2/26", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_days(text: str, expected: datetime.date | None) -> None:
    """As browsers send them and as people in these languages write them."""
    assert expected == day_of(text)


@settings(deadline=None)
@given(
    given_form=st.builds(
        Given,
        kind=st.sampled_from(KINDS),
        documents=st.lists(st.sampled_from(("INV-1", "INV-2", "OTHERS")), max_size=3).map(tuple),
        on=st.one_of(st.dates().map(str), st.text(max_size=12)),
        amount=st.one_of(st.decimals(allow_nan=False, places=2).map(str), st.text(max_size=12)),
        currency=st.sampled_from(("", "USD", "XXX")),
        means=st.sampled_from(("", "cash", "gold")),
        reference=st.text(max_size=250),
        reason=st.sampled_from(("", "faulty", "nonsense")),
        text=st.text(max_size=100),
        by=st.text(max_size=250),
        reach=st.text(max_size=300),
    ),
    language=st.sampled_from(LANGUAGES),
)
def test_whatever_is_typed_intake_takes_the_answer_or_the_reader_is_asked(
    given_form: Given, language: str
) -> None:
    """No text at all gives a command that would be put aside, and no field of another kind of answer is in it."""
    words = words_of(language)
    said, errors = read_form(given_form, shown=SHOWN, words=words, files=())
    assert set(said.documents) <= set(SHOWN.documents)
    if not errors:
        command = GiveAnswer(
            company="acme",
            customer="C1",
            occurred_at="2026-02-02",
            command="reader/1",
            reminder="r1",
            channel="email",
            said=said,
        )
        assert [] == problems(command)
        assert (said.kind == "dispute") == bool(said.reason)
        assert said.kind in ("paid", "will_pay") or said.on is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str) -> None:
    """The same fields, labels, errors and faults everywhere, none of them empty."""
    words, english = words_of(language), words_of("en")
    assert language == words.language
    for name in words.__struct_fields__:
        mine, theirs = getattr(words, name), getattr(english, name)
        assert mine
        if isinstance(mine, dict):
            assert theirs.keys() == mine.keys(), name
            assert all(mine.values())
    assert set(get_args(AnswerKind)) == words.choices.keys() == words.said.keys() == words.hints.keys()
    assert set(get_args(Means)) == words.means.keys()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("de,es;q=0.5,en;q=0.9", "en"),
        ("de", "en"),
        ("", "en"),
        (";;q=x,,ES", "es"),
        ("*" * 10_000, "en"),
    ],
)
def test_the_browsers_language(header: str, expected: str) -> None:
    """Where no message says in which language to speak."""
    assert expected == accepted_language(header)
