"""The lines below a plan in a scenario: one step each."""

from typing import Any

import msgspec

from schemas.plans import Action, Conditions, Step
from tests.scenarios.words import ScenarioError, Words

__all__ = ["after_last", "plan_step"]


def plan_step(words: Words) -> Step:
    """Read a step of a plan: ``second +15 email, task "Call them" manual pay-by 10 role finance``."""
    name, offset_days = words.take("a step's name"), words.number()
    actions: list[Action] = []
    options: dict[str, Any] = {}
    while words:
        word = words.take("a channel").rstrip(",")
        match word:
            case "email" | "sms" | "letter":
                actions.append(Action(channel=word))
            case "task":
                actions.append(Action(channel="task", summary=words.take("the task's summary").rstrip(",")))
            case "call":
                summary = words.take("the task's summary").rstrip(",")
                actions.append(Action(channel="task", task_type="call", summary=summary))
            case "manual":
                options["automatic"] = False
            case "fee":
                amount, currency = words.amount(currency="USD")
                options["fees"] = {**options.get("fees", {}), currency: amount}
            case "pay-by":
                options["pay_by_days"] = words.number()
            case "timeout":
                options["timeout_days"] = words.number()
            case "blocking" | "must-not-skip":
                options[word.replace("-", "_")] = True
            case "when":
                options["when"] = _condition(words, options.get("when", Conditions()))
            case "anchor" | "role" | "template" | "cc":
                said = words.take(f"a {word}")
                options[word] = tuple(said.split(",")) if word == "cc" else said
            case _:
                raise ScenarioError(words.line, f"not understood: {word!r}")
    return Step(name=name, offset_days=offset_days, actions=tuple(actions), **options)


def after_last(words: Words) -> dict[str, Any]:
    """Read what comes after the last step: ``repeat 30 at-most 2``, ``escalate legal in 10``, ``write_off in 10``."""
    found: dict[str, Any] = {"after_last": words.take("what comes after the last step")}
    if found["after_last"] == "repeat":
        found["repeat_every_days"] = words.number()
        if words.take_if("at-most"):
            found["repeat_at_most"] = words.number()
    if found["after_last"] == "escalate":
        found["escalate_to"] = words.take("agency or legal")
    if words.take_if("in"):
        found["after_last_days"] = words.number()
    return found


def _condition(words: Words, known: Conditions) -> Conditions:
    """Read one condition of a step: ``when trust bad``, ``when min 100.00 USD``, ``when country CL,PE``."""
    name = words.take("a condition")
    if name in ("min", "max"):
        amount, currency = words.amount(currency="USD")
        limits = {**getattr(known, f"{name}_total"), currency: amount}
        return msgspec.structs.replace(known, **{f"{name}_total": limits})
    field = {"trust": "trust", "currency": "currencies", "country": "countries", "group": "groups"}[name]
    return msgspec.structs.replace(known, **{field: tuple(words.take(f"a {name}").split(","))})
