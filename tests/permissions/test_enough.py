"""The printed policy: enough for every run, nothing more than that, and no way to stop the audit log."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner import permissions
from provisioner.baseline import parse
from provisioner.cli import run as command
from provisioner.sandbox import Fault, WireCall, open_sandbox, store
from provisioner.sandbox.authorize import authorize
from provisioner.steps.permission import ANY_ACCOUNT, DECLARED
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import EXAMPLE, Bench
from .sample import (
    ACCOUNT,
    EVERYTHING,
    EVERYWHERE,
    REGIONS,
    TRAIL,
    TWO_REGIONS,
    Caller,
    actions,
    assert_well_formed,
    break_everything,
    least,
    make_surroundings,
    without,
)

FILES = {
    "example": (EXAMPLE, "organization-trail", ["us-east-1"]),
    "two-regions": (TWO_REGIONS, "organization-trail", ["us-east-1", "eu-west-1"]),
    "everything": (EVERYTHING, "audit", ["us-east-1"]),
    "everywhere": (EVERYWHERE, "audit", ["us-east-1", "eu-west-1"]),
}
ALONE = EXAMPLE.replace("is_organization_trail: true", "is_organization_trail: false")


@pytest.fixture
def caller(bench: Bench) -> Caller:
    make_surroundings(bench)
    return Caller(bench.world)


def failures(results: Any) -> list[str]:
    return [str(each.failure) for each in results if each.failure is not None]


def test_every_step_declares_what_it_calls() -> None:
    assert set(DECLARED) == set(all_steps())


# --- enough, and nothing unused ---


@pytest.mark.parametrize("name", FILES)
def test_it_is_enough_and_all_of_it_is_used(bench: Bench, caller: Caller, name: str) -> None:
    text, trail, regions = FILES[name]
    diff, verify, apply = (least(text, purpose) for purpose in ("diff", "verify", "apply"))
    used: dict[str, set[tuple[str, str]]] = {}
    for broken in (False, True):
        if broken:
            break_everything(bench, trail, *regions)
        with caller.held_to(diff):
            assert failures(bench.diff(text).results) == []
        used.setdefault("diff", set()).update(caller.taken())
        with caller.held_to(verify):
            assert failures(bench.run(text).verify()) == []
        used.setdefault("verify", set()).update(caller.taken())
        with caller.held_to(apply):
            assert bench.apply(text).changes != []
            assert bench.diff(text).changes == []
        used.setdefault("apply", set()).update(caller.taken())
    assert caller.denied == []
    for purpose, policy in (("diff", diff), ("verify", verify), ("apply", apply)):
        printed = {(each["Sid"], action) for each in policy["Statement"] for action in each["Action"]}
        assert printed - used[purpose] == set(), f"{purpose} needs less"


def test_it_is_enough_in_whichever_account_where_none_is_named(bench: Bench, caller: Caller) -> None:
    policy = least(EVERYTHING, "verify", "apply", account=ANY_ACCOUNT)
    with caller.held_to(policy):
        bench.apply(EVERYTHING)
        assert failures(bench.run(EVERYTHING).verify()) == []
    assert caller.denied == []
    text = json.dumps(policy)
    assert ANY_ACCOUNT not in text
    # IAM fills a variable in after the fifth colon only.
    assert re.findall(r'"(?:[^":]*:){0,4}[^":]*\$\{', text) == []
    elsewhere = WireCall("111122223333", "us-east-1", "s3", "HeadBucket", {"Bucket": f"acme-trail-{ACCOUNT}"})
    assert authorize(policy)(elsewhere, "before") is not None


def test_a_trail_that_is_the_organizations_against_the_file_can_be_read(bench: Bench, caller: Caller) -> None:
    bench.apply(EXAMPLE)
    with caller.held_to(least(ALONE, "diff")):
        assert failures(bench.diff(ALONE).results) == []
    assert caller.denied == []


def test_the_trails_of_others_are_looked_at_without_a_denial(bench: Bench, caller: Caller) -> None:
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
def test_a_policy_for_reading_reads_only(bench: Bench, caller: Caller, purpose: str) -> None:
    policy = least(EVERYTHING, purpose)
    assert {re.match("Get|List|Describe|Lookup", each.split(":")[1]) for each in actions(policy)}.isdisjoint(
        {None}
    )
    with caller.held_to(policy):
        planned = bench.run(EVERYTHING)
        sent = planned.send(planned.rehearse())
    assert len(failures(sent)) >= 4
    assert [call.operation for call in bench.world.writes if call.code is None][-1] == "PutRolePolicy", (
        "of the surroundings"
    )


def test_a_policy_for_diff_does_not_do_for_verify(bench: Bench, caller: Caller) -> None:
    run = bench.run(EVERYTHING)
    run.alone = True  # a question that nobody waits for is asked while the caller is held, too
    with caller.held_to(least(EVERYTHING, "diff")):
        run.verify()
    assert set(caller.denied) == set(actions(least(EVERYTHING, "verify"))) - set(
        actions(least(EVERYTHING, "diff"))
    )


# --- nothing can be left out ---


@pytest.fixture(scope="module")
def states() -> dict[str, tuple[bytes, bytes]]:
    """For each file an empty account and a broken one, as the sandbox saves them: made once, for each costs a second."""
    made = {}
    for name in ("example", "everything"):
        text, trail, regions = FILES[name]
        with open_sandbox(None) as world:
            bench = Bench(world)
            make_surroundings(bench)
            empty = store.capture(world.memory)
            bench.apply(text)
            break_everything(bench, trail, *regions)
            made[name] = (empty, store.capture(world.memory))
            for cloud in bench.clouds:
                cloud.close(wait=True)
    return made


NEEDED = [
    *(("everything", each) for each in actions(least(EVERYTHING, "verify", "apply"))),
    ("example", "iam:CreateServiceLinkedRole"),
    ("example", "iam:PassRole"),
]


@pytest.mark.parametrize(("name", "action"), NEEDED, ids=["-".join(each) for each in NEEDED])
def test_without_any_one_of_its_actions_a_run_is_denied_it(
    bench: Bench, states: dict[str, tuple[bytes, bytes]], name: str, action: str
) -> None:
    text = FILES[name][0]
    empty, broken = states[name]
    caller = Caller(bench.world)
    with caller.held_to(without(least(text, "verify", "apply"), action)):
        bench.world.memory = store.restore(broken)
        failed = failures(bench.run(text).verify())
        for state in (broken, empty):
            if not failed:
                bench.world.memory = store.restore(state)
                run = bench.run(text)
                failed = failures(run.send(run.rehearse()))
    assert failed != []
    assert set(caller.denied) == {action}


# --- on nothing else ---


def renamed(call: WireCall) -> WireCall:
    """The same request about somebody else's bucket, trail or role, or in another Region."""
    text = json.dumps(dict(call.params), default=str)
    for ours in ("acme-trail", "acme-config", "trail/audit", "role/audit", "alias/audit", "recorder"):
        text = text.replace(ours, f"{ours}-else")
    text = re.sub('"Name": "audit"', '"Name": "else"', text).replace("RoleForConfig", "RoleForElse")
    text = text.replace("cloudtrail.amazonaws.com", "sso.amazonaws.com")
    text = text.replace("config:us-east-1", "config:eu-west-1")
    return replace(call, params=json.loads(text), region="eu-west-1")


