"""The trails that an account shows in one Region: the one that is meant, those in its way, and the others.

A trail is listed in every Region that it records and in every account of its organization, always under the
ARN of its home Region and its owner. So the ARN tells what the name does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...compare.spelling import CONTROL_TOWER
from ...model import Kind, Note, Refused
from .selectors import DEFAULT, management_sides

# About a trail of others, we are told nothing; that is no reason to fail.
_UNTOLD: Final = (
    *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
    *("CloudTrailARNInvalidException", "TrailNotFoundException"),
    *("UnsupportedOperationException", "OperationNotPermittedException"),
)


class Place(NamedTuple):
    """Where a trail is at home, from its ARN."""

    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> Place:
        """The home of the trail of that ARN."""
        parts = arn.split(":")
        return cls(parts[3], parts[4])


def read_trails(aws: Aws, home: str) -> list[Mapping[str, Any]]:
    """Every trail that *home* shows, shadows and the organization's too."""
    found: list[Mapping[str, Any]] = aws.read("cloudtrail", home).describe_trails().get("trailList")
    return found


def find_trail(aws: Aws, arn: str) -> Mapping[str, Any] | None:
    """The trail of that ARN, or None where there is none and one may be made.

    Raises Refused where another one has the name, at home elsewhere or somebody else's.
    """
    trails = read_trails(aws, Place.of(arn).region)
    name = arn.rpartition("/")[2]
    for trail in trails:
        if trail["TrailARN"] == arn:
            return trail
    for trail in trails:
        if trail["Name"] == name:
            raise Refused(_in_the_way(name, aws.account, Place.of(trail["TrailARN"]), Place.of(arn)))
    return None


def _in_the_way(name: str, account: str, there: Place, wanted: Place) -> str:
    other = "choose another `cloudtrail.name`"
    if there.account == wanted.account:
        return (
            f"trail `{name}` is at home in {there.region}, and a trail cannot move:"
            f" set `home_region: {there.region}`, or {other}"
        )
    if there.account == account:
        return (
            f"trail `{name}` is this account's own, and the organization's belongs to account"
            f" {wanted.account}: {other}"
        )
    return (
        f"trail `{name}` belongs to the organization's management account {there.account}, which alone can"
        f" change it: run this there, or {other}"
    )


def other_copies(aws: Aws, arn: str) -> Iterator[Note]:
    """A warning for each other trail that is paid for recording management events once more."""
    home = Place.of(arn).region
    others = [trail for trail in read_trails(aws, home) if trail["TrailARN"] != arn]
    for trail in others:  # all on their way before the first is looked at
        _ask_about(aws, trail, home)
    for trail in others:
        asked = _ask_about(aws, trail, home)
        status = asked[0].found(*_UNTOLD)
        selectors = asked[1].found(*_UNTOLD) if asked[1] else None
        if status is not None and not status.get("IsLogging", True):
            continue
        if trail.get("HasCustomEventSelectors") and selectors is None:
            says = "may record management events too; its event selectors cannot be read"
        elif management_sides(selectors or DEFAULT):
            says = "records management events too"
        else:
            continue
        towers = str(trail["Name"]).startswith(CONTROL_TOWER)
        whose = "; managed by Control Tower, and left alone" if towers else ""
        text = f"{says}: AWS bills every copy but the first{whose}"
        yield Note(Kind.WARNING, f"trail {trail['Name']}", text)


def _ask_about(aws: Aws, trail: Mapping[str, Any], home: str) -> tuple[Reading, Reading | None]:
    """Whether the trail runs, and what it records if that is not the default."""
    arn = trail["TrailARN"]
    status = aws.read("cloudtrail", home).get_trail_status(Name=arn)
    if not trail.get("HasCustomEventSelectors"):
        return status, None
    # By ARN, AWS knows event selectors in the trail's home only.
    return status, aws.read("cloudtrail", Place.of(arn).region).get_event_selectors(TrailName=arn)
