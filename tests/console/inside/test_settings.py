"""What an administrator sets: a company's profile, field by field, and its plans, level by level."""

import datetime
import re
from pathlib import Path

import msgspec
import pytest
from httpx import Response
from sqlalchemy import Engine

from console.web.inside.pages.settings import profile
from console.web.inside.pages.settings.profile_fields import SECTIONS
from console.web.inside.pages.settings.ready import MENDED_AT
from console.web.inside.showing import LANGUAGES, words_of
from infra.database.own_text_book import OwnTextBook
from notifiers.writing.shared_texts import SharedTexts
from schemas.commands import ConfigureCompany, MigratePlan, PublishPlan
from tests.console.inside.desk import Desk
from tests.console.inside.forms import forms_of

STORY = """# a company with a plan, and one who owes
company minimum 10.00
plan default
    first      0 email
    second   +15 email
customer email ana@c1.test
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-02-03  tick
    expect reminder first INV-1 by email
"""
PROFILE = "/settings/acme/profile"
PLAN = "/settings/acme/plans/default"


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    """Give a console with an administrator at it."""
    return Desk(sqlite_engine, tmp_path, STORY).at_work("bea", role="administrator")


def test_each_field_of_a_profile_is_in_the_form_once_and_explained() -> None:
    """S4-06, S4-12, S4-18: nothing of a profile needs a file; each field has a label and a help."""
    own = {"company", "occurred_at", "command", "author"}
    shown = [name for names in SECTIONS.values() for name in names]
    assert sorted(set(ConfigureCompany.__struct_fields__) - own) == sorted(shown)
    for language in LANGUAGES:
        words = words_of(language)
        assert set(shown) == set(words["profile_fields"]) == set(words["profile_help"])


def test_one_field_is_changed_and_the_others_stay(desk: Desk) -> None:
    """S4-06: payment instructions; the command is a whole profile, and the audit says which field."""
    answer = desk.submit(PROFILE, "/profile", payment_instructions="RUT 1-9\r\nBanco Uno")
    (event,) = desk.asked
    assert isinstance(event, ConfigureCompany)
    assert ("RUT 1-9\nBanco Uno", {"USD": "10.00"}) == (event.payment_instructions, event.minimums)
    assert "bea" == event.author
    shown = desk.browser.get(answer.headers["location"]).text
    assert "Banco Uno" in shown
    assert "Done." in shown
    (entry,) = desk.people.entries(limit=9)
    assert ("acme", "payment_instructions") == (entry.account, entry.detail)


def test_switches_and_start_dates_are_set(desk: Desk) -> None:
    """S4-01, S4-03, S4-04, S4-12."""
    desk.submit(
        PROFILE,
        "/profile",
        payment_messages="true",
        courtesies="false",
        statements="monthly",
        statement_day="5",
        past_from="2026-01-01",
        enrolment="selected",
    )
    (event,) = desk.asked
    assert isinstance(event, ConfigureCompany)
    assert (True, False, "monthly", 5) == (
        event.payment_messages,
        event.courtesies,
        event.statements,
        event.statement_day,
    )
    assert ("2026-01-01", "selected") == (str(event.past_from), event.enrolment)


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(desk: Desk) -> None:
    """All faults at once, in the user's language; nothing is published."""
    desk.at_work("eva", role="administrator", language="es")
    answer = desk.submit(
        PROFILE, "/profile", decision_hour="25", past_from="ayer", minimums="USD", footer="Nuevo pie"
    )
    assert 422 == answer.status_code
    assert ['id="field-past_from-fault"', 'id="field-decision_hour-fault"', 'id="field-minimums-fault"'] == (
        re.findall(r'id="field-\w+-fault"', answer.text)
    )
    assert "Un número entero, 0–23." in answer.text
    assert 'value="ayer"' in answer.text
    assert "Nuevo pie" in answer.text
    assert [] == desk.asked


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "America/Nowhere"),
        ("currency", "XYZ"),
        ("country", "QQ"),
        ("answers_to", "nobody"),
        ("payment_link", "http://pay.test"),
        ("logo", "../x.png"),
        ("minimums", "USD 1.005"),
        ("bank_accounts", "x" * 65),
        ("name", ""),
        ("footer", "x" * 4001),
    ],
)
def test_what_intake_would_refuse_is_refused_at_its_field(desk: Desk, field: str, value: str) -> None:
    """Errors at the field: what only the rules know, too."""
    answer = desk.submit(PROFILE, "/profile", **{field: value})
    assert 422 == answer.status_code
    assert [field] == re.findall(r'id="field-(\w+)-fault"', answer.text)


