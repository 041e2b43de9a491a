"""Whether what we know is new enough: lagging sources (DESIGN 3.7), banks that are not reconciled (R21)."""

from processors.circumstances import Case, Verdict

__all__ = ["bank_gate", "source_lag"]


def source_lag(case: Case) -> Verdict | None:
    """Withhold while sources lag (DESIGN 3.7): what they hold may be the payment."""
    lagging = case.at.tick.lagging
    return Verdict("source_lag", None, {"topics": ", ".join(lagging)}) if lagging else None


def bank_gate(case: Case) -> Verdict | None:
    """Withhold while a required bank account is behind, or an unmatched credit may be this customer's (R21)."""
    at = case.at
    stale = at.stale_banks()
    if stale:
        values = {name: "" if through is None else through.isoformat() for name, through in stale.items()}
        return Verdict("bank_gate", None, values)
    lines = at.bank_lines()
    if not lines:
        return None
    return Verdict(
        "bank_gate",
        max(row.until for row in lines),
        {"lines": ", ".join(row.id for row in lines[:_LINES_SHOWN])},
    )


_LINES_SHOWN = 5
