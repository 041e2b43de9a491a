"""Explanations in sentences: words for every reason in both languages, and the very lines of a story."""

import datetime
import re
import string
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from console.explaining.sentences import Teller
from console.explaining.words import LANGUAGES, words_of
from processors.company import Company
from processors.forecast import forecast
from processors.retelling import DayTold, ItemTold, Said, retell
from schemas.events import InvoiceIssued
from schemas.facts import (
    AccountQuarantined,
    ExceptionRaised,
    LedgerFact,
    LevelTakenOver,
    Reason,
    ReminderEnded,
    ReminderRetracted,
    TaskClosed,
    TaskOpened,
    Withheld,
)
from schemas.journal import AccountEvent, TickPassed
from schemas.rows import AccountRow, ItemRow
from schemas.transfer_facts import AccountTold, TransferSent
from schemas.transfers import GroupContacted, MovedItem, TransferReceived
from tests.processors.test_retelling import story_journal

_STORY = """# a customer who is on holiday, and one invoice that nobody may chase
company zone America/Santiago
customer email ana@c1.test name "Ana, S.A."
plan default
    first      0 email
    second   +10 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-02  invoice INV-2 60.00 due 2026-02-03
2026-01-02  invoice INV-3 60.00 due 2026-12-31
2026-01-05  exclude INV-2 because "wrong goods"
2026-02-01  hold blocked until 2026-02-10 because "new contact"
2026-02-02  tick
    expect withheld INV-1 first because blocked until 2026-02-10
2026-02-03  tick
    expect withheld INV-2 first because blocked until 2026-02-10
2026-02-10  tick
    expect reminder first INV-1 by email
    expect withheld INV-2 first because excluded
2026-02-11  payment P-1 100.00 for INV-1 dated 2026-02-09
    expect was-wrong INV-1
    expect task correction
2026-02-12..2026-02-14  tick
"""


def _lines(day: str, *, folder: Path, language: str = "en", item: str = "", days: int = 0) -> list[str]:
    records = story_journal(_STORY, folder=folder)
    told = retell(records, account="acme:C1", day=datetime.date.fromisoformat(day))
    teller = Teller(told, words=words_of(language), item=item)
    lines = list(teller.day())
    if days and told.tick is not None:
        until = told.day + datetime.timedelta(days=days)
        foreseen = forecast("acme:C1", rows=told.rows.items(), after=told.tick.at, until=until)
        lines += teller.next(foreseen, until=until)
    return [re.sub(r"\[event-\d+", "[event", line) for line in lines]  # by position in the story


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: str) -> None:
    """R15: each reason of the closed list, in each language."""
    assert set(get_args(Reason)) == words_of(language).reasons.keys()


def test_every_fate_of_a_reminder_has_words() -> None:
    """R19: however a reminder ends, there is a sentence for it, and a word beside its item."""
    words = msgspec.to_builtins(words_of("en"))
    for status in get_args(ReminderEnded.__annotations__["status"]):
        assert {f"ended_{status}", f"fate_{status}"} <= words.keys()


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_each_language_fills_the_same_gaps(language: str) -> None:
    """A sentence names in Spanish and in Portuguese what it names in English."""
    english, other = (msgspec.to_builtins(words_of(each)) for each in ("en", language))
    for name, text in english.items():
        if isinstance(text, str):
            assert _gaps(text) == _gaps(other[name]), name
        else:
            assert text.keys() == other[name].keys(), name
            assert [_gaps(each) for each in text.values()] == [_gaps(other[name][key]) for key in text], name


def _gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_facts_and_words_of_events(language: str) -> None:
    """A sentence names fields that its fact has; words are of events that there are (the others show their type)."""
    facts = {type_of_class(each): each for each in get_args(LedgerFact)}
    for name, text in words_of(language).facts_of.items():
        assert _gaps(text) <= set(facts[name].__struct_fields__), name
    assert words_of(language).events.keys() <= {type_of_class(each) for each in get_args(AccountEvent)}


def type_of_class(struct: Any) -> str:
    """Give the type of a kind of event or fact."""
    return str(struct.__struct_config__.tag)


