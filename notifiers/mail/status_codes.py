"""What the enhanced status codes of mail (RFC 3463) speak of: one table for refusals and for mails that come back.

It reads the code only; what that means for a delivery, refused now or bounced later, its callers say.
"""

from typing import Final, Literal

__all__ = ["About", "about"]

About = Literal["address", "content", "passing", "policy"]

_CONTENT: Final = frozenset({"2.3", "3.4", "6.0", "6.1", "6.2", "6.3", "6.5"})
# A full mailbox.
_PASSING: Final = frozenset({"2.2"})
# Systems and ways to them; 4.4 is a domain to which there is none: nobody can be written to there.
_SYSTEM: Final = "3"
_WAY: Final = "4"
_NO_WAY: Final = "4.4"
_POLICY: Final = "7"


def about(subject: str, detail: str) -> About:
    """Say what the permanent code ``5.<subject>.<detail>`` speaks of.

    ``passing``: what may be otherwise the next time, and is no fault of address or text.
    """
    code = f"{subject}.{detail}"
    if code in _CONTENT:
        return "content"
    if code in _PASSING or (subject in (_SYSTEM, _WAY) and code != _NO_WAY):
        return "passing"
    return "policy" if subject == _POLICY else "address"