def test_what_it_allows_it_allows_on_what_the_file_names_only(bench: Bench) -> None:
    gate = authorize(least(EVERYTHING, "verify", "apply"))
    asked: dict[tuple[str, str], WireCall] = {}

    def note(call: WireCall, phase: str) -> Fault | None:
        if phase == "before":
            asked[call.service, call.operation] = replace(call, params=json.loads(json.dumps(call.params)))
        return None

    make_surroundings(bench)
    bench.world.interrupt(note)
    bench.apply(EVERYTHING)
    bench.run(EVERYTHING).verify()
    ours = [call for key, call in asked.items() if key[0] != "sts"]
    assert [c.operation for c in ours if gate(c, "before")] == []
    allowed = {f"{c.service}:{c.operation}" for c in ours if gate(renamed(c), "before") is None}
    # What AWS knows no resource for, or has one of in an account; and the look at the trails of others.
    assert allowed == {
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:LookupEvents",
        "iam:GetAccountPasswordPolicy",
        "iam:UpdateAccountPasswordPolicy",
        "organizations:DescribeOrganization",
        "organizations:ListAWSServiceAccessForOrganization",
    }


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("cloudtrail", "StopLogging", {"Name": TRAIL}),
        ("cloudtrail", "DeleteTrail", {"Name": TRAIL}),
        ("config", "StopConfigurationRecorder", {"ConfigurationRecorderName": "default"}),
        ("s3", "DeleteBucketPolicy", {"Bucket": f"acme-trail-{ACCOUNT}"}),
        ("s3", "GetObject", {"Bucket": f"acme-trail-{ACCOUNT}", "Key": "k"}),
        ("iam", "CreateServiceLinkedRole", {"AWSServiceName": "sso.amazonaws.com"}),
        ("organizations", "EnableAWSServiceAccess", {"ServicePrincipal": "sso.amazonaws.com"}),
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


