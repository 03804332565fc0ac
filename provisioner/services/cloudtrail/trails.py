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


def find_trail(aws: Aws, arn: str) -> Mapping[str, Any] | None:
    """The trail of that ARN, or None where there is none and it can be made.

    Raises Refused where a trail of another home Region or owner has its name.
    """
    home, name = Home.of(arn), arn.rpartition("/")[2]
    same_name = None
    for trail in read_trails(aws, home.region):
        if trail["TrailARN"] == arn:
            return trail
        if trail["Name"] == name:
            same_name = same_name or trail
    if same_name:
        raise Refused(_name_taken(name, aws.account, Home.of(same_name["TrailARN"]), home))
    return None


def _name_taken(name: str, account: str, have: Home, want: Home) -> str:
    other = "choose another `cloudtrail.name`"
    if have.account == want.account:
        return (
            f"trail `{name}` is at home in {have.region}, and a trail cannot move:"
            f" set `home_region: {have.region}`, or {other}"
        )
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
    home = Home.of(arn).region
    reads = []
    for trail in read_trails(aws, home):
        if trail["TrailARN"] != arn:
            status = aws.read("cloudtrail", home).get_trail_status(Name=trail["TrailARN"])
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
