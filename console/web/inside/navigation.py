"""Where one can go from every page: the areas of the console, in the order of a day's work, and who may see each."""

from typing import Final

from msgspec import Struct

from console.web.inside.access import Person
from infra.database.people import Role

__all__ = ["AREAS", "Area", "navigation"]


class Area(Struct, frozen=True, kw_only=True):
    """An entry of the navigation; ``area`` names its text (``w.page``), ``role`` is what its page needs."""

    area: str
    path: str
    role: Role = "viewer"


# A template says which one it belongs to by {% set area = "..." %}.
AREAS: Final = (
    Area(area="today", path="/"),
    Area(area="customers", path="/customers"),
    Area(area="review", path="/review"),
    Area(area="reminders", path="/reminders"),
    Area(area="reports", path="/reports"),
    Area(area="settings", path="/settings"),
)


def navigation(person: Person) -> list[Area]:
    """Give the areas that a person may open."""
    return [each for each in AREAS if person.may(each.role)]
