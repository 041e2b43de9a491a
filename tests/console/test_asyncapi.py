"""The AsyncAPI document: valid by the official schema, complete, true; and what a change of it breaks."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator, FormatChecker  # type: ignore[import-untyped]

from console.asyncapi import FILE, document, document_text
from console.asyncapi_diff import changes
from console.cli.main import main
from schemas.codec import FACT_TYPES, SOURCE_TYPES
from schemas.registry import topics

OFFICIAL = Path(__file__).parents[1] / "data" / "asyncapi" / "3.0.0.json"
DOCUMENT = document()
Json = dict[str, Any]


def _at(place: str, whole: Json = DOCUMENT) -> Any:
    found: Any = whole
    for part in place.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_document_is_valid_by_the_official_schema() -> None:
    """AsyncAPI 3.0.0, Kafka bindings 0.5.0 included."""
    errors = Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8"))).iter_errors(DOCUMENT)
    assert [] == [f"{list(error.path)}: {error.message[:200]}" for error in errors]


def test_file_is_what_the_contracts_say() -> None:
    """A change of a contract shows up as a change of the file: make check."""
    assert document_text() == FILE.read_text(encoding="utf-8")


def test_every_reference_leads_somewhere() -> None:
    """Channels, messages and schemas."""

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    found = references(DOCUMENT)
    assert len(found) > 100
    assert all(_at(each) is not None for each in found)


def test_every_topic_and_type_is_in_it() -> None:
    """One channel per topic of the registry, one message per event type."""
    assert set(topics()) == set(DOCUMENT["channels"])
    assert set(SOURCE_TYPES | FACT_TYPES) <= set(DOCUMENT["components"]["messages"])
    held = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert held == set(DOCUMENT["components"]["messages"])


def test_operations_are_those_of_our_processes() -> None:
    """Send and receive are said from our side; a billing system is not ours."""
    operations = DOCUMENT["operations"]
    assert "receive" == operations["intake.receive.billing.invoice.v1"]["action"]
    assert "send" == operations["ledger.send.collections.reminder.v1"]["action"]
    group = operations["projector.receive.ledger.movement"]["bindings"]["kafka"]["groupId"]
    assert "cobranza-projector$" == group["pattern"]
    assert not [name for name in operations if name.startswith(("billing-systems", "banks"))]


def test_kafka_settings_are_the_registrys() -> None:
    """Retention, cleaning, partitions, key."""
    channel = DOCUMENT["channels"]["ledger.account"]
    settings = channel["bindings"]["kafka"]["topicConfiguration"]
    assert (["compact"], -1, 30 * 86_400_000) == (
        settings["cleanup.policy"],
        settings["retention.ms"],
        settings["delete.retention.ms"],
    )
    week = DOCUMENT["channels"]["billing.invoice.v1"]["bindings"]["kafka"]["topicConfiguration"]
    assert 7 * 86_400_000 == week["retention.ms"]
    movement = DOCUMENT["components"]["messages"]["ledger.movement.v1"]
    assert topics()["ledger.movement"].key == movement["bindings"]["kafka"]["key"]["description"]


@pytest.mark.parametrize("name", sorted(SOURCE_TYPES | FACT_TYPES))
def test_examples_are_messages(name: str) -> None:
    """Headers and payload of each example are valid by the message's own schemas."""
    message = DOCUMENT["components"]["messages"][name]
    assert message["examples"]
    for part in ("headers", "payload"):
        schema = {**message[part], "components": DOCUMENT["components"]}
        validator = Draft7Validator(schema, format_checker=FormatChecker())
        for example in message["examples"]:
            assert [] == [error.message for error in validator.iter_errors(example[part])]


def _changed(change: Callable[[Json], object]) -> list[str]:
    new = copy.deepcopy(DOCUMENT)
    change(new)
    return [str(each) for each in changes(old=DOCUMENT, new=new)]


def _schema(whole: Json, name: str) -> Json:
    found: Json = whole["components"]["schemas"][name]
    return found


