"""The account under attack: what others keep in it, whether AWS logs and records, and its events as EventBridge sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provisioner.aws_lambda.cloudtrail_event import ApiCall, find_steps, parse_call
from provisioner.baseline import Baseline
from provisioner.repair.watched import watched_events
from provisioner.sandbox.drift import Administrator
from provisioner.sandbox.world import World
from provisioner.steps.registry import all_steps

TRAIL: Final = "get_trail_status"  # the operations that say whether AWS logs and records
RECORDER: Final = "describe_configuration_recorder_status"
ROLE: Final = "deployment"
_LOG: Final = b"a log file"


@dataclass
class Off:
    """How long something was off: *since* is when it went off, if it is off now."""

    longest: float = 0.0
    longest_since: float = 0.0
    total: float = 0.0
    times: int = 0
    since: float | None = None

    def sample(self, *, on: bool, now: float) -> None:
        """Take in what is so now."""
        if self.since is not None:
            self.longest, self.longest_since = max(
                (self.longest, self.longest_since), (now - self.since, self.since)
            )
            if on:
                self.total, self.since = self.total + now - self.since, None
        elif not on:
            self.times, self.since = self.times + 1, now


@dataclass
class Account:
    """The account, read with the keys of one who only looks."""

    world: World
    baseline: Baseline
    regions: Sequence[str]
    keys: Mapping[str, str]
    caller: str
    logging: Off = field(default_factory=Off)
    recording: Off = field(default_factory=Off)
    objects: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find which events concern which steps, as the deployed function does."""
        self._looker = Administrator.of(self.world.account_id, self.regions[0], self.keys, home=True)
        self._steps = [each for each in all_steps().values() if each.section in self.baseline]
        self.watched = watched_events(self.baseline, self.world.account_id, "aws")
        self._seen = {each["EventId"] for each in self._events()}

    def client(self, service: str, region: str = "") -> Any:
        """A client of the service, at home unless a Region is given."""
        return self._looker.client(service, region)

    def settle_in(self) -> None:
        """Make what others have in the account, which no repair may touch."""
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=text)
        for region in self.regions:  # without any resource, AWS Config would have nothing to record
            where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            given = {} if region == "us-east-1" else where
            self.client("s3", region).create_bucket(Bucket=f"{ROLE}-{region}", **given)

    def deliver(self) -> None:
        """Put a log file into each log bucket that is there."""
        s3, number = self.client("s3"), len(self.objects)
        for each in s3.list_buckets()["Buckets"]:
            key = f"AWSLogs/{self.world.account_id}/{number}.json.gz"
            s3.put_object(Bucket=each["Name"], Key=key, Body=_LOG)
            self.objects.append((each["Name"], key))

    def lost(self) -> list[str]:
        """What others had in the account and is gone or changed."""
        s3, lost = self.client("s3"), []
        for bucket, key in self.objects:
            try:
                if s3.get_object(Bucket=bucket, Key=key)["Body"].read() != _LOG:
                    lost.append(f"{bucket}/{key} is changed")
            except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
                lost.append(f"{bucket}/{key}")
        roles = {each["RoleName"] for each in self.client("iam").list_roles()["Roles"]}
        return lost if ROLE in roles else [*lost, f"role {ROLE}"]

    def sample(self, now: float) -> None:
        """See whether AWS logs, and whether it records in each Region that the file names."""
        self.logging.sample(on=self.is_logging, now=now)
        if self._service_of(RECORDER):
            on = [any(each["recording"] for each in self._recorders(region)) for region in self.regions]
            self.recording.sample(on=all(on), now=now)

    @property
    def is_logging(self) -> bool:
        """Whether a trail logs in each Region, without which EventBridge gets no event."""
        trail = self.client(self._service_of(TRAIL))
        found = trail.describe_trails()["trailList"]
        return any(
            trail.get_trail_status(Name=each["TrailARN"])["IsLogging"]
            for each in found
            if each["IsMultiRegionTrail"]
        )

    def _service_of(self, operation: str) -> str:
        """The service, of those of the file's steps, that has the operation; empty if none has it."""
        services = {client for each in self._steps for client in each.clients}
        return next((each for each in sorted(services) if hasattr(self.client(each), operation)), "")

    def _recorders(self, region: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client(
            self._service_of(RECORDER), region
        ).describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        return found

    def new_calls(self) -> list[ApiCall]:
        """The calls since the last time, as EventBridge tells them."""
        found = [each for each in self._events() if each["EventId"] not in self._seen]
        self._seen |= {each["EventId"] for each in found}
        calls = [parse_call(_envelope(json.loads(each["CloudTrailEvent"]))) for each in found]
        return [each for each in calls if each is not None]

    def steps_of(self, calls: Sequence[ApiCall]) -> tuple[str, ...]:
        """The steps that calls may have broken, without our own calls."""
        others = [each for each in calls if not each.is_own([self.caller])]
        return tuple(sorted(find_steps(others, self.watched)))

    def _events(self) -> Iterator[Mapping[str, Any]]:
        for kept in self.world.memory.get("events", {}).values():
            yield from kept


def _envelope(detail: Mapping[str, Any]) -> dict[str, Any]:
    source = f"aws.{str(detail['eventSource']).partition('.')[0]}"
    return {
        "source": source,
        "detail-type": "AWS API Call via CloudTrail",
        "account": detail["recipientAccountId"],
        "detail": detail,
    }
