"""The contracts that other programs read: exported schemas, and examples that decode for ever."""

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from console.schema_export import DIRECTORY, differences, export, schema_texts
from schemas.codec import FACT_TYPES, SOURCE_TYPES, decode_source
from schemas.envelope import from_structured
from schemas.facts import LedgerFact

EXAMPLES = DIRECTORY.parent / "examples"
FILES = sorted(EXAMPLES.glob("*/*.json"))


def test_exported_schemas_are_what_the_structs_say() -> None:
    """A change of contract shows up as a change of a file (S3 contracts): nothing drifts."""
    assert [] == differences(DIRECTORY)


def test_drift_is_told_file_by_file(tmp_path: Path) -> None:
    """A missing, a changed and a foreign file are each named."""
    export(tmp_path)
    (tmp_path / "ledger.movement.v1.json").unlink()
    (tmp_path / "billing.refund.paid.v1.json").write_text("{}")
    (tmp_path / "old.v1.json").write_text("{}")
    expected = [
        "old.v1.json: is of no known type",
        "billing.refund.paid.v1.json: is not what the struct says",
        "ledger.movement.v1.json: is missing",
    ]
    assert expected == differences(tmp_path)


def test_export_takes_away_files_of_no_type(tmp_path: Path) -> None:
    """After an export there is no difference left."""
    (tmp_path / "old.v1.json").write_text("{}")
    assert len(SOURCE_TYPES | FACT_TYPES) == export(tmp_path)
    assert [] == differences(tmp_path)


def test_each_type_has_an_example() -> None:
    """A producer finds one for every type that there is."""
    assert sorted(SOURCE_TYPES | FACT_TYPES) == sorted({path.parent.name for path in FILES})


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_example_decodes_for_ever(path: Path) -> None:
    """What was once a good event stays one: examples are added, never changed."""
    content = path.read_bytes()
    if path.parent.name in FACT_TYPES:
        assert type(msgspec.json.decode(content, type=LedgerFact)) is FACT_TYPES[path.parent.name]
    else:
        envelope, data = from_structured(content)
        assert path.parent.name == envelope.type
        assert type(decode_source(envelope.type, data)) is SOURCE_TYPES[envelope.type]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_example_agrees_with_its_schema(path: Path) -> None:
    """Schema and struct accept the same things."""
    schema = json.loads(dict(schema_texts())[f"{path.parent.name}.json"])
    content = json.loads(path.read_bytes())
    data = content if path.parent.name in FACT_TYPES else content["data"]
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    assert [] == [error.message for error in validator.iter_errors(data)]
