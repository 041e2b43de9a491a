"""The contracts as one AsyncAPI 3.0 document: channels, messages, operations; derived, never edited.

Topics come from the registry, messages from the register of event types, payloads from the structs,
examples from ``schemas/examples``. The topics of ours that carry no CloudEvents (journal, rows,
chain, dead letters) are channels too, with what a reader must know and no more.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from console.schema_export import without_indentation
from infra.settings import Settings
from schemas.codec import FACT_TYPES, SOURCE_TYPES, TOPIC_OF_TYPE
from schemas.dead_letters import DeadLetter
from schemas.registry import DEAD_LETTER_SUFFIX, Topic, topics
from schemas.rows import Row

__all__ = ["FILE", "document", "document_text"]

FILE = Path(__file__).resolve().parent.parent / "schemas" / "asyncapi.json"
# Of the contract, not of the program: the first number grows with a breaking change.
_VERSION: Final = "1.0.0"
_EXAMPLES = FILE.parent / "examples"
_DAY_MS = 24 * 60 * 60 * 1000
_BINDING = "0.5.0"
_OTHERS = ("billing systems", "banks")  # all other names of the registry are parts of this application
_GROUPS = {
    "intake": "cobranza-intake$",
    "ledger": "cobranza-ledger$",
    "projector": "cobranza-projector$",
    "notifiers": "cobranza-notify-[a-z]+$",
}
Json = dict[str, Any]


def document_text() -> str:
    """Give the document as the file has it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> Json:
    """Make the document."""
    payloads, schemas = _schemas()
    messages = {name: _message(name, payload=payload) for name, payload in payloads.items()}
    messages |= _own_messages()
    registered = topics()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cobranza",
            "version": _VERSION,
            "description": "Accounts-receivable follow-up as a replayable log: billing events in, reminders out.\n\n"
            "Events are CloudEvents 1.0 in binary mode. An installation may have a prefix before every"
            " topic and group. Partition counts and replicas are its settings; here are the defaults.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(topic) for name, topic in registered.items()},
        "operations": dict(sorted(_operations(registered).items())),
        "components": {"messages": dict(sorted(messages.items())), "schemas": schemas},
    }


def _schemas() -> tuple[dict[str, Json], Json]:
    """Give the payload of each event type, and the schemas by name."""
    structs = dict(sorted((SOURCE_TYPES | FACT_TYPES).items()))
    tops, components = msgspec.json.schema_components(
        list(structs.values()), ref_template="#/components/schemas/{name}"
    )
    schemas = {name: _draft_07(without_indentation(each)) for name, each in sorted(components.items())}
    for name, top in zip(structs, tops, strict=True):
        if name in SOURCE_TYPES:  # the envelope says the type; the data may repeat it
            own = schemas[top["$ref"].rpartition("/")[2]]
            own["required"] = [each for each in own["required"] if each != "type"]
    return dict(zip(structs, tops, strict=True)), schemas


def _draft_07(value: Any) -> Any:
    """Say the same in the dialect of AsyncAPI, which knows no ``prefixItems``, and names a discriminator only."""
    if isinstance(value, list):
        return [_draft_07(each) for each in value]
    if not isinstance(value, dict):
        return value
    said = {name: _draft_07(each) for name, each in value.items()}
    if "prefixItems" in said:
        said["additionalItems"] = said.pop("items", True)
        said["items"] = said.pop("prefixItems")
    if isinstance(said.get("discriminator"), dict):  # OpenAPI's has a mapping, too
        said["discriminator"] = said["discriminator"]["propertyName"]
    return said


# -- messages -----------------------------------------------------------------


def _message(event_type: str, *, payload: Json) -> Json:
    struct = (SOURCE_TYPES | FACT_TYPES)[event_type]
    said = _first_sentence(struct)
    return {
        "name": event_type,
        "title": struct.__name__,
        "summary": said,
        "contentType": "application/json",
        "headers": _headers(event_type),
        "payload": payload,
        "bindings": _keyed(topics()[TOPIC_OF_TYPE[event_type]]),
        "examples": _examples(event_type),
    }


def _headers(event_type: str) -> Json:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_type": {"type": "string", "const": event_type},
            "ce_id": text | {"description": "Unique within the source."},
            "ce_source": text | {"description": "Who publishes."},
            "ce_time": {"type": "string", "description": "When it was published."},
            "ce_subject": {"type": "string"},
            "content-type": {"type": "string", "const": "application/json"},
        },
        "required": ["ce_specversion", "ce_type", "ce_id", "ce_source"],
    }


