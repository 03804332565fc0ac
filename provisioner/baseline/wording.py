"""What a field takes, in words, read off its section's JSON Schema: one source for errors and editors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .problem import Path, did_you_mean, listed, quoted

Schema = Mapping[str, Any]

_MOST_CHOICES = 12


def fields_at(root: Schema, path: Path) -> list[Schema]:
    """The schemas of the value at *path*; more than one where the field takes one of several shapes."""
    here = list(_variants(root, root))
    for part in path:
        here = [
            each for schema in here for child in _children(schema, part) for each in _variants(child, root)
        ]
    return here


def known_keys(schemas: Sequence[Schema]) -> list[str]:
    """The keys that a mapping takes, in the order of the section."""
    return list(dict.fromkeys(key for schema in schemas for key in schema.get("properties", ())))


def choices(schemas: Sequence[Schema]) -> list[str]:
    """The words to choose from, where a field has such."""
    return [each for schema in schemas for each in _enum(schema) if isinstance(each, str)]


def in_words(schemas: Sequence[Schema]) -> str:
    """What the field takes: `a whole number from 6 to 128`."""
    words = dict.fromkeys(_words(each) for each in schemas if each.get("type") != "null")
    return listed(words) if words else "nothing"


def value_in_words(value: Any, shown: str) -> str:
    """What stands in the file, short, for after `got`; *shown* is a scalar's text."""
    match value:
        case None:
            return "nothing"
        case str():
            return quoted(shown)
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list():
            return "a list" if value else "an empty list"
    return shown


def advice(schemas: Sequence[Schema], value: Any, text: str) -> str:
    """What to do about it, where the slip is a usual one."""
    types = {schema.get("type") for schema in schemas}
    if isinstance(value, str) and (meant := did_you_mean(text, choices(schemas))):
        return meant
    if isinstance(value, (bool, int, float)) and "string" in types and "integer" not in types:
        return f"put it in quotes: '{text}'"
    if type(value) in {int, float} and "array" in types:
        return f"write [{text}]"
    if isinstance(value, str):
        return _advice_on_text(types, text)
    return ""


def _advice_on_text(types: set[Any], text: str) -> str:
    key, colon, rest = text.partition(":")
    if "boolean" in types and text.lower() in {"yes", "on", "y", "true"}:
        return "write true"
    if "boolean" in types and text.lower() in {"no", "off", "n", "false"}:
        return "write false"
    if types & {"integer", "number"} and "string" not in types and text.removeprefix("-").isdecimal():
        return f"write {text.lstrip('0') or '0'}, without quotes or leading zeros" if text[:1] != "-" else ""
    if "object" in types and colon and rest and key.isidentifier() and not rest[0].isspace():
        return f"put a space after '{key}:'"
    if (
        "array" in types
        and "object" not in types
        and text
        and text.isprintable()
        and not set(text) & set("[]{}#:*&'\"")
    ):
        return f"write [{text}]" if len(text) < 60 else ""
    return ""


def _variants(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The schema without references and alternatives; what is said around them is kept."""
    around = {key: schema[key] for key in ("want", "minItems", "maxItems") if key in schema}
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        for each in _variants(target, root):
            yield {**each, **around}
    elif inner := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        for alternative in inner:
            for each in _variants(alternative, root):
                yield {**each, **around}
    elif isinstance(kinds := schema.get("type"), list):
        yield from ({**schema, "type": kind} for kind in kinds)
    else:
        yield schema


def _children(schema: Schema, part: str | int) -> Iterator[Schema]:
    if isinstance(part, int):
        prefix = schema.get("prefixItems", [])
        inner = prefix[part] if part < len(prefix) else schema.get("items")
        candidates = [inner]
    elif part in schema.get("properties", {}):
        candidates = [schema["properties"][part]]
    else:
        candidates = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    yield from (each for each in candidates if isinstance(each, dict))


def _enum(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _words(schema: Schema) -> str:
    if "want" in schema:
        return str(schema["want"])
    if values := _enum(schema):
        return _choice(values)
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return ("a whole number" if kind == "integer" else "a number") + _range(schema)
    if kind == "string":
        return "text" + _text(schema)
    if kind == "array":
        return "a list" + _span(schema.get("minItems"), schema.get("maxItems"), "item")
    if kind == "object":
        return "a mapping" + _span(schema.get("minProperties"), schema.get("maxProperties"), "key")
    return {"boolean": "true or false"}.get(str(kind), "something else")


def _choice(values: list[Any]) -> str:
    words = [quoted(each) if isinstance(each, str) else str(each).lower() for each in values]
    if len(words) > _MOST_CHOICES:
        words = [*words[:_MOST_CHOICES], f"{len(words) - _MOST_CHOICES} more"]
    return f"one of {listed(words)}" if len(words) > 2 else listed(words)


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    text = f" from {least} to {most}" if None not in (least, most) else ""
    if not text:
        text = (
            f" of at least {least}"
            if least is not None
            else f" of at most {most}"
            if most is not None
            else ""
        )
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    text += f" above {above}" if above is not None else ""
    text += " and" if None not in (above, below) else ""
    text += f" below {below}" if below is not None else ""
    return text + (f" that is a multiple of {schema['multipleOf']}" if "multipleOf" in schema else "")


def _text(schema: Schema) -> str:
    pattern = f" that matches {schema['pattern']!r}" if "pattern" in schema else ""
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least == 1 and most is None:
        return f"{pattern or ' that is not empty'}"
    return _span(least, most, "character") + pattern


def _span(least: int | None, most: int | None, unit: str) -> str:
    def many(count: int) -> str:
        return f"{count} {unit}" if count == 1 else f"{count} {unit}s"

    if least is not None and most is not None:
        return f" of {many(least)}" if least == most else f" of {least} to {many(most)}"
    if least is not None:
        return f" of at least {many(least)}"
    return f" of at most {many(most)}" if most is not None else ""
