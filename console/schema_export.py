"""The contracts as JSON Schema files, for producers who are not Python.

The files in ``schemas/json`` are derived; the structs are the contract. Checking
that both agree is part of ``make check``.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from schemas.codec import FACT_TYPES, SOURCE_TYPES

__all__ = ["DIRECTORY", "differences", "export", "schema_texts", "without_indentation"]

DIRECTORY = Path(__file__).resolve().parent.parent / "schemas" / "json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_texts() -> Iterator[tuple[str, str]]:
    """Give (file name, content) of each source and fact type, sorted."""
    for event_type, struct in sorted((SOURCE_TYPES | FACT_TYPES).items()):
        text = json.dumps(_schema(event_type, struct), indent=2, ensure_ascii=False)
        yield f"{event_type}.json", text + "\n"


def export(directory: Path) -> int:
    """Write all schemas, take away those of no type, return how many were written."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted = dict(schema_texts())
    for path in directory.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (directory / name).write_text(text, encoding="utf-8")
    return len(wanted)


def differences(directory: Path) -> list[str]:
    """Say of each file how it differs from the structs; nothing when all agree."""
    found = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.json")}
    wanted = dict(schema_texts())
    said = [f"{name}: is of no known type" for name in sorted(found.keys() - wanted.keys())]
    for name, text in wanted.items():
        if name not in found:
            said.append(f"{name}: is missing")
        elif found[name] != text:
            said.append(f"{name}: is not what the struct says")
    return said


def _schema(event_type: str, struct: type[Struct]) -> dict[str, Any]:
    (top,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    own = components.pop(top["$ref"].rpartition("/")[2])
    schema = {"$schema": _DIALECT, "$id": f"{event_type}.json", **own}
    if event_type in SOURCE_TYPES:
        # The envelope says it; the data may repeat it.
        schema["required"] = [name for name in own["required"] if name != "type"]
    if components:
        schema["$defs"] = components
    cleaned: dict[str, Any] = without_indentation(schema)
    return cleaned


def without_indentation(value: Any) -> Any:
    """Take the source's indentation out of descriptions: they are docstrings."""
    if isinstance(value, dict):
        return {
            name: inspect.cleandoc(each)
            if name == "description" and isinstance(each, str)
            else without_indentation(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [without_indentation(each) for each in value]
    return value
