"""What is changed in a module, one thing at a time: operators, constants, arguments, conditions, returns, assignments, calls.

Left alone: annotations, decorators, imports, ``__all__``, docstrings, and texts for people (with a space in them, in
f-strings, of what is raised), which no rule depends on.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Mutant", "changed", "mutants_of"]

_Slot: TypeAlias = tuple[
    ast.AST, str, int | None
]  # a parent, its field, and the place in it where that is a list

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_LEFT_ALONE = {
    (ast.AnnAssign, "annotation"),
    (ast.arg, "annotation"),
    (ast.FunctionDef, "returns"),
    (ast.FunctionDef, "decorator_list"),
    (ast.ClassDef, "decorator_list"),
    (ast.ClassDef, "bases"),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: which node of the tree (in ``ast.walk``'s order, by parent, field and place) becomes what.

    ``line`` is the first line of it in the file; ``said`` tells the change.
    """

    line: int
    said: str
    parent: int
    field: str
    place: int | None
    node: ast.AST


def mutants_of(tree: ast.Module) -> list[Mutant]:
    """List every change of a module, in the order of its lines."""
    found: list[Mutant] = []
    numbers = {id(node): number for number, node in enumerate(ast.walk(tree))}
    for (parent, field, place), node in _slots(tree):
        for other in _others(node):
            ast.fix_missing_locations(ast.copy_location(other, node))
            line = (node.target if isinstance(node, ast.comprehension) else node).lineno  # type: ignore[attr-defined]  # all others have one
            said = f"{_text(node)} -> {_text(other)}"
            if isinstance(node, ast.Call) and isinstance(other, ast.Call):
                said = f"{_text(node.func)}(...) -> without {_left_out(node, other)}"
            found.append(Mutant(line, said, numbers[id(parent)], field, place, other))
    return sorted(found, key=lambda each: each.line)


def changed(tree: ast.Module, mutant: Mutant) -> ast.Module:
    """Give a copy of the tree with one change."""
    made = copy.deepcopy(tree)
    parent = next(node for number, node in enumerate(ast.walk(made)) if number == mutant.parent)
    if mutant.place is None:
        setattr(parent, mutant.field, mutant.node)
    else:
        getattr(parent, mutant.field)[mutant.place] = mutant.node
    return ast.fix_missing_locations(made)


def _slots(node: ast.AST) -> Iterator[tuple[_Slot, ast.AST]]:
    """Walk what may be changed, each with the place where it stands."""
    for field, value in ast.iter_fields(node):
        if (type(node), field) in _LEFT_ALONE:
            continue
        for place, each in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(each, ast.AST) and not _is_left_alone(each):
                yield (node, field, place), each
                yield from _slots(each)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Raise() | ast.Assert():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name == "__all__"
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring
        case _:
            return False


def _others(node: ast.AST) -> Iterator[ast.AST]:
    """Give what a node is changed into."""
    match node:
        case ast.Compare(ops=[op], left=left, comparators=comparators):
            yield ast.Compare(left=left, ops=[_COMPARED[type(op)]()], comparators=comparators)
        case ast.Compare(ops=ops, left=left, comparators=comparators):
            for place, op in enumerate(ops):
                others = [*ops[:place], _COMPARED[type(op)](), *ops[place + 1 :]]
                yield ast.Compare(left=left, ops=others, comparators=comparators)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _COMPUTED:
            yield ast.BinOp(left=left, op=_COMPUTED[type(op)](), right=right)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=value):
            yield from (ast.Constant(value=other) for other in _other_values(value))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test=ast.UnaryOp(op=ast.Not(), operand=test), body=body, orelse=orelse)
        case ast.If(test=test, body=then, orelse=otherwise):
            yield ast.If(test=ast.UnaryOp(op=ast.Not(), operand=test), body=then, orelse=otherwise)
        case ast.comprehension(target=target, iter=items, ifs=[_, *_]):
            yield ast.comprehension(target=target, iter=items, ifs=[], is_async=0)
        case ast.Call():
            yield from _other_calls(node)
        case _:
            yield from _other_statements(node)


def _other_statements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(value=ast.Constant(value=None))
        case ast.Assign(targets=targets, value=value) if not _is_none(value):
            yield ast.Assign(targets=targets, value=ast.Constant(value=None))
        case ast.AugAssign(target=target, op=op, value=value):
            yield ast.Pass()
            if type(op) in _COMPUTED:
                yield ast.AugAssign(target=target, op=_COMPUTED[type(op)](), value=value)
        case ast.Expr(value=ast.Call()) | ast.Delete() | ast.Continue():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case _:
            return


def _other_calls(call: ast.Call) -> Iterator[ast.AST]:
    """Change one argument at a time into None; one that is given by name is left out, too, in case it has a default."""
    func, args, keywords = call.func, call.args, call.keywords
    for place, each in enumerate(args):
        if not isinstance(each, ast.Constant | ast.Starred | ast.GeneratorExp):
            others = [*args[:place], ast.Constant(value=None), *args[place + 1 :]]
            yield ast.Call(func=func, args=others, keywords=keywords)
    for place, _ in enumerate(keywords):
        yield ast.Call(func=func, args=args, keywords=[*keywords[:place], *keywords[place + 1 :]])


def _other_values(value: object) -> Iterator[int | str | bool]:
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1
        case str() if " " not in value:
            yield "" if value else "x"
        case _:
            return


def _left_out(call: ast.Call, other: ast.Call) -> str:
    """Tell the argument that another call of the same has not."""
    kept = {id(each) for each in (*other.args, *other.keywords)}
    (gone,) = (each for each in (*call.args, *call.keywords) if id(each) not in kept)
    return _text(gone)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _text(node: ast.AST) -> str:
    """Tell a node in one line; of a block its head."""
    if isinstance(node, ast.comprehension):
        return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}" + "".join(
            f" if {ast.unparse(each)}" for each in node.ifs
        )
    return ast.unparse(node).partition("\n")[0][:160]
