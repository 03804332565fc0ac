"""The step `guardduty`: make the detector of a Region or adopt it, and keep it enabled with the features of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ...aws import Aws
from ...aws.errors import ClientError
from ...aws.service_models import enum
from ...baseline import Baseline
from ...model import Change, Changes, Difference, Exists, Finding, Findings, Kind, Note, Part, Scope, create
from ...steps.registry import harmful_actions, hints, step, verify
from ...steps.settings import Strictness, owned, settings
from ...steps.tags import tags
from .features import ensure_feature, feature_findings, feature_title
from .section import EKS_RUNTIME, RUNTIME, GuardDuty
from .state import (
    BAD_REQUEST,
    DETECTOR,
    SERVICE,
    Detector,
    administrator_of,
    ask_administrator,
    detector_id,
    read_detector,
)
from .suppressions import ensure_unsuppressed

harmful_actions(
    GuardDuty,
    *("guardduty:DeleteDetector", "guardduty:UpdateDetector", "guardduty:StopMonitoringMembers"),
    *("guardduty:DisassociateMembers", "guardduty:DeleteMembers", "guardduty:UpdateMemberDetectors"),
    *("guardduty:CreateFilter", "guardduty:UpdateFilter", "guardduty:CreateIPSet", "guardduty:UpdateIPSet"),
    *("guardduty:CreateTrustedEntitySet", "guardduty:UpdateTrustedEntitySet"),
    *("guardduty:DeletePublishingDestination", "guardduty:UpdatePublishingDestination"),
    *("guardduty:UpdateOrganizationConfiguration", "guardduty:DisableOrganizationAdminAccount"),
)
hints(
    SERVICE,
    {
        BAD_REQUEST: "GuardDuty has this one code for everything: its message says what is wrong; an administrator's members"
        " cannot change what the administrator sets",
        "Unprocessed": "AWS did the rest of the request: run again, and for an account that it names again, see its reason",
    },
)


@step("guardduty", GuardDuty, Scope.REGION, clients=(SERVICE,))
def ensure_guardduty(aws: Aws, baseline: Baseline) -> Changes:
    """Make the Region's detector, or bring it and its features to the baseline."""
    section = baseline[GuardDuty]
    if (found := detector_id(aws)) is not None:
        ask_administrator(aws, found)  # beside the detector, as what follows depends on it
    have = read_detector(aws)
    if have is None:
        yield from _create(aws, section)
        return
    yield Exists(DETECTOR)
    write, frequency = aws.write(SERVICE), have.reading.at("FindingPublishingFrequency")
    want = {"Enable": True}
    if section.finding_publishing_frequency:
        want["FindingPublishingFrequency"] = section.finding_publishing_frequency  # type: ignore[assignment]
    enabled, policy = have.have["Status"] == "ENABLED", have.policy()
    if policy and not enabled:
        yield owned(
            DETECTOR, Difference("Enable", enabled, want.pop("Enable")), f"the organization's {policy}"
        )
    yield from settings(
        DETECTOR,
        {**have.have, "Enable": enabled},
        want,
        lambda changed: write.update_detector(DetectorId=have.id, **changed).based_on(frequency),
        Strictness.of(GuardDuty, exact=section.exact),
        owner=administrator_of(aws, have),
    )
    for name, feature in section.features.items():
        yield Part(feature_title(name), ensure_feature(aws, have, name, feature, exact=section.exact))
    yield from tags(
        DETECTOR,
        have.have.get("Tags") or {},
        section.tags,
        lambda missing: write.tag_resource(ResourceArn=have.arn(aws), Tags=missing),
    )
    yield from _unnamed(have, section)
    yield Part("GuardDuty's suppressions", ensure_unsuppressed(aws, have))