def test_who_saves_over_anothers_change_is_told_and_may_insist(desk: Desk) -> None:
    """The revision: both values are shown, what was typed stays, and saving again is on purpose."""
    page = desk.browser.get(PROFILE).text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    other = desk.another_browser()
    desk.employ("carl", role="administrator")
    desk.log_in("carl", browser=other)
    theirs = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', other.get(PROFILE).text)
    )
    other.post(PROFILE, data=theirs | {"footer": "from carl"})
    told = desk.browser.post(PROFILE, data=hidden | {"footer": "from bea"})
    assert 409 == told.status_code
    assert "carl has changed this profile" in told.text
    assert "from carl" in told.text
    assert "from bea" in told.text
    assert 1 == len(desk.asked)
    again = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', told.text))
    assert 303 == desk.browser.post(PROFILE, data=again | {"footer": "from bea"}).status_code
    shown = desk.browser.get(PROFILE).text
    assert "from bea" in shown
    assert "from carl" not in shown


def test_two_saves_in_one_second_of_a_played_journal_stand_in_their_order(desk: Desk) -> None:
    """Times are compared as they are written: a later save is dated later, whatever the clock says."""
    for footer in ("one", "two", "three"):
        desk.submit(PROFILE, "/profile", footer=footer)
    assert "three" in desk.browser.get(PROFILE).text


def test_a_double_click_saves_once(desk: Desk) -> None:
    """The command's id follows from the form."""
    page = desk.browser.get(PROFILE).text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    answers = [desk.browser.post(PROFILE, data=hidden | {"footer": "x"}) for _ in range(2)]
    assert 1 == len({each.headers["location"] for each in answers})
    assert 1 == len(desk.asked)


def test_a_company_that_was_never_configured_begins_with_an_empty_form(desk: Desk) -> None:
    """S4-24: the profile is what everything waits for."""
    assert "/settings/nueva/profile" in desk.browser.get("/settings?company=nueva").headers["location"]
    desk.submit("/settings/nueva/profile", "/profile", name="Nueva SpA", currency="CLP")
    (event,) = desk.asked
    assert isinstance(event, ConfigureCompany)
    assert ("nueva", "Nueva SpA") == (event.company, event.name)
    assert 404 == desk.browser.get("/settings/no such/profile").status_code


def test_levels_are_a_table_beside_the_text(desk: Desk) -> None:
    """S0-22, S3-05: days, channels, by itself or approved, template."""
    desk.at_work("vic", role="viewer")
    text = desk.browser.get(PLAN).text
    assert ["first", "second"] == re.findall(r'<th scope="row">(\w+)</th>', text)
    assert re.search(r'>15<br><span class="small">after the due date<', text)
    assert "offset_days: 15" in text
    assert "<textarea" not in text


def test_a_plan_is_checked_at_the_line_and_published_once_confirmed(desk: Desk) -> None:
    """S0-15, S2-03: faults with their lines; then what differs from the live version; then it is published."""
    good = """id: default
version: 2
steps:
  - name: first
    offset_days: 0
    actions:
      - channel: email
  - name: second
    offset_days: 20
    automatic: false
    actions:
      - channel: letter
"""
    bad = desk.submit(PLAN, "/check", text=good.replace("offset_days: 20", "offset_days: 0"))
    assert 422 == bad.status_code
    assert "Line 9:" in bad.text
    assert "offset_days: 0" in bad.text
    checked = desk.submit(PLAN, "/check", text=good)
    assert "<ins>+   offset_days: 20</ins>" in checked.text
    assert "after approval" in checked.text
    assert [] == desk.asked
    answer = _press(desk, checked.text, "/publish", text=good)
    (event,) = desk.asked
    assert isinstance(event, PublishPlan)
    assert (2, "bea", 20) == (event.plan.version, event.author, event.plan.steps[1].offset_days)
    assert "Done." in desk.browser.get(answer.headers["location"]).text


