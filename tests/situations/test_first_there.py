"""Tests in accounts with resources of others, Control Tower's included: adopted or kept, and never replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.s3.models import s3_backends

from provisioner.baseline import BaselineError
from provisioner.model import Kind

from ..conftest import EXAMPLE, Bench
from ..sandbox.cases import ACCOUNT, make_linked_role, make_recorder, trail_statements
from ..sandbox.cases import Aws as Theirs
from ..sandbox.cases import config_statements as config_may
from ..services.cloudtrail.test_others import make_trail

TOWER = "aws-controltower-BaselineCloudTrail"
LOGS = "aws-controltower-logs-123456789012-us-east-1"
ALONE = "managed by Control Tower; left alone"
BUCKETS = "log_buckets: {logs: {name: acme-logs}}\n"
TRAIL = "cloudtrail: {name: audit, s3_bucket_name: logs}\n"


def test_a_trail_is_adopted_in_its_home_region(bench: Bench) -> None:
    make_trail(bench, "audit", "eu-west-1")
    text = f"home_region: eu-west-1\nregions: [eu-west-1]\n{BUCKETS}{TRAIL}"
    before = len(bench.world.writes)
    plan = bench.apply(text)
    assert [n.text for _, n in plan.notes(Kind.WARNING)] == [
        "log files so far stay in `acme-audit-eu-west-1`; what reads them there sees no new ones"
    ]
    writes = [c.operation for c in bench.world.writes[before:] if c.service == "cloudtrail"]
    assert writes == ["UpdateTrail"], "moved to our bucket as it runs: neither made again nor stopped"


def test_a_trail_of_one_other_region_is_adopted_where_it_is(bench: Bench, clock: Any) -> None:
    s3, cloudtrail = bench.client("s3"), bench.client("cloudtrail", "eu-west-1")
    s3.create_bucket(Bucket="theirs")
    statements = trail_statements("theirs", "audit", region="eu-west-1")
    policy = {"Version": "2012-10-17", "Statement": statements}
    s3.put_bucket_policy(Bucket="theirs", Policy=json.dumps(policy))
    cloudtrail.create_trail(Name="audit", S3BucketName="theirs")
    bench.apply(BUCKETS + TRAIL)
    assert [t["HomeRegion"] for t in cloudtrail.list_trails()["Trails"]] == ["eu-west-1"]
    [trail] = cloudtrail.describe_trails()["trailList"]
    assert trail["S3BucketName"] == "acme-logs"
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"]


def test_a_deny_and_tags_of_others_are_kept(bench: Bench) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="acme-logs")
    theirs = [
        {
            "Sid": sid,
            "Effect": effect,
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": action,
            "Resource": "arn:aws:s3:::acme-logs/*",
        }
        for sid, effect, action in (
            ("Readers", "Allow", "s3:GetObject"),
            ("NoDelete", "Deny", "s3:DeleteObject"),
        )
    ]
    s3.put_bucket_policy(
        Bucket="acme-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": theirs})
    )
    stack = {"Key": "aws:cloudformation:stack-name", "Value": "landing-zone"}
    s3_backends[ACCOUNT]["aws"].tagger.tag_resource("arn:aws:s3:::acme-logs", [stack])
    text = "log_buckets: {logs: {name: acme-logs, tags: {team: security}}}\n"
    plan = bench.apply(text)
    foreign = [note.text for _, note in plan.notes(Kind.FOREIGN)]
    assert foreign == ["policy statements of others are kept: Readers, NoDelete"], "AWS's tags are no news"
    after = json.loads(s3.get_bucket_policy(Bucket="acme-logs")["Policy"])["Statement"]
    assert [each for each in after if each["Sid"] in {"Readers", "NoDelete"}] == theirs
    tags = s3.get_bucket_tagging(Bucket="acme-logs")["TagSet"]
    assert sorted(tag["Key"] for tag in tags) == [stack["Key"], "team"]
    assert bench.diff(text).changes == []


def test_a_deny_of_others_that_blocks_delivery_is_named_and_not_waited_for(bench: Bench, clock: Any) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="acme-logs")
    deny = {
        "Sid": "OnlyEncrypted",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::acme-logs/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
    }
    s3.put_bucket_policy(
        Bucket="acme-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    run = bench.run(BUCKETS + TRAIL)
    sent = run.send(run.rehearse())
    [withheld] = [change for r in sent for change in r.withheld]
    assert withheld.consent == "remove-foreign-statement"
    assert withheld.loses.startswith("`OnlyEncrypted` of others denies cloudtrail.amazonaws.com")
    [failure] = [r.failure for r in sent if r.failure]
    assert failure.code == "InsufficientS3BucketPolicyException"
    assert clock.slept == []
    assert "no foreign Deny statement stand in its way" in failure.hint
    assert deny in json.loads(s3.get_bucket_policy(Bucket="acme-logs")["Policy"])["Statement"]


def landing_zone(bench: Bench) -> None:
    """Create what Control Tower does: a bucket, the organization's trail, and in each Region recorder and channel."""
    us = Theirs()
    us.s3.create_bucket(Bucket=LOGS)
    statements = [*trail_statements(LOGS, TOWER, organization=True), *config_may(LOGS)]
    us.s3.put_bucket_policy(
        Bucket=LOGS, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )
    us.organizations.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    us.cloudtrail.create_trail(
        Name=TOWER, S3BucketName=LOGS, IsMultiRegionTrail=True, IsOrganizationTrail=True
    )
    us.cloudtrail.start_logging(Name=TOWER)
    make_linked_role(us)
    for there in (us, us.at("eu-west-1")):
        make_recorder(there, name="aws-controltower-BaselineConfigRecorder")
        channel = {"name": "aws-controltower-BaselineConfigDeliveryChannel", "s3BucketName": LOGS}
        there.config.put_delivery_channel(DeliveryChannel=channel)
    trust = {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}
    us.iam.create_role(
        RoleName="aws-controltower-ConfigRecorderRole",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )


