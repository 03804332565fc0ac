"""Central configuration: where it holds by the file, and how the organization is switched to it and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...aws import Aws, Reading
from ...aws.errors import ClientError, code_of
from ...model import Call, Change, Changes, Difference, Exists, Refused, Target, Wait
from ...steps.registry import consents
from ...steps.settings import Strictness, owned, settings
from .aggregator import TITLE
from .policy_section import ROOT
from .section import CENTRAL, FindingAggregator, SecurityHub
from .state import HUB_KEY, POLICY, STEP, THROTTLED, JsonObject
from .v2_section import ALL_REGIONS

CONFIGURATION: Final = "organization configuration"
CONFIGURATION_KEY: Final = f"{STEP}/{CONFIGURATION}"
SECONDS: Final = 300.0  # that AWS may take to switch, or to apply a configuration; Terraform waits as long
# AWS's answer to all but the administrator.
NOT_ADMINISTRATOR: Final = "InvalidAccessException"
DESIGNATED: Final = Wait(NOT_ADMINISTRATOR, "the account to become the administrator", seconds=300)
# What an organization has before anybody configures it; the administrator's account can read it once it has a hub.
_AT_FIRST: Final = {"AutoEnable": False, "AutoEnableStandards": "DEFAULT"}
_LEAVE: Final = "leave-central-configuration"
_TYPE: Final = "ConfigurationType"
_STATUS: Final = "Status"
# AWS's answer to all calls about configuration policies before the organization is switched.
_NOT_CENTRAL: Final = ("AccessDeniedException", "with Central Configuration enabled")
SWITCHED: Final = Wait(
    _NOT_CENTRAL[0], "central configuration to be enabled", _NOT_CENTRAL[1], seconds=SECONDS
)
_BUSY: Final = Wait("ResourceConflictException", "Security Hub to finish an earlier change", seconds=SECONDS)

consents(_LEAVE)


def is_central(section: SecurityHub) -> bool:
    """Whether the file asks for central configuration."""
    return section.organization is not None and section.organization.configuration_type == CENTRAL


def administers_centrally(section: SecurityHub, target: Target) -> bool:
    """Whether the target is where policies are made: the administrator's account in the home Region."""
    organization = section.organization
    return (
        is_central(section)
        and target.home
        and organization is not None
        and organization.administrator == target.account
    )


def central_owner(section: SecurityHub, target: Target, home: str) -> str:
    """What sets the standards and controls of the target by the file, or `""`.

    No account but the administrator may ask AWS. Where the file names units, each account may be in one of them.
    """
    organization = section.organization
    if organization is None or not is_central(section) or target.account in organization.self_managed:
        return ""
    if not _is_linked(section.finding_aggregator, target.region, home):
        return ""
    named = {each for policy in organization.configuration_policies.values() for each in policy.targets}
    governed = target.account in named or ROOT in named or any(each.startswith("ou-") for each in named)
    return f"central configuration of account {organization.administrator}" if governed else ""


def _is_linked(aggregator: FindingAggregator | None, region: str, home: str) -> bool:
    """Whether configuration policies take effect in a Region: in the home Region, and in those that it aggregates."""
    if aggregator is None or region == home:
        return region == home
    if aggregator.region_linking_mode in {ALL_REGIONS, "NO_REGIONS"}:
        return aggregator.region_linking_mode == ALL_REGIONS
    named = region in (aggregator.regions or ())
    return named is (aggregator.region_linking_mode == "SPECIFIED_REGIONS")


def if_central(reading: Reading, key: str) -> Any:
    """The list under *key* of an answer; empty before central configuration is enabled. Raises every other error."""
    try:
        return reading.get(key)
    except ClientError as error:
        code, text = _NOT_CENTRAL
        if code_of(error) == NOT_ADMINISTRATOR or (code_of(error) == code and text in str(error)):
            return []
        raise


def status_of(have: JsonObject, key: str) -> str:
    """A status of AWS's under *key*, with AWS's reason if it has failed."""
    status = str(have.get(key) or "")
    reason = have.get(f"{key}Message") or "AWS does not say why"
    return f"{status}: {reason}" if status == "FAILED" else status


def is_disabled(have: JsonObject | None) -> bool:
    """Whether a policy of the organization has taken the place of central configuration."""
    return ((have or {}).get("OrganizationConfiguration") or {}).get(_STATUS) == "DISABLED"


def automatic(have: JsonObject | None) -> dict[str, Any]:
    """What new accounts get, as AWS has it."""
    return {key: value for key, value in (have or _AT_FIRST).items() if key in _AT_FIRST}


def ensure_central(aws: Aws, have: JsonObject | None, management: str) -> Changes:
    """Switch the organization to central configuration, in the background; where AWS failed, it is asked again."""
    if aws.account == management:
        raise Refused(
            "the management account cannot configure Security Hub centrally: name a member account as"
            " `security_hub.organization.administrator`"
        )
    state = (have or {}).get("OrganizationConfiguration") or {}
    kind = state.get(_TYPE)
    want = {"AutoEnable": False, "AutoEnableStandards": "NONE", _TYPE: CENTRAL, _STATUS: "ENABLED"}
    if is_disabled(have):
        yield owned(CONFIGURATION, Difference(_STATUS, "DISABLED", "ENABLED"), f"the organization's {POLICY}")
        return
    if kind == CENTRAL:
        yield Exists(CONFIGURATION)
    # Else a switch whose answer was lost would not be in the plan.
    status = status_of(state, _STATUS) if kind == CENTRAL else None
    present = {**automatic(have), _TYPE: kind or "LOCAL", _STATUS: status}
    nothing_guarded = Strictness({}, exact=False)
    yield from settings(
        CONFIGURATION, present, want, lambda full: _put(aws, full), nothing_guarded, whole=True
    )


def ensure_local(aws: Aws, have: JsonObject, want: Mapping[str, Any]) -> Changes:
    """Switch the organization back to local configuration, with a consent. AWS takes that only without policies."""
    listed = if_central(aws.read("securityhub").list_configuration_policies(), "ConfigurationPolicySummaries")
    if listed:
        raise Refused(
            f"central configuration ends only where no configuration policy is left, and there are"
            f" {', '.join(sorted(each['Name'] for each in listed))}: take each from its targets (`aws securityhub"
            " start-configuration-policy-disassociation`) and delete it (`delete-configuration-policy`), or leave"
            " `configuration_type` out"
        )
    full = {**{key: have.get(key) for key in _AT_FIRST}, **want, _TYPE: "LOCAL"}
    present = {**have, _TYPE: CENTRAL}
    found = tuple(Difference(key, present[key], full[key]) for key in full if present.get(key) != full[key])
    loses = (
        "the administrator can no longer set up accounts and Regions from one place; each keeps what it has"
    )
    yield Change(CONFIGURATION, found, _put(aws, full), consent=_LEAVE, loses=loses)


def _put(aws: Aws, full: Mapping[str, Any]) -> Call:
    params = {key: full[key] for key in _AT_FIRST if full.get(key) is not None}
    if full.get(_TYPE):
        params["OrganizationConfiguration"] = {_TYPE: full[_TYPE]}
    call = aws.write("securityhub").update_organization_configuration(**params)
    used = (HUB_KEY, f"{STEP}/{TITLE}") if full.get(_TYPE) == CENTRAL else (HUB_KEY,)
    return replace(call.waiting(DESIGNATED, THROTTLED, _BUSY).using(*used), settles=SECONDS)
