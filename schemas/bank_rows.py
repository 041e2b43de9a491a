"""What is kept of a company's banks, in each partition (R21)."""

import datetime

from schemas.bank import BankLineUnmatched
from schemas.commands import OverrideBankGate
from schemas.row import StateRow

__all__ = ["BankAlertRow", "BankLineRow", "BankRow", "GateOverrideRow"]


class BankRow(StateRow, kw_only=True, tag="bank"):
    """How far a bank account of a company is reconciled (R21): the latest word."""

    company: str
    bank_account: str
    through: str


class BankAlertRow(StateRow, kw_only=True, tag="bank_alert"):
    """The last company day on which this partition told people that a bank account is not reconciled (R21)."""

    company: str
    bank_account: str
    on: datetime.date


class BankLineRow(StateRow, kw_only=True, tag="bank_line"):
    """A bank credit that nobody had matched (R21); it holds reminders before ``until``, while it is not ``matched``.

    Without ``line`` it was matched before it came.
    """

    company: str
    id: str
    line: BankLineUnmatched | None = None
    received_on: datetime.date
    until: datetime.date
    matched: bool = False


class GateOverrideRow(StateRow, kw_only=True, tag="gate_override"):
    """A person's word that the bank gate does not count on a day."""

    company: str
    override: OverrideBankGate
