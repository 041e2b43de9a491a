"""Plans as YAML files: read with every error at its line and path, and made into the event that publishes one; what a migration would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import yaml
from sqlalchemy import Connection

from console.checking import Problem, problems_of
from infra.database.queries.pinned import company_with_plans, pinned_items
from infra.database.queries.plan_customers import is_for_consumers
from infra.errors import OperatorError
from processors.company import Company
from processors.migration import Move, moves
from processors.plan import plan_problems
from schemas.commands import MigratePlan, PublishPlan
from schemas.plans import Plan

__all__ = [
    "PLANS",
    "PlanBackError",
    "PlanFileError",
    "PlanProblem",
    "copy_warnings",
    "find_plan",
    "migrate_plan_command",
    "plan_in",
    "plan_text",
    "previewed",
    "publish_plan_command",
    "read_plan",
    "reverted",
    "template_warnings",
]

PLANS = Path(str(resources.files("console"))) / "plans"
TEXT_MAX = 200_000
ANCHORS_MAX = 50  # a text that doubles itself by anchors is not read to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProblem:
    """What is wrong at ``line`` (the first is 1) and JSON path."""

    line: int
    path: str
    detail: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.detail} - at `{self.path}`"


class PlanFileError(OperatorError):
    """A plan file cannot be published: all its errors, one a line."""


class PlanBackError(PlanFileError):
    """A migration would go back to an older version, which it does not (R17): says what to do."""


def find_plan(name: str) -> Plan:
    """Give a plan that ships (``default``), else the one in the file of that path.

    Raises:
        PlanFileError: as ``read_plan``.
    """
    shipped = PLANS / f"{name}.yaml"
    return read_plan(shipped if shipped.is_file() else Path(name))


def read_plan(path: Path) -> Plan:
    """Read a plan from a YAML file.

    Raises:
        PlanFileError: it is not there, no YAML, no plan, or a plan that
            cannot be evaluated (``processors.plan``); all errors are said.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanFileError(f"{path}: {error}") from error
    plan = plan_in(text)
    if isinstance(plan, Plan):
        return plan
    raise PlanFileError("\n".join(f"{path}: {each}" for each in plan))


def plan_in(text: str) -> Plan | list[PlanProblem]:
    """Read a plan from YAML, or say all that is wrong with it, line by line."""
    found = _plan(text)
    return found if isinstance(found, Plan) else sorted(found, key=lambda each: each.line)


def plan_text(plan: Plan) -> str:
    """Write a plan as YAML as people do: what it is first, its steps last; what is as by default is left out."""
    said = msgspec.to_builtins(plan)
    first = {name: said[name] for name in ("id", "version", "name") if name in said}
    rest = {name: value for name, value in said.items() if name not in (*first, "steps")}
    text: str = yaml.safe_dump(
        {**first, **rest, "steps": said["steps"]}, sort_keys=False, allow_unicode=True, width=100
    )
    return text


def _plan(text: str) -> Plan | list[PlanProblem]:
    if len(text) > TEXT_MAX or text.count("&") + text.count("*") > ANCHORS_MAX:
        return [PlanProblem(line=1, path="$", detail="is too large for a plan, or full of YAML's anchors")]
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        detail = " ".join(str(error).split())
        return [PlanProblem(line=line, path="$", detail=f"no YAML: {detail}")]
    lines = {} if node is None else _lines(node, path="$")
    problems = _twice(node, path="$") + [_placed(each, lines=lines) for each in _problems(found)]
    return problems or msgspec.convert(found, Plan)


def publish_plan_command(plan: Plan, *, company: str, occurred_at: str, author: str) -> PublishPlan:
    """Make the command that publishes a plan; its id follows from company, plan and version."""
    command = f"plan/{plan.id}/{plan.version}"
    return PublishPlan(company=company, occurred_at=occurred_at, command=command, author=author, plan=plan)


def migrate_plan_command(
    plan: str, *, to_version: int, company: str, occurred_at: str, author: str
) -> MigratePlan:
    """Make the command that migrates a plan's items; its id follows from company, plan and version."""
    command = f"migrate/{plan}/{to_version}"
    return MigratePlan(
        company=company,
        occurred_at=occurred_at,
        command=command,
        author=author,
        plan=plan,
        to_version=to_version,
    )


