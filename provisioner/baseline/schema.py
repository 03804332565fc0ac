"""The JSON Schema of the baseline file, for completion and validation in editors.

It is less strict than `load`: it accepts a placeholder in place of a scalar, whatever its value will be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

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


class _Untitled(GenerateJsonSchema):
    """Makes no titles of names: editors show a title above the description, where it only repeats the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic passes it
        """Never: a field has a title only if it is given."""
        return False


def json_schema(sections: Mapping[str, type[Section]]) -> Schema:
    """The schema (draft 2020-12) of a file with these sections."""
    kinds: list[type[Section]] = list(dict.fromkeys([General, *sections.values()]))
    inputs: list[tuple[type[BaseModel], Literal["validation"]]] = [(kind, "validation") for kind in kinds]
    refs, made = models_json_schema(inputs, ref_template="#/$defs/{model}", schema_generator=_Untitled)
    defs = {name: _with_placeholders(schema) for name, schema in made["$defs"].items()}
    for each in defs.values():
        each.pop("title", None)  # the name of a class of ours
    general = defs.pop(refs[General, "validation"]["$ref"].removeprefix("#/$defs/"))
    # An override has only a part of a section, so no key in it is required.
    partial = {
        name: {"type": "object", "minProperties": 1} for name, kind in sections.items() if not kind.once
    }
    defs["Override"]["properties"] |= partial
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


def _with_placeholders(schema: Schema) -> Schema:
    """Make the schema accept a placeholder in place of each scalar that it restricts."""
    schema = {
        key: _nested(key, value) for key, value in schema.items() if key not in {"want", "setting"}
    } | _description(schema)
    if isinstance(kinds := schema.get("type"), list):
        return _with_placeholders(_split_types(schema, kinds))
    if "anyOf" in schema:
        return {**schema, "anyOf": _flatten(schema["anyOf"])}
    if schema.get("type") in ("integer", "number", "boolean"):
        return _either(schema, _ENV_REF)
    limited = any(each in schema for each in _LIMITS)
    return _either(schema, _TEXT_REF) if limited and schema.get("type", "string") == "string" else schema


def _nested(key: str, value: Any) -> Any:
    if key in {"properties", "patternProperties", "$defs"}:
        return {name: _with_placeholders(each) for name, each in value.items()}
    if key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
        return [_with_placeholders(each) for each in value]
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return _with_placeholders(value)
    return value


def _split_types(schema: Schema, kinds: list[str]) -> Schema:
    """Convert a schema of several types to alternatives of one type each."""
    about, rest = _partition(schema)
    return {**about, "anyOf": [{**rest, "type": kind} for kind in kinds]}


def _description(schema: Schema) -> Schema:
    """A description made of `want`, which editors do not show, for a schema that has no description."""
    shown = "want" in schema and "description" not in schema
    return {"description": f"Takes {schema['want']}."} if shown else {}


def _either(schema: Schema, placeholder: Schema) -> Schema:
    about, rest = _partition(schema)
    return {**about, "anyOf": [rest, placeholder]}


def _partition(schema: Schema) -> tuple[Schema, Schema]:
    """The keys that describe the field, and those that restrict its value."""
    about = {key: schema[key] for key in _ABOUT if key in schema}
    return about, {key: value for key, value in schema.items() if key not in about}


def _flatten(alternatives: list[Schema]) -> list[Schema]:
    """Flatten nested alternatives and drop duplicates."""
    flat: list[Schema] = []
    for each in alternatives:
        for one in each["anyOf"] if each.keys() == {"anyOf"} else [each]:
            if one not in flat:
                flat.append(one)
    return flat
