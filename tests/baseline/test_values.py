"""Tests of scalars in fields of text that take them without quotes, and of sections that ask for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provisioner.baseline import NO_SETTING, BaselineError, Section, parse
from provisioner.baseline.section import AsWritten
from provisioner.steps.registry import all_sections

from ..conftest import Bench
from .sample import HEAD, error_of, messages


class Settings(Section):
    parameters: dict[str, Annotated[str, AsWritten]] = {}  # noqa: RUF012 - pydantic copies a default
    nested: list[Annotated[str, AsWritten]] | None = None
    document: Annotated[list[dict[str, Any]], AsWritten] = []  # noqa: RUF012 - the same
    exact: Annotated[bool, NO_SETTING] = False
    size: int | None = None


KINDS: dict[str, type[Section]] = {"settings": Settings}
SCALARS = [
    "1.30",
    "1e3",
    "1.0e+5",
    "0.10",
    "-0",
    "-0.0",
    "14",
    "true",
    "false",
    "0x1F",
    "010",
    "1_000",
    "yes",
    "12:30",
]


def settings(text: str) -> Settings:
    return parse(HEAD + text, "baseline.yaml", KINDS, {})[Settings]


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?", fullmatch=True)
    | st.sampled_from(SCALARS)
)
@example("1.30")
@example("123456789012345678.123456789012345678")
def test_a_scalar_is_the_text_that_was_written(scalar: str) -> None:
    made = settings(f"settings: {{parameters: {{k: {scalar}, 1.30: x}}, nested: [{scalar}]}}\n")
    assert (made.parameters, made.nested) == ({"k": scalar, "1.30": "x"}, [scalar])


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_scalar_in_an_untyped_document_is_the_text_that_was_written(scalar: str) -> None:
    written = f"{{k: {scalar}, 1.30: [x, {scalar}, {{deep: [{scalar}]}}], none: null}}"
    made = settings(f"settings:\n  parameters: {{k: {scalar}}}\n  document: [{{}}, {written}]\n")
    assert made.document == [{}, {"k": scalar, "1.30": ["x", scalar, {"deep": [scalar]}], "none": None}]
    assert made.parameters == {"k": scalar}
    aliased = settings(f"settings:\n  document: [&a {{k: {scalar}}}, {{<<: *a, b: *a}}]\n")
    assert aliased.document == [{"k": scalar}, {"k": scalar, "b": {"k": scalar}}]


def kinds_below(kind: type[Section]) -> Iterator[type[Section]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("provisioner."):
            yield each
            yield from kinds_below(each)


def test_every_untyped_field_of_a_service_takes_scalars_as_written() -> None:
    assert all_sections()
    untyped = {
        f"{kind.__name__}.{name}": AsWritten in field.metadata
        for kind in kinds_below(Section)
        for name, field in kind.model_fields.items()
        if "Any" in repr(field.annotation)
    }
    assert untyped
    assert all(untyped.values()), untyped


@pytest.mark.parametrize("value", ["", "~", "null", "[1]", "{a: 1}"])
def test_what_is_no_scalar_is_refused(value: str) -> None:
    (found,) = messages_of(f"settings: {{parameters: {{k: {value}}}}}\n")
    assert "settings.parameters.k: want text, got" in found


def messages_of(text: str) -> list[str]:
    with pytest.raises(BaselineError) as caught:
        parse(HEAD + text, "baseline.yaml", KINDS, {})
    return [f"{each.path}: {each.message}" for each in caught.value.problems]


@pytest.mark.parametrize("value", SCALARS[:8])
def test_other_text_wants_quotes(value: str) -> None:
    (found,) = messages(f"trail: {{name: {value}, bucket: b}}\nbuckets: {{b: {{name: b}}}}")
    assert found.endswith(f"got {value}; put it in quotes: '{value}'")


@pytest.mark.parametrize("digits", ["\uff11\uff14", "\u0661\u0664", "\u00b9\u00b2"])
def test_digits_that_yaml_does_not_know_are_no_number(digits: str) -> None:
    (found,) = messages(f"password: {{minimum_password_length: {digits}}}")
    assert "want a whole number" in found
    assert "without quotes" not in found


@pytest.mark.parametrize(
    "text",
    [
        "settings:",
        "settings: {}",
        "settings: {parameters: {}}",
        "settings: {parameters: {}, exact: true}",
        "settings: {size: null, nested: ~}",
        "settings: &a {nested: []}",
    ],
)
def test_a_section_that_asks_for_nothing(text: str) -> None:
    assert messages_of(text + "\n") == [
        "settings: asks for nothing: set a field, such as `parameters`, or remove `settings`"
    ]


def test_a_file_that_asks_for_nothing() -> None:
    (found,) = error_of("").problems
    assert (found.file, found.line) == ("baseline.yaml", 0)
    assert found.message == (
        "asks for nothing: add a section, such as `buckets`; there are `buckets`, `trail` and `password`"
    )
    assert ["no such key" in each for each in messages("pasword: {}\n")] == [True]
    only_overrides = "accounts: {all: true}\noverrides: [{ids: ['123456789012'], settings: {size: 1}}]\n"
    assert parse(HEAD + only_overrides, "b", KINDS, {}).sections == ()


@pytest.mark.parametrize("key", all_sections())
@pytest.mark.parametrize("value", ["", "{}", "{exact: true}", "{exact: false}"])
def test_an_empty_section_is_an_error_or_asks_for_something(bench: Bench, key: str, value: str) -> None:
    text = f"{key}: {value}\n"
    try:
        bench.baseline(text)
    except BaselineError as error:
        problems = error.problems
    else:
        assert bench.diff(text).changes != []
        return
    assert {each.path.split(".")[0] for each in problems} == {key}
