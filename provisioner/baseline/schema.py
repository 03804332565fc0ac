"""The JSON Schema of the whole file, for editors: completion, hover and red lines while typing.

It is a little more generous than `load`: a placeholder may stand where its value is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .general import General
from .section import Section

Schema = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_ENV = {"type": "string", "pattern": r"^\$\{env:[A-Za-z_][A-Za-z0-9_]*\}$"}
_TEXT = {"type": "string", "pattern": r"\$\{[^{}]+\}"}
_ENV_REF = {"$ref": "#/$defs/from-environment"}
_TEXT_REF = {"$ref": "#/$defs/with-placeholder"}
_ABOUT = ("title", "description", "default", "examples", "deprecated")
_LIMITS = ("pattern", "enum", "const", "minLength", "maxLength", "format")


def json_schema(sections: Mapping[str, type[Section]]) -> Schema:
    """The schema (draft 2020-12) of a file with these sections."""
    kinds: list[type[Section]] = list(dict.fromkeys([General, *sections.values()]))
    inputs: list[tuple[type[BaseModel], Literal["validation"]]] = [(kind, "validation") for kind in kinds]
    refs, made = models_json_schema(inputs, ref_template="#/$defs/{model}")
    defs = {name: _open(schema) for name, schema in made["$defs"].items()}
    general = defs.pop(refs[General, "validation"]["$ref"].removeprefix("#/$defs/"))
    # What an override says of a section is a part of it, so that nothing in it is required.
    laid_over = {
        name: {"type": "object", "minProperties": 1} for name, kind in sections.items() if not kind.once
    }
    defs["Override"]["properties"] |= laid_over
    parts = {name: {"anyOf": [refs[kind, "validation"], {"type": "null"}]} for name, kind in sections.items()}
    return {
        "$schema": DRAFT,
        "title": "provision baseline",
        "description": "The security baseline of AWS accounts.",
        "type": "object",
        "properties": {**general["properties"], **parts},
        # The environment or a flag may name the home Region.
        "required": [name for name in general["required"] if name != "home_region"],
        "additionalProperties": False,
        "$defs": {**defs, "with-placeholder": _TEXT, "from-environment": _ENV},
    }


def _open(schema: Schema) -> Schema:
    """The schema, letting a placeholder stand for each scalar whose text it would refuse."""
    schema = {
        key: _inner(key, value) for key, value in schema.items() if key not in {"want", "setting"}
    } | _hover(schema)
    if isinstance(kinds := schema.get("type"), list):
        return _open(_each_type(schema, kinds))
    if "anyOf" in schema:
        return {**schema, "anyOf": _flat(schema["anyOf"])}
    if schema.get("type") in ("integer", "number", "boolean"):
        return _either(schema, _ENV_REF)
    limited = any(each in schema for each in _LIMITS)
    return _either(schema, _TEXT_REF) if limited and schema.get("type", "string") == "string" else schema


def _inner(key: str, value: Any) -> Any:
    if key in {"properties", "patternProperties", "$defs"}:
        return {name: _open(each) for name, each in value.items()}
    if key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
        return [_open(each) for each in value]
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return _open(value)
    return value


def _each_type(schema: Schema, kinds: list[str]) -> Schema:
    """The schema of several types as alternatives of one type."""
    about = {key: schema[key] for key in _ABOUT if key in schema}
    rest = {key: value for key, value in schema.items() if key not in about}
    return {**about, "anyOf": [{**rest, "type": kind} for kind in kinds]}


def _hover(schema: Schema) -> Schema:
    """What a type wants, for the reader of an editor's hover, where no description says more."""
    return (
        {"description": f"Takes {schema['want']}."}
        if "want" in schema and "description" not in schema
        else {}
    )


def _either(schema: Schema, placeholder: Schema) -> Schema:
    about = {key: schema[key] for key in _ABOUT if key in schema}
    return {**about, "anyOf": [{k: v for k, v in schema.items() if k not in about}, placeholder]}


def _flat(alternatives: list[Schema]) -> list[Schema]:
    """Alternatives without alternatives in them, each once."""
    flat: list[Schema] = []
    for each in alternatives:
        for one in each["anyOf"] if each.keys() == {"anyOf"} else [each]:
            if one not in flat:
                flat.append(one)
    return flat
