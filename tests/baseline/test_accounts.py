"""Tests of `accounts` and `overrides`: the message for each error in them."""

from __future__ import annotations

import pytest

from provisioner.baseline import Baseline, BaselineError, parse
from provisioner.model import Scope
from provisioner.steps.registry import all_sections, all_steps

EXAMPLE_SECTION = [key for key, kind in all_sections().items() if not kind.once][-1]

HEAD = "organization_name: acme\nhome_region: us-east-1\n"
FILE = f"""{HEAD}password_policy: {{hard_expiry: true, max_password_age: 90}}
log_buckets: {{config: {{name: acme-config}}}}
config: {{delivery_channel: {{s3_bucket_name: config}}}}
"""
SELECTORS = "`organizational_units`, `tags` or `ids`"


def read(text: str, file: str = FILE) -> Baseline:
    return parse(file + text, "f", all_sections(), {})


def messages(text: str, file: str = FILE) -> list[str]:
    """The first line of each problem, without the file's name."""
    with pytest.raises(BaselineError) as caught:
        read(text, file)
    return [each.render().splitlines()[0].removeprefix("f:") for each in caught.value.problems]


ACCOUNTS = [
    ("", "3:1: accounts: want a mapping such as {all: true}, got nothing"),
    ("{}", f"3:11: accounts: say which accounts: `all: true`, {SELECTORS}"),
    ("all", "3:11: accounts: want a mapping such as {all: true}, got 'all'"),
    ("['111122223333']", "3:11: accounts: want a mapping such as {all: true}, got a list"),
    ("{ids: []}", f"3:11: accounts: say which accounts: `all: true`, {SELECTORS}"),
    ("{ids: 111122223333}", "3:17: accounts.ids: want a list, got 111122223333; write [111122223333]"),
    (
        "{ids: ['1111']}",
        "3:18: accounts.ids[0]: want an account id of 12 digits, in quotes where it starts with 0, got '1111'",
    ),
    (
        "{all: true, organizational_units: [Prod]}",
        "3:45: accounts.organizational_units: `all: true` is every account already: leave out one of the two",
    ),
    ("{tags: {}}", "3:18: accounts.tags: want a mapping of at least 1 key, got an empty mapping"),
    (
        "{all: true, exclude: {tags: }}",
        "3:33: accounts.exclude.tags: want a mapping of at least 1 key, got nothing",
    ),
    (
        "{all: true, exclude: ['111122223333']}",
        "3:32: accounts.exclude: want a mapping such as {ids: ['123456789012']}, got a list",
    ),
    ("{all: true, exclude: {id: []}}", "3:33: accounts.exclude.id: no such key; did you mean 'ids'?"),
    (
        "{all: true, log_archive: null}",
        "3:36: accounts.log_archive: want an account id of 12 digits, in quotes where it starts with 0, got nothing",
    ),
]


@pytest.mark.parametrize(("accounts", "expected"), ACCOUNTS)
def test_error_in_accounts(accounts: str, expected: str) -> None:
    assert messages(f"accounts: {accounts}\n", HEAD) == [expected]


def test_log_archive_must_be_among_the_allowed_accounts() -> None:
    text = "accounts: {all: true, log_archive: '111122223333'}\nallowed_account_ids: ['123456789012']\n"
    assert messages(text, HEAD) == [
        "3:36: accounts.log_archive: is not among `allowed_account_ids`: add it there"
    ]


def test_overrides_need_accounts() -> None:
    text = "overrides: [{ids: ['111122223333'], password_policy: {max_password_age: 60}}]\n"
    assert messages(text, HEAD) == [
        "3:12: overrides: without `accounts`, the file is for one account: change the sections themselves"
    ]


