"""``cobranza task``: say that a task is done, or will not be (R28)."""

from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["task"]

_ACCOUNT = click.argument("account")
_TASK = click.argument("task_id", metavar="TASK")
_TEXT = click.option("--text", default="", help="What came of it.")
_AUTHOR = click.option("--author", default="", help="Who says so.")


@click.group()
def task() -> None:
    """End a task of `cobranza tasks`: a plan that waited for it goes on."""


@task.command()
@_ACCOUNT
@_TASK
@_TEXT
@_AUTHOR
@click.pass_obj
def done(settings: "Settings", *, account: str, task_id: str, text: str, author: str) -> None:
    """Say that TASK of ACCOUNT is done: a call that a plan waited for is a contact, and a sent step."""
    _end(settings, account=account, task=task_id, outcome="done", text=text, author=author)


@task.command()
@_ACCOUNT
@_TASK
@_TEXT
@_AUTHOR
@click.pass_obj
def skip(settings: "Settings", *, account: str, task_id: str, text: str, author: str) -> None:
    """Say that TASK of ACCOUNT will not be done; a plan that waited for it goes on at once."""
    _end(settings, account=account, task=task_id, outcome="skipped", text=text, author=author)


def _end(
    settings: "Settings",
    *,
    account: str,
    task: str,
    outcome: Literal["done", "skipped"],
    text: str,
    author: str,
) -> None:
    from console.requests import asked, send
    from schemas.commands import CompleteTask

    event = CompleteTask(**asked(account, author=author), task=task, outcome=outcome, text=text)
    send(event, settings=settings)
    click.echo(f"Task {task}: {outcome}.")