def _examples(event_type: str) -> list[Json]:
    found = []
    for path in sorted((_EXAMPLES / event_type).glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        source = event_type in SOURCE_TYPES
        headers = {
            "ce_specversion": "1.0",
            "ce_type": event_type,
            "ce_id": content["id"],
            "ce_source": content["source"] if source else "cobranza/ledger",
        }
        found.append(
            {"name": path.stem, "headers": headers, "payload": content["data"] if source else content}
        )
    return found


def _own_messages() -> dict[str, Json]:
    """Describe what lies on our own topics: no CloudEvents, and links among the rows."""
    kinds = sorted(str(each.__struct_config__.tag) for each in Row.__args__)
    letter = {f"dlq_{name}": {"type": "string"} for name in DeadLetter.__struct_fields__}
    internal = "Records whose key begins with a NUL byte are the engine's own: skip them."
    registered = topics()
    return {
        "ledger.row": {
            "name": "ledger.row",
            "title": "A row of the state",
            "summary": f"The newest value of a key stands; no value: the row is gone. {internal}",
            "payload": {
                "type": ["object", "null"],
                "properties": {"kind": {"type": "string", "enum": kinds}},
                "required": ["kind"],
            },
            "bindings": _keyed(registered["ledger.account"]),
        },
        "ledger.entry": {
            "name": "ledger.entry",
            "title": "An entry of the journal",
            "summary": "[event, id, source]: the event with its type inside, and the CloudEvents id and source.",
            "payload": {"type": "array", "minItems": 3, "maxItems": 3},
            "bindings": _keyed(registered["ledger.journal"]),
        },
        "ledger.link": {
            "name": "ledger.link",
            "title": "A link of the chain",
            "summary": "[from, to, cursor, fold version, first]: one per transaction of the ledger.",
            "payload": {"type": "array", "minItems": 4, "maxItems": 5},
            "bindings": _keyed(registered["ledger.chain"]),
        },
        "dead.letter": {
            "name": "dead.letter",
            "title": "A record that could not be used",
            "summary": "Key, value and headers as they came; these headers say why and where from.",
            "contentType": "application/octet-stream",
            "headers": {"type": "object", "properties": letter, "required": sorted(letter)},
            "payload": {},
        },
    }


_OWN = {"ledger.account": "ledger.row", "ledger.journal": "ledger.entry", "ledger.chain": "ledger.link"}


def _message_names(topic: str) -> list[str]:
    if topic.endswith(DEAD_LETTER_SUFFIX):
        return ["dead.letter"]
    if topic in _OWN:
        return [_OWN[topic]]
    return sorted(name for name, place in TOPIC_OF_TYPE.items() if place == topic)


def _keyed(topic: Topic) -> Json:
    key = {"type": "string", "description": topic.key}
    return {"kafka": {"key": key, "bindingVersion": _BINDING}}


def _first_sentence(struct: type) -> str:
    return (struct.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


# -- channels and operations --------------------------------------------------


def _channel(topic: Topic) -> Json:
    names = _message_names(topic.name)
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": _kafka(topic)},
        "x-owner": topic.owner,
        "x-producers": list(topic.producers),
        "x-consumers": list(topic.consumers),
        "x-pii": topic.pii,
        "x-partitions": topic.partitions,
    }


def _kafka(topic: Topic) -> Json:
    defaults = Settings.model_fields
    counts = {
        "journal": defaults["partitions"].default,
        "source": defaults["source_partitions"].default,
        "single": 1,
    }
    settings: Json = {
        "cleanup.policy": [topic.cleanup],
        "retention.ms": topic.retention_days * _DAY_MS if isinstance(topic.retention_days, int) else -1,
        "max.message.bytes": topic.max_message_bytes,
    }
    if topic.delete_retention_days is not None:
        settings["delete.retention.ms"] = topic.delete_retention_days * _DAY_MS
    return {
        "topic": topic.name,
        "partitions": counts[topic.partitions],
        "topicConfiguration": settings,
        "bindingVersion": _BINDING,
    }


def _operations(registered: dict[str, Topic]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, topic in registered.items():
        for action, processes in (("send", topic.producers), ("receive", topic.consumers)):
            for process in processes:
                if process not in _OTHERS:
                    who = process.replace(" ", "-")
                    found[f"{who}.{action}.{name}"] = _operation(name, action=action, process=process)
    return found


def _operation(channel: str, *, action: str, process: str) -> Json:
    said: Json = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": f"{process} {'writes' if action == 'send' else 'reads'} {channel}.",
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in _message_names(channel)],
    }
    if action == "receive" and process in _GROUPS:
        group = {"type": "string", "pattern": _GROUPS[process]}
        said["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _BINDING}}
    return said
