"""A line of a scenario with what the story has said before it: what verbs make their events from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas import commands, events
from tests.scenarios.words import ScenarioError, Words

__all__ = ["Line", "Teller"]


@dataclass(slots=True)
class Teller:
    """What a scenario has said so far, which later lines build on."""

    profiles: dict[str, commands.ConfigureCompany]
    customers: dict[str, events.CustomerUpserted]
    revisions: dict[str, int]

    def profile(self, company: str) -> commands.ConfigureCompany:
        """Give a company's profile as told, else the one that every story starts with."""
        return self.profiles.get(company) or commands.ConfigureCompany(
            company=company,
            occurred_at="2020-01-01",
            command="profile",
            name=company.title(),
            time_zone="UTC",
            currency="USD",
        )


@dataclass(frozen=True, slots=True)
class Line:
    """The words of a line, with when it happened and the story around it."""

    words: Words
    occurred_at: str
    teller: Teller

    @property
    def whose(self) -> dict[str, Any]:
        """Company, customer and time, which every fact of an account has."""
        company, _, customer = self.words.account.partition(":")
        return {"company": company, "customer": customer, "occurred_at": self.occurred_at}

    @property
    def asked(self) -> dict[str, Any]:
        """The same for a command, whose id is its line."""
        return {**self.whose, "command": f"line-{self.words.line}", "author": "controller"}

    @property
    def currency(self) -> str:
        """The company's currency."""
        return self.teller.profile(self.words.account.partition(":")[0]).currency

    def options(self, **readers: Callable[[], Any]) -> dict[str, Any]:
        """Take ``word value`` pairs in any order up to the end of the line."""
        found: dict[str, Any] = {}
        while self.words:
            word = self.words.take("an option")
            reader = readers.get(word.replace("-", "_"))
            if reader is None:
                raise ScenarioError(self.words.line, f"not understood: {word!r}")
            found[word.replace("-", "_")] = reader()
        return found

    def text(self) -> str:
        """Take one word or quoted text."""
        return self.words.take("a text")
