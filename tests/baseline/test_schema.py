"""Tests of the JSON Schema: it accepts and refuses what we do, and describes the fields for editors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import WithJsonSchema

from provisioner.baseline import Section, parse, yaml_source
from provisioner.baseline.schema import json_schema
from provisioner.baseline.yaml_tree import Node
from provisioner.steps.registry import all_sections

from ..conftest import ROOT
from .sample import HEAD, SECTIONS
from .test_fuzz import EXAMPLE, VALID
from .test_mistakes import MISTAKES

SCHEMA = json_schema(SECTIONS)
NOT_IN_SCHEMA = (
    "got 14.0",
    "3:26: trail.bucket",
    "regions[2]",
    "stands alone",
    "expiration",
    "policy",
    "nothing is called",
    "environment",
    "${env",
)


def plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: plain(entry.node) for key, entry in node.value.items()}
    return [plain(each) for each in node.value] if isinstance(node.value, list) else node.value


def errors(text: str) -> list[str]:
    root = yaml_source.read(text, "b").root
    assert root
    return [each.message for each in Draft202012Validator(SCHEMA).iter_errors(plain(root))]


def test_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["required"] == ["organization_name"], "the home Region may come from the environment"
    assert "'want'" not in str(SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        VALID,
        HEAD + "password:\n",
        HEAD + "allowed_account_ids: [123456789012, '012345670123']\n",
        HEAD + "buckets: {a: {name: '${organization_name}-X', rules: [{id: x, expiration: '${env:D}'}]}}\n",
        HEAD + "password: {require_symbols: '${env:B}'}\n",
        "organization_name: ${env:O}\nhome_region: ${env:R}\n",
    ],
)
def test_accepts_what_we_accept(text: str) -> None:
    assert errors(text) == []


@pytest.mark.parametrize(
    "text", [text for text, message in MISTAKES if not any(each in message for each in NOT_IN_SCHEMA)]
)
def test_refuses_what_we_refuse(text: str) -> None:
    assert errors(HEAD + text)


def test_descriptions_and_choices() -> None:
    storage = SCHEMA["$defs"]["Transition"]["properties"]["storage_class"]
    assert storage["anyOf"] == [
        {"type": "string", "enum": ["STANDARD_IA", "GLACIER", "DEEP_ARCHIVE"]},
        {"$ref": "#/$defs/with-placeholder"},
    ]
    length = SCHEMA["$defs"]["Password"]["properties"]["minimum_password_length"]
    assert length["default"] == 14
    assert SCHEMA["properties"]["home_region"]["description"].startswith("The Region of what exists once")
    assert SCHEMA["$defs"]["Bucket"]["additionalProperties"] is False
    assert (
        SCHEMA["$defs"]["Bucket"]["properties"]["name"]["description"]
        == "Takes a bucket name of up to 40 characters."
    )


def test_no_title_repeats_a_name_above_the_description_in_an_editor() -> None:
    found = [each["title"] for each in mappings(SCHEMA) if isinstance(each.get("title"), str)]
    assert found == ["provision baseline"]


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a nested value."""
    if isinstance(value, dict):
        yield value
        value = [*value.values()]
    for each in value if isinstance(value, list) else ():
        yield from mappings(each)


def test_a_field_of_several_types_accepts_a_placeholder_for_each() -> None:
    class Several(Section):
        it: Annotated[Any, WithJsonSchema({"type": ["string", "integer"], "minLength": 2, "title": "It"})]

    assert json_schema({"several": Several})["$defs"]["Several"]["properties"]["it"] == {
        "title": "It",
        "anyOf": [
            {"type": "string", "minLength": 2},
            {"$ref": "#/$defs/with-placeholder"},
            {"type": "integer", "minLength": 2},
            {"$ref": "#/$defs/from-environment"},
        ],
    }


PROFILES = ROOT / "provisioner" / "profiles"


@pytest.mark.parametrize(
    "path", [ROOT / "baseline.yaml", *sorted(PROFILES.glob("*.yaml"))], ids=lambda path: path.stem
)
def test_each_example_is_accepted(path: Path) -> None:
    text = path.read_text()
    assert parse(text, path.name, all_sections(), {}).sections
    root = yaml_source.read(text, path.name).root
    assert root
    assert list(Draft202012Validator(json_schema(all_sections())).iter_errors(plain(root))) == []


def test_profiles() -> None:
    assert (PROFILES / "simple.yaml").read_text() == (ROOT / "baseline.yaml").read_text()
    full = parse((PROFILES / "full.yaml").read_text(), "full.yaml", all_sections(), {})
    assert set(full.sections) == set(all_sections())
