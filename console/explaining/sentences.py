"""What ``processors.retelling`` and ``processors.forecast`` tell, as sentences in Spanish or English.

Pure over values: reading logs and tables is the command's. A fact that it has
no sentence for is written as it is, never left out.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from console.explaining.ways import opt_outs, ways
from console.explaining.words import Words
from processors.fates import error_of
from processors.forecast import Foreseen
from processors.money import to_text
from processors.retelling import DayTold, Heard, ItemTold, Said
from schemas.answers import AnswerSaid, GiveAnswer
from schemas.codec import type_of
from schemas.commands import AddNote
from schemas.events import BillingEvent
from schemas.facts import (
    ExceptionRaised,
    LedgerFact,
    MessageDecided,
    MessageEnded,
    Movement,
    PlanFinished,
    ReminderDecided,
    ReminderEnded,
    ReminderProposed,
    ReminderRetracted,
    ReminderWithheld,
    TaskClosed,
    TaskOpened,
    Withheld,
)
from schemas.journal import AccountEvent
from schemas.outcomes import OutcomeReported
from schemas.transfers import TransferReceived

__all__ = ["Teller"]

_NAMED_MAX = 5
_SAID_BY_FATE = ("complaint", "letter_returned")  # errors that the fate's own word says already
_WORDS_MAX = 200
_BILLING = BillingEvent.__args__
# Fields of facts whose values are words of ours.
_TERMS = frozenset({"status", "ruling", "charge", "because", "message_kind", "state", "direction", "to"})
_KEYS = (
    "document",
    "payment",
    "refund",
    "write_off",
    "reconciliation",
    "promise",
    "dispute",
    "kind",
    "command",
)


class Teller:
    """Writes one account's day in one language.

    Args:
        told: the day.
        words: of the language.
        item: of this item only; "": of all that have a word, a reminder or a change on the day.
    """

    def __init__(self, told: DayTold, *, words: Words, item: str = "") -> None:
        self._told = told
        self._words = words
        self._item = item

    def day(self) -> Iterator[str]:
        """Write what was decided, each item with its word and facts, and what was not known."""
        told, words = self._told, self._words
        customer = self._customer_name()
        zone = told.company.profile.time_zone
        yield words.head.format(account=told.account, customer=customer, day=told.day, zone=zone)
        yield from self._look()
        yield from self._too_soon()
        decided = [text for said in told.decided if (text := self._decided(said))]
        if decided:
            yield words.decided
            yield from (f"  {text}" for text in decided)
        elif told.tick is not None and told.has_tick and told.decides:
            yield words.nothing_said
        yield from self._providers()
        items = list(self._items())
        yield words.items if items else words.no_items
        yield from items
        yield from self._requests()
        if told.late:
            yield words.late
            yield from (f"  {self._heard(each)}" for each in told.late)

    def next(self, foreseen: Sequence[Foreseen], *, until: datetime.date) -> Iterator[str]:
        """Write what will happen if nothing comes in."""
        lines = [line for each in foreseen for line in self._foreseen(each)]
        if not lines:
            yield self._words.next_nothing.format(until=until)
            return
        yield self._words.next.format(until=until)
        yield from (f"  {line}" for line in lines)

    # -- the day ------------------------------------------------------------------

    def _customer_name(self) -> str:
        name = self._told.customer_name
        return name or self._told.account.partition(":")[2]

    def _look(self) -> Iterator[str]:
        told, words = self._told, self._words
        if told.tick is None:
            yield words.no_tick_yet
            return
        at = self._at(told.tick.at)
        if not told.has_tick:
            yield words.no_tick.format(at=at)
        elif not told.decides:
            yield words.before_hour.format(at=at, hour=told.company.profile.decision_hour)
        else:
            yield words.looked.format(at=at)
        if told.tick.lagging:
            yield words.lagging.format(topics=", ".join(told.tick.lagging))

    def _too_soon(self) -> Iterator[str]:
        """Warn that the account was contacted a few days ago (S0-16)."""
        last_on, day = self._told.row.last_contact_on, self._told.day
        if last_on is None or last_on > day:
            return
        until = last_on + datetime.timedelta(days=self._told.company.profile.min_days_between_contacts)
        if day < until:
            yield self._words.too_soon.format(last=last_on, until=until)

    def _decided(self, said: Said) -> str:
        words = self._words
        text = ""  # of what is withheld, its items say so
        match fact := said.fact:
            case ReminderWithheld():
                pass
            case ReminderDecided():
                text = self._reminder(fact, text=words.reminder)
            case ReminderProposed():
                text = self._reminder(fact.content, text=words.proposed)
            case MessageDecided():
                channels = ways(fact.content, told=self._told, words=words)
                at, kind = self._at(fact.content.tick), self._term(fact.message_kind)
                text = words.message.format(at=at, kind=kind, channels=channels, id=fact.id)
            case ReminderEnded():
                text = self._ended(fact)
            case ReminderRetracted():
                text = words.retracted.format(item=fact.item, reminder=fact.reminder)
            case PlanFinished():
                text = words.plan_finished.format(item=fact.item, plan=fact.plan, version=fact.plan_version)
            case TaskOpened():
                summary = f", {fact.summary}" if fact.summary else ""
                text = words.task_opened.format(
                    task_type=self._task(fact.task_type), due=fact.due_on, summary=summary, task=fact.task
                )
            case TaskClosed():
                text = words.task_closed.format(outcome=self._term(fact.outcome), task=fact.task)
            case ExceptionRaised():
                text = words.exception.format(reason=fact.reason, key=fact.key, detail=fact.detail)
            case _:
                text = self._other(fact)
        return text

    def _ended(self, fact: ReminderEnded) -> str:
        consumed = fact.given_back or fact.consumed
        steps = ", ".join(f"{item} {step}" for item, step in consumed[:_NAMED_MAX])
        ended: str = self._words.ended_given_back
        if not fact.given_back:
            ended = getattr(self._words, f"ended_{fact.status}")
        return ended.format(steps=steps, reminder=fact.reminder)

    def _status(self, fact: LedgerFact) -> str:
        """Write a status; of a message that nobody could be told, why (R33)."""
        if isinstance(fact, MessageEnded) and fact.status == "no_address" and self._told.row.opted_out:
            return opt_outs(self._told, words=self._words)
        return self._term(str(getattr(fact, "status", "")))

    def _other(self, fact: LedgerFact) -> str:
        """Write a fact by the sentence of its type, else as it is."""
        sentence = self._words.facts_of.get(type_of(fact))
        if sentence is not None:
            plain = {
                name: self._plain(getattr(fact, name), name=name, fact=fact)
                for name in fact.__struct_fields__
            }
            return sentence.format(**plain)
        plain = {k: v for k, v in msgspec.to_builtins(fact).items() if k not in ("type", "id", "account")}
        detail = ", ".join(
            f"{name} {value}" for name, value in plain.items() if value not in ("", [], {}, None)
        )
        return self._words.other_fact.format(type=type_of(fact), detail=detail)

    def _plain(self, value: object, *, name: str, fact: LedgerFact) -> str:
        if name.endswith("_minor") and isinstance(value, int):
            return self._money(value, getattr(fact, "currency", "XXX"))
        if isinstance(value, AnswerSaid | AccountEvent):
            return self._answer(value) if isinstance(value, AnswerSaid) else self._went(value)
        if isinstance(value, tuple) and value:
            return self._named([str(each) for each in value], count=len(value))
        if name in _TERMS:
            return self._status(fact) if name == "status" else self._term(str(value))
        return "-" if value in (None, "", ()) else str(value)

    def _went(self, event: AccountEvent) -> str:
        whose: str = getattr(event, "customer", "")
        if not isinstance(event, TransferReceived):
            return f"{whose}: {self._words.events[type_of(event)].rstrip(',')}"
        moved = [each.document.document for each in event.items] + [each.credit for each in event.credits]
        return f"{whose}: {self._named(moved, count=len(moved)) or '-'}"

    def _answer(self, said: AnswerSaid) -> str:
        """Write what a reader said, in a line; his own words last."""
        parts = (
            self._words.answers[said.kind],
            self._named(said.documents, count=len(said.documents)) if said.documents else "",
            "" if said.amount is None else f"{self._figure(said.amount)} {said.currency or ''}".strip(),
            "" if said.on is None else said.on.isoformat(),
            said.reason,
            " ".join(said.text.split())[:_WORDS_MAX],
        )
        return ", ".join(part for part in parts if part)

    def _reminder(self, fact: ReminderDecided, *, text: str) -> str:
        words = self._words
        at = self._at(fact.tick)
        if not fact.items:
            return words.reminder_nothing_due.format(at=at, id=fact.id)
        items = [f"{each.item} ({self._money(each.open_minor, each.currency)})" for each in fact.items]
        return text.format(
            at=at,
            step=fact.step,
            channels=ways(fact, told=self._told, words=self._words),
            items=self._named(items, count=len(items) + fact.unlisted),
            pay_by=fact.pay_by_on,
            id=fact.id,
        )

    # -- items --------------------------------------------------------------------

    def _items(self) -> Iterator[str]:
        told, words = self._told, self._words
        quiet: list[ItemTold] = []
        for name in sorted(told.items, key=lambda each: (told.items[each].row.due_on, each)):
            item = told.items[name]
            if (self._item and name != self._item) or item.row.issued_on > told.day:
                continue
            if not self._item and self._is_quiet(item):
                quiet.append(item)
                continue
            yield f"  {self._headline(item)}"
            yield from (f"    {line}" for line in self._word(item))
            yield from (f"      {words.facts}: {line}" for line in self._facts(item))
        waiting = [each for each in quiet if each.next is not None and each.row.status == "open"]
        if waiting:
            first = min(
                waiting, key=lambda each: (each.next.due_on if each.next else told.day, each.row.item)
            )
            if first.next is not None:
                yield "  " + words.not_due_yet.format(
                    count=len(waiting), item=first.row.item, due=first.next.due_on, step=first.next.step.name
                )

    def _is_quiet(self, item: ItemTold) -> bool:
        """Say whether there is nothing to tell of an item: no word, no reminder, no change on the day, and nothing late."""
        if item.word is not None or item.reminder is not None:
            return False
        if any(each.business_date == self._told.day for each in item.movements):
            return False
        return item.row.status != "open" or item.row.due_on >= self._told.day

    def _headline(self, item: ItemTold) -> str:
        row, words = item.row, self._words
        if row.status != "open":
            text = words.settled if row.status == "settled" else words.cancelled
            return text.format(item=row.item)
        days = (self._told.day - row.due_on).days
        if days > 0:
            lateness = words.overdue_one if days == 1 else words.overdue.format(days=days)
        elif days:
            lateness = words.not_due_one if days == -1 else words.not_due.format(days=-days)
        else:
            lateness = words.due_today
        return words.item.format(
            item=row.item,
            open=self._figure(to_text(row.open_minor, currency=row.currency)),
            currency=row.currency,
            amount=self._figure(to_text(row.amount_minor, currency=row.currency)),
            due=row.due_on,
            lateness=lateness,
        )

    def _word(self, item: ItemTold) -> Iterator[str]:
        words = self._words
        if item.reminder is not None:
            step = next((each.step for each in item.reminder.items if each.item == item.row.item), "")
            fate: str = getattr(words, f"fate_{self._fate(item.reminder)}")
            yield words.in_reminder.format(
                at=self._at(item.reminder.tick), step=step or item.reminder.step, fate=fate
            )
        if item.word is not None:
            yield self._withheld(item.word, item=item)
            yield self._said(item)
        elif item.reminder is None and item.row.status == "open":
            yield self._no_word(item)

    def _fate(self, reminder: ReminderDecided) -> str:
        return self._told.fates.get(reminder.id, "open")

    def _no_word(self, item: ItemTold) -> str:
        words = self._words
        if item.next is not None:
            return words.next_step.format(step=item.next.step.name, due=item.next.due_on)
        return words.no_next_step if item.row.plan_finished or item.row.plan else words.no_plan_step

    def _withheld(self, word: Withheld, *, item: ItemTold) -> str:
        words = self._words
        reason = words.reasons[word.reason]
        if word.step:
            text = words.withheld.format(step=word.step, due=word.step_due_on, reason=reason)
        else:
            text = words.withheld_no_step.format(reason=reason)
        values = self._values(word.values, currency=item.row.currency)
        if values:
            text += f"; {words.judged_by.format(values=values)}"
        end = words.until.format(until=word.until) if word.until else words.until_event
        return f"{text}; {end}."

    def _values(self, values: dict[str, str], *, currency: str) -> str:
        currency = values.get("currency", currency)
        written = []
        for name, value in values.items():
            if name == "currency":
                continue
            label = self._words.values.get(name, name.removesuffix("_minor").replace("_", " "))
            is_money = name.endswith("_minor") and value.lstrip("-").isdecimal()
            written.append(f"{label} {self._money(int(value), currency) if is_money else value}")
        return ", ".join(written)

    def _said(self, item: ItemTold) -> str:
        if item.said is None or item.said.at is None:
            return self._words.not_yet_said
        return self._words.said_first.format(at=self._at(item.said.at), id=item.said.fact.id)

    def _facts(self, item: ItemTold) -> Iterator[str]:
        return (self._movement(each) for each in item.movements)

    def _movement(self, movement: Movement) -> str:
        words = self._words
        kind = words.movements.get(movement.kind, movement.kind)
        return words.movement.format(
            kind=kind.format(counterpart=movement.counterpart),
            amount=self._money(abs(movement.amount_minor), movement.currency),
            on=movement.business_date,
            id=movement.cause,
            known=self._known(self._told.heard.get(movement.cause)),
        )

    # -- events -------------------------------------------------------------------

    def _requests(self) -> Iterator[str]:
        """Write what people asked, notes left out: what they said changes no decision by itself."""
        heard = self._told.heard.values()
        asked = [each for each in heard if self._is_request(each.event) and each.on <= self._told.day]
        if asked:
            yield self._words.requests
            yield from (f"  {self._heard(each)}" for each in asked)

    def _providers(self) -> Iterator[str]:
        """Write what providers said on the day of what became of deliveries (R19)."""
        words, heard = self._words, self._told.heard.values()
        said = [
            each.event
            for each in heard
            if each.on == self._told.day
            and isinstance(each.event, OutcomeReported)
            and each.event.status in words.fates
        ]
        if said:
            yield words.providers
        for event in said:
            what = error_of(event)
            error = "" if what in _SAID_BY_FATE else words.errors.get(what, what)
            sentence = words.provider_word.format(
                channel=words.channels[event.channel],
                address=f" {event.address}" if event.address else "",
                fate=words.fates[event.status],
                error=f" ({error})" if error else "",
                reminder=event.reminder,
            )
            yield f"  {sentence}"

    def _is_request(self, event: AccountEvent) -> bool:
        if isinstance(event, AddNote):
            return event.kind == "conversation"
        return not isinstance(event, (*_BILLING, OutcomeReported))

    def _heard(self, heard: Heard) -> str:
        event = heard.event
        key = next((str(getattr(event, name)) for name in _KEYS if getattr(event, name, "")), "")
        amount = getattr(event, "amount", None)
        if isinstance(amount, str) and amount:
            key = f"{key} {self._figure(amount)} {getattr(event, 'currency', '') or ''}".strip()
        if isinstance(event, GiveAnswer):
            key = self._answer(event.said)
        kind = self._words.events.get(type_of(event), type_of(event))
        return self._words.heard.format(
            event=kind, key=key, on=heard.on, id=heard.id, known=self._known(heard)
        )

    def _known(self, heard: Heard | None) -> str:
        words = self._words
        if heard is None:
            return "?"
        if self._told.tick is not None and self._told.tick.mode == "live":
            return words.known_at.format(at=self._at(heard.recorded_at))
        if heard.since is None:
            return words.known_before_all
        return words.known_after.format(at=self._at(heard.since))

    # -- what is to come ------------------------------------------------------------

    def _foreseen(self, each: Foreseen) -> Iterator[str]:
        words = self._words
        for what in self._foreseen_words(each.fact):
            yield words.foreseen.format(day=each.on, what=what)

    def _foreseen_words(self, fact: LedgerFact) -> Iterator[str]:
        words = self._words
        match fact:
            case ReminderDecided() if not fact.items:
                yield words.foreseen_follow_up
            case ReminderDecided():
                yield self._foreseen_reminder(fact, text=words.foreseen_reminder)
            case ReminderProposed():
                yield self._foreseen_reminder(fact.content, text=words.foreseen_proposal)
            case ReminderWithheld():
                for one in fact.items:
                    reason = words.reasons[one.reason]
                    yield words.foreseen_withheld.format(item=one.item, step=one.step or "-", reason=reason)
            case PlanFinished():
                yield words.foreseen_finished.format(item=fact.item)
            case TaskOpened():
                yield words.foreseen_task.format(task_type=self._task(fact.task_type))
            case TaskClosed():
                yield words.task_closed.format(outcome=self._term(fact.outcome), task=fact.task)
            case MessageDecided():
                yield words.foreseen_message.format(
                    kind=self._term(fact.message_kind),
                    channels=ways(fact.content, told=self._told, words=self._words),
                )
            case ReminderEnded() | MessageEnded() | Movement():
                return  # assumed: each delivery is accepted
            case _:
                yield self._other(fact)

    def _foreseen_reminder(self, fact: ReminderDecided, *, text: str) -> str:
        totals = ", ".join(self._money(each.amount_minor, each.currency) for each in fact.totals)
        items = self._named([each.item for each in fact.items], count=len(fact.items) + fact.unlisted)
        return text.format(
            step=fact.step,
            channels=ways(fact, told=self._told, words=self._words),
            items=f"{items} ({totals})",
        )

    # -- writing --------------------------------------------------------------------

    def _at(self, at: datetime.datetime) -> str:
        return at.astimezone(self._told.company.zone).isoformat(sep=" ", timespec="minutes")[:16]

    def _money(self, amount_minor: int, currency: str) -> str:
        return f"{self._figure(to_text(amount_minor, currency=currency))} {currency}"

    def _figure(self, text: str) -> str:
        """Write a decimal amount with the language's separators."""
        whole, dot, decimals = text.partition(".")
        if not whole.lstrip("-").isdecimal():
            return text
        return f"{int(whole):,}".replace(",", self._words.thousands) + (
            self._words.decimal + decimals if dot else ""
        )

    def _task(self, task_type: str) -> str:
        """Write a kind of task; of a plan's own kinds, which have no word here, their name."""
        return self._words.tasks.get(task_type, task_type.replace("_", " "))

    def _term(self, name: str) -> str:
        return self._words.terms.get(name, name.replace("_", " "))

    def _named(self, names: Iterable[str], *, count: int) -> str:
        shown = list(names)[:_NAMED_MAX]
        more = count - len(shown)
        return ", ".join(shown) + (f" {self._words.and_more.format(count=more)}" if more else "")
