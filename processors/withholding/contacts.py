"""How often an account may be written to: the minimum gap (R5)."""

import datetime

from processors.circumstances import Case, Verdict

__all__ = ["gap"]


def gap(case: Case) -> Verdict | None:
    """Withhold until the minimum days between contacts have passed (R5)."""
    last_on = case.at.account.row.last_contact_on
    min_days = case.at.company.profile.min_days_between_contacts
    if last_on is None:
        return None
    until = last_on + datetime.timedelta(days=min_days)
    if case.at.day >= until:
        return None
    return Verdict("gap", until, {"last_contact_on": last_on.isoformat(), "min_days": str(min_days)})
