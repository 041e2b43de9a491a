"""The kinds of texts that a reminder may be given: what its company has in the language of the customer, its own ones too.

A name that is none of them is refused where it is typed; written it would fail only when it is sent.
"""

from collections.abc import Iterable

from console.own_texts import OwnTexts
from console.web.inside.parts import InsideParts
from notifiers.assembly import TEMPLATES, open_texts
from schemas.facts import ReminderDecided

__all__ = ["TemplateChoice"]


class TemplateChoice:
    """Lists templates; several threads may ask for them."""

    def __init__(self, parts: InsideParts) -> None:
        shared = open_texts(parts.settings, engine=parts.engine)
        self._texts = OwnTexts(parts.settings.data_dir / TEMPLATES, shared=shared)

    def of(self, contents: Iterable[ReminderDecided]) -> list[str]:
        """List the kinds that can be written for each of these reminders, by name; of none: nothing."""
        wanted = {(each.company, each.language) for each in contents}
        found = [set(self._texts.reminder_kinds(company, language=name)) for company, name in wanted]
        return sorted(set.intersection(*found)) if found else []
