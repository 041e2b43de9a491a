"""A decided reminder: which items it lists, by which channels it goes, and what is kept of it.

It has all that a notifier needs (R1, R23, R27); whether to write at all was
decided before.
"""

import datetime
import hashlib
import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple, get_args

import msgspec

from processors.account import Account
from processors.addressing import contacts_for, copied, deliveries_for, unusable_channels
from processors.aging import age_bucket
from processors.arrangements import asked_minor, held_part_minor
from processors.calendar import epoch_s
from processors.charged import charged_on, charges_on
from processors.circumstances import Circumstances
from processors.judged import in_reminder
from processors.ladder import Rung, is_level
from processors.law.register import legal_texts
from processors.money import to_minor
from processors.record_size import ENTRIES_MAX, split, text_bytes
from schemas.facts import AgedTotal, Delivery, ReminderCredit, ReminderDecided, ReminderItem, Total
from schemas.fields import Channel, TextLanguage
from schemas.plans import Action
from schemas.rows import CreditRow, ItemRow, Proposal, ReminderRow, ReminderRowItem

__all__ = [
    "FOLLOW_UP",
    "UNRESOLVED",
    "Composed",
    "DueItem",
    "aged_totals",
    "compose",
    "decided_beside",
    "fitting_items",
    "follow_up",
    "identify",
    "listed_item",
    "note_steps",
    "remind",
    "row_item",
    "totals_of",
    "write_content",
]

_CREDITS_MAX = 100  # shown in a message
_SURELY_FIT_ITEMS = 20  # a contract limits each text: an item has 26 KB at most, of the 600 KB of a list
UNRESOLVED = frozenset({"dispatched", "unknown"})  # deliveries without a fate (R19)
FOLLOW_UP = "follow_up"  # the step's name of a task for a date by hand on which nothing is due (R20)
_DATE_HAS_COME = {
    "en": "Follow up: the date set by hand has come",
    "es": "Dar seguimiento: llegó la fecha fijada a mano",
    "pt": "Acompanhar: chegou a data marcada manualmente",
}
_LANGUAGES = get_args(TextLanguage)


class DueItem(NamedTuple):
    """An item with the step that it consumes in this reminder."""

    item: ItemRow
    rung: Rung


class Composed(NamedTuple):
    """A reminder as it would go out now: what is said, and how many of its items are named."""

    content: ReminderDecided
    header: Rung
    due: list[DueItem]
    listed: int


def identify(at: Circumstances, *, due: Sequence[DueItem]) -> str:
    """Give the id of a reminder of these steps, decided or proposed at this tick (R26)."""
    return _reminder_id(
        at,
        [
            (each.item.item, each.rung.plan.id, each.rung.plan.version, each.rung.step_index)
            for each in _sorted(due)
        ],
    )


def remind(
    at: Circumstances, *, due: Sequence[DueItem], proposed: ReminderRow | None = None
) -> ReminderDecided | None:
    """Decide a reminder for the due items, and enter it in the account's rows.

    None when this very reminder was decided at this very tick before (R26).
    ``proposed`` is what people have approved: it keeps its id, and what they said.
    """
    reminder = identify(at, due=due) if proposed is None else proposed.reminder
    if proposed is None and reminder in at.account.reminders:
        return None
    composed = compose(at, due=due, reminder=reminder, said=None if proposed is None else proposed.proposal)
    _enter(at, composed, proposed=proposed)
    return composed.content


def compose(
    at: Circumstances, *, due: Sequence[DueItem], reminder: str, said: Proposal | None = None
) -> Composed:
    """Write the reminder of the due items as of this tick, with what people have ``said`` of it; nothing is kept."""
    due = _sorted(due)
    header = max(due, key=lambda each: (each.rung.offset_days, each.rung.plan.id, each.rung.step.name)).rung
    deliveries = _deliveries(at, header, due=due, channels=None if said is None else said.channels)
    deliveries = at.permits().plan(deliveries, at=at.tick.at)
    if header.step.cc:
        contacts = contacts_for(at.account, items=[each.item for each in due], role=header.step.role)
        deliveries = copied(deliveries, account=at.account, contacts=contacts, roles=header.step.cc)
    listed = fitting_items([listed_item(at, each.item, rung=each.rung) for each in due])
    beside = _overdue_beside(at, due)
    content = write_content(
        at,
        reminder=reminder,
        step=header.step.name,
        offset_days=header.offset_days,
        template=_template(header, said=said),
        attach_invoices=_attaches(header, said=said),
        pay_by_on=at.day + datetime.timedelta(days=header.step.pay_by_days),
        deliveries=deliveries,
        listed=listed,
        totals=totals_of(at, (each.item for each in due)),
        unlisted=len(due) - len(listed),
        others=beside,
        said=said,
        writes_level=is_level(header.step),
    )
    if content.unlisted or len(content.others) < len(beside):
        aging = aged_totals(at, [*(each.item for each in due), *beside])
        content = msgspec.structs.replace(content, aging=aging)
    on = at.day if said is None else charged_on(at, said)
    return Composed(_charged(at, content, due=due[: len(listed)], on=on), header, due, len(listed))


