"""By which ways a message goes, in words, and why a person is asked instead (R15, R19): no address, or the customer wants none."""

import datetime

from console.explaining.words import Words
from processors.fates import says_stop
from processors.retelling import DayTold
from schemas.commands import OptOut
from schemas.facts import Delivery, ReminderDecided
from schemas.journal import AccountEvent
from schemas.outcomes import OutcomeReported
from schemas.transfers import TransferReceived

__all__ = ["opt_outs", "ways"]


def ways(fact: ReminderDecided, *, told: DayTold, words: Words) -> str:
    """Write by which channels, and to whom; of a task in a message's place, why."""
    named = []
    for each in fact.deliveries:
        contact = {"email": each.contact.email, "sms": each.contact.phone, "task": each.responsible}.get(
            each.channel, " ".join(each.contact.address)
        )
        channel = words.channels[each.channel]
        way = words.by.format(channel=channel, contact=contact) if contact else channel
        named.append(f"{way}{_why_a_task(each, told=told, words=words)}")
    return ", ".join(named) or words.nobody


def opt_outs(told: DayTold, *, words: Words) -> str:
    """Name the channels that the customer wants nothing by, each with the day on which that was said."""
    said: dict[str, datetime.date] = {}
    for each in told.heard.values():
        if each.on <= told.day:
            said |= dict.fromkeys(_channels_left(each.event), each.on)
    named = []
    for channel in told.row.opted_out:
        text = words.opted_out_on if channel in said else words.opted_out
        named.append(text.format(channel=words.channels[channel], on=said.get(channel)))
    return ", ".join(named) or words.no_address


def _why_a_task(delivery: Delivery, *, told: DayTold, words: Words) -> str:
    if delivery.task_type == "address_missing":
        return f" ({words.no_address})"
    return f" ({opt_outs(told, words=words)})" if delivery.task_type == "opted_out" else ""


def _channels_left(event: AccountEvent) -> tuple[str, ...]:
    """Give the channels that the customer is out of since an event: a command, his STOP or complaint, a merger."""
    match event:
        case OptOut():
            return (event.channel,)
        case OutcomeReported():
            return (event.channel,) if says_stop(event) else ()
        case TransferReceived():
            return (*event.opted_out, *(each.channel for each in event.wishes if each.is_out))
        case _:
            return ()
