"""Who is written to, and by which channels when an address is missing or has failed (R19, R27).

An action never vanishes: without a usable address it falls through to the
next channel, in the end to a task, which needs no address. What has failed is
kept on the account as ``channel/error type``, or ``channel/error type/address``
where it is that address alone.
"""

import datetime
import zoneinfo
from collections.abc import Collection, Iterable, Sequence

import msgspec

from processors.account import Account
from processors.calendar import is_day, local_day, told_at
from processors.fates import ADDRESS_ERRORS, error_of
from processors.law.book import kind_of, reached_at
from processors.tasks import close_task
from schemas.events import Contact, Role
from schemas.facts import Delivery, LedgerFact
from schemas.fields import Channel
from schemas.outcomes import OutcomeReported
from schemas.plans import Action
from schemas.rows import ItemRow
from schemas.transfers import MovedWish

__all__ = [
    "ADDRESS_TASK",
    "address_changed",
    "address_for",
    "close_mended",
    "contacts_for",
    "copied",
    "deliveries_for",
    "distrust_address",
    "failed_channel_names",
    "forget_other_failures",
    "is_address_bad",
    "is_overtaken",
    "opt_in",
    "opt_out",
    "remember_failure",
    "take_wish",
    "trust_addresses",
    "unusable_channels",
    "wish_of",
    "without",
    "written_to",
]

ADDRESS_TASK = "address/"  # a task to mend the customer's address of a channel
_COPIES_MAX = 10  # of one mail

_FALLBACKS: dict[Channel, tuple[Channel, ...]] = {
    "sms": ("sms", "email", "letter"),
    "email": ("email", "letter"),
    "letter": ("letter",),
}


# Tasks are read by the company's people: its language.
_ADDRESS_MISSING = {
    "en": "No usable address for {channel}: mend the address and follow up by hand",
    "es": "Sin dirección útil para {channel}: corregir la dirección y dar seguimiento a mano",
    "pt": "Sem endereço utilizável para {channel}: corrigir o endereço e acompanhar manualmente",
}
_OPTED_OUT = {
    "en": "Opted out of {channel}: follow up by hand, by another way",
    "es": "Pidió no recibir nada por {channel}: dar seguimiento a mano, por otra vía",
    "pt": "Pediu para não receber nada por {channel}: acompanhar manualmente, por outra via",
}
_CHANNEL_NAMES = {
    "en": {"email": "email", "sms": "SMS", "letter": "letter"},
    "es": {"email": "correo", "sms": "SMS", "letter": "carta"},
    "pt": {"email": "e-mail", "sms": "SMS", "letter": "carta"},
}


def contacts_for(account: Account, *, items: Sequence[ItemRow], role: Role) -> list[Contact]:
    """List the contacts to try, best first (R27).

    Those of the parent, where the customer is dunned there (B-13); the contact of the invoice when all dunned items share it, those of the
    step's role, the main ones, then any other: never silence.
    """
    known: list[Contact] = []
    shared = items[0].contact if items else None
    if shared is not None and all(item.contact == shared for item in items):
        known.append(shared)
    contacts = () if account.customer is None else account.customer.customer.contacts
    if account.customer is not None and account.customer.customer.dunned_at == "parent":
        known = [*_by_role(account.customer.parent_contacts, role=role), *known]
    known += _by_role(contacts, role=role)
    bad = _bad_addresses(account)
    return [without(each, _bad_channels(each, bad)) for each in known] if bad else known


def copied(
    deliveries: Sequence[Delivery],
    *,
    account: Account,
    contacts: Sequence[Contact],
    roles: Collection[Role],
) -> tuple[Delivery, ...]:
    """Give a mail its copies (B-13): to each contact of these roles with an address of its own, each address once.

    None where the debtor, or whoever is written to for it, is not known to be a business: a consumer's debt is told to no
    third person (section 5).
    """
    if not _may_be_copied(account):
        return tuple(deliveries)
    return tuple(
        msgspec.structs.replace(each, cc=_copies(each.contact, contacts=contacts, roles=roles))
        if each.channel == "email"
        else each
        for each in deliveries
    )


