"""Tests of two files with accounts of their own that deliver to one bucket with one key: neither cuts the other off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.compare.policy import listed
from provisioner.model import Kind
from provisioner.services.config.principal import principal

from ..conftest import Bench

ONE, TWO = "444455556666", "111122223333"  # accounts of the sandbox's organization
STRANGER = "999999999999"
LISTED = 'accounts: {{ids: ["{}"]}}'
EVERY = "accounts: {all: true}"
FILE = """
regions: [us-east-1]
log_buckets: {logs: {name: acme-logs}}
kms_keys: {key: {alias: alias/logs}}
config: {delivery_channel: {s3_bucket_name: logs, s3_kms_key_arn: key}}
guardduty: {publishing_destination: {s3_bucket_name: logs, kms_key_arn: key}}
macie: {classification_export: {bucket_name: logs, kms_key_arn: key}}
"""
ONLY = ("log_buckets", "kms_keys")
SERVICES = [principal("aws"), "guardduty.amazonaws.com", "macie.amazonaws.com"]


def documents(bench: Bench) -> list[list[dict[str, Any]]]:
    """The statements of the bucket's policy and of the key's."""
    kms = bench.client("kms")
    key = next(a["TargetKeyId"] for a in kms.list_aliases()["Aliases"] if a["AliasName"] == "alias/logs")
    policies = (
        bench.client("s3").get_bucket_policy(Bucket="acme-logs")["Policy"],
        kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
    )
    return [json.loads(each)["Statement"] for each in policies]


def lets_in(statement: dict[str, Any], account: str) -> bool:
    """Whether each condition and resource of a service's statement has a value for the account."""
    equals = {
        key.lower(): listed(value)
        for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
    }
    if account not in equals.get("aws:sourceaccount", [account]):
        return False
    if "aws:sourceorgid" in equals and account == STRANGER:
        return False
    arns = listed(statement.get("Condition", {}).get("ArnLike", {}).get("aws:SourceArn"))
    named = [each for each in (*arns, *listed(statement["Resource"])) if "AWSLogs/" in each or each in arns]
    return not named or any(account in each or ":*:" in each or "AWSLogs/*" in each for each in named)


def cut_off(bench: Bench, *accounts: str) -> list[str]:
    """The statements of a delivering service that do not let in one of the accounts."""
    return [
        f"{account} {each['Sid']}"
        for document in documents(bench)
        for each in document
        if isinstance(each["Principal"], dict) and {*listed(each["Principal"].get("Service"))} & {*SERVICES}
        for account in accounts
        if not lets_in(each, account)
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (LISTED.format(ONE), LISTED.format(TWO)),
        (EVERY, LISTED.format(TWO)),
        (LISTED.format(ONE), EVERY),
        (EVERY, EVERY),
    ],
)
def test_no_file_cuts_the_accounts_of_the_other_off(bench: Bench, first: str, second: str) -> None:
    for accounts in (first, second, first, second):
        bench.apply(f"{accounts}{FILE}", only=ONLY)
        if accounts != first or first == EVERY:
            assert cut_off(bench, ONE, TWO) == []
    assert bench.diff(f"{first}{FILE}", only=ONLY).changes == []
    assert bench.diff(f"{second}{FILE}", only=ONLY).changes == []


def test_other_accounts_are_told(bench: Bench) -> None:
    bench.apply(f"{LISTED.format(ONE)}{FILE}", only=ONLY)
    plan = bench.apply(f"{LISTED.format(TWO)}{FILE}", only=ONLY)
    told = [note.text for _, note in plan.notes(Kind.WARNING) if ONE in note.text]
    assert len(told) == len(documents(bench))


@pytest.mark.parametrize("accounts", [LISTED.format(ONE), EVERY])
def test_a_stranger_is_not_kept(bench: Bench, accounts: str) -> None:
    text = f"{accounts}{FILE}"
    bench.apply(text, only=ONLY)
    bucket, _ = documents(bench)
    opened = [
        {**each, "Condition": {"StringEquals": {"aws:SourceAccount": [ONE, STRANGER]}}}
        if isinstance(each["Principal"], dict)
        else each
        for each in bucket
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": opened})
    bench.client("s3").put_bucket_policy(Bucket="acme-logs", Policy=document)
    bench.apply(text, only=ONLY)
    assert STRANGER not in json.dumps(documents(bench))
    assert cut_off(bench, ONE) == []


def test_another_organization_is_not_kept(bench: Bench) -> None:
    bench.apply(f"{EVERY}{FILE}", only=ONLY)
    bucket, _ = documents(bench)
    document = json.dumps({"Version": "2012-10-17", "Statement": bucket})
    own = bench.client("organizations").describe_organization()["Organization"]["Id"]
    bench.client("s3").put_bucket_policy(Bucket="acme-logs", Policy=document.replace(own, "o-elsewhere0"))
    bench.apply(f"{LISTED.format(ONE)}{FILE}", only=ONLY)
    assert "o-elsewhere0" not in json.dumps(documents(bench))
