"""Tests of reading a baseline: sections, placeholders, caching, and files that cannot be read."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from pydantic import ValidationError

from provisioner.baseline import BaselineError, load, parse

from .sample import HEAD, HERE, SECTIONS, Bucket, Buckets, Password, messages, read

# Sections


def test_sections_are_typed_and_looked_up_by_class() -> None:
    baseline = read(
        "password:\n  minimum_password_length: 20\ntrail: {name: t, bucket: a}\nbuckets: {a: {name: b}}\n"
    )
    assert baseline[Password] == Password(minimum_password_length=20)
    assert baseline[Buckets].root["a"].name == "b"
    assert baseline.sections == ("password", "trail", "buckets")
    assert baseline.file == "baseline.yaml"


def test_a_missing_section() -> None:
    baseline = read("buckets: {a: {name: b}}")
    assert Password not in baseline
    with pytest.raises(KeyError, match=r"baseline\.yaml has no section 'password'"):
        baseline[Password]


def test_an_empty_section_has_its_defaults() -> None:
    assert read("password:\n")[Password] == Password()


def test_general_settings() -> None:
    general = read('allowed_account_ids: ["012345670123", 123456789012, 012345670123]\npassword:\n').general
    assert (general.organization_name, general.home_region, general.regions) == (
        "acme",
        "eu-west-1",
        ["eu-west-1"],
    )
    assert general.allowed_account_ids == ["012345670123", "123456789012", "012345670123"]
    assert read("regions: [us-east-1, eu-west-1]\npassword:\n").general.regions == ["us-east-1", "eu-west-1"]


@pytest.mark.parametrize(
    "scalar", ["yes", "on", "off", "No", "True", "1:30", "2001-01-01", "0o7", "0x1F", "017", "1_000"]
)
def test_scalars_that_yaml_1_1_converts_stay_text(scalar: str) -> None:
    assert read(f"buckets: {{a: {{name: a, tags: {{k: {scalar}, on: x}}}}}}")[Buckets].root["a"].tags == {
        "k": scalar,
        "on": "x",
    }


def test_a_baseline_is_immutable() -> None:
    baseline = read("password:\n")
    with pytest.raises(FrozenInstanceError):
        baseline.sections = ()  # type: ignore[misc]
    with pytest.raises(ValidationError):
        baseline[Password].require_symbols = False  # type: ignore[misc]


def test_anchors_and_merge_keys() -> None:
    text = """
buckets:
  a: &a {name: a, tags: {k: v}, rules: &r [{id: x}]}
  b: {<<: *a, name: b}
  c: {name: c, rules: *r}
