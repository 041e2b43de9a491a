"""How much of what the law allows is used: counted by its own windows and groups of channels, on both sides alike."""

from pathlib import Path

from console.law_windows import LawWindow, law_windows
from console.persons import persons_of
from processors.alternative import Alternative, Contact, Debtor, Rules, learn
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

_STORY = """# a consumer in Chile is written to every few days under the company's lax law; somebody called twice in a week
company zone America/Santiago country CL min-days 0
customer country CL kind consumer email ana@c1.test address "Calle 1, Santiago" phone +56900000001
plan default
    first  0 email, letter pay-by 0
    second 2 sms pay-by 0
    third  4 email pay-by 0
2026-03-02  invoice INV-1 100.00 due 2026-03-09
2026-03-09  tick
    expect reminder first INV-1 by email, letter
2026-03-10  call-attempt "no answer"
2026-03-11  tick
    expect reminder second INV-1 by sms
2026-03-12  call-attempt "no answer again"
2026-03-13  tick
    expect reminder third INV-1 by email
    expect finished INV-1
"""


def _contacts(stage: Stage, rules: Rules) -> tuple[list[Contact], Alternative]:
    fold = Alternative(number=0, rules=rules, log=learn(stage.records))
    return [each for record in stage.records for each in fold.take(record)], fold


def _told(each: LawWindow) -> tuple[str, tuple[str, ...], int, int, int, int]:
    return each.law, each.ways, each.within_days, each.at_most, each.worst, each.above


def test_both_sides_are_counted_in_the_windows_of_the_law(tmp_path: Path) -> None:
    """Section 5: what is sent now is above what Chile's law allows a week and a day; under that law nothing is; calls are the log's."""
    path = tmp_path / "story.txt"
    path.write_text(_STORY, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    (now, mine), (other, theirs) = _contacts(stage, Rules()), _contacts(stage, Rules(profile="cl_consumer"))
    first, second = law_windows(now, other, laws=mine.laws | theirs.laws, called=mine.called)
    law = "cl_consumer"
    assert [
        (law, ("call",), 7, 1, 2, 1),
        (law, ("message",), 7, 2, 4, 1),
        (law, ("message",), 2, 1, 2, 1),
    ] == [_told(each) for each in first if each.law == law]
    assert [
        (law, ("call",), 7, 1, 2, 1),
        (law, ("message",), 7, 2, 2, 0),
        (law, ("message",), 2, 1, 1, 0),
    ] == [_told(each) for each in second if each.law == law]
    assert [{4: 1}, {2: 1}] == [side[1].persons for side in (first, second)]


def test_one_channel_a_week_counts_channels(tmp_path: Path) -> None:
    """Ley 2300 (Colombia): after a contact one channel a week, whatever is sent by it."""
    path = tmp_path / "story.txt"
    path.write_text(_STORY, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    (now, mine), (other, theirs) = _contacts(stage, Rules()), _contacts(stage, Rules(profile="co"))
    first, second = law_windows(now, other, laws=mine.laws | theirs.laws)
    channels = [
        [(each.worst, each.at_most) for each in side if each.law == "co" and each.of_channels]
        for side in (first, second)
    ]
    assert [[(3, 1)], [(1, 1)]] == channels


_ONE_PERSON = """# one consumer owes two companies, and is dunned for his shop too; another one owes as much to one
company zone America/Santiago country CL min-days 0
@beta:C9 company zone America/Santiago country CL min-days 0
customer @C1 country CL kind consumer email ana@c1.test tax-id 7.1-K
customer @C2 country CL kind consumer email shop@c2.test parent C1 dunned-at parent
customer @C3 country CL kind consumer email eva@c3.test tax-id 7.2-K
customer @beta:C9 country CL kind consumer email ana@c9.test tax-id 7.1-K
plan default
    first 0 email
@beta:C9 plan default
    first 0 email
2026-03-02  invoice INV-1 100.00 due 2026-03-09
2026-03-02  invoice INV-2 100.00 due 2026-03-10 @C2
2026-03-02  invoice INV-3 100.00 due 2026-03-10 @C3
2026-03-02  invoice INV-9 100.00 due 2026-03-11 @beta:C9
2026-03-09  tick
    expect reminder first INV-1 by email
    expect finished INV-1
2026-03-10  tick
    expect reminder first INV-2 by email @C2
    expect finished INV-2 @C2
    expect reminder first INV-3 by email @C3
    expect finished INV-3 @C3
2026-03-11  tick
    expect reminder first INV-9 by email @beta:C9
    expect finished INV-9 @beta:C9
"""


def test_a_person_is_one_whatever_the_account_or_company(tmp_path: Path) -> None:
    """R24, B-13: a tax id at two companies, and a shop that is dunned at its parent, are one person in the windows, as at sending."""
    path = tmp_path / "story.txt"
    path.write_text(_ONE_PERSON, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    (now, mine), (other, theirs) = _contacts(stage, Rules()), _contacts(stage, Rules(profile="cl_consumer"))
    assert mine.debtors == theirs.debtors
    laws, persons = mine.laws | theirs.laws, persons_of(mine.debtors)
    first, _ = law_windows(now, other, laws=laws, persons=persons)
    week = next(each for each in first if ("message",) == each.ways and 7 == each.within_days)
    assert ({1: 1, 3: 1}, 3, 1) == (week.persons, week.worst, week.above)
    # What another company sends to the same person counts, and persons who owe it only are not asked about.
    of_one, _ = law_windows(now, other, laws=laws, persons=persons, company="beta")
    week = next(each for each in of_one if ("message",) == each.ways and 7 == each.within_days)
    assert {3: 1} == week.persons


def test_accounts_of_one_person_share_one_set() -> None:
    """R24: also where tens of thousands have one generic tax id: with a set for each, memory would grow with their square."""
    many = {f"acme:C{number}": Debtor(tax_id="GENERIC") for number in range(1_000)}
    persons = persons_of({**many, "acme:ALONE": Debtor()})
    assert 2 == len({id(each) for each in persons.values()})
    assert (frozenset(many), frozenset({"acme:ALONE"})) == (persons["acme:C7"], persons["acme:ALONE"])


def test_persons_do_not_overlap() -> None:
    """R24, B-13: accounts that are linked through a third one are one person, in whichever order they became known, and are one head."""
    debtors = {
        "acme:SHOP": Debtor(tax_id="A", dunned_at="acme:HEAD"),
        "acme:OTHER": Debtor(tax_id="A"),
        "acme:HEAD": Debtor(tax_id="B"),
        "beta:HEAD": Debtor(tax_id="B"),
        "beta:SHOP": Debtor(dunned_at="beta:HEAD"),
        "beta:C9": Debtor(tax_id="C"),
    }
    one = frozenset(debtors) - {"beta:C9"}
    for names in (list(debtors), list(reversed(debtors))):
        persons = persons_of({name: debtors[name] for name in names})
        assert {one, frozenset({"beta:C9"})} == set(persons.values())
