"""What viewers see of people: enough to tell two apart, not enough to write to one."""

import re
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from schemas.events import Contact

__all__ = ["masked", "masked_contact", "masked_text"]

_MAIL: Final = re.compile(r"[^\s@<>,;:()]+@[^\s@<>,;:()]+")
_NUMBER: Final = re.compile(r"\+?\d(?:[ ./()-]{0,2}\w?\d){5,}[ ./-]?[\dkK]?")  # telephones, tax ids, accounts
_NAME_MIN: Final = 3  # characters: a shorter part of a name is a word of its own


def masked(text: str) -> str:
    """Give a text with all but its first and last character hidden; a mail address keeps its domain."""
    local, at, domain = text.rpartition("@")
    if at:
        return f"{masked(local)}@{domain}"
    return "•" * len(text) if len(text) <= 2 else f"{text[0]}{'•' * (len(text) - 2)}{text[-1]}"


def masked_contact(contact: Contact) -> Contact:
    """Give a contact with what leads to a person hidden."""
    return replace(
        contact,
        name=masked(contact.name),
        email=masked(contact.email),
        phone=masked(contact.phone),
        address=tuple(masked(line) for line in contact.address),
    )


def masked_text(text: str, *, names: Iterable[str] = ()) -> str:
    """Give what somebody wrote with what leads to a person hidden: mail addresses, numbers of six digits and more, ``names``.

    Args:
        text: free text, such as the opening of a message or a note.
        names: of people whom it may speak of; each word of a name is hidden, however it is written.
    """
    hidden = _MAIL.sub(lambda found: masked(found[0]), text)
    hidden = _NUMBER.sub(lambda found: masked(found[0]), hidden)
    words = {word for name in names for word in re.findall(r"[^\W\d_]+", name) if len(word) >= _NAME_MIN}
    if not words:
        return hidden
    any_of = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(rf"\b(?:{any_of})\b", lambda found: masked(found[0]), hidden, flags=re.IGNORECASE)
