"""What an earlier reminder says: it is open, or its step has failed (R19)."""

from processors.circumstances import Case, Verdict, failed_until

__all__ = ["failed", "reminder_open"]


def reminder_open(case: Case) -> Verdict | None:
    """Withhold while a reminder of the account is open (R19)."""
    reminder = case.at.account.row.open_reminder
    return Verdict("reminder_open", None, {"reminder": reminder}) if reminder else None


def failed(case: Case) -> Verdict | None:
    """Withhold a step that failed on all channels, for the gap (R19)."""
    row, failed_on = case.at.account.row, case.item.failed_on
    if failed_on is None or row.failed_on is None:
        return None
    until = failed_until(failed_on, company=case.at.company)
    if case.at.day >= until:
        return None
    return Verdict(
        "failed", until, {"failed_on": failed_on.isoformat(), "channels": ", ".join(row.failed_channels)}
    )
