"""The command ``cobranza``: global options, the table of commands, and how errors are said.

A command's module is imported only when the command is used or listed; what is heavy
(Kafka, SQL, PDF) is imported inside the command. A new command is a line in `COMMANDS`.
"""

import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from infra.errors import OperatorError

__all__ = ["COMMANDS", "main"]

# name -> "module:attribute" of a click command or group, in the order in which they are listed.
COMMANDS: Final[dict[str, str]] = {
    "demo": "console.cli.demo:demo",
    "up": "console.cli.up:up",
    "top": "console.cli.top:top",
    "play": "console.cli.play:play",
    "replay": "console.cli.replay:replay",
    "what-if": "console.cli.what_if:what_if",
    "shadow": "console.cli.what_if:shadow",
    "ledger": "console.cli.ledger:ledger",
    "kafka": "console.cli.kafka:kafka",
    "topics": "console.cli.topics:topics",
    "db": "console.cli.db:db",
    "projector": "console.cli.projector:projector",
    "aged": "console.cli.aged:aged",
    "statement": "console.cli.statement:statement",
    "dso": "console.cli.dso:dso",
    "figures": "console.cli.figures:figures",
    "cash": "console.cli.cash:cash",
    "explain": "console.cli.explain:explain",
    "reminders": "console.cli.reminders:reminders",
    "worklist": "console.cli.worklist:worklist",
    "trust": "console.cli.trust:trust",
    "letters": "console.cli.letters:letters",
    "deliveries": "console.cli.deliveries:deliveries",
    "sendings": "console.cli.sendings:sendings",
    "feedback": "console.cli.feedback:feedback",
    "suppressions": "console.cli.suppressions:suppressions",
    "costs": "console.cli.costs:costs",
    "proposals": "console.cli.proposals:proposals",
    "batch": "console.cli.batch:batch",
    "hand-overs": "console.cli.hand_overs:hand_overs",
    "tasks": "console.cli.tasks:tasks",
    "task": "console.cli.task:task",
    "answers": "console.cli.answers:answers",
    "links": "console.cli.links:links",
    "exceptions": "console.cli.exceptions:exceptions",
    "lag": "console.cli.lag:lag",
    "dlq": "console.cli.dlq:dlq",
    "import": "console.cli.import_csv:import_",
    "publish": "console.cli.publish:publish",
    "validate": "console.cli.publish:validate",
    "plan": "console.cli.plan:plan",
    "law": "console.cli.law:law",
    "ready": "console.cli.ready:ready",
    "preview": "console.cli.preview:preview",
    "schemas": "console.cli.schemas:schemas",
    "capacity": "console.cli.capacity:capacity",
    "worker": "console.cli.worker:worker",
    "clock": "console.cli.clock:clock",
    "notifier": "console.cli.notifier:notifier",
    "exporter": "console.cli.exporter:exporter",
    "web": "console.cli.web:web",
    "console": "console.cli.console:console",
    "reports": "console.cli.reports:reports",
    "users": "console.cli.users:users",
    "render": "console.cli.render:render",
    "templates": "console.cli.templates:templates",
}


class _Commands(click.Group):
    """A group that imports its commands from a table, and says errors in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what is no text before a database makes it fit; a file may be named by any bytes."""
        for each in args:
            if not _is_text(each) and not Path(each).exists():
                raise click.ClickException(f"{each!r} is no text in UTF-8")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            raise click.ClickException(str(error)) from error
        except UnicodeEncodeError as error:
            if error.encoding != "utf-8":
                raise  # of what is printed, to a terminal that has not these characters
            # A file's name that is no UTF-8 is to be sent or kept somewhere.
            raise click.ClickException(f"{error.object!r} is no text in UTF-8") from error
        except Exception as error:
            if ctx.params.get("verbose") or not _is_kafka_error(error):
                raise
            said = f"{type(error).__name__}: {error}"
            raise click.ClickException(
                f"Kafka does not do as asked: {said}\nIs the broker there? cobranza kafka status"
            ) from error


def _is_text(argument: str) -> bool:
    # Bytes of an argument that are no UTF-8 come in as halves of characters.
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where broker and database live (COBRANZA_DATA_DIR; default .cobranza).",
)
@click.option("--bootstrap-servers", help="Another Kafka than the local one: HOST:PORT[,HOST:PORT].")
@click.option("--verbose", is_flag=True, help="Show what libraries log, and tracebacks.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    envvar="COBRANZA_LOG_LEVEL",
    default="info",
    show_default=True,
    help="From which level on lines are logged (COBRANZA_LOG_LEVEL); debug: a line per event and fact.",
)
@click.version_option(package_name="cobranza")
@click.pass_context
def main(
    ctx: click.Context, *, data_dir: Path | None, bootstrap_servers: str | None, verbose: bool, log_level: str
) -> None:
    """Follow up receivables: billing events in, reminders out, each one explained."""
    from console.cli.logs import configure_logs

    # Told to stop, every command leaves its contexts as after Ctrl-C: `demo` and `play --workers` must
    # not leave their broker and workers behind. Those that serve have handlers of their own.
    if threading.current_thread() is threading.main_thread():
        from console.cli.leaving import leave_when_told

        leave_when_told()
    given = {"data_dir": data_dir, "bootstrap_servers": bootstrap_servers}
    ctx.obj = _settings({name: value for name, value in given.items() if value is not None})
    configure_logs(verbose=verbose, level=log_level)


def _settings(given: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from infra.settings import Settings

    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [f"COBRANZA_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
        raise click.UsageError("Settings are wrong:\n" + "\n".join(lines)) from error


def _is_kafka_error(error: Exception) -> bool:
    """Say whether it is one of kafka-python's, without importing that for commands without Kafka."""
    errors = sys.modules.get("kafka.errors")
    return errors is not None and isinstance(error, errors.KafkaError)
