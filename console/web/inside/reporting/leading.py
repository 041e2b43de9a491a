"""Where a cell of a report leads inside the console."""

from urllib.parse import quote, urlencode

__all__ = ["to_customer", "to_document", "to_report"]


def to_customer(account: str) -> str:
    """Give the path of a customer's page."""
    return f"/customers/{quote(account, safe='')}"


def to_document(account: str, name: str, *, is_credit: bool) -> str:
    """Give the path of the page of a customer's document, or of money or a note (``payment/P-1``)."""
    kind = "credit" if is_credit else "document"
    return f"{to_customer(account)}/{kind}?{urlencode({kind: name})}"


def to_report(report: str, **asked: str) -> str:
    """Give the path of a report with filters."""
    return f"/reports/{report}?{urlencode(asked)}"
