"""Letters that were left out of their print runs: seen with why, printed again or given up, never both (R19)."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from console.web.inside.showing import LANGUAGES, words_of
from infra.database.feedback import FeedbackInbox
from infra.database.print_runs import PrintRuns
from tests.console.inside.desk import Desk
from tests.console.inside.forms import forms_of
from tests.console.inside.test_reminders import STORY
from tests.notifiers.paper.printing import closer, letter, printing

LIST = "/letters"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an approver at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("bea", role="approver")


def damaged(desk: Desk, *names: str, whole: str = "whole", account: str = "acme:C2") -> dict[str, bytes]:
    """Close a run after the files of letters have gone from the spool; give these files, by reminder."""
    folder = desk.folder / "print-runs"
    carrier = printing(desk.engine, folder)
    for name in (whole, *names) if whole else names:
        carrier.send(letter(name, account=account))
    gone = {}
    for name in names:
        file = spooled(desk, name, account=account)
        gone[name] = file.read_bytes()
        file.unlink()
    if whole:
        closer(desk.engine, folder).close()
    return gone


def spooled(desk: Desk, name: str, *, account: str = "acme:C2") -> Path:
    """Say where a letter waits for its run."""
    company, _, customer = account.partition(":")
    return desk.folder / "print-runs" / "spool" / company / f"{customer}-first-{name}.pdf"


def waiting(desk: Desk) -> list[str]:
    """List the reminders whose letters wait for a person."""
    return [each.reminder for each in PrintRuns(desk.engine).left_out()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_which_letter_was_not_printed_and_why(desk: Desk, language: str) -> None:
    """With its customer, its place, the file that is damaged, and the way to the message."""
    desk.at_work("ana", role="collector", language=language)
    words = words_of(language)["letters"]
    assert words["nothing"] in desk.browser.get(LIST).text
    damaged(desk, "r2")
    text = desk.browser.get(LIST).text
    for said in (
        words["title"],
        words["why"],
        'href="/customers/acme%3AC2"',
        "acme-000001/000002",
        "C2-first-r2.pdf",
    ):
        assert said in text
    assert words["nothing"] not in text
    assert f'href="{LIST}" aria-current="page"' in text


def test_a_letter_is_printed_again_once_its_file_is_back(desk: Desk) -> None:
    """A collector may: before that the page says what to do; a second click is no second letter; the audit has who."""
    gone = damaged(desk, "r2")
    desk.at_work("ana", role="collector")
    refused = desk.submit(LIST, "/again")
    assert (422, True) == (refused.status_code, "Put the file back from a copy" in refused.text)
    spooled(desk, "r2").write_bytes(gone["r2"])
    (form,) = (each for each in forms_of(desk.browser.get(LIST).text) if each.action.endswith("/again"))
    for _ in range(2):
        done = desk.browser.post(form.action, data=form.sent())
        assert 303 == done.status_code
        assert "at acme-000002/000001" in desk.browser.get(done.headers["location"]).text
    assert [] == waiting(desk)
    assert ["closed"] == [each.state for each in closer(desk.engine, desk.folder / "print-runs").close()]
    noted = desk.people.entries(act="letter.again", limit=9)
    assert {("ana", "acme:C2", "r2 acme-000001/000002")} == {
        (each.user, each.account, each.detail) for each in noted
    }


def test_a_letter_is_given_up_by_an_approver_with_a_reason(desk: Desk) -> None:
    """There is no copy: the next channel has its turn, once; the reason stands with the delivery and in the audit."""
    damaged(desk, "r2")
    assert 422 == desk.submit(LIST, "/give-up", because=" ").status_code
    assert ["r2"] == waiting(desk)
    (form,) = (each for each in forms_of(desk.browser.get(LIST).text) if each.action.endswith("/give-up"))
    for _ in range(2):
        done = desk.browser.post(form.action, data=form.sent() | {"because": "no copy"})
        assert 303 == done.status_code
        assert "the letter has failed" in desk.browser.get(done.headers["location"]).text
    assert [] == waiting(desk)
    (line,) = FeedbackInbox(desk.engine).lines(state="", source="", lines_max=9)
    assert ("r2", "letter", "failed", "no copy") == (
        line.word.reminder,
        line.word.channel,
        line.word.said,
        line.word.detail,
    )
    assert "r2 acme-000001/000002: no copy" == desk.people.entries(act="letter.give_up", limit=1)[0].detail
    damaged(desk, "r3", whole="whole2")
    desk.at_work("ana", role="collector")
    assert "/give-up" not in desk.browser.get(LIST).text


def test_of_two_people_at_one_letter_the_second_is_told(desk: Desk) -> None:
    """One has it printed again while the other gives it up: nobody is written to twice."""
    gone = damaged(desk, "r2")
    forms = {each.action: each for each in forms_of(desk.browser.get(LIST).text)}
    spooled(desk, "r2").write_bytes(gone["r2"])
    again, given_up = forms[f"{LIST}/again"], forms[f"{LIST}/give-up"]
    assert 303 == desk.browser.post(again.action, data=again.sent()).status_code
    late = desk.browser.post(given_up.action, data=given_up.sent() | {"because": "no copy"})
    assert (422, True) == (late.status_code, "somebody was first" in late.text)
    assert {} == FeedbackInbox(desk.engine).counts()


def test_a_form_that_is_sent_again_for_another_letter_is_no_second_click(desk: Desk) -> None:
    """What somebody else did with that other letter is told, not taken for one's own; the audit has both."""
    damaged(desk, "r2")
    damaged(desk, "r3", whole="whole2")
    form = next(each for each in forms_of(desk.browser.get(LIST).text) if each.action.endswith("/give-up"))
    said = form.sent() | {"because": "no copy"}
    assert 303 == desk.browser.post(form.action, data=said | {"reminder": "r2"}).status_code
    desk.employ("eve", role="approver")
    browser = desk.another_browser()
    desk.log_in("eve", browser=browser)
    hers = next(each for each in forms_of(browser.get(LIST).text) if each.action.endswith("/give-up"))
    assert 303 == browser.post(hers.action, data=hers.sent() | {"because": "burnt"}).status_code
    late = desk.browser.post(form.action, data=said | {"reminder": "r3"})
    assert (422, True) == (late.status_code, "somebody was first" in late.text)
    noted = desk.people.entries(act="letter.give_up", user="bea", limit=9)
    assert {"r2", "r3"} == {each.detail.partition(" ")[0] for each in noted}


