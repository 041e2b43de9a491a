"""The read model's first tables: positions, rows of state, and facts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the read model."""
    _create_positions()
    _create_rows_of_accounts()
    _create_rows_of_items_and_money()
    _create_rows_of_companies()
    _create_movements()
    _create_reminders()
    _create_decisions()
    _create_indexes()


def _create_positions() -> None:
    _create(
        "projector_offsets",
        _key("topic"),
        _key("partition", sa.Integer()),
        _big("next_offset"),
    )
    _create(
        "clocks",
        _key("partition", sa.Integer()),
        _instant("at"),
        _text("mode"),
        _big("journal_offset"),
    )


def _create_rows_of_accounts() -> None:
    _create(
        "accounts",
        _key("account"),
        _id("company"),
        _id("customer"),
        _count("partition"),
        _big("version"),
        _big("sequence"),
        _text("mode"),
        _instant("wake_at", nullable=True),
        _day("last_contact_on", nullable=True),
        _day("episode_opened_on", nullable=True),
        _text("open_reminder"),
        _text("quarantined"),
    )
    _create(
        "balances",
        _key("account"),
        _key("currency"),
        _minor("open_minor"),
        _minor("credit_minor"),
    )
    _create(
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
        sa.Column("payment_terms_days", sa.Integer, nullable=True),
        _text("plan"),
        _text("responsible"),
        _text("contacts_json"),
    )
    _create(
        "holds",
        _key("account"),
        _key("hold"),
        _text("hold_kind"),
        _id("item"),
        _text("reason"),
        _text("author"),
        _day("until_on", nullable=True),
        _day("review_on", nullable=True),
        _text("placed_at"),
    )


def _create_rows_of_items_and_money() -> None:
    _create(
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
        _day("sent_level_on", nullable=True),
        _day("pay_by_on", nullable=True),
        _flag("plan_finished"),
    )
    _create(
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
        _day("ended_on", nullable=True),
    )
    _create(
        "applications",
        _key("account"),
        _key("application"),
        _id("credit"),
        _id("item"),
        _minor("amount_minor"),
        _day("applied_on"),
        _flag("automatic"),
    )


def _create_rows_of_companies() -> None:
    _create(
        "companies",
        _key("company"),
        _big("version"),
        _text("name"),
        _text("time_zone"),
        _text("currency"),
        _text("language"),
        _text("profile_json"),
    )
    _create(
        "plans",
        _key("company"),
        _key("plan_key"),
        _id("plan"),
        _big("version"),
        _text("name"),
        _text("plan_json"),
    )


def _create_movements() -> None:
    _create(
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
        _day("due_on", nullable=True),
        _text("cause"),
        _big("record_offset"),
    )


def _create_reminders() -> None:
    _create(
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
    )
    _create(
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
        _day("step_due_on", nullable=True),
        _text("plan"),
        _big("plan_version"),
    )
    _create(
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


def _create_decisions() -> None:
    _create(
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
    )
    _create(
        "reminder_ends",
        _key("reminder"),
        _id("account"),
        _instant("tick"),
        _text("status"),
        _day("ended_on"),
    )
    _create(
        "consumed_steps",
        _key("account"),
        _key("item"),
        _key("step"),
        _key("reminder"),
        _day("consumed_on"),
    )
    _create(
        "withheld",
        _key("account"),
        _key("id"),
        _key("item"),
        _key("step"),
        _id("company"),
        _instant("tick"),
        _text("reason"),
        _big("decision_version"),
        _day("step_due_on", nullable=True),
        _day("until_on", nullable=True),
        _text("values_json"),
    )
    _create(
        "decisions",
        _key("account"),
        _key("id"),
        _text("kind"),
        _id("reminder"),
        _id("item"),
        _text("detail_json"),
    )
    _create(
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
    )


def _create_indexes() -> None:
    op.create_index("ix_items_company_item", "items", ["company", "item"])
    op.create_index("ix_credits_company_credit", "credits", ["company", "credit"])
    op.create_index("ix_reminders_tick", "reminders", ["tick"])
    op.create_index("ix_reminders_account", "reminders", ["account"])
    op.create_index("ix_withheld_tick", "withheld", ["tick"])
    op.create_index("ix_exceptions_recorded_at", "exceptions", ["recorded_at"])


def _key_text() -> Any:
    # Compared by bytes in both databases; C is PostgreSQL's name for that.
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _key(name: str, kind: Any = None) -> sa.Column[Any]:
    return sa.Column(name, kind or _key_text(), nullable=False, info={"key": True}, autoincrement=False)


def _id(name: str) -> sa.Column[Any]:
    return sa.Column(name, _key_text(), nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _minor(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _big(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _day(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Date, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create(name: str, *columns: sa.Column[Any]) -> None:
    keys = [column.name for column in columns if column.info.get("key")]
    op.create_table(
        name, *columns, sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"), sqlite_with_rowid=False
    )
