"""Tests of the step config_role: the service-linked role, a role of our own, and a role given by ARN."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.sandbox import Fault, store
from provisioner.sandbox.drift import Administrator, carry_out, every_break
from provisioner.services.config.role_policies import config_trust

from ...conftest import Bench
from .sample import ACCOUNT, ROLE, SERVICE_ROLE, config_file, fields, notes

ONLY = ("config_role",)
OWN_ACCOUNT = "AWS Config takes a role of its own account: write `${account_id}` in"
MANAGED = "arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"
TOPIC = "arn:aws:sns:${region}:123456789012:config"
OWN = config_file({"role_name": "recorder"}, s3_key_prefix="aws")


def policy_text(effect: str, action: str) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_service_linked_role_is_created_once(bench: Bench) -> None:
    plan = bench.apply(config_file(), only=ONLY)
    assert [(c.resource, c.action, c.call.operation) for _, c in plan.changes] == [
        ("role AWSServiceRoleForConfig", "create", "create_service_linked_role")
    ]
    assert bench.client("iam").get_role(RoleName="AWSServiceRoleForConfig")["Role"]["Arn"] == SERVICE_ROLE
    assert fields(bench.diff(config_file(), only=ONLY)) == []


def test_service_linked_role_created_meanwhile_is_no_failure(bench: Bench) -> None:
    run = bench.run(config_file(), only=ONLY)
    plan = run.rehearse()
    bench.client("iam").create_service_linked_role(AWSServiceName="config.amazonaws.com")
    (sent,) = run.send(plan)
    assert (sent.failure, sent.changes) == (None, [])


def test_another_invalid_input_fails_in_seconds(bench: Bench) -> None:
    bench.world.interrupt(
        lambda call, phase: (
            Fault("InvalidInput", 400, "no such service")
            if call.operation == "CreateServiceLinkedRole" and phase == "before"
            else None
        )
    )
    run = bench.run(config_file(), only=ONLY)
    (sent,) = run.send(run.rehearse())
    assert sent.failure is not None
    assert (sent.failure.code, sent.failure.message) == ("InvalidInput", "no such service")
    assert bench.clock.time < 30


def test_own_role_is_created_with_its_policies(bench: Bench) -> None:
    plan = bench.apply(OWN, only=ONLY)
    assert [(c.action, c.call.operation) for _, c in plan.changes] == [
        ("create", "create_role"),
        ("update", "attach_role_policy"),
        ("update", "put_role_policy"),
    ]
    iam = bench.client("iam")
    role = iam.get_role(RoleName="recorder")["Role"]
    assert role["AssumeRolePolicyDocument"] == config_trust(ACCOUNT)
    policy = iam.get_role_policy(RoleName="recorder", PolicyName="ConfigDelivery")["PolicyDocument"]
    resources = [each["Resource"] for each in policy["Statement"]]
    assert resources == [
        "arn:aws:s3:::acme-config",
        f"arn:aws:s3:::acme-config/aws/AWSLogs/{ACCOUNT}/Config/*",
    ]
    assert fields(bench.diff(OWN, only=ONLY)) == []


def test_own_role_may_publish_to_the_topic_of_each_region(bench: Bench) -> None:
    text = config_file({"role_name": "recorder"}, regions=["us-east-1", "eu-west-1"], sns_topic_arn=TOPIC)
    bench.apply(text, only=ONLY)
    policy = bench.client("iam").get_role_policy(RoleName="recorder", PolicyName="ConfigDelivery")
    (publish,) = (s for s in policy["PolicyDocument"]["Statement"] if s["Action"] == "sns:Publish")
    assert publish["Resource"] == [
        TOPIC.replace("${region}", "eu-west-1"),
        TOPIC.replace("${region}", "us-east-1"),
    ]


@pytest.mark.parametrize(
    ("operation", "params", "field"),
    [
        (
            "update_assume_role_policy",
            {"PolicyDocument": json.dumps(config_trust("111122223333"))},
            "trust statement AWSConfigAssumeRole",
        ),
        ("detach_role_policy", {"PolicyArn": MANAGED}, "AttachedPolicies"),
        ("delete_role_policy", {"PolicyName": "ConfigDelivery"}, "policy ConfigDelivery"),
        (
            "put_role_policy",
            {
                "PolicyName": "ConfigDelivery",
                "PolicyDocument": policy_text("Deny", "s3:*"),
            },
            "policy ConfigDelivery",
        ),
    ],
)
def test_drift_is_shown_and_repaired(
    bench: Bench, operation: str, params: dict[str, str], field: str
) -> None:
    bench.apply(OWN, only=ONLY)
    getattr(bench.client("iam"), operation)(RoleName="recorder", **params)
    assert [name for name, _, _ in fields(bench.diff(OWN, only=ONLY))] == [field]
    bench.apply(OWN, only=ONLY)
    assert fields(bench.diff(OWN, only=ONLY)) == []


def test_equivalent_trust_is_no_drift(bench: Bench) -> None:
    trust = config_trust(ACCOUNT)
    (statement,) = trust["Statement"]
    statement |= {
        "Action": ["sts:assumerole"],
        "Condition": {"StringEquals": {"AWS:SourceAccount": [ACCOUNT]}},
    }
    bench.client("iam").create_role(RoleName="recorder", AssumeRolePolicyDocument=json.dumps(trust))
    assert "trust statement AWSConfigAssumeRole" not in [
        name for name, _, _ in fields(bench.diff(OWN, only=ONLY))
    ]


OPERATOR = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "sts:AssumeRole",
}


def put_trust(bench: Bench, *statements: dict[str, Any]) -> None:
    """Replace the trust policy as another user."""
    document = {"Version": "2012-10-17", "Statement": statements}
    bench.client("iam").update_assume_role_policy(RoleName="recorder", PolicyDocument=json.dumps(document))


def read_trust(bench: Bench) -> list[dict[str, Any]]:
    role = bench.client("iam").get_role(RoleName="recorder")["Role"]
    return list(role["AssumeRolePolicyDocument"]["Statement"])


def test_foreign_trust_statements_are_kept_and_noted(bench: Bench) -> None:
    bench.apply(OWN, only=ONLY)
    theirs = [{"Sid": "Operators", **OPERATOR}, {**OPERATOR, "Action": "sts:TagSession"}]
    put_trust(bench, *theirs)
    plan = bench.apply(OWN, only=ONLY)
    assert [name for name, _, _ in fields(plan)] == ["trust statement AWSConfigAssumeRole"]
    assert read_trust(bench) == [*config_trust(ACCOUNT)["Statement"], *theirs]
    plan = bench.diff(OWN, only=ONLY)
    assert (fields(plan), notes(plan)) == (
        [],
        [("FOREIGN", "role recorder: trust statements of others are kept: Operators, (no Sid)")],
    )


@pytest.mark.parametrize("sid", ["", "Theirs"])
def test_same_trust_under_another_sid_is_no_drift(bench: Bench, sid: str) -> None:
    bench.apply(OWN, only=ONLY)
    (same,) = config_trust(ACCOUNT)["Statement"]
    del same["Sid"]
    put_trust(bench, {**({"Sid": sid} if sid else {}), **same}, {"Sid": "Operators", **OPERATOR})
    plan = bench.diff(OWN, only=ONLY)
    assert (fields(plan), notes(plan)) == (
        [],
        [("FOREIGN", "role recorder: trust statements of others are kept: Operators")],
    )


def test_broader_trust_under_our_sid_is_repaired(bench: Bench) -> None:
    bench.apply(OWN, only=ONLY)
    (ours,) = config_trust(ACCOUNT)["Statement"]
    del ours["Condition"]
    put_trust(bench, ours)
    bench.apply(OWN, only=ONLY)
    assert read_trust(bench) == config_trust(ACCOUNT)["Statement"]


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("ec2:Describe*", True),
        ("iam:*", True),
        ("*", True),
        ("s3:GetBucket*", True),
        ("ec2:RunInstances", False),
    ],
)
def test_a_deny_of_what_aws_config_records_with_is_offered_for_removal(
    bench: Bench, action: str, *, told: bool
) -> None:
    bench.apply(OWN, only=ONLY)
    bench.client("iam").put_role_policy(
        RoleName="recorder", PolicyName="theirs", PolicyDocument=policy_text("Deny", action)
    )
    found = [(c.consent, "which it needs" in c.loses) for _, c in bench.diff(OWN, only=ONLY).changes]
    assert found == [("remove-foreign-policy", True)] * told


def test_foreign_policies_are_kept_and_noted(bench: Bench) -> None:
    bench.apply(OWN, only=ONLY)
    iam = bench.client("iam")
    document = policy_text("Allow", "s3:ListAllMyBuckets")
    iam.put_role_policy(RoleName="recorder", PolicyName="theirs", PolicyDocument=document)
    other = iam.create_policy(PolicyName="more", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="recorder", PolicyArn=other)
    plan = bench.apply(OWN, only=ONLY)
    assert plan.changes == []
    assert notes(plan) == [
        ("FOREIGN", f"role recorder: has the policy {other} too; kept"),
        ("FOREIGN", "role recorder: has the policy theirs too; kept"),
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/team/", ""),
        ("/", f"the role `{ROLE}/team/theirs` does not exist, but `{ROLE}/theirs` does: correct it"),
        ("", f"the role `{ROLE}/team/theirs` does not exist: make it, or name another"),
    ],
)
def test_role_given_by_arn_must_exist_and_is_not_changed(bench: Bench, path: str, message: str) -> None:
    if path:
        trust = json.dumps(config_trust("111122223333"))
        bench.client("iam").create_role(RoleName="theirs", Path=path, AssumeRolePolicyDocument=trust)
    before = len(bench.world.writes)
    text = config_file({"role_arn": f"{ROLE}/team/theirs"})
    plan = bench.diff(text, only=ONLY)
    assert plan.changes == []
    failures = [r.failure.message for r in plan.failed if r.failure]
    assert failures == ([f"`config.role_arn`: {message}"] if message else [])
    assert bench.world.writes[before:] == []


def test_role_of_another_account_is_refused(bench: Bench) -> None:
    """AWS answers PutConfigurationRecorder with "Cross-account pass role is not allowed"."""
    arn = "arn:aws:iam::111122223333:role/far"
    (failed,) = bench.diff(config_file({"role_arn": arn}), only=ONLY).failed
    assert failed.failure is not None
    assert failed.failure.message == f"`config.role_arn`: is in account 111122223333, and {OWN_ACCOUNT} {arn}"


@pytest.mark.parametrize(
    ("home", "service"),
    [
        ("us-east-1", "config.amazonaws.com"),
        ("cn-north-1", "config.amazonaws.com"),
        ("eusc-de-east-1", "config.amazonaws.com"),
        ("us-iso-east-1", "config.c2s.ic.gov"),
        ("us-isob-east-1", "config.amazonaws.com"),
        ("eu-isoe-west-1", "config.amazonaws.com"),
        ("us-isof-east-1", "config.amazonaws.com"),
    ],
)
def test_service_principal_of_each_partition(bench: Bench, home: str, service: str) -> None:
    text = f"home_region: {home}\n" + config_file(regions=[home])
    plan = bench.diff(text, only=("config_recorder",))
    assert plan.failed == []
    wants = {d.field: d.want for _, c in plan.changes for d in c.differences}
    partition = bench.baseline(text).partition
    assert wants["AWSServiceName"] == service
    assert wants["roleARN"] == (
        f"arn:{partition}:iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRoleForConfig"
    )


@pytest.mark.parametrize(
    ("config", "path", "ok", "detail"),
    [
        ({}, "linked", True, SERVICE_ROLE),
        ({}, "", False, f"the role `{SERVICE_ROLE}` does not exist: make it, or name another"),
        ({"role_name": "recorder"}, "/", True, f"arn:aws:iam::{ACCOUNT}:role/recorder"),
        ({"role_name": "recorder"}, "/team/", True, f"arn:aws:iam::{ACCOUNT}:role/team/recorder"),
        (
            {"role_arn": f"arn:aws:iam::{ACCOUNT}:role/recorder"},
            "/team/",
            False,
            f"the role `{ROLE}/recorder` does not exist, but `{ROLE}/team/recorder` does: correct it",
        ),
        (
            {"role_arn": "arn:aws:iam::111122223333:role/far"},
            "",
            False,
            f"is in account 111122223333, and {OWN_ACCOUNT} arn:aws:iam::111122223333:role/far",
        ),
    ],
)
def test_verify(bench: Bench, config: dict[str, str], path: str, ok: bool | None, detail: str) -> None:
    iam = bench.client("iam")
    if path == "linked":
        iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    elif path:
        iam.create_role(
            RoleName="recorder", Path=path, AssumeRolePolicyDocument=json.dumps(config_trust(ACCOUNT))
        )
    (result,) = bench.run(config_file(config), only=ONLY).verify()
    assert [(f.ok, f.detail) for f in result.findings] == [(ok, detail)]


def test_trust_and_power_that_others_gave_the_role_need_consent_to_remove(bench: Bench) -> None:
    bench.apply(OWN)
    administrator = Administrator(bench.world.account_id, "us-east-1")
    foreign = [one for _, _, one in every_break([administrator], "config_role") if one.consent]
    assert {each.consent for each in foreign} == {"remove-foreign-trust", "remove-foreign-policy"}
    clean = store.capture(bench.world.memory)
    for each in foreign:
        bench.at(clean)
        assert carry_out(each), each.sentence
        ((_, change),) = bench.diff(OWN).changes
        assert (change.consent, change.resource) == (each.consent, "role recorder")
        assert change.differences[0].field.startswith(each.field), each.sentence
        run = bench.run(OWN)
        assert [r.step for r in run.send(run.rehearse()) if r.withheld] == ["config_role"]
        bench.apply(OWN, allow=(each.consent,))
        assert bench.diff(OWN).changes == []
