"""What is written into every link: a fold that gives something else, or rows of another form, have another version (DESIGN 3.9)."""

from infra.settings import Settings
from schemas.row_version import ROW_VERSION, row_digest
from streams.app import stage_spec
from streams.ledger import FOLD_VERSION
from streams.settings import StreamSettings
from tests.chaos.fold_digest import BUSINESS
from tests.streams.fold_samples import made, pinned

# What the rows of each version look like. Rows of another form are another version, or, as long as no
# release has written these, another digest here.
ROWS = {1: "854c0788e16422f158fe4c10"}


def test_what_a_log_gives_is_part_of_the_fold_version() -> None:
    """R26: a replay by one version gives the same facts and rows for ever, whichever feature a log uses.

    What differs here is another ``FOLD_VERSION``; before a release has gone out with this one, pin anew
    in the same commit: ``python -m tests.streams.fold_samples --pin``.
    """
    before, now = pinned(FOLD_VERSION), made()
    assert before, f"nothing is pinned for fold version {FOLD_VERSION}"
    differing = sorted(name for name in now if now[name] != before.get(name))
    assert [] == differing, "raise FOLD_VERSION or, before a release, pin anew"
    assert now.keys() == before.keys() - {BUSINESS}


def test_the_form_of_rows_is_part_of_the_row_version() -> None:
    """A worker refuses rows of a newer version than its own: it would write them back without what it cannot read."""
    assert ROWS[ROW_VERSION] == row_digest(), "raise ROW_VERSION or, before a release, pin anew"


def test_links_say_the_versions_of_the_ledger() -> None:
    """What the ledger's stage is given is what its links say, and what a newer worker's rows are refused by."""
    spec = stage_spec(Settings(), stage="ledger", limits=StreamSettings())
    assert (FOLD_VERSION, ROW_VERSION) == (spec.fold_version, spec.row_version)
