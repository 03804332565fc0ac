"""Changes of a trail: in its home Region, by its owner, by name or ARN."""

from __future__ import annotations

import re
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import after, before
from ....sandbox.rules.organizations import delegated, find_organization
from .trails import PRINCIPAL, known_trails, trail_arn, unknown

_BY_NAME = ("UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
_SELECTORS = ("PutEventSelectors", "GetEventSelectors", "PutInsightSelectors", "GetInsightSelectors")
_TAGS = ("AddTags", "RemoveTags")
_ON_TRAIL = (*_BY_NAME, *_SELECTORS, *_TAGS)
_ARN = re.compile(r"arn:[a-z-]+:cloudtrail:([a-z0-9-]+):(\d{12}):trail/(.+)")


def _name(request: Request) -> tuple[str, str]:
    key = "TrailName" if request.operation in _SELECTORS else "ResourceId"
    key = "Name" if request.operation in _BY_NAME else key
    return key, request.params.get(key) or ""


def find_requested_trail(request: Request) -> Any | None:
    """The trail that a request is about; None if it does not exist."""
    _, name = _name(request)
    owner = request.acting_account or request.account
    found = [
        trail
        for trail in known_trails(request)
        if trail.arn == name or (trail.trail_name == name and trail.account_id == owner)
    ]
    here = (trail for trail in found if trail.region_name == request.region)
    return next(here, found[0] if found else None)


def requested_trail(request: Request) -> Any:
    """The trail that a request is about. Raises `Refused` if it does not exist."""
    _, name = _name(request)
    if (name.startswith("arn:") or request.operation in _TAGS) and not _ARN.fullmatch(name):
        raise Refused("CloudTrailARNInvalidException", f"The ARN is not valid: {name}")
    trail = find_requested_trail(request)
    if trail is None:
        raise unknown(request, name)
    return trail


@before("cloudtrail.unknown_trail", *_ON_TRAIL, row="13.1 start_logging(Name='nope')")
def unknown_trail(request: Request) -> None:
    """Start, stop, delete, update and selectors of an unknown trail are TrailNotFoundException."""
    requested_trail(request)


@before("cloudtrail.home_region", *_ON_TRAIL, row="13.1 multi-region trail, client eu-west-1")
def home_region(request: Request) -> None:
    """A change of a trail outside its home Region is InvalidHomeRegionException."""
    trail = find_requested_trail(request)
    _, name = _name(request)
    if trail is None or trail.region_name == request.region:
        return
    if request.operation in _SELECTORS:
        if name.startswith("arn:"):
            text = f"Region in ARN is wrong: {trail.region_name}, expected {request.region}."
            raise Refused("CloudTrailARNInvalidException", text)
        raise unknown(request, name)
    if not trail.is_multi_region and not name.startswith("arn:"):
        raise unknown(request, name)
    text = f"Trail {trail.arn} can only be changed in its home Region {trail.region_name}."
    raise Refused("InvalidHomeRegionException", text)


@before("cloudtrail.owner_only", *_ON_TRAIL, row="3 Organization trail: members cannot modify it")
def owner_only(request: Request) -> None:
    """A member cannot change its organization's trail; a delegated administrator can, by the full ARN."""
    trail = find_requested_trail(request)
    if trail is None or trail.account_id == request.account or request.operation.startswith("Get"):
        return
    held = find_organization(request.account, request.partition)
    if held is not None and delegated(held, request.account, PRINCIPAL):
        request.act_as(trail.account_id)
        return
    text = "The request could not be processed because the account is not the management account."
    raise Refused("NotOrganizationMasterAccountException", text)


@before("cloudtrail.owner_only", "ListTags")
def tags_of_the_organizations(request: Request) -> None:
    """A delegated administrator can list the tags of the organization's trail, too."""
    owners = {
        found[2] for arn in request.params.get("ResourceIdList") or [] if (found := _ARN.fullmatch(arn))
    }
    held = find_organization(request.account, request.partition)
    if held is not None and owners == {held.org.master_account_id} != {request.account}:
        if not delegated(held, request.account, PRINCIPAL):
            raise Refused("AccessDeniedException", "The trail belongs to another account.")
        request.act_as(held.org.master_account_id)


@before("cloudtrail.by_arn", *_BY_NAME, *_SELECTORS, row="13.1 start_logging with the ARN")
def by_arn(request: Request) -> None:
    """Every operation accepts the ARN in place of the name, including deletion."""
    key, name = _name(request)
    if found := _ARN.fullmatch(name):
        request.rewrite(**{key: found[3]})
        if found[2] != request.account:
            request.act_as(found[2])


@after("cloudtrail.delete_forgets_tags", "DeleteTrail", row="1.8 tags")
def delete_forgets_tags(request: Request, _: dict[str, Any]) -> None:
    """A new trail with the name of a deleted one does not have its tags."""
    account = request.acting_account or request.account
    arn = trail_arn(request, request.params["Name"], account)
    tags = request.store(account=account).tagging_service
    if tags.has_tags(arn):
        tags.delete_all_tags_for_resource(arn)
