"""Which parts carry letters, chosen by the settings; nothing is connected to before the first letter."""

import datetime
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from infra.database.print_runs import PrintRuns
from notifiers.channel import Channel
from notifiers.paper.folder import LetterFolder
from notifiers.paper.post import PostChannel
from notifiers.paper.post_http import HttpPost
from notifiers.paper.print_run import PrintRun, RunCloser, last_cut_off
from notifiers.paper.settings import PostSettings, PrintRunSettings
from notifiers.paper.stores import FolderStore, S3Store, Store, open_s3
from notifiers.second_look import Look, anybody
from notifiers.settings import SettingsError, read_settings

__all__ = [
    "LETTERS",
    "PRINT_RUNS",
    "open_closer",
    "open_letters",
    "open_post",
    "open_print_run",
    "open_store",
]

LETTERS = "letters"
PRINT_RUNS = "print-runs"


def open_letters(
    provider: str,
    *,
    data_dir: Path,
    engine: Engine,
    clock: Callable[[], datetime.datetime],
    look: Look = anybody,
) -> Channel:
    """Give the channel that carries letters: ``folder``, ``print_run`` or ``post``.

    Raises:
        SettingsError: nobody carries letters so, or what that needs is not set.
    """
    match provider:
        case "folder":
            return LetterFolder(data_dir / LETTERS)
        case "print_run":
            chosen = read_settings(PrintRunSettings)
            return open_print_run(chosen, data_dir=data_dir, engine=engine, clock=clock, look=look)
        case "post":
            return open_post(read_settings(PostSettings), look=look)
        case _:
            raise SettingsError(f"COBRANZA_SEND_LETTER: nobody carries letters by {provider}")


def open_store(chosen: PrintRunSettings, *, data_dir: Path) -> Store:
    """Give the bucket that is set, else a folder of the data folder."""
    if not chosen.bucket:
        return FolderStore(data_dir / PRINT_RUNS)
    client = open_s3(region=chosen.region, endpoint_url=chosen.endpoint_url)
    return S3Store(client, bucket=chosen.bucket, prefix=chosen.prefix)


def open_closer(
    chosen: PrintRunSettings, *, data_dir: Path, engine: Engine, clock: Callable[[], datetime.datetime]
) -> RunCloser:
    """Give what closes runs and writes them out."""
    at = chosen.cut_off
    return RunCloser(
        runs=PrintRuns(engine),
        store=open_store(chosen, data_dir=data_dir),
        clock=clock,
        cut_off=None if at is None else partial(last_cut_off, at=at, zone=chosen.zone),
        duplex=chosen.duplex,
        merge=chosen.merged,
    )


def open_print_run(
    chosen: PrintRunSettings,
    *,
    data_dir: Path,
    engine: Engine,
    clock: Callable[[], datetime.datetime],
    look: Look = anybody,
) -> PrintRun:
    """Give the channel that puts letters into runs."""
    return PrintRun(
        runs=PrintRuns(engine),
        store=open_store(chosen, data_dir=data_dir),
        closer=open_closer(chosen, data_dir=data_dir, engine=engine, clock=clock),
        clock=clock,
        letters_max=chosen.letters_max,
        duplex=chosen.duplex,
        look=look,
    )


def open_post(chosen: PostSettings, *, look: Look = anybody) -> PostChannel:
    """Give the channel that has letters printed and posted."""
    return PostChannel(HttpPost(chosen.server), options=chosen.options, price_max=chosen.limit, look=look)
