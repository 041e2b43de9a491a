"""Notifiers are killed and frozen at real work, with real Kafka: the short form of ``tests.chaos.senders``."""

from pathlib import Path
from typing import Final

import pytest

from tests.chaos.sender import POINTS
from tests.chaos.senders import Plan, run_senders

# Points that a run may not pass, and why: whatever else is there must be passed, and so may be died at.
_RARE: Final = {
    "SendLedger.job": "a person's question",
    "Doubts.open": "a person's question",
    "Doubts.ask_again": "only if a provider cannot be asked",
    "Doubts.none_before": "only if a provider asks not to be asked",
    "Doubts.late_word": "only of a frozen worker that was replaced",
    "Doubts.resolve": "only if a provider can be asked about a doubt",
    "Doubts.note": "only if a kill leaves a doubt",
    "Channel.find": "only if a kill leaves a doubt",
    "SendLedger.release_claimed": "only if a kill leaves a claim",
    "SendLedger.put_back": "only after a temporary refusal",
    "SendLedger.postpone": "only if a gate or the law puts off",
    "SendLedger.give_up": "only after days",
    "Waits.behind": "only after days",
    "Waits.wait_with": "only if a provider takes nothing for a while",
    "Waits.wait_no_more": "only after that",
}


@pytest.mark.system
def test_each_reminder_is_taken_once_or_is_in_doubt(tmp_path: Path) -> None:
    """Issue 6, point 2: mails, SMS, letters and tasks under kills and a frozen notifier; none lost, none twice."""
    verdict = run_senders(Plan(seed=5, reminders=120, kills=8, zombies=1, paid=2), folder=tmp_path, say=print)
    assert [] == verdict.problems, verdict.line()
    assert (8, 1) == (
        sum(verdict.done[name] for name in ("kill -9 at a point", "kill -9 at a moment")),
        verdict.done["zombies"],
    )
    assert 120 == sum(verdict.deliveries.values())
    missed = {point.partition(" ")[2] for point in POINTS if point not in verdict.met}
    assert set() == missed - set(_RARE)
