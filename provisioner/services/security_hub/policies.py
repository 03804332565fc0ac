"""The configuration policies of the administrator, and the accounts, units and root that have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...aws import Aws
from ...aws.errors import DENIED, ClientError, code_of
from ...model import (
    PENDING,
    Call,
    Change,
    Changes,
    Difference,
    Exists,
    Finding,
    Findings,
    Kind,
    Note,
    Part,
    Target,
    create,
)
from ...steps.registry import consents
from ...steps.settings import Strictness, owned, settings, to_api
from .central import CONFIGURATION_KEY, SECONDS, SWITCHED, if_central, is_disabled, status_of
from .organization import read_configuration
from .policy_section import ROOT, ConfigurationPolicy
from .section import Organization
from .state import HUB_KEY, POLICY, THROTTLED, JsonObject, name_of, standard_arn

_STANDARDS: Final = "EnabledStandardIdentifiers"
_ON: Final = "EnabledSecurityControlIdentifiers"
_OFF: Final = "DisabledSecurityControlIdentifiers"
_PARAMETERS: Final = "SecurityControlCustomParameters"
_PARAMETER: Final = "parameter "  # of each field for one parameter: `parameter ACM.1 daysToExpiration`
_STATUS: Final = "AssociationStatus"
_POLICY: Final = "ConfigurationPolicy"
_SELF_MANAGED: Final = "SELF_MANAGED_SECURITY_HUB"
_REPLACE: Final = "replace-configuration-policy"

consents(_REPLACE)


def begin_policy_reads(aws: Aws, organization: Organization) -> None:
    """Start the reads of policies, of what has them, and of the organization."""
    read = aws.read("securityhub")
    read.list_configuration_policies()
    read.list_configuration_policy_associations(Filters={"AssociationType": "APPLIED"})
    aws.read("organizations").describe_organization()
    if names_root(organization):
        aws.read("organizations").list_roots()


def names_root(organization: Organization) -> bool:
    """Whether the root is a target, whose id is then asked for."""
    policies = organization.configuration_policies.values()
    return ROOT in {*organization.self_managed, *(each for policy in policies for each in policy.targets)}


def ensure_policies(aws: Aws, organization: Organization) -> Changes:
    """Create or repair each policy of the file, then give it to its targets.

    The policy of the root is the last, so that what is to have another configuration, or none, never gets that one.
    """
    if is_disabled(read_configuration(aws)):
        return
    for target in organization.self_managed:
        yield Part(_target_title(target), _associate(aws, target, _SELF_MANAGED, _SELF_MANAGED))
    listed, policies = _read_policies(aws), organization.configuration_policies
    for name, policy in sorted(policies.items(), key=lambda each: ROOT in each[1].targets):
        yield Part(_title(name), _ensure_policy(aws, name, policy, listed))


def _title(policy: str) -> str:
    return f"configuration policy {policy}"


def _target_title(target: str) -> str:
    return f"configuration of {target}"


def _read_policies(aws: Aws) -> dict[str, JsonObject]:
    """The policies that are there, by name."""
    reading = aws.read("securityhub").list_configuration_policies()
    return {each["Name"]: each for each in if_central(reading, "ConfigurationPolicySummaries")}


def _read_associations(aws: Aws) -> dict[str, JsonObject]:
    """What has a configuration of its own, by its id; what inherits one is not among them."""
    asked = {"AssociationType": "APPLIED"}
    reading = aws.read("securityhub").list_configuration_policy_associations(Filters=asked)
    return {each["TargetId"]: each for each in if_central(reading, "ConfigurationPolicyAssociationSummaries")}


def _ensure_policy(
    aws: Aws, name: str, policy: ConfigurationPolicy, listed: Mapping[str, JsonObject]
) -> Changes:
    title, want, write = _title(name), _wanted(policy), aws.write("securityhub")
    summary = listed.get(name)
    if summary is None:
        call = write.create_configuration_policy(Name=name, **_params(aws.target, want, want))
        call = call.waiting(SWITCHED, THROTTLED).using(HUB_KEY, CONFIGURATION_KEY)
        made = yield create(title, want, call.or_done("ResourceConflictException"))
        identity = made["Id"]
    else:
        yield Exists(title)
        identity = summary["Id"]
        asked = aws.read("securityhub").get_configuration_policy(Identifier=summary["Arn"])
        have = _flat(asked.all())

        def put(full: Mapping[str, Any]) -> Call:
            params = _params(aws.target, full, want)
            call = write.update_configuration_policy(Identifier=summary["Arn"], **params)
            return call.waiting(THROTTLED).based_on(asked)

        strictness = Strictness.of(ConfigurationPolicy, exact=policy.exact)
        yield from settings(title, have, want, put, strictness, whole=True)
    others = [
        each["TargetId"]
        for each in _read_associations(aws).values()
        if each["ConfigurationPolicyId"] == identity
    ]
    known = {_target_of(aws, each)[1] for each in policy.targets}
    if others := sorted({*others} - known):
        yield Note(Kind.FOREIGN, title, f"others gave it to {', '.join(others)} too, which keeps it")
    for target in policy.targets:
        yield Part(_target_title(target), _associate(aws, target, name, identity))


def _associate(aws: Aws, target: str, name: str, identity: str) -> Changes:
    """Give a target its configuration. One that has another policy of its own keeps that without a consent."""
    title, (kind, number) = _target_title(target), _target_of(aws, target)
    have = _read_associations(aws).get(number)
    call = aws.write("securityhub").start_configuration_policy_association(
        ConfigurationPolicyIdentifier=identity, Target={kind: number}
    )
    call = replace(call.waiting(SWITCHED, THROTTLED).using(HUB_KEY, CONFIGURATION_KEY), settles=SECONDS)
    if have is None:
        # The status: else an association whose answer was lost would not be in the plan.
        yield create(title, {_POLICY: name, _STATUS: "SUCCESS"}, call)
        return
    yield Exists(title)
    status = Difference(_STATUS, status_of(have, _STATUS), "SUCCESS")
    differs = () if status.have == status.want else (status,)
    if status.have == "DISABLED":
        yield owned(title, status, f"the organization's {POLICY}")
    elif (present := have["ConfigurationPolicyId"]) != identity:
        names = {each["Id"]: policy for policy, each in _read_policies(aws).items()}
        differs = (Difference(_POLICY, names.get(present, present), name), *differs)
        if present == _SELF_MANAGED:
            yield Change(title, differs, call)
        else:
            loses = f"{target} no longer has the configuration policy {names.get(present, present)}"
            yield Change(title, differs, call, consent=_REPLACE, loses=loses)
    elif differs:  # after a change it is waited for, and a failed one is started again
        yield Change(title, differs, call)


def _target_of(aws: Aws, target: str) -> tuple[str, str]:
    """The parameter for a target of the file, and its id. Before the account is the administrator it may not read the root."""
    if target != ROOT:
        return ("OrganizationalUnitId" if target.startswith("ou-") else "AccountId"), target
    try:
        return "RootId", str(aws.read("organizations").list_roots().get("Roots")[0]["Id"])
    except ClientError as error:
        if code_of(error) in DENIED and read_configuration(aws) is None:
            return "RootId", PENDING
        raise


def _wanted(policy: ConfigurationPolicy) -> dict[str, Any]:
    """The fields that the file sets, in the shape of `_flat`."""
    want = {key: sorted(value) if isinstance(value, list) else value for key, value in to_api(policy).items()}
    for control, parameters in policy.security_control_custom_parameters.items():
        want |= {f"{_PARAMETER}{control} {name}": to_api(value) for name, value in parameters.items()}
    return want


def _flat(answer: JsonObject) -> dict[str, Any]:
    """The fields of a policy as in the file. One that is off has no list, so that none looks stricter than the file."""
    hub = answer["ConfigurationPolicy"]["SecurityHub"]
    controls = hub.get("SecurityControlsConfiguration") or {}
    on = hub["ServiceEnabled"]
    flat = {
        "Description": answer.get("Description") or None,
        "ServiceEnabled": on,
        _STANDARDS: sorted(name_of(each) for each in hub.get(_STANDARDS) or ()),
        _ON: sorted(controls[_ON]) if controls.get(_ON) else None if on else [],
        _OFF: None if controls.get(_ON) or not on else sorted(controls.get(_OFF) or ()),
    }
    for each in controls.get(_PARAMETERS) or ():
        for name, value in each["Parameters"].items():
            flat[f"{_PARAMETER}{each['SecurityControlId']} {name}"] = value.get("Value") or value["ValueType"]
    return flat


def _params(target: Target, full: Mapping[str, Any], want: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request with all settings, since AWS replaces the policy. Of both lists it takes one."""
    hub: dict[str, Any] = {"ServiceEnabled": full["ServiceEnabled"]}
    if hub["ServiceEnabled"]:
        hub[_STANDARDS] = [standard_arn(target, each) for each in full.get(_STANDARDS) or ()]
        chosen = _ON if full.get(_ON) and _OFF not in want else _OFF
        hub["SecurityControlsConfiguration"] = {chosen: full.get(chosen) or []}
        if parameters := _parameters(full):
            hub["SecurityControlsConfiguration"][_PARAMETERS] = parameters
    described = {"Description": full["Description"]} if full.get("Description") else {}
    return {**described, "ConfigurationPolicy": {"SecurityHub": hub}}


def _parameters(full: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for field, value in full.items():
        if field.startswith(_PARAMETER) and value is not None:
            control, _, name = field.removeprefix(_PARAMETER).partition(" ")
            one = {"ValueType": value} if isinstance(value, str) else {"ValueType": "CUSTOM", "Value": value}
            found.setdefault(control, {})[name] = one
    return [{"SecurityControlId": control, "Parameters": each} for control, each in found.items()]


def policy_findings(aws: Aws, organization: Organization) -> Findings:
    """Whether each target of the file has its configuration, by AWS's word."""
    found = _read_associations(aws)
    policies = organization.configuration_policies.values()
    for target in (*(each for policy in policies for each in policy.targets), *organization.self_managed):
        status = status_of(found.get(_target_of(aws, target)[1]) or {}, _STATUS) or "not associated"
        ok = {"SUCCESS": True, "PENDING": None}.get(status, False)
        yield Finding(_target_title(target), "configuration", ok, status)