def _may_be_copied(account: Account) -> bool:
    debtor = None if account.customer is None else account.customer.customer
    return "consumer" not in (kind_of(debtor), reached_at(account.customer)[1])


def _copies(to: Contact, *, contacts: Sequence[Contact], roles: Collection[Role]) -> tuple[Contact, ...]:
    written = {to.email.strip().casefold(), ""}
    found: list[Contact] = []
    for contact in contacts:
        address = contact.email.strip().casefold()
        if contact.role in roles and address not in written:
            written.add(address)
            found.append(without(contact, ("sms", "letter")))  # no more of a person than a copy needs
    return tuple(found[:_COPIES_MAX])


def _bad_addresses(account: Account) -> frozenset[tuple[str, str]]:
    """Give (channel, address) of what has failed by its address alone."""
    parted = (each.split("/", 2) for each in account.row.failed_channels)
    return frozenset((each[0], each[2]) for each in parted if len(each) > 2)


def _bad_channels(contact: Contact, bad: frozenset[tuple[str, str]]) -> set[str]:
    """Name the channels by which this contact's own address is not written to."""
    return {each[0] for each in _by_channel(contact) if each in bad}


def _by_channel(contact: Contact) -> tuple[tuple[Channel, str], ...]:
    return ("email", contact.email), ("sms", contact.phone), ("letter", ", ".join(contact.address))


def written_to(delivery: Delivery) -> str:
    """Give the address that a delivery goes to, a letter's in one line; "" for a task."""
    return dict(_by_channel(delivery.contact)).get(delivery.channel, "")


def address_for(account: Account, channel: Channel, *, items: Sequence[ItemRow], role: Role) -> str:
    """Give the address that what is written by a channel goes to as things are, or by what it falls back to; "" where there is none."""
    contacts, failed = contacts_for(account, items=items, role=role), unusable_channels(account)
    for each in _FALLBACKS.get(channel, ()):
        contact = next((known for known in contacts if _has_address(known, channel=each)), None)
        if contact is not None and each not in failed:
            return dict(_by_channel(contact))[each]
    return ""


def without(contact: Contact, channels: Collection[str]) -> Contact:
    """Give a contact without its addresses of some channels."""
    return msgspec.structs.replace(
        contact,
        email="" if "email" in channels else contact.email,
        phone="" if "sms" in channels else contact.phone,
        address=() if "letter" in channels else contact.address,
    )


def _addresses(account: Account, items: Iterable[str] = ()) -> set[str]:
    """Give every address, of any channel, under which the customer can be written to, about these items."""
    known = (account.items.get(name) for name in items)
    contacts = [item.contact for item in known if item is not None and item.contact is not None]
    if account.customer is not None:
        row = account.customer
        contacts += [*row.customer.contacts, *row.parent_contacts, *row.parent_held]
    return {name for each in contacts for name in (each.email, each.phone, ", ".join(each.address)) if name}


def _by_role(contacts: Sequence[Contact], *, role: Role) -> list[Contact]:
    """Give the contacts of the role, the main ones, then any other."""
    known = [contact for contact in contacts if contact.role == role]
    known += [contact for contact in contacts if contact.role == "main" and role != "main"]
    return known + [contact for contact in contacts if contact.role not in (role, "main")]


def failed_channel_names(account: Account) -> frozenset[str]:
    """Give the channels that failed for the account as a whole, and whose cause has not changed since."""
    parted = (each.split("/", 2) for each in account.row.failed_channels)
    return frozenset(each[0] for each in parted if len(each) < 3)


def unusable_channels(account: Account) -> frozenset[str]:
    """Give the channels that nothing goes by: they failed, or the customer opted out of them (R15)."""
    return failed_channel_names(account) | frozenset(account.row.opted_out)


