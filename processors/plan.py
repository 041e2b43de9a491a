"""What a plan must be to be evaluated: what is not is refused, with the place and the reason."""

import string
from collections.abc import Iterator

from processors.calendar import known_countries
from processors.money import MoneyError, to_minor
from schemas.plans import Conditions, Plan, Step

__all__ = ["last_index", "plan_problems", "plan_warnings", "planned_offset_days", "step_at"]

_TEMPLATE_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
_TASK_FIELDS = ("task_type", "summary", "responsible")
_MONTH_DAYS = 30  # by which the end of a month is later than a day in it, at most


def step_at(plan: Plan, index: int) -> Step:
    """Give a step by its index; indexes beyond the last are its repetitions (R18)."""
    return plan.steps[min(index, len(plan.steps) - 1)]


def last_index(plan: Plan) -> int:
    """Give the index after which a plan is finished: of the last step, or of its last repetition."""
    last = len(plan.steps) - 1
    return last + (plan.repeat_at_most or 0) if plan.after_last == "repeat" else last


def planned_offset_days(plan: Plan, index: int) -> int:
    """Give a step's offset from the due date as if all before it went out on their days (R2); ends of months left out."""
    last = len(plan.steps) - 1
    if index <= last and plan.steps[index].anchor != "last_reminder":
        return plan.steps[index].offset_days
    if index > last:
        return planned_offset_days(plan, last) + (index - last) * (plan.repeat_every_days or 0)
    offset_days = 0
    while plan.steps[index].anchor == "last_reminder" and index:
        offset_days += plan.steps[index].offset_days
        index -= 1
    return offset_days + plan.steps[index].offset_days


def plan_problems(plan: Plan) -> list[str]:
    """List what cannot be evaluated, each ``'<what> - at `$.path`'``; empty when the plan is sound."""
    problems: list[str] = []
    names: dict[str, int] = {}
    for index, step in enumerate(plan.steps):
        path = f"$.steps[{index}]"
        problems += _order_problems(plan, index, path=path)
        if step.name in names:
            problems.append(f"name {step.name!r} is taken by step {names[step.name] + 1} - at `{path}.name`")
        names.setdefault(step.name, index)
        problems += [
            *_step_problems(step, path=path),
            *_blocking_problems(step, path=path),
            *_copy_problems(step, path=path),
            *_condition_problems(step.when, path=f"{path}.when"),
        ]
    return [*problems, *_plan_problems(plan)]


def _order_problems(plan: Plan, index: int, *, path: str) -> Iterator[str]:
    step = plan.steps[index]
    if step.anchor == "end_of_month" and step.offset_days < 0:
        yield f"the end of a month may be after the due date: no anchor of a courtesy - at `{path}.anchor`"
    if step.anchor == "last_reminder" and index == 0:
        yield f"the first step has no reminder before it to count from - at `{path}.anchor`"
    elif step.anchor == "last_reminder" and planned_offset_days(plan, index) < 0:
        yield f"a step before the due date counts from it, not from a reminder - at `{path}.anchor`"
    if not index:
        return
    before = plan.steps[index - 1]
    planned_days, before_days = planned_offset_days(plan, index), planned_offset_days(plan, index - 1)
    if planned_days <= before_days:
        yield (
            f"offset {step.offset_days} is not later than {before_days} of step {before.name!r} before it"
            f" - at `{path}.offset_days`"
        )


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


def _copy_problems(step: Step, *, path: str) -> Iterator[str]:
    if step.cc and all(action.channel != "email" for action in step.actions):
        yield f"copies go with a mail, and this step sends none - at `{path}.cc`"
    for number, role in enumerate(step.cc):
        if role in step.cc[:number]:
            yield f"role {role!r} is there twice - at `{path}.cc[{number}]`"


def _blocking_problems(step: Step, *, path: str) -> Iterator[str]:
    if not step.blocking:
        if step.timeout_days is not None:
            yield f"only a blocking step times out - at `{path}.timeout_days`"
        return
    if [action.channel for action in step.actions] != ["task"]:
        yield f"a blocking step is one task; messages are steps of their own - at `{path}.actions`"
    if step.offset_days < 0:
        yield f"nothing is blocked before the due date - at `{path}.blocking`"
    if not step.automatic:
        yield f"a blocking step is a person's anyway: it is opened by itself - at `{path}.automatic`"


def _condition_problems(when: Conditions | None, *, path: str) -> Iterator[str]:
    if when is None:
        return
    if when == Conditions():
        yield f"says nothing: give a condition, or leave it out - at `{path}`"
    for index, country in enumerate(when.countries):
        if country not in known_countries():
            yield f"country {country!r} is not known - at `{path}.countries[{index}]`"
    for field in ("min_total", "max_total"):
        for currency, amount in getattr(when, field).items():
            try:
                if to_minor(amount, currency=currency) < 0:
                    yield f"amount {amount} is negative - at `{path}.{field}.{currency}`"
            except MoneyError as error:
                yield f"{error.detail} - at `{path}.{field}.{currency}`"


def _plan_problems(plan: Plan) -> Iterator[str]:
    belongs = {
        "repeat_every_days": plan.after_last == "repeat",
        "repeat_at_most": plan.after_last == "repeat",
        "escalate_to": plan.after_last == "escalate",
    }
    for field, is_wanted in belongs.items():
        is_there = getattr(plan, field) is not None
        if is_there and not is_wanted:
            yield f"has no meaning where after_last is {plan.after_last!r} - at `$.{field}`"
        elif is_wanted and not is_there:
            yield f"after_last {plan.after_last!r} needs {field} - at `$.after_last`"
    if plan.after_last_days is not None and plan.after_last not in ("escalate", "write_off"):
        yield f"has no meaning where after_last is {plan.after_last!r} - at `$.after_last_days`"
    if plan.after_last == "repeat" and (plan.steps[-1].offset_days < 0 or plan.steps[-1].blocking):
        yield "only a level that is sent can be repeated: the last step is none - at `$.after_last`"
    if (plan.part_paid_percent is None) != (plan.part_paid_delay_days is None):
        field = "part_paid_percent" if plan.part_paid_delay_days is None else "part_paid_delay_days"
        yield f"part_paid_percent and part_paid_delay_days go together - at `$.{field}`"


def plan_warnings(plan: Plan, *, min_days_between_contacts: int) -> list[str]:
    """List what can be evaluated but will not go as the dates say (R2, R5)."""
    warnings: list[str] = []
    for index in range(1, len(plan.steps)):
        step, before = plan.steps[index], plan.steps[index - 1]
        apart_days = planned_offset_days(plan, index) - planned_offset_days(plan, index - 1)
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
        if before.anchor == "end_of_month" and step.anchor == "due_date" and apart_days <= _MONTH_DAYS:
            warnings.append(
                f"step {before.name!r} comes at the end of a month, which may be after the day of"
                f" {step.name!r}: it will wait - at `$.steps[{index}].offset_days`"
            )
    if plan.repeat_every_days is not None and plan.repeat_every_days < min_days_between_contacts:
        warnings.append(
            f"the last step repeats every {plan.repeat_every_days} days, and contacts keep"
            f" {min_days_between_contacts} days apart: it will wait - at `$.repeat_every_days`"
        )
    return warnings
