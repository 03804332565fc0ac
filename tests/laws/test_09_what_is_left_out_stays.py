"""Law 9: if a field is left out of the file, `diff` is empty whatever AWS has.

`Break.asked` names the fields that ask for what a break changes; some break names each optional field of the full file.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
import yaml

from provisioner.baseline import Section
from provisioner.baseline.wording import fields_at
from provisioner.engine.run import chosen
from provisioner.sandbox.drift import Break, carry_out, every_break
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import Bench
from .full import FULL, administrator_of, applied, find_break, named_breaks, section_of, steps_of

DATA = yaml.safe_load(FULL)


def paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path below a section, mappings and lists included."""
    if above:
        yield above
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, (*above, str(key)))


def without(value: Any, patterns: str) -> Any:
    """The section without the fields of these patterns, and without mappings that are then empty."""

    def cut(found: Any, above: tuple[str, ...]) -> Any:
        if not isinstance(found, dict):
            return found
        kept = {}
        for key, each in found.items():
            path = (*above, str(key))
            if any(
                pattern.count(".") == len(above) and covers(pattern, path) for pattern in patterns.split()
            ):
                continue
            left = cut(each, path)
            if left != {} or each == {}:
                kept[key] = left
        return kept

    return cut(value, ())


def left_out(section: str, paths: str) -> str:
    data = {**DATA, section: without(DATA[section], paths)}
    assert data[section] != DATA[section], f"{section}.{paths} is not in the full file"
    return str(yaml.safe_dump(data))


SHARDS = 8


@pytest.mark.parametrize("shard", range(SHARDS))
def test_what_the_file_leaves_out_is_kept(shard: int, request: pytest.FixtureRequest) -> None:
    state, wrong = applied(), []
    paths = [each for each in named_breaks() if each.paths]
    bench: Bench = request.getfixturevalue("bench")
    for each in paths[shard::SHARDS]:
        bench.at(state)
        step, _, one = find_break(bench, each)
        text = left_out(section_of(step), one.paths)
        assert carry_out(one)
        left = {step.name for step in chosen(all_steps(), bench.baseline(text))}
        plan = bench.diff(text, only=tuple(name for name in each.related if name in left))
        shown = [(r.step, c.resource, d.field) for r, c in plan.changes for d in c.differences]
        wrong += [f"{each}, and `{one.paths}` left out: {what}" for what in shown]
    assert wrong == []


def optional(kind: type[Section], data: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths in the full file of settings that the model does not require."""
    schema = kind.model_json_schema()
    for path in paths(data):
        around = fields_at(schema, path[:-1])
        required = any(path[-1] in each.get("required", ()) for each in around)
        fields = [each["properties"][path[-1]] for each in around if path[-1] in each.get("properties", {})]
        # Without a field, the key is of the user's choice; see also `NO_SETTING`.
        if fields and not required and all(each.get("setting") is not False for each in fields):
            yield path


@pytest.mark.parametrize("section", all_sections())
def test_each_optional_field_is_broken_by_a_break(section: str, request: pytest.FixtureRequest) -> None:
    state = applied()
    bench: Bench = request.getfixturevalue("bench")
    bench.at(state)
    breaks: list[Break] = [
        one for step in steps_of(section) for _, _, one in every_break(administrator_of(bench), step)
    ]
    paths = {pattern for one in breaks for pattern in one.paths.split()}
    leaves = {
        path
        for path in optional(all_sections()[section], DATA[section])
        if not isinstance(value_at(DATA[section], path), dict)
    }
    missing = sorted(".".join(path) for path in leaves if not any(covers(pattern, path) for pattern in paths))
    assert missing == []


def value_at(data: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        data = data[part]
    return data


def covers(pattern: str, path: tuple[str, ...]) -> bool:
    """Tell whether the pattern matches the path, or a path above it."""
    parts = pattern.split(".")
    return len(parts) <= len(path) and all(map(fnmatchcase, path, parts))
