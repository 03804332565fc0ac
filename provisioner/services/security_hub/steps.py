"""The step `security_hub`: the hub of each Region, and with it standards, controls, the aggregator and the organization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Difference, Exists, Finding, Findings, Part, Scope, create
from ...steps.owners import policy_owner
from ...steps.registry import harmful_actions, hints, rates, step, verify
from ...steps.settings import Strictness, owned, settings, to_api
from ...steps.tags import tags
from .aggregator import TITLE, ensure_aggregator
from .central import CONFIGURATION, administers_centrally, central_owner, status_of
from .controls import OTHER_CONTROLS, ensure_controls, ensure_others_on, list_controls
from .organization import ensure_organization_configuration, read_configuration
from .policies import begin_policy_reads, ensure_policies, policy_findings
from .section import CENTRAL, SecurityHub
from .standards import ensure_standards, status_reason
from .state import (
    HUB,
    POLICY,
    STEP,
    THROTTLED,
    WAITS,
    JsonObject,
    controls_of,
    hub_arn,
    read_administrator,
    read_hub,
    read_standards,
    standard_arn,
    standard_title,
    standards_of,
)
from .suppressions import SUPPRESSIONS, ensure_unsuppressed
from .v2 import TITLE as V2
from .v2 import begin_v2_reads, ensure_v2, v2_findings

_GENERATOR: Final = "ControlFindingGenerator"
_POLICIES: Final = "configuration policies"
_SETTINGS: Final = (_GENERATOR, "AutoEnableControls")
_NEW_HUB: Final = {_GENERATOR: "SECURITY_CONTROL", "AutoEnableControls": True}  # AWS's defaults

harmful_actions(
    SecurityHub,
    *(
        "securityhub:BatchDisableStandards",
        "securityhub:BatchUpdateAutomationRules",
        "securityhub:BatchUpdateStandardsControlAssociations",
        "securityhub:CreateAutomationRule",
        "securityhub:DeleteAggregatorV2",
        "securityhub:DeleteConfigurationPolicy",
        "securityhub:DeleteFindingAggregator",
        "securityhub:DisableOrganizationAdminAccount",
        "securityhub:DisableSecurityHub",
        "securityhub:DisableSecurityHubV2",
        "securityhub:StartConfigurationPolicyDisassociation",
        "securityhub:UpdateAggregatorV2",
        "securityhub:UpdateConfigurationPolicy",
        "securityhub:UpdateFindingAggregator",
        "securityhub:UpdateOrganizationConfiguration",
        "securityhub:UpdateSecurityHubConfiguration",
        "securityhub:UpdateStandardsControl",
    ),
)
rates("securityhub", read=10, write=10)
hints(
    "securityhub",
    {
        "InvalidAccessException": "Security Hub is not enabled here, or this account is not its administrator, or its"
        " administrator configures it centrally",
        "ResourceConflictException": "Security Hub is still at an earlier change, or a configuration policy has the name"
        " already: run again in some minutes",
        "LimitExceededException": "AWS kept on throttling the calls: run again later",
        "INVALID_INPUT": "AWS does not know the control, or it is not in the standard: correct it in"
        " `disabled_controls` of the standard",
        "RESOURCE_NOT_FOUND": "the standard is not ready: run again in some minutes",
    },
)


@step(STEP, SecurityHub, Scope.REGION, needs=("config_recorder",), clients=("securityhub",))
def ensure_security_hub(aws: Aws, baseline: Baseline) -> Changes:
    """Enable the hub, then what it holds. Each part is ensured whatever happens to the others."""
    section = baseline[SecurityHub]
    _begin_reads(aws, section)
    above = policy_owner(aws, POLICY)
    central = central_owner(section, aws.target, baseline.general.home_region)

    def owner() -> str:
        return central or above()

    administers = section.organization is not None and section.organization.administrator == aws.account
    # Central configuration needs the administrator's own hub, whose settings stay its own.
    yield Part(HUB, _ensure_hub(aws, section, above if administers else owner))
    yield Part("standards", ensure_standards(aws, section, owner, central=bool(central)))
    yield Part("controls", ensure_controls(aws, section, owner))
    yield Part(OTHER_CONTROLS, ensure_others_on(aws, section, owner))
    yield Part(SUPPRESSIONS, ensure_unsuppressed(aws))
    if section.finding_aggregator and aws.target.home:
        aggregates = "" if administers else central
        yield Part(TITLE, _aggregator(aws, section, aggregates))
    if section.security_hub_v2:
        yield Part(V2, ensure_v2(aws, section.security_hub_v2))
    if section.organization and administers:
        yield Part(CONFIGURATION, ensure_organization_configuration(aws, section.organization))
        if administers_centrally(section, aws.target):
            yield Part(_POLICIES, ensure_policies(aws, section.organization))


def _aggregator(aws: Aws, section: SecurityHub, central: str) -> Changes:
    if section.finding_aggregator:
        at_home = administers_centrally(section, aws.target)
        yield from ensure_aggregator(aws, section.finding_aggregator, central, at_home=at_home)


def _begin_reads(aws: Aws, section: SecurityHub) -> None:
    """Start the reads that most runs need, all at once; the parts then find their answers in memory."""
    read = aws.read("securityhub")
    read.describe_hub()
    read.get_enabled_standards()
    read.get_administrator_account()
    for name, standard in standards_of(section, aws.target).items():
        if section.auto_enable_controls is not False:
            list_controls(aws, name)
        for control in controls_of(standard, aws.target):
            read.list_standards_control_associations(SecurityControlId=control)
    if section.tags:
        read.list_tags_for_resource(ResourceArn=hub_arn(aws.target))
    if section.finding_aggregator and aws.target.home:
        read.list_finding_aggregators()
    if section.security_hub_v2:
        begin_v2_reads(aws, section.security_hub_v2)
    if section.organization and administers_centrally(section, aws.target):
        read.describe_organization_configuration()
        begin_policy_reads(aws, section.organization)


def _ensure_hub(aws: Aws, section: SecurityHub, owner: Callable[[], str]) -> Changes:
    """Enable Security Hub without the standards of AWS's choice, or adopt the hub, and set its settings and tags."""
    have, write = read_hub(aws), aws.write("securityhub")
    want = {key: value for key, value in to_api(section).items() if key in _SETTINGS}
    if have is None:
        shown = {key: want[key] for key in (_GENERATOR,) if key in want}
        shown["EnableDefaultStandards"] = section.enable_default_standards
        if name := owner():
            yield owned(HUB, Difference(HUB, None, "enabled"), name)
            return
        given = {"Tags": section.tags} if section.tags else {}
        call = (
            write.enable_security_hub(**shown, **given)
            .waiting(THROTTLED)
            .or_done("ResourceConflictException")
        )
        tagged = {f"tag {key}": value for key, value in section.tags.items()}
        yield create(HUB, {**shown, **tagged}, call)
        have, have_tags = {**_NEW_HUB, **shown}, section.tags
        strictness = Strictness({}, exact=False)  # nobody has chosen a setting of it
    else:
        yield Exists(HUB)
        strictness = Strictness.of(SecurityHub, exact=section.exact)
        yield from _set_by_administrator(aws, have, want)
        have_tags = _read_tags(aws) if section.tags else {}

    def put(changed: dict[str, Any]) -> Call:
        return write.update_security_hub_configuration(**changed).waiting(*WAITS)

    yield from settings(HUB, have, want, put, strictness, owner=owner)
    yield from tags(
        HUB,
        have_tags,
        section.tags,
        lambda missing: write.tag_resource(ResourceArn=hub_arn(aws.target), Tags=missing),
    )


