"""How the levels of plans are called: the step that an item has reached, by name, in the version that it is pinned to (R17)."""

from collections.abc import Collection

from msgspec import Struct, json
from sqlalchemy import Connection, select

from infra.database.tables import plans
from schemas.plans import Plan

__all__ = ["LevelNames", "level_names"]

_decoder = json.Decoder(Plan)


class LevelNames(Struct, frozen=True, kw_only=True):
    """Names of steps, in order, by (plan, version)."""

    steps: dict[tuple[str, int], tuple[str, ...]]

    def name(self, plan: str, version: int, step: int) -> str:
        """Name a step by its index; '' before the first, its number where the version is not known."""
        if step < 0:
            return ""
        names = self.steps.get((plan, version), ())
        return names[step] if step < len(names) else str(step + 1)


def level_names(connection: Connection, *, company: str, versions: Collection[tuple[str, int]]) -> LevelNames:
    """Give the names of the steps of some versions of a company's plans."""
    wanted = {f"{plan}/{version}" for plan, version in versions if plan}
    if not wanted:
        return LevelNames(steps={})
    found = connection.execute(
        select(plans.c["plan_json"]).where(plans.c["company"] == company, plans.c["plan_key"].in_(wanted))
    ).scalars()
    read = [_decoder.decode(each) for each in found]
    return LevelNames(
        steps={(plan.id, plan.version): tuple(step.name for step in plan.steps) for plan in read}
    )
