"""Trails: which names are taken, how a trail is found, and what it says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.iam import LINKED
from ....sandbox.rule import before, instead
from ....sandbox.rules.organizations import delegated, held_organization, register, trusted
from ....sandbox.rules.rates import OWN_RATES, RATES
from ....sandbox.words import Answer, Refused

PRINCIPAL = "cloudtrail.amazonaws.com"
LINKED[PRINCIPAL] = "CloudTrail"
# aws.md 1.4: calls a second, not adjustable.
RATES["cloudtrail"] = (10.0, 1.0)
OWN_RATES["cloudtrail", "LookupEvents"] = 2.0
_DEFAULT_SELECTOR = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
_LIMIT = 5


def default_selector() -> dict[str, Any]:
    """The one selector of a trail that nobody gave selectors."""
    return {**_DEFAULT_SELECTOR, "DataResources": [], "ExcludeManagementEventSources": []}


def own_trails(account: str, partition: str) -> Iterator[Any]:
    """Every trail of an account, in all Regions."""
    from moto.cloudtrail.models import cloudtrail_backends

    for held in list(cloudtrail_backends[account].values()):
        if held.partition == partition:
            yield from held.trails.values()


def known_trails(ask: Ask) -> list[Any]:
    """The trails an account knows: its own of all Regions, and its organization's."""
    found = list(own_trails(ask.account, ask.partition))
    held = held_organization(ask.account, ask.partition)
    if held is not None and held.org.master_account_id != ask.account:
        found += [t for t in own_trails(held.org.master_account_id, ask.partition) if t.is_org_trail]
    return found


def visible_trails(ask: Ask) -> list[Any]:
    """The trails that show in the request's Region: those at home there, and shadows of the others."""
    return [t for t in known_trails(ask) if t.is_multi_region or t.region_name == ask.region]


def described(trail: Any) -> dict[str, Any]:
    """A trail as DescribeTrails shows it: what is not set is not there."""
    shown = trail.description(include_region=True)
    custom = bool(trail.advanced_event_selectors) or trail.event_selectors not in ([], [default_selector()])
    shown |= {"HasCustomEventSelectors": custom, "HasInsightSelectors": bool(trail.insight_selectors)}
    return {key: value for key, value in shown.items() if value not in (None, "")}


def unknown(ask: Ask, name: str) -> Refused:
    """The answer for a trail that is not there."""
    arn = (
        name
        if name.startswith("arn:")
        else f"arn:{ask.partition}:cloudtrail:{ask.region}:{ask.account}:trail/{name}"
    )
    return Refused("TrailNotFoundException", f"Unknown trail: {arn} for the user: {ask.account}")


@before(
    "cloudtrail.trail_names", "CreateTrail", row="13.1 name my--trail, prefix x/AWSLogs/, 300-char prefix"
)
def trail_names(ask: Ask) -> None:
    """A trail's name has no two separators in a row, and is no IP address."""
    name = ask.params.get("Name", "")
    if re.search(r"[._-]{2}", name) or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
        text = "Trail name or ARN must not contain adjacent separators or be formatted as an IP address."
        raise Refused("InvalidTrailNameException", text)


@before(
    "cloudtrail.prefixes",
    "CreateTrail",
    "UpdateTrail",
    row="13.1 name my--trail, prefix x/AWSLogs/, 300-char prefix",
)
def prefixes(ask: Ask) -> None:
    """A key prefix is at most 200 characters, and has neither AWSLogs/ nor a slash at its end."""
    prefix = ask.params.get("S3KeyPrefix") or ""
    if len(prefix) > 200 or "AWSLogs/" in prefix or prefix.endswith("/"):
        raise Refused("InvalidS3PrefixException", f"Incorrect S3 prefix: {prefix}")


@before(
    "cloudtrail.trail_exists",
    "CreateTrail",
    row="13.1 create twice; same name in two regions although first is multi-region",
)
def trail_exists(ask: Ask) -> None:
    """A second trail of a name that shows in the Region is TrailAlreadyExistsException."""
    name = ask.params.get("Name")
    for trail in visible_trails(ask):
        if trail.trail_name == name:
            text = f"Trail {name} already exists for customer: {trail.account_id}"
            raise Refused("TrailAlreadyExistsException", text)
    if ask.params.get("IsMultiRegionTrail") and any(
        t.trail_name == name for t in own_trails(ask.account, ask.partition)
    ):
        raise Refused(
            "TrailAlreadyExistsException", f"Trail {name} already exists for customer: {ask.account}"
        )


@before("cloudtrail.trail_limit", "CreateTrail", row="13.1 seven trails")
def trail_limit(ask: Ask) -> None:
    """The sixth trail of a Region, shadows counted, is MaximumNumberOfTrailsExceededException."""
    if len(visible_trails(ask)) >= _LIMIT:
        text = f"User: {ask.account} already has {_LIMIT} trails in {ask.region}."
        raise Refused("MaximumNumberOfTrailsExceededException", text)


