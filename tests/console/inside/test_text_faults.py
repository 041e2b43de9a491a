"""What is wrong with a company's texts is told in the user's language (S2-05): each sentence of the checks has words in three."""

import re

import pytest

from console.web.inside.showing import LANGUAGES, words_of
from console.web.inside.text_faults import TEXT_FAULTS, text_fault_text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_fault_has_its_words_with_the_same_places(language: str) -> None:
    """What is named in a fault is named in each language."""
    words = words_of(language)["text_faults"]
    assert list(TEXT_FAULTS) == list(words)
    for name, pattern in TEXT_FAULTS.items():
        assert set(re.findall(r"{(\w+)}", words[name])) == set(pattern.groupindex), name


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("is missing: each kind has four texts", "Falta: cada tipo tiene cuatro textos."),
        ("'amuont' is undefined", "No hay nada que se llame amuont."),
        ("cannot be used: RefusedError: templates have no macro", "Las plantillas no tienen macro."),
        ("cannot be used: TemplateSyntaxError: unexpected '}'", "Esto no se espera aquí: '}'."),
        ("it repeats too much: more than 1,000,000 steps", "Se repite demasiado."),
        ("the logo 'x.png' is a broken PNG: save it again", "La imagen está dañada: guárdela de nuevo."),
        (
            "the logo 'x.gif' is a GIF without a picture",
            "La imagen es de un tipo que no todos los programas muestran: guárdela de nuevo como un PNG sencillo.",
        ),
        ("nobody has foreseen this", "nobody has foreseen this"),
    ],
)
def test_a_fault_is_told_in_the_language_of_who_reads(said: str, expected: str) -> None:
    """What has no words is told as it was said, rather than not at all."""
    assert expected == text_fault_text(said, words=words_of("es"))
