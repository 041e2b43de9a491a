"""The cache of live accounts: who stays, and who is let go."""

from processors.account import Account
from processors.account_cache import AccountCache, RowsBudget
from schemas.events import InvoiceCancelled
from schemas.rows import SeenRow

CANCELLED = InvoiceCancelled(company="acme", customer="C", occurred_at="2026-01-01", document="I")


def account(name: str, *, rows: int) -> Account:
    live = Account(name)
    for number in range(rows):
        live.seen[str(number)] = SeenRow(account=name, key=str(number), event=CANCELLED)
    return live


def test_who_is_asked_for_stays() -> None:
    """Of many accounts that come once, the one that is asked for again and again is still live."""
    cache = AccountCache(RowsBudget(rows_max=100))
    regular = account("acme:regular", rows=1)
    cache.put("acme:regular", regular)
    for number in range(500):
        cache.put(f"acme:{number}", account(f"acme:{number}", rows=1))
        assert cache.get("acme:regular") is regular
        cache.grow(1)
    assert cache.get("acme:0") is None
    assert cache.let_go > 300


def test_memory_is_bounded() -> None:
    """However many accounts come, no more rows are live than the limit and a step's worth."""
    cache = AccountCache(RowsBudget(rows_max=100))
    for number in range(500):
        cache.put(f"acme:{number}", account(f"acme:{number}", rows=4))
        cache.grow(4)
    live = [name for name in (f"acme:{number}" for number in range(500)) if cache.get(name) is not None]
    assert 0 < len(live) <= 100 // 5 + 1


def test_rows_that_are_written_again_do_not_drive_anyone_out() -> None:
    """One account with many events has no more rows for it."""
    cache = AccountCache(RowsBudget(rows_max=100))
    for name in ("acme:busy", "acme:quiet"):
        cache.put(name, account(name, rows=1))
    for _ in range(1000):
        cache.grow(10)
    assert None not in (cache.get("acme:quiet"), cache.get("acme:busy"))


def test_a_very_large_account_leaves_the_others_where_they_are() -> None:
    """An account above the whole limit is live while it is used, and so are its neighbours."""
    cache = AccountCache(RowsBudget(rows_max=100))
    cache.put("acme:large", account("acme:large", rows=1000))
    cache.put("acme:small", account("acme:small", rows=1))
    for _ in range(20):
        cache.grow(1)
    assert None not in (cache.get("acme:large"), cache.get("acme:small"))
