"""Tests of the roles and users that the file's own statements name, and that AWS may not have."""

from __future__ import annotations

import json

import pytest

from ..conftest import Bench

ACCOUNT = "123456789012"
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}}
KEY = "kms_keys:\n  trail:\n    alias: alias/acme-trail\n"
BUCKET = "log_buckets:\n  logs:\n    name: acme-logs\n"
ON = {
    "log_buckets": (BUCKET, "s3:GetObject", "arn:aws:s3:::acme-logs/*"),
    "kms_keys": (KEY, "kms:Decrypt", "*"),
}


def file_of(section: str, *who: str) -> str:
    """A file whose only resource has a statement for each of the principals."""
    head, action, resource = ON[section]
    statements = [
        {"Sid": f"S{n}", "Effect": "Allow", "Principal": {"AWS": arn}, "Action": action, "Resource": resource}
        for n, arn in enumerate(who)
    ]
    return f"{head}    policy_statements: {json.dumps(statements)}\n"


def sids(bench: Bench, section: str) -> set[str]:
    """Those of the policy in AWS."""
    if section == "log_buckets":
        found = bench.client("s3").get_bucket_policy(Bucket="acme-logs")["Policy"]
    else:
        found = bench.client("kms").get_key_policy(KeyId=key_id(bench), PolicyName="default")["Policy"]
    return {each["Sid"] for each in json.loads(found)["Statement"]}


def key_id(bench: Bench) -> str:
    return str(bench.client("kms").describe_key(KeyId="alias/acme-trail")["KeyMetadata"]["KeyId"])


@pytest.mark.parametrize("section", ON)
@pytest.mark.parametrize("who", ["role/security/auditor", "user/auditor"])
def test_a_missing_one_is_told_before_the_write_and_holds_off_no_other_statement(
    bench: Bench, section: str, who: str
) -> None:
    iam, arn = bench.client("iam"), f"arn:aws:iam::{ACCOUNT}:{who}"
    others = iam.create_role(RoleName="others", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    text = file_of(section, others, arn)
    [failure] = [each for r in bench.diff(text).results for each in r.failures]
    kind = who.partition("/")[0]
    assert failure.message.startswith(f"the {kind} `{arn}` does not exist: make it, or name another")

    run = bench.run(text)
    [result] = run.send(run.rehearse())
    assert [each.message for each in result.failures] == [failure.message]
    assert {"S0"} == sids(bench, section) & {"S0", "S1"}
    findings = [each for result in bench.run(text).verify() for each in result.findings]
    found = {each.detail.split("`")[1]: each.ok for each in findings if each.check == f"{kind} in the policy"}
    assert found[arn] is False

    name, path = who.rpartition("/")[2], "/security/" if "security" in who else "/"
    if kind == "user":
        iam.create_user(UserName=name, Path=path)
    else:
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))
    bench.apply(text)
    assert {"S0", "S1"} <= sids(bench, section)
    assert bench.diff(text).changes == []


def test_one_that_differs_in_its_path_is_named(bench: Bench) -> None:
    bench.client("iam").create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST))
    text = file_of("log_buckets", f"arn:aws:iam::{ACCOUNT}:role/security/auditor")
    [failure] = [each for r in bench.diff(text).results for each in r.failures]
    assert f"but `arn:aws:iam::{ACCOUNT}:role/auditor` does" in failure.message
