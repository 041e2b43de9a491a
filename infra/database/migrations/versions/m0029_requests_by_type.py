"""An index of requests by what they ask: what people decided lately, whichever way they said it."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Create it over what is there."""
    op.create_index("ix_requests_request_type", "requests", ["request_type", "occurred_at"])
