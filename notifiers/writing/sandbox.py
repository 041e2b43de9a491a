"""The room that templates run in: Jinja2 with nothing to call, nothing to blow up and nothing to open.

`notifiers.writing.guard` says what a template may consist of and what it may
spend; `notifiers.writing.shelf` where it may come from. What is left here
is what it can see: the fields of the view's structs, and a loop's own counts.
"""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from notifiers.writing.guard import BUDGET_NAME, FILTERS, Budget, GuardedGenerator, RefusedError, text_of
from notifiers.writing.shelf import Shelf

__all__ = ["OutputLimitError", "TemplateFaultError", "TemplateRoom"]

_TESTS: Final = ("defined", "equalto", "eq", "ge", "gt", "le", "lt", "ne", "none", "odd", "even")
_LOOP: Final = frozenset({"index", "index0", "first", "last", "length", "revindex"})
# What compiling and filling in can raise of Python's own on texts that were made to hurt.
_ACCIDENTS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


class TemplateFaultError(TemplateError):
    """A template is wrong: its name, the line where that is known (else 0), and what it is."""

    def __init__(self, detail: str, *, name: str, line: int = 0) -> None:
        super().__init__(f"{name}{f', line {line}' if line else ''}: {detail}")
        self.detail = detail
        self.name = name
        self.line = line


class OutputLimitError(TemplateFaultError):
    """A template put out more than a message may hold."""


class _Environment(ImmutableSandboxedEnvironment):
    """Refuses every call and operator that gets past the guard, and shows nothing but what the view has."""

    intercepted_binops = frozenset(["*", "**", "%", "+", "-", "/", "//"])
    intercepted_unops = frozenset(["+", "-"])
    code_generator_class = GuardedGenerator

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        """Refuse: the view has nothing to call."""
        return False

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """Refuse: figures arrive written."""
        raise SecurityError(f"operator {operator} is not allowed in templates")

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:  # noqa: ARG002
        """Refuse: figures arrive written."""
        raise SecurityError(f"operator {operator} is not allowed in templates")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Give a field of a struct, an entry of a mapping or a loop's count; there is nothing else to see."""
        if isinstance(obj, Struct):
            if attribute in obj.__struct_fields__:
                return getattr(obj, attribute)
        elif isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
        elif isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Give an entry by its place, or as `getattr` does."""
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, tuple | list | str) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)


class TemplateRoom:
    """Templates of some folders, found by relative name; ``.html`` ones are escaped.

    Args:
        folders: the first one that has a template gives it; none can be taken from outside of them.
        own: how many of the folders are a company's: what is changed in them is read again.
        inline: styles of HTML layouts are put where they apply when a layout is read, once.
    """

    def __init__(self, *folders: Path, own: int = 0, inline: bool = False) -> None:
        self._folders = folders
        self._inline = inline
        self._environment = environment = _Environment(
            loader=Shelf(folders, inline=inline, own=own),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=own > 0,
            finalize=text_of,
        )
        environment.globals.clear()
        environment.filters = dict(FILTERS)
        environment.tests = {name: environment.tests[name] for name in _TESTS}

    def render(self, name: str, values: Mapping[str, object], *, limit: int) -> str:
        """Fill a template in.

        Args:
            name: its path below a folder, with ``/``.
            values: what it may name; anything else is an error, not an empty text.
            limit: so many characters at most.

        Raises:
            TemplateNotFound: it is not there.
            TemplateFaultError: it is wrong, or does what it may not (``OutputLimitError``: too long).
        """
        try:
            return self._render(name, values, limit=limit)
        except TemplateFaultError as fault:
            if not self._inline or isinstance(fault, OutputLimitError):
                raise
            # Lines move when styles are put inline: the plain template says where it is wrong. One that
            # is not wrong itself has styles that cannot be put inline, and goes to nobody without.
            TemplateRoom(*self._folders).render(name, values, limit=limit)
            raise

    def _render(self, name: str, values: Mapping[str, object], *, limit: int) -> str:
        pieces, length = [], 0
        try:
            filled = self._environment.get_template(name).generate({**values, BUDGET_NAME: Budget()})
            for piece in filled:
                length += len(piece)
                if length > limit:
                    raise OutputLimitError(f"puts out more than {limit:,} characters", name=name)
                pieces.append(piece)
            return _whole("".join(pieces), name=name)
        except (TemplateNotFound, TemplateFaultError):
            raise
        except TemplateSyntaxError as error:
            raise TemplateFaultError(str(error.message), name=name, line=error.lineno) from error
        except RefusedError as error:
            raise TemplateFaultError(str(error.message), name=name, line=error.line) from error
        except TemplateError as error:
            raise TemplateFaultError(str(error.message), name=name, line=_line(error, name=name)) from error
        except _ACCIDENTS as error:
            detail = f"cannot be used: {type(error).__name__}: {str(error)[:200]}"
            raise TemplateFaultError(detail, name=name, line=_line(error, name=name)) from error


def _whole(text: str, *, name: str) -> str:
    """Refuse half a character: a template may write one as an escape, and no message can be encoded with it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ord(text[error.start])
        raise TemplateFaultError(f"puts out half a character (U+{half:04X})", name=name) from error
    return text


def _line(error: BaseException, *, name: str) -> int:
    """Find the template's line in a traceback, where Jinja2 has put it."""
    lines: Sequence[int | None] = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).as_posix().endswith(name)
    ]
    return (lines[-1] or 0) if lines else 0
