"""The room that templates run in: Jinja2 with nothing to call, nothing to blow up and nothing to open.

The sandbox of Jinja2 alone keeps a template from Python's inside, not from
filling the memory. So there are no calls at all (no ``range``, no methods), no
multiplication, few filters, and an end to what one template may put out.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["OutputLimitError", "TemplateRoom"]

_FILTERS: Final = ("e", "escape", "join", "length", "lower", "upper")
_TESTS: Final = ("defined", "equalto", "eq", "ge", "gt", "le", "lt", "ne", "in", "none")


class OutputLimitError(TemplateError):
    """A template put out more than a message may hold."""


class _Environment(ImmutableSandboxedEnvironment):
    """Refuses every call, and the operators that make much out of little."""

    intercepted_binops = frozenset(["*", "**", "%", "+"])

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        """Refuse: the view has nothing to call."""
        return False

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """Refuse: figures arrive written."""
        raise SecurityError(f"operator {operator} is not allowed in templates")


class TemplateRoom:
    """Templates below one folder, found by relative name; ``.html`` ones are escaped.

    Args:
        folder: no template can be taken from outside of it.
    """

    def __init__(self, folder: Path) -> None:
        self._environment = _Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment = self._environment
        environment.globals.clear()
        environment.filters = {name: environment.filters[name] for name in _FILTERS}
        environment.tests = {name: environment.tests[name] for name in _TESTS}

    def render(self, name: str, values: Mapping[str, object], *, limit: int) -> str:
        """Fill a template in.

        Args:
            name: its path below the folder, with ``/``.
            values: what it may name; anything else is an error, not an empty text.
            limit: so many characters at most.

        Raises:
            jinja2.TemplateError: it is missing, wrong, or does what it may not
                (``OutputLimitError``: too long).
        """
        pieces, length = [], 0
        for piece in self._environment.get_template(name).generate(dict(values)):
            length += len(piece)
            if length > limit:
                raise OutputLimitError(f"{name} puts out more than {limit:,} characters")
            pieces.append(piece)
        return "".join(pieces)
