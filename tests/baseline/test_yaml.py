"""Tests of YAML errors, and of files that try to run code, grow, or nest without limit."""

from __future__ import annotations

from time import process_time

import pytest

from provisioner.baseline import parse, yaml_source

from .sample import HEAD, SECTIONS, error_of, messages

ERRORS: list[tuple[str, str]] = [
    ("\tregions: [a]\n", "3:1: a tab; indent with spaces"),
    ("password:\n\trequire_symbols: true\n", "4:1: a tab; indent with spaces"),
    ("regions:us-east-1\npassword:\n", "3:1: a space is missing after 'regions:'"),
    ("trail:\n  name:foo\n  bucket: c\n", "5:9: a space is missing after 'name:' in line 4"),
    ("key without colon\npassword:\n", "3:1: a key without ':'; write 'key: value'"),
    ("trail: {name: 'x, bucket: c}\n", "3:15: the text that starts with ' here is never closed"),
    ('trail:\n  name: "abc\n\n  bucket: b\n', '4:9: the text that starts with " here is never closed'),
    ("trail: {name: 'it's'}\n", "3:8: this { is not closed before 's'}' in line 3, or a comma is missing"),
    ("trail:\n  name: 'it's'\n", "4:13: the text goes on after its closing quote; write '' for a ' in single quotes"),
    ("regions: [a, b\npassword:\n", "3:10: this [ is not closed before ':' in line 4, or a comma is missing"),
    ("trail: {name: b bucket: d}\n", "3:8: this { is not closed before ':' in line 3, or a comma is missing"),
    ("trail: {\n", "3:8: this { is never closed; end it with }"),
    ("regions: [\n  a,\n", "3:10: this [ is never closed; end it with ]"),
    ("trail: {name: [a}\n", "3:15: this [ is not closed before '}' in line 3, or a comma is missing"),
    ("regions: [${env:X}]\n", "3:11: '${...}' between [ ] or { } must stand in double quotes"),
    ("trail: {name: ${env:X}}\n", "3:15: '${...}' between [ ] or { } must stand in double quotes"),
    ("trail:\n  name: b\n bucket: d\n", "5:2: this does not fit into the mapping around it; check indentation and quotes before it"),
    ("trail:\n  name: b\n    bucket: d\n", "5:11: did not expect a key here; check the indentation, and that the line before ends in ':'"),
    ("regions:\n- us-east-1\n  - b\npassword:\n  - a\n  b: c\n", "8:3: a list goes on here with something that does not start with '- '; check the indentation"),
    ("trail:\n  name: a: b\n", "4:10: two ': ' in one line; put the value in quotes"),
    ("trail: {name: @x}\n", "3:15: text that starts with @ must stand in quotes"),
    ("trail:\n  name: %x\n", "4:9: text that starts with % must stand in quotes"),
    ('trail: {name: "\\q"}\n', "3:16: a \\ in double quotes starts an escape; write \\\\ or use single quotes"),
    ("password: ]\n", "3:11: did not expect ] here; quote it if it is text"),
    ("---\npassword:\n", "3:1: a second document starts here; one file holds one baseline"),
    ("...\nfoo\n", "4:1: the file goes on after its end; quote it, or check the indentation"),
    ("? [a]\n: b\n", "3:3: a key must be text, not a list or a mapping; if this is text, quote it"),
    ("password: {{ name }}\n", "3:12: password: a key must be text, not a list or a mapping; if this is text, quote it"),
    ("password: &a {minimum_password_length: *a}\n", "3:40: password.minimum_password_length: '*a' would hold itself"),
    ("password: *pasword\n", "3:11: password: '*pasword' has no anchor above it"),
    ("password: !!python/object/apply:os.system [ls]\n", "3:11: password: tag '!!python/object/apply:os.system' is not allowed here; take it away"),
    ("password: {require_symbols: !yes true}\n", "3:29: password.require_symbols: tag '!yes' is not allowed here; take it away"),
    ("password: {require_symbols: !!int true}\n", "3:29: password.require_symbols: tag '!!int' is not allowed here; take it away"),
    ("regions: &a [us-east-1]\nallowed_account_ids: &a ['123456789012']\n", "4:22: allowed_account_ids: anchor '&a' is already set in line 3"),
    ("<<: 5\n", "3:5: ['<<']: want a mapping to merge, such as '<<: *name'"),
    ("password: {require_symbols: true, require_symbols: false}\n", "3:35: password.require_symbols: this key is given twice, here and in line 3; keep one of them"),
    ("password:\n\npassword:\n", "5:1: password: this key is given twice, here and in line 3; keep one of them"),
    ("password: \x07\n", "3:11: control character U+0007 is not allowed; take it away"),
    ("# é\npassword: \ufeff\n", "4:11: zero width no-break space (U+FEFF), which nobody sees: delete it, or write \\uFEFF in double quotes"),
    ("password: " + "[" * 60, "3:60: nested more than 50 levels deep"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ERRORS, ids=[f"{i}" for i in range(len(ERRORS))])
def test_yaml_error(text: str, expected: str) -> None:
    assert messages(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", "1:1: want keys and values at the top of the file, such as 'organization_name: acme'"),
        ("home_region:a\n", "1:1: want keys and values at the top of the file, such as 'organization_name: acme'; put a space after 'home_region:'"),
        ("%YAML 3.0\n---\na: b\n", "1:1: not YAML: found incompatible YAML document"),
    ],
)  # fmt: skip
def test_error_at_the_top(text: str, expected: str) -> None:
    assert messages(text, head="") == [expected]


