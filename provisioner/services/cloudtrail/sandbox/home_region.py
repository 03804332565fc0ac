"""A trail is changed in its home Region, by its owner, under its name or its ARN."""

from __future__ import annotations

import re
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.rule import after, before
from ....sandbox.rules.organizations import delegated, held_organization
from ....sandbox.words import Refused
from .trails import PRINCIPAL, known_trails, unknown

_BY_NAME = ("UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
_SELECTORS = ("PutEventSelectors", "GetEventSelectors", "PutInsightSelectors", "GetInsightSelectors")
_TAGS = ("AddTags", "RemoveTags")
_ARN = re.compile(r"arn:[a-z-]+:cloudtrail:([a-z0-9-]+):(\d{12}):trail/(.+)")


def _name(ask: Ask) -> tuple[str, str]:
    key = (
        "Name" if ask.operation in _BY_NAME else "TrailName" if ask.operation in _SELECTORS else "ResourceId"
    )
    return key, ask.params.get(key) or ""


def find(ask: Ask) -> Any | None:
    """The trail a request is about; None where it is not there."""
    _, name = _name(ask)
    owner = ask.acting or ask.account
    for trail in known_trails(ask):
        if trail.arn == name or (trail.trail_name == name and trail.account_id == owner):
            return trail
    return None


def target(ask: Ask) -> Any:
    """The trail a request is about; raises `Refused` where it is not there."""
    _, name = _name(ask)
    if (name.startswith("arn:") or ask.operation in _TAGS) and not _ARN.fullmatch(name):
        raise Refused("CloudTrailARNInvalidException", f"The ARN is not valid: {name}")
    trail = find(ask)
    if trail is None:
        raise unknown(ask, name)
    return trail


@before(
    "cloudtrail.unknown_trail",
    *_BY_NAME,
    *_SELECTORS,
    *_TAGS,
    row="13.1 start_logging(Name='nope'); delete_trail(Name='nope')",
)
def unknown_trail(ask: Ask) -> None:
    """Start, stop, delete, update and selectors of an unknown trail are TrailNotFoundException."""
    target(ask)


@before(
    "cloudtrail.home_region",
    *_BY_NAME,
    *_SELECTORS,
    *_TAGS,
    row="13.1 multi-region trail, client eu-west-1: update_trail(Name=arn)",
)
def home_region(ask: Ask) -> None:
    """Outside its home Region a trail cannot be changed: InvalidHomeRegionException."""
    trail = find(ask)
    _, name = _name(ask)
    if trail is None or trail.region_name == ask.region:
        return
    if ask.operation in _SELECTORS:
        if name.startswith("arn:"):
            text = f"Region in ARN is wrong: {trail.region_name}, expected {ask.region}."
            raise Refused("CloudTrailARNInvalidException", text)
        raise unknown(ask, name)
    if not trail.is_multi_region and not name.startswith("arn:"):
        raise unknown(ask, name)
    text = f"Trail {trail.arn} can only be changed in its home Region {trail.region_name}."
    raise Refused("InvalidHomeRegionException", text)


@before(
    "cloudtrail.owner_only",
    *_BY_NAME,
    *_SELECTORS,
    *_TAGS,
    row="3 Organization trail: members cannot modify it",
)
def owner_only(ask: Ask) -> None:
    """A member cannot change its organization's trail; a delegated administrator can, by the full ARN."""
    trail = find(ask)
    if trail is None or trail.account_id == ask.account or ask.operation.startswith("Get"):
        return
    held = held_organization(ask.account, ask.partition)
    if held is not None and delegated(held, ask.account, PRINCIPAL):
        ask.act_as(trail.account_id)
        return
    text = "The request could not be processed because the account is not the management account."
    raise Refused("NotOrganizationMasterAccountException", text)


@before("cloudtrail.owner_only", "ListTags")
def tags_of_the_organizations(ask: Ask) -> None:
    """A delegated administrator sees the tags of the organization's trail too."""
    owners = {found[2] for arn in ask.params.get("ResourceIdList") or [] if (found := _ARN.fullmatch(arn))}
    held = held_organization(ask.account, ask.partition)
    if held is not None and owners == {held.org.master_account_id} != {ask.account}:
        if not delegated(held, ask.account, PRINCIPAL):
            raise Refused("AccessDeniedException", "The trail belongs to another account.")
        ask.act_as(held.org.master_account_id)


@before(
    "cloudtrail.by_arn", *_BY_NAME, *_SELECTORS, row="13.1 start_logging with the ARN; delete_trail by ARN"
)
def by_arn(ask: Ask) -> None:
    """Every operation takes the ARN in place of the name, deletion too."""
    key, name = _name(ask)
    if found := _ARN.fullmatch(name):
        ask.rewrite(**{key: found[3]})
        if found[2] != ask.account:
            ask.act_as(found[2])


@after("cloudtrail.delete_forgets_tags", "DeleteTrail", row="1.8 tags")
def delete_forgets_tags(ask: Ask, _: dict[str, Any]) -> None:
    """A trail made anew under an old name has no tags of the old one."""
    account = ask.acting or ask.account
    arn = f"arn:{ask.partition}:cloudtrail:{ask.region}:{account}:trail/{ask.params['Name']}"
    tags = ask.store(account=account).tagging_service
    if tags.has_tags(arn):
        tags.delete_all_tags_for_resource(arn)
