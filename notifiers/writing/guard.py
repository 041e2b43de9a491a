"""What a template may consist of, and what it may spend: checked and woven in as Jinja2 compiles it.

The sandbox of Jinja2 keeps a template from Python's inside, not from filling
the memory or going on for ever. So a template is what this module knows:
text, names, ``if``, ``for``, a few filters and tests. There is no call, no
arithmetic, no ``set``, macro, include or import. What is left can still be
much (loops in loops, ``join`` of a ``join``), so every loop and everything
that makes text is charged to a ``Budget``: it counts, no clock is read, and a
template that ends within it does so on a slow machine too.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from jinja2 import TemplateError, nodes, pass_context
from jinja2.compiler import CodeGenerator
from jinja2.runtime import Context, markup_join, str_join
from markupsafe import Markup, escape

__all__ = ["BUDGET_NAME", "FILTERS", "Budget", "BudgetError", "GuardedGenerator", "RefusedError", "text_of"]

# A name that no template can write.
BUDGET_NAME: Final = "(budget)"
_STEPS_MAX: Final = 1_000_000
_CHARACTERS_MAX: Final = 20_000_000

_NODES_MAX: Final = 8_000
_DEPTH_MAX: Final = 60
_LOOPS_DEEP_MAX: Final = 4
_OPERANDS_MAX: Final = 100
_JOINT_MAX: Final = 20
_EACH: Final = "(each)"
_JOINED: Final = "(joined)"
_RESERVED: Final = frozenset({"self", "super", "caller", "varargs", "kwargs"})
_PLAIN: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Concat,
    nodes.If,
    nodes.For,
    nodes.Tuple,
    nodes.List,
)


class RefusedError(TemplateError):
    """A template has something that templates may not have; ``line`` is where."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message)
        self.line = line


class BudgetError(TemplateError):
    """A template goes on for too long, or makes too much text on its way."""


class Budget:
    """What one filling in of a template may still cost.

    A *step* is one node of a loop's body, once; characters are those of
    texts that filters and ``~`` make.
    """

    __slots__ = ("_characters", "_steps")

    def __init__(self, *, steps: int = _STEPS_MAX, characters: int = _CHARACTERS_MAX) -> None:
        self._steps = steps
        self._characters = characters

    def step(self, count: int) -> None:
        """Pay for steps.

        Raises:
            BudgetError: there are none left.
        """
        self._steps -= count
        if self._steps < 0:
            raise BudgetError(f"it repeats too much: more than {_STEPS_MAX:,} steps")

    def make(self, count: int) -> None:
        """Pay for characters.

        Raises:
            BudgetError: there are none left.
        """
        self._characters -= count
        if self._characters < 0:
            raise BudgetError(f"it makes too much text: more than {_CHARACTERS_MAX:,} characters")


class GuardedGenerator(CodeGenerator):
    """Compiles only what `check` lets pass, and lets loops and joined texts pay."""

    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:  # noqa: N802 - Jinja's name
        """Check the whole tree before a line of it is compiled.

        Raises:
            RefusedError: it has something that it may not have.
        """
        _check(node)
        _charge(node)
        super().visit_Template(node, frame)


def _check(root: nodes.Template) -> None:
    """Walk the tree without recursion: a deep one must not fell the walker."""
    count = operands = 0
    waiting: list[tuple[nodes.Node, int, int]] = [(root, 0, 0)]
    while waiting:
        node, depth, loops = waiting.pop()
        count += 1
        loops += isinstance(node, nodes.For)
        operands += len(node.nodes) if isinstance(node, nodes.Concat) else 0
        if count > _NODES_MAX or operands > _OPERANDS_MAX:
            raise RefusedError("the template is too large", line=node.lineno)
        if depth > _DEPTH_MAX or loops > _LOOPS_DEEP_MAX:
            raise RefusedError("it is nested too deeply", line=node.lineno)
        problem = _problem(node)
        if problem:
            raise RefusedError(problem, line=node.lineno)
        waiting += [(child, depth + 1, loops) for child in node.iter_child_nodes()]


