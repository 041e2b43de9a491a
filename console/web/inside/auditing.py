"""What a person does in the console, written into the audit: when, who, which act, about whom."""

from console.web.inside.access import Person
from console.web.inside.parts import InsideParts
from infra.database.people import AuditEntry

__all__ = ["note"]


def note(
    parts: InsideParts, person: Person, *, entry: str, act: str, account: str = "", detail: str = ""
) -> None:
    """Write down what a person is about to do; the same ``entry`` again changes nothing.

    Args:
        parts: of the console.
        person: who does it.
        entry: its id: the command's, where it is one, else a word that no other act has.
        act: the type of command or event, else a word for what was done.
        account: ``COMPANY:CUSTOMER``, or a company; '' where it is about neither.
        detail: what else to know of it, as the audit shows it.
    """
    parts.people.note(
        AuditEntry(entry=entry, at=parts.clock(), user=person.user, act=act, account=account, detail=detail)
    )
