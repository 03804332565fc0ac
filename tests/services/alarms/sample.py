"""Files and helpers of the tests of alarms."""

from __future__ import annotations

from typing import Any

from provisioner.engine.plan import Plan

from ...conftest import Bench

ACCOUNT = "123456789012"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:security/cloudtrail:*"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:security-alarms"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
TRAIL = """
regions: [us-east-1]
log_buckets: {logs: {name: acme-logs}}
cloudtrail: {name: audit, s3_bucket_name: logs, is_multi_region_trail: true}
"""
# As little as a file can say.
LEAST = f"{TRAIL}alarms: {{topic: {{subscriptions: [{{protocol: email, endpoint: sec@example.com}}]}}}}\n"
SMALL = f"{TRAIL}alarms: {{watchers: false, detectors: false}}\n"
ALL = f"{TRAIL}alarms: {{cis: all}}\n"


def shown(plan: Plan) -> list[tuple[str, str]]:
    return [(c.resource, d.field) for _, c in plan.changes for d in c.differences]


def alarm(bench: Bench, name: str = "security-trail-changes") -> dict[str, Any]:
    [found] = bench.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def again(bench: Bench, **fields: Any) -> None:
    """Put the alarm on the trail again, with other fields."""
    from provisioner.services.alarms.metric_alarms import ANSWERED

    kept = {key: value for key, value in alarm(bench).items() if key not in ANSWERED}
    bench.client("cloudwatch").put_metric_alarm(**{**kept, **fields})


def findings(bench: Bench, text: str) -> dict[str, tuple[bool | None, str]]:
    found = [f for r in bench.run(text).verify() if r.step.startswith("alarms") for f in r.findings]
    return {each.resource: (each.ok, each.detail) for each in found}
