"""What an earlier reminder says: it is open, or its step was dropped or has failed (R19)."""

from processors.circumstances import Case, Verdict, failed_until

__all__ = ["dropped", "failed", "reminder_open"]


def reminder_open(case: Case) -> Verdict | None:
    """Withhold while a reminder of the account is open (R19)."""
    reminder = case.at.account.row.open_reminder
    return Verdict("reminder_open", None, {"reminder": reminder}) if reminder else None


def dropped(case: Case) -> Verdict | None:
    """Withhold a step that a person dropped, for the gap (R19)."""
    dropped_on = case.item.dropped_on
    if dropped_on is None or case.at.account.row.failed_on is None:
        return None
    until = failed_until(dropped_on, company=case.at.company)
    if case.at.day >= until:
        return None
    return Verdict("dropped", until, {"dropped_on": dropped_on.isoformat()})


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