def previewed(connection: Connection, *, event: MigratePlan, limit: int | None = None) -> list[Move]:
    """Give what a migration does to each item that the read model has, or to the first ones.

    An item's row has the version that it began on until its next reminder: where all have been moved to this
    version already, it does nothing.

    Raises:
        PlanFileError: that version was never published.
        PlanBackError: documents have gone on by a newer one, or there is a newer one and none is on one before this.
    """
    company = company_with_plans(connection, company=event.company)
    _published(company, plan=event.plan, version=event.to_version)
    migrated, newest = company.row.migrations.get(event.plan, 0), max(company.plans[event.plan])
    if migrated == event.to_version:
        return []
    company.apply(event)
    items = pinned_items(connection, company=event.company, plan=event.plan, below_version=event.to_version)
    found = list(islice(moves(items, company=company), limit))
    if event.to_version < migrated or (event.to_version < newest and not found):
        raise PlanBackError(
            f"Plan {event.plan} does not go back to version {event.to_version}: what has begun on a newer version stays there, and "
            f"what has not begun goes by version {newest}. Publish what version {event.to_version} says as version {newest + 1}, and "
            f"migrate to that: cobranza plan revert {event.plan} --company {event.company} --to-version {event.to_version}"
        )
    return found


def reverted(
    connection: Connection, *, plan: str, to_version: int, company: str, occurred_at: str, author: str
) -> tuple[PublishPlan, MigratePlan, list[Move]]:
    """Give the commands that go back to what a version says, under the next number (R17), and what they do to each item.

    Raises:
        PlanFileError: that version was never published, or the newest one says the same.
    """
    kept = company_with_plans(connection, company=company)
    old = _published(kept, plan=plan, version=to_version)
    newest = max(kept.plans[plan])
    if msgspec.structs.replace(old, version=newest) == kept.plan(plan, version=newest):
        raise PlanFileError(
            f"Version {newest} of plan {plan} says what version {to_version} says: cobranza plan migrate {plan} --to-version {newest}"
        )
    told = {"company": company, "occurred_at": occurred_at, "author": author}
    publish = publish_plan_command(msgspec.structs.replace(old, version=newest + 1), **told)
    migrate = migrate_plan_command(plan, to_version=newest + 1, **told)
    for event in (publish, migrate):
        kept.apply(event)
    items = pinned_items(connection, company=company, plan=plan, below_version=newest + 1)
    return publish, migrate, list(moves(items, company=kept))


def _published(company: Company, *, plan: str, version: int) -> Plan:
    found = company.plan(plan, version=version)
    if found is None:
        raise PlanFileError(f"Plan {plan} version {version} is not published for {company.id}.")
    return found


def template_warnings(plan: Plan) -> list[str]:
    """List steps that write to customers with texts that do not ship: a notifier would need them in its folder."""
    from notifiers.writing.render import KINDS

    return [
        f"step {step.name!r} needs template {step.template or step.name!r}, which does not ship"
        f" (there are {', '.join(KINDS)}) - at `$.steps[{index}].template`"
        for index, step in enumerate(plan.steps)
        if (step.template or step.name) not in KINDS
        and any(action.channel != "task" or not action.summary for action in step.actions)
    ]


def copy_warnings(connection: Connection, plan: Plan, *, company: str) -> list[str]:
    """List steps whose copies nobody gets: of a consumer's mail, or of who is not said to be a business, none go (section 5)."""
    with_copies = [(index, step) for index, step in enumerate(plan.steps) if step.cc]
    if not with_copies or not is_for_consumers(connection, company=company, plan=plan.id):
        return []
    return [
        f"step {step.name!r} names who gets a copy, and no customer of this plan is said to be a business:"
        f" none goes - at `$.steps[{index}].cc`"
        for index, step in with_copies
    ]


def _problems(found: object) -> list[Problem]:
    problems = problems_of(Plan, found)
    if problems:
        return problems
    return [_split(text) for text in plan_problems(msgspec.convert(found, Plan))]


def _split(text: str) -> Problem:
    detail, _, path = text.rpartition(" - at `")
    return Problem(path=path.rstrip("`"), detail=detail)


def _placed(problem: Problem, *, lines: Mapping[str, int]) -> PlanProblem:
    """Find the line of a path; what is missing is said at the line of what it is missing in."""
    path = problem.path
    while path not in lines and path != "$":
        path = path[: max(path.rfind("."), path.rfind("["), 1)]
    return PlanProblem(line=lines.get(path, 1), path=problem.path, detail=problem.detail)


def _lines(node: yaml.Node, *, path: str) -> dict[str, int]:
    """Give path -> line of a node and all below it."""
    lines = {path: node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = _lines(value, path=f"{path}.{key.value}")
            lines |= {**below, f"{path}.{key.value}": key.start_mark.line + 1}
    elif isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            lines |= _lines(each, path=f"{path}[{index}]")
    return lines


def _twice(node: Any, *, path: str) -> list[PlanProblem]:
    """Find keys that stand twice in a mapping: YAML readers keep the last one in silence."""
    found: list[PlanProblem] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            place = f"{path}.{key.value}"
            if key.value in seen:
                line = key.start_mark.line + 1
                found.append(PlanProblem(line=line, path=place, detail="is there twice"))
            seen.add(key.value)
            found += _twice(value, path=place)
    elif isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            found += _twice(each, path=f"{path}[{index}]")
    return found
