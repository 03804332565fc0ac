"""Law 8: `diff` refuses a call that AWS would refuse for its parameters; `validate` refuses a value that AWS would.

What AWS refuses comes from botocore's model of each request that the full file makes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from provisioner.aws import Aws, ReadCache
from provisioner.baseline import BaselineError
from provisioner.baseline.section import aws_name
from provisioner.baseline.wording import fields_at
from provisioner.model import Call, Result
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import Bench
from .full import FULL

DATA = yaml.safe_load(FULL)
Path = tuple[str | int, ...]


def leaves(value: Any, shape: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Every scalar of a request, with its shape in AWS's model."""
    if shape.type_name == "structure":
        for key, each in value.items():
            yield from leaves(each, shape.members[key], (*path, key))
    elif shape.type_name == "list":
        for index, each in enumerate(value):
            yield from leaves(each, shape.member, (*path, index))
    elif shape.type_name == "map":
        for key, each in value.items():
            yield from leaves(each, shape.value, (*path, key))
    else:
        yield path, value, shape


def wrong_values(shape: Any) -> Iterator[tuple[str, Any]]:
    """Values that AWS's model does not allow for a scalar, each with what is wrong."""
    limits = shape.metadata
    if shape.type_name == "string":
        if limits.get("enum"):
            yield "not in the enum", "Nonsense"
        if "max" in limits:
            yield "too long", "a" * (limits["max"] + 1)
        yield "not text", 7.5
    elif shape.type_name in {"integer", "long"}:
        if "max" in limits:
            yield "too large", limits["max"] + 1
        if "min" in limits:
            yield "too small", limits["min"] - 1
        yield "not a number", "many"
    elif shape.type_name == "boolean":
        yield "neither true nor false", "yes"


def put(params: Any, path: Path, value: Any) -> Any:
    """A copy of the parameters with another value at *path*."""
    if not path:
        return value
    head, *rest = path
    changed = list(params) if isinstance(params, list | tuple) else dict(params)
    changed[head] = put(params[head], tuple(rest), value)  # type: ignore[call-overload]
    return changed


def planned(bench: Bench) -> list[tuple[Result, Call, Any]]:
    """Every request of a first apply, with the shape of its parameters."""
    run = bench.run(FULL)
    found = []
    for result, change in run.rehearse().changes:
        meta = run.cloud.client(change.call.service, "us-east-1").meta
        model = meta.service_model.operation_model(change.call.name)
        found.append((result, change.call, model.input_shape))
    return found


def refused(aws: Aws, call: Call) -> bool:
    try:
        aws.rehearse(call)
    except Exception as error:  # noqa: BLE001 - any error of botocore that has a message
        return bool(str(error))
    return False


def test_diff_refuses_a_request_that_aws_would_refuse(bench: Bench) -> None:
    run, wrong, tried = bench.run(FULL), [], 0
    for result, call, shape in planned(bench):
        aws = Aws(result.target, run.cloud, ReadCache())
        for path, _, leaf in leaves(call.params, shape):
            for what, value in wrong_values(leaf):
                tried += 1
                if not refused(aws, replace(call, params=put(call.params, path, value))):
                    wrong.append(f"{call.operation} {path}: {what} {value!r}"[:200])
        invalid = [
            {**call.params, "Nonsense": 1},
            *([dict.fromkeys(call.params, 7.5)] if call.params else ()),
        ]
        wrong += [f"{call.operation} {bad}" for bad in invalid if not refused(aws, replace(call, params=bad))]
    assert tried
    assert wrong == []


def scalars(section: str) -> Iterator[tuple[tuple[str, ...], Any, Mapping[str, Any]]]:
    """Every scalar that the full file has in a section, with its JSON Schema."""
    root = all_sections()[section].model_json_schema()

    def walk(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Path, Any]]:
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for key, each in pairs:
                yield from walk(each, (*path, key))
        else:
            yield path, value

    for path, value in walk(DATA[section], ()):
        for schema in fields_at(root, path):
            if schema.get("type") != "null":
                yield path, value, schema  # type: ignore[misc]


def sent_shapes(bench: Bench, section: str) -> dict[tuple[str, str], list[Any]]:
    """The shapes of each scalar that the section's steps send, by its name in AWS and its value."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for result, call, shape in planned(bench):
        if all_steps()[result.step].section is all_sections()[section]:
            for path, value, leaf in leaves(call.params, shape):
                found[str(path[-1]).lower(), json.dumps(value)].append(leaf)
    return found


def looser(schema: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[Any]:
    """Values that the schema of a field accepts and AWS's model does not."""
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        if "max" in limits and schema.get("maximum", float("inf")) > limits["max"]:
            yield limits["max"] + 1
        if "min" in limits and schema.get("minimum", float("-inf")) < limits["min"]:
            yield limits["min"] - 1
    if kind == "string":
        values = set(schema.get("enum", ())) | ({schema["const"]} if "const" in schema else set())
        if limits.get("enum"):
            yield from sorted((values or {"Nonsense"}) - set(limits["enum"]))
        long = "pattern" not in schema and schema.get("maxLength", 10**9) > limits.get("max", 10**9)
        if not values and long and limits["max"] < 10**5:
            yield "a" * (limits["max"] + 1)


@pytest.mark.parametrize("section", all_sections())
def test_validate_refuses_a_value_that_aws_would_refuse(bench: Bench, section: str) -> None:
    shapes, wrong = sent_shapes(bench, section), []
    for path, value, schema in scalars(section):
        leaves_of_aws = shapes[aws_name(str(path[-1])).lower(), json.dumps(value)]
        found = [list(looser(schema, leaf.metadata)) for leaf in leaves_of_aws]
        if found and all(found):  # two fields may have the same name and value
            # What the schema accepts, the section may still refuse as a whole.
            wrong += [
                f"{section}.{path} takes {str(x)[:99]}" for x in found[0] if is_valid(bench, section, path, x)
            ]
    assert wrong == []


def is_valid(bench: Bench, section: str, path: Path, value: Any) -> bool:
    """Whether the full file is valid with another value."""
    try:
        bench.baseline(yaml.safe_dump({**DATA, section: put(DATA[section], path, value)}))
    except BaselineError:
        return False
    return True


@pytest.mark.parametrize("section", all_sections())
def test_validate_names_the_place_of_a_wrong_value(bench: Bench, section: str) -> None:
    wrong, schemas = [], defaultdict(list)
    for path, _, schema in scalars(section):
        schemas[path].append(schema)
    for path, several in schemas.items():
        if any(each["type"] == "string" and not {"enum", "const"} & each.keys() for each in several):
            continue
        text = yaml.safe_dump({**DATA, section: put(DATA[section], path, "nonsense")})
        try:
            bench.baseline(text)
            wrong.append(f"{section}.{path} is accepted")
        except BaselineError as error:
            if not any(
                each.path.startswith(section) and str(path[-1]) in each.path for each in error.problems
            ):
                wrong.append(f"{section}.{path}: {error}")
    assert wrong == []
