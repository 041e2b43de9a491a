"""Where a cell of a report leads inside the console."""

from urllib.parse import quote, urlencode

__all__ = ["to_customer", "to_report"]


def to_customer(account: str) -> str:
    """Give the path of a customer's page."""
    return f"/customers/{quote(account, safe='')}"


def to_report(report: str, **asked: str) -> str:
    """Give the path of a report with filters."""
    return f"/reports/{report}?{urlencode(asked)}"
