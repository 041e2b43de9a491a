"""What viewers see of people: enough to tell two apart, not enough to write to one."""

from msgspec.structs import replace

from schemas.events import Contact

__all__ = ["masked", "masked_contact"]


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
