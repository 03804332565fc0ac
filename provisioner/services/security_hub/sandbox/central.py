"""Central configuration: the policies of an administrator, and what has them. `governed` carries them out."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import find_organization
from ....sandbox.rules.propagation import creates, needs
from .hub import is_fresh
from .organization import central_region, switched
from .standards import CONTROLS, arn_of

SELF_MANAGED = "SELF_MANAGED_SECURITY_HUB"
_TARGETS = {"AccountId": "ACCOUNT", "OrganizationalUnitId": "ORGANIZATIONAL_UNIT", "RootId": "ROOT"}
ON, OFF = "EnabledSecurityControlIdentifiers", "DisabledSecurityControlIdentifiers"


def policies(request: Request, account: str = "") -> dict[str, dict[str, Any]]:
    """The policies of an administrator, by id."""
    kept: dict[str, dict[str, Any]] = request.saved("security_hub_policies").setdefault(
        account or request.account, {}
    )
    return kept


def associations_of(request: Request, account: str = "") -> dict[str, dict[str, Any]]:
    """What has a configuration of its own, by its id."""
    kept: dict[str, dict[str, Any]] = request.saved("security_hub_associations").setdefault(
        account or request.account, {}
    )
    return kept


def denied(text: str) -> Refused:
    """The error of what only an administrator does, or only an account itself."""
    return Refused("AccessDeniedException", text, 403)


def _not_central() -> Refused:
    return denied("Must be a Security Hub delegated administrator with Central Configuration enabled")


def _check_central(request: Request) -> Any:
    """The organization that the caller configures centrally, from this Region. Raises `Refused`."""
    region = central_region(request, request.account)
    if not region:
        raise _not_central()
    if region != request.region:
        raise denied("Central Configuration APIs can only be called from the aggregation region")
    return find_organization(request.account, request.partition)


@needs(
    *(f"securityhub:{name}" for name in ("CreateConfigurationPolicy", "StartConfigurationPolicyAssociation"))
)
def _policies_need(request: Request) -> Any:
    yield switched(request.account), _not_central()


@creates("securityhub:StartConfigurationPolicyAssociation")
def _association_made(request: Request) -> Any:
    [(_, target)] = request.params["Target"].items()
    yield "association", request.account, target


def _checked(request: Request) -> dict[str, Any]:
    """The policy of the request, as AWS keeps it. Raises `Refused` for one that AWS does not take."""
    asked = request.params["ConfigurationPolicy"]["SecurityHub"]
    standards, controls = (
        asked.get("EnabledStandardIdentifiers"),
        asked.get("SecurityControlsConfiguration") or {},
    )
    known = {arn_of(request, name) for name in CONTROLS}
    named = [
        *(each for key in (ON, OFF) for each in controls.get(key) or ()),
        *(each["SecurityControlId"] for each in controls.get("SecurityControlCustomParameters") or ()),
    ]
    unknown = {*named} - {each for every in CONTROLS.values() for each in every}
    complete = standards is not None and bool(controls)
    if not complete if asked["ServiceEnabled"] else (standards or controls):
        text = "EnabledStandardIdentifiers and SecurityControlsConfiguration go with ServiceEnabled"
    elif (ON in controls) and (OFF in controls):
        text = "Only one of the lists of controls can be given"
    elif wrong := sorted({*(standards or ())} - known) or sorted(unknown):
        text = f"Invalid identifiers: {wrong}"
    else:
        return {"SecurityHub": asked}
    raise Refused("InvalidInputException", text)


@instead("securityhub.policies", "CreateConfigurationPolicy", row="16.C CENTRAL")
def create(request: Request) -> dict[str, Any]:
    """Only the administrator makes policies, from the home Region, under names that differ."""
    _check_central(request)
    name = request.params["Name"]
    if any(each["Name"] == name for each in policies(request).values()):
        raise Refused("ResourceConflictException", "A configuration policy has this name already.", 409)
    number = str(uuid4())
    where = f"arn:{request.partition}:securityhub:{request.region}:{request.account}"
    made = {"Arn": f"{where}:configuration-policy/{number}", "Id": number, "Name": name}
    described = request.params.get("Description")
    made |= {"Description": described} if described else {}
    made["ConfigurationPolicy"] = _checked(request)
    policies(request)[number] = made
    return dict(made)


def _policy(request: Request, identifier: str) -> dict[str, Any]:
    _check_central(request)
    found = policies(request).get(identifier.rpartition("/")[2])
    if found is None:
        raise Refused("ResourceNotFoundException", "There is no such configuration policy.", 404)
    return found


@instead("securityhub.policies", "GetConfigurationPolicy")
def get(request: Request) -> dict[str, Any]:
    """Return a policy."""
    return dict(_policy(request, request.params["Identifier"]))


@instead("securityhub.policies", "ListConfigurationPolicies")
def listpolicies(request: Request) -> dict[str, Any]:
    """Return a summary of each policy."""
    _check_central(request)
    found = [
        {
            **{key: each[key] for key in ("Arn", "Id", "Name", "Description") if key in each},
            "ServiceEnabled": each["ConfigurationPolicy"]["SecurityHub"]["ServiceEnabled"],
        }
        for each in policies(request).values()
    ]
    return request.page("ConfigurationPolicySummaries", found, request.world.page_size or 100)


@instead("securityhub.policies", "UpdateConfigurationPolicy")
def update(request: Request) -> dict[str, Any]:
    """The configuration is replaced as a whole; what the request leaves out stays."""
    found = _policy(request, request.params["Identifier"])
    given: dict[str, Any] = {
        key: request.params[key] for key in ("Name", "Description") if key in request.params
    }
    if "ConfigurationPolicy" in request.params:
        given["ConfigurationPolicy"] = _checked(request)
    found.update(given)
    return dict(found)


@instead("securityhub.policies", "DeleteConfigurationPolicy")
def delete(request: Request) -> dict[str, Any]:
    """A policy that something has stays."""
    found = _policy(request, request.params["Identifier"])
    if any(each["ConfigurationPolicyId"] == found["Id"] for each in associations_of(request).values()):
        raise Refused("ResourceConflictException", "The configuration policy has associations.", 409)
    del policies(request)[found["Id"]]
    return {}


def _target(request: Request, held: Any) -> tuple[str, str]:
    """Type and id of the request's target. Raises `Refused` for one that the organization does not have."""
    [(kind, number)] = request.params["Target"].items()
    if number not in {each.id for each in (*held.accounts, *held.ou)}:
        raise Refused("ResourceNotFoundException", f"The organization has no {number}.", 404)
    return _TARGETS[kind], number


