"""The tables of mailed reports: whom they may go to, when they go by themselves, and what became of each mail.

The projector's rebuild does not know them.
"""

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from infra.database.tables import metadata
from infra.database.types import UtcDateTime, key_text

__all__ = ["report_mailings", "report_recipients", "report_schedules"]

# `pattern`: an address, or '@' and a domain; `company` '': for reports about any company.
report_recipients: Final = Table(
    "report_recipients",
    metadata,
    Column("company", key_text(), primary_key=True),
    Column("pattern", key_text(), primary_key=True),
    Column("allowed_by", Text, nullable=False),
    Column("allowed_at", UtcDateTime, nullable=False),
)

# `number`: day of the week (1 is Monday) or of the month; `recipients`: addresses, one a line; `company` says the zone.
report_schedules: Final = Table(
    "report_schedules",
    metadata,
    Column("schedule", key_text(), primary_key=True),
    Column("user", key_text(), nullable=False),
    Column("report", Text, nullable=False),
    Column("filters_json", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("every", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("recipients", Text, nullable=False),
    Column("is_ended", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Index("ix_report_schedules_user", "user", "made_at"),
)

# One row per mail: `mailing` is '<schedule>/<day>', or a form's own id. `state`: waiting, making, sending, sent,
# failed, unknown. `on` '': as of the day on which it is made. `held_by` is the process that makes or sends it.
report_mailings: Final = Table(
    "report_mailings",
    metadata,
    Column("mailing", key_text(), primary_key=True),
    Column("recipient", key_text(), primary_key=True),
    Column("user", key_text(), nullable=False),
    Column("report", Text, nullable=False),
    Column("filters_json", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("on", Text, nullable=False),
    Column("schedule", key_text(), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("state", key_text(), nullable=False),
    Column("held_by", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", UtcDateTime, nullable=False),
    Column("detail", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Index("ix_report_mailings_state", "state", "retry_at"),
    Index("ix_report_mailings_user", "user", "asked_at"),
    Index("ix_report_mailings_asked_at", "asked_at"),
)
