"""Tests of replication rules that copy log files to a stranger: told, and ended with consent only."""

from __future__ import annotations

from typing import Any

import pytest

from ...conftest import EXAMPLE, Bench

CONSENT = "remove-foreign-replication"
ROLE = "arn:aws:iam::123456789012:role/replicates"
BUCKET = "acme-cloudtrail-123456789012"


def rule(name: str, bucket: str, status: str = "Enabled", **destination: str) -> dict[str, Any]:
    return {
        "ID": name,
        "Priority": 1,
        "Status": status,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{bucket}", **destination},
    }


OWN = rule("own", "acme-config-123456789012")


def replicate(bench: Bench, *rules: dict[str, Any]) -> None:
    config = {"Role": ROLE, "Rules": [*rules]}
    bench.client("s3").put_bucket_replication(Bucket=BUCKET, ReplicationConfiguration=config)


@pytest.mark.parametrize(
    ("found", "owner"),
    [
        (rule("theirs", "theirs"), "another account"),
        (rule("theirs", "theirs", Account="999999999999"), "account 999999999999"),
        # S3 would not take the account of another owner, but what it says of itself is no proof.
        (rule("theirs", "theirs", Account="123456789012"), "another account"),
    ],
)
def test_a_copy_for_a_stranger_is_ended_with_consent_only(
    bench: Bench, found: dict[str, Any], owner: str
) -> None:
    bench.apply(EXAMPLE)
    replicate(bench, OWN, found)
    [(_, change)] = bench.diff(EXAMPLE).changes
    assert (change.consent, change.differences[0].field) == (CONSENT, "replication rule theirs of others")
    assert f"copies log files to the bucket theirs of {owner}" in change.loses
    bench.world.calls.clear()
    run = bench.run(EXAMPLE)
    [*_] = run.send(run.rehearse(), ())
    assert bench.world.writes == []
    bench.apply(EXAMPLE, allow=(CONSENT,))
    left = bench.client("s3").get_bucket_replication(Bucket=BUCKET)["ReplicationConfiguration"]
    assert (left["Role"], left["Rules"]) == (ROLE, [OWN])
    assert bench.diff(EXAMPLE).changes == []


def test_without_other_rules_the_whole_replication_ends(bench: Bench) -> None:
    bench.apply(EXAMPLE)
    replicate(bench, rule("theirs", "theirs"))
    bench.apply(EXAMPLE, allow=(CONSENT,))
    assert [call.operation for call in bench.world.writes][-1] == "DeleteBucketReplication"
    assert bench.diff(EXAMPLE).changes == []


@pytest.mark.parametrize("found", [OWN, rule("theirs", "theirs", status="Disabled")])
def test_other_copies_are_left_alone(bench: Bench, found: dict[str, Any]) -> None:
    bench.apply(EXAMPLE)
    replicate(bench, found)
    assert bench.diff(EXAMPLE).changes == []
