"""What every fact that the ledger says has, so that kinds of facts can live in files of their own."""

from msgspec import Struct

__all__ = ["AccountFact"]


class AccountFact(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="type"):
    """A fact about one account; ``id`` is a function of the log."""

    id: str
    account: str
