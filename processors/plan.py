"""What a plan must be to be evaluated: what is not is refused, with the place and the reason."""

import string

from processors.money import MoneyError, to_minor
from schemas.plans import Plan, Step

__all__ = ["plan_problems", "plan_warnings"]

_TEMPLATE_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
_TASK_FIELDS = ("task_type", "summary", "responsible")


def plan_problems(plan: Plan) -> list[str]:
    """List what cannot be evaluated, each ``'<what> - at `$.path`'``; empty when the plan is sound."""
    problems: list[str] = []
    names: dict[str, int] = {}
    for index, step in enumerate(plan.steps):
        path = f"$.steps[{index}]"
        if index and step.offset_days <= plan.steps[index - 1].offset_days:
            before = plan.steps[index - 1]
            problems.append(
                f"offset {step.offset_days} is not later than {before.offset_days} of step {before.name!r} before it"
                f" - at `{path}.offset_days`"
            )
        if step.name in names:
            problems.append(f"name {step.name!r} is taken by step {names[step.name] + 1} - at `{path}.name`")
        names.setdefault(step.name, index)
        problems += _step_problems(step, path=path)
    return problems


def _step_problems(step: Step, *, path: str) -> list[str]:
    problems: list[str] = []
    if not step.name.isprintable():
        problems.append(f"name {step.name!r} has characters that do not print - at `{path}.name`")
    template = step.template or step.name
    if not set(template) <= _TEMPLATE_CHARACTERS:
        field = "template" if step.template else "name"
        problems.append(
            f"template {template!r} is no template's name: letters, digits, '_' and '-' only"
            f" (a step without a template uses its own name) - at `{path}.{field}`"
        )
    for currency, fee in step.fees.items():
        try:
            if to_minor(fee, currency=currency) < 0:
                problems.append(f"fee {fee} is negative - at `{path}.fees.{currency}`")
        except MoneyError as error:
            problems.append(f"{error.detail} - at `{path}.fees.{currency}`")
    if step.fees and step.offset_days < 0:
        problems.append(f"a courtesy costs nothing (R7, R22) - at `{path}.fees`")
    channels: set[str] = set()
    for number, action in enumerate(step.actions):
        place = f"{path}.actions[{number}]"
        if action.channel in channels and action.channel != "task":
            problems.append(
                f"channel {action.channel!r} is there twice: a step writes once on each, and only tasks can be several - at `{place}.channel`"
            )
        channels.add(action.channel)
        problems += [
            f"only a task has a {field} - at `{place}.{field}`"
            for field in _TASK_FIELDS
            if action.channel != "task" and getattr(action, field)
        ]
    return problems


def plan_warnings(plan: Plan, *, min_days_between_contacts: int) -> list[str]:
    """List what can be evaluated but will not go as the dates say (R2, R5)."""
    warnings: list[str] = []
    for index in range(1, len(plan.steps)):
        step, before = plan.steps[index], plan.steps[index - 1]
        apart_days = step.offset_days - before.offset_days
        if apart_days < min_days_between_contacts:
            warnings.append(
                f"step {step.name!r} comes {apart_days} days after {before.name!r}, and contacts keep"
                f" {min_days_between_contacts} days apart: it will wait - at `$.steps[{index}].offset_days`"
            )
        if before.offset_days >= 0 and apart_days < before.pay_by_days:
            warnings.append(
                f"step {before.name!r} gives {before.pay_by_days} days to pay, and {step.name!r} comes after"
                f" {apart_days}: it will wait - at `$.steps[{index - 1}].pay_by_days`"
            )
    return warnings
