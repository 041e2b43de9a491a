"""The language of scenarios: dated lines in a credit controller's words, read with line-numbered errors.

::

    # R5: a second invoice that comes due inside the gap waits.
    company zone America/Santiago min-days 3
    customer email ana@c1.test
    plan default
        courtesy -3 email
        first     0 email, letter
    2026-01-05          invoice INV-1 100.00 due 2026-02-04
    2026-02-01          tick
        expect reminder courtesy INV-1 by email
    2026-02-02..2026-02-03  tick
    2026-02-04 20:30    tick
        expect withheld INV-1 first because gap until 2026-02-05

A line belongs to customer C1 of company acme unless it names another one:
``@C2`` or ``@beta:C1``. A line without a date happens with the one before.
At each tick exactly what is expected may be decided. ``dated D`` gives a
fact an earlier business day than the day on which it comes.
``notifier email fails address_refused`` (accepts, supersedes, waits,
unknown) says how a channel answers from then on; ``outcome email accepted``
answers for the latest reminder, ``of message`` for the latest message, ``of message-1`` for
the first, ``of 1`` for the first reminder; ``at ana@c1.test`` says of which address. ``law shipped`` puts a company's debtors under
the law of their country and kind, ``law strict`` all of them under one profile;
without such a line there is none. ``later "letter 2026-03-09 08:00"`` expects
a delivery that is held until then (company time).
"""

import datetime
import re
from pathlib import Path
from typing import cast

import msgspec

from processors.calendar import zone_of
from schemas.commands import PublishPlan, SetLaw
from schemas.journal import SourceEvent
from schemas.outcomes import DeliveryStatus, ErrorType
from tests.scenarios.arranged import expected
from tests.scenarios.law import free_law
from tests.scenarios.plan_lines import plan_step
from tests.scenarios.script import Answer, Clauses, Expectation, Happening, Notifying, Script, Step, Ticks
from tests.scenarios.verbs import VERBS, Teller
from tests.scenarios.words import ScenarioError, Words, words_of

__all__ = ["read_script"]

HOME = "acme:C1"
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?(?:\s+(\d{2}:\d{2}))?\s+(.*)")
_BACKDATED = re.compile(r"\s+dated (\d{4}-\d{2}-\d{2})(?=\s|$)")
_TICK_AT = datetime.time(9)
_ANSWERS: dict[str, DeliveryStatus | None] = {
    "accepts": "accepted",
    "fails": "failed",
    "supersedes": "superseded",
    "unknown": "unknown",
    "waits": None,
}
_OPTIONAL = (
    "to", "total", "others", "others-total", "pay-by", "unlisted", "language", "template", "tasks", "plan", "overdue", "credits", "later",
    "revision", "because", "too-soon-until", "text", "approved-by", "now-because", "charges", "attached", "copies",
)  # fmt: skip


