"""A changed module in place of one that is imported: its functions get new code, whoever holds them.

Other modules have imported functions and constants by name, so that the module is not loaded a second time:
each function keeps its identity, each constant is exchanged wherever it is the same one.
"""

import ast
import inspect
import sys
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["graft"]


def graft(module: ModuleType, tree: ast.Module) -> None:
    """Let a module be what a tree says, for everybody in this process."""
    fresh: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(tree, str(module.__file__), "exec"), fresh)  # noqa: S102 - our own module with one thing changed
    for name, new in fresh.items():
        old = vars(module).get(name)
        if isinstance(new, type) and isinstance(old, type) and new.__module__ == module.__name__:
            for inner, value in vars(new).items():
                _take_code(vars(old).get(inner), value)
        elif not isinstance(new, ModuleType | type):
            _take_code(old, new)
    kept = {id(new): vars(module).get(name) for name, new in fresh.items() if callable(new)}
    for name, new in fresh.items():
        if not (name.startswith("__") or callable(new) or isinstance(new, ModuleType)):
            _exchange(name, old=vars(module).get(name), new=_with_kept(new, kept))


def _take_code(old: object, new: object) -> None:
    """Give a function, or what stands around one, the code and the defaults of another."""
    known, other = _function_in(old), _function_in(new)
    if known is None or other is None or known is other:
        return
    if known.__module__ == other.__module__:
        known.__code__ = other.__code__
        known.__defaults__, known.__kwdefaults__ = other.__defaults__, other.__kwdefaults__


def _function_in(value: object) -> FunctionType | None:
    """Find the function in a method, a property or a wrapper such as ``functools.cache``."""
    inner = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
    found = inspect.unwrap(inner) if callable(inner) else None
    return found if isinstance(found, FunctionType) else None


def _with_kept(value: Any, kept: dict[int, Any]) -> Any:
    """Put the functions that everybody has into a table of functions."""
    if isinstance(value, dict):
        return {_with_kept(key, kept): _with_kept(each, kept) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_with_kept(each, kept) for each in value)
    return kept.get(id(value), value) if callable(value) else value


def _exchange(name: str, *, old: object, new: object) -> None:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        old.clear()
        old.update(new)
        return
    for module in list(sys.modules.values()):
        known = vars(module)
        if name in known and known[name] is old:
            known[name] = new
