"""A form comes back as it was filled in: into every kind of field, at the fault's own field, into no other form."""

from hypothesis import given
from hypothesis import strategies as st

from console.web.inside.refilling import FormFault, Typed, refilled
from tests.console.inside.forms import Form, forms_of

PAGE = """<html><body><main id="content"><h1>A page</h1>
<details><summary>Agree</summary>
<form method="post" action="/customers/acme%3AC1/promises" class="narrow"><input type="hidden" name="csrf" value="c"><input type="hidden" name="nonce" value="new">
<label for="on">Until:</label><input id="on" name="due_on" type="date" required>
<label>How <select name="how"><option value="">-</option><option value="call" selected>by phone</option><option value="mail">by mail</option></select></label>
<label class="beside"><input type="checkbox" name="told" value="yes" checked> told</label>
<textarea name="text" aria-label="Observations"></textarea>
<button>Save</button></form></details>
<form method="post" action="/tasks/end"><input type="hidden" name="task" value="1"><input name="text" aria-label="Remark"><button>Done</button></form>
<form method="post" action="/tasks/end"><input type="hidden" name="task" value="2"><input name="text" aria-label="Remark"><button formaction="/tasks/look">Look</button></form>
</main></body></html>"""
TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]))


def promise(*fields: tuple[str, str]) -> Typed:
    """Give the form of a promise as it came in."""
    return Typed(action="/customers/acme:C1/promises", fields=(("csrf", "c"), ("nonce", "old"), *fields))


def again(typed: Typed, *faults: FormFault, page: str = "") -> tuple[str, list[Form]]:
    """Give the page with the form filled in, and its forms."""
    text = refilled(PAGE, typed=typed, faults=faults, heading="Look again:", page=page)
    assert text is not None
    return text, forms_of(text)


def test_each_kind_of_field_has_what_was_typed_and_the_fault_is_at_its_field() -> None:
    """Nothing that was typed is lost, and the reader is led to what is wrong."""
    typed = promise(("due_on", "soon"), ("how", "mail"), ("text", "a <b>\n'c'"))
    text, forms = again(typed, FormFault(field="due_on", text="This is no day."))
    assert {"csrf": ["c"], "nonce": ["new"], "due_on": ["soon"], "how": ["mail"], "text": ["a <b>\n'c'"]} == (
        forms[0].sent()
    )
    assert "true" == forms[0].of("due_on").says["aria-invalid"]
    assert "on-fault" == forms[0].of("due_on").says["aria-describedby"]
    assert [False, True, False] == [
        "autofocus" in forms[0].of(each).says for each in ("how", "due_on", "text")
    ]
    assert '<span class="wrong-text" id="on-fault">This is no day.</span>' in text
    assert '<li><a href="#on">Until: This is no day.</a></li>' in text
    assert "<details open>" in text


def test_of_forms_that_go_to_one_place_it_is_the_one_that_was_sent() -> None:
    """Which task a remark was about is said by a field that nobody sees; a button may lead elsewhere."""
    typed = Typed(action="/tasks/end", fields=(("task", "2"), ("text", "called")))
    assert ["", "called"] == [each.of("text").values[0] for each in again(typed)[1][1:]]
    looked = Typed(action="/tasks/look", fields=(("task", "3"), ("text", "called")))
    assert ["", "called"] == [each.of("text").values[0] for each in again(looked)[1][1:]]


def test_a_fault_of_no_field_is_told_at_the_top_and_another_page_is_none() -> None:
    """What cannot be put anywhere is not lost on the way."""
    text, _ = again(promise(), FormFault(field="", text="The ledger is away."))
    told = '<div class="problems" role="alert" tabindex="-1" autofocus><strong>Look again:</strong>'
    assert f'<main id="content">{told}' in text
    assert "<li>The ledger is away.</li>" in text
    elsewhere = Typed(action="/elsewhere", fields=())
    assert refilled(PAGE, typed=elsewhere, faults=[], heading="") is None


def test_every_form_of_the_page_says_where_it_stands_from_now_on() -> None:
    """The address of the answer is that of the form, from which no page could be made."""
    _, forms = again(promise(), page="/customers/acme%3AC1?page=2")
    assert [["/customers/acme%3AC1?page=2"]] * 3 == [each.of("form_page").values for each in forms]


def test_what_is_none_of_the_choices_leaves_the_choice() -> None:
    """A select cannot show what it does not offer; the fault says so."""
    text, forms = again(promise(("how", "by owl")), FormFault(field="how", text="Choose one."))
    assert ["call"] == forms[0].of("how").values
    assert 'by mail</option></select></label><span class="wrong-text"' in text


@given(day=TEXT, text=TEXT)
def test_whatever_was_typed_comes_back_as_it_is(day: str, text: str) -> None:
    """No value is code, and none is changed."""
    _, forms = again(promise(("due_on", day), ("text", text)), FormFault(field="due_on", text=day))
    assert ([day], [text]) == (forms[0].of("due_on").values, forms[0].of("text").values)