def _read_tags(aws: Aws) -> dict[str, str]:
    reading = aws.read("securityhub").list_tags_for_resource(ResourceArn=hub_arn(aws.target))
    found: dict[str, str] = reading.get("Tags")
    return found


def _set_by_administrator(aws: Aws, have: JsonObject, want: dict[str, Any]) -> Changes:
    """Tell a setting that only the account's administrator may change, and take it out of *want*."""
    if have.get(_GENERATOR) != want.get(_GENERATOR, have.get(_GENERATOR)) and (
        name := read_administrator(aws)
    ):
        difference = Difference(_GENERATOR, have.get(_GENERATOR), want.pop(_GENERATOR))
        yield owned(HUB, difference, f"the administrator, account {name},")


@verify(STEP)
def verify_security_hub(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether there is a hub, and whether each standard of the file is ready; else AWS's reason."""
    hub, have = read_hub(aws), read_standards(aws)
    yield Finding(HUB, "hub", hub is not None, "enabled" if hub else "not there")
    for name in standards_of(baseline[SecurityHub], aws.target):
        yield _standard_finding(name, have.get(standard_arn(aws.target, name)))
    if baseline[SecurityHub].security_hub_v2:
        yield from v2_findings(aws)
    organization = baseline[SecurityHub].organization
    if organization and administers_centrally(baseline[SecurityHub], aws.target):
        state = (read_configuration(aws) or {}).get("OrganizationConfiguration") or {}
        status = status_of(state, "Status") if state.get("ConfigurationType") == CENTRAL else "LOCAL"
        ok = {"ENABLED": True, "PENDING": None}.get(status, False)
        yield Finding(CONFIGURATION, "central configuration", ok, status)
        yield from policy_findings(aws, organization)


def _standard_finding(name: str, have: JsonObject | None) -> Finding:
    """PENDING is no failure: AWS enables the standard, or adds new controls to it."""
    title, check = standard_title(name), "ready"
    if have is None:
        return Finding(title, check, ok=False, detail="not enabled")
    status = have["StandardsStatus"]
    reason = status_reason(have)
    detail = f"{status}: {reason}" if reason else status
    return Finding(title, check, ok={"READY": True, "PENDING": None}.get(status, False), detail=detail)
