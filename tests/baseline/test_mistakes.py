"""Each mistake is told where it is, in words, with what to do; all of them at once, and no secret with them."""

from __future__ import annotations

import pytest

from .sample import refused, said

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
def test_a_mistake_says_where_what_and_what_to_do(text: str, expected: str) -> None:
    assert said(text, {"HOME": "/root"}) == [expected]


def test_the_source_line_and_a_caret_follow() -> None:
    assert refused("password:\n  require_symbols: yes # always\n").render() == (
        "baseline.yaml:4:20: password.require_symbols: want true or false, got 'yes'; write true\n"
        "      require_symbols: yes # always\n"
        "                       ^"
    )
    assert "\x1b[1mbaseline.yaml:4:20\x1b[0m: " in refused("password:\n  require_symbols: yes\n").render(
        color=True
    )


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
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
    places = [each.partition(": ")[0] for each in said(text)]
    assert places == ["5:28", "6:3", "7:3", "9:13", "9:47", "10:14", "11:8", "12:11"]


def test_a_contradiction_is_not_looked_for_in_what_is_wrong_itself() -> None:
    text = "trail: {name: t, bucket: a}\nbuckets: {a: {name: A}}\n"
    assert said(text) == ["4:21: buckets.a.name: want a bucket name of up to 40 characters, got 'A'"]
    assert [
        each[:4] for each in said("trail: {name: t, bucket: z}\nbuckets: {a: {name: a}}\npassword: 1\n")
    ] == ["3:26", "5:11"]


def test_both_required_settings_are_missed_at_once() -> None:
    assert said("password:\n", head="") == [
        "1:1: missing required key 'organization_name'",
        "1:1: missing required key 'home_region'",
    ]
    head = "organization_name: Acme\nhome_region: x\n"
    assert [each[:5] for each in said("buckets: {a: {name: '${organization_name}'}}", head=head)] == [
        "1:20:",
        "2:14:",
    ]


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
def test_what_comes_from_the_environment_is_not_told(text: str) -> None:
    head = "organization_name: '${env:PW}'\nhome_region: eu-west-1\n"
    error = refused(text, {"PW": SECRET}, head)
    assert SECRET not in str(error) + repr(error.problems) + error.render(color=True)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "${env:PW}" in str(error)


def test_a_problem_is_data_too() -> None:
    assert refused("password: {require_symbols: yes}").problems[0].as_dict() == {
        "file": "baseline.yaml",
        "line": 3,
        "column": 29,
        "path": "password.require_symbols",
        "message": "want true or false, got 'yes'",
        "hint": "write true",
        "source_line": "password: {require_symbols: yes}",
    }


def test_an_unwanted_value_of_a_field_knows_no_class_names() -> None:
    everything = [said(text, {"HOME": "x"}) for text, _ in MISTAKES]
    assert "Input should" not in str(everything)
    assert "pydantic" not in str(everything)
