"""The password policy: every way it can drift, and every way in which it may be stricter."""

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
WANTED: dict[str, Any] = {
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


def by_hand(bench: Bench, **fields: Any) -> None:
    full = {**WANTED, **fields}
    bench.client("iam").update_account_password_policy(**{k: v for k, v in full.items() if v is not None})


def have(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = bench.client("iam").get_account_password_policy()["PasswordPolicy"]
    return found


@pytest.mark.parametrize(("field", "value"), WEAKER)
def test_each_field_that_drifts_is_seen_alone_and_repaired(bench: Bench, field: str, value: Any) -> None:
    bench.apply(FILE)
    by_hand(bench, **{field: value})
    [(_, change)] = bench.diff(FILE).changes
    assert change.action == "update"
    assert [(d.field, d.have, d.want) for d in change.differences] == [(field, value, WANTED[field])]
    bench.apply(FILE)
    assert have(bench)[field] == WANTED[field]
    assert bench.diff(FILE).changes == []


@pytest.mark.parametrize(("field", "value"), STRICTER)
def test_what_is_stricter_is_said_and_left_alone_even_when_another_field_is_repaired(
    bench: Bench, field: str, value: Any
) -> None:
    by_hand(bench, **{field: value})
    plan = bench.diff(FILE)
    assert plan.changes == []
    [(_, note)] = plan.notes(Kind.STRICTER)
    assert note.text == f"{field} is {value}; the baseline asks for {WANTED[field]}"
    by_hand(bench, **{field: value, "RequireNumbers": False})
    bench.apply(FILE)
    assert (have(bench)[field], have(bench)["RequireNumbers"]) == (value, True)


@pytest.mark.parametrize(("field", "value"), STRICTER)
def test_with_exact_what_is_stricter_is_undone(bench: Bench, field: str, value: Any) -> None:
    by_hand(bench, **{field: value})
    [(_, change)] = bench.diff(EXACT).changes
    assert (change.consent, [(d.field, d.have, d.want) for d in change.differences]) == (
        "weaken-password-policy",
        [(field, value, WANTED[field])],
    )
    assert change.loses
    before = len(bench.world.writes)
    assert [r.withheld for r in bench.apply(EXACT).results] == [[change]]
    assert bench.world.writes[before:] == []
    bench.apply(EXACT, allow=("weaken-password-policy",))
    assert have(bench)[field] == WANTED[field]
    assert bench.diff(EXACT).changes == []


@pytest.mark.parametrize(("field", "value"), STRICTER)
def test_what_is_not_allowed_to_be_loosened_holds_up_no_repair(bench: Bench, field: str, value: Any) -> None:
    drifted = {field: value, "RequireNumbers": False, "AllowUsersToChangePassword": False}
    by_hand(bench, **drifted)
    repair, loosening = [change for _, change in bench.diff(EXACT).changes]
    assert (repair.consent, {d.field for d in repair.differences}) == (None, set(drifted) - {field})
    assert (loosening.consent, [d.field for d in loosening.differences]) == (
        "weaken-password-policy",
        [field],
    )
    bench.apply(EXACT)
    found = have(bench)
    assert (found["RequireNumbers"], found["AllowUsersToChangePassword"], found[field]) == (True, True, value)
    bench.apply(EXACT, allow=("weaken-password-policy",))
    assert {name: have(bench)[name] for name in WANTED} == WANTED


def test_none_at_all_is_made_and_a_new_age_is_warned_of(bench: Bench) -> None:
    [(_, change)] = bench.diff(FILE).changes
    assert change.action == "create"
    by_hand(bench, MaxPasswordAge=None)
    assert [n.text for _, n in bench.diff(FILE).notes(Kind.WARNING)] == [
        "MaxPasswordAge expires every older password at once"
    ]


def test_what_the_file_leaves_out_is_left_as_it_is(bench: Bench) -> None:
    by_hand(bench, PasswordReusePrevention=5, RequireSymbols=False)
    bench.apply("password_policy: {minimum_password_length: 16}\n")
    found = have(bench)
    assert (found["MinimumPasswordLength"], found["PasswordReusePrevention"], found["RequireSymbols"]) == (
        16,
        5,
        False,
    )


def test_a_first_policy_is_no_weaker_than_none_and_says_what_the_file_leaves_out(bench: Bench) -> None:
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
    assert (have(bench)["MinimumPasswordLength"], have(bench)["MaxPasswordAge"]) == (8, 90)
    assert list(bench.diff(text).notes()) == []
    assert list(bench.diff(FILE).notes(Kind.WARNING)) == []


def test_a_first_policy_of_less_than_eight_characters_is_a_loosening(bench: Bench) -> None:
    text = "password_policy: {minimum_password_length: 6, max_password_age: 90}\n"
    assert [n.text for _, n in bench.diff(text).notes(Kind.STRICTER)] == [
        "MinimumPasswordLength is 8; the baseline asks for 6"
    ]
    exact = text.replace("}", ", exact: true}")
    assert [c.consent for _, c in bench.diff(exact).changes] == [None, "weaken-password-policy"]
    bench.apply(exact)
    assert have(bench)["MinimumPasswordLength"] == 8
    bench.apply(exact, allow=("weaken-password-policy",))
    assert have(bench)["MinimumPasswordLength"] == 6


def test_a_limit_that_is_off_is_absent_or_zero(bench: Bench) -> None:
    """AWS leaves the number out, moto says 0; sending 0 would be refused."""
    by_hand(bench, MaxPasswordAge=None)
    bench.apply("password_policy: {minimum_password_length: 15}\n")
    assert (
        "MaxPasswordAge" not in bench.world.writes[-1].params
        or bench.world.writes[-1].params["MaxPasswordAge"]
    )
    assert bench.diff("password_policy: {minimum_password_length: 15}\n").changes == []


def test_verify(bench: Bench) -> None:
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok) for f in result.findings] == [("in force", False)]
    bench.apply(FILE)
    [result] = bench.run(FILE).verify()
    assert [(f.check, f.ok, f.detail) for f in result.findings] == [
        ("in force", True, "14 characters or more")
    ]
