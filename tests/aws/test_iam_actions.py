"""Tests that hints name IAM actions that exist: those of AWS's Service Authorization Reference."""

from __future__ import annotations

import re

import botocore.session
import pytest
from botocore.exceptions import ClientError

from provisioner.aws.hints import describe
from provisioner.aws.iam_actions import _RENAMED, iam_action
from provisioner.sandbox.actions import acts
from provisioner.sandbox.reference import find_action
from provisioner.steps.registry import all_steps

from ..conftest import ROOT, Bench
from ..laws.full import FULL

SERVICES = sorted(
    {"account", "organizations", "sts", *(each for step in all_steps().values() for each in step.clients)}
)
SETTINGS_OF_BUCKETS = re.compile(r"(Get|Put|Delete|Head).*(Bucket|PublicAccessBlock|ObjectLockConfiguration)")


def denied(service: str, operation: str, message: str = "Access Denied") -> str:
    """The hint for a denied operation, in botocore's and AWS's spelling."""
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, operation)
    error.service = service  # type: ignore[attr-defined]
    return describe("reading", error).hint


def test_every_call_of_every_step_has_the_action_that_the_sandbox_asks_for(bench: Bench) -> None:
    """The sandbox has its actions from AWS's pages, and this program its own: each proves the other."""
    bench.apply(FULL)
    [*_] = bench.run(FULL).verify()
    calls = {(call.service, call.operation): call for call in bench.world.calls}
    assert len(calls) > 40
    wrong = {}
    for (service, operation), call in calls.items():
        needed = {act.action for act in acts(call)}
        if needed and iam_action(service, operation) not in needed:
            wrong[service, operation] = needed
    assert wrong == {}


@pytest.mark.parametrize("service", [*SERVICES, "s3control", "sns", "lambda"])
def test_the_actions_of_a_service_exist(service: str) -> None:
    names = botocore.session.get_session().get_service_model(service).operation_names
    if service in {"s3", "s3control"}:  # those of objects, and of Outposts, are other services' to IAM
        names = [name for name in names if SETTINGS_OF_BUCKETS.match(name) and service == "s3"]
    named = {name: iam_action(service, name) for name in {*names, *_RENAMED.get(service, {})}}
    missing = {name: action for name, action in named.items() if find_action(action) is None}
    # What AWS has added lately is in botocore before it is in the reference: an eighth of CloudWatch.
    assert len(missing) <= max(2, len(named) // 8), missing
    assert not {*missing} & {*_RENAMED.get(service, {})}


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("s3", "DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
        ("s3control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
        ("accessanalyzer", "ListAnalyzers", "access-analyzer:ListAnalyzers"),
        ("cloudwatch", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
        ("", "GetThing", "GetThing"),
    ],
)
def test_hints_name_the_action(service: str, operation: str, action: str) -> None:
    assert f"the caller may not `{action}`" in denied(service, operation)


REASONS = [
    ("with an explicit deny in a service control policy", "an explicit deny in a service control policy"),
    ("with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/p", "identity-based policy"),
    ("with an explicit deny in a permissions boundary", "an explicit deny in a permissions boundary"),
    ("with an explicit deny in a VPC endpoint policy", "an explicit deny in a VPC endpoint policy"),
    ("with an explicit deny", "an explicit deny keeps the caller"),
    (
        "because no resource-based policy allows the s3:GetX action",
        "no resource-based policy lets the caller",
    ),
    ("because no session policy allows the s3:GetX action", "no session policy lets the caller"),
    (
        "because public policies are blocked by the BlockPublicPolicy block public access setting",
        "no permission helps, because public policies are blocked by the BlockPublicPolicy block public access",
    ),
    ("", "an explicit Deny, its own policies"),
]


@pytest.mark.parametrize(("reason", "hint"), REASONS)
def test_hints_say_which_policy_denies(reason: str, hint: str) -> None:
    message = (
        f"User: arn:aws:iam::1:user/u is not authorized to perform: s3:GetBucketX on resource: r {reason}"
    )
    found = denied("s3", "GetSomething", message)
    assert hint in found
    assert "`s3:GetBucketX`" in found or "no permission" in found


# An action of a service in a text of the program, as its user would put it into a policy.
ACTION = re.compile(r"`([a-z][a-z0-9-]+:[A-Z]\w+)`")


def test_the_actions_in_every_text_of_the_program_exist() -> None:
    files = [ROOT / "README.md", *(ROOT / "provisioner").rglob("*.py"), *(ROOT / "scripts").rglob("*.md")]
    named = {action for file in files for action in ACTION.findall(file.read_text())}
    keys = (
        r"aws:.*|service:\w+|sts:ExternalId|\w+:(PassedToService|ServicePrincipal|PolicyARN|AWSServiceName)"
    )
    actions = {each for each in named if not re.fullmatch(keys, each)}
    assert len(actions) > 10
    assert {each for each in actions if find_action(each) is None} == set()
