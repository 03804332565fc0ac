"""Trails: names, lookup, descriptions, organization trails and delegated administrators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.iam import LINKED_ROLES
from ....sandbox.model import Refused, Response
from ....sandbox.rule import before, instead
from ....sandbox.rules.organizations import delegated, find_organization, register, trusted
from ....sandbox.rules.rates import OWN_RATES, RATES

PRINCIPAL = "cloudtrail.amazonaws.com"
LINKED_ROLES[PRINCIPAL] = "CloudTrail"
# aws.md 1.4: calls per second, not adjustable.
RATES["cloudtrail"] = (10.0, 1.0)
OWN_RATES["cloudtrail", "LookupEvents"] = 2.0
_LIMIT = 5


def default_selector() -> dict[str, Any]:
    """The selector of a trail that was given none."""
    everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}
    return {**everything, "DataResources": [], "ExcludeManagementEventSources": []}


def own_trails(account: str, partition: str) -> Iterator[Any]:
    """Every trail of an account, in all Regions."""
    from moto.cloudtrail.models import cloudtrail_backends

    for held in list(cloudtrail_backends[account].values()):
        if held.partition == partition:
            yield from held.trails.values()


def known_trails(request: Request) -> list[Any]:
    """The trails that an account can read: its own of all Regions, and its organization's."""
    found = list(own_trails(request.account, request.partition))
    held = find_organization(request.account, request.partition)
    if held is not None and held.org.master_account_id != request.account:
        found += [t for t in own_trails(held.org.master_account_id, request.partition) if t.is_org_trail]
    return found


def trail_arn(request: Request, name: str, account: str) -> str:
    """The ARN of a trail in the request's Region."""
    return f"arn:{request.partition}:cloudtrail:{request.region}:{account}:trail/{name}"


def find_trail(request: Request, name: str) -> Any:
    """The trail with that ARN, or with that name in the request's own account and Region. Raises `Refused`."""
    for trail in known_trails(request):
        if trail.arn == name or (trail.trail_name == name and _is_home(request, trail)):
            return trail
    raise unknown(request, name)


def _is_home(request: Request, trail: Any) -> bool:
    return bool(trail.region_name == request.region and trail.account_id == request.account)


def visible_trails(request: Request) -> list[Any]:
    """The trails in the request's Region: those at home there, and shadow trails."""
    return [t for t in known_trails(request) if t.is_multi_region or t.region_name == request.region]


def described(trail: Any) -> dict[str, Any]:
    """A trail as DescribeTrails returns it, without unset fields."""
    shown = trail.description(include_region=True)
    custom = bool(trail.advanced_event_selectors) or trail.event_selectors not in ([], [default_selector()])
    shown |= {"HasCustomEventSelectors": custom, "HasInsightSelectors": bool(trail.insight_selectors)}
    return {key: value for key, value in shown.items() if value not in (None, "")}


def unknown(request: Request, name: str) -> Refused:
    """AWS's error for a trail that does not exist."""
    arn = name if name.startswith("arn:") else trail_arn(request, name, request.account)
    return Refused("TrailNotFoundException", f"Unknown trail: {arn} for the user: {request.account}")


@before("cloudtrail.trail_names", "CreateTrail", row="13.1 name my--trail, prefix x/AWSLogs/")
def trail_names(request: Request) -> None:
    """A trail name has no two separators in a row and is no IP address."""
    name = request.params.get("Name", "")
    if re.search(r"[._-]{2}", name) or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
        text = "Trail name or ARN must not contain adjacent separators or be formatted as an IP address."
        raise Refused("InvalidTrailNameException", text)


@before("cloudtrail.prefixes", "CreateTrail", "UpdateTrail", row="13.1 name my--trail, prefix x/AWSLogs/")
def prefixes(request: Request) -> None:
    """A key prefix has at most 200 characters, and neither contains AWSLogs/ nor ends with a slash."""
    prefix = request.params.get("S3KeyPrefix") or ""
    if len(prefix) > 200 or "AWSLogs/" in prefix or prefix.endswith("/"):
        raise Refused("InvalidS3PrefixException", f"Incorrect S3 prefix: {prefix}")


@before("cloudtrail.trail_exists", "CreateTrail", row="13.1 create twice")
def trail_exists(request: Request) -> None:
    """A second trail with a name that is visible in the Region is TrailAlreadyExistsException."""
    name, others = request.params.get("Name"), visible_trails(request)
    if request.params.get("IsMultiRegionTrail"):
        others += own_trails(request.account, request.partition)
    for trail in others:
        if trail.trail_name == name:
            text = f"Trail {name} already exists for customer: {trail.account_id}"
            raise Refused("TrailAlreadyExistsException", text)


