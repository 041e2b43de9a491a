"""Payments that have not cleared, beside what the stories ``s120_*`` and ``s121_*`` show (S1-20, S1-21)."""

from tests.scenarios.playing import played

_CLAIMED = """# R22, R32: a reminder by mail and letter claims a sum when the mail is accepted; the letter is on its way.
company currency EUR charges claim
customer email ana@c1.test address "Calle 1" kind business country DE
law eu_business
plan default
    first  0 email, letter
notifier each waits
2024-05-02  invoice INV-1 1000.00 due 2024-06-10
2024-05-03  conditional D-1 20.00 cheque received payable 2024-12-01 order O-1
    expect conditional D-1 received
2024-05-04  dispute INV-1 because "broken"
    expect disputed INV-1
2024-05-04  conditional CH-1 20.00 cheque received payable 2024-12-01
    expect conditional CH-1 received
2024-05-05  rule dispute-INV-1 rejected
    expect dispute rejected
2024-06-20  tick
    expect reminder first INV-1 by email, letter
"""
_ACCEPTED = """2024-06-20  outcome email accepted
    expect sent
    expect finished INV-1
    expect claim INV-1/fixed_sum 40.00
    expect claim INV-1/interest/2024-06-20 3.42
"""


def version(story: str) -> int:
    """Play a story, and give the account's decision version after it."""
    return played(story).partition.account("acme:C1").row.version


def test_what_a_reminder_claims_does_not_overtake_its_own_letter() -> None:
    """R32: cheques without names are there, one a deposit; the version leaves out what the reminder's own outcome brings."""
    assert version(_CLAIMED) == version(_CLAIMED + _ACCEPTED)
