"""Who is written to, and by which channels when an address is missing or has failed (R19, R27).

An action never vanishes: without a usable address it falls through to the
next channel, in the end to a task, which needs no address.
"""

import datetime
from collections.abc import Iterable, Sequence

from processors.account import Account
from schemas.events import Contact, Role
from schemas.facts import Delivery
from schemas.fields import Channel
from schemas.plans import Action
from schemas.rows import ItemRow

__all__ = ["address_changed", "contacts_for", "deliveries_for", "failed_channel_names", "unusable_channels"]

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
    return known + _by_role(contacts, role=role)


def _by_role(contacts: Sequence[Contact], *, role: Role) -> list[Contact]:
    """Give the contacts of the role, the main ones, then any other."""
    known = [contact for contact in contacts if contact.role == role]
    known += [contact for contact in contacts if contact.role == "main" and role != "main"]
    return known + [contact for contact in contacts if contact.role not in (role, "main")]


def failed_channel_names(account: Account) -> frozenset[str]:
    """Give the channels that failed for the account and whose cause has not changed since."""
    return frozenset(each.partition("/")[0] for each in account.row.failed_channels)


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
) -> tuple[Delivery, ...]:
    """Turn actions into deliveries, in the order of the actions: one message per channel, and each task.

    An action that falls back to a channel that is there already adds nothing:
    the customer is written to there. All tasks of a reminder share one fate.
    """
    deliveries: list[Delivery] = []
    for action in actions:
        delivery = _delivery_for(
            action, contacts=contacts, failed=failed, not_before=not_before, language=language
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
) -> Delivery:
    for channel in _FALLBACKS.get(action.channel, ()):
        contact = next((each for each in contacts if _has_address(each, channel=channel)), None)
        if contact is not None and channel not in failed:
            return Delivery(channel=channel, not_before=not_before, contact=contact)
    contact = contacts[0] if contacts else Contact()
    if action.channel != "task":
        summary = _ADDRESS_MISSING[language].format(channel=_CHANNEL_NAMES[language][action.channel])
        return Delivery(
            channel="task",
            not_before=not_before,
            contact=contact,
            task_type="address_missing",
            summary=summary,
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


def address_changed(account: Account) -> None:
    """Forget what failed: with another address each channel and step is tried again (R19)."""
    account.row.failed_on = None
    account.row.failed_channels = ()
    account.touch(account.row)
