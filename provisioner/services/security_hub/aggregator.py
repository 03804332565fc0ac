"""The finding aggregator: findings of other Regions are shown in the home Region, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws
from ...compare.stricter import fewer, more
from ...model import Call, Changes, Difference, Exists, Kind, Note, Refused, create
from ...steps.settings import Guarded, Strictness, owned, settings, to_api
from .section import FindingAggregator
from .state import HUB_KEY, WAITS, if_enabled, read_administrator
from .v2_section import AGGREGATED, ALL_REGIONS, as_seen_from

TITLE: Final = "finding aggregator"
_MODE: Final = "RegionLinkingMode"
_REGIONS: Final = "Regions"
_ALL_BUT: Final = "ALL_REGIONS_EXCEPT_SPECIFIED"
_MORE: Final = Guarded(more, AGGREGATED.consent, AGGREGATED.loses)
_FEWER: Final = Guarded(fewer, AGGREGATED.consent, AGGREGATED.loses)


def ensure_aggregator(
    aws: Aws, section: FindingAggregator, central: str, *, at_home: bool = False
) -> Changes:
    """Make the aggregator in the home Region, or repair it. One of another Region is repaired there, and not moved.

    Raises Refused for one of another Region if it must be *at_home*, as for central configuration. The account's administrator, or that of its *central* configuration, aggregates for it: AWS refuses another of a member.
    """
    want = _shape(to_api(section))
    found = if_enabled(aws.read("securityhub").list_finding_aggregators(), "FindingAggregators") or []
    arn = found[0]["FindingAggregatorArn"] if found else ""
    owner = central
    if not owner and (number := _other_account(aws, arn) if arn else read_administrator(aws)):
        owner = f"the administrator, account {number},"
    if owner:
        if not arn:
            yield owned(TITLE, Difference(_MODE, None, want[_MODE]), owner)
        return
    if not arn:
        call = aws.write("securityhub").create_finding_aggregator(**_params(want))
        yield create(TITLE, _params(want), call.waiting(*WAITS).using(HUB_KEY))
        return
    region = arn.split(":")[3]
    if region != aws.region:
        text = (
            f"findings are aggregated in {region}, and a move would be a deletion: make {region} the `home_region`, or"
            f" `aws securityhub delete-finding-aggregator --region {region} --finding-aggregator-arn {arn}`"
        )
        if at_home:
            raise Refused(text)
        yield Note(Kind.WARNING, TITLE, text)
        want = as_seen_from(region, want, _REGIONS, aws.region)
    yield Exists(TITLE)
    there = None if region == aws.region else region
    read, write = aws.read("securityhub", there), aws.write("securityhub", there)
    reading = read.get_finding_aggregator(FindingAggregatorArn=arn)
    have = _shape(reading.all())

    def put(full: Mapping[str, Any]) -> Call:
        mode, regions = full[_MODE], full[_REGIONS] if full[_MODE] == have[_MODE] else want[_REGIONS]
        if mode == _ALL_BUT and not regions:
            mode = ALL_REGIONS  # AWS takes no empty list
        params = _params({_MODE: mode, _REGIONS: regions})
        call: Call = write.update_finding_aggregator(FindingAggregatorArn=arn, **params)
        return call.based_on(reading)

    guards = {_MODE: AGGREGATED, _REGIONS: _MORE if want[_MODE] == "SPECIFIED_REGIONS" else _FEWER}
    if have[_MODE] != want[_MODE]:
        del guards[_REGIONS]  # they go with the mode
        compared = {_MODE: want[_MODE]}
    else:
        compared = want
    yield from settings(TITLE, have, compared, put, Strictness(guards, section.exact), whole=True)


def _other_account(aws: Aws, arn: str) -> str:
    """The account of an aggregator that a member sees, which is its administrator's; empty for its own."""
    owner = arn.split(":")[4]
    return "" if owner == aws.account else owner


def _shape(have: Mapping[str, Any]) -> dict[str, Any]:
    """Mode and Regions, in the order in which they are compared. With all or no Regions, none is named."""
    named = have[_MODE] not in {ALL_REGIONS, "NO_REGIONS"}
    return {_MODE: have[_MODE], _REGIONS: sorted(have.get(_REGIONS) or ()) if named else []}


def _params(full: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in full.items() if value}