def read_script(path: Path) -> Script:
    """Read a scenario file.

    Raises:
        ScenarioError: says the line and what is not understood.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    reader = _Reader()
    for number, text in enumerate(lines, start=1):
        if text.strip() and not text.strip().startswith("#"):
            reader.read(number, text)
    promise = lines[0].lstrip("# ").strip() if lines else ""
    if not promise or not lines[0].startswith("#"):
        raise ScenarioError(1, "a scenario begins with its promise: '# R5: …'")
    return Script(name=path.stem, promise=promise, steps=tuple(reader.steps))


class _Reader:
    """Lines in, steps out; knows the day that lines without a date belong to."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._teller = Teller({}, {}, {})
        self._day = datetime.date(2020, 1, 1)
        self._companies: set[str] = set()

    def read(self, number: int, text: str) -> None:
        """Take one line."""
        last = self.steps[-1] if self.steps else None
        if text[0].isspace():
            words = words_of(number, text, account=HOME)
            if words.take_if("expect"):
                self._expect(last, words)
            elif isinstance(last, Happening) and isinstance(last.event, PublishPlan):
                self.steps[-1] = _with_step(last, words, is_first=last.event.plan.steps[0].name == "-")
            else:
                raise ScenarioError(number, "an indented line is an expectation, or a step below its plan")
            return
        dated = _DATED.fullmatch(text.strip())
        if dated is None:
            self._act(number, text, days=(self._day, self._day), clock=None)
            return
        first = datetime.date.fromisoformat(dated[1])
        if first < self._day:
            raise ScenarioError(
                number, f"{first} is before {self._day} of the line above: say 'dated {first}'"
            )
        self._day = datetime.date.fromisoformat(dated[2]) if dated[2] else first
        clock = datetime.time.fromisoformat(dated[3]) if dated[3] else None
        self._act(number, dated[4], days=(first, self._day), clock=clock)

    def _act(
        self,
        number: int,
        text: str,
        *,
        days: tuple[datetime.date, datetime.date],
        clock: datetime.time | None,
    ) -> None:
        backdated = _BACKDATED.search(text)
        words = words_of(number, _BACKDATED.sub("", text), account=HOME)
        verb = words.take("a verb")
        if verb == "tick":
            self.steps.append(self._ticks(words, days=days, clock=clock or _TICK_AT))
            return
        if days[0] != days[1]:
            raise ScenarioError(number, "only ticks happen on a range of days")
        occurred_at = backdated[1] if backdated else self._when(words, day=days[0], clock=clock)
        if verb == "notifier":
            self.steps.append(_notifying(words))
        elif verb == "outcome":
            self.steps.append(_answer(words, occurred_at=occurred_at))
        elif verb in VERBS:
            self._happen(number, VERBS[verb](words, occurred_at, self._teller))
        else:
            raise ScenarioError(number, f"not understood: {verb!r}")

    def _happen(self, number: int, event: SourceEvent) -> None:
        """Take an event; a company that is heard of for the first time has no law unless the story says so."""
        if event.company not in self._companies and not isinstance(event, SetLaw):
            self.steps.append(Happening(line=number, event=free_law(event.company)))
        self._companies.add(event.company)
        self.steps.append(Happening(line=number, event=event))

    def _when(self, words: Words, *, day: datetime.date, clock: datetime.time | None) -> str:
        return day.isoformat() if clock is None else self._at(words, day=day, clock=clock).isoformat()

    def _at(self, words: Words, *, day: datetime.date, clock: datetime.time) -> datetime.datetime:
        profile = self._teller.profile(words.account.partition(":")[0])
        return datetime.datetime.combine(day, clock, tzinfo=zone_of(profile.time_zone))

    def _ticks(
        self, words: Words, *, days: tuple[datetime.date, datetime.date], clock: datetime.time
    ) -> Ticks:
        lagging = tuple(words.until_word()) if words.take_if("lagging") else ()
        words.end()
        count = (days[1] - days[0]).days + 1
        ats = tuple(
            self._at(words, day=days[0] + datetime.timedelta(days=each), clock=clock).astimezone(datetime.UTC)
            for each in range(count)
        )
        return Ticks(line=words.line, ats=ats, lagging=lagging)

    def _expect(self, step: Step | None, words: Words) -> None:
        if step is None:
            raise ScenarioError(words.line, "nothing has happened yet")
        text = " ".join(words.text.split())
        step.expects.append(Expectation(line=words.line, text=text, clauses=_clauses(words)))


def _with_step(publication: Happening, words: Words, *, is_first: bool) -> Happening:
    event = publication.event
    assert isinstance(event, PublishPlan)
    steps = () if is_first else event.plan.steps
    plan = msgspec.structs.replace(event.plan, steps=(*steps, plan_step(words)))
    return Happening(line=publication.line, event=msgspec.structs.replace(event, plan=plan))


def _notifying(words: Words) -> Notifying:
    channel, answer = words.take("a channel"), words.take("an answer")
    if answer not in _ANSWERS:
        raise ScenarioError(words.line, f"a notifier {', '.join(_ANSWERS)}; not {answer!r}")
    error_type = cast("ErrorType", words.take("an error") if words else "")
    words.end()
    status = _ANSWERS[answer]
    if status == "failed":
        error_type = error_type or "address_refused"
    return Notifying(
        line=words.line, channel="" if channel == "each" else channel, status=status, error_type=error_type
    )