def test_a_published_version_is_never_written_over(desk: Desk) -> None:
    """R17: somebody published it meanwhile: the next number is said."""
    text = "id: default\nversion: 1\nsteps:\n  - {name: x, offset_days: 0, actions: [{channel: email}]}\n"
    answer = desk.submit(PLAN, "/check", text=text)
    assert 422 == answer.status_code
    assert "the next is 2" in answer.text
    assert "Line 2:" in answer.text


def test_a_new_plan_begins_with_one_that_ships(desk: Desk) -> None:
    """S0-23, S3-06: the sample plan."""
    there = desk.browser.get("/settings/acme/plans?plan=vip&shipped=default").headers["location"]
    text = desk.browser.get(there).text
    assert "id: vip" in text
    assert "courtesy" in text
    assert 404 == desk.browser.get("/settings/acme/plans/other").status_code


def test_documents_that_have_begun_are_moved_after_a_preview(desk: Desk) -> None:
    """R17: what becomes of each, then the command."""
    text = """id: default
version: 2
steps:
  - {name: first, offset_days: 0, actions: [{channel: email}]}
  - {name: harsh, offset_days: 30, actions: [{channel: letter}]}
"""
    _press(desk, desk.submit(PLAN, "/check", text=text).text, "/publish", text=text)
    page = f"{PLAN}/migration?to_version=2"
    offered = desk.browser.get(page).text
    assert "harsh" in offered
    shown = desk.browser.get(desk.submit(page, "/migration").headers["location"]).text
    assert "0 documents would move" in shown  # it was done: found in a browser, where it went on offering it
    event = desk.asked[-1]
    assert isinstance(event, MigratePlan)
    assert ("default", 2, "bea") == (event.plan, event.to_version, event.author)
    # They do not go back: the page says what to do instead, with the old text at hand; who asks all the same is refused.
    back = desk.browser.get(f"{PLAN}/migration?to_version=1").text
    assert "Documents do not go back to version 1." in back
    assert f'href="{PLAN}?version=1"' in back
    assert "Move all of them" not in back
    assert 422 == _press(desk, offered, "/migration", to_version="1", nonce="another").status_code


def test_settings_of_another_company_are_not_there(desk: Desk) -> None:
    """Per-company visibility."""
    desk.at_work("eve", role="administrator", companies=("beta",))
    for path in (PROFILE, PLAN, "/settings/acme", "/settings/acme/plans"):
        assert 404 == desk.browser.get(path).status_code
    assert "acme" not in desk.browser.get("/settings").text


def _press(desk: Desk, shown: str, action: str, **fields: str) -> Response:
    forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', shown, re.DOTALL)
    target, inner = next((path, inner) for path, inner in forms if path.endswith(action))
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inner))
    answer: Response = desk.browser.post(target, data=hidden | fields)
    return answer


def test_what_is_missing_is_said_with_the_way_to_mend_it(desk: Desk) -> None:
    """S4-24: each point in the user's language, a link to where it is mended; nothing is looked at unasked."""
    desk.at_work("eva", role="collector", language="es")
    page = "/settings/acme/ready"
    assert "<table>" not in desk.browser.get(page).text
    text = desk.browser.get(f"{page}?check=true").text
    assert "Ninguna: a nadie se le dice cómo pagar." in text
    assert 'href="/settings/acme/profile#field-payment_instructions"' in text
    assert "Falta: " in text


