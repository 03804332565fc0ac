"""Tests of the step password_policy: drift and stricter values of every field, and the first policy."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.model import Kind

from ...conftest import Bench

FILE = """
password_policy:
  minimum_password_length: 14
  require_symbols: true
  require_numbers: true
  require_uppercase_characters: true
  require_lowercase_characters: true
  allow_users_to_change_password: true
  max_password_age: 90
  password_reuse_prevention: 12
  hard_expiry: false
"""
EXACT = FILE + "  exact: true\n"
WANT: dict[str, Any] = {
    "MinimumPasswordLength": 14,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "AllowUsersToChangePassword": True,
    "MaxPasswordAge": 90,
    "PasswordReusePrevention": 12,
    "HardExpiry": False,
}
WEAKER = [
    ("MinimumPasswordLength", 8),
    ("RequireSymbols", False),
    ("RequireNumbers", False),
    ("RequireUppercaseCharacters", False),
    ("RequireLowercaseCharacters", False),
    ("AllowUsersToChangePassword", False),
    ("MaxPasswordAge", 365),
    ("MaxPasswordAge", None),
    ("PasswordReusePrevention", 3),
    ("PasswordReusePrevention", None),
]
STRICTER = [
    ("MinimumPasswordLength", 20),
    ("MaxPasswordAge", 30),
    ("PasswordReusePrevention", 24),
    ("HardExpiry", True),
]


def put(bench: Bench, **fields: Any) -> None:
    """Set the policy of the file, but for these fields, as another user."""
    full = {**WANT, **fields}
    bench.client("iam").update_account_password_policy(**{k: v for k, v in full.items() if v is not None})


def read(bench: Bench) -> dict[str, Any]:
    return dict(bench.client("iam").get_account_password_policy()["PasswordPolicy"])


@pytest.mark.parametrize(("field", "value"), WEAKER)
def test_drift_of_each_field_is_shown_and_repaired(bench: Bench, field: str, value: Any) -> None:
    bench.apply(FILE)
    put(bench, **{field: value})
    [(_, change)] = bench.diff(FILE).changes
    assert change.action == "update"
    assert [(d.field, d.have, d.want) for d in change.differences] == [(field, value, WANT[field])]
    bench.apply(FILE)
    assert read(bench)[field] == WANT[field]
    assert bench.diff(FILE).changes == []


@pytest.mark.parametrize(("field", "value"), STRICTER)
def test_stricter_value_is_noted_and_kept_while_another_field_is_repaired(
    bench: Bench, field: str, value: Any
) -> None:
    put(bench, **{field: value})
    plan = bench.diff(FILE)
    assert plan.changes == []
    [(_, note)] = plan.notes(Kind.STRICTER)
    assert note.text == f"{field} is {value}; the baseline asks for {WANT[field]}"
    put(bench, **{field: value, "RequireNumbers": False})
    bench.apply(FILE)
    assert (read(bench)[field], read(bench)["RequireNumbers"]) == (value, True)


@pytest.mark.parametrize(("field", "value"), STRICTER)
def test_exact_loosens_a_stricter_value_with_consent(bench: Bench, field: str, value: Any) -> None:
    put(bench, **{field: value})
    [(_, change)] = bench.diff(EXACT).changes
    assert (change.consent, [(d.field, d.have, d.want) for d in change.differences]) == (
        "weaken-password-policy",
        [(field, value, WANT[field])],
    )
    assert change.loses
    before = len(bench.world.writes)
    assert [r.withheld for r in bench.apply(EXACT).results] == [[change]]
    assert bench.world.writes[before:] == []
    bench.apply(EXACT, allow=("weaken-password-policy",))
    assert read(bench)[field] == WANT[field]
    assert bench.diff(EXACT).changes == []


def test_repair_does_not_wait_for_consent(bench: Bench) -> None:
    put(bench, MaxPasswordAge=30, RequireNumbers=False, AllowUsersToChangePassword=False)
    assert [(c.consent, [d.field for d in c.differences]) for _, c in bench.diff(EXACT).changes] == [
        (None, ["RequireNumbers", "AllowUsersToChangePassword"]),
        ("weaken-password-policy", ["MaxPasswordAge"]),
    ]
    bench.apply(EXACT)
    have = read(bench)
    assert (have["RequireNumbers"], have["AllowUsersToChangePassword"], have["MaxPasswordAge"]) == (
        True,
        True,
        30,
    )
    bench.apply(EXACT, allow=("weaken-password-policy",))
    assert {name: read(bench)[name] for name in WANT} == WANT


def test_missing_policy_is_created_and_a_new_age_is_a_warning(bench: Bench) -> None:
    [(_, change)] = bench.diff(FILE).changes
    assert change.action == "create"
    put(bench, MaxPasswordAge=None)
    assert [n.text for _, n in bench.diff(FILE).notes(Kind.WARNING)] == [
        "MaxPasswordAge expires every older password at once"
    ]


def test_what_the_file_leaves_out_is_kept(bench: Bench) -> None:
    put(bench, PasswordReusePrevention=5, RequireSymbols=False)
    bench.apply("password_policy: {minimum_password_length: 16}\n")
    have = read(bench)
    assert (have["MinimumPasswordLength"], have["PasswordReusePrevention"]) == (16, 5)
    assert have["RequireSymbols"] is False


def test_first_policy_has_aws_defaults_and_a_warning(bench: Bench) -> None:
    text = "password_policy: {max_password_age: 90}\n"
    [(_, note)] = bench.diff(text).notes()
    assert note.kind is Kind.WARNING
    assert note.text == (
        "the account has no policy, so what the file leaves out gets AWS's defaults: MinimumPasswordLength 8,"
        " RequireSymbols off, RequireNumbers off, RequireUppercaseCharacters off, RequireLowercaseCharacters off,"
        " AllowUsersToChangePassword off, PasswordReusePrevention none, HardExpiry off; without a policy IAM asks"
        " for three of the four kinds of characters"
    )
    bench.apply(text)
    assert (read(bench)["MinimumPasswordLength"], read(bench)["MaxPasswordAge"]) == (8, 90)
    assert list(bench.diff(text).notes()) == []
    assert list(bench.diff(FILE).notes(Kind.WARNING)) == []


def test_first_policy_with_less_than_eight_characters_needs_consent(bench: Bench) -> None:
    text = "password_policy: {minimum_password_length: 6, max_password_age: 90}\n"
    assert [n.text for _, n in bench.diff(text).notes(Kind.STRICTER)] == [
        "MinimumPasswordLength is 8; the baseline asks for 6"
    ]
    exact = text.replace("}", ", exact: true}")
    assert [c.consent for _, c in bench.diff(exact).changes] == [None, "weaken-password-policy"]
    bench.apply(exact)
    assert read(bench)["MinimumPasswordLength"] == 8
    bench.apply(exact, allow=("weaken-password-policy",))
    assert read(bench)["MinimumPasswordLength"] == 6


def test_limit_that_is_off(bench: Bench) -> None:
    """AWS leaves the number out, moto answers 0; AWS refuses a request with 0."""
    put(bench, MaxPasswordAge=None)
    bench.apply("password_policy: {minimum_password_length: 15}\n")
    assert bench.world.writes[-1].params.get("MaxPasswordAge") != 0
    assert bench.diff("password_policy: {minimum_password_length: 15}\n").changes == []


def test_verify(bench: Bench) -> None:
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("in force", False)]
    bench.apply(FILE)
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok, f.detail) for f in result.findings] == [
        ("in force", True, "14 characters or more")
    ]