_OPTED_OUT = """# a customer who wants no mail, and has given nothing else
customer email ana@c1.test
plan default
    first 0 email
2026-01-02  invoice INV-1 100.00 due 2026-02-02
2026-01-20  opt-out email
2026-02-02  tick
    expect reminder first INV-1 by task tasks "Opted out of email: follow up by hand, by another way"
    expect finished INV-1
"""


def test_who_opted_out_has_an_address(tmp_path: Path) -> None:
    """R15, R31: the customer's own word is the reason for the task, with its day, and not a missing address."""
    records = story_journal(_OPTED_OUT, folder=tmp_path)
    told = retell(records, account="acme:C1", day=datetime.date(2026, 2, 2))
    said = {each: "\n".join(Teller(told, words=words_of(each)).day()) for each in LANGUAGES}
    assert "by task (opted out of e-mail on 2026-01-20), about INV-1" in said["en"]
    assert "por tarea (pidió no recibir nada por correo electrónico el 2026-01-20)" in said["es"]
    assert "por tarefa (pediu para não receber nada por e-mail em 2026-01-20)" in said["pt"]
    assert "address" not in said["en"]


def test_a_message_to_who_opted_out_is_called_by_its_kind(tmp_path: Path) -> None:
    """R33, R15: that the customer wants none is why it ended, not what kind of message it was."""
    story = """# a customer who wants no mail is not told of an invoice
company invoice-messages on
customer email ana@c1.test
2026-01-20  opt-out email
2026-02-01  tick
2026-02-02  invoice INV-1 100.00 due 2026-03-02
2026-02-02  tick
    expect unsent invoice_issued INV-1 because no_address
"""
    told = retell(story_journal(story, folder=tmp_path), account="acme:C1", day=datetime.date(2026, 2, 2))
    said = [line.strip() for line in Teller(told, words=words_of("en")).day()]
    assert "A message ended (invoice issued INV-1): opted out of e-mail on 2026-01-20." in said


def test_who_has_no_address_is_told_so(tmp_path: Path) -> None:
    """R27: without an opt-out it is the address that is missing."""
    story = _OPTED_OUT.replace("customer email ana@c1.test", "customer name Ana").replace(
        "2026-01-20  opt-out email\n", ""
    )
    story = story.replace(
        "Opted out of email: follow up by hand, by another way",
        "No usable address for email: mend the address and follow up by hand",
    )
    told = retell(story_journal(story, folder=tmp_path), account="acme:C1", day=datetime.date(2026, 2, 2))
    assert any(
        "by task (no usable address), about INV-1" in each
        for each in Teller(told, words=words_of("en")).day()
    )


def test_why_nothing_was_written_on_a_quiet_day(tmp_path: Path) -> None:
    """R31: the ledger did not look on the 7th; what it said on the 2nd stands, with its values and events."""
    assert [
        "acme:C1 (Ana, S.A.) on 2026-02-07, company time America/Santiago",
        "The ledger did not look on that day; what follows is as of its last tick, 2026-02-03 09:00.",
        "Each item:",
        "  INV-1: 100.00 USD open of 100.00, due 2026-02-02 (5 days overdue)",
        (
            "    step first, due 2026-02-02, was not sent: the customer is blocked; judged by reason new contact, "
            "by controller, placed 2026-02-01; this may change on 2026-02-10."
        ),
        "    said first on 2026-02-02 09:00 [acme:C1/4]",
        "      facts: issued 100.00 USD on 2026-01-02 [event, known before the first tick]",
    ] == _lines("2026-02-07", folder=tmp_path)[:7]


def test_what_nobody_knew_and_what_comes_next_in_spanish(tmp_path: Path) -> None:
    """R30, U-9: a payment of the 9th was heard on the 11th, after the reminder; then what follows."""
    lines = _lines("2026-02-10", folder=tmp_path, language="es", days=350)
    assert "    está en el recordatorio de 2026-02-10 09:00, paso first (enviado)" in lines
    late = lines.index("No se sabía entonces, aunque tiene fecha de hasta ese día:")
    assert [
        "  pago P-1 100,00 USD del 2026-02-09 [event, se supo después de la revisión de 2026-02-10 09:00]",
        "Si no llega nada hasta el 2027-01-26:",
        "  2026-02-20: second por correo electrónico a ana@c1.test sobre INV-1 (100,00 USD)",
        "  2026-02-20: a INV-1 no le quedan pasos",
        "  2026-12-31: first por correo electrónico a ana@c1.test sobre INV-3 (60,00 USD)",
        "  2027-01-10: second por correo electrónico a ana@c1.test sobre INV-3 (60,00 USD)",
        "  2027-01-10: a INV-3 no le quedan pasos",
    ] == lines[late + 1 :]


