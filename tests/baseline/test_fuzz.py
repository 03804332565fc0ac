"""Any input gives a Baseline or a BaselineError, in reasonable time, with valid positions."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provisioner.baseline import Baseline, BaselineError, load, parse, yaml_source

from .sample import HEAD, SECTIONS, Buckets

FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ", "100")),
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
ENV = {"A": "x", "N": "20", "EMPTY": ""}
EXAMPLE = """\
organization_name: acme # a comment
home_region: eu-west-1
regions: [us-east-1, "eu-west-1"]
allowed_account_ids: ["012345670123"]
buckets:
  a: &a
    name: "${organization_name}-${account_id}"
    rules: &r
      - id: 'x'
        transitions: [{ days: 30, storage_class: GLACIER }]
        expiration: 90
    policy: |
      {"${aws:username}": 1}
  b: { <<: *a, name: b, rules: *r }
trail:
  name: ${env:A}
  bucket: a
  is_multi_region_trail: true
password:
  minimum_password_length: ${env:N}
  require_symbols: false
"""


def outcome(text: str) -> Baseline | BaselineError:
    """Parse the text and check the time that it takes and the positions of all problems."""
    start = process_time()
    try:
        return parse(text, "b.yaml", SECTIONS, ENV)
    except BaselineError as caught:
        error = caught
    assert process_time() - start < 2
    lines = yaml_source._lines(text)
    assert error.problems
    for each in error.problems:
        assert 0 <= each.line <= len(lines)
        assert each.column <= 1 + len(lines[each.line - 1]) if each.line else each.column == 0
        assert each.message
    assert all(each.isprintable() or "\t" in each for each in error.render().split("\n"))
    return error


@FUZZ
@given(st.text())
@example("a: &a\n- *a")
@example("? ")
@example("buckets: [1:")
@example("\r\n\x85\u2028:")
def test_any_text(text: str) -> None:
    outcome(text)
    outcome(HEAD + text)


@FUZZ
@given(st.text(alphabet="ab :-[]{}&*!|>%@`'\"#,?<~$\\\n\t1.e", max_size=60))
def test_any_text_of_yaml_characters(text: str) -> None:
    outcome(HEAD + text)
    outcome(f"{HEAD}buckets:\n  a:\n    {text}")


@FUZZ
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes(data: bytes, with_head: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "b.yaml")
        path.write_bytes(HEAD.encode() * with_head + data)
        try:
            load(path, SECTIONS, ENV)
        except BaselineError as error:
            problems = error.problems
        else:
            return
    assert problems


@FUZZ
@given(
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 12),
    st.text(alphabet="ab :-[]{}&*!|>%'\"#,<$\n\t0é\u2028", max_size=4),
)
def test_any_edit(at: int, deleted: int, typed: str) -> None:
    outcome(EXAMPLE[:at] + typed + EXAMPLE[at + deleted :])


@FUZZ
@given(st.integers(0, len(EXAMPLE)), st.text(alphabet="[]{}:'\"\n\t &*", max_size=3))
def test_any_edit_without_libyaml(at: int, typed: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
        outcome(EXAMPLE[:at] + typed + EXAMPLE[at:])


WORDS = st.sampled_from(
    """
    organization_name home_region regions allowed_account_ids buckets trail password a name rules id days
    transitions storage_class expiration GLACIER owners tags size policy bucket << ${env:A} ${env:N} ${region}
    ${ $$ ${env:B} ${env:EMPTY} minimum_password_length require_symbols eu-west-1 012345670123
    """.split()  # noqa: SIM905 - a list takes a line for each
)
LEAVES = WORDS | st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.floats() | st.dates()
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@FUZZ
@given(st.dictionaries(WORDS, TREES, max_size=6), st.booleans())
@example(tree={"buckets": "${env:N}"}, flow=False)
def test_any_tree(tree: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(
        {"organization_name": "acme", "home_region": "eu-west-1", **tree}, default_flow_style=flow
    )
    baseline = outcome(text)
    if isinstance(baseline, Baseline):
        baseline.at(account_id="222222222222", region="eu-north-1", partition="aws")


# Valid line -> invalid replacement, and what its message must contain.
MUTATIONS = {
    "regions: [us-east-1]": ("regions: [us-east-1, nowhere]", "regions[1]"),
    "    name: bucket": ("    name: Bucket", "name"),
    "    tags: {k: v}": ("    tags: {k: 5}", "tags.k"),
    "        expiration: 90": ("        expiration: '90'", "expiration"),
    "          - {days: 30, storage_class: GLACIER}": (
        "          - {days: 30, storage_clas: GLACIER}",
        "storage_clas",
    ),
    "  minimum_password_length: 14": ("  minimum_password_length: 200", "from 6 to 128"),
    "  require_symbols: true": ("  require_symbols: on", "true or false"),
    "  max_password_age: 90": ("  max_password_age: ${env:NOPE}", "NOPE"),
    "  bucket: a": ("  bucket: a\n  bucket: a", "given twice"),
    "  is_multi_region_trail: true": ("  is_multi_regon_trail: true", "is_multi_region_trail"),
}
VALID = f"""{HEAD}regions: [us-east-1]
buckets:
  a:
    name: bucket
    tags: {{k: v}}
    rules:
      - id: x
        transitions:
          - {{days: 30, storage_class: GLACIER}}
        expiration: 90
password:
  minimum_password_length: 14
  require_symbols: true
  max_password_age: 90
trail:
  name: t
  bucket: a
  is_multi_region_trail: true
"""


@FUZZ
@given(st.sets(st.sampled_from(sorted(MUTATIONS)), min_size=1))
def test_every_mutation_is_reported_at_its_line(chosen: set[str]) -> None:
    assert isinstance(outcome(VALID), Baseline)
    text = VALID
    for valid in chosen:
        text = text.replace(valid + "\n", MUTATIONS[valid][0] + "\n")
    error = outcome(text)
    assert isinstance(error, BaselineError)
    found = {(each.line, each.render().split("\n")[0]) for each in error.problems}
    lines, expected = text.split("\n"), {}
    for valid in chosen:
        invalid, word = MUTATIONS[valid]
        expected[lines.index(invalid.split("\n")[-1]) + 1 + invalid.count("\n")] = word
    for number, word in expected.items():
        assert any(line == number and word in message for line, message in found), (number, word, found)
    assert {line for line, _ in found} <= expected.keys()


@FUZZ
@given(st.text(max_size=30), st.text(max_size=10))
def test_a_value_from_the_environment_is_not_parsed(value: str, other: str) -> None:
    text = HEAD + "buckets: {a: {name: a, tags: {k: '${env:V}', o: 'x${env:V}${env:W}'}}}"
    baseline = parse(text, "b", SECTIONS, {"V": value, "W": other})
    assert baseline.sections == ("buckets",)
    assert baseline[Buckets].root["a"].tags == {"k": value, "o": f"x{value}{other}"}
