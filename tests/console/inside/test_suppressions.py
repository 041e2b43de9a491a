"""Addresses that are not written to: found with why and for whom, put on the list and taken off with a reason (R19)."""

import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.database.engine import reading, writing
from infra.database.suppressions import Suppression, suppress, suppressed
from infra.database.tables import open_tasks
from schemas.commands import CompleteTask
from schemas.fields import Channel
from tests.console.inside.desk import Desk
from tests.console.inside.forms import forms_of
from tests.console.inside.test_reminders import STORY, job_of

LIST = "/suppressions"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an approver at it; Ben's mail came back for good, for all companies."""
    desk = Desk(sqlite_engine, tmp_path, STORY)
    job_of(desk, "acme:C2", state="failed", recipient="ben@c2.test")
    put(desk, "ben@c2.test", reason="address_bounced", source="ses")
    return desk.at_work("bea", role="approver")


def put(desk: Desk, address: str, *, company: str = "", reason: str = "by hand", source: str = "bea") -> None:
    """Put a mail address on the list."""
    entry = Suppression(
        channel="email",
        address=address,
        company=company,
        reason=reason,
        source=source,
        since=desk.now - datetime.timedelta(days=1),
        detail="550 no such user",
    )
    with writing(desk.engine) as connection:
        suppress(connection, entry)


def listed(
    desk: Desk, address: str, *, channel: Channel = "email", company: str = "acme"
) -> Suppression | None:
    """Give what keeps a company from writing to an address."""
    with reading(desk.engine) as connection:
        return suppressed(connection, channel=channel, address=address, company=company)


def test_the_list_says_why_since_when_and_for_which_customers(desk: Desk) -> None:
    """S4-21: who looks at an error finds what follows from it."""
    text = desk.browser.get(LIST).text
    for said in ("ben@c2.test", "550 no such user", "ses", "all companies", 'href="/customers/acme%3AC2"'):
        assert said in text
    assert "ben@c2.test" in desk.browser.get(f"{LIST}?search=BEN@").text
    assert "ben@c2.test" not in desk.browser.get(f"{LIST}?search=ana").text
    assert "ben@c2.test" not in desk.browser.get(f"{LIST}?channel=sms").text


def test_viewers_see_no_address_and_guess_none(desk: Desk) -> None:
    """PII is masked; a search that finds by address would tell it letter by letter."""
    desk.at_work("vic", role="viewer")
    text = desk.browser.get(f"{LIST}?search=zz").text
    assert "ben@c2.test" not in text
    assert "b•n@c2.test" in text
    assert "550" not in text
    assert [] == forms_of(text.partition("<main")[2])


def test_an_address_is_put_on_the_list_with_a_reason(desk: Desk) -> None:
    """By hand, as `cobranza suppressions add` does it; who and why stand in the audit. Twice is once."""
    desk.at_work("ana", role="collector")
    fields = {"channel": "sms", "address": "+56 9 1111", "company": "acme", "reason": "asked us by phone"}
    done = desk.submit(LIST, LIST, **fields)
    assert "Done: nothing is sent there any more." in desk.browser.get(done.headers["location"]).text
    entry = listed(desk, "+5691111", channel="sms")
    assert entry is not None
    assert ("asked us by phone", "ana") == (entry.reason, entry.source)
    again = desk.submit(LIST, LIST, **fields)
    assert "on the list already" in desk.browser.get(again.headers["location"]).text
    noted = desk.people.entries(act="console.suppression.add", limit=9)
    assert {("ana", "acme", "sms +56 9 1111: asked us by phone")} == {
        (each.user, each.account, each.detail) for each in noted
    }


def test_what_is_no_address_comes_back_with_the_reason_that_was_typed(desk: Desk) -> None:
    """422 at the field."""
    answer = desk.submit(LIST, LIST, channel="sms", address="none", company="acme", reason="asked us")
    assert 422 == answer.status_code
    form = next(each for each in forms_of(answer.text) if each.action == LIST)
    assert (["none"], ["asked us"], ["sms"]) == tuple(
        form.of(name).values for name in ("address", "reason", "channel")
    )


def test_an_approver_takes_an_address_off_a_collector_does_not(desk: Desk) -> None:
    """Writing to it again is the riskier way: it needs a reason, and the role."""
    assert 422 == desk.submit(LIST, "/remove", reason="").status_code
    assert listed(desk, "ben@c2.test") is not None
    done = desk.submit(LIST, "/remove", reason="the mailbox was full")
    assert 303 == done.status_code
    assert listed(desk, "ben@c2.test") is None
    assert "may be written to again" in desk.browser.get(done.headers["location"]).text
    assert "email ben@c2.test: the mailbox was full" == desk.people.entries(limit=1)[0].detail
    put(desk, "ben@c2.test")
    desk.at_work("ana", role="collector")
    assert "/remove" not in desk.browser.get(LIST).text


def test_who_sees_one_company_sees_its_entries_and_those_that_its_customers_are_on(desk: Desk) -> None:
    """Nothing of another company's customers is told; and nobody changes what holds for others."""
    put(desk, "own@beta.test", company="beta")
    put(desk, "other@acme.test", company="acme")
    desk.at_work("eve", role="approver", companies=("acme",))
    text = desk.browser.get(LIST).text
    assert "other@acme.test" in text
    assert "ben@c2.test" in text  # a customer of acme's was written to there
    assert "own@beta.test" not in text
    removals = [each for each in forms_of(text) if each.action.endswith("/remove")]
    assert [["other@acme.test"]] == [each.of("address").values for each in removals]
    hidden = removals[0].sent() | {"reason": "x"}
    for company, address in (("", "ben@c2.test"), ("beta", "own@beta.test"), ("acme", "none@acme.test")):
        data = hidden | {"company": company, "address": address}
        assert 404 == desk.browser.post(f"{LIST}/remove", data=data).status_code
    desk.at_work("zoe", role="approver", companies=("gamma",))
    assert "ben@c2.test" not in desk.browser.get(LIST).text


def test_who_has_mended_it_lets_its_customers_be_written_to_there_again(desk: Desk) -> None:
    """R19: the list is one thing, the account's own mark another: the box ends both; without it the page says whom it leaves."""
    mark = {
        "company": "acme",
        "customer": "C2",
        "task_type": "mend_address",
        "summary": "",
        "responsible": "",
    }
    with writing(desk.engine) as connection:
        connection.execute(
            open_tasks.insert().values(
                account="acme:C2",
                task="address/email",
                opened_on=datetime.date(2026, 2, 3),
                due_on=datetime.date(2026, 2, 3),
                blocking=False,
                items_json="[]",
                **mark,
            )
        )
    left = desk.submit(LIST, "/remove", reason="the mailbox was full")
    assert "These customers hold it for bad" in desk.browser.get(left.headers["location"]).text
    assert [] == desk.asked
    put(desk, "ben@c2.test")
    desk.submit(LIST, "/remove", reason="he says it works", lift="true")
    (ended,) = desk.asked
    assert isinstance(ended, CompleteTask)
    assert ("C2", "address/email", "bea") == (ended.customer, ended.task, ended.author)
    assert listed(desk, "ben@c2.test") is None
