"""The judge of what was carried: files and outcomes that are lost, doubled, made up or out of order are found."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.outcomes import DeliveryStatus, OutcomeReported
from tests.chaos.carried import Delivery, file_problems, files_of, order_problems

_A, _B, _C = ("a" * 32, "b" * 32, "c" * 32)
_ACCEPTED: set[Delivery] = {(_A, "email"), (_B, "email"), (_B, "letter"), (_C, "sms"), (_C, "task")}


def _write(folder: Path, name: str) -> None:
    file = folder / "acme" / "2026-01-05" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def _carry_all(data_dir: Path) -> None:
    for name in (f"C1-first-{_A}.eml", f"C1-first-{_A}.html", f"C2-first-{_B}.eml", f"C3-last-{_C}.sms.txt"):
        _write(data_dir / "outbox", name)
    for name in (f"C2-first-{_B}.pdf", f"C2-first-{_B}-01.pdf", f".C2-first-{_B}.pdf.partial"):
        _write(data_dir / "letters", name)


def test_each_delivery_is_one_file(tmp_path: Path) -> None:
    """Texts beside a mail, enclosures of a letter and half-written files are no deliveries; a task has no file."""
    _carry_all(tmp_path)
    assert _ACCEPTED - {(_C, "task")} == set(files_of(tmp_path))
    assert [] == list(file_problems(files_of(tmp_path), accepted=_ACCEPTED))


def test_a_mail_for_another_in_its_place_is_found(tmp_path: Path) -> None:
    """As many files as accepted mails, and yet one customer has got nothing, another something that nobody sent."""
    _carry_all(tmp_path)
    day = tmp_path / "outbox" / "acme" / "2026-01-05"
    (day / f"C1-first-{_A}.eml").rename(day / f"C3-first-{_C}.eml")
    assert [
        f"LOST: no file for accepted delivery {(_A, 'email')}",
        f"a file for what was not accepted: {(_C, 'email')}",
    ] == list(file_problems(files_of(tmp_path), accepted=_ACCEPTED))


def test_a_letter_that_was_written_on_two_days_is_found(tmp_path: Path) -> None:
    """One delivery, two files."""
    _carry_all(tmp_path)
    _write(tmp_path / "letters" / "again", f"C2-first-{_B}.pdf")
    problems = list(file_problems(files_of(tmp_path), accepted=_ACCEPTED))
    assert [f"DOUBLED: 2 files for {(_B, 'letter')}"] == problems


def _said(reminder: str, status: DeliveryStatus) -> OutcomeReported:
    return OutcomeReported(
        company="acme",
        customer="C1",
        occurred_at="2026-01-05",
        reminder=reminder,
        channel="email",
        status=status,
    )


_TOLD = [_said(_A, "unknown"), _said(_A, "accepted"), _said(_B, "accepted")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told.pop(1), "LOST from the journal"),
        (lambda told: told.append(told[0]), "only there"),
        (lambda told: told.reverse(), "OUT OF ORDER"),
    ],
)
def test_outcomes_reach_the_journal_as_they_were_said(
    change: Callable[[list[OutcomeReported]], object], words: str
) -> None:
    """Intake keeps each account's order, and neither loses nor doubles (R19 would forgive it, the proof does not)."""
    assert [] == list(order_problems({"acme:C1": _TOLD}, journal={"acme:C1": _TOLD}))
    journal = list(_TOLD)
    change(journal)
    problems = list(order_problems({"acme:C1": _TOLD}, journal={"acme:C1": journal}))
    assert [True] == [words in each for each in problems]
    assert Counter(_TOLD) == Counter([_said(_A, "unknown"), _said(_A, "accepted"), _said(_B, "accepted")])