def deliveries_for(
    actions: Iterable[Action],
    *,
    contacts: Sequence[Contact],
    failed: frozenset[str],
    not_before: datetime.datetime,
    language: str,
    opted_out: Collection[str] = (),
) -> tuple[Delivery, ...]:
    """Turn actions into deliveries, in the order of the actions: one message per channel, and each task.

    ``failed`` are the channels that nothing goes by, those ``opted_out`` of among them: a task says which it is.

    An action that falls back to a channel that is there already adds nothing:
    the customer is written to there. All tasks of a reminder share one fate.
    """
    deliveries: list[Delivery] = []
    for action in actions:
        delivery = _delivery_for(
            action,
            contacts=contacts,
            failed=failed,
            not_before=not_before,
            language=language,
            opted_out=opted_out,
        )
        written = any(each.channel == delivery.channel for each in deliveries)
        if delivery not in deliveries and (delivery.channel == "task" or not written):
            deliveries.append(delivery)
    return tuple(deliveries)


def _delivery_for(
    action: Action,
    *,
    contacts: Sequence[Contact],
    failed: frozenset[str],
    not_before: datetime.datetime,
    language: str,
    opted_out: Collection[str],
) -> Delivery:
    unwanted: list[Channel] = []
    for channel in _FALLBACKS.get(action.channel, ()):
        contact = next((each for each in contacts if _has_address(each, channel=channel)), None)
        if contact is not None and channel not in failed:
            return Delivery(channel=channel, not_before=not_before, contact=contact)
        if contact is not None and channel in opted_out:
            unwanted.append(channel)
    contact = contacts[0] if contacts else Contact()
    if action.channel != "task":
        names = _CHANNEL_NAMES[language]
        text = (_OPTED_OUT if unwanted else _ADDRESS_MISSING)[language]
        return Delivery(
            channel="task",
            not_before=not_before,
            contact=contact,
            task_type="opted_out" if unwanted else "address_missing",
            summary=text.format(channel=", ".join(names[each] for each in unwanted or [action.channel])),
        )
    return Delivery(
        channel="task",
        not_before=not_before,
        contact=contact,
        task_type=action.task_type,
        summary=action.summary,
        responsible=action.responsible,
    )


def _has_address(contact: Contact, *, channel: Channel) -> bool:
    match channel:
        case "email":
            return bool(contact.email)
        case "sms":
            return bool(contact.phone)
        case "letter":
            return any(contact.address)
        case "task":
            return True


# -- what has failed -----------------------------------------------------------


def remember_failure(account: Account, event: OutcomeReported, *, items: Iterable[str]) -> None:
    """Keep what failed, so that the next decision goes by another address or channel (R19).

    With an address, that address is bad, not the channel; one that the customer
    has no more is no news. ``items`` are those that were written about.
    """
    mark = f"{event.channel}/{error_of(event)}"
    if event.address:
        if event.address not in _addresses(account, items):
            return
        mark = f"{mark}/{event.address}"
    elif event.channel in failed_channel_names(account):
        return
    if mark not in account.row.failed_channels:
        account.row.failed_channels += (mark,)
        account.touch(account.row)


def is_address_bad(account: Account, event: OutcomeReported) -> bool:
    """Say whether what was reported left an address, or its channel, marked as bad."""
    marks = (each.split("/", 2) for each in account.row.failed_channels)
    return any(
        each[0] == event.channel and each[1] in ADDRESS_ERRORS and each[2:] in ([], [event.address])
        for each in marks
    )


def forget_other_failures(account: Account) -> None:
    """Once something was sent, try again what failed for another reason than the address."""
    marks = account.row.failed_channels
    kept = tuple(each for each in marks if each.split("/", 2)[1] in ADDRESS_ERRORS)
    if kept != marks:
        account.row.failed_channels = kept
        account.touch(account.row)