@pytest.mark.parametrize("text", [EXAMPLE, ALONE, EVERYWHERE], ids=["example", "alone", "everywhere"])
@pytest.mark.parametrize("account", [ACCOUNT, ANY_ACCOUNT])
def test_every_statement_is_well_formed(text: str, account: str) -> None:
    assert_well_formed(least(text, "verify", "apply", account=account))


def test_the_policy_of_the_example() -> None:
    policy = least(EXAMPLE, "apply")
    assert [each["Sid"] for each in policy["Statement"]] == [
        "LogBucketsRead",
        "LogBucketsWrite",
        "OrganizationRead",
        "TrustedAccessEnable",
        "TrailsRead",
        "TrailsOfOthersRead",
        "TrailWrite",
        "OrganizationRolesRead",
        "OrganizationRoleMake",
        "ConfigRoleRead",
        "ConfigRoleMake",
        "ConfigRead",
        "ConfigRecorderWrite",
        "ConfigDeliveryWrite",
        "ConfigRolePass",
        "ConfigRulesWrite",
        "PasswordPolicyRead",
        "PasswordPolicyWrite",
    ]
    assert policy["Statement"][1] == {
        "Sid": "LogBucketsWrite",
        "Effect": "Allow",
        "Action": [
            "s3:CreateBucket",
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


def test_a_trail_of_the_account_alone_needs_nothing_of_the_organization() -> None:
    asked = actions(least(ALONE, "apply"))
    assert [each for each in asked if each.startswith("organizations:")] == [
        "organizations:DescribeOrganization"
    ]
    exact = ALONE.replace("  name: organization-trail", "  name: organization-trail\n  exact: true")
    assert not any(each.startswith("organizations:") for each in actions(least(exact, "apply")))


def test_several_regions_share_an_arn_and_are_named_in_a_condition() -> None:
    [one] = [s for s in least(EXAMPLE, "apply")["Statement"] if s["Sid"] == "ConfigRulesWrite"]
    assert one["Resource"] == f"arn:aws:config:us-east-1:{ACCOUNT}:config-rule/*"
    [two] = [s for s in least(TWO_REGIONS, "apply")["Statement"] if s["Sid"] == "ConfigRulesWrite"]
    assert two["Resource"] == f"arn:aws:config:*:{ACCOUNT}:config-rule/*"
    assert two["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}


@pytest.mark.parametrize(
    ("key", "resource", "alias"),
    [
        ("alias/audit", f"us-east-1:{ACCOUNT}:key/*", "alias/audit"),
        ("arn:aws:kms:us-east-1:111122223333:alias/audit", "us-east-1:111122223333:key/*", "alias/audit"),
        ("1234abcd-12ab", f"us-east-1:{ACCOUNT}:key/1234abcd-12ab", None),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab", None, None),
    ],
)
def test_the_key_of_the_trail_is_looked_up_by_its_name(
    key: str, resource: str | None, alias: str | None
) -> None:
    policy = least(EVERYTHING.replace("kms_key_id: alias/audit", f'kms_key_id: "{key}"'), "diff")
    found = [s for s in policy["Statement"] if s["Sid"] == "TrailKeyRead"]
    assert [s["Resource"] for s in found] == ([f"arn:aws:kms:{resource}"] if resource else [])
    wanted = [{"StringEquals": {"kms:RequestAlias": alias}}] if alias else []
    assert [s["Condition"] for s in found if "Condition" in s] == wanted


def test_a_role_by_its_arn_is_passed_and_looked_at_by_verify_only() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/path/theirs"
    text = EVERYTHING.replace("role_name: recorder", f"role_arn: {role}")
    by_sid = {s["Sid"]: s for s in least(text, "verify", "apply")["Statement"]}
    assert by_sid["ConfigRolePass"]["Resource"] == role
    assert by_sid["ConfigRoleRead"]["Resource"] == sorted([role, f"arn:aws:iam::{ACCOUNT}:role/theirs"])
    assert not {"ConfigRoleMake", "ConfigRoleWrite"} & set(by_sid)
    assert "ConfigRoleRead" not in {s["Sid"] for s in least(text, "apply")["Statement"]}
    elsewhere = least(text.replace(f"iam::{ACCOUNT}:role/path", "iam::111122223333:role/path"), "verify")
    assert "ConfigRoleRead" not in {s["Sid"] for s in elsewhere["Statement"]}


def test_another_partition_has_its_own_names() -> None:
    text = EXAMPLE.replace("us-east-1", "cn-north-1")
    arns = json.dumps(least(text, "apply", partition="aws-cn"))
    assert "arn:aws:" not in arns
    assert "arn:aws-cn:s3:::acme-config-" in arns


# --- the gate itself ---


def test_the_gate_denies_what_it_does_not_know_and_lets_everybody_ask_who_they_are() -> None:
    gate = authorize({"Statement": [{"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    call = WireCall(ACCOUNT, "us-east-1", "s3", "HeadBucket", {"Bucket": "b"})
    assert gate(call, "before") is None
    unknown = gate(replace(call, operation="SelectObjectContent"), "before")
    assert (unknown is None, unknown and unknown.code) == (False, "AccessDenied")
    assert gate(replace(call, operation="SelectObjectContent"), "after") is None
    denied = gate(WireCall(ACCOUNT, "us-east-1", "config", "DescribeConfigRules"), "before")
    assert denied is not None
    assert (denied.code, denied.status) == ("AccessDeniedException", 400)
    assert "is not authorized to perform: config:DescribeConfigRules on resource: *" in denied.message
    assert gate(WireCall(ACCOUNT, "us-east-1", "sts", "GetCallerIdentity"), "before") is None


def test_an_explicit_deny_wins() -> None:
    policy = least(EXAMPLE, "diff")
    deny = {"Sid": "No", "Effect": "Deny", "Action": "s3:List*", "Resource": "*"}
    gate = authorize({**policy, "Statement": [*policy["Statement"], deny]})
    call = WireCall(ACCOUNT, "us-east-1", "s3", "HeadBucket", {"Bucket": f"acme-config-{ACCOUNT}"})
    assert gate(call, "before") is not None


# --- the command ---


def told(capfd: Any, *arguments: str) -> tuple[int, str, str]:
    capfd.readouterr()
    code = command(["permissions", *arguments])
    out, err = capfd.readouterr()
    return code, out, err


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.yaml"
    path.write_text(EXAMPLE)
    return path


def test_the_command_prints_json_and_says_the_rest_on_stderr(capfd: Any, file: Path) -> None:
    code, out, err = told(capfd, str(file), "--account", ACCOUNT)
    assert code == 0
    assert json.loads(out) == least(EXAMPLE, "apply")
    assert all(line.startswith("note: ") for line in err.splitlines())
    assert "iam:ListAccountAliases is left out" in err
    assert "no account was named" not in err
    code, out, _ = told(capfd, str(file), "--account", ACCOUNT, "--for", "diff", "--for", "verify")
    assert json.loads(out) == least(EXAMPLE, "diff", "verify")


def test_the_account_is_the_only_one_that_the_file_allows(capfd: Any, file: Path) -> None:
    code, out, err = told(capfd, str(file))
    assert "acme-config-${aws:PrincipalAccount}" in out
    assert "narrow it with --account" in err
    file.write_text(EXAMPLE + f'allowed_account_ids: ["{ACCOUNT}"]\n')
    code, out, err = told(capfd, str(file))
    assert (code, json.loads(out)) == (0, least(EXAMPLE, "apply"))
    assert "--account" not in err
    code, out, err = told(capfd, str(file), "--account", "111122223333")
    assert (code, out) == (1, "")
    assert "`allowed_account_ids`" in err


def test_the_partition_is_the_home_regions_unless_named(capfd: Any, file: Path) -> None:
    file.write_text(EXAMPLE.replace("us-east-1", "us-gov-west-1"))
    assert "arn:aws-us-gov:s3:::" in told(capfd, str(file))[1]
    assert "arn:aws-eusc:s3:::" in told(capfd, str(file), "--partition", "aws-eusc")[1]


def test_a_wrong_file_and_a_wrong_account_are_errors(capfd: Any, file: Path) -> None:
    assert told(capfd, str(file), "--account", "12345")[0] == 1
    file.write_text(EXAMPLE.replace("minimum_password_length: 14", "minimum_password_length: x"))
    code, out, err = told(capfd, str(file))
    assert (code, out) == (1, "")
    assert "password_policy.minimum_password_length" in err
    file.write_text(EXAMPLE.replace("acme", "a" * 48, 1))
    assert told(capfd, str(file))[:2] == (1, "")
    assert told(capfd, str(file.with_name("none.yaml")))[0] == 1


def notes(text: str, *purposes: str) -> str:
    baseline = parse(text, "baseline.yaml", all_sections(), {})
    return "\n".join(permissions.notes(least(text, *purposes), baseline, ACCOUNT))


def many_buckets() -> str:
    """The example with so many buckets that their policy is too long for IAM."""
    one = EXAMPLE[EXAMPLE.index("  config:\n    name:") : EXAMPLE.index("cloudtrail:\n  name:")]
    many = "".join(
        one.replace("  config:", f"  more{i}:").replace("-config-", f"-more{i}-").replace("*archive", "[]")
        for i in range(30)
    )
    return EXAMPLE.replace("cloudtrail:\n  name:", f"{many}\ncloudtrail:\n  name:", 1)


def test_a_policy_that_is_too_long_is_refused_with_the_ways_to_have_it(capfd: Any, file: Path) -> None:
    file.write_text(many_buckets())
    code, out, err = told(capfd, str(file))
    assert (code, out) == (1, "")
    assert "characters, and IAM takes 6,144 in one: write one for each service with `--split DIR`" in err
    assert "(cloudtrail 1," in err
    assert told(capfd, str(file), "--service", "cloudtrail")[0] == 0


def test_one_service_is_printed_and_another_is_refused(capfd: Any, file: Path) -> None:
    code, out, _ = told(capfd, str(file), "--service", "password_policy")
    assert code == 0
    assert actions(json.loads(out)) == ["iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy"]
    code, out, err = told(capfd, str(file), "--service", "guarddog")
    assert (code, out) == (1, "")
    assert (
        "--service guarddog: the file needs no such policy; there are cloudtrail, config, log_buckets" in err
    )


def test_split_policies_say_together_what_one_says(capfd: Any, file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policies" / "here"
    code, out, _ = told(capfd, str(file), "--split", str(folder))
    assert code == 0
    written = {path.stem: json.loads(path.read_text()) for path in sorted(folder.iterdir())}
    assert [*written] == ["cloudtrail", "config", "log_buckets", "password_policy"]
    assert [line.split()[0] for line in out.splitlines()] == [
        str(folder / f"{each}.json") for each in written
    ]
    whole = json.loads(told(capfd, str(file))[1])
    assert sorted({a for each in written.values() for a in actions(each)}) == actions(whole)
    code, _, err = told(capfd, str(file), "--split", str(file))
    assert (code, f"--split {file}: File exists; name a folder that can be written" in err) == (1, True)


def test_seventeen_regions_fit_into_one_managed_policy() -> None:
    regions = ", ".join(f"eu-{where}-{i}" for where in ("west", "north", "south") for i in range(1, 7))
    text = EXAMPLE.replace(REGIONS, f"regions: [{regions}, us-east-1]")
    assert permissions.size(least(text, "apply")) <= permissions.MANAGED_POLICY


def test_who_writes_a_roles_policies_can_give_it_any_power_and_is_told() -> None:
    assert "any power" in notes(EVERYTHING, "apply")
    assert "any power" not in notes(EVERYTHING, "diff")
    assert "any power" not in notes(EXAMPLE, "apply")
