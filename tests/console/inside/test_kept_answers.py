"""An answer over all documents is made beside the page, once, and told with its age."""

import datetime
import threading

import pytest

from console.web.inside.kept_answers import KeptAnswer, KeptAnswers

_NINE = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = _NINE

    def __call__(self) -> datetime.datetime:
        """Give the instant."""
        return self.now


def test_a_page_does_not_wait_and_the_answer_is_made_once() -> None:
    """Whoever asks first gets none; all who ask meanwhile wait for the same one."""
    made, begun, may_go = [], threading.Event(), threading.Event()

    def slow() -> str:
        made.append(1)
        begun.set()
        may_go.wait(120)
        return "1,000"

    answers: KeptAnswers[str] = KeptAnswers(clock=Clock(), fresh_s=60, wait_s=0)
    assert [None, None] == [answers.ask("sums", slow) for _ in range(2)]
    assert begun.wait(60)  # in a thread of its own, which has its turn when it has it
    may_go.set()
    patient: KeptAnswers[str] = KeptAnswers(clock=Clock(), fresh_s=60, wait_s=120)
    assert KeptAnswer(value="1,000", made_at=_NINE) == patient.ask("sums", lambda: "1,000")
    assert [1] == made


def test_an_answer_is_as_good_as_new_for_a_while() -> None:
    """Then it is made anew; who will not wait sees the one before, with its age."""
    clock, number = Clock(), iter(range(9))
    answers: KeptAnswers[int] = KeptAnswers(clock=clock, fresh_s=60, wait_s=120)
    assert [0, 0] == [found.value for _ in range(2) if (found := answers.ask("k", lambda: next(number)))]
    clock.now += datetime.timedelta(seconds=61)
    found = answers.ask("k", lambda: next(number))
    assert KeptAnswer(value=1, made_at=clock.now) == found
    other = answers.ask("other", lambda: next(number))
    assert other is not None
    assert 2 == other.value


def test_what_failed_is_not_kept() -> None:
    """The page says so; whoever asks next has it made again."""
    answers: KeptAnswers[int] = KeptAnswers(clock=Clock(), fresh_s=60, wait_s=120)
    with pytest.raises(ZeroDivisionError):
        answers.ask("k", lambda: 1 // 0)
    found = answers.ask("k", lambda: 7)
    assert found is not None
    assert 7 == found.value


def test_only_so_many_are_kept() -> None:
    """The one that nobody asked for longest goes first."""
    answers: KeptAnswers[int] = KeptAnswers(clock=Clock(), fresh_s=60, wait_s=120, answers_max=2)
    for number in (1, 2, 3):
        answers.ask(number, lambda: 0)
    again = answers.ask(1, lambda: 5)
    assert again is not None
    assert 5 == again.value
