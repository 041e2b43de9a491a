"""A statement is read by pages: the newest lines, the documents due first, a group's members; nothing is read whole (S1-23, B-13)."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.console.inside.desk import Desk
from tests.infra.database.rows_read import counting_rows

_DOCUMENTS = "\n".join(f"2026-01-02  invoice INV-{each:03} 10.00 due 2026-02-02 @C1" for each in range(400))
STORY = f"""# a customer with many documents, and shops that belong to it
@C1 customer email ana@c1.test name "Panadería Uno"
{_DOCUMENTS}
"""
SHOPS = "# a head office with many shops\ncustomer @C1 email head@test\n" + "\n".join(
    f"customer @S{each:02} email s{each}@test parent C1\n2026-01-02  invoice I-{each:02} 10.00 due 2026-02-02 @S{each:02}"
    for each in range(30)
)
PAGE = "/customers/acme:C1/statement"


def _lines(text: str) -> list[str]:
    """List the documents of a page's lines, as they stand there."""
    table = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r">(INV-\d+)</a>", table)


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with a collector at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("ana")


def test_the_newest_lines_come_first_and_the_older_ones_by_pages(desk: Desk) -> None:
    """The balance after each line is the account's, on whichever page it stands; the first page has the closing one."""
    first, last = desk.browser.get(PAGE).text, desk.browser.get(f"{PAGE}?page=4").text
    assert [f"INV-{each:03}" for each in range(300, 400)] == _lines(first)
    assert [f"INV-{each:03}" for each in range(100)] == _lines(last)
    assert "$4,000.00" in first
    assert "Balance before" not in first
    assert "Balance before" in last
    assert "Page 1 of 4" in first
    assert 'rel="next"' not in last
    assert "400 lines, 100 on a page" in first


def test_a_page_reads_its_own_lines_only(desk: Desk) -> None:
    """Issue 7: pages never load everything; of 400 lines and 400 open documents a page reads a hundred or two of each."""
    desk.browser.get(PAGE)
    for address in (PAGE, f"{PAGE}?page=3", "/reports/statement?account=acme:C1"):
        with counting_rows() as read:
            assert 200 == desk.browser.get(address).status_code
        assert read.count < 450, (address, read.count)


def test_a_group_is_read_by_its_members(sqlite_engine: Engine, tmp_path: Path) -> None:
    """B-13: twenty members a page; the group's balance is of all of them."""
    desk = Desk(sqlite_engine, tmp_path, SHOPS).at_work("ana")
    first = desk.browser.get(f"{PAGE}?group=true").text
    last = desk.browser.get(f"{PAGE}?group=true&page=2").text
    assert (20, 11) == tuple(len(re.findall(r"<h2><a href", text)) for text in (first, last))
    for text in (first, last):
        assert "$300.00" in text
    assert "Page 2 of 2" in last
