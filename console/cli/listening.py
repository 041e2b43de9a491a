"""Settings of a process that listens: what the command line says of host and port goes before the variables."""

from typing import Any, TypeVar

import click
from pydantic import ValidationError
from pydantic_settings import BaseSettings

__all__ = ["listening"]

_Read = TypeVar("_Read", bound=BaseSettings)


def listening(kind: type[_Read], *, of: str, host: str | None, port: int | None) -> _Read:
    """Read settings of one kind; ``of`` says whose they are.

    Raises:
        click.UsageError: they are wrong; one line for each variable.
    """
    given: dict[str, Any] = {
        name: value for name, value in (("host", host), ("port", port)) if value is not None
    }
    try:
        return kind(**given)
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        lines = [f"{prefix}{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
        raise click.UsageError(f"Settings of {of} are wrong:\n" + "\n".join(lines)) from error