def _deliveries(
    at: Circumstances, header: Rung, *, due: Sequence[DueItem], channels: Sequence[Channel] | None
) -> tuple[Delivery, ...]:
    """Give how a reminder would be carried, by the steps' channels or those that a person chose."""
    if len(due) == 1 and channels is None:
        return at.step_deliveries(header, item=due[0].item)  # its law was judged by the same
    return deliveries_for(
        _over(_actions(header, due=due), channels=channels),
        contacts=contacts_for(at.account, items=[each.item for each in due], role=header.step.role),
        failed=unusable_channels(at.account),
        not_before=at.tick.at,
        language=at.company.profile.language,
        opted_out=at.account.row.opted_out,
    )


def _charged(
    at: Circumstances, content: ReminderDecided, *, due: Sequence[DueItem], on: datetime.date
) -> ReminderDecided:
    """Add what lateness costs on the named items at a level, and what was claimed before and is open (R22)."""
    currencies = {each.currency for each in content.totals}
    charges, sums = charges_on(at, due=due, currencies=currencies, on=on, is_going=True)
    if not charges:
        return content
    totals = tuple(Total(currency=currency, amount_minor=sums[currency]) for currency in sorted(sums))
    return msgspec.structs.replace(content, charges=tuple(charges), charge_totals=totals)


def _sorted(due: Sequence[DueItem]) -> list[DueItem]:
    return sorted(due, key=lambda each: (each.item.due_on, each.item.item))


def _template(header: Rung, *, said: Proposal | None) -> str:
    chosen = "" if said is None else said.template
    return chosen or header.step.template or header.step.name


def _attaches(header: Rung, *, said: Proposal | None) -> bool:
    chosen = None if said is None else said.attach_invoices
    return header.step.attach_invoices if chosen is None else chosen


def _over(actions: Sequence[Action], *, channels: Sequence[Channel] | None) -> list[Action]:
    """Give the actions over the channels that a person chose instead; tasks of the steps stay (R19)."""
    if channels is None:
        return list(actions)
    planned = {each.channel: each for each in actions if each.channel != "task"}
    chosen = [
        planned.get(channel, Action(channel=channel))
        for channel in dict.fromkeys(channels)
        if channel != "task"
    ]
    tasks = [each for each in actions if each.channel == "task"]
    if "task" in channels and not tasks:
        tasks = [Action(channel="task")]
    return chosen + tasks


def follow_up(at: Circumstances) -> ReminderDecided | None:
    """Decide the task of a date by hand on which no step is due (S0-12, S2-20)."""
    reminder = _reminder_id(at, [])
    if reminder in at.account.reminders:
        return None
    language = at.company.profile.language
    action = Action(channel="task", task_type=FOLLOW_UP, summary=_DATE_HAS_COME[language])
    contacts = contacts_for(at.account, items=(), role="main")
    deliveries = deliveries_for(
        [action], contacts=contacts, failed=frozenset(), not_before=at.tick.at, language=language
    )
    at.account.reminders[reminder] = row = ReminderRow(
        account=at.account.id,
        reminder=reminder,
        tick=at.tick.at,
        step=FOLLOW_UP,
        items=[],
        deliveries={each.channel: "dispatched" for each in deliveries},
    )
    _open(at, row)
    return write_content(
        at,
        reminder=reminder,
        step=FOLLOW_UP,
        offset_days=0,
        template=FOLLOW_UP,
        attach_invoices=False,
        pay_by_on=at.day,
        deliveries=deliveries,
        listed=[],
        totals=(),
        unlisted=0,
        others=[item for item in at.account.items.values() if at.counts(item)],
    )


def _reminder_id(at: Circumstances, identity: object) -> str:
    """Derive the id from account, items, steps and tick, never from offsets (R26)."""
    content = msgspec.json.encode([at.account.id, identity, epoch_s(at.tick.at), at.tick.at.microsecond])
    return hashlib.blake2s(content, digest_size=16).hexdigest()


def _actions(header: Rung, *, due: Sequence[DueItem]) -> list[Action]:
    """Give the header's actions, and the tasks of the lower steps (R1)."""
    actions = list(header.step.actions)
    rungs = {(each.rung.plan.id, each.rung.plan.version, each.rung.step_index): each.rung for each in due}
    for rung in sorted(rungs.values(), key=lambda rung: (-rung.offset_days, rung.plan.id, rung.plan.version)):
        actions += [each for each in rung.step.actions if each.channel == "task" and each not in actions]
    return actions


