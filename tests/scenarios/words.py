"""A line of a scenario as words, taken one by one; every error knows its line."""

import datetime
import re
import shlex
from dataclasses import dataclass, field

__all__ = ["ScenarioError", "Words", "words_of"]

_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class ScenarioError(ValueError):
    """A line of a scenario cannot be read."""

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}")


@dataclass(slots=True)
class Words:
    """The words of a line that have not been taken yet.

    Attributes:
        account: what ``@customer`` or ``@company:customer`` named anywhere in the line.
    """

    line: int
    left: list[str]
    account: str = ""
    text: str = field(default="")

    def __bool__(self) -> bool:
        return bool(self.left)

    def peek(self) -> str:
        """Look at the next word; ``''`` at the end."""
        return self.left[0] if self.left else ""

    def take(self, what: str) -> str:
        """Take the next word, which is a ``what``."""
        if not self.left:
            raise ScenarioError(self.line, f"{what} is missing at the end")
        return self.left.pop(0)

    def take_if(self, word: str) -> bool:
        """Take the next word if it is this one."""
        if self.peek() != word:
            return False
        self.left.pop(0)
        return True

    def day(self) -> datetime.date:
        """Take a day."""
        word = self.take("a day")
        try:
            return datetime.date.fromisoformat(word)
        except ValueError as error:
            raise ScenarioError(self.line, f"{word!r} is no day such as 2026-01-31") from error

    def number(self) -> int:
        """Take a whole number; ``+15`` is one."""
        word = self.take("a number")
        try:
            return int(word)
        except ValueError as error:
            raise ScenarioError(self.line, f"{word!r} is no whole number") from error

    def amount(self, *, currency: str) -> tuple[str, str]:
        """Take an amount and, if it is there, its currency."""
        word = self.take("an amount")
        if not _AMOUNT.fullmatch(word):
            raise ScenarioError(self.line, f"{word!r} is no amount such as 100.00")
        return word, self.left.pop(0) if _CURRENCY.fullmatch(self.peek()) else currency

    def until_word(self, *stops: str) -> list[str]:
        """Take words up to one of ``stops``; commas between them do not count."""
        taken: list[str] = []
        while self.left and self.left[0] not in stops:
            taken += [part for part in self.left.pop(0).split(",") if part]
        return taken

    def end(self) -> None:
        """Refuse what is left."""
        if self.left:
            raise ScenarioError(self.line, f"not understood: {' '.join(self.left)!r}")


def words_of(line: int, text: str, *, account: str) -> Words:
    """Split a line; ``@account`` words are taken out of it wherever they stand."""
    try:
        found = shlex.split(text, comments=True)
    except ValueError as error:
        raise ScenarioError(line, str(error)) from error
    named = [word[1:] for word in found if word.startswith("@")]
    if len(named) > 1:
        raise ScenarioError(line, "one account per line")
    company = account.partition(":")[0]
    for word in named:
        account = word if ":" in word else f"{company}:{word}"
    return Words(line, [word for word in found if not word.startswith("@")], account, text.strip())
