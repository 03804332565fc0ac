"""IAM actions of AWS Config requests beyond the action of the operation's name, from AWS's pages."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes, default_acts, linked_role_arn, partition
from ....sandbox.model import WireCall
from ....sandbox.rules.organizations import find_organization
from ....sandbox.rules.permissions import role_arn
from ..principal import CONFIG, principal
from .conformance_packs import PACKS
from .organization import MULTI_ACCOUNT

_GENERATED = {  # the ARNs of these end in an id that AWS generates
    "PutConfigRule": "config-rule/config-rule",
    "GetCustomRulePolicy": "config-rule/config-rule",
    "GetComplianceDetailsByConfigRule": "config-rule/config-rule",
    "DescribeRemediationConfigurations": "remediation-configuration/r",
    "DescribeRemediationExecutionStatus": "remediation-configuration/r",
    "PutRemediationConfigurations": "remediation-configuration/r",
    "PutConfigurationAggregator": "config-aggregator/config-aggregator",
    "GetOrganizationConfigRuleDetailedStatus": "organization-config-rule/r",
    "GetOrganizationConformancePackDetailedStatus": "organization-conformance-pack/r",
    "GetOrganizationCustomRulePolicy": "organization-config-rule/r",
    "DescribeConfigurationAggregatorSourcesStatus": "config-aggregator/config-aggregator",
}


@authorizes("config")
def _config(call: WireCall) -> Acts:
    """The ARNs of recorders and rules end with an id that AWS generates, as those of aggregators and packs do."""
    name, params = call.operation, call.params
    here = f"arn:{partition(call)}:config:{call.region}:{call.account}"
    if name == "PutConfigurationRecorder":
        recorder = params["ConfigurationRecorder"]
        yield act(call, f"config:{name}", f"{here}:configuration-recorder/{recorder.get('name')}/a1b2c3d4")
        role = recorder.get("roleARN") or ""
        yield act(call, "iam:PassRole", role, iam__PassedToService=principal(partition(call)))
    elif name in {"StartConfigurationRecorder", "StopConfigurationRecorder"}:
        recorder = params["ConfigurationRecorderName"]
        yield act(call, f"config:{name}", f"{here}:configuration-recorder/{recorder}/a1b2c3d4")
    elif name in _GENERATED:
        yield act(call, f"config:{name}", f"{here}:{_GENERATED[name]}-a1b2c3")
        if params.get("Tags"):
            yield act(call, "config:TagResource", f"{here}:{_GENERATED[name]}-a1b2c3")
        if source := params.get("OrganizationAggregationSource"):
            yield from _organization(call, source["RoleArn"])
    elif name.startswith("PutOrganization"):
        yield from _for_organization(call, here)
    elif name in {"PutConformancePack", "DescribeConformancePackCompliance"}:
        pack = f"{here}:conformance-pack/{params['ConformancePackName']}/conformance-pack-a1b2c3"
        yield act(call, f"config:{name}", pack)
        if params.get("Tags"):
            yield act(call, "config:TagResource", pack)
        linked = linked_role_arn(call, PACKS)
        if (
            name.startswith("Put") and role_arn(call, linked.rpartition("/")[2]) != linked
        ):  # it does not exist
            yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=PACKS)
    else:
        yield from default_acts(call)


def _for_organization(call: WireCall, here: str) -> Acts:
    """See PutOrganizationConfigRule in the API Reference: what AWS Config asks with the caller's permissions."""
    pack = "Pack" in call.operation
    of = f"{here}:{'organization-conformance-pack' if pack else 'organization-config-rule'}/r-a1b2c3"
    yield act(call, f"config:{call.operation}", of)
    if call.params.get("Tags"):
        yield act(call, "config:TagResource", of)
    linked = linked_role_arn(call, MULTI_ACCOUNT)
    yield act(call, "iam:GetRole", linked)
    if role_arn(call, linked.rpartition("/")[2]) != linked:  # it does not exist
        yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=MULTI_ACCOUNT)
    yield from _administrator(call, MULTI_ACCOUNT)


def _organization(call: WireCall, role: str) -> Acts:
    """See PutConfigurationAggregator in the API Reference: what AWS Config asks Organizations with the caller's permissions."""
    yield act(call, "iam:PassRole", role, iam__PassedToService=principal(partition(call)))
    yield from _administrator(call, CONFIG)


def _administrator(call: WireCall, service: str) -> Acts:
    """The management account enables the trusted access of *service*; another one must be its delegate."""
    held = find_organization(call.account, partition(call))
    if held is not None and held.org.master_account_id == call.account:
        yield act(call, "organizations:EnableAWSServiceAccess", "*", organizations__ServicePrincipal=service)
    else:
        yield act(call, "organizations:ListDelegatedAdministrators", "*")