def _problem(node: nodes.Node) -> str:  # noqa: PLR0911 - one answer per kind of node
    if not isinstance(node, _PLAIN):
        return f"templates have no {type(node).__name__.lower()}"
    match node:
        case nodes.Const() if isinstance(node.value, float):
            return "templates have no numbers with a point"
        case nodes.Name(name=name) if name in _RESERVED or name.startswith("_"):
            return f"templates have no {name!r}"
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            return f"templates have no {attr!r}"
        case nodes.Getitem() if not isinstance(node.arg, nodes.Const):
            return "an index is a number or a text that stands there"
        case nodes.For(recursive=True):
            return "templates have no recursive loops"
        case nodes.Tuple() | nodes.List() if not all(
            isinstance(each, nodes.Const | nodes.Name) for each in node.items
        ):
            return "a list holds texts and numbers that stand there"
        case nodes.Operand(op="in" | "notin") if not isinstance(node.expr, nodes.Tuple | nodes.List):
            return "'in' asks a list that stands there: x in ('a', 'b')"
        case nodes.Filter() | nodes.Test():
            return _arguments_problem(node)
    return ""


def _arguments_problem(node: nodes.Filter | nodes.Test) -> str:
    if node.node is None or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        return f"{node.name!r} cannot be used like this"
    for each in node.args:
        if not isinstance(each, nodes.Const) or len(str(each.value)) > _JOINT_MAX:
            return f"what {node.name!r} is told is a short text that stands there"
    return ""


def _charge(root: nodes.Template) -> None:
    """Let each loop pay per turn by the size of its body, and each ``~`` by what it makes."""
    for loop in list(root.find_all(nodes.For)):
        weight = 1 + sum(1 for each in loop.body for _ in each.find_all(nodes.Node)) + len(loop.body)
        loop.iter = _filtered(loop.iter, _EACH, nodes.Const(weight, lineno=loop.lineno))
    for node in list(root.find_all(nodes.Node)):
        for field, value in list(node.iter_fields()):
            if isinstance(value, nodes.Concat):
                setattr(node, field, _joining(value))
            elif isinstance(value, list):
                value[:] = [_joining(each) if isinstance(each, nodes.Concat) else each for each in value]


def _joining(concat: nodes.Concat) -> nodes.Filter:
    return _filtered(nodes.List(concat.nodes, lineno=concat.lineno), _JOINED)


def _filtered(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(cast(nodes.Expr, node), name, list(arguments), [], None, None, lineno=node.lineno)


def _budget(context: Context) -> Budget:
    budget = context.parent[BUDGET_NAME]
    if not isinstance(budget, Budget):
        raise BudgetError("a template is filled in without a budget")
    return budget


@pass_context
def _each(context: Context, values: Iterable[Any], weight: int) -> Iterator[Any]:
    budget = _budget(context)
    for value in values:
        budget.step(weight)
        yield value


@pass_context
def _joined(context: Context, parts: list[Any]) -> str:
    texts = [text_of(part) for part in parts]
    _budget(context).make(sum(map(len, texts)))
    return markup_join(texts) if context.eval_ctx.autoescape else str_join(texts)


@pass_context
def _join(context: Context, values: Iterable[Any], joint: str = "") -> str:
    budget = _budget(context)
    texts = []
    for value in values:
        text = text_of(value)
        budget.make(len(text) + len(joint))
        texts.append(text)
    if not context.eval_ctx.autoescape:
        return str(joint).join(texts)
    return Markup(escape(joint)).join(texts)  # noqa: S704 - join escapes what is not markup


@pass_context
def _escape(context: Context, value: Any) -> Markup:
    text = text_of(value)
    _budget(context).make(len(text))
    return escape(text)


@pass_context
def _lower(context: Context, value: Any) -> str:
    text = text_of(value)
    _budget(context).make(len(text))
    return text.lower()


@pass_context
def _upper(context: Context, value: Any) -> str:
    text = text_of(value)
    _budget(context).make(len(text))
    return text.upper()


def _length(value: Any) -> int:
    return len(value)


def text_of(value: Any) -> str:
    """Give a text as it is; what is no text has none.

    Raises:
        TemplateError: it is a list, an entry of one, or nothing that was given.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if hasattr(value, "_fail_with_undefined_error"):
        return str(value)  # raises: nothing of that name was given
    raise TemplateError(f"this is no text: {type(value).__name__}; name a part of it, or loop over it")


FILTERS: Final = {
    "e": _escape,
    "escape": _escape,
    "join": _join,
    "length": _length,
    "lower": _lower,
    "upper": _upper,
    _EACH: _each,
    _JOINED: _joined,
}