def test_same_contract_has_no_changes() -> None:
    """Texts and examples are none."""

    def reword(whole: Json) -> None:
        _schema(whole, "InvoiceIssued")["description"] = "other words"
        whole["components"]["messages"]["ledger.movement.v1"]["examples"] = []

    assert [] == _changed(reword)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda it: it["channels"].pop("ledger.movement"),
            "BREAKING    ledger.movement: the channel is gone",
        ),
        (
            lambda it: it["channels"]["ledger.movement"].update({"x-partitions": "single"}),
            "BREAKING    ledger.movement: partitions are single, were journal: keys move",
        ),
        (
            lambda it: _schema(it, "WriteOffBooked")["properties"].pop("amount"),
            "BREAKING    billing.write_off.booked.v1 payload.amount: the required field is gone",
        ),
        (
            lambda it: _schema(it, "WriteOffBooked")["properties"]["amount"].update(maxLength=5),
            "BREAKING    billing.write_off.booked.v1 payload.amount: maxLength is 5, was 20",
        ),
        (
            lambda it: _schema(it, "WriteOffBooked")["properties"]["amount"].update(maxLength=50),
            "compatible  billing.write_off.booked.v1 payload.amount: maxLength is 50, was 20",
        ),
        (
            lambda it: _schema(it, "PaymentReceived")["properties"]["means"]["enum"].remove("card"),
            "BREAKING    billing.payment.received.v1 payload.means: value card is gone",
        ),
        (
            lambda it: _schema(it, "PaymentReceived")["properties"]["means"]["enum"].append("shell"),
            "compatible  billing.payment.received.v1 payload.means: value shell is new",
        ),
        (
            lambda it: _schema(it, "Movement")["properties"]["kind"]["enum"].append("lost"),
            "BREAKING    ledger.movement.v1 payload.kind: value lost is new",
        ),
        (
            lambda it: _schema(it, "Movement")["properties"].update(more={"type": "string"}),
            "compatible  ledger.movement.v1 payload.more: the optional field is new",
        ),
        (
            lambda it: _schema(it, "Movement")["required"].remove("currency"),
            "BREAKING    ledger.movement.v1 payload.currency: is optional now",
        ),
        (
            lambda it: _schema(it, "Movement")["properties"]["amount_minor"].update(type="string"),
            "BREAKING    ledger.movement.v1 payload.amount_minor: type is string, was integer",
        ),
        (
            lambda it: it["channels"]["billing.invoice.v1"]["messages"].pop("billing.item.opened.v1"),
            "BREAKING    billing.invoice.v1 billing.item.opened.v1: the message is gone",
        ),
    ],
)
def test_a_change_is_told_with_whom_it_breaks(change: Callable[[Json], object], told: str) -> None:
    """What others send may be widened, what we send may be narrowed; what is gone breaks both."""
    assert [told] == _changed(change)


def test_new_required_field_breaks_who_sends_only() -> None:
    """A producer does not know it; a reader does not mind it."""

    def add(name: str) -> Callable[[Json], object]:
        def change(whole: Json) -> None:
            schema = _schema(whole, name)
            schema["properties"]["more"] = {"type": "string"}
            schema["required"].append("more")

        return change

    assert _changed(add("WriteOffBooked"))[0].startswith("BREAKING ")
    assert _changed(add("Movement"))[0].startswith("compatible ")


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["schemas", *arguments])
    return result.exit_code, result.output


def test_diff_exits_with_1_when_anything_breaks(tmp_path: Path) -> None:
    """Against a file: the same, a wider and a narrower one."""
    old = tmp_path / "old.json"
    old.write_text(document_text(), encoding="utf-8")
    assert (0, f"0 changes since {old}, 0 breaking.\n") == _run("diff", "--against", str(old))
    wider = copy.deepcopy(DOCUMENT)
    _schema(wider, "PaymentReceived")["properties"]["means"]["enum"].append("shell")
    old.write_text(json.dumps(wider), encoding="utf-8")
    exit_code, output = _run("diff", "--against", str(old))
    assert (1, True) == (exit_code, "means: value shell is gone" in output)


def test_diff_says_when_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    """Neither a file nor a revision; a file that is something else."""
    assert "is no file, and no revision" in _run("diff", "--against", "no-such-revision")[1]
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert "is no AsyncAPI document" in _run("diff", "--against", str(other))[1]


def test_export_check_tells_of_the_document(tmp_path: Path) -> None:
    """A stale document fails ``make check``; an export mends it."""
    file = tmp_path / "asyncapi.json"
    assert 1 == _run("export", "--check", "--asyncapi", str(file))[0]
    arguments = ("--directory", str(tmp_path / "json"), "--asyncapi", str(file))
    assert 0 == _run("export", *arguments)[0]
    assert 0 == _run("export", "--check", *arguments)[0]
