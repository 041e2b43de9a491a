"""Twilio as an installation has it: the send ledger is asked whose a message is."""

from sqlalchemy import Engine

from infra.database.queries.tracing import ids_of_others, in_flight_to
from notifiers.sms.settings import TwilioSettings
from notifiers.sms.twilio import TwilioChannel

__all__ = ["twilio_channel"]


def twilio_channel(settings: TwilioSettings, *, engine: Engine) -> TwilioChannel:
    """Open the channel; nothing is connected to yet."""
    return TwilioChannel(
        settings.account(),
        of_others=lambda ids, reminder: ids_of_others(engine, ids, channel="sms", reminder=reminder),
        in_flight=lambda phone, reminder: in_flight_to(engine, phone, channel="sms", reminder=reminder),
    )