"""
    buckets = read(text)[Buckets].root
    assert buckets["b"] == buckets["a"].model_copy(update={"name": "b"})
    assert buckets["c"].rules == buckets["a"].rules


def test_place_of_a_value() -> None:
    baseline = read(
        "password:\n  require_symbols: false\ntrail: {name: t, bucket: a}\nbuckets:\n  a:\n    name: b\n"
    )
    assert baseline.place(("password", "require_symbols")) == "baseline.yaml:4:20"
    assert baseline.place(("password",)) == "baseline.yaml:3:1"
    assert baseline.place(("password", "max_password_age")) == "baseline.yaml:3:1"
    assert baseline.place(("trail",)) == "baseline.yaml:5:8"
    assert baseline.place(("buckets", "a")) == "baseline.yaml:7:3"


# Placeholders


def filled(value: str, env: dict[str, str] | None = None) -> str | None:
    baseline = read(f"buckets: {{a: {{name: a, tags: {{k: {value}}}}}}}", env)
    return baseline.at(**HERE)[Buckets].root["a"].tags["k"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'${organization_name}-${account_id}'", "acme-222222222222"),
        ("'${region}/${partition}'", "eu-north-1/aws"),
        ("'${env:WHO}!'", "me: [x]!"),
        ("'$${account_id} $$ $'", "${account_id} $ $"),
        ("'${aws:username} ${s3:prefix} ${*} ${?} ${$}'", "${aws:username} ${s3:prefix} ${*} ${?} ${$}"),
        ("\"${aws:PrincipalTag/team, 'none'}\"", "${aws:PrincipalTag/team, 'none'}"),
        ("'${env:TRICK}'", "${account_id}"),
    ],
)
def test_placeholders(value: str, expected: str) -> None:
    assert filled(value, {"WHO": "me: [x]", "TRICK": "${account_id}"}) == expected


def test_placeholders_in_keys_are_kept() -> None:
    tags = read("buckets: {a: {name: a, tags: {'${region}': x}}}")[Buckets].root["a"].tags
    assert tags == {"${region}": "x"}


def test_without_an_account_sample_values_are_used() -> None:
    assert read("buckets: {a: {name: 'x-${account_id}'}}")[Buckets].root["a"].name == "x-123456789012"
    gov = parse("organization_name: a\nhome_region: us-gov-west-1\npassword:\n", "b", SECTIONS, {})
    assert gov.partition == "aws-us-gov"
    assert gov.at(**HERE).partition == "aws"


def test_baselines_are_cached_and_share_equal_sections() -> None:
    baseline = read("password:\nbuckets: {a: {name: 'x-${account_id}'}}")
    here, there = baseline.at(**HERE), baseline.at(**{**HERE, "region": "us-east-1"})
    assert baseline.at(**HERE) is here
    assert here[Buckets] is there[Buckets]  # it does not say ${region}
    assert here[Password] is baseline[Password]


def test_a_value_that_is_invalid_only_for_this_account() -> None:
    baseline = read("buckets:\n  a:\n    name: '${region}'\n")
    with pytest.raises(BaselineError) as caught:
        baseline.at(account_id="222222222222", region="EU", partition="aws")
    assert caught.value.render().splitlines()[0] == (
        "baseline.yaml:5:11: buckets.a.name: want a bucket name of up to 40 characters, got 'EU'"
    )
    assert baseline.at(**HERE)[Buckets]


def test_the_default_region_is_used_only_without_home_region() -> None:
    kinds = {"password": Password}
    text = "organization_name: acme\npassword:\n"
    assert parse(text, "f", kinds, {}, lambda: "eu-north-1").general.regions == ["eu-north-1"]
    home = parse(f"home_region: us-east-1\n{text}", "f", kinds, {}, lambda: "eu-north-1").general.home_region
    assert home == "us-east-1"
    with pytest.raises(BaselineError, match="missing required key 'home_region'"):
        parse(text, "f", kinds, {}, lambda: None)


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_value_of_one_environment_variable_is_converted_to_the_type_of_the_field(quote: str) -> None:
    env = {"N": "20", "B": "false", "T": "12345", "A": "012345670123"}
    n, b, t, a = (f"{quote}${{env:{name}}}{quote}" for name in env)
    password = f"password:\n  minimum_password_length: {n}\n  require_symbols: {b}\n"
    assert read(password, env)[Password] == Password(minimum_password_length=20, require_symbols=False)
    bucket = f"buckets:\n  a:\n    name: {t}\n    owners:\n      - {a}\n"
    assert read(bucket, env)[Buckets].root["a"] == Bucket(name="12345", owners=["012345670123"])
    assert messages("password: {require_symbols: '${env:B}s'}", env) == [
        "3:29: password.require_symbols: want true or false, got '${env:B}s'"
    ]


# Files


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file; name one, or write one with `provision init`"),
        (b"", "the file is empty; start it with 'organization_name: acme'"),
        (b"# nothing\n", "the file is empty; start it with 'organization_name: acme'"),
        (b"#" * (1 << 20) + b"#", "larger than 1 MiB; a baseline is a few kilobytes"),
        ("a: é".encode("utf-16"), "UTF-16; save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "b.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BaselineError) as caught:
        load(path, SECTIONS, {})
    assert str(caught.value) == f"{path}: {expected}"


def test_a_directory_and_an_invalid_encoding(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=": a directory; name a file in it"):
        load(tmp_path, SECTIONS, {})
    path = tmp_path / "b.yaml"
    path.write_bytes(b"# ok\nname: M\xc3\xbcller, M\xfcller\n")
    with pytest.raises(BaselineError, match=r"b.yaml:2:16: byte 0xfc is not UTF-8; save the file as UTF-8"):
        load(path, SECTIONS, {})


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(HEAD + "password:\n")
    assert Password in load(path, SECTIONS, {})