def test_a_damaged_letter_of_a_run_that_waits_can_be_given_up(desk: Desk) -> None:
    """Nothing of the run is there: the page says where it looked. It takes a letter that is known to have no copy, and no whole one."""
    folder = desk.folder / "print-runs"
    gone = damaged(desk, "r2", "r3", whole="")
    PrintRuns(desk.engine).close(now=desk.now)
    printing(desk.engine, folder).tend()
    text = desk.browser.get(LIST).text
    assert words_of("en")["letters"]["waiting"] in text
    assert "Letter r3 of run acme-000001 is not in" in text
    refused = desk.submit(LIST, "/give-up", reminder="r2", because="no copy")
    assert (422, True) == (refused.status_code, f"Nothing of run acme-000001 is in {folder}" in refused.text)
    assert ({}, []) == (FeedbackInbox(desk.engine).counts(), waiting(desk))
    spooled(desk, "r2").write_bytes(b"")
    done = desk.submit(LIST, "/give-up", reminder="r2", because="no copy")
    assert 303 == done.status_code
    spooled(desk, "r3").write_bytes(gone["r3"])
    refused = desk.submit(LIST, "/give-up", reminder="r3", because="it is there")
    assert (422, True) == (refused.status_code, "its file is whole" in refused.text)
    assert 404 == desk.submit(LIST, "/give-up", reminder="nobody", because="x").status_code
    assert {"waiting": 1} == FeedbackInbox(desk.engine).counts()


def test_who_sees_one_company_sees_its_letters_only(desk: Desk) -> None:
    """Of another company's letters and runs nothing is told, and nothing is done."""
    damaged(desk, "r2")
    damaged(desk, "b1", "b2", whole="", account="beta:C9")
    PrintRuns(desk.engine).close(now=desk.now)
    printing(desk.engine, desk.folder / "print-runs").tend()
    assert "beta-000001" in desk.browser.get(LIST).text
    desk.at_work("eve", role="approver", companies=("acme",))
    text = desk.browser.get(LIST).text
    assert ("acme-000001" in text, "beta" in text) == (True, False)
    desk.at_work("zoe", role="approver", companies=("beta",))
    text = desk.browser.get(LIST).text
    assert ("acme" in text, "beta-000001" in text) == (False, True)
    own = next(each for each in forms_of(text) if each.action.endswith("/give-up")).sent()
    for action in ("again", "give-up"):
        data = own | {"reminder": "r2", "because": "x"}
        assert 404 == desk.browser.post(f"{LIST}/{action}", data=data).status_code
    assert ["r2"] == waiting(desk)