def listed_item(at: Circumstances, item: ItemRow, *, rung: Rung | None = None) -> ReminderItem:
    """Write an item as a message lists it; with ``rung`` it consumes that step."""
    return ReminderItem(
        item=item.item,
        currency=item.currency,
        amount_minor=item.amount_minor,
        open_minor=item.open_minor,
        issued_on=item.issued_on,
        due_on=item.due_on,
        days_overdue=(at.day - item.due_on).days,
        reference=item.reference,
        pdf_url=getattr(item.document, "pdf_url", ""),
        xml_url=getattr(item.document, "xml_url", ""),
        held_minor=held_part_minor(at.account, item),
        step="" if rung is None else rung.step.name,
        step_index=-1 if rung is None else rung.step_index,
        step_due_on=None if rung is None else rung.due_on,
        plan="" if rung is None else rung.plan.id,
        plan_version=0 if rung is None else rung.plan.version,
    )


def fitting_items(items: Sequence[ReminderItem]) -> list[ReminderItem]:
    """Cut a list to what one record can hold."""
    if len(items) <= _SURELY_FIT_ITEMS:
        return list(items)
    return next(split(items, size_of=_size), [])


def _fitting_beside(
    listed: Sequence[ReminderItem], others: Sequence[ReminderItem]
) -> tuple[ReminderItem, ...]:
    """Cut what is listed for information to what a record can hold beside the items."""
    return tuple(fitting_items([*listed, *others])[len(listed) :]) if others else ()


def _size(item: ReminderItem) -> int:
    return 300 + text_bytes(item.item, item.reference, item.pdf_url, item.xml_url, item.step, item.plan)


def aged_totals(at: Circumstances, items: Iterable[ItemRow]) -> tuple[AgedTotal, ...]:
    """Give what is asked for, by currency and days past due."""
    sums: dict[str, list[int]] = {}
    for item in items:
        buckets = sums.setdefault(item.currency, [0, 0, 0, 0, 0])
        buckets[age_bucket((at.day - item.due_on).days)] += asked_minor(at.account, item)
    return tuple(
        AgedTotal(currency=currency, buckets=(a, b, c, d, e))
        for currency, (a, b, c, d, e) in sorted(sums.items())
    )


def totals_of(at: Circumstances, items: Iterable[ItemRow]) -> tuple[Total, ...]:
    """Give what is asked for, by currency."""
    sums: dict[str, int] = {}
    for item in items:
        sums[item.currency] = sums.get(item.currency, 0) + asked_minor(at.account, item)
    return tuple(Total(currency=currency, amount_minor=sums[currency]) for currency in sorted(sums))


def _overdue_beside(at: Circumstances, due: Sequence[DueItem]) -> list[ItemRow]:
    """List what is overdue beside the due items, for information: they keep level and anchor (R1)."""
    going = {each.item.item for each in due}
    own = {each.item.currency for each in due} if at.company.profile.currencies_apart else None
    return [
        item
        for item in at.dunnable()
        if item.due_on < at.day and item.item not in going and (own is None or item.currency in own)
    ]


def _credits(
    at: Circumstances, currencies: Iterable[str]
) -> tuple[tuple[ReminderCredit, ...], tuple[Total, ...]]:
    """List what the customer has on account in the currencies of a message, and its totals (R11, R12)."""
    shown: list[ReminderCredit] = []
    totals: list[Total] = []
    for currency in currencies:
        if at.cover(currency) is None:
            continue
        left = at.account.unapplied.left(currency)
        totals.append(Total(currency=currency, amount_minor=left.cash_minor + left.notes_minor))
        rows = (at.account.credits[name] for name in at.account.unapplied.names(currency))
        oldest = heapq.nsmallest(
            _CREDITS_MAX - len(shown), rows, key=lambda row: (row.received_on, row.credit)
        )
        shown += [_shown(row) for row in oldest]
    return tuple(shown), tuple(totals)


def _shown(row: CreditRow) -> ReminderCredit:
    kind, _, credit = row.credit.partition("/")
    return ReminderCredit(
        kind="credit_note" if kind == "credit_note" else "payment",
        credit=credit,
        currency=row.currency,
        left_minor=row.rest_minor,
        received_on=row.received_on,
    )


def _enter(at: Circumstances, composed: Composed, *, proposed: ReminderRow | None) -> None:
    """Keep the reminder; the steps of items that it does not name are kept on their own rows."""
    content, header = composed.content, composed.header
    note_steps(at, composed)
    row = proposed
    if row is None:
        row = ReminderRow(
            account=at.account.id, reminder=content.id, tick=at.tick.at, items=[], deliveries={}
        )
        at.account.reminders[content.id] = row
    row.tick, row.status, row.step = at.tick.at, "open", header.step.name
    row.items = [row_item(each) for each in composed.due[: composed.listed]]
    row.deliveries = {each.channel: "dispatched" for each in content.deliveries}
    row.pay_by_on = content.pay_by_on if is_level(header.step) else None
    row.unlisted = content.unlisted
    row.charges = content.charges
    row.now_because = bool(at.now_because)
    row.sequence = at.account.row.sequence
    row.spare_minor = _spare_minor(at, content.totals) if at.company.profile.minimums else {}
    _open(at, row)