@before(
    "cloudtrail.multi_region_global",
    "UpdateTrail",
    row="13.1 multi-region with IncludeGlobalServiceEvents=False",
)
def multi_region_global(ask: Ask) -> None:
    """A multi-Region trail cannot leave out global service events, by update neither."""
    trail = next((t for t in known_trails(ask) if ask.params.get("Name") in (t.trail_name, t.arn)), None)
    if trail is None:
        return
    many = ask.params.get("IsMultiRegionTrail", trail.is_multi_region)
    if many and not ask.params.get("IncludeGlobalServiceEvents", trail.include_global_service_events):
        text = "Multi-Region trail must include global service events."
        raise Refused("InvalidParameterCombinationException", text)


@before(
    "cloudtrail.organization_trail",
    "CreateTrail",
    "UpdateTrail",
    row="13.1 IsOrganizationTrail=True, no organization",
)
def organization_trail(ask: Ask) -> None:
    """An organization trail needs the management account, all features and trusted access."""
    if not ask.params.get("IsOrganizationTrail"):
        return
    held = held_organization(ask.account, ask.partition)
    if held is None:
        text = "Your account is not a member of an organization."
        raise Refused("OrganizationsNotInUseException", text)
    if held.org.feature_set != "ALL":
        text = "Your organization must have all features enabled."
        raise Refused("OrganizationNotInAllFeaturesModeException", text)
    if held.org.master_account_id != ask.account and not delegated(held, ask.account, PRINCIPAL):
        text = "The request could not be processed because the account is not the management account."
        raise Refused("NotOrganizationMasterAccountException", text)
    if not trusted(held, PRINCIPAL):
        text = "Trusted access for CloudTrail is not enabled in the organization."
        raise Refused("CloudTrailAccessNotEnabledException", text)
    if held.org.master_account_id != ask.account:
        ask.act_as(held.org.master_account_id)


@instead("cloudtrail.describe_by_name", "DescribeTrails", row="13.1 describe_trails(trailNameList=['zzz'])")
def describe_by_name(ask: Ask) -> dict[str, Any]:
    """DescribeTrails answers the names it is asked for: bare ones of this Region, others by ARN."""
    wanted = ask.params.get("trailNameList") or []
    shadows = ask.params.get("includeShadowTrails", True)
    found = [t for t in visible_trails(ask) if shadows or _home(ask, t)]
    if wanted:
        found = [
            t
            for t in (known_trails(ask) if shadows else found)
            if t.arn in wanted or (t.trail_name in wanted and _home(ask, t))
        ]
    return {"trailList": [described(trail) for trail in found]}


def _home(ask: Ask, trail: Any) -> bool:
    return bool(trail.region_name == ask.region and trail.account_id == ask.account)


@instead("cloudtrail.get_trail", "GetTrail", row="13.1 get_trail -> HomeRegion")
def get_trail(ask: Ask) -> dict[str, Any]:
    """GetTrail names the home Region, and finds a shadow by its ARN."""
    name = ask.params["Name"]
    for trail in known_trails(ask):
        if trail.arn == name or (trail.trail_name == name and _home(ask, trail)):
            return {"Trail": described(trail)}
    raise unknown(ask, name)


@instead(
    "cloudtrail.list_trails",
    "ListTrails",
    row="3 Finding an existing trail; 1.3 ListTrails may carry NextToken",
)
def list_trails(ask: Ask) -> dict[str, Any]:
    """ListTrails names every trail of every Region, and the organization's."""
    every = [trail.short() for trail in known_trails(ask)]
    size, start = ask.world.page_size or len(every) or 1, int(ask.params.get("NextToken") or 0)
    more = {"NextToken": str(start + size)} if start + size < len(every) else {}
    return {"Trails": every[start : start + size], **more}


@instead(
    "cloudtrail.delegated_admin",
    "RegisterOrganizationDelegatedAdmin",
    row="13.1 register_organization_delegated_admin; 14",
)
def delegated_admin(ask: Ask) -> Answer | dict[str, Any]:
    """The management account can register a member as CloudTrail's delegated administrator."""
    held = held_organization(ask.account, ask.partition)
    member = ask.params["MemberAccountId"]
    if held is None:
        raise Refused("OrganizationsNotInUseException", "Your account is not a member of an organization.")
    if held.org.master_account_id != ask.account:
        text = "The account making the request is not the organization's management account."
        raise Refused("NotOrganizationManagementAccountException", text)
    if member == ask.account:
        text = "The management account cannot be its own delegated administrator."
        raise Refused("CannotDelegateManagementAccountException", text)
    if delegated(held, member, PRINCIPAL):
        raise Refused("AccountRegisteredException", "The account is already registered.")
    if sum(PRINCIPAL in admin.services for admin in held.admins) >= 3:
        raise Refused(
            "DelegatedAdminAccountLimitExceededException", "At most three delegated administrators."
        )
    register(ask, member, PRINCIPAL)
    return {}