def test_too_soon_is_said_at_the_top(tmp_path: Path) -> None:
    """S0-16: who was written to a few days ago is not to be written to again yet; from the day of the gap on nothing is said."""
    soon = "Demasiado pronto: el último contacto fue el 2026-02-10; antes del 2026-02-13, otro necesita que una persona lo confirme."
    assert [False, True, True, False] == [
        soon in _lines(f"2026-02-{day:02}", folder=tmp_path, language="es") for day in (3, 10, 12, 13)
    ]


def test_one_day_and_nothing_at_all(tmp_path: Path) -> None:
    """A day is one day; where no item is to be told of, that is said."""
    assert any("(vence ese día)" in line for line in _lines("2026-02-02", folder=tmp_path, language="es"))
    assert any("(1 día de atraso)" in line for line in _lines("2026-02-03", folder=tmp_path, language="es"))
    assert "Ningún documento está abierto ni cambió ese día." in _lines(
        "2026-01-01", folder=tmp_path, language="es"
    )


def test_of_one_item_only(tmp_path: Path) -> None:
    """Other items are left out; a future in which nobody is written to is said."""
    lines = _lines("2026-02-13", folder=tmp_path, item="INV-2", days=5)
    assert not any("INV-3" in line for line in lines)
    assert "Nothing new was said on that day; what was said before stands." in lines
    assert "If nothing comes in until 2026-02-18, nobody is written to." == lines[-1]


def test_before_the_first_tick(tmp_path: Path) -> None:
    """Nobody had looked; what is dated later is not shown."""
    lines = _lines("2026-01-03", folder=tmp_path)
    assert "The ledger had no tick until the end of that day: nothing was decided." == lines[1]
    assert "  Not due yet: 3; the first, INV-1, on 2026-02-02 (first)." == lines[3]
    assert 4 == len(lines)


def _day(*facts: LedgerFact, items: tuple[ItemTold, ...] = ()) -> DayTold:
    at = datetime.datetime(2026, 2, 1, 9, tzinfo=datetime.UTC)
    return DayTold(
        account="acme:C1",
        day=at.date(),
        row=AccountRow(account="acme:C1"),
        company=Company("acme"),
        tick=TickPassed(at=at, mode="live", lagging=("billing.payment.v1",)),
        has_tick=True,
        decides=True,
        decided=[Said(fact=fact, at=at) for fact in facts],
        items={each.row.item: each for each in items},
    )


def test_every_kind_of_fact_has_a_sentence() -> None:
    """Nothing that the ledger said is left out; what has no sentence of its own is written as it is."""
    whose: Any = {"id": "f", "account": "acme:C1"}
    tick = datetime.datetime(2026, 2, 1, 9, tzinfo=datetime.UTC)
    said = _day(
        ReminderEnded(
            **whose, reminder="r1", tick=tick, status="sent", on=tick.date(), consumed=(("I", "first"),)
        ),
        ReminderEnded(**whose, reminder="r2", tick=tick, status="failed", on=tick.date()),
        ReminderEnded(**whose, reminder="r3", tick=tick, status="superseded", on=tick.date()),
        ReminderRetracted(**whose, reminder="r1", item="I"),
        TaskOpened(**whose, task="t", task_type="call", due_on=tick.date(), summary="Call Ana"),
        TaskOpened(**whose, task="apply_credit/USD", task_type="apply_credit", due_on=tick.date()),
        TaskOpened(**whose, task="own", task_type="ask_the_seller", due_on=tick.date()),
        TaskClosed(**whose, task="t", outcome="done"),
        ExceptionRaised(**whose, reason="conflict", key="item/I", detail="twice"),
        AccountQuarantined(**whose, error="fold: KeyError", journal_offset=7),
        LevelTakenOver(
            **whose, item="I", step="first", step_index=0, plan="p", plan_version=1, on=tick.date()
        ),
    )
    lines = list(Teller(said, words=words_of("en")).day())
    start = lines.index("Decided:")
    assert [
        "  The reminder was sent; it consumed I first [r1].",
        "  The reminder failed on all its channels; nothing is consumed [r2].",
        "  The reminder was overtaken by news before it was sent; nothing is consumed [r3].",
        "  I was cancelled after the reminder had named it [r1].",
        "  A task: call, due 2026-02-01, Call Ana [t].",
        "  A task: apply the credit on the account, due 2026-02-01 [apply_credit/USD].",
        "  A task: ask the seller, due 2026-02-01 [own].",
        "  A task is over (done) [t].",
        "  An exception: conflict, item/I: twice",
        "  The account is quarantined: fold: KeyError [journal 7].",
        "  collections.level.taken_over.v1: item I, step first, step_index 0, plan p, plan_version 1, on 2026-02-01",
    ] == lines[start + 1 : start + 12]
    assert "Sources were behind at that tick: billing.payment.v1." in lines


