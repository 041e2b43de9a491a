"""Answers by links: as many different ones as a message's links may bring, however many come at one moment."""

import datetime
from functools import partial

import pytest
from sqlalchemy import Engine

from infra.database.links import LinkBook, NewAnswer, TooManyAnswersError
from tests.infra.database.at_once import at_once
from tests.infra.database.test_send_days import AT, recorded


def answer(reminder: str, number: int) -> NewAnswer:
    """Make one of the answers of a reader."""
    return NewAnswer(
        command=f"{reminder}/{number}",
        reminder=reminder,
        channel="sms",
        account="acme:C1",
        given_at=AT + datetime.timedelta(seconds=number),
        event_json="{}",
    )


def test_two_answers_at_one_moment_are_no_more_than_a_link_may_bring(engine: Engine) -> None:
    """Twenty messages whose links may bring one answer each, and two browsers: one is kept of each, one refused."""
    book = LinkBook(engine)

    def keep(reminder: str, number: int) -> bool:
        try:
            return book.keep(answer(reminder, number), answers_max=1)
        except TooManyAnswersError:
            return False

    for name in recorded(engine, count=20):
        kept = at_once(*(partial(keep, name, number) for number in (1, 2)))
        assert ([False, True], 1) == (sorted(kept), book.answers(name, channel="sms"))


def test_the_same_answer_again_is_none_more(engine: Engine) -> None:
    """A double click asks once; another answer is one too many."""
    book = LinkBook(engine)
    (name,) = recorded(engine, count=1)
    keeping = partial(book.keep, answer(name, 1), answers_max=1)
    kept = at_once(keeping, keeping)
    assert [False, True] == sorted(kept)
    with pytest.raises(TooManyAnswersError):
        book.keep(answer(name, 2), answers_max=1)
