"""Tests of verify_cloudtrail: logging, deliveries and the newest event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provisioner.model import Finding
from provisioner.services.cloudtrail.proof import verify_cloudtrail

from ...conftest import Bench
from .sample import ARN, FULL, ONLY, PLAIN, make_surroundings


def findings(bench: Bench, text: str, *, later: timedelta = timedelta()) -> dict[str, Finding]:
    run = bench.run(text, only=ONLY)
    node = next(node for node in run.graph if node.step.name == "cloudtrail")
    aws, baseline = run._aws(node), run._filled(node.target)
    found = list(verify_cloudtrail(aws, baseline, now=lambda: datetime.now(UTC) + later))
    return {each.check: each for each in found}


def test_a_working_trail_passes(bench: Bench) -> None:
    make_surroundings(bench)
    bench.apply(FULL, only=ONLY)
    found = findings(bench, FULL)
    assert [(check, each.ok) for check, each in found.items()] == [
        ("logging", True),
        ("delivery to S3", True),
        ("log file validation", True),
        ("delivery to CloudWatch Logs", True),
        ("notification by SNS", None),
        ("newest event", True),
    ]
    assert found["newest event"].detail.startswith("UpdateTrail by sandbox, ")


def test_only_the_destinations_of_the_trail_are_checked(bench: Bench) -> None:
    text = PLAIN + "  enable_log_file_validation: false\n"
    bench.apply(text, only=ONLY)
    assert list(findings(bench, text)) == ["logging", "delivery to S3", "newest event"]


def test_the_newest_event_needs_one_call(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    before = len(bench.world.calls)
    findings(bench, PLAIN)
    asked = [c.params for c in bench.world.calls[before:] if c.operation == "LookupEvents"]
    assert asked == [{"MaxResults": 1}]


def test_an_old_delivery_is_a_failure(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    assert findings(bench, PLAIN, later=timedelta(hours=25))["delivery to S3"].ok is False


def test_a_bucket_that_refuses_the_logs_is_a_failure(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    bench.client("s3").delete_bucket_policy(Bucket="acme-logs")
    found = findings(bench, PLAIN)
    assert (found["logging"].ok, found["delivery to S3"].ok) == (True, False)
    assert found["delivery to S3"].detail.startswith("AccessDenied: ")


def test_a_stopped_trail_is_a_failure(bench: Bench) -> None:
    bench.apply(PLAIN, only=ONLY)
    bench.client("cloudtrail").stop_logging(Name=ARN)
    found = findings(bench, PLAIN)
    assert (found["logging"].ok, found["delivery to S3"].ok) == (False, None)
    assert "nothing is recorded" in found["logging"].detail


def test_a_missing_trail_is_a_failure(bench: Bench) -> None:
    assert [(each.check, each.ok) for each in findings(bench, PLAIN).values()] == [("logging", False)]
