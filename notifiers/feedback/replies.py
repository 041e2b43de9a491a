"""What a short reply means: stop, start again, or something that a person has to read; in Spanish, English and Portuguese.

Only a reply that is nothing else is taken for a command: "stop calling me, I have paid" is for a
person. "Yes" starts nothing: to a reminder it is an answer.
"""

import unicodedata
from typing import Final, Literal

__all__ = ["meaning_of"]

_STOP: Final = frozenset(
    {
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out", "remove",
        "parar", "pare", "para", "baja", "alto", "detener", "cancelar", "salir", "no mas", "no mas sms", "dar de baja", "darme de baja",
        "desuscribir", "desuscribirme", "cancelar suscripcion", "no enviar mas", "no me escriban mas", "no mas mensajes", "basta",
        "pare de enviar", "nao quero mais", "nao enviar mais", "nao me escrevam mais", "cancele", "cancelar assinatura", "chega",
        "sair", "parem", "descadastrar", "remover", "nao quero", "cancelar inscricao",
    }
)  # fmt: skip
_START: Final = frozenset(
    {"start", "unstop", "resume", "alta", "iniciar", "comenzar", "reanudar", "comecar", "recomecar", "voltar"}
)


def meaning_of(text: str) -> Literal["stop", "start", "reply"]:
    """Say what a reply is, without regard to case, accents and marks around it."""
    plain = _plain(text)
    if plain in _STOP:
        return "stop"
    return "start" if plain in _START else "reply"


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(
        each if each.isalnum() else " " for each in decomposed if not unicodedata.combining(each)
    )
    return " ".join(letters.split())
