"""Tests of error messages: position, text and hint of each error, all errors at once, no secrets."""

from __future__ import annotations

import pytest

from .sample import error_of, messages

MISTAKES: list[tuple[str, str]] = [
    ("password: {minimum_password_length: x}", "3:37: password.minimum_password_length: want a whole number from 6 to 128, got 'x'"),
    ("password: {minimum_password_length: 5}", "3:37: password.minimum_password_length: want a whole number from 6 to 128, got 5"),
    ("password: {minimum_password_length: 14.0}", "3:37: password.minimum_password_length: want a whole number from 6 to 128, got 14.0"),
    ("password: {minimum_password_length: true}", "3:37: password.minimum_password_length: want a whole number from 6 to 128, got true"),
    ("password: {minimum_password_length: '14'}", "3:37: password.minimum_password_length: want a whole number from 6 to 128, got '14'; write 14, without quotes or leading zeros"),
    ("password: {minimum_password_length: 014}", "3:37: password.minimum_password_length: want a whole number from 6 to 128, got '014'; write 14, without quotes or leading zeros"),
    ("password:\n  minimum_password_length:\n", "4:3: password.minimum_password_length: want a whole number from 6 to 128, got nothing"),
    ("password: {max_password_age: 0}", "3:30: password.max_password_age: want a whole number of at least 1, got 0"),
    ("password: {require_symbols: yes}", "3:29: password.require_symbols: want true or false, got 'yes'; write true"),
    ("password: {require_symbols: 1}", "3:29: password.require_symbols: want true or false, got 1"),
    ("password: {require_symbols: [true]}", "3:29: password.require_symbols: want true or false, got a list"),
    ("password: [a]", "3:11: password: want a mapping, got a list"),
    ("password:\n  require_symbols:false\n", "4:3: password: want a mapping, got 'require_symbols:false'; put a space after 'require_symbols:'"),
    ("trail: {name: t, bucket: b, is_multi_regon_trail: true}\nbuckets: {b: {name: b}}", "3:29: trail.is_multi_regon_trail: no such key; did you mean 'is_multi_region_trail'?"),
    ("password: {xyz: 1}", "3:12: password.xyz: no such key; known are 'minimum_password_length', 'require_symbols' and 'max_password_age'"),
    ("pasword:\n", "3:1: pasword: no such key; did you mean 'password'?"),
    ("trail:\n  bucket: b\nbuckets: {b: {name: b}}", "3:1: trail: missing required key 'name'"),
    ("buckets:\n  a: {tags: {}}\n", "4:6: buckets.a: missing required key 'name'"),
    ("buckets: {a: {name: a, rules: [{id: x, transitions: [{days: 1, storage_class: glacer}]}]}}", "3:79: buckets.a.rules[0].transitions[0].storage_class: want one of 'STANDARD_IA', 'GLACIER' or 'DEEP_ARCHIVE', got 'glacer'; did you mean 'GLACIER'?"),
    ("buckets: {a: {name: a, rules: {id: x}}}", "3:31: buckets.a.rules: want a list, got a mapping"),
    ("buckets: {a: {name: a, owners: 123456789012}}", "3:32: buckets.a.owners: want a list, got 123456789012; write [123456789012]"),
    ("buckets: {a: {name: a, owners: [12345678901]}}", "3:33: buckets.a.owners[0]: want an account id of 12 digits, in quotes where it starts with 0, got 12345678901"),
    ("buckets: {a: {name: a, size: -1}}", "3:30: buckets.a.size: want a number above 0, got -1"),
    ("buckets: {a: {name: 14}}", "3:21: buckets.a.name: want a bucket name of up to 40 characters, got 14; put it in quotes: '14'"),
    ("buckets: {a: {name: 1.10}}", "3:21: buckets.a.name: want a bucket name of up to 40 characters, got 1.10; put it in quotes: '1.10'"),
    (f"buckets: {{a: {{name: {'a' * 41}}}}}", f"3:21: buckets.a.name: want a bucket name of up to 40 characters, got '{'a' * 41}' of 41 characters"),
    ('buckets: {a: {name: "A\\e[31m"}}', "3:21: buckets.a.name: want a bucket name of up to 40 characters, got 'A\\x1b[31m'"),
    ("buckets: {a.b: {name: A}}", "3:23: buckets['a.b'].name: want a bucket name of up to 40 characters, got 'A'"),
    ("buckets: {a: {name: a, tags: {k: 1}}}", "3:34: buckets.a.tags.k: want text, got 1; put it in quotes: '1'"),
    ("buckets: {a: {name: a, policy: x}}", "3:32: buckets.a.policy: want a JSON document, it starts with x"),
    ("buckets: {a: {name: a, rules: [{id: x, transitions: [{days: 9, storage_class: GLACIER}], expiration: 9}]}}", "3:102: buckets.a.rules[0].expiration: want more than the 9 days of the last transition"),
    ("trail: {name: t, bucket: x}", "3:26: trail.bucket: no bucket `x` in `buckets`"),
    ("trail: {name: '', bucket: x}", "3:15: trail.name: want text of 1 to 1024 characters, got ''"),
    ("regions: us-east-1", "3:10: regions: want a list of 1 to 100 items or 'all', got 'us-east-1'; write [us-east-1]"),
    ("regions: us-east-1, eu-west-1", "3:10: regions: want a list of 1 to 100 items or 'all', got 'us-east-1, eu-west-1'; write [us-east-1, eu-west-1]"),
    ("regions: All", "3:10: regions: want a list of 1 to 100 items or 'all', got 'All'; did you mean 'all'?"),
    ("regions: '*'", "3:10: regions: want a list of 1 to 100 items or 'all', got '*'"),
    ("regions: [us-east-1, all]", "3:22: regions[1]: `all` stands alone: `regions: all`"),
    ("allowed_account_ids:", "3:1: allowed_account_ids: want a list of at least 1 item, got nothing"),
    ("regions: []", "3:10: regions: want a list of 1 to 100 items or 'all', got an empty list"),
    ("regions: [us-east-1, useast1]", "3:22: regions[1]: want a Region such as 'eu-west-1', got 'useast1'"),
    ("regions: [us-east-1, eu-west-1, us-east-1]", "3:33: regions[2]: 'us-east-1' is listed twice; keep one of them"),
    ("buckets: {a: {name: '${acount_id}'}}", "3:22: buckets.a.name: nothing is called '${acount_id}'; did you mean '${account_id}'?"),
    ("buckets: {a: {name: 'x-${q}'}}", "3:24: buckets.a.name: nothing is called '${q}'; known are '${organization_name}', '${account_id}', '${region}', '${partition}' and '${env:NAME}'"),
    ("buckets: {a: {name: '${account_id'}}", "3:22: buckets.a.name: '${' without '}'; write '$${' for the two characters"),
    ("buckets: {a: {name: 'x${env:HOM}'}}", "3:23: buckets.a.name: environment variable 'HOM' is not set; did you mean 'HOME'?"),
    ("buckets: {a: {name: '${env:A-B}'}}", "3:22: buckets.a.name: want '${env:NAME}', a name of letters, digits and '_', got '${env:A-B}'"),
    ("buckets: {a: {name: '${Env:HOME}'}}", "3:22: buckets.a.name: want '${env:NAME}', a name of letters, digits and '_', got '${Env:HOME}'"),
    ("regions: ['${region}']", "3:12: regions[0]: nothing is called '${region}'; known is '${env:NAME}'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=[f"{i}" for i in range(len(MISTAKES))])
def test_message(text: str, expected: str) -> None:
    assert messages(text, {"HOME": "/root"}) == [expected]


def test_rendering_with_source_line_and_caret() -> None:
    assert error_of("password:\n  require_symbols: yes # always\n").render() == (
        "baseline.yaml:4:20: password.require_symbols: want true or false, got 'yes'; write true\n"
        "      require_symbols: yes # always\n"
        "                       ^"
    )
    assert "\x1b[1mbaseline.yaml:4:20\x1b[0m: " in error_of("password:\n  require_symbols: yes\n").render(
        color=True
    )


def test_all_errors_are_reported_in_the_order_of_the_file() -> None:
    text = """
password:
  minimum_password_length: 3
  minimum_password_length: 14
  symbols: yes
buckets:
  a: {name: A, rules: &r [{id: x, expiration: soon}]}
  b: {name: '${env:NOPE}', rules: *r}
trail: {bucket: b}
regions: [x]
"""
    places = [each.partition(": ")[0] for each in messages(text)]
    assert places == ["5:28", "6:3", "7:3", "9:13", "9:47", "10:14", "11:8", "12:11"]


def test_contradictions_with_invalid_sections_are_not_reported() -> None:
    text = "trail: {name: t, bucket: a}\nbuckets: {a: {name: A}}\n"
    assert messages(text) == ["4:21: buckets.a.name: want a bucket name of up to 40 characters, got 'A'"]
    assert [
        each[:4] for each in messages("trail: {name: t, bucket: z}\nbuckets: {a: {name: a}}\npassword: 1\n")
    ] == ["3:26", "5:11"]


def test_errors_in_required_settings() -> None:
    assert messages("password:\n", head="") == [
        "1:1: missing required key 'organization_name'",
        "1:1: missing required key 'home_region'",
    ]
    head = "organization_name: Acme\nhome_region: x\n"
    assert [each[:5] for each in messages("buckets: {a: {name: '${organization_name}'}}", head=head)] == [
        "1:20:",
        "2:14:",
    ]


@pytest.mark.parametrize("variable", ["N", "B"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("buckets: '{}'", "3:10: buckets: want a mapping"),
        ("buckets: {{a: '{}'}}", "3:14: buckets.a: want a mapping"),
        ("buckets: {{a: {{name: a, rules: '{}'}}}}", "3:31: buckets.a.rules: want a list"),
        ("buckets: {{a: {{name: a, rules: ['{}']}}}}", "3:32: buckets.a.rules[0]: want a mapping"),
        ("regions: '{}'", "3:10: regions: want a list of 1 to 100 items or 'all'"),
        ("accounts: '{}'", "3:11: accounts: want a mapping such as {all: true}"),
        ("accounts: {{all: true}}\noverrides: '{}'", "4:12: overrides: want a list"),
        ("accounts: {{all: true}}\noverrides: ['{}']", "4:13: overrides[0]: want a mapping"),
        (
            "accounts: {{all: true}}\noverrides: [{{ids: ['123456789012'], password: '{}'}}]",
            "4:47: overrides[0].password: want a mapping",
        ),
    ],
)
def test_placeholder_in_place_of_a_mapping_or_list(text: str, expected: str, variable: str) -> None:
    placeholder = f"${{env:{variable}}}"
    found = messages(text.format(placeholder), {"N": "20", "B": "true"})
    assert found == [f"{expected}, got '{placeholder}'"]


def test_the_value_of_an_invalid_key_is_not_converted() -> None:
    text = "accounts: {all: true, session_tags: {'': '${env:N}'}}"
    assert messages(text, {"N": "20"}) == ["3:38: accounts.session_tags['']: want other keys, got ''"]


SECRET = "hunter2-and-3"


@pytest.mark.parametrize(
    "text",
    [
        "buckets: {a: {name: '${env:PW}!'}}",
        "buckets: {a: {name: '${env:PW}', policy: '${env:PW}'}}",
        "buckets: {a: {name: a, rules: [{id: x, transitions: [{days: 1, storage_class: '${env:PW}'}]}]}}",
        "buckets: {a: {name: a, owners: ['${env:PW}']}}",
        "password: {minimum_password_length: '${env:PW}'}",
        "password: '${env:PW}'",
        "trail: {name: x, bucket: '${env:PW}'}",
        "regions: ['${env:PW}']",
        "buckets: {a: {name: 'A ${organization_name}'}}",
    ],
)
def test_values_from_the_environment_are_not_shown(text: str) -> None:
    head = "organization_name: '${env:PW}'\nhome_region: eu-west-1\n"
    error = error_of(text, {"PW": SECRET}, head)
    assert SECRET not in str(error) + repr(error.problems) + error.render(color=True)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "${env:PW}" in str(error)


def test_problem_as_dict() -> None:
    assert error_of("password: {require_symbols: yes}").problems[0].as_dict() == {
        "file": "baseline.yaml",
        "line": 3,
        "column": 29,
        "path": "password.require_symbols",
        "message": "want true or false, got 'yes'",
        "hint": "write true",
        "source_line": "password: {require_symbols: yes}",
    }
