"""The tables, one MetaData: the read model that the projector writes, and what stands beside it.

Each table of the read model has one source (a kind of row, a fact); its primary key is the key of
that source, so that writing twice is writing once. Amounts are integer minor units; columns that
end in ``_json`` hold JSON text; ``_at`` is an instant in UTC, ``_on`` a company day.
``PROJECTED`` lists what ``projector --rebuild`` empties; nothing else may be emptied.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, MetaData, Table, Text, false, text

from infra.database.types import UtcDateTime, key_text

__all__ = [
    "PROJECTED",
    "account_credits",
    "accounts",
    "applications",
    "arrangements",
    "balances",
    "clocks",
    "companies",
    "consumed_steps",
    "contacts",
    "customers",
    "decisions",
    "deliveries",
    "exceptions",
    "holds",
    "items",
    "live_rows",
    "metadata",
    "movements",
    "open_tasks",
    "outcomes",
    "owed",
    "owed_days",
    "plans",
    "projector_offsets",
    "reminder_ends",
    "reminder_items",
    "reminders",
    "requests",
    "withheld",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _key(name: str) -> Column[Any]:
    return Column(name, key_text(), primary_key=True)


def _text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)


def _id(name: str) -> Column[Any]:
    return Column(name, key_text(), nullable=False)


def _minor(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _big(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _day(name: str) -> Column[Any]:
    return Column(name, Date, nullable=False)


def _day_or_none(name: str) -> Column[Any]:
    return Column(name, Date, nullable=True)


def _instant(name: str) -> Column[Any]:
    return Column(name, UtcDateTime, nullable=False)


def _instant_or_none(name: str) -> Column[Any]:
    return Column(name, UtcDateTime, nullable=True)


def _part(name: str, *columns: str, of: str) -> Index:
    """Index the rows for which a condition holds: what is done with costs nothing."""
    return Index(name, *columns, sqlite_where=text(of), postgresql_where=text(of))


def _table(name: str, *columns: Column[Any] | Index) -> Table:
    # Keyed by what is looked up: SQLite then keeps one tree per table instead of two.
    return Table(name, metadata, *columns, sqlite_with_rowid=False)


# --- how far the read model is ------------------------------------------------------------------

projector_offsets = _table(
    "projector_offsets",
    _key("topic"),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    _big("next_offset"),
)

clocks = _table(
    "clocks",
    Column("partition", Integer, primary_key=True, autoincrement=False),
    _instant("at"),
    _text("mode"),
    _big("journal_offset"),
)

# --- rows of ledger.account ---------------------------------------------------------------------

accounts = _table(
    "accounts",
    _key("account"),
    _id("company"),
    _id("customer"),
    _count("partition"),
    _big("version"),
    _big("sequence"),
    _text("mode"),
    _instant_or_none("wake_at"),
    _day_or_none("last_contact_on"),
    _day_or_none("episode_opened_on"),
    _text("open_reminder"),
    _text("quarantined"),
    _text("failed_channels"),
    _text("proposal"),
    _text("trust"),
    _flag("trust_by_hand"),
    _count("paid_items"),
    _count("late_items"),
    _count("late_days"),
    _count("broken_promises"),
    _day_or_none("last_note_on"),
    _day_or_none("last_call_on"),
    Column("is_all_held", Boolean, nullable=False, server_default=false()),
    Index("ix_accounts_wake_at", "wake_at"),
    Index("ix_accounts_company", "company", "account"),
    _part("ix_accounts_proposal", "account", of="proposal <> ''"),
)

balances = _table(
    "balances",
    _key("account"),
    _key("currency"),
    _minor("open_minor"),
    _minor("credit_minor"),
)

customers = _table(
    "customers",
    _key("account"),
    _id("company"),
    _id("customer"),
    _text("name"),
    _text("tax_id"),
    _text("kind"),
    _text("language"),
    _text("time_zone"),
    _text("country"),
    _text("customer_group"),
    Column("payment_terms_days", Integer, nullable=True),
    _text("plan"),
    _text("responsible"),
    _text("contacts_json"),
    Index("ix_customers_tax_id", "tax_id"),
)

contacts = _table(
    "contacts",
    _key("account"),
    _key("contact"),
    _text("channel"),
    _text("kind"),
    _day("contacted_on"),
    _text("occurred_at"),
    Index("ix_contacts_contacted_on", "contacted_on"),
)

items = _table(
    "items",
    _key("account"),
    _key("item"),
    _id("company"),
    _text("document_kind"),
    _text("currency"),
    _minor("amount_minor"),
    _minor("open_minor"),
    _day("issued_on"),
    _day("due_on"),
    _text("status"),
    _big("revision"),
    _text("reference"),
    _text("plan"),
    _big("plan_version"),
    _count("step"),
    _day_or_none("sent_level_on"),
    _day_or_none("pay_by_on"),
    _flag("plan_finished"),
    Index("ix_items_company_item", "company", "item"),
    _part("ix_items_open", "account", "due_on", "item", "currency", "open_minor", of="open_minor > 0"),
    _part("ix_items_due", "company", "due_on", of="open_minor > 0"),
)

# What an account owes in a currency, kept beside its items in the same transaction (``infra.projection.owed``):
# how many items are open, what is open, the oldest due date of them; `late_*` of these what is past due on the
# company's day in `owed_days`.
owed = _table(
    "owed",
    _key("account"),
    _key("currency"),
    _id("company"),
    _big("open_count"),
    _minor("open_minor"),
    _big("late_count"),
    _minor("late_minor"),
    _day_or_none("oldest_due_on"),
    Index("ix_owed_company", "company"),
)

owed_days = _table("owed_days", _key("company"), _day("day"))

account_credits = _table(
    "credits",
    _key("account"),
    _key("credit"),
    _id("company"),
    _text("credit_kind"),
    _text("currency"),
    _minor("amount_minor"),
    _minor("effective_minor"),
    _minor("rest_minor"),
    _minor("reserved_minor"),
    _minor("refunded_minor"),
    _day("received_on"),
    _day_or_none("ended_on"),
    Index("ix_credits_company_credit", "company", "credit"),
)

applications = _table(
    "applications",
    _key("account"),
    _key("application"),
    _id("credit"),
    _id("item"),
    _minor("amount_minor"),
    _day("applied_on"),
    _flag("automatic"),
)

holds = _table(
    "holds",
    _key("account"),
    _key("hold"),
    _text("hold_kind"),
    _id("item"),
    _text("reason"),
    _text("author"),
    _day_or_none("until_on"),
    _day_or_none("review_on"),
    _text("placed_at"),
    _flag("by_hand"),
)

# `kind`: promise, dispute, instrument, payment_plan; `arrangement` is '<kind>/<id>'. `amount_minor` None:
# all of the item. `reason`: what was said of it.
arrangements = _table(
    "arrangements",
    _key("account"),
    _key("arrangement"),
    _id("company"),
    _id("customer"),
    _id("item"),
    _text("kind"),
    _text("status"),
    _text("currency"),
    Column("amount_minor", BigInteger, nullable=True),
    _minor("received_minor"),
    _day("made_on"),
    _day_or_none("due_on"),
    _day_or_none("until_on"),
    _day_or_none("review_on"),
    _text("reason"),
    _text("author"),
    Index("ix_arrangements_work", "company", "kind", "status"),
    Index("ix_arrangements_status", "status", "kind"),
)

open_tasks = _table(
    "open_tasks",
    _key("account"),
    _key("task"),
    _id("company"),
    _id("customer"),
    _text("task_type"),
    _text("summary"),
    _text("responsible"),
    _day("opened_on"),
    _day("due_on"),
    _flag("blocking"),
    _text("items_json"),
    Index("ix_open_tasks_work", "company", "due_on"),
)

companies = _table(
    "companies",
    _key("company"),
    _big("version"),
    _text("name"),
    _text("time_zone"),
    _text("currency"),
    _text("language"),
    _text("profile_json"),
)

plans = _table(
    "plans",
    _key("company"),
    _key("plan_key"),
    _id("plan"),
    _big("version"),
    _text("name"),
    _text("plan_json"),
)

# What people asked, as the ledger remembers it for the retention; `request` is the command's id.
requests = _table(
    "requests",
    _key("account"),
    _key("request"),
    _id("company"),
    _text("request_type"),
    _text("occurred_at"),
    _text("author"),
    _text("request_json"),
    Index("ix_requests_occurred_at", "account", "occurred_at"),
)

# Rows as the ledger keeps them: what a forecast is made from (``infra.projection.live``).
live_rows = _table(
    "live_rows",
    _key("owner"),
    _key("kind"),
    _key("name"),
    _text("row_json"),
)

# --- facts --------------------------------------------------------------------------------------

movements = _table(
    "movements",
    _key("account"),
    _key("id"),
    _id("company"),
    _text("currency"),
    _text("kind"),
    _minor("amount_minor"),
    _day("business_date"),
    _id("item"),
    _id("credit"),
    _text("counterpart"),
    _day_or_none("due_on"),
    _text("cause"),
    _big("record_offset"),
)

reminders = _table(
    "reminders",
    _key("reminder"),
    _id("account"),
    _id("company"),
    _id("customer"),
    _instant("tick"),
    _text("mode"),
    _big("decision_version"),
    _text("step"),
    _count("offset_days"),
    _text("template"),
    _text("language"),
    _count("item_count"),
    _count("unlisted"),
    _day("pay_by_on"),
    _text("totals_json"),
    Index("ix_reminders_tick", "tick"),
    Index("ix_reminders_account", "account", "tick"),
)

reminder_items = _table(
    "reminder_items",
    _key("reminder"),
    _key("item"),
    _id("account"),
    _text("currency"),
    _minor("amount_minor"),
    _minor("open_minor"),
    _day("issued_on"),
    _day("due_on"),
    _count("days_overdue"),
    _text("step"),
    _count("step_index"),
    _day_or_none("step_due_on"),
    _text("plan"),
    _big("plan_version"),
)

deliveries = _table(
    "deliveries",
    _key("reminder"),
    _key("channel"),
    _id("account"),
    _instant("not_before"),
    _text("contact_json"),
    _text("task_type"),
    _text("summary"),
    _text("responsible"),
)

outcomes = _table(
    "outcomes",
    _key("reminder"),
    _key("channel"),
    _key("status"),
    _id("account"),
    _text("occurred_at"),
    _text("provider_id"),
    _text("error_type"),
    _text("detail"),
    _count("partition"),
    _big("record_offset"),
    Index("ix_outcomes_status", "status", "occurred_at"),
)

reminder_ends = _table(
    "reminder_ends",
    _key("reminder"),
    _id("account"),
    _instant("tick"),
    _text("status"),
    _day("ended_on"),
)

consumed_steps = _table(
    "consumed_steps",
    _key("account"),
    _key("item"),
    _key("step"),
    _key("reminder"),
    _day("consumed_on"),
)

withheld = _table(
    "withheld",
    _key("account"),
    _key("id"),
    _key("item"),
    _key("step"),
    _id("company"),
    _instant("tick"),
    _text("reason"),
    _big("decision_version"),
    _day_or_none("step_due_on"),
    _day_or_none("until_on"),
    _text("values_json"),
    Index("ix_withheld_tick", "tick"),
)

decisions = _table(
    "decisions",
    _key("account"),
    _key("id"),
    _text("kind"),
    _id("reminder"),
    _id("item"),
    _text("detail_json"),
    Index("ix_decisions_kind", "kind", "account", "item"),
)

exceptions = _table(
    "exceptions",
    _key("id"),
    _id("account"),
    _text("raised_by"),
    _text("reason"),
    _text("key"),
    _text("detail"),
    _text("first_json"),
    _text("second_json"),
    _instant("recorded_at"),
    Index("ix_exceptions_recorded_at", "recorded_at"),
    Index("ix_exceptions_reason", "reason"),
    Index("ix_exceptions_key", "key"),
)

# Taken here, before any other module adds a table that only it can fill (the send ledger).
PROJECTED: tuple[Table, ...] = tuple(metadata.sorted_tables)
