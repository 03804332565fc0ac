"""Tests of the policy of one account that go beyond law 12: settings that the full file lacks, and limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from provisioner.sandbox import Fault, WireCall, open_sandbox, store
from provisioner.sandbox.authorize import authorize
from provisioner.steps.permission import ANY_ACCOUNT

from ..conftest import EXAMPLE, Bench
from ..laws.full import FULL, administrator_of
from .sample import (
    ACCOUNT,
    EVERYTHING,
    EVERYWHERE,
    TRAIL,
    TWO_REGIONS,
    Caller,
    actions,
    assert_well_formed,
    break_everything,
    by_sid,
    least,
    make_surroundings,
    statement_actions,
    without,
    without_consent,
)

ALONE = EXAMPLE.replace("is_organization_trail: true", "is_organization_trail: false")


@pytest.fixture
def caller(bench: Bench) -> Caller:
    make_surroundings(bench)
    return Caller(bench.world)


def failures(results: Any) -> list[str]:
    return [str(each.failure) for each in results if each.failure is not None]


# --- enough, and nothing unused ---


def test_it_is_enough_and_all_of_it_is_used(bench: Bench, caller: Caller) -> None:
    policies = {purpose: least(EVERYTHING, purpose) for purpose in ("diff", "verify", "apply")}
    unused = {purpose: statement_actions(policy) for purpose, policy in policies.items()}
    for broken in (False, True):
        if broken:
            break_everything(administrator_of(bench, EVERYTHING))
        with caller.held_to(policies["diff"]):
            assert failures(bench.diff(EVERYTHING).results) == []
        unused["diff"] -= caller.taken()
        with caller.held_to(policies["verify"]):
            assert failures(bench.run(EVERYTHING).verify()) == []
            bench.wait_for_reads()
        unused["verify"] -= caller.taken()
        with caller.held_to(policies["apply"]):
            run = bench.run(EVERYTHING)
            sent = run.send(run.rehearse())
            assert (failures(sent), run.settle(sent)) == ([], [])
            assert any(each.changes for each in sent)
            assert without_consent(bench.diff(EVERYTHING)) == []
        unused["apply"] -= caller.taken()
    assert caller.denied == []
    assert not any(unused.values()), unused


def test_a_policy_for_any_account_is_enough_in_each(bench: Bench, caller: Caller) -> None:
    policy = least(EVERYTHING, "verify", "apply", account=ANY_ACCOUNT)
    with caller.held_to(policy):
        bench.apply(EVERYTHING)
        assert failures(bench.run(EVERYTHING).verify()) == []
    assert caller.denied == []
    text = json.dumps(policy)
    assert ANY_ACCOUNT not in text
    # IAM replaces variables after the fifth colon only.
    assert re.findall(r'"(?:[^":]*:){0,4}[^":]*\$\{', text) == []
    foreign = WireCall("111122223333", "us-east-1", "s3", "HeadBucket", {"Bucket": f"acme-trail-{ACCOUNT}"})
    assert authorize(policy)(foreign, "before") is not None


def test_an_organization_trail_can_be_read_where_the_file_wants_none(bench: Bench, caller: Caller) -> None:
    bench.apply(EXAMPLE)
    with caller.held_to(least(ALONE, "diff")):
        assert failures(bench.diff(ALONE).results) == []
    assert caller.denied == []


def test_foreign_trails_are_read_without_a_denial(bench: Bench, caller: Caller) -> None:
    bench.apply(EVERYTHING)
    other = bench.client("cloudtrail", "eu-west-1")
    policy = json.loads(bench.client("s3").get_bucket_policy(Bucket=f"acme-trail-{ACCOUNT}")["Policy"])
    for each in policy["Statement"]:
        each.pop("Condition", None)
    bench.client("s3").create_bucket(Bucket="others")
    text = json.dumps(policy).replace(f"acme-trail-{ACCOUNT}", "others").replace("/trails/", "/")
    bench.client("s3").delete_public_access_block(Bucket="others")
    bench.client("s3").put_bucket_policy(Bucket="others", Policy=text.replace('"Deny"', '"Allow"'))
    other.create_trail(Name="others", S3BucketName="others", IsMultiRegionTrail=True)
    other.put_event_selectors(TrailName="others", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    before = len(bench.world.calls)
    with caller.held_to(least(EVERYTHING, "diff")):
        assert failures(bench.diff(EVERYTHING).results) == []
    assert caller.denied == []
    assert any(c.region == "eu-west-1" for c in bench.world.calls[before:] if c.service == "cloudtrail")


@pytest.mark.parametrize("purpose", ["diff", "verify"])
def test_a_policy_for_reading_allows_reads_only(purpose: str) -> None:
    assert [
        each
        for each in actions(least(EVERYTHING, purpose))
        if not re.search(":(Get|List|Describe|Lookup)", each)
    ] == []


# --- nothing can be left out ---


@pytest.fixture(scope="module")
def states() -> tuple[bytes, bytes]:
    """An empty account and a broken one, as the sandbox saves them; made once, because each takes a second."""
    with open_sandbox(None) as world:
        bench = Bench(world)
        make_surroundings(bench)
        empty = store.capture(world.memory)
        bench.apply(EVERYTHING)
        break_everything(administrator_of(bench, EVERYTHING))
        broken = store.capture(world.memory)
        bench.close()
    return empty, broken


# Law 12 does the same for the actions that the full file needs.
NEEDED = sorted(
    set(actions(least(EVERYTHING, "verify", "apply"))) - set(actions(least(FULL, "verify", "apply")))
)


@pytest.mark.parametrize("action", NEEDED)
def test_without_any_one_of_its_actions_a_run_is_denied_it(
    bench: Bench, states: tuple[bytes, bytes], action: str
) -> None:
    empty, broken = states
    caller = Caller(bench.world)
    with caller.held_to(without(least(EVERYTHING, "verify", "apply"), action)):
        bench.at(broken)
        failed = failures(bench.run(EVERYTHING).verify())
        for state in (broken, empty):
            if not failed:
                bench.at(state)
                run = bench.run(EVERYTHING)
                failed = failures(run.send(run.rehearse()))
    assert failed != []
    assert set(caller.denied) == {action}


# --- on nothing else ---


def renamed(call: WireCall) -> WireCall:
    """The same request for a foreign bucket, trail or role, in another Region."""
    text = json.dumps(dict(call.params), default=str)
    for ours in ("acme-trail", "acme-config", "trail/audit", "role/audit", "alias/audit", "recorder"):
        text = text.replace(ours, f"{ours}-else")
    text = re.sub('"(Role)?Name": "[a-z]+"', '"\\1Name": "else"', text)
    text = re.sub(r'(arn:aws:(?:sns|logs):[^"]*?[a-z-]+)(?="|:\*)', r"\1-else", text)
    text = text.replace("RoleForConfig", "RoleForElse")
    text = text.replace("cloudtrail.amazonaws.com", "sso.amazonaws.com")
    text = text.replace("config:us-east-1", "config:eu-west-1")
    return replace(call, params=json.loads(text), region="eu-west-1")


def test_it_allows_nothing_on_resources_that_the_file_does_not_name(bench: Bench) -> None:
    gate = authorize(least(EVERYTHING, "verify", "apply"))
    made: dict[tuple[str, str], WireCall] = {}

    def record(call: WireCall, phase: str) -> Fault | None:
        if phase == "before":
            made[call.service, call.operation] = replace(call, params=json.loads(json.dumps(call.params)))
        return None

    make_surroundings(bench)
    bench.world.interrupt(record)
    bench.apply(EVERYTHING)
    bench.run(EVERYTHING).verify()
    ours = [call for key, call in made.items() if key[0] != "sts"]
    assert [c.operation for c in ours if gate(c, "before")] == []
    allowed = {f"{c.service}:{c.operation}" for c in ours if gate(renamed(c), "before") is None}
    # Actions without resources, on what an account has one of, and reads of foreign trails.
    assert allowed == {
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:ListTrails",
        "cloudtrail:LookupEvents",
        "iam:GetAccountPasswordPolicy",
        "iam:UpdateAccountPasswordPolicy",
        "organizations:DescribeOrganization",
        "organizations:ListAWSServiceAccessForOrganization",
    }


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("s3", "GetObject", {"Bucket": f"acme-trail-{ACCOUNT}", "Key": "k"}),
        (
            "iam",
            "AttachRolePolicy",
            {"RoleName": "recorder", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        (
            "config",
            "PutConfigurationRecorder",
            {"ConfigurationRecorder": {"name": "default", "roleARN": f"arn:aws:iam::{ACCOUNT}:role/admin"}},
        ),
        (
            "cloudtrail",
            "UpdateTrail",
            {"Name": TRAIL, "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/recorder"},
        ),
    ],
)
def test_it_does_not_allow(bench: Bench, service: str, operation: str, params: dict[str, Any]) -> None:
    call = WireCall(ACCOUNT, "us-east-1", service, operation, params)
    assert authorize(least(EVERYTHING, "verify", "apply"))(call, "before") is not None


# --- its shape ---


@pytest.mark.parametrize("text", [ALONE, EVERYWHERE], ids=["alone", "everywhere"])
@pytest.mark.parametrize("account", [ACCOUNT, ANY_ACCOUNT])
def test_every_statement_is_well_formed(text: str, account: str) -> None:
    assert_well_formed(least(text, "verify", "apply", account=account))


def test_the_policy_of_the_example() -> None:
    policy = least(EXAMPLE, "apply")
    assert by_sid(policy)["LogBucketsWrite"] == {
        "Sid": "LogBucketsWrite",
        "Effect": "Allow",
        "Action": [
            "s3:CreateBucket",
            "s3:PutBucketAcl",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ],
        "Resource": [
            "arn:aws:s3:::acme-cloudtrail-123456789012",
            "arn:aws:s3:::acme-config-123456789012",
        ],
    }


def test_a_trail_of_one_account_needs_no_change_of_the_organization() -> None:
    needed = actions(least(ALONE, "apply"))
    assert [each for each in needed if each.startswith("organizations:")] == [
        "organizations:DescribeOrganization"
    ]
    exact = ALONE.replace("  name: organization-trail", "  name: organization-trail\n  exact: true")
    assert not any(each.startswith("organizations:") for each in actions(least(exact, "apply")))


def test_several_regions_share_an_arn_and_are_in_a_condition() -> None:
    one = by_sid(least(EXAMPLE, "apply"))["ConfigRules"]
    assert one["Resource"] == f"arn:aws:config:us-east-1:{ACCOUNT}:config-rule/*"
    two = by_sid(least(TWO_REGIONS, "apply"))["ConfigRules"]
    assert two["Resource"] == f"arn:aws:config:*:{ACCOUNT}:config-rule/*"
    assert two["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}


@pytest.mark.parametrize(
    ("key", "resource", "alias"),
    [
        ("alias/audit", f"us-east-1:{ACCOUNT}:key/*", "alias/audit"),
        ("arn:aws:kms:us-east-1:111122223333:alias/audit", "us-east-1:111122223333:key/*", "alias/audit"),
        ("1234abcd-12ab", f"us-east-1:{ACCOUNT}:key/1234abcd-12ab", None),
        (
            f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab",
            f"us-east-1:{ACCOUNT}:key/1234abcd-12ab",
            None,
        ),
    ],
)
def test_the_key_of_the_trail_is_looked_up_by_its_name(key: str, resource: str, alias: str | None) -> None:
    policy = least(EVERYTHING.replace("kms_key_id: alias/audit", f'kms_key_id: "{key}"'), "diff")
    found = [s for s in policy["Statement"] if s["Sid"] == "TrailKeyRead"]
    assert [s["Resource"] for s in found] == [f"arn:aws:kms:{resource}"]
    condition = {"StringEquals": {"kms:RequestAlias": alias}} if alias else None
    assert [s.get("Condition") for s in found] == [condition]


def test_a_role_given_by_arn_is_passed_and_read() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/path/theirs"
    text = EVERYTHING.replace("role_name: recorder", f"role_arn: {role}")
    statements = by_sid(least(text, "verify", "apply"))
    assert statements["ConfigRolePass"]["Resource"] == role
    assert statements["ConfigRoleRead"]["Resource"] == sorted([role, f"arn:aws:iam::{ACCOUNT}:role/theirs"])
    assert not {"ConfigRoleMake", "ConfigRoleWrite"} & set(statements)
    assert "ConfigRoleRead" in by_sid(least(text, "diff"))
    foreign = text.replace(f"iam::{ACCOUNT}:role/path", "iam::111122223333:role/path")
    assert "ConfigRoleRead" not in by_sid(least(foreign, "verify"))


def test_arns_have_the_partition() -> None:
    text = EXAMPLE.replace("us-east-1", "cn-north-1")
    arns = json.dumps(least(text, "apply", partition="aws-cn"))
    assert "arn:aws:" not in arns
    assert "arn:aws-cn:s3:::acme-config-" in arns


# --- the sandbox's check, on which these tests rely ---


def test_the_sandbox_denies_what_the_policy_does_not_allow_and_unknown_operations() -> None:
    gate = authorize({"Statement": [{"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    call = WireCall(ACCOUNT, "us-east-1", "s3", "HeadBucket", {"Bucket": "b"})
    unknown = replace(call, operation="SelectObjectContent")
    denied = gate(WireCall(ACCOUNT, "us-east-1", "config", "DescribeConfigRules"), "before")
    assert gate(call, "before") is None
    assert gate(WireCall(ACCOUNT, "us-east-1", "sts", "GetCallerIdentity"), "before") is None
    assert getattr(gate(unknown, "before"), "code", None) == "AccessDenied"
    assert gate(unknown, "after") is None
    assert denied is not None
    assert (denied.code, denied.status) == ("AccessDeniedException", 400)
    assert "is not authorized to perform: config:DescribeConfigRules on resource: *" in denied.message
