"""An installation with real processes whose journal a test plays: published to, ticked, looked at."""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from console.cli.main import main
from console.installation import await_ready, prepare, running
from console.player import open_play
from console.playing import Play
from console.publishing import outgoing
from console.quiet import groups_of
from infra.settings import Settings
from schemas.journal import SourceEvent

__all__ = ["House", "housed"]


class House:
    """An installation whose journal the test plays."""

    def __init__(self, settings: Settings, play: Play) -> None:
        self.settings, self._play = settings, play
        self._newest: datetime.datetime | None = None

    def publish(self, *events: SourceEvent) -> None:
        """Publish events, and wait until they are folded."""
        self._play.publish(outgoing(each, source="story") for each in events)
        self._play.quiet.wait(at=self._newest)

    def tick(self, day: datetime.date) -> None:
        """Let the clock strike nine, and wait until all that follows is done."""
        self._newest = datetime.datetime.combine(day, datetime.time(9), datetime.UTC)
        self._play.tick(self._newest)
        self._play.quiet.wait(at=self._newest)

    def run(self, *arguments: str) -> Result:
        """Run ``cobranza`` on it."""
        options = ["--data-dir", str(self.settings.data_dir), "--bootstrap-servers", self.settings.brokers()]
        variables = {"COBRANZA_TOPIC_PREFIX": self.settings.topic_prefix}
        return CliRunner().invoke(main, [*options, *arguments], env=variables)

    def went_out(self) -> tuple[int, int]:
        """Count mails and letters."""
        folders = (self.settings.data_dir / "outbox", self.settings.data_dir / "letters")
        return sum(1 for _ in folders[0].rglob("*.eml")), sum(1 for _ in folders[1].rglob("*.pdf"))


@contextmanager
def housed(
    broker: str, *, prefix: str, data_dir: Path, first: Iterable[SourceEvent], then: Iterable[SourceEvent]
) -> Iterator[House]:
    """Run all processes but the clock, and publish what is there from the beginning: ``first``, then ``then``."""
    wanted = Settings(data_dir=data_dir, bootstrap_servers=broker, topic_prefix=prefix)
    with ExitStack() as opened:
        settings = opened.enter_context(prepare(wanted))
        supervisor = opened.enter_context(running(settings, clock=False))
        await_ready(settings, groups=groups_of(settings), check=supervisor.check)
        made = House(settings, opened.enter_context(open_play(settings, check=supervisor.check)))
        made.publish(*first)
        made.publish(*then)
        yield made