def test_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_source, "_LOADER", yaml_source.yaml.SafeLoader)
    text = (
        HEAD
        + "password: &a {minimum_password_length: 20}\ntrail:\n  name: 'b'\n  bucket: c\nbuckets: {c: {name: c}}\n"
    )
    baseline = parse(text, "b", SECTIONS, {})
    assert baseline.place(("password", "minimum_password_length")) == "b:3:40"
    assert baseline.place(("trail",)) == "b:4:1"
    same = [text for text, expected in ERRORS if messages(text) == [expected]]
    assert len(same) > len(ERRORS) * 2 / 3
    assert all(len(messages(text)) == 1 for text, _ in ERRORS)


def test_warning_about_a_large_file_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_source, "FAST", False)
    with pytest.warns(UserWarning, match="without libyaml"):
        parse(HEAD + "password:\n" + "# padding\n" * 10_000, "b", SECTIONS, {})


def test_tags_that_name_the_actual_type_are_allowed() -> None:
    text = "trail: {name: !!str 12, bucket: !!str x}\nbuckets: !!map {x: {name: x, owners: !!seq []}}\npassword: !!null\n"
    assert parse(HEAD + text, "b", SECTIONS, {}).sections == ("trail", "buckets", "password")


def test_an_alias_bomb_is_refused() -> None:
    levels = "".join(f"  k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 10)}]\n" for i in range(1, 9))
    text = f"password:\n  k0: &k0 [x]\n{levels}"
    start = process_time()
    assert messages(text) == ["9:27: more than 100,000 values, counting each alias in full"]
    assert process_time() - start < 1


def test_a_merge_bomb_is_refused() -> None:
    levels = "".join(
        f"k{i}: &k{i}\n  a{i}: *k{i - 1}\n  b{i}: *k{i - 1}\n  <<: *k{i - 1}\n" for i in range(1, 30)
    )
    start = process_time()
    assert "more than 100,000 values" in messages(f"k0: &k0 {{x: y}}\n{levels}")[0]
    assert process_time() - start < 1


def test_depth_of_aliases_is_limited() -> None:
    levels = "".join(f"k{i}: &k{i} [*k{i - 1}]\n" for i in range(1, 60))
    assert "nested more than 50 levels deep" in messages(f"k0: &k0 []\n{levels}")[0]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500_000,
        "- " * 500_000,
        "{a: " * 200_000,
        "? " * 500_000,
        "password: {" + "a, " * 300_000,
        "- '${env:NO}'\n" * 60_000,
        "regions:\n" + "- '${env:NO}'\n" * 60_000,
        "regions:\n" + "- 5\n" * 90_000,
        "regions:\n" + "- *a\n" * 90_000,
        "".join(f"k{i}:\n" for i in range(90_000)),
        "password:\n" + "".join(f"  k{i}:\n" for i in range(90_000)),
        "a:\n" * 90_000,
        "%X\n" * 300_000,
    ],
    ids=lambda text: text[:12],
)
def test_no_file_takes_long(text: str) -> None:
    start = process_time()
    problems = error_of(text, {f"NAME_{i}": "x" for i in range(100)}).problems
    assert process_time() - start < 5
    assert len(problems) < 1000


def test_surrogates_are_refused() -> None:
    assert "password" in str(error_of('password: {require_symbols: "\\ud800"}'))
    assert "is not UTF-8" in str(error_of("trail: {name: '${env:X}', bucket: a}", {"X": "\udcff"}))
