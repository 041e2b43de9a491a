"""Many facts and rows written in one buffer are what each is alone."""

from msgspec import Raw

from schemas.codec import encode, encode_all
from schemas.commands import AddNote
from schemas.facts import ExceptionRaised, PlanFinished
from schemas.journal import JournalEntry, encode_entries, encode_entry
from schemas.rows import AccountRow, HoldRow, RowKey, encode_key, encode_keys, encode_row, encode_rows


def _exception(first: bytes) -> ExceptionRaised:
    return ExceptionRaised(id="a:b/1", account="a:b", reason="conflict", key="item/I\n1", first=Raw(first))


def test_facts_are_written_as_each_alone() -> None:
    """Line breaks in texts are escaped; those of a content that is carried as it came part nothing."""
    plain = PlanFinished(id="a:b/2", account="a:b", item="I\n1", plan="p", plan_version=1)
    for facts in ([], [plain], [_exception(b'{"a":1}'), plain], [plain, _exception(b'{"a":\n1}'), plain]):
        assert [encode(fact) for fact in facts] == encode_all(facts)


def test_entries_of_the_journal_are_written_as_each_alone() -> None:
    """Line breaks of notes are escaped, and part nothing."""
    note = AddNote(company="a", customer="b", occurred_at="2026-01-05", command="n", text="x\ny")
    entries = [JournalEntry(note, "e\n1", "desk"), JournalEntry(note, "e2", "desk")]
    assert [encode_entry(entry) for entry in entries] == encode_entries(entries)
    assert [] == encode_entries([])


def test_rows_are_written_as_each_alone_and_a_tombstone_stays_one() -> None:
    """Also when all of a run are gone."""
    account, hold = AccountRow(account="a:b\n"), HoldRow(account="a:b", hold="blocked", reason="x\ny")
    assert [encode_row(account), None, encode_row(hold), None] == encode_rows([account, None, hold, None])
    assert [encode_row(hold)] == encode_rows([hold])
    assert [None] == encode_rows([None])
    assert [] == encode_rows([])


def test_record_keys_are_written_as_each_alone() -> None:
    """Quotes, line breaks and the character that parts a name in two are in names, and part nothing."""
    keys = [("a:b", "item", "I-1"), ('a:"b"\n', "application", "p/1\x1fI\n2"), ("a:b", "account", "")]
    assert [encode_key(RowKey(kind, owner, name)) for owner, kind, name in keys] == encode_keys(keys)
    assert [] == encode_keys([])