@instead("securityhub.associations", "StartConfigurationPolicyAssociation", row="16.C CENTRAL")
def associate(request: Request) -> dict[str, Any]:
    """A target has one configuration of its own: another replaces it."""
    held, identifier = _check_central(request), request.params["ConfigurationPolicyIdentifier"]
    number = identifier if identifier == SELF_MANAGED else _policy(request, identifier)["Id"]
    kind, target = _target(request, held)
    made = {"ConfigurationPolicyId": number, "TargetId": target, "TargetType": kind}
    made |= {"AssociationType": "APPLIED", "AssociationStatus": "SUCCESS"}
    associations_of(request)[target] = made
    return {**made, "AssociationStatus": "PENDING"}


@instead("securityhub.associations", "StartConfigurationPolicyDisassociation")
def disassociate(request: Request) -> dict[str, Any]:
    """The target then inherits the configuration of what is above it."""
    _, target = _target(request, _check_central(request))
    identifier = request.params["ConfigurationPolicyIdentifier"].rpartition("/")[2]
    found = associations_of(request).get(target)
    if found is None or found["ConfigurationPolicyId"] != identifier:
        raise Refused("ResourceNotFoundException", "There is no such association.", 404)
    del associations_of(request)[target]
    return {}


@instead("securityhub.associations", "ListConfigurationPolicyAssociations")
def listassociations_of(request: Request) -> dict[str, Any]:
    """Return what has a configuration of its own; with propagation it is pending at first."""
    _check_central(request)
    kind = (request.params.get("Filters") or {}).get("AssociationType", "APPLIED")
    found = []
    for target, each in associations_of(request).items() if kind == "APPLIED" else ():
        pending = is_fresh(request, ("association", request.account, target))
        found.append({**each, **({"AssociationStatus": "PENDING"} if pending else {})})
    return request.page("ConfigurationPolicyAssociationSummaries", found, request.world.page_size or 100)
