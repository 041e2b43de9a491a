"""What people asked about an account: the customer's log, newest first (S1-12, S2-19)."""

from typing import Any, Final

from msgspec import Struct, json
from sqlalchemy import Connection, select

from infra.database.tables import exceptions, requests

__all__ = ["Request", "has_request", "refusal_of", "refusal_of_document", "requests_of"]

# What the ledger names a refused request by: what it would have made, or the request itself. Each of these names
# ends with the request's own id; a refused ruling, withdrawal or cancelling is never named by what it speaks of.
_REFUSED_AS: Final = ("command", "promise", "dispute", "payment_plan", "payment_change", "transfer")


class Request(Struct, frozen=True, kw_only=True):
    """A command that the ledger has folded; ``said`` is its content by field."""

    request: str
    request_type: str
    occurred_at: str
    author: str
    said: dict[str, Any]


def requests_of(connection: Connection, *, account: str, limit: int, skip: int = 0) -> list[Request]:
    """List the newest requests of an account, without the first ``skip`` of them."""
    query = (
        select(requests)
        .where(requests.c["account"] == account)
        .order_by(requests.c["occurred_at"].desc(), requests.c["request"])
        .offset(skip)
        .limit(limit)
    )
    return [
        Request(
            request=row["request"],
            request_type=row["request_type"],
            occurred_at=row["occurred_at"],
            author=row["author"],
            said=json.decode(row["request_json"]),
        )
        for row in connection.execute(query).mappings()
    ]


def has_request(connection: Connection, *, account: str, request: str) -> bool:
    """Say whether the ledger has folded a request, as far as the read model knows."""
    found = select(requests.c["request"]).where(
        requests.c["account"] == account, requests.c["request"] == request
    )
    return connection.execute(found).first() is not None


def refusal_of(connection: Connection, *, account: str, request: str) -> str:
    """Give why the ledger refused a request about an account; '' where it has not, as far as the read model knows."""
    return _refused(connection, account=account, keys=[f"{kind}/{request}" for kind in _REFUSED_AS])


def refusal_of_document(connection: Connection, *, account: str, key: str) -> str:
    """Give why the ledger left a document out that it does not have (``payment/ID``); '' where it has refused none so named."""
    return _refused(connection, account=account, keys=[key])


def _refused(connection: Connection, *, account: str, keys: list[str]) -> str:
    found = (
        select(exceptions.c["detail"])
        .where(exceptions.c["key"].in_(keys), exceptions.c["account"] == account)
        .order_by(exceptions.c["recorded_at"].desc())
        .limit(1)
    )
    return str(connection.execute(found).scalar() or "")
