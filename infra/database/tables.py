"""The tables, one MetaData: the read model that the projector writes, and what stands beside it.

Each table of the read model has one source (a kind of row, a fact); its primary key is the key of
that source, so that writing twice is writing once. Amounts are integer minor units; columns that
end in ``_json`` hold JSON text; ``_at`` is an instant in UTC, ``_on`` a company day.
``PROJECTED`` lists what ``projector --rebuild`` empties; nothing else may be emptied.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, false

from infra.database import columns as c

__all__ = [
    "IS_BEGUN",
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

# What a migration of a plan may move (R17): few look for it, and it is among all that was ever invoiced.
IS_BEGUN = "status = 'open' AND plan_version > 0"


def _table(name: str, *columns: Column[Any] | Index) -> Table:
    # Keyed by what is looked up: SQLite then keeps one tree per table instead of two.
    return Table(name, metadata, *columns, sqlite_with_rowid=False)


# --- how far the read model is ------------------------------------------------------------------

projector_offsets = _table(
    "projector_offsets",
    c.key("topic"),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    c.big("next_offset"),
)

clocks = _table(
    "clocks",
    Column("partition", Integer, primary_key=True, autoincrement=False),
    c.instant("at"),
    c.text("mode"),
    c.big("journal_offset"),
)

# --- rows of ledger.account ---------------------------------------------------------------------

accounts = _table(
    "accounts",
    c.key("account"),
    c.name("company"),
    c.name("customer"),
    c.count("partition"),
    c.big("version"),
    c.big("sequence"),
    c.text("mode"),
    c.instant_or_none("wake_at"),
    c.day_or_none("last_contact_on"),
    c.day_or_none("episode_opened_on"),
    c.text("open_reminder"),
    c.text("quarantined"),
    c.text("failed_channels"),
    c.text("proposal"),
    c.text("trust"),
    c.flag("trust_by_hand"),
    c.count("paid_items"),
    c.count("late_items"),
    c.count("late_days"),
    c.count("broken_promises"),
    c.day_or_none("last_note_on"),
    c.day_or_none("last_call_on"),
    Column("is_all_held", Boolean, nullable=False, server_default=false()),
    Index("ix_accounts_wake_at", "wake_at"),
    Index("ix_accounts_company", "company", "account"),
    c.part("ix_accounts_proposal", "account", of="proposal <> ''"),
    c.part("ix_accounts_open_reminder", "open_reminder", of="open_reminder <> ''"),
)

balances = _table(
    "balances",
    c.key("account"),
    c.key("currency"),
    c.minor("open_minor"),
    c.minor("credit_minor"),
)

customers = _table(
    "customers",
    c.key("account"),
    c.name("company"),
    c.name("customer"),
    c.text("name"),
    c.text("tax_id"),
    c.text("kind"),
    c.text("language"),
    c.text("time_zone"),
    c.text("country"),
    c.text("customer_group"),
    Column("payment_terms_days", Integer, nullable=True),
    c.text("plan"),
    c.text("responsible"),
    c.text("contacts_json"),
    Index("ix_customers_tax_id", "tax_id"),
)

contacts = _table(
    "contacts",
    c.key("account"),
    c.key("contact"),
    c.text("channel"),
    c.text("kind"),
    c.day("contacted_on"),
    c.text("occurred_at"),
    Index("ix_contacts_contacted_on", "contacted_on"),
)

items = _table(
    "items",
    c.key("account"),
    c.key("item"),
    c.name("company"),
    c.text("document_kind"),
    c.text("currency"),
    c.minor("amount_minor"),
    c.minor("open_minor"),
    c.day("issued_on"),
    c.day("due_on"),
    c.text("status"),
    c.big("revision"),
    c.text("reference"),
    c.text("plan"),
    c.big("plan_version"),
    c.count("step"),
    c.day_or_none("sent_level_on"),
    c.day_or_none("pay_by_on"),
    c.flag("plan_finished"),
    Index("ix_items_company_item", "company", "item"),
    c.part("ix_items_open", "account", "due_on", "item", "currency", "open_minor", of="open_minor > 0"),
    c.part("ix_items_due", "company", "due_on", of="open_minor > 0"),
    c.part("ix_items_begun", "company", "plan", "plan_version", "account", "item", of=IS_BEGUN),
)

# What an account owes in a currency, kept beside its items in the same transaction (``infra.projection.owed``):
# how many items are open, what is open, the oldest due date of them; `late_*` of these what is past due on the
# company's day in `owed_days`.
owed = _table(
    "owed",
    c.key("account"),
    c.key("currency"),
    c.name("company"),
    c.big("open_count"),
    c.minor("open_minor"),
    c.big("late_count"),
    c.minor("late_minor"),
    c.day_or_none("oldest_due_on"),
    Index("ix_owed_company", "company"),
)

owed_days = _table("owed_days", c.key("company"), c.day("day"))

account_credits = _table(
    "credits",
    c.key("account"),
    c.key("credit"),
    c.name("company"),
    c.text("credit_kind"),
    c.text("currency"),
    c.minor("amount_minor"),
    c.minor("effective_minor"),
    c.minor("rest_minor"),
    c.minor("reserved_minor"),
    c.minor("refunded_minor"),
    c.day("received_on"),
    c.day_or_none("ended_on"),
    Index("ix_credits_company_credit", "company", "credit"),
)

applications = _table(
    "applications",
    c.key("account"),
    c.key("application"),
    c.name("credit"),
    c.name("item"),
    c.minor("amount_minor"),
    c.day("applied_on"),
    c.flag("automatic"),
)

holds = _table(
    "holds",
    c.key("account"),
    c.key("hold"),
    c.text("hold_kind"),
    c.name("item"),
    c.text("reason"),
    c.text("author"),
    c.day_or_none("until_on"),
    c.day_or_none("review_on"),
    c.text("placed_at"),
    c.flag("by_hand"),
)

# `kind`: promise, dispute, instrument, payment_plan; `arrangement` is '<kind>/<id>'. `amount_minor` None:
# all of the item. `reason`: what was said of it.
arrangements = _table(
    "arrangements",
    c.key("account"),
    c.key("arrangement"),
    c.name("company"),
    c.name("customer"),
    c.name("item"),
    c.text("kind"),
    c.text("status"),
    c.text("currency"),
    Column("amount_minor", BigInteger, nullable=True),
    c.minor("received_minor"),
    c.day("made_on"),
    c.day_or_none("due_on"),
    c.day_or_none("until_on"),
    c.day_or_none("review_on"),
    c.text("reason"),
    c.text("author"),
    Index("ix_arrangements_work", "company", "kind", "status"),
    Index("ix_arrangements_status", "status", "kind"),
)

open_tasks = _table(
    "open_tasks",
    c.key("account"),
    c.key("task"),
    c.name("company"),
    c.name("customer"),
    c.text("task_type"),
    c.text("summary"),
    c.text("responsible"),
    c.day("opened_on"),
    c.day("due_on"),
    c.flag("blocking"),
    c.text("items_json"),
    Index("ix_open_tasks_work", "company", "due_on"),
)

companies = _table(
    "companies",
    c.key("company"),
    c.big("version"),
    c.text("name"),
    c.text("time_zone"),
    c.text("currency"),
    c.text("language"),
    c.text("profile_json"),
)

plans = _table(
    "plans",
    c.key("company"),
    c.key("plan_key"),
    c.name("plan"),
    c.big("version"),
    c.text("name"),
    c.text("plan_json"),
)

# What people asked, as the ledger remembers it for the retention; `request` is the command's id.
requests = _table(
    "requests",
    c.key("account"),
    c.key("request"),
    c.name("company"),
    c.text("request_type"),
    c.text("occurred_at"),
    c.text("author"),
    c.text("request_json"),
    Index("ix_requests_occurred_at", "account", "occurred_at"),
    Index("ix_requests_request_type", "request_type", "occurred_at"),
)

# Rows as the ledger keeps them: what a forecast is made from (``infra.projection.live``).
live_rows = _table(
    "live_rows",
    c.key("owner"),
    c.key("kind"),
    c.key("name"),
    c.text("row_json"),
)

# --- facts --------------------------------------------------------------------------------------

movements = _table(
    "movements",
    c.key("account"),
    c.key("id"),
    c.name("company"),
    c.text("currency"),
    c.text("kind"),
    c.minor("amount_minor"),
    c.day("business_date"),
    c.name("item"),
    c.name("credit"),
    c.text("counterpart"),
    c.day_or_none("due_on"),
    c.text("cause"),
    c.big("record_offset"),
)

reminders = _table(
    "reminders",
    c.key("reminder"),
    c.name("account"),
    c.name("company"),
    c.name("customer"),
    c.instant("tick"),
    c.text("mode"),
    c.big("decision_version"),
    c.text("step"),
    c.count("offset_days"),
    c.text("template"),
    c.text("language"),
    c.count("item_count"),
    c.count("unlisted"),
    c.day("pay_by_on"),
    c.text("totals_json"),
    Index("ix_reminders_tick", "tick"),
    Index("ix_reminders_account", "account", "tick"),
)

reminder_items = _table(
    "reminder_items",
    c.key("reminder"),
    c.key("item"),
    c.name("account"),
    c.text("currency"),
    c.minor("amount_minor"),
    c.minor("open_minor"),
    c.day("issued_on"),
    c.day("due_on"),
    c.count("days_overdue"),
    c.text("step"),
    c.count("step_index"),
    c.day_or_none("step_due_on"),
    c.text("plan"),
    c.big("plan_version"),
    Index("ix_reminder_items_item", "item"),
)

deliveries = _table(
    "deliveries",
    c.key("reminder"),
    c.key("channel"),
    c.name("account"),
    c.instant("not_before"),
    c.text("contact_json"),
    c.text("task_type"),
    c.text("summary"),
    c.text("responsible"),
)

outcomes = _table(
    "outcomes",
    c.key("reminder"),
    c.key("channel"),
    c.key("status"),
    c.name("account"),
    c.text("occurred_at"),
    c.text("provider_id"),
    c.text("error_type"),
    c.text("detail"),
    c.count("partition"),
    c.big("record_offset"),
    Index("ix_outcomes_status", "status", "occurred_at"),
)

reminder_ends = _table(
    "reminder_ends",
    c.key("reminder"),
    c.name("account"),
    c.instant("tick"),
    c.text("status"),
    c.day("ended_on"),
)

consumed_steps = _table(
    "consumed_steps",
    c.key("account"),
    c.key("item"),
    c.key("step"),
    c.key("reminder"),
    c.day("consumed_on"),
)

withheld = _table(
    "withheld",
    c.key("account"),
    c.key("id"),
    c.key("item"),
    c.key("step"),
    c.name("company"),
    c.instant("tick"),
    c.text("reason"),
    c.big("decision_version"),
    c.day_or_none("step_due_on"),
    c.day_or_none("until_on"),
    c.text("values_json"),
    Index("ix_withheld_tick", "tick"),
)

decisions = _table(
    "decisions",
    c.key("account"),
    c.key("id"),
    c.text("kind"),
    c.name("reminder"),
    c.name("item"),
    c.text("detail_json"),
    Index("ix_decisions_kind", "kind", "account", "item"),
)

exceptions = _table(
    "exceptions",
    c.key("id"),
    c.name("account"),
    c.text("raised_by"),
    c.text("reason"),
    c.text("key"),
    c.text("detail"),
    c.text("first_json"),
    c.text("second_json"),
    c.instant("recorded_at"),
    Index("ix_exceptions_recorded_at", "recorded_at"),
    Index("ix_exceptions_reason", "reason"),
    Index("ix_exceptions_key", "key"),
)

# Taken here, before any other module adds a table that only it can fill (the send ledger).
PROJECTED: tuple[Table, ...] = tuple(metadata.sorted_tables)
