"""Tests of the log_buckets step: ACLs that must be private before ownership controls turn them off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provisioner.model import Kind
from provisioner.sandbox import Fault

from ...conftest import Bench
from .sample import FILE, NAME, fields, texts, with_line

CONSENT = "remove-acl-grants"
STRANGER = {"GrantWrite": f'id="{"9" * 64}"', "GrantFullControl": f'id="{"8" * 64}"'}
OPEN = with_line("public_access_block: {block_public_acls: false, ignore_public_acls: false}")
# Each ACL of an old bucket, whom the plan names, and the consent that it needs where all public ACLs are ignored.
ACLS: list[tuple[Mapping[str, str], str, str | None]] = [
    ({"ACL": "private"}, "", None),
    ({"ACL": "public-read"}, "everybody", None),
    ({"ACL": "public-read-write"}, "everybody", None),
    ({"ACL": "authenticated-read"}, "every AWS account", None),
    ({"ACL": "log-delivery-write"}, "S3's log delivery", None),
    (STRANGER, f"the account with the canonical id {'9' * 64}", CONSENT),
]
IDS = ["private", "public", "writable", "authenticated", "log delivery", "stranger"]


def put_acl(bench: Bench, acl: Mapping[str, str]) -> Any:
    s3 = bench.client("s3")
    s3.delete_public_access_block(Bucket=NAME)
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=NAME, OwnershipControls=controls)
    s3.put_bucket_acl(Bucket=NAME, **acl)
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"})
    return s3


def ownership(s3: Any) -> str:
    rules = s3.get_bucket_ownership_controls(Bucket=NAME)["OwnershipControls"]["Rules"]
    return str(rules[0]["ObjectOwnership"])


@pytest.mark.parametrize(("acl", "who", "consent"), ACLS, ids=IDS)
def test_the_acl_is_made_private_first(
    bench: Bench, acl: Mapping[str, str], who: str, consent: str | None
) -> None:
    bench.apply(FILE)
    s3 = put_acl(bench, acl)
    plan = bench.diff(FILE)
    found = [
        (c.call.operation, c.consent) for _, c in plan.changes if "ObjectOwnership" in str(c.differences)
    ]
    acl_change = [("put_bucket_acl", consent)] if who else []
    assert found == [*acl_change, ("put_bucket_ownership_controls", consent)]
    if who:
        assert f"ObjectOwnership, ACL grant to {who}" in fields(plan)
    if consent:
        run = bench.run(FILE)
        [sent] = run.send(run.rehearse())
        assert (sent.ok, {each.consent for each in sent.withheld}) == (True, {consent})
        assert all("canonical id" in each.loses for each in sent.withheld)
        assert ownership(s3) == "ObjectWriter"
        assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled", "the rest is done"
    bench.apply(FILE, allow=(consent,) if consent else ())
    assert ownership(s3) == "BucketOwnerEnforced"
    assert fields(bench.diff(FILE)) == []


def test_a_public_grant_that_counts_needs_consent(bench: Bench) -> None:
    bench.apply(OPEN)
    put_acl(bench, {"ACL": "public-read"})
    changes = [c for _, c in bench.diff(OPEN).changes if c.call.operation == "put_bucket_acl"]
    assert [(c.consent, c.loses) for c in changes] == [(CONSENT, "everybody can use the bucket no more")]


def test_log_delivery_that_loses_its_acl_is_told_unless_a_policy_allows_it(bench: Bench) -> None:
    bench.apply(FILE)
    put_acl(bench, {"ACL": "log-delivery-write"})
    assert any("logging.s3.amazonaws.com" in text for text in texts(bench.diff(FILE), Kind.WARNING))
    allowed = FILE + (
        "      - Sid: AccessLogs\n"
        "        Effect: Allow\n"
        "        Principal: {Service: logging.s3.amazonaws.com}\n"
        "        Action: s3:PutObject\n"
        '        Resource: "arn:${partition}:s3:::acme-logs-${account_id}/*"\n'
        '        Condition: {StringEquals: {"aws:SourceAccount": "${account_id}"}}\n'
    )
    bench.apply(allowed)
    put_acl(bench, {"ACL": "log-delivery-write"})
    assert texts(bench.diff(allowed), Kind.WARNING) == []


def test_an_acl_that_cannot_be_read_stops_nothing_else(bench: Bench) -> None:
    bench.apply(FILE)
    s3 = put_acl(bench, {"ACL": "public-read"})
    bench.world.interrupt(
        lambda call, phase: Fault("AccessDenied", 403) if call.operation == "GetBucketAcl" else None
    )
    run = bench.run(FILE)
    [sent] = run.send(run.rehearse())
    assert [each.operation for each in sent.failures] == ["GetBucketAcl"]
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"


@pytest.mark.parametrize(
    "wanted", ["object_ownership: ObjectWriter", "object_ownership: BucketOwnerPreferred", ""]
)
@pytest.mark.parametrize(("acl", "who", "consent"), ACLS, ids=IDS)
def test_where_acls_count_those_that_let_others_in_are_told(
    bench: Bench, wanted: str, acl: Mapping[str, str], who: str, consent: str | None
) -> None:
    text = with_line(wanted) if wanted else FILE.replace("    object_ownership: BucketOwnerEnforced\n", "")
    bench.apply(text)
    s3 = put_acl(bench, acl)
    if "Preferred" in wanted:
        bench.apply(text)
    asked = [c for _, c in bench.diff(text).changes if c.call.operation == "put_bucket_acl"]
    assert [c.consent for c in asked] == ([consent] if consent else [])
    bench.apply(text, allow=(consent,) if consent else ())
    assert fields(bench.diff(text)) == []
    assert ownership(s3) == (wanted.partition(": ")[2] or "ObjectWriter")
    if consent:
        assert who not in str(s3.get_bucket_acl(Bucket=NAME)["Grants"])