def _spare_minor(at: Circumstances, totals: Iterable[Total]) -> dict[str, int]:
    """Give by how much what R8 looks at is above the minimum, for the currencies that have one."""
    spare: dict[str, int] = {}
    for total in totals:
        minimum = at.company.profile.minimums.get(total.currency)
        if minimum is not None:
            cover = at.cover(total.currency)
            asked_now = at.dunnable_minor(total.currency) if cover is None else cover.rest_minor
            spare[total.currency] = asked_now - to_minor(minimum, currency=total.currency)
    return spare


def note_steps(at: Circumstances, composed: Composed) -> None:
    """Note on the items that they are in this reminder, or in this proposal."""
    for place, each in enumerate(composed.due):
        step = row_item(each)
        judged, pending = in_reminder(step), step if place >= composed.listed else None
        if (each.item.judged, each.item.pending) != (judged, pending):
            each.item.judged, each.item.pending = judged, pending
            at.account.touch(each.item)


def decided_beside(account: Account, row: ReminderRow) -> list[ReminderRow]:
    """List the reminders of other currencies that were decided at the same tick and still wait for a fate (R23)."""
    others = [
        other
        for other in account.reminders.values()
        if other.tick == row.tick
        and other.reminder != row.reminder
        and other.status not in ("proposed", "dropped")
        and not UNRESOLVED.isdisjoint(other.deliveries.values())
    ]
    return sorted(others, key=lambda other: other.reminder)


def _open(at: Circumstances, row: ReminderRow) -> None:
    row.version = at.account.row.version
    at.account.touch(row)
    at.account.row.open_reminder = row.reminder
    at.account.touch(at.account.row)


def row_item(each: DueItem) -> ReminderRowItem:
    """Write an item with its step as rows keep it."""
    return ReminderRowItem(
        item=each.item.item,
        step_index=each.rung.step_index,
        step=each.rung.step.name,
        plan=each.rung.plan.id,
        plan_version=each.rung.plan.version,
        step_due_on=each.rung.due_on,
    )


def write_content(
    at: Circumstances,
    *,
    reminder: str,
    step: str,
    offset_days: int,
    template: str,
    attach_invoices: bool,
    pay_by_on: datetime.date,
    deliveries: tuple[Delivery, ...],
    listed: Sequence[ReminderItem],
    totals: tuple[Total, ...],
    unlisted: int,
    others: Iterable[ItemRow],
    said: Proposal | None = None,
    writes_level: bool = False,
) -> ReminderDecided:
    """Put together all that a notifier needs, as of this tick."""
    profile, customer, language = at.company.profile, at.account.customer, _language(at)
    others = list(others)
    credits, credit_totals = _credits(at, [each.currency for each in totals])  # noqa: A001 - the domain's word
    # No more than these are named; the totals count all.
    shown = heapq.nsmallest(ENTRIES_MAX, others, key=lambda item: (item.due_on, item.item)) if others else []
    return ReminderDecided(
        id=reminder,
        account=at.account.id,
        company=at.account.company,
        customer=at.account.customer_id,
        tick=at.tick.at,
        mode=at.tick.mode,
        decision_version=at.account.row.version,
        step=step,
        offset_days=offset_days,
        template=template,
        language=language,
        items=tuple(listed),
        totals=totals,
        deliveries=deliveries,
        pay_by_on=pay_by_on,
        customer_name=customer.customer.name if customer is not None else at.account.customer_id,
        others=_fitting_beside(listed, [listed_item(at, item) for item in shown]),
        other_totals=totals_of(at, others),
        credits=credits,
        credit_totals=credit_totals,
        unlisted=unlisted,
        attach_invoices=attach_invoices,
        **at.company.letterhead,
        text="" if said is None else said.text,
        approved_by="" if said is None else said.approved_by,
        now_because=at.now_because,
        law=at.permits().terms,
        legal_texts=legal_texts(
            at.account, company=at.company, on=at.day, language=language, levels=writes_level
        ),
        country=(customer.customer.country if customer is not None else "") or profile.country,
    )


def _language(at: Circumstances) -> str:
    """Give the customer's language where there are texts in it, else the company's."""
    wanted = at.account.customer.customer.language if at.account.customer is not None else ""
    return wanted if wanted.partition("-")[0] in _LANGUAGES else at.company.profile.language
