"""The lines below a plan in a scenario: one step each."""

from typing import Any

from schemas.plans import Action, Step
from tests.scenarios.words import ScenarioError, Words

__all__ = ["plan_step"]


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
            case "role" | "template":
                options[word] = words.take(f"a {word}")
            case _:
                raise ScenarioError(words.line, f"not understood: {word!r}")
    return Step(name=name, offset_days=offset_days, actions=tuple(actions), **options)