def test_a_notifier_that_writes_with_other_texts_is_named(desk: Desk) -> None:
    """A text that stands only where the console is: the page names the machine that writes without it, and who is silent is not it."""
    desk.at_work("eva", role="collector", language="pt")
    page = "/settings/acme/ready?check=true"
    own = desk.folder / "templates" / "acme" / "first" / "pt" / "subject.txt"
    own.parent.mkdir(parents=True)
    own.write_text("Fatura em aberto\n")
    assert "Nenhum notificador disse ultimamente" in desk.browser.get(page).text
    there = SharedTexts(OwnTextBook(desk.engine), desk.folder / "elsewhere")
    there.tell("senders-2:/data/templates", at=desk.now)
    assert (
        "senders-2:/data/templates: lá as mensagens são escritas com outros textos"
        in desk.browser.get(page).text
    )
    SharedTexts(OwnTextBook(desk.engine), desk.folder / "templates").share("acme")
    there.bring()
    there.tell("senders-2:/data/templates", at=desk.now)
    assert "Quem escreve mensagens (lugares: 1) os vê como estão aqui." in desk.browser.get(page).text


def test_texts_that_a_disk_does_not_take_are_named(desk: Desk) -> None:
    """What was saved elsewhere does not get into this machine's folder: the page says so in the reader's language, and why."""
    desk.at_work("eva", role="collector", language="pt")
    OwnTextBook(desk.engine).save("acme", {"first/pt/subject.txt": b"Fatura em aberto\n"}, seen=None)
    (desk.folder / "templates").mkdir(exist_ok=True)
    (desk.folder / "templates" / "acme").write_text("a file where the folder should be")
    text = desk.browser.get("/settings/acme/ready?check=true").text
    assert "O que foi salvo não pode ser escrito nesta máquina" in text
    assert "templates/acme" in text


def test_each_sentence_of_readiness_has_words() -> None:
    """No point is told in another language than the page's."""
    source = Path("console/readiness.py").read_text(encoding="utf-8")
    points = set(re.findall(r'_point\(\s*"([^"]+)"', source)) | {"sender", "payment", "mail", "sms", "letter"}
    for language in LANGUAGES:
        words = words_of(language)
        assert points <= set(words["ready_points"])
        for said in words["ready_said"]:
            assert words["ready_said"][said].count("{") == words_of("en")["ready_said"][said].count("{")


def test_a_profile_that_was_written_in_another_zone_is_followed(desk: Desk) -> None:
    """A colleague in Tokyo published half a minute from now, by a clock nine hours ahead: what is saved after it stands."""
    desk.submit(PROFILE, "/profile", footer="first")
    (known,) = desk.asked
    assert isinstance(known, ConfigureCompany)
    now = datetime.datetime.fromisoformat(known.occurred_at) + datetime.timedelta(seconds=30)
    tokyo = now.astimezone(datetime.timezone(datetime.timedelta(hours=9))).isoformat()
    desk.parts.publish(
        [msgspec.structs.replace(known, command="tokyo", occurred_at=tokyo, footer="from Tokyo")]
    )
    assert "from Tokyo" in desk.browser.get(PROFILE).text
    desk.submit(PROFILE, "/profile", footer="after Tokyo")
    assert "after Tokyo" in desk.browser.get(PROFILE).text


def test_of_two_who_save_at_the_same_moment_the_second_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked and seen nothing of the other: the change itself is claimed, in one statement, before it is published."""
    mine = forms_of(desk.browser.get(PROFILE).text)
    form = next(each for each in mine if each.action == PROFILE).sent()
    desk.is_behind = True
    monkeypatch.setattr(profile, "_meanwhile", lambda *_, **__: None)
    other = desk.another_browser()
    desk.employ("bob", role="administrator")
    desk.log_in("bob", browser=other)
    theirs = next(each for each in forms_of(other.get(PROFILE).text) if each.action == PROFILE).sent()
    assert 303 == other.post(PROFILE, data=theirs | {"footer": "by Bob"}).status_code
    late = desk.browser.post(PROFILE, data=form | {"footer": "by me"})
    assert 409 == late.status_code
    assert "bob has changed this profile" in late.text
    assert ["by me"] == next(each for each in forms_of(late.text) if each.action == PROFILE).of(
        "footer"
    ).values
    assert ["by Bob"] == [each.footer for each in desk.asked if isinstance(each, ConfigureCompany)]


def test_texts_that_are_missing_or_wrong_are_mended_on_their_page() -> None:
    """S4-24: the way led to the plans, where no text can be written."""
    assert {("texts", "")} == {MENDED_AT[point] for point in ("templates", "texts")}
