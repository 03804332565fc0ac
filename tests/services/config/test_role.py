"""The role of AWS Config: linked to the service, of our own, or somebody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.services.config.delivery import config_trust

from ...conftest import Bench
from .sample import ACCOUNT, SERVICE_ROLE, config_file, fields, notes

ONLY = ("config_role",)
MANAGED = "arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"
TOPIC = "arn:aws:sns:${region}:123456789012:config"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
OWN = config_file({"role_name": "recorder"}, s3_key_prefix="aws")


def policy_text(effect: str, action: str) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_the_service_linked_role_is_made_once(bench: Bench) -> None:
    plan = bench.apply(config_file(), only=ONLY)
    assert [(c.resource, c.action, c.call.operation) for _, c in plan.changes] == [
        ("role AWSServiceRoleForConfig", "create", "create_service_linked_role")
    ]
    assert bench.client("iam").get_role(RoleName="AWSServiceRoleForConfig")["Role"]["Arn"] == SERVICE_ROLE
    assert fields(bench.diff(config_file(), only=ONLY)) == []


def test_a_service_linked_role_that_somebody_has_just_made_is_taken(bench: Bench) -> None:
    run = bench.run(config_file(), only=ONLY)
    plan = run.rehearse()
    bench.client("iam").create_service_linked_role(AWSServiceName="config.amazonaws.com")
    (sent,) = run.send(plan)
    assert (sent.failure, sent.changes) == (None, []), "it is there, and it was not us"


def test_what_iam_refuses_for_another_reason_fails_in_seconds(bench: Bench) -> None:
    from provisioner.sandbox import Fault

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


def test_a_role_of_our_own_has_what_it_needs(bench: Bench) -> None:
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


def test_the_role_may_speak_to_the_topic_of_each_region(bench: Bench) -> None:
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
def test_each_way_it_drifts(bench: Bench, operation: str, params: dict[str, str], field: str) -> None:
    bench.apply(OWN, only=ONLY)
    getattr(bench.client("iam"), operation)(RoleName="recorder", **params)
    assert [name for name, _, _ in fields(bench.diff(OWN, only=ONLY))] == [field]
    bench.apply(OWN, only=ONLY)
    assert fields(bench.diff(OWN, only=ONLY)) == []


def test_a_trust_that_reads_otherwise_and_means_the_same_is_no_drift(bench: Bench) -> None:
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


def trusted(bench: Bench, *statements: dict[str, Any]) -> None:
    """Somebody writes the trust policy."""
    document = {"Version": "2012-10-17", "Statement": statements}
    bench.client("iam").update_assume_role_policy(RoleName="recorder", PolicyDocument=json.dumps(document))


def trust(bench: Bench) -> list[dict[str, Any]]:
    role = bench.client("iam").get_role(RoleName="recorder")["Role"]
    return list(role["AssumeRolePolicyDocument"]["Statement"])


def test_trust_statements_of_others_stay_and_are_said(bench: Bench) -> None:
    bench.apply(OWN, only=ONLY)
    theirs = [{"Sid": "Operators", **OPERATOR}, {**OPERATOR, "Action": "sts:TagSession"}]
    trusted(bench, *theirs)
    plan = bench.apply(OWN, only=ONLY)
    assert [name for name, _, _ in fields(plan)] == ["trust statement AWSConfigAssumeRole"]
    assert trust(bench) == [*config_trust(ACCOUNT)["Statement"], *theirs]
    plan = bench.diff(OWN, only=ONLY)
    assert (fields(plan), notes(plan)) == (
        [],
        [("FOREIGN", "role recorder: trust statements of others are kept: Operators, (no Sid)")],
    )


@pytest.mark.parametrize("sid", ["", "Theirs"])
def test_a_trust_that_somebody_else_has_written_alike_is_no_drift(bench: Bench, sid: str) -> None:
    bench.apply(OWN, only=ONLY)
    (alike,) = config_trust(ACCOUNT)["Statement"]
    del alike["Sid"]
    trusted(bench, {**({"Sid": sid} if sid else {}), **alike}, {"Sid": "Operators", **OPERATOR})
    plan = bench.diff(OWN, only=ONLY)
    assert (fields(plan), notes(plan)) == (
        [],
        [("FOREIGN", "role recorder: trust statements of others are kept: Operators")],
    )


def test_a_trust_under_our_name_that_says_more_is_repaired(bench: Bench) -> None:
    bench.apply(OWN, only=ONLY)
    (ours,) = config_trust(ACCOUNT)["Statement"]
    del ours["Condition"]
    trusted(bench, ours)
    bench.apply(OWN, only=ONLY)
    assert trust(bench) == config_trust(ACCOUNT)["Statement"]


def test_policies_of_others_stay_and_are_said(bench: Bench) -> None:
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


def test_a_role_of_others_is_not_touched(bench: Bench) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/theirs"
    before = len(bench.world.calls)
    plan = bench.diff(config_file({"role_arn": arn}), only=ONLY)
    assert (plan.changes, plan.failed) == ([], [])
    assert [call.operation for call in bench.world.calls[before:]] == ["GetCallerIdentity"]


@pytest.mark.parametrize(
    ("config", "made", "state", "detail"),
    [
        ({}, "linked", True, SERVICE_ROLE),
        ({}, "", False, "there is no such role"),
        ({"role_name": "recorder"}, "/", True, f"arn:aws:iam::{ACCOUNT}:role/recorder"),
        ({"role_name": "recorder"}, "/team/", True, f"arn:aws:iam::{ACCOUNT}:role/team/recorder"),
        (
            {"role_arn": f"arn:aws:iam::{ACCOUNT}:role/recorder"},
            "/team/",
            False,
            f"its ARN is {ROLE}/team/recorder, the baseline has {ROLE}/recorder",
        ),
        (
            {"role_arn": "arn:aws:iam::111122223333:role/far"},
            "",
            None,
            "is in another account and cannot be looked at: arn:aws:iam::111122223333:role/far",
        ),
    ],
)
def test_verify_says_whether_it_is_there(
    bench: Bench, config: dict[str, str], made: str, state: bool | None, detail: str
) -> None:
    iam = bench.client("iam")
    if made == "linked":
        iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    elif made:
        iam.create_role(
            RoleName="recorder", Path=made, AssumeRolePolicyDocument=json.dumps(config_trust(ACCOUNT))
        )
    (result,) = bench.run(config_file(config), only=ONLY).verify()
    assert [(f.ok, f.detail) for f in result.findings] == [(state, detail)]


def test_a_failed_read_is_no_absence(bench: Bench) -> None:
    from provisioner.sandbox import Fault

    bench.world.interrupt(lambda call, _: Fault("AccessDenied", 403) if call.operation == "GetRole" else None)
    plan = bench.diff(config_file(), only=ONLY)
    assert plan.changes == []
    assert [r.failure.code for r in plan.failed if r.failure] == ["AccessDenied"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"role_name": "a", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/a"},
            "config.role_arn: goes without `role_name`",
        ),
        ({"role_name": "a b"}, "config.role_name: want the name of a role"),
        ({"role_arn": "recorder"}, "config.role_arn: want the ARN of an IAM role"),
    ],
)
def test_what_the_file_may_not_say(bench: Bench, config: dict[str, str], words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(config_file(config))
    assert words in str(error.value)