def _unnamed(have: Detector, section: GuardDuty) -> Iterator[Note]:
    """Warn of features that are on, as AWS's default or by hand, and that the file does not name."""
    features = enum(SERVICE, "DetectorFeature")
    sources = {*enum(SERVICE, "DetectorFeatureResult")} - {*features}  # which every detector has
    listed = have.have.get("Features") or ()
    on = [each["Name"] for each in listed if each["Status"] == "ENABLED" and each["Name"] not in sources]
    if unnamed := [name for name in on if name not in section.features]:
        text = (
            f"has features on that the file does not name, which stay and are billed: {', '.join(unnamed)}; name them"
            " under `guardduty.features`"
        )
        if new := [name for name in unnamed if name not in features]:
            text += f", for {', '.join(new)} with a newer botocore, whose model has none"
        yield Note(Kind.WARNING, DETECTOR, text)


def _create(aws: Aws, section: GuardDuty) -> Changes:
    """Make the detector with a status for every feature of AWS's model, as AWS enables those that a request leaves out.

    A feature that AWS does not take in this Region is left out: one that its message names, or else the newest. So is
    that kind of Runtime Monitoring which the file does not enable, as AWS takes no request that names both.
    """
    features, left_out = section.features, list[str]()
    spare = EKS_RUNTIME if RUNTIME in features and features[RUNTIME].status == "ENABLED" else RUNTIME
    names = [name for name in enum(SERVICE, "DetectorFeature") if name != spare]
    while True:
        try:
            yield _creation(aws, section, names)
        except ClientError as error:
            refused = [each for each in names if each in str(error).replace(",", " ").split()] or names[-1:]
            if not refused:
                raise
            names = [each for each in names if each not in refused]
            left_out += refused
            continue
        break
    if left_out:
        text = f"AWS takes no {', '.join(left_out)} in {aws.region}: left out of the new detector"
        yield Note(Kind.WARNING, DETECTOR, text)
    billed = [
        each for each in names if each in section.features and section.features[each].status == "ENABLED"
    ]
    if billed and aws.target.home:  # once, as the file has the same features in every Region
        text = f"each of its features is billed, in every Region, after 30 days of trial: {', '.join(billed)}"
        yield Note(Kind.WARNING, DETECTOR, text)


def _creation(aws: Aws, section: GuardDuty, names: Sequence[str]) -> Change:
    """The change that makes the detector with the features *names*, those of the file as it says and others disabled."""
    features: list[dict[str, Any]] = []
    shown: dict[str, Any] = {"Enable": True}
    given: dict[str, Any] = {}
    if section.finding_publishing_frequency:
        given["FindingPublishingFrequency"] = section.finding_publishing_frequency
    for name in names:
        asked = section.features.get(name)
        features.append({"Name": name, "Status": asked.status if asked else "DISABLED"})
        if asked and asked.additional_configuration and asked.status == "ENABLED":
            parts = asked.additional_configuration
            features[-1]["AdditionalConfiguration"] = [{"Name": k, "Status": v} for k, v in parts.items()]
            shown |= {f"{name} {part}": status for part, status in parts.items()}
        if asked:
            shown[name] = asked.status
    if section.tags:
        given["Tags"] = section.tags
        shown |= {f"tag {key}": value for key, value in section.tags.items()}
    shown |= {"other features": "DISABLED"}
    frequency = {key: value for key, value in given.items() if key != "Tags"}
    call = aws.write(SERVICE).create_detector(Enable=True, Features=features, **given)
    call = call.or_done(BAD_REQUEST, text="already exists")
    made = create(DETECTOR, {**shown, **frequency}, call)
    contains = tuple(feature_title(name) for name in section.features)
    return replace(made, handles=(BAD_REQUEST,), contains=contains)


@verify("guardduty")
def verify_guardduty(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the detector is enabled, and the features of the file as it says."""
    have = read_detector(aws)
    if have is None:
        yield Finding(DETECTOR, "enabled", False, "not there")
        return
    status = have.have["Status"]
    yield Finding(DETECTOR, "enabled", status == "ENABLED", f"the detector is {status}")
    yield from feature_findings(aws, have, baseline[GuardDuty].features)
