"""Tests of the kms_keys step: creation, adoption, drift, states, aliases of other keys, grants, and verification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall

from ...conftest import Bench
from .sample import (
    ACCOUNT,
    ALIAS,
    KEYS,
    MARK,
    STRANGER,
    TITLE,
    key_of,
    make_key,
    messages,
    own_keys,
    policy_of,
    put_policy,
    shown,
)


def test_a_key_is_made_with_its_alias_policy_rotation_and_tags(bench: Bench) -> None:
    bench.apply(KEYS + "    description: Log files\n")
    key, kms = key_of(bench), bench.client("kms")
    assert (key["Description"], key["KeyState"]) == ("Log files", "Enabled")
    assert policy_of(bench).keys() == {"EnableRootProvision"}
    rotation = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]) == (True, 365)
    tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
    assert {each["TagKey"]: each["TagValue"] for each in tags} == {"team": "security", MARK: ALIAS}


@pytest.mark.parametrize("lost", ["CreateKey", "CreateAlias"])
def test_a_lost_answer_makes_no_second_key(bench: Bench, lost: str) -> None:
    failed: list[str] = []

    def lose(call: WireCall, phase: str) -> Fault | None:
        if phase == "after" and call.operation == lost and not failed:
            failed.append(lost)
            raise ConnectionResetError
        return None

    bench.world.interrupt(lose)
    bench.apply(KEYS)
    assert failed
    assert own_keys(bench) == [key_of(bench)["KeyId"]]


def test_a_key_that_lost_its_alias_is_found_by_its_tag(bench: Bench) -> None:
    bench.apply(KEYS)
    key_id = key_of(bench)["KeyId"]
    bench.client("kms").delete_alias(AliasName=ALIAS)
    assert shown(bench.apply(KEYS)) == [("kms_keys", TITLE, "AliasName")]
    assert own_keys(bench) == [key_of(bench)["KeyId"]] == [key_id]


def test_a_key_that_has_the_alias_is_adopted(bench: Bench) -> None:
    key_id = make_key(bench, Description="theirs")
    fields = {field for _, _, field in shown(bench.apply(KEYS))}
    assert fields == {"RotationPeriodInDays", "tag team", f"tag {MARK}"}, "AWS's default policy is enough"
    assert own_keys(bench) == [key_id]
    assert key_of(bench)["Description"] == "theirs"


def test_an_alias_that_others_moved_is_told_and_moved_back_with_consent_only(bench: Bench) -> None:
    bench.apply(KEYS)
    ours, kms = key_of(bench)["KeyId"], bench.client("kms")
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName=ALIAS, TargetKeyId=theirs)
    [(_, change)] = bench.diff(KEYS).changes
    assert (change.consent, change.call.name) == ("move-alias", "UpdateAlias")
    assert theirs in change.loses
    bench.apply(KEYS)
    assert key_of(bench)["KeyId"] == theirs
    bench.apply(KEYS, allow=("move-alias",))
    assert key_of(bench)["KeyId"] == ours


def test_a_key_to_be_deleted_is_an_error_that_names_the_remedy(bench: Bench) -> None:
    bench.apply(KEYS)
    key_id, kms = key_of(bench)["KeyId"], bench.client("kms")
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    [(step, text)] = messages(bench.diff(KEYS))
    assert step == "kms_keys"
    assert "is to be deleted on 20" in text
    assert f"`aws kms cancel-key-deletion --key-id {key_id}`" in text
    kms.delete_alias(AliasName=ALIAS)
    assert "is to be deleted" in messages(bench.diff(KEYS))[0][1], "no second key is made"
    kms.cancel_key_deletion(KeyId=key_id)
    fields = [field for _, _, field in shown(bench.apply(KEYS))]
    assert fields == ["KeyState", "AliasName"]
    assert key_of(bench)["KeyState"] == "Enabled"


@pytest.mark.parametrize(
    ("given", "text"),
    [({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "is no symmetric key of your own")],
)
def test_a_key_that_log_services_cannot_use_is_refused(
    bench: Bench, given: dict[str, Any], text: str
) -> None:
    make_key(bench, **given)
    [(_, message)] = messages(bench.diff(KEYS))
    assert text in message


def test_a_disabled_key_is_enabled_before_its_rotation_is_set(bench: Bench) -> None:
    bench.apply(KEYS)
    kms, key_id = bench.client("kms"), key_of(bench)["KeyId"]
    kms.disable_key_rotation(KeyId=key_id)
    kms.disable_key(KeyId=key_id)
    assert [c.call.name for _, c in bench.apply(KEYS).changes] == ["EnableKey", "EnableKeyRotation"]


def test_a_shorter_period_is_stricter_and_a_period_left_out_stays(bench: Bench) -> None:
    bench.apply(KEYS)
    bench.client("kms").enable_key_rotation(KeyId=key_of(bench)["KeyId"], RotationPeriodInDays=100)
    plan = bench.diff(KEYS)
    assert shown(plan) == []
    assert [note.text for _, note in plan.notes(Kind.STRICTER)] == [
        "RotationPeriodInDays is 100; the baseline asks for 365"
    ]
    without = KEYS.replace("    rotation_period_in_days: 365\n", "")
    bench.client("kms").disable_key_rotation(KeyId=key_of(bench)["KeyId"])
    assert shown(bench.diff(without)) == []


def test_statements_of_others_are_kept_and_told(bench: Bench) -> None:
    bench.apply(KEYS)
    root = policy_of(bench)["EnableRootProvision"]
    theirs = {**root, "Sid": "Auditors", "Action": "kms:Decrypt"}
    put_policy(bench, root, theirs)
    plan = bench.apply(KEYS + "    uses: [cloudwatch, logs]\n")
    assert "policy statements of others are kept: Auditors" in {n.text for _, n in plan.notes(Kind.FOREIGN)}
    found = policy_of(bench)
    assert found.keys() == {
        "EnableRootProvision",
        "AlarmsToEncryptedTopicProvision",
        "LogGroupsProvision",
        "Auditors",
    }
    assert found["LogGroupsProvision"]["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}


DANGERS = [
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"}, "Action": "kms:CreateGrant"},
    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt"},
    {"Effect": "Deny", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "kms:GenerateDataKey"},
    {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "kms:*"},
]
HARMLESS = [
    {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Decrypt", "kms:CreateGrant"],
        "Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
    },
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"}, "Action": "kms:Decrypt"},
]


@pytest.mark.parametrize("statement", [*DANGERS, *HARMLESS])
def test_statements_of_others_that_open_or_stop_the_key_are_removed_with_consent(
    bench: Bench, statement: dict[str, Any]
) -> None:
    text = KEYS + "    uses: [cloudwatch]\n"
    bench.apply(text)
    theirs = {"Sid": "Theirs", "Resource": "*", **statement}
    put_policy(bench, *policy_of(bench).values(), theirs)
    consents = [c.consent for _, c in bench.diff(text).changes]
    assert consents == (["remove-foreign-statement"] if statement in DANGERS else [])
    bench.apply(text, allow=("remove-foreign-statement",))
    assert ("Theirs" in policy_of(bench)) is (statement in HARMLESS)


def test_a_new_role_in_the_policy_is_waited_for(bench: Bench) -> None:
    bench.apply(KEYS)
    role = {"AWS": "arn:aws:iam::123456789012:role/readers"}
    statement = {
        "Sid": "Readers",
        "Effect": "Allow",
        "Principal": role,
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    text = KEYS + f"    policy_statements: [{json.dumps(statement)}]\n"
    bench.client("iam").create_role(RoleName="readers", AssumeRolePolicyDocument=TRUST)
    left = [1, 2]

    def know_late(call: WireCall, phase: str) -> Fault | None:
        refused = call.operation == "PutKeyPolicy" and phase == "before" and bool(left)
        text = "Policy contains a statement with one or more invalid principals."
        return Fault("MalformedPolicyDocumentException", 400, text) if refused and left.pop() else None

    bench.world.interrupt(know_late)
    bench.apply(text)
    assert left == []
    assert {each.until for each in bench.waits} == {"KMS to know the new principal of the key policy"}


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def test_grants_are_told_with_a_warning_for_other_accounts(bench: Bench) -> None:
    bench.apply(KEYS)
    kms, key_id = bench.client("kms"), key_of(bench)["KeyId"]
    for account in (ACCOUNT, STRANGER):
        principal = f"arn:aws:iam::{account}:role/app"
        kms.create_grant(KeyId=key_id, GranteePrincipal=principal, Operations=["Decrypt"])
    plan = bench.diff(KEYS)
    assert shown(plan) == []
    [kept] = [note.text for _, note in plan.notes(Kind.FOREIGN)]
    [warning] = [note.text for _, note in plan.notes(Kind.WARNING)]
    assert kept.endswith(f"lets arn:aws:iam::{ACCOUNT}:role/app Decrypt; kept")
    assert "aws kms revoke-grant" in warning
    assert STRANGER in warning


def test_a_grant_with_which_another_account_lets_in_others_is_revoked_with_consent_only(bench: Bench) -> None:
    bench.apply(KEYS)
    kms, key_id = bench.client("kms"), key_of(bench)["KeyId"]
    principal = f"arn:aws:iam::{STRANGER}:root"
    kms.create_grant(KeyId=key_id, GranteePrincipal=principal, Operations=["CreateGrant", "Decrypt"])
    assert [c.consent for _, c in bench.diff(KEYS).changes] == ["remove-foreign-grant"]
    bench.apply(KEYS)
    assert kms.list_grants(KeyId=key_id)["Grants"] != []
    bench.apply(KEYS, allow=("remove-foreign-grant",))
    assert kms.list_grants(KeyId=key_id)["Grants"] == []


def test_the_mark_is_put_back(bench: Bench) -> None:
    bench.apply(KEYS)
    bench.client("kms").untag_resource(KeyId=key_of(bench)["KeyId"], TagKeys=[MARK])
    assert shown(bench.apply(KEYS)) == [("kms_keys", TITLE, f"tag {MARK}")]


def test_verify_finds_a_key_that_is_missing_disabled_or_does_not_rotate(bench: Bench) -> None:
    def findings() -> list[tuple[str, bool | None]]:
        return [(f.check, f.ok) for r in bench.run(KEYS).verify() for f in r.findings]

    assert findings() == [("usable", False)]
    bench.apply(KEYS)
    assert findings() == [("usable", True), ("rotation", True)]
    kms, key_id = bench.client("kms"), key_of(bench)["KeyId"]
    kms.disable_key_rotation(KeyId=key_id)
    kms.disable_key(KeyId=key_id)
    assert findings() == [("usable", False), ("rotation", False)]
