"""How report tests fill the read model: facts in a few words, projected as the projector does."""

import datetime
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine

from infra.database.engine import writing
from infra.projection.batch import Batch
from infra.projection.facts import project_fact, project_outcome
from infra.projection.rows import project_row
from schemas.codec import encode, type_of
from schemas.commands import ConfigureCompany
from schemas.envelope import Envelope, to_headers
from schemas.events import Contact, CustomerUpserted
from schemas.facts import (
    Delivery,
    LedgerFact,
    Movement,
    Reason,
    ReminderDecided,
    ReminderEnded,
    ReminderItem,
    ReminderWithheld,
    Total,
    Withheld,
)
from schemas.fields import Channel, split_account_id
from schemas.outcomes import DeliveryStatus, OutcomeReported
from schemas.rows import CompanyRow, CustomerRow, Row, RowKey, encode_key, encode_row

__all__ = ["Filled", "day"]


def day(text: str) -> datetime.date:
    """Read 'MM-DD' of 2026."""
    return datetime.date.fromisoformat(f"2026-{text}")


class Filled:
    """A read model that tests add to, in log order; each call is one record."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._offset = 0

    def moves(self, account: str, said: Iterable[tuple[Any, ...]], *, currency: str = "USD") -> None:
        """Add movements: (day, kind, amount in minor units, item or 'credit:<id>'[, due day])."""
        for on, kind, amount_minor, of, *due in said:
            is_credit = of.startswith("credit:")
            self.fact(
                Movement(
                    id=f"{account}/{self._offset}",
                    account=account,
                    currency=currency,
                    kind=kind,
                    amount_minor=amount_minor,
                    business_date=day(on),
                    cause="told",
                    item="" if is_credit else of,
                    credit=of.removeprefix("credit:") if is_credit else "",
                    due_on=day(due[0]) if due else None,
                )
            )

    def applied(
        self, account: str, said: Iterable[tuple[str, str, str, int]], *, currency: str = "USD"
    ) -> None:
        """Add what credits settle: (day, item, credit, amount in minor units), each a pair of movements."""
        for on, item, credit, amount_minor in said:
            for is_item in (True, False):
                self.fact(
                    Movement(
                        id=f"{account}/{self._offset}",
                        account=account,
                        currency=currency,
                        kind="applied",
                        amount_minor=-amount_minor,
                        business_date=day(on),
                        cause="told",
                        item=item if is_item else "",
                        credit="" if is_item else credit,
                        counterpart=credit if is_item else item,
                    )
                )

    def customer(self, account: str, name: str) -> None:
        """Add a customer's name."""
        company, customer = split_account_id(account)
        said = CustomerUpserted(company=company, customer=customer, occurred_at="2026-01-01", name=name)
        self.row(RowKey("customer", account, ""), CustomerRow(account=account, customer=said))

    def company(self, company: str, zone: str) -> None:
        """Add a company with its zone."""
        profile = ConfigureCompany(
            company=company,
            occurred_at="2026-01-01",
            command="c",
            name=company,
            time_zone=zone,
            currency="USD",
        )
        self.row(RowKey("company", company, ""), CompanyRow(company=company, profile=profile))

    def reminder(
        self,
        account: str,
        *,
        name: str,
        tick: datetime.datetime,
        step: str,
        items: str,
        channels: tuple[Channel, ...],
    ) -> None:
        """Add a decided reminder for items 'I1 I2' of 10.00 each."""
        company, customer = split_account_id(account)
        listed = tuple(
            ReminderItem(
                item=item,
                currency="USD",
                amount_minor=1000,
                open_minor=1000,
                issued_on=day("01-01"),
                due_on=day("01-31"),
                days_overdue=1,
                step=step,
                step_index=0,
            )
            for item in items.split()
        )
        self.fact(
            ReminderDecided(
                id=name,
                account=account,
                company=company,
                customer=customer,
                tick=tick,
                mode="played",
                decision_version=1,
                step=step,
                offset_days=1,
                template=step,
                language="en",
                items=listed,
                totals=(Total(currency="USD", amount_minor=1000 * len(listed)),),
                deliveries=tuple(
                    Delivery(channel=channel, not_before=tick, contact=Contact()) for channel in channels
                ),
                pay_by_on=tick.date(),
                company_name=company,
                customer_name=customer,
            )
        )

    def ended(self, account: str, *, reminder: str, tick: datetime.datetime, status: Any) -> None:
        """Add a reminder's fate."""
        self.fact(
            ReminderEnded(
                id=f"end-{reminder}",
                account=account,
                reminder=reminder,
                tick=tick,
                status=status,
                on=tick.date(),
            )
        )

    def withheld(
        self, account: str, *, name: str, tick: datetime.datetime, step: str, reasons: dict[str, Reason]
    ) -> None:
        """Add a no: item -> reason."""
        items = tuple(Withheld(item=item, step=step, reason=reason) for item, reason in reasons.items())
        self.fact(ReminderWithheld(id=name, account=account, tick=tick, decision_version=1, items=items))

    def outcome(
        self, account: str, *, reminder: str, channel: Channel, status: DeliveryStatus, error: Any = ""
    ) -> None:
        """Add what a notifier reported of a delivery."""
        company, customer = split_account_id(account)
        said = OutcomeReported(
            company=company,
            customer=customer,
            occurred_at="2026-02-01T09:00:00Z",
            reminder=reminder,
            channel=channel,
            status=status,
            error_type=error,
        )
        headers = to_headers(Envelope(id=str(self._offset), source="/test", type=type_of(said)))
        batch = Batch()
        project_outcome(batch, headers=headers, value=encode(said), partition=0, offset=self._offset)
        self._apply(batch)

    def fact(self, fact: LedgerFact) -> None:
        """Add a fact."""
        batch = Batch()
        recorded_at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        project_fact(batch, value=encode(fact), offset=self._offset, recorded_at=recorded_at)
        self._apply(batch)

    def row(self, key: RowKey, row: Row) -> None:
        """Add a row of state."""
        batch = Batch()
        project_row(batch, key=encode_key(key), value=encode_row(row), partition=0)
        self._apply(batch)

    def _apply(self, batch: Batch) -> None:
        self._offset += 1
        with writing(self._engine) as connection:
            batch.apply(connection)
