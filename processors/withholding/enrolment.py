"""What is not handled at all yet: start dates (S4-03, S4-04)."""

from processors.circumstances import Case, Verdict, is_before_start

__all__ = ["before_start"]


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