def _answer(words: Words, *, occurred_at: str) -> Answer:
    channel, status = words.take("a channel"), words.take("a status")
    error_type = cast(
        "ErrorType", words.take("an error") if words and words.peek() not in ("at", "of") else ""
    )
    address = words.take("an address") if words.take_if("at") else ""
    of = words.take("a reminder") if words.take_if("of") else ""
    words.end()
    return Answer(
        address=address,
        of=of,
        line=words.line,
        account=words.account,
        channel=channel,
        status=cast("DeliveryStatus", status),
        occurred_at=occurred_at,
        error_type=error_type,
    )


def _clauses(words: Words) -> Clauses:  # noqa: PLR0912 - one per thing that is said
    """Read what is expected; clauses that are not written are not asked for."""
    kind = words.take("what is expected")
    clauses: Clauses = {"kind": kind}
    match kind:
        case "nothing":
            words.end()
            return clauses
        case "taken-over":
            clauses["item"], clauses["step"] = words.take("an item"), words.take("a step")
        case "unsent":
            clauses["step"], clauses["item"] = words.take("a kind"), words.take("an item")
            if words.take_if("because"):
                clauses["because"] = words.take("a reason")
        case "reminder" | "proposal" | "message":
            clauses["step"] = words.take("a step")
            clauses["items"] = ", ".join(sorted(words.until_word("by", *_OPTIONAL)))
            clauses["by"] = _by(words)
        case "follow-up":
            pass
        case "withheld":
            clauses["item"], clauses["step"] = words.take("an item"), words.take("a step")
            if not words.take_if("because"):
                raise ScenarioError(words.line, "say why: 'because gap'")
            clauses["because"] = words.take("a reason")
            clauses["until"] = words.day().isoformat() if words.take_if("until") else ""
            clauses |= _values(words)
        case "finished" | "handed-over" | "retracted" | "was-wrong":
            clauses["item"] = words.take("an item")
            clauses |= _values(words)
        case "sent" | "failed" | "superseded" | "dropped" | "cancelled":
            clauses |= {"on": words.day().isoformat()} if words.take_if("on") else {}
            if words.take_if("gives-back"):
                clauses["gives-back"] = ", ".join(sorted(words.until_word(*_OPTIONAL)))
        case "task" | "task-closed" | "claim" | "claim-corrected":
            clauses |= _named(kind, words)
        case "exception":
            clauses["because"] = words.take("a reason")
        case _:
            clauses |= expected(kind, words, stops=_OPTIONAL)
    while words:
        clause = words.take("a clause")
        if clause not in _OPTIONAL:
            raise ScenarioError(words.line, f"not understood: {clause!r}")
        clauses[clause] = _value(clause, words)
    clauses["account"] = words.account
    return clauses


def _named(kind: str, words: Words) -> Clauses:
    """Read a claim with its amount, or a task with its values or its outcome."""
    if kind in ("claim", "claim-corrected"):
        return {"claim": words.take("a claim"), "amount": words.take("an amount")}
    task: Clauses = {"task": words.take("a task")}
    return task | ({"as": words.take("an outcome")} if words.take_if("as") else _values(words))


def _values(words: Words) -> Clauses:
    """Read ``with NAME VALUE`` as often as it is there."""
    values: Clauses = {}
    while words.take_if("with"):
        name = words.take("a value's name")
        values[f"value {name}"] = words.take("a value")
    return values


def _by(words: Words) -> str:
    if not words.take_if("by"):
        raise ScenarioError(words.line, "say by which channels: 'by email, letter'")
    return ", ".join(sorted(words.until_word(*_OPTIONAL)))


def _value(clause: str, words: Words) -> str:
    if clause in ("others", "credits", "charges"):
        return ", ".join(sorted(words.until_word(*_OPTIONAL)))
    return words.take(f"a {clause}")