@pytest.mark.parametrize(
    ("language", "sent", "told"),
    [
        (
            "en",
            "Went to another customer, C2: I-1.",
            "Another account was told, C2: contact within the group.",
        ),
        ("es", "Pasó a otro cliente, C2: I-1.", "Se avisó a otra cuenta, C2: contacto en el grupo."),
    ],
)
def test_what_went_to_another_account_is_a_sentence(language: str, sent: str, told: str) -> None:
    """SEMANTICS 2.6: whose it is now, and what moved; what accounts tell each other has words, too, not its raw fields."""
    whose: Any = {"id": "f", "account": "acme:C1"}
    other: Any = {"company": "acme", "customer": "C2", "occurred_at": "2026-02-01"}
    document = InvoiceIssued(
        company="acme",
        customer="C1",
        occurred_at="2026-01-02",
        document="I-1",
        amount="1.00",
        currency="USD",
        due_date=datetime.date(2026, 2, 1),
    )
    days: Any = {"issued_on": datetime.date(2026, 1, 2), "due_on": datetime.date(2026, 2, 1)}
    moved = MovedItem(document=document, currency="USD", amount_minor=100, **days)
    path: Any = {"transfer": "t", "from_customer": "C1", "path": ("C1",)}
    said = _day(
        TransferSent(**whose, event=TransferReceived(**other, **path, items=(moved,))),
        AccountTold(**whose, event=GroupContacted(**other, of="C1", on=datetime.date(2026, 2, 1))),
    )
    lines = [line.strip() for line in Teller(said, words=words_of(language)).day()]
    assert {sent, told} <= set(lines)


def test_values_are_money_where_they_are() -> None:
    """R31: what it was judged by, in the item's currency; a value without a word keeps its name."""
    issued = InvoiceIssued(
        company="acme", customer="C1", occurred_at="2026-01-01", document="I", currency="CLP", amount="900"
    )
    row = ItemRow(
        account="acme:C1",
        item="I",
        document=issued,
        currency="CLP",
        amount_minor=900,
        open_minor=900,
        issued_on=datetime.date(2026, 1, 1),
        due_on=datetime.date(2026, 2, 1),
    )
    values = {"currency": "CLP", "total_minor": "900", "minimum_minor": "1000", "new_rule": "x"}
    word = Withheld(item="I", step="first", reason="below_minimum", step_due_on=row.due_on, values=values)
    lines = list(Teller(_day(items=(ItemTold(row=row, word=word),)), words=words_of("en")).day())
    assert (
        "    step first, due 2026-02-01, was not sent: the total is below the minimum; judged by total 900 CLP, "
        "minimum 1,000 CLP, new rule x; it stands until something comes in." in lines
    )
    assert "    not said by the ledger yet" in lines


def test_a_promise_that_names_no_currency_has_none_in_its_sentence(tmp_path: Path) -> None:
    """R35: it is in what the customer owes; the word None is no currency."""
    before = _STORY.partition("2026-02-01  hold")[0]
    story = before + "2026-01-20  promise 50.00 by 2026-06-20\n    expect promised INV-1\n"
    records = story_journal(story, folder=tmp_path)
    told = retell(records, account="acme:C1", day=datetime.date(2026, 1, 20))
    assert "None" not in " ".join(Teller(told, words=words_of("en")).day())
