"""Describe in words what a field accepts, from its section's JSON Schema, for error messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .problem import Path, did_you_mean, listed, quoted

Schema = Mapping[str, Any]

_MAX_CHOICES = 12
_BOUNDS = {
    "minimum": "of at least",
    "maximum": "of at most",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
}


def fields_at(root: Schema, path: Path) -> list[Schema]:
    """The schemas of the value at *path*: several if the field accepts several types."""
    schemas = list(_variants(root, root))
    for part in path:
        schemas = [
            each for one in schemas for child in _children(one, part) for each in _variants(child, root)
        ]
    return schemas


def known_keys(schemas: Sequence[Schema]) -> list[str]:
    """The keys that a mapping accepts, in the order of the section's fields."""
    return list(dict.fromkeys(key for schema in schemas for key in schema.get("properties", ())))


def describe_field(schemas: Sequence[Schema]) -> str:
    """Describe what the field accepts: `a whole number from 6 to 128`."""
    words = dict.fromkeys(_describe(each) for each in schemas if each.get("type") != "null")
    return listed(words) if words else "nothing"


def describe_value(value: Any, text: str) -> str:
    """Describe a value of the file for an error message; *text* is what to show of a scalar."""
    match value:
        case None:
            return "nothing"
        case str():
            return quoted(text)
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list():
            return "a list" if value else "an empty list"
    return text


def hint_for(schemas: Sequence[Schema], value: Any, text: str) -> str:
    """A hint on how to correct the value, for common mistakes; else an empty text."""
    types = {schema.get("type") for schema in schemas}
    if isinstance(value, (bool, int, float)) and "string" in types and "integer" not in types:
        return f"put it in quotes: '{text}'"
    if type(value) in {int, float} and "array" in types:
        return f"write [{text}]"
    if not isinstance(value, str):
        return ""
    choices = [each for schema in schemas for each in _enum(schema) if isinstance(each, str)]
    return did_you_mean(text, choices) or _hint_for_text(types, text)


def _hint_for_text(types: set[Any], text: str) -> str:
    key, colon, rest = text.partition(":")
    if "boolean" in types and text.lower() in {"yes", "on", "y", "true"}:
        return "write true"
    if "boolean" in types and text.lower() in {"no", "off", "n", "false"}:
        return "write false"
    if types & {"integer", "number"} and "string" not in types and re.fullmatch("-?[0-9]+", text):
        return f"write {text.lstrip('0') or '0'}, without quotes or leading zeros" if text[:1] != "-" else ""
    if "object" in types and colon and rest and key.isidentifier() and not rest[0].isspace():
        return f"put a space after '{key}:'"
    plain = text.isprintable() and 0 < len(text) < 60 and not set(text) & set("[]{}#:*&'\"")
    return f"write [{text}]" if plain and "array" in types and "object" not in types else ""


def _variants(schema: Schema, root: Schema) -> Iterator[Schema]:
    """Resolve references and alternatives in the schema, keeping the keys beside them that describe the value."""
    context = {key: schema[key] for key in ("want", "writeOnly", "minItems", "maxItems") if key in schema}
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        for each in _variants(target, root):
            yield {**each, **context}
    elif inner := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        for alternative in inner:
            for each in _variants(alternative, root):
                yield {**each, **context}
    elif isinstance(kinds := schema.get("type"), list):
        yield from ({**schema, "type": kind} for kind in kinds)
    else:
        yield schema


def _children(schema: Schema, part: str | int) -> Iterator[Schema]:
    if isinstance(part, int):
        prefix = schema.get("prefixItems", [])
        candidates = [prefix[part] if part < len(prefix) else schema.get("items")]
    elif part in schema.get("properties", {}):
        candidates = [schema["properties"][part]]
    else:
        candidates = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    yield from (each for each in candidates if isinstance(each, dict))


def _enum(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _describe(schema: Schema) -> str:
    if "want" in schema:
        return str(schema["want"])
    if values := _enum(schema):
        return _describe_choices(values)
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return ("a whole number" if kind == "integer" else "a number") + _range(schema)
    if kind == "string":
        return "text" + _text(schema)
    if kind == "array":
        return "a list" + _span(schema.get("minItems"), schema.get("maxItems"), "item")
    if kind == "object":
        return "a mapping" + _span(schema.get("minProperties"), schema.get("maxProperties"), "key")
    return "true or false" if kind == "boolean" else "something else"


def _describe_choices(values: list[Any]) -> str:
    words = [quoted(each) if isinstance(each, str) else str(each).lower() for each in values]
    if len(words) > _MAX_CHOICES:
        words = [*words[:_MAX_CHOICES], f"{len(words) - _MAX_CHOICES} more"]
    return f"one of {listed(words)}" if len(words) > 2 else listed(words)


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    bounds = [f"{words} {schema[key]}" for key, words in _BOUNDS.items() if key in schema]
    if least is not None and most is not None:
        bounds[:2] = [f"from {least} to {most}"]
    text = f" {' and '.join(bounds)}" if bounds else ""
    return text + (f" that is a multiple of {schema['multipleOf']}" if "multipleOf" in schema else "")


def _text(schema: Schema) -> str:
    pattern = f" that matches {schema['pattern']!r}" if "pattern" in schema else ""
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least == 1 and most is None:
        return pattern or " that is not empty"
    return _span(least, most, "character") + pattern


def _span(least: int | None, most: int | None, unit: str) -> str:
    def many(count: int) -> str:
        return f"{count} {unit}" if count == 1 else f"{count} {unit}s"

    if least is not None and most is not None:
        return f" of {many(least)}" if least == most else f" of {least} to {many(most)}"
    if least is not None:
        return f" of at least {many(least)}"
    return f" of at most {many(most)}" if most is not None else ""
