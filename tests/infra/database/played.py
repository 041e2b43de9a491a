"""A read model as a story of the core leaves it: its rows and facts, projected as the projector does."""

import datetime
from pathlib import Path

from sqlalchemy import Engine

from infra.database.engine import writing
from infra.projection.batch import Batch
from infra.projection.facts import project_fact
from infra.projection.rows import project_row
from schemas.codec import encode
from schemas.journal import TickPassed
from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

__all__ = ["play_into"]

_RECORDED_AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def play_into(engine: Engine, story: str, *, folder: Path) -> Stage:
    """Play a story on the core, and project all that it leaves."""
    path = folder / "story.txt"
    path.write_text(story, encoding="utf-8")
    stage = Stage()
    run(read_script(path), stage=stage)
    batch = Batch()
    for key, value in stage.partition.rows().items():
        project_row(batch, key=key, value=value, partition=0)
    facts = [fact for fact in stage.log if not isinstance(fact, TickPassed)]
    for offset, fact in enumerate(facts):
        project_fact(batch, value=encode(fact), offset=offset, recorded_at=_RECORDED_AT)
    with writing(engine) as connection:
        batch.apply(connection)
    return stage
