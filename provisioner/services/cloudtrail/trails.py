"""Find the trail of the file among all trails that an account shows in one Region, and warn about the others.

A trail is listed in every Region that it records and in every account of its organization, always under the ARN of its
home Region and owner. So trails are compared by ARN, not by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...aws import Aws
from ...compare.spelling import CONTROL_TOWER
from ...model import Kind, Note, Refused
from .selectors import DEFAULT, management_access

# Answers about a trail of others that cannot be read, which is no reason to fail.
_UNREADABLE: Final = (
    *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
    *("CloudTrailARNInvalidException", "TrailNotFoundException"),
    *("UnsupportedOperationException", "OperationNotPermittedException"),
)


class Home(NamedTuple):
    """The home Region of a trail, and the account that owns it."""

    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> Home:
        """The home of the trail of that ARN."""
        parts = arn.split(":")
        return cls(parts[3], parts[4])


def read_trails(aws: Aws, region: str) -> list[Mapping[str, Any]]:
    """Every trail that DescribeTrails lists in *region*, with shadow trails and those of the organization."""
    found: list[Mapping[str, Any]] = aws.read("cloudtrail", region).describe_trails().get("trailList")
    return found


def find_trail(aws: Aws, arn: str, *, every_region: bool) -> Mapping[str, Any] | None:
    """The trail of that ARN, or None where there is none and it can be made.

    A trail of the name that is at home in another Region is the one, as a trail cannot move. A trail that records one
    other Region only is in the way with *every_region*, as AWS makes a trail of every Region in each of them.
    Raises Refused where a trail of another owner has its name.
    """
    trail, others = look_up_trail(aws, arn, every_region=every_region)
    if trail is None and others is not None:
        name = arn.rpartition("/")[2]
        raise Refused(_name_taken(name, aws.account, Home.of(others["TrailARN"]), Home.of(arn)))
    return trail


def look_up_trail(
    aws: Aws, arn: str, *, every_region: bool
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The trail as `find_trail` finds it, and a trail of another owner that has its name; None where there is none."""
    home, name = Home.of(arn), arn.rpartition("/")[2]
    same_name = [each for each in read_trails(aws, home.region) if each["Name"] == name]
    own = [each for each in same_name if Home.of(each["TrailARN"]).account == home.account]
    trail = next((each for each in own if each["TrailARN"] == arn), own[0] if own else None)
    if not same_name and every_region and home.account == aws.account:
        trail = _trail_of_one_region(aws, home, name)
    return trail, next((each for each in same_name if each not in own), None)


def _trail_of_one_region(aws: Aws, home: Home, name: str) -> Mapping[str, Any] | None:
    """A trail of that name that records one other Region, and is listed there only."""
    listed = aws.read("cloudtrail", home.region).list_trails().get("Trails")
    arns = sorted(each["TrailARN"] for each in listed if each["Name"] == name)
    arns = [each for each in arns if Home.of(each).account == home.account]
    if len(arns) > 1:
        where = " and ".join(Home.of(each).region for each in arns)
        raise Refused(
            f"trails `{name}` are at home in {where}: delete all but one, or choose another `cloudtrail.name`"
        )
    if not arns:
        return None
    shown = read_trails(aws, Home.of(arns[0]).region)
    return next((each for each in shown if each["TrailARN"] == arns[0]), None)


def region_of_calls(aws: Aws, arn: str) -> str | None:
    """The Region that takes the calls about the trail, its home; None where that is the target's, as in Call."""
    home = Home.of(arn).region
    return None if home == aws.region else home


def _name_taken(name: str, account: str, have: Home, want: Home) -> str:
    other = "choose another `cloudtrail.name`"
    if have.account == account:
        return (
            f"trail `{name}` is this account's own, and the organization's belongs to account"
            f" {want.account}: {other}"
        )
    return (
        f"trail `{name}` belongs to the organization's management account {have.account}, which alone can"
        f" change it: run this there, or {other}"
    )


def other_trail_notes(aws: Aws, arn: str) -> Iterator[Note]:
    """A warning for each other trail that records management events: AWS bills every copy but the first."""
    reads = []
    for trail in read_trails(aws, aws.region):
        if trail["TrailARN"] != arn:
            status = aws.read("cloudtrail").get_trail_status(Name=trail["TrailARN"])
            selectors = None
            if trail.get("HasCustomEventSelectors"):
                # By ARN, AWS answers for event selectors in the trail's home Region only.
                read = aws.read("cloudtrail", Home.of(trail["TrailARN"]).region)
                selectors = read.get_event_selectors(TrailName=trail["TrailARN"])
            reads.append((trail, status, selectors))
    for trail, status_reading, selectors_reading in reads:
        status = status_reading.found(*_UNREADABLE)
        selectors = selectors_reading.found(*_UNREADABLE) if selectors_reading else None
        if status is not None and not status.get("IsLogging", True):
            continue
        if selectors_reading and selectors is None:
            text = "may record management events too; its event selectors cannot be read"
        elif management_access(selectors or DEFAULT):
            text = "records management events too"
        else:
            continue
        text += ": AWS bills every copy but the first"
        if str(trail["Name"]).startswith(CONTROL_TOWER):
            text += "; managed by Control Tower, and left alone"
        yield Note(Kind.WARNING, f"trail {trail['Name']}", text)