@before("cloudtrail.trail_limit", "CreateTrail", row="13.1 seven trails")
def trail_limit(request: Request) -> None:
    """The sixth trail of a Region, shadow trails included, is MaximumNumberOfTrailsExceededException."""
    if len(visible_trails(request)) >= _LIMIT:
        text = f"User: {request.account} already has {_LIMIT} trails in {request.region}."
        raise Refused("MaximumNumberOfTrailsExceededException", text)


@before("cloudtrail.multi_region_global", "UpdateTrail", row="13.1 multi-region")
def multi_region_global(request: Request) -> None:
    """A multi-Region trail must include global service events, also after an update."""
    trail = next(
        (t for t in known_trails(request) if request.params.get("Name") in (t.trail_name, t.arn)), None
    )
    if trail is None:
        return
    multi_region = request.params.get("IsMultiRegionTrail", trail.is_multi_region)
    if multi_region and not request.params.get(
        "IncludeGlobalServiceEvents", trail.include_global_service_events
    ):
        text = "Multi-Region trail must include global service events."
        raise Refused("InvalidParameterCombinationException", text)


@before("cloudtrail.organization_trail", "CreateTrail", "UpdateTrail", row="13.1 IsOrganizationTrail=True")
def organization_trail(request: Request) -> None:
    """An organization trail needs the management account, all features and trusted access."""
    if not request.params.get("IsOrganizationTrail"):
        return
    held = find_organization(request.account, request.partition)
    if held is None:
        text = "Your account is not a member of an organization."
        raise Refused("OrganizationsNotInUseException", text)
    if held.org.feature_set != "ALL":
        text = "Your organization must have all features enabled."
        raise Refused("OrganizationNotInAllFeaturesModeException", text)
    if held.org.master_account_id != request.account and not delegated(held, request.account, PRINCIPAL):
        text = "The request could not be processed because the account is not the management account."
        raise Refused("NotOrganizationMasterAccountException", text)
    if not trusted(held, PRINCIPAL):
        text = "Trusted access for CloudTrail is not enabled in the organization."
        raise Refused("CloudTrailAccessNotEnabledException", text)
    if held.org.master_account_id != request.account:
        request.act_as(held.org.master_account_id)


@instead("cloudtrail.describe_by_name", "DescribeTrails", row="13.1 describe_trails(trailNameList=['zzz'])")
def describe_by_name(request: Request) -> dict[str, Any]:
    """DescribeTrails filters by name in this Region, or by ARN."""
    names = request.params.get("trailNameList") or []
    shadows = request.params.get("includeShadowTrails", True)
    found = [t for t in visible_trails(request) if shadows or _is_home(request, t)]
    if names:
        found = [
            t
            for t in (known_trails(request) if shadows else found)
            if t.arn in names or (t.trail_name in names and _is_home(request, t))
        ]
    return {"trailList": [described(trail) for trail in found]}


@instead("cloudtrail.get_trail", "GetTrail", row="13.1 get_trail -> HomeRegion")
def get_trail(request: Request) -> dict[str, Any]:
    """GetTrail returns the home Region, and finds a shadow trail by its ARN."""
    return {"Trail": described(find_trail(request, request.params["Name"]))}


@instead("cloudtrail.list_trails", "ListTrails", row="1.3 ListTrails may carry NextToken")
def list_trails(request: Request) -> dict[str, Any]:
    """ListTrails returns every trail of every Region, and the organization's."""
    every = [trail.short() for trail in known_trails(request)]
    return request.page("Trails", every, request.world.page_size or len(every) or 1)


@instead(
    "cloudtrail.delegated_admin",
    "RegisterOrganizationDelegatedAdmin",
    row="13.1 register_organization_delegated_admin",
)
def delegated_admin(request: Request) -> Response | dict[str, Any]:
    """The management account can register a member as CloudTrail's delegated administrator."""
    held = find_organization(request.account, request.partition)
    member = request.params["MemberAccountId"]
    if held is None:
        raise Refused("OrganizationsNotInUseException", "Your account is not a member of an organization.")
    if held.org.master_account_id != request.account:
        text = "The account making the request is not the organization's management account."
        raise Refused("NotOrganizationManagementAccountException", text)
    if member == request.account:
        text = "The management account cannot be its own delegated administrator."
        raise Refused("CannotDelegateManagementAccountException", text)
    if delegated(held, member, PRINCIPAL):
        raise Refused("AccountRegisteredException", "The account is already registered.")
    if sum(PRINCIPAL in admin.services for admin in held.admins) >= 3:
        text = "At most three delegated administrators."
        raise Refused("DelegatedAdminAccountLimitExceededException", text)
    register(request, member, PRINCIPAL)
    return {}