def address_changed(account: Account) -> None:
    """With another address each channel and step is tried again (R19); an address that has stayed stays as bad as it was."""
    known = _addresses(account) if account.row.failed_channels else set()
    parted = (each.split("/", 2) for each in account.row.failed_channels)
    account.row.failed_on = None
    account.row.failed_channels = tuple("/".join(each) for each in parted if each[2:] and each[2] in known)
    account.touch(account.row)


def trust_addresses(account: Account, channel: str) -> None:
    """Write by a channel again under all its addresses: a person has mended them, or knows better."""
    kept = tuple(each for each in account.row.failed_channels if each.partition("/")[0] != channel)
    if kept != account.row.failed_channels:
        account.row.failed_channels = kept
        account.row.failed_on = None
        account.touch(account.row)


def distrust_address(account: Account, *, channel: Channel, address: str, items: Iterable[str]) -> bool:
    """Write by a channel no more under an address ("": under any), until one changes; False: that is so already.

    ``items`` are those that were written about; an address that the customer has no more is no news.
    """
    mark = f"{channel}/address_refused"
    if address:
        if address not in _addresses(account, items):
            return False
        mark = f"{mark}/{address}"
    if channel == "task" or mark in account.row.failed_channels:
        return False
    account.row.failed_channels += (mark,)
    account.advance()
    return True


def opt_out(account: Account, channel: Channel, *, at: str, zone: zoneinfo.ZoneInfo) -> bool:
    """Write by a channel no more (R15), as was said ``at`` a business time; False: what was said since stands."""
    if is_overtaken(account, channel, at=at, zone=zone):
        return False
    take_wish(account, _own_wish(account, channel, at=at, is_out=True))
    return True


def opt_in(account: Account, channel: Channel, *, at: str, zone: zoneinfo.ZoneInfo) -> bool:
    """Write by a channel again, also under addresses that had failed: the customer asks for it (R15, R19); False: what was said since stands."""
    if is_overtaken(account, channel, at=at, zone=zone):
        return False
    take_wish(account, _own_wish(account, channel, at=at, is_out=False))
    account.row.failed_on = None
    trust_addresses(account, channel)
    return True


def _own_wish(account: Account, channel: Channel, *, at: str, is_out: bool) -> MovedWish:
    return MovedWish(
        channel=channel, is_out=is_out, at=at, of=account.customer_id, order=account.row.version + 1
    )


def wish_of(account: Account, channel: Channel) -> MovedWish | None:
    """Give the newest word on a channel; None: nothing is known of it."""
    return next((each for each in account.row.wishes if each.channel == channel), None)


def is_overtaken(account: Account, channel: Channel, *, at: str, zone: zoneinfo.ZoneInfo) -> bool:
    """Say whether something newer is known of a channel than what was said ``at`` a business time; of one day without a time the order heard counts."""
    known = wish_of(account, channel)
    if known is None:
        return False
    said, before = told_at(at, zone), told_at(known.at, zone)
    if is_day(at) or is_day(known.at):
        return local_day(said, zone) < local_day(before, zone)
    return said < before


def take_wish(account: Account, wish: MovedWish) -> None:
    """Let a word stand on whether a channel is wanted, said here or to a customer who is merged into this one."""
    row = account.row
    others = {each for each in row.opted_out if each != wish.channel}
    row.opted_out = tuple(sorted({*others, wish.channel} if wish.is_out else others))
    row.wishes = (*(each for each in row.wishes if each.channel != wish.channel), wish)
    row.wishes_sent = tuple(each for each in row.wishes_sent if each != wish.channel)
    account.advance()


def close_mended(account: Account) -> list[LedgerFact]:
    """End the tasks to mend an address that is not bad any more."""
    tasks = [each for each in account.tasks if each.startswith(ADDRESS_TASK)]
    if not tasks:
        return []
    bad = {each.split("/", 2)[0] for each in account.row.failed_channels}
    facts: list[LedgerFact] = []
    for task in sorted(tasks):
        if task.removeprefix(ADDRESS_TASK) not in bad:
            facts += close_task(account, task=task, outcome="needless")
    return facts
