"""The JSON Schema of rules.yaml, with the keys of every connector and notifier, for editors that complete and check."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from listener.rules.packs import SHIPPED
from listener.rules.shape import RulesText

Schema = dict[str, Any]


def json_schema(
    connectors: Mapping[str, type[BaseModel]],
    notifiers: Mapping[str, type[BaseModel]],
    packs: Iterable[str] = SHIPPED,
) -> Schema:
    """The schema as JSON values (draft 2020-12). The same models and packs give the same schema, key for key."""
    schema = _untitled(RulesText.model_json_schema())
    definitions: Schema = schema["$defs"]
    for name, section in schema["properties"].items():
        schema["properties"][name] = _or_empty(section)
    schema["properties"]["include"]["anyOf"][0] = _choices(sorted(packs))
    _offer(definitions, "SourceText", "connector", connectors)
    _offer(definitions, "ChannelText", "notifier", notifiers)
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "rules.yaml of Listener"}
    return {**title, **schema, **_NO_PACK, "$defs": dict(sorted(definitions.items()))}


# Without packs a topic has to bring its words itself.
_WORDS: Schema = {"additionalProperties": {"required": ["any"]}}
_NO_PACK: Schema = {
    "if": {"not": {"required": ["include"]}},
    "then": {"properties": {"topics": _WORDS, "intents": _WORDS}},
}


def _choices(names: list[str]) -> Schema:
    """One of the names, or a list of them."""
    return {"anyOf": [{"enum": names}, {"type": "array", "items": {"enum": names}}]}


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of names; a property that is called title stays."""
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _untitled(item) for name, item in value.items()}
        if key in ("properties", "$defs")
        else _untitled(value)
        for key, value in schema.items()
        if key != "title"
    }


def _or_empty(section: Schema) -> Schema:
    """A section whose lines are all commented out is an empty one."""
    description = {"description": section.pop("description")} if "description" in section else {}
    return {"anyOf": [section, {"type": "null"}], **description}


def _offer(definitions: Schema, holder: str, key: str, models: Mapping[str, type[BaseModel]]) -> None:
    """Make the definition `holder` take, for each value of `key`, exactly the keys of that model beside its own."""
    own: Schema = definitions[holder]
    own.pop("additionalProperties", None)
    own["properties"][key]["enum"] = sorted(models)
    own["allOf"] = []
    for name, model in sorted(models.items()):
        place = f"{key}.{name}"
        definitions[place] = _settings(definitions, place, model, own["properties"])
        case = {"properties": {key: {"const": name}}, "required": [key]}
        own["allOf"].append({"if": case, "then": {"$ref": f"#/$defs/{place}"}})


def _settings(definitions: Schema, place: str, model: type[BaseModel], own: Schema) -> Schema:
    """The keys of one connector or notifier; each may come from the environment as `<key>_env`."""
    schema = _untitled(model.model_json_schema(ref_template=f"#/$defs/{place}.{{model}}"))
    for name, inner in schema.pop("$defs", {}).items():
        definitions[f"{place}.{name}"] = inner
    properties: Schema = dict.fromkeys(own, True)
    for name, value in schema.get("properties", {}).items():
        properties[name] = value
        properties[f"{name}_env"] = {
            "type": "string",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "description": f"The environment variable (in .env) that holds {name}.",
        }
    either = [{"anyOf": [{"required": [name]}, {"required": [f"{name}_env"]}]} for name in schema.get("required", ())]
    result: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if "description" in schema:
        result["description"] = schema["description"]
    return {**result, "allOf": either} if either else result
