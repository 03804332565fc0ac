"""Whatever comes in at the front door, out comes a Baseline or a BaselineError: soon, and pointing right."""

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
    """What comes out, soon; anything but the two is a failure, and so is an error that points nowhere."""
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
def test_any_bytes(data: bytes, start_well: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "b.yaml")
        path.write_bytes(HEAD.encode() * start_well + data)
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
def test_any_slip_of_the_hand(at: int, gone: int, typed: str) -> None:
    outcome(EXAMPLE[:at] + typed + EXAMPLE[at + gone :])


@FUZZ
@given(st.integers(0, len(EXAMPLE)), st.text(alphabet="[]{}:'\"\n\t &*", max_size=3))
def test_any_slip_of_the_hand_without_libyaml(at: int, typed: str) -> None:
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
def test_any_tree(tree: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(
        {"organization_name": "acme", "home_region": "eu-west-1", **tree}, default_flow_style=flow
    )
    made = outcome(text)
    if isinstance(made, Baseline):
        made.at(account_id="222222222222", region="eu-north-1", partition="aws")


# A right line, a wrong one in its place, and the word that must be told.
PLANTS = {
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
PLANTED = f"""{HEAD}regions: [us-east-1]
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


def test_before_anything_is_planted_all_is_well() -> None:
    assert isinstance(outcome(PLANTED), Baseline)


@FUZZ
@given(st.sets(st.sampled_from(sorted(PLANTS)), min_size=1))
def test_every_planted_mistake_is_told_with_its_line(chosen: set[str]) -> None:
    text = PLANTED
    for right in chosen:
        text = text.replace(right + "\n", PLANTS[right][0] + "\n")
    error = outcome(text)
    assert isinstance(error, BaselineError)
    told = {(each.line, word) for each in error.problems for word in [each.render().split("\n")[0]]}
    lines = text.split("\n")
    for right in chosen:
        wrong, word = PLANTS[right]
        number = lines.index(wrong.split("\n")[-1]) + 1 + wrong.count("\n")
        assert any(line == number and word in words for line, words in told), (right, told)
    assert {line for line, _ in told} <= {
        lines.index(PLANTS[right][0].split("\n")[-1]) + 1 + PLANTS[right][0].count("\n") for right in chosen
    }


@FUZZ
@given(st.text(max_size=30), st.text(max_size=10))
def test_a_value_from_the_environment_is_only_ever_a_value(value: str, other: str) -> None:
    text = HEAD + "buckets: {a: {name: a, tags: {k: '${env:V}', o: 'x${env:V}${env:W}'}}}"
    baseline = parse(text, "b", SECTIONS, {"V": value, "W": other})
    assert baseline.sections == ("buckets",)
    assert baseline[Buckets].root["a"].tags == {"k": value, "o": f"x{value}{other}"}
