"""Tests of the profiles that `provision init` writes: each is valid, converges, and says what it should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from provisioner.baseline import NotInFullProfile, Section
from provisioner.baseline.section import switches
from provisioner.cli.init.profiles import profile_names, profile_text
from provisioner.steps.registry import all_sections

from .cli.test_commands import run_command
from .conftest import ROOT, parse_file

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("profile", profile_names())
def test_a_profile_is_valid_and_converges(capfd: Any, profile: str) -> None:
    file = str(ROOT / "provisioner" / "profiles" / f"{profile}.yaml")
    assert run_command(capfd, "validate", file)[0] == 0
    code, out, err = run_command(capfd, "apply", file, "--sandbox", "--yes")
    assert (code, "AWS shows what was asked" in out) == (0, True), err
    code, out, _ = run_command(capfd, "diff", file, "--sandbox")
    assert (code, out.startswith("No changes.")) == (0, True)


def name_of(kind: type[Section], field: str) -> str:
    return f"{kind.__module__}.{kind.__name__}.{field}"


def set_fields(value: Any) -> Iterator[str]:
    """The fields that a file sets."""
    if isinstance(value, Section):
        yield from (name_of(type(value), each) for each in value.model_fields_set)
        value = dict(value)
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from set_fields(each)


@cache
def fields_of_full() -> frozenset[str]:
    file = parse_file(profile_text("full"))
    return frozenset(each for kind in all_sections().values() for each in set_fields(file[kind]))


def models(annotation: Any) -> Iterator[type[Section]]:
    """The models in the type of a field."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for each in get_args(annotation):
        yield from models(each)


def mark_of(field: FieldInfo) -> NotInFullProfile | None:
    return next((each for each in field.metadata if isinstance(each, NotInFullProfile)), None)


def has_a_value_of_its_own(field: FieldInfo) -> bool:
    """Whether a file without it asks for something too, such as a role of a certain name."""
    return not field.is_required() and bool(field.get_default()) and not [*models(field.annotation)]


def fields_to_use(kind: type[Section]) -> Iterator[tuple[str, NotInFullProfile | None]]:
    """The fields of a section, and of what is in those without a mark."""
    types = [kind.__annotations__.get("__pydantic_extra__")]  # under keys of the user's choice
    for name, field in kind.model_fields.items():
        if name not in switches(kind) and not has_a_value_of_its_own(field):
            yield name_of(kind, name), mark_of(field)
        types += [] if mark_of(field) else [field.annotation]
    for each in types:
        for model in models(each):
            yield from fields_to_use(model)


@pytest.mark.parametrize("section", all_sections())
def test_each_field_of_a_section_is_in_the_full_profile_or_says_why_not(section: str) -> None:
    used = fields_of_full()
    fields = dict(fields_to_use(all_sections()[section]))
    assert [name for name, mark in fields.items() if mark is None and name not in used] == []
    assert [name for name, mark in fields.items() if mark is not None and name in used] == []


def test_each_control_of_cis_that_the_profile_names_is_one_of_its_version() -> None:
    text = profile_text("cis-5.0")
    body = text[text.index("organization_name:") :]
    named = set(re.findall(r"(?<![\d.])([1-5]\.\d+(?:\.\d+)?)(?![\d.]*\d)", "\n".join(_comments(body))))
    last = {"1": 21, "3": 9, "4": 16}
    for each in named:
        chapter, number, *_ = each.split(".")
        assert int(number) <= last.get(chapter, 7), each
    assert {
        "1.7",
        "1.8",
        "1.16",
        "1.19",
        "2.1.3",
        "2.1.4",
        "3.1",
        "3.2",
        "3.3",
        "3.8",
        "4.16",
        "5.1.1",
    } <= named


def _comments(text: str) -> list[str]:
    return [found.group(1) for line in text.splitlines() if (found := re.search(r"(?:^|\s)# (.*)", line))]
