"""The standards of a hub, and the controls in them: some of AWS's only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.propagation import Resource, creates, needs
from .hub import DEFAULT_STANDARDS, is_fresh, not_subscribed, own_hub

_CIS_1_2, _BEST_PRACTICES = DEFAULT_STANDARDS
_CONTROL_TOWER = "service-managed-aws-control-tower/v/1.0.0"
CONTROLS = {
    _BEST_PRACTICES: ("Config.1", "EC2.2", "IAM.1", "IAM.6", "S3.1"),
    _CIS_1_2: ("Config.1", "IAM.1", "IAM.6"),
    "cis-aws-foundations-benchmark/v/3.0.0": ("Config.1", "EC2.2", "IAM.6", "S3.1"),
    "cis-aws-foundations-benchmark/v/5.0.0": ("Config.1", "EC2.2", "IAM.6", "S3.1"),
    "nist-800-53/v/5.0.0": ("Config.1", "EC2.2", "IAM.1", "S3.1"),
    "pci-dss/v/4.0.1": ("Config.1", "IAM.6", "S3.1"),
    _CONTROL_TOWER: ("EC2.2", "S3.1"),
}


def arn_of(request: Request, name: str) -> str:
    """The ARN of a standard, which for the first version of CIS has no Region."""
    if name == _CIS_1_2:
        return f"arn:{request.partition}:securityhub:::ruleset/{name}"
    return f"arn:{request.partition}:securityhub:{request.region}::standards/{name}"


def _subscription(request: Request, name: str) -> str:
    return f"arn:{request.partition}:securityhub:{request.region}:{request.account}:subscription/{name}"


def _resource(request: Request, name: str) -> Resource:
    return "standard", request.account, request.region, name


@creates("securityhub:BatchEnableStandards")
def _standards_made(request: Request) -> Iterator[Resource]:
    for each in request.params["StandardsSubscriptionRequests"]:
        yield _resource(request, each["StandardsArn"].rpartition(":")[2].partition("/")[2])


@needs("securityhub:BatchEnableStandards")
def _standards_need(request: Request) -> Iterator[tuple[Resource, Refused]]:
    yield ("hub", request.account, request.region), not_subscribed(request)
    for name in CONTROLS:
        text = (
            f'StandardsSubscription(s) in state PENDING, please try later: ["{_subscription(request, name)}"]'
        )
        yield _resource(request, name), Refused("InvalidInputException", text)


@creates("securityhub:EnableSecurityHub")
def _hub_made(request: Request) -> Iterator[Resource]:
    yield "hub", request.account, request.region


@needs("securityhub:UpdateSecurityHubConfiguration", "securityhub:CreateFindingAggregator")
def _settings_need(request: Request) -> Iterator[tuple[Resource, Refused]]:
    yield ("hub", request.account, request.region), not_subscribed(request)


def _shown(request: Request, name: str) -> dict[str, Any]:
    """A subscription as it is returned: it is incomplete while AWS Config does not record."""
    recording = any(each.status.recording for each in request.store("config").recorders.values())
    pending = is_fresh(request, _resource(request, name))
    status = "PENDING" if pending else "READY" if recording else "INCOMPLETE"
    reason = {"StandardsStatusReason": {"StatusReasonCode": "NO_AVAILABLE_CONFIGURATION_RECORDER"}}
    return {
        "StandardsSubscriptionArn": _subscription(request, name),
        "StandardsArn": arn_of(request, name),
        "StandardsInput": {},
        "StandardsStatus": status,
        "StandardsControlsUpdatable": "NOT_READY_FOR_UPDATES" if pending else "READY_FOR_UPDATES",
        **(reason if status == "INCOMPLETE" else {}),
    }


@instead("securityhub.standards", "DescribeStandards", row="7 Standards; 16.C StandardsManagedBy")
def describe(request: Request) -> dict[str, Any]:
    """Standards are listed where there is a hub; some are managed by a service, and nobody else enables them."""
    own_hub(request)
    found = [
        {
            "StandardsArn": arn_of(request, name),
            "Name": name,
            "EnabledByDefault": name in DEFAULT_STANDARDS,
            **({"StandardsManagedBy": {"Company": "AWS", "Product": "Control Tower"}} if managed else {}),
        }
        for name in CONTROLS
        for managed in [name == _CONTROL_TOWER]
    ]
    return request.page("Standards", found, request.world.page_size or 100)


@instead("securityhub.standards", "GetEnabledStandards")
def enabled(request: Request) -> dict[str, Any]:
    """Return the enabled standards, which are pending at first."""
    found = [_shown(request, name) for name in own_hub(request)["standards"]]
    return request.page("StandardsSubscriptions", found, request.world.page_size or 100)


@instead("securityhub.standards", "BatchEnableStandards")
def enable(request: Request) -> dict[str, Any]:
    """Enable standards; one that is enabled already stays."""
    hub = own_hub(request)
    asked = [each["StandardsArn"] for each in request.params["StandardsSubscriptionRequests"]]
    names = {arn_of(request, name): name for name in CONTROLS if name != _CONTROL_TOWER}
    if wrong := [each for each in asked if each not in names]:
        raise Refused("InvalidInputException", f"Invalid StandardsSubscriptionRequest(s): {wrong}")
    hub["standards"].extend(names[each] for each in asked if names[each] not in hub["standards"])
    return {"StandardsSubscriptions": [_shown(request, names[each]) for each in asked]}


@instead("securityhub.standards", "BatchDisableStandards")
def disable(request: Request) -> dict[str, Any]:
    """Disable standards; what was off in them is forgotten."""
    hub = own_hub(request)
    asked = request.params["StandardsSubscriptionArns"]
    names = [name for name in hub["standards"] if _subscription(request, name) in asked]
    if len(names) != len(asked):
        raise Refused("InvalidInputException", f"Invalid StandardsSubscriptionArn(s): {asked}")
    shown = [{**_shown(request, name), "StandardsStatus": "DELETING"} for name in names]
    hub["standards"] = [name for name in hub["standards"] if name not in names]
    hub["off"] = {key: reason for key, reason in hub["off"].items() if key[0] not in names}
    return {"StandardsSubscriptions": shown}


@instead("securityhub.controls", "ListStandardsControlAssociations", row="16.C Controls")
def associations(request: Request) -> dict[str, Any]:
    """A control is on or off in each enabled standard; standards that are not ready are left out."""
    hub, control = own_hub(request), request.params["SecurityControlId"]
    if not any(control in controls for controls in CONTROLS.values()):
        raise Refused("InvalidInputException", f"Invalid SecurityControlId: {control}")
    fresh = request.saved("fresh")
    found = []
    for name in hub["standards"]:
        if control in CONTROLS[name] and _resource(request, name) not in fresh:
            reason = hub["off"].get((name, control))
            where = f"arn:{request.partition}:securityhub:{request.region}:{request.account}"
            found.append(
                {
                    "StandardsArn": arn_of(request, name),
                    "SecurityControlId": control,
                    "SecurityControlArn": f"{where}:security-control/{control}",
                    "AssociationStatus": "ENABLED" if reason is None else "DISABLED",
                    **({} if reason is None else {"UpdatedReason": reason}),
                }
            )
    return request.page("StandardsControlAssociationSummaries", found, request.world.page_size or 25)


@instead("securityhub.all_controls", "ListSecurityControlDefinitions", row="16.C Controls")
def definitions(request: Request) -> dict[str, Any]:
    """The controls of a standard, or all, are listed; whether they are on is told of each in a standard."""
    own_hub(request)
    asked = request.params.get("StandardsArn")
    names = {
        control
        for name, controls in CONTROLS.items()
        if asked in {None, arn_of(request, name)}
        for control in controls
    }
    found = [
        {"SecurityControlId": each, "Title": each, "CurrentRegionAvailability": "AVAILABLE"}
        for each in sorted(names)
    ]
    return request.page("SecurityControlDefinitions", found, request.world.page_size or 25)


@instead("securityhub.all_controls", "BatchGetStandardsControlAssociations")
def details(request: Request) -> dict[str, Any]:
    """Whether each control is on in the standard beside it; what cannot be told is listed beside a success."""
    hub, found, refused = own_hub(request), [], []
    for each in request.params["StandardsControlAssociationIds"]:
        name = each["StandardsArn"].rpartition(":")[2].partition("/")[2]
        if name not in hub["standards"] or each["SecurityControlId"] not in CONTROLS[name]:
            refused.append({"StandardsControlAssociationId": each, "ErrorCode": "NOT_FOUND"})
            continue
        reason = hub["off"].get((name, each["SecurityControlId"]))
        state = {"AssociationStatus": "ENABLED" if reason is None else "DISABLED"}
        found.append({**each, **state, **({} if reason is None else {"UpdatedReason": reason})})
    return {"StandardsControlAssociationDetails": found, "UnprocessedAssociations": refused}


@instead("securityhub.controls", "BatchUpdateStandardsControlAssociations")
def update(request: Request) -> dict[str, Any]:
    """What cannot be updated is listed beside a success; to switch a control off takes a reason."""
    hub, refused = own_hub(request), []
    for each in request.params["StandardsControlAssociationUpdates"]:
        name = each["StandardsArn"].rpartition(":")[2].partition("/")[2]
        off = each["AssociationStatus"] == "DISABLED"
        code = ""
        if name not in hub["standards"] or is_fresh(request, _resource(request, name)):
            code = "RESOURCE_NOT_FOUND"
        elif each["SecurityControlId"] not in CONTROLS[name] or (off and not each.get("UpdatedReason")):
            code = "INVALID_INPUT"
        if code:
            refused.append({"StandardsControlAssociationUpdate": each, "ErrorCode": code})
        elif off:
            hub["off"][name, each["SecurityControlId"]] = each["UpdatedReason"]
        else:
            hub["off"].pop((name, each["SecurityControlId"]), None)
    return {"UnprocessedAssociationUpdates": refused}
