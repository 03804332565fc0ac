"""Read what GuardDuty has in a Region: the detector, and who else sets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...aws import Aws, Reading
from ...compare.policy import arn

SERVICE: Final = "guardduty"
DETECTOR: Final = "GuardDuty detector"  # its name in a plan
BAD_REQUEST: Final = "BadRequestException"  # the code of nearly all errors of GuardDuty
ENABLED: Final = "Enabled"  # the relationship of a member with its administrator
PAUSED: Final = frozenset({"Paused", "Disabled"})  # that of a member in which GuardDuty is suspended


@dataclass(frozen=True)
class Detector:
    """The detector of a Region: *have* is AWS's answer, *reading* how it was asked for."""

    id: str
    have: Mapping[str, Any]
    reading: Reading

    def arn(self, aws: Aws) -> str:
        """Its ARN."""
        return arn(aws.partition, SERVICE, aws.region, aws.account, f"detector/{self.id}")

    def feature(self, name: str) -> Mapping[str, Any] | None:
        """What AWS has of a feature, or None where it does not list it: the Region lacks it."""
        return named(self.have.get("Features"), name)

    def policy(self) -> str:
        """The policy of the organization that manages GuardDuty here, which AWS tells of features only; or `""`."""
        features = self.have.get("Features") or ()
        return next((str(each["ManagedBy"]) for each in features if each.get("ManagedBy")), "")


def named(entries: Any, name: str) -> Mapping[str, Any] | None:
    """The entry of that `Name`, or None."""
    return next((each for each in entries or () if each["Name"] == name), None)


def parts_of(feature: Mapping[str, Any], value: str) -> dict[str, Any]:
    """The parts of a feature by name, each with its *value*: `Status`, `AutoEnable` or `ManagedBy`."""
    return {each["Name"]: each.get(value) for each in feature.get("AdditionalConfiguration") or ()}


def detector_id(aws: Aws, region: str | None = None) -> str | None:
    """The id of the Region's detector, of which there is at most one; None if there is none."""
    found = aws.read(SERVICE, region).list_detectors().get("DetectorIds")
    return str(found[0]) if found else None


def read_detector(aws: Aws) -> Detector | None:
    """The Region's detector, or None."""
    found = detector_id(aws)
    if found is None:
        return None
    reading = aws.read(SERVICE).get_detector(DetectorId=found)
    reading.get("Status")
    return Detector(found, reading.all(), reading)


def read_destination(aws: Aws, detector: str, region: str | None = None) -> Reading | None:
    """The answer of DescribePublishingDestination for the one destination that a detector may have, or None."""
    read = aws.read(SERVICE, region)
    listed = read.list_publishing_destinations(DetectorId=detector).get("Destinations")
    if not listed:
        return None
    return read.describe_publishing_destination(DetectorId=detector, DestinationId=listed[0]["DestinationId"])


def ask_administrator(aws: Aws, detector: str) -> Reading:
    """Begin to read which administrator the account is a member of, by the id of its detector."""
    return aws.read(SERVICE).get_administrator_account(DetectorId=detector)


def administrator_of(aws: Aws, detector: Detector) -> Callable[[], str]:
    """Return a function that names the administrator who sets this account's detector; an empty text if nobody does."""

    def owner() -> str:
        found = ask_administrator(aws, detector.id).all().get("Administrator") or {}
        account = found.get("AccountId", "")
        if found.get("RelationshipStatus") not in {ENABLED, *PAUSED} or account in {"", aws.account}:
            return ""
        return f"GuardDuty's administrator, account {account},"

    return owner
