"""Ensure the features of a detector: one request for each, so that one that AWS refuses stops no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...aws import Aws
from ...model import Call, Changes, Difference, Exists, Finding, Kind, Note
from ...steps.settings import Strictness, owned, settings
from .section import EKS_RUNTIME, FEATURE, RUNTIME, Feature
from .state import SERVICE, Detector, administrator_of, named, parts_of


def feature_title(name: str) -> str:
    """The feature's name in a plan."""
    return f"GuardDuty feature {name}"


def ensure_feature(aws: Aws, detector: Detector, name: str, want: Feature, *, exact: bool) -> Changes:
    """Bring a feature and its parts to the baseline. What a policy of the organization sets is only told."""
    title, found = feature_title(name), detector.feature(name)
    if found is None:
        if want.status == "ENABLED":
            yield Note(Kind.WARNING, title, f"GuardDuty does not offer it in {aws.region}: left out")
        return
    yield Exists(title)
    if name == EKS_RUNTIME and want.status == "ENABLED" and _is_on(detector, RUNTIME):
        text = f"{RUNTIME} is on, which includes it; the baseline asks for {EKS_RUNTIME} alone"
        yield Note(Kind.STRICTER, title, text, permanent=True)
        return
    have = {"Status": found["Status"], **parts_of(found, "Status")}
    asked = {"Status": want.status, **(want.additional_configuration if want.status == "ENABLED" else {})}
    asked = {key: value for key, value in asked.items() if (have.get(key) or "DISABLED") != value}
    above = {"Status": found.get("ManagedBy"), **parts_of(found, "ManagedBy")}
    for field in [each for each in asked if above.get(each)]:
        policy = f"the organization's {above[field]}"
        yield owned(title, Difference(field, have.get(field), asked.pop(field)), policy)
    sent = {key: value for key, value in have.items() if not above.get(key)}

    def put(changed: dict[str, Any]) -> Call:
        features = [feature_request(name, {"Status": found["Status"], **sent, **changed})]
        call = aws.write(SERVICE).update_detector(DetectorId=detector.id, Features=features)
        return call.based_on(detector.reading.at("Features", lambda every: named(every, name)))

    strictness = Strictness(dict.fromkeys(have, FEATURE), exact)
    yield from settings(title, have, asked, put, strictness, owner=administrator_of(aws, detector))


def feature_request(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A feature as UpdateDetector and UpdateMemberDetectors take it. One that is disabled has no parts."""
    status = fields["Status"]
    parts = [{"Name": key, "Status": value} for key, value in fields.items() if key != "Status"]
    more = {"AdditionalConfiguration": parts} if parts and status == "ENABLED" else {}
    return {"Name": name, "Status": status, **more}


def _is_on(detector: Detector, name: str) -> bool:
    return (detector.feature(name) or {}).get("Status") == "ENABLED"


def feature_findings(aws: Aws, detector: Detector, features: Mapping[str, Feature]) -> Iterator[Finding]:
    """Find whether each feature that the file enables is enabled, with its parts. None where AWS does not offer it."""
    for name, want in features.items():
        found, title = detector.feature(name), feature_title(name)
        if want.status != "ENABLED":
            continue
        if found is None:
            yield Finding(title, "enabled", None, f"not offered in {aws.region}")
            continue
        have = {"": found["Status"], **parts_of(found, "Status")}
        if name == EKS_RUNTIME and _is_on(detector, RUNTIME):
            have = dict.fromkeys(have, "ENABLED")
        on = {"": "ENABLED", **want.additional_configuration}
        off = [key for key, status in on.items() if status == "ENABLED" and have.get(key) != "ENABLED"]
        detail = f"disabled: {', '.join(each or name for each in off)}" if off else "ENABLED"
        if off and (owner := administrator_of(aws, detector)()):
            detail += (
                f"; {owner} sets it: say ALL for it in `guardduty.organization.features`, or enable it there"
            )
        yield Finding(title, "enabled", not off, detail)
