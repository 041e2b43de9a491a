"""Whom nothing is sent to yet: customers not enrolled (S4-01), start dates (S4-03, S4-04), the first run (R36)."""

import datetime

from processors.circumstances import Case, Verdict, is_before_start

__all__ = ["before_start", "daily_portion", "not_enrolled"]


def not_enrolled(case: Case) -> Verdict | None:
    """Withhold from customers who are not among those that the company follows up (S4-01)."""
    if case.at.company.profile.enrolment == "all" or case.at.account.row.enrolled:
        return None
    return Verdict("not_enrolled", None, {"enrolment": "selected"})


def before_start(case: Case) -> Verdict | None:
    """Withhold what the company's start dates leave out (S4-03, S4-04)."""
    if not is_before_start(case.item, company=case.at.company):
        return None
    profile = case.at.company.profile
    return Verdict(
        "before_start",
        None,
        {
            "due_on": case.item.due_on.isoformat(),
            "issued_on": case.item.issued_on.isoformat(),
            "past_from": "" if profile.past_from is None else profile.past_from.isoformat(),
            "new_from": "" if profile.new_from is None else profile.new_from.isoformat(),
        },
    )


def daily_portion(case: Case) -> Verdict | None:
    """Withhold until the day of the first run that has the account in its portion (R36).

    The portions come with the company's own command, as a last oldest due
    date and customer for each day: so each partition knows its part of them
    without the others. Who was contacted since the first day waits no more.
    """
    go_live = case.at.company.row.go_live
    if go_live is None or not go_live.days:
        return None
    first, last = go_live.days[0], go_live.days[-1]
    row = case.at.account.row
    if case.at.day > last.on or (row.last_contact_on is not None and row.last_contact_on >= first.on):
        return None
    rank = (case.at.worst_due_on(), case.at.account.customer_id)
    until = next(
        (each.on for each in go_live.days if rank <= (each.due_on, each.customer)),
        last.on + datetime.timedelta(days=1),
    )
    if case.at.day >= until:
        return None
    return Verdict("daily_portion", until, {"oldest_due_on": rank[0].isoformat()})
