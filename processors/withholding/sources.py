"""Whether what we know is new enough: lagging sources (DESIGN 3.7)."""

from processors.circumstances import Case, Verdict

__all__ = ["source_lag"]


def source_lag(case: Case) -> Verdict | None:
    """Withhold while sources lag (DESIGN 3.7): what they hold may be the payment."""
    lagging = case.at.tick.lagging
    return Verdict("source_lag", None, {"topics": ", ".join(lagging)}) if lagging else None
