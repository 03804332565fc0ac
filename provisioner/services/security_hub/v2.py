"""Security Hub (V2), another product on the same API: enabled in a Region where the file asks for it, and its aggregator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws
from ...compare.stricter import more
from ...model import (
    Call,
    Changes,
    Difference,
    Exists,
    Finding,
    Findings,
    Kind,
    Note,
    Part,
    Wait,
    create,
)
from ...steps.owners import policy_owner
from ...steps.settings import Guarded, Strictness, owned, settings, to_api
from .state import STEP, THROTTLED
from .v2_section import AGGREGATED, ALL_REGIONS, AggregatorV2, SecurityHubV2, as_seen_from

# In the ARN of its service-linked role. Source: Security Hub User Guide, the subjects of its connector for Azure.
PRINCIPAL: Final = "securityhubv2.amazonaws.com"
TITLE: Final = "Security Hub V2"
AGGREGATOR: Final = "Security Hub V2 aggregator"
_KEY: Final = f"{STEP}/{TITLE}"  # what Call.using takes
_POLICY: Final = "SECURITYHUB_POLICY"
_MISSING: Final = "ResourceNotFoundException"
_MODE, _REGIONS = "RegionLinkingMode", "LinkedRegions"
_BILLED: Final = (
    "changes the bill: each resource of the account is then billed, used or not, in this Region too, in place of Security"
    " Hub CSPM, Inspector and GuardDuty"
)
_MORE: Final = Guarded(more, AGGREGATED.consent, AGGREGATED.loses)
_SEEN: Final = Wait(_MISSING, "Security Hub V2 to be seen", seconds=60)


def begin_v2_reads(aws: Aws, want: SecurityHubV2) -> None:
    """Start the reads."""
    aws.read("securityhub").describe_security_hub_v2()
    if want.finding_aggregator and aws.target.home:
        aws.read("securityhub").list_aggregators_v2()


def ensure_v2(aws: Aws, want: SecurityHubV2) -> Changes:
    """Enable it in the Region, and in the home Region make or repair its aggregator."""
    enabled = _is_enabled(aws)
    if enabled:
        yield Exists(TITLE)
    elif owner := policy_owner(aws, _POLICY)():
        yield owned(TITLE, Difference(TITLE, None, "enabled"), owner)
        return
    else:
        yield Note(Kind.WARNING, TITLE, _BILLED)
        yield create(TITLE, {TITLE: "enabled"}, aws.write("securityhub").enable_security_hub_v2())
    if want.finding_aggregator and aws.target.home:
        yield Part(AGGREGATOR, _ensure_aggregator(aws, want.finding_aggregator, enabled=enabled))


def _is_enabled(aws: Aws) -> bool:
    return aws.read("securityhub").describe_security_hub_v2().value("HubV2Arn", _MISSING) is not None


def _ensure_aggregator(aws: Aws, section: AggregatorV2, *, enabled: bool) -> Changes:
    """Make or repair it. One of another Region is repaired there, and not moved."""
    read, write, want = aws.read("securityhub"), aws.write("securityhub"), _shape(to_api(section))
    found = read.list_aggregators_v2().get("AggregatorsV2") if enabled else []
    if not found:
        call = write.create_aggregator_v2(**_params(want)).waiting(_SEEN, THROTTLED)
        yield create(AGGREGATOR, _params(want), call.using(_KEY))
        return
    arn = found[0]["AggregatorV2Arn"]
    if (region := arn.split(":")[3]) != aws.region:
        text = (
            f"findings of Security Hub V2 are aggregated in {region}, and a move would be a deletion: make {region} the"
            f" `home_region`, or `aws securityhub delete-aggregator-v2 --region {region} --aggregator-v2-arn {arn}`"
        )
        yield Note(Kind.WARNING, AGGREGATOR, text)
        want = as_seen_from(region, want, _REGIONS, aws.region)
        read, write = aws.read("securityhub", region), aws.write("securityhub", region)
    yield Exists(AGGREGATOR)
    have = _shape(read.get_aggregator_v2(AggregatorV2Arn=arn).all())

    def put(full: Mapping[str, Any]) -> Call:
        params = _params(full if full[_MODE] == have[_MODE] else {**want, _MODE: full[_MODE]})
        return write.update_aggregator_v2(AggregatorV2Arn=arn, **params).waiting(THROTTLED)

    same = have[_MODE] == want[_MODE]
    compared = want if same else {_MODE: want[_MODE]}  # the Regions go with the mode
    guards = {_MODE: AGGREGATED, **({_REGIONS: _MORE} if same else {})}
    yield from settings(AGGREGATOR, have, compared, put, Strictness(guards, section.exact), whole=True)


def _shape(have: Mapping[str, Any]) -> dict[str, Any]:
    """Mode and Regions, in the order in which they are compared. With all Regions, none is named."""
    regions = [] if have[_MODE] == ALL_REGIONS else sorted(have.get(_REGIONS) or ())
    return {_MODE: have[_MODE], _REGIONS: regions}


def _params(full: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in full.items() if value}


def v2_findings(aws: Aws) -> Findings:
    """Whether it is enabled in the Region."""
    enabled = _is_enabled(aws)
    yield Finding(TITLE, "enabled", enabled, "enabled" if enabled else "not there")