IDS = "ids: ['111122223333']"
OVERRIDES = [
    ("{}", f"8:5: overrides[0]: say for which accounts: {SELECTORS}"),
    ("", "8:4: overrides[0]: want a mapping, got nothing"),
    (
        f"{{{IDS}}}",
        f"8:5: overrides[0]: overrides nothing: add a section, such as `{EXAMPLE_SECTION}`, with what is different, or `without: [{EXAMPLE_SECTION}]`",
    ),
    (
        f"{{{IDS}, password_policy: {{}}}}",
        "8:46: overrides[0].password_policy: overrides nothing: say what is different",
    ),
    (
        f"{{{IDS}, password_policy: }}",
        "8:29: overrides[0].password_policy: overrides nothing: say what is different",
    ),
    (
        f"{{{IDS}, pasword_policy: {{}}}}",
        "8:29: overrides[0].pasword_policy: no such key; did you mean 'password_policy'?",
    ),
    (
        f"{{{IDS}, without: [pasword_policy]}}",
        "8:39: overrides[0].without[0]: the file has no section 'pasword_policy'; did you mean 'password_policy'?",
    ),
    (
        f"{{{IDS}, without: [log_buckets]}}",
        "8:39: overrides[0].without[0]: `log_buckets` exists once in the organization, not in each account",
    ),
    (
        f"{{{IDS}, without: [password_policy], password_policy: {{minimum_password_length: 20}}}}",
        "8:39: overrides[0].without[0]: `password_policy` is also overridden here: keep one of the two",
    ),
    (
        f"{{{IDS}, without: []}}",
        "8:38: overrides[0].without: want a list of at least 1 item, got an empty list",
    ),
    (
        f"{{{IDS}, guardduty: {{finding_publishing_frequency: ONE_HOUR, regions: [eu-west-1]}}}}",
        (
            "8:91: overrides[0].guardduty.regions[0]: eu-west-1 is not among the Regions of the file: add it to `regions`"
            " there, or drop it here"
        ),
    ),
    (
        f"{{{IDS}, log_buckets: {{config: {{name: other}}}}}}",
        "8:42: overrides[0].log_buckets: exists once in the organization, not in each account: change the section itself",
    ),
    (
        f"{{{IDS}, password_policy: {{max_password_age: x}}}}",
        "8:65: overrides[0].password_policy.max_password_age: want a whole number from 1 to 1095, got 'x'",
    ),
    (
        f"{{{IDS}, config: {{delivery_channel: {{s3_bucket_name: no}}}}}}",
        "8:73: overrides[0].config.delivery_channel.s3_bucket_name: is the same for all accounts, as the log bucket's policy goes by it: change the section itself",
    ),
    (
        f"{{{IDS}, password_policy: {{max_password_age: null}}}}",
        "3:32: password_policy.hard_expiry: with `overrides[0]`: has no effect without `max_password_age`: set that, or drop it",
    ),
]


@pytest.mark.parametrize(("override", "expected"), OVERRIDES)
def test_error_in_an_override(override: str, expected: str) -> None:
    assert messages(f"accounts: {{all: true}}\noverrides:\n  - {override}\n") == [expected]


def test_error_in_the_file_is_not_repeated_for_each_override() -> None:
    text = f"accounts: {{all: true}}\noverrides: [{{{IDS}, password_policy: {{max_password_age: 60}}}}]\n"
    invalid = FILE.replace("max_password_age: 90", "max_password_age: x")
    assert messages(text, invalid) == [
        "3:56: password_policy.max_password_age: want a whole number from 1 to 1095, got 'x'"
    ]


def test_overrides_that_contradict_each_other_are_both_named() -> None:
    file = FILE.replace("hard_expiry: true, ", "")
    text = "accounts: {all: true}\noverrides:\n"
    text += f"  - {{{IDS}, password_policy: {{max_password_age: null}}}}\n"
    text += f"  - {{{IDS}, password_policy: {{hard_expiry: true}}}}\n"
    baseline = read(text, file)
    with pytest.raises(BaselineError) as caught:
        baseline.override({"111122223333": (0, 1)})
    assert caught.value.render().splitlines()[0] == (
        "f:9:60: overrides[1].password_policy.hard_expiry: with `overrides[0]` and `overrides[1]`: has no effect without `max_password_age`: set that, or drop it"
    )


def test_a_section_that_cannot_be_overridden_has_only_steps_that_run_once() -> None:
    for kind in all_sections().values():
        scopes = {step.scope for step in all_steps().values() if step.section is kind}
        assert kind.once == (scopes == {Scope.ONCE}), kind
