"""How often and when an account may be written to: the minimum gap (R5), and the law (section 5)."""

import datetime

from processors.calendar import epoch_s, local_day
from processors.circumstances import Case, Verdict
from processors.kin import last_contact_on
from processors.law.permits import channel_names

__all__ = ["gap", "law"]


def gap(case: Case) -> Verdict | None:
    """Withhold until the minimum days between contacts have passed (R5)."""
    last_on = last_contact_on(case.at.account)
    min_days = case.at.company.profile.min_days_between_contacts
    if last_on is None:
        return None
    until = last_on + datetime.timedelta(days=min_days)
    if case.at.day >= until:
        return None
    return Verdict("gap", until, {"last_contact_on": last_on.isoformat(), "min_days": str(min_days)})


def law(case: Case) -> Verdict | None:
    """Withhold until the law allows one channel of the step (section 5).

    Tasks that contact nobody are allowed at any time; a step that contacts
    someone waits for that.
    """
    if case.rung is None:
        return None
    names = channel_names(case.at.step_deliveries(case.rung, item=case.item))
    if not names:
        return None
    permits, now = case.at.permits(), case.at.tick.at
    allowed_at, channel = min((permits.next_allowed(name, at=now), name) for name in names)
    if allowed_at <= now:
        return None
    until = local_day(allowed_at, case.at.company.zone)
    values = {"profile": permits.profile, "channel": channel, "allowed_at": allowed_at.isoformat()}
    until_s = max(epoch_s(allowed_at), case.at.company.decides_from_s(until))
    return Verdict("law", until, values, until_s)