def test_nothing_of_control_tower_is_changed(bench: Bench) -> None:
    landing_zone(bench)
    before = len(bench.world.writes)
    plan = bench.apply(EXAMPLE.replace("regions: [us-east-1]", "regions: [us-east-1, eu-west-1]"))
    writes = bench.world.writes[before:]
    assert [w.operation for w in writes if "controltower" in repr(w.params)] == []
    assert not {w.operation for w in writes} & {"PutConfigurationRecorder", "PutDeliveryChannel"}
    notes = sorted((r.target.region, n.kind.name, f"{n.resource}: {n.text}") for r, n in plan.notes())
    recorder = f"configuration recorder aws-controltower-BaselineConfigRecorder: {ALONE}"
    billed = "records management events too: AWS bills every copy but the first"
    assert notes == [
        ("eu-west-1", "FOREIGN", recorder),
        ("us-east-1", "FOREIGN", recorder),
        ("us-east-1", "WARNING", f"trail {TOWER}: {billed}; managed by Control Tower, and left alone"),
    ]


TOWERS_OWN = {
    "cloudtrail.name": f"{BUCKETS}cloudtrail: {{name: {TOWER}, s3_bucket_name: logs}}\n",
    "log_buckets.logs.name": f"log_buckets: {{logs: {{name: {LOGS}}}}}\n",
    "config.role_name": f"{BUCKETS}config: {{role_name: aws-controltower-ConfigRecorderRole,"
    " delivery_channel: {s3_bucket_name: logs}}\n",
}


@pytest.mark.parametrize("path", TOWERS_OWN)
def test_a_file_that_names_resources_of_control_tower_is_refused(bench: Bench, path: str) -> None:
    with pytest.raises(BaselineError, match=rf"{path}: AWS Control Tower owns the \w+ of that name"):
        bench.baseline(TOWERS_OWN[path])
    assert bench.world.calls == []
