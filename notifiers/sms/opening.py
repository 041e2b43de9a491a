"""Twilio as an installation has it: the send ledger is asked whose a message is."""

from typing import Final

from msgspec.structs import replace
from sqlalchemy import Engine

from infra.database.queries.tracing import flights_of, ids_of_others
from notifiers.second_look import Look, anybody
from notifiers.sms.settings import TwilioSettings
from notifiers.sms.twilio import TwilioChannel

__all__ = ["twilio_channel"]

_STATUS_PATH: Final = "/hooks/twilio/status"


def twilio_channel(
    settings: TwilioSettings, *, engine: Engine, public_url: str, look: Look = anybody
) -> TwilioChannel:
    """Open the channel; nothing is connected to yet.

    What becomes of messages is told to ``cobranza web`` at ``public_url``, unless another address is set.
    """
    account = settings.account()
    if public_url and not account.status_url:
        account = replace(account, status_url=public_url.rstrip("/") + _STATUS_PATH)
    return TwilioChannel(
        account,
        of_others=lambda ids, reminder: ids_of_others(engine, ids, channel="sms", reminder=reminder),
        flights=lambda mark, address, reminder: flights_of(
            engine, mark, address=address, channel="sms", reminder=reminder
        ),
        look=look,
    )
