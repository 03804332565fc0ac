"""Tests of a log group or a trail that the file renames: the role goes on to deliver where the move is refused."""

from __future__ import annotations

import json

import pytest

from provisioner.sandbox import Fault

from ...conftest import Bench

FILE = """
regions: [us-east-1]
log_buckets: {logs: {name: acme-logs}}
cloudtrail: {name: audit, s3_bucket_name: logs}
alarms:
  cis: tampering
  log_group: {name: events}
  topic: {subscriptions: [{protocol: sqs, endpoint: "arn:aws:sqs:us-east-1:123456789012:heard"}]}
"""


def silent(bench: Bench) -> list[str]:
    """The trails whose events their role may not deliver."""
    iam, found = bench.client("iam"), []
    for trail in bench.client("cloudtrail").describe_trails()["trailList"]:
        if "CloudWatchLogsRoleArn" not in trail:
            continue
        role = trail["CloudWatchLogsRoleArn"].rpartition("/")[2]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        policies = [iam.get_role_policy(RoleName=role, PolicyName=each)["PolicyDocument"] for each in names]
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        group = trail["CloudWatchLogsLogGroupArn"].removesuffix(":*")
        if group not in json.dumps(policies) or trail["TrailARN"] not in json.dumps(trust):
            found.append(trail["Name"])
    return found


@pytest.mark.parametrize(
    ("renamed", "refused"),
    [
        (("name: events", "name: other"), "CreateLogGroup"),
        (("name: events", "name: other"), "UpdateTrail"),
        (("name: events", "name: other"), "PutRolePolicy"),
        (("name: audit", "name: other"), "CreateTrail"),
        (("name: audit", "name: other"), "PutBucketPolicy"),
    ],
)
def test_events_go_on_to_arrive_until_the_move_is_made(
    bench: Bench, renamed: tuple[str, str], refused: str
) -> None:
    bench.apply(FILE)
    refusing = {refused}
    bench.world.interrupt(
        lambda call, phase: (
            Fault("AccessDenied", 403) if phase == "before" and call.operation in refusing else None
        )
    )
    text = FILE.replace(*renamed)
    run = bench.run(text)
    assert any(r.failures for r in run.send(run.rehearse()))
    assert silent(bench) == []
    refusing.clear()
    bench.apply(text)
    assert (silent(bench), bench.diff(text).changes) == ([], [])


def test_the_role_keeps_no_stream_of_another_account(bench: Bench) -> None:
    bench.apply(FILE)
    iam, name = bench.client("iam"), "CloudTrailToLogGroup"
    [role] = [each["RoleName"] for each in iam.list_roles()["Roles"] if "log-group" in each["RoleName"]]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    theirs = json.dumps(document).replace(":123456789012:log-group", ":999999999999:log-group")
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=theirs)
    bench.apply(FILE)
    assert iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] == document
