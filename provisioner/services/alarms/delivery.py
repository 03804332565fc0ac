"""The steps `alarms_role` and `alarms_delivery`: CloudTrail sends the trail's events to the log group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare.policy import Document, document, listed, sid_of, statements
from ...compare.policy import arn as make_arn
from ...model import Call, Changes, Difference, Exists, Kind, Note, Refused, Scope, Wait, update
from ...steps.registry import step
from ...steps.roles import Role, ask_role, role
from .section import Alarms
from .trail import GROUP, ROLE, WatchedTrail, group_arn, read_users, read_watched

CLOUDTRAIL: Final = "cloudtrail.amazonaws.com"
_DENIED: Final = "Access denied"
_WAITS: Final = (
    Wait("InvalidCloudWatchLogsRoleArnException", "the role to be usable", _DENIED, 120),
    Wait("InvalidCloudWatchLogsLogGroupArnException", "the role to be usable", _DENIED, 120),
    Wait("CloudWatchLogsDeliveryUnavailableException", "CloudWatch Logs to be available", seconds=60),
    Wait("TrailNotFoundException", "the new trail to be seen everywhere", seconds=30),
    Wait("ConflictException", "CloudTrail to finish what it does with the trail", seconds=180),
)


def delivery_policy(aws: Aws, section: Alarms, trail: WatchedTrail) -> dict[str, Any]:
    """What the role may do: write to the trail's own log streams.

    Source: CloudTrail User Guide, "Role policy document for CloudTrail to use CloudWatch Logs for monitoring".
    """
    streams = [f"{account}_CloudTrail_{aws.region}*" for account in sorted({aws.account, trail.owner})]
    streams += [f"{trail.organization}_*"] if trail.organization else []
    group = group_arn(aws, section).removesuffix(":*")
    on = [f"{group}:log-stream:{each}" for each in streams]
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return document(
        [{"Sid": "CloudTrailToLogGroup", "Effect": "Allow", "Action": actions, "Resource": sorted(on)}]
    )


def with_earlier_streams(have: Document | None, want: Mapping[str, Any]) -> dict[str, Any]:
    """The policy *want*, and what *have* allows besides on streams of trails, in log groups of the same account and Region.

    A trail that cannot be moved to another log group goes on to write to the earlier one, and one that AWS makes a trail
    of the account again to the streams of its organization until that is repaired.
    """
    [own] = statements(want)
    groups = own["Resource"][0].partition(":log-group:")[0]
    stream = r"([0-9]{12}_CloudTrail_[a-z0-9-]+|o-[a-z0-9]+_)\*"
    earlier = [
        arn
        for each in statements(have)
        if each.get("Effect") == "Allow" and sid_of(each) == own["Sid"]
        for arn in listed(each.get("Resource"))
        if re.fullmatch(rf"{re.escape(groups)}:log-group:[A-Za-z0-9._/#-]+:log-stream:{stream}", arn)
    ]
    return document([{**own, "Resource": sorted({*own["Resource"], *earlier})}])


def delivery_role(aws: Aws, section: Alarms, trail: WatchedTrail) -> Role:
    """The role. CloudTrail may assume it for this trail only.

    `IfExists`, because no page of AWS's says that CloudTrail sends these keys to IAM; without them nothing is kept out.
    """
    only = {"StringEqualsIfExists": {"aws:SourceAccount": trail.owner, "aws:SourceArn": trail.arn}}
    trust = {
        "Sid": "CloudTrailAssumeRole",
        "Effect": "Allow",
        "Principal": {"Service": CLOUDTRAIL},
        "Action": "sts:AssumeRole",
        "Condition": only,
    }
    users = read_users(aws, section)
    return Role(
        section.role_name,
        "CloudTrail sends events to the log group of the alarms with this role",
        trust=[trust],
        inline={"CloudTrailToLogGroup": delivery_policy(aws, section, trail)},
        in_use=lambda arn: arn in users,
        merge=with_earlier_streams,
    )


@step("alarms_role", Alarms, Scope.ONCE, clients=("iam", "cloudtrail"))
def ensure_alarms_role(aws: Aws, baseline: Baseline) -> Changes:
    """Make and repair the role with which CloudTrail writes to the log group, unless the trail has a delivery of its own."""
    ask_role(aws, aws.region, baseline[Alarms].role_name)
    trail = read_watched(aws, baseline)
    if not trail.own_delivery:
        yield from role(aws, aws.region, delivery_role(aws, baseline[Alarms], trail))


@step(
    "alarms_delivery",
    Alarms,
    Scope.ONCE,
    needs=("alarms_log_group", "alarms_role", "cloudtrail"),
    clients=("cloudtrail", "iam"),
)
def ensure_alarms_delivery(aws: Aws, baseline: Baseline) -> Changes:
    """Make the trail send its events to the log group, unless its own section says where they go."""
    section = baseline[Alarms]
    reading = ask_role(aws, aws.region, section.role_name)
    trail = read_watched(aws, baseline)
    title = f"delivery of trail {trail.name}"
    if trail.have:
        yield Exists(title)
    if trail.own_delivery:
        return
    known = reading.value("Role", "NoSuchEntity")  # with its path, if it has one
    own = make_arn(aws.partition, "iam", "", aws.account, f"role/{section.role_name}")
    want = {GROUP: group_arn(aws, section), ROLE: known["Arn"] if known else own}
    have = {name: (trail.have or {}).get(name) for name in want}
    changed = tuple(Difference(name, have[name], want[name]) for name in want if have[name] != want[name])
    if not changed:
        return
    yield from _elsewhere(trail, title, have[GROUP], want[GROUP])
    call: Call = aws.write("cloudtrail").update_trail(Name=trail.arn, **want).waiting(*_WAITS)
    yield update(
        title,
        changed,
        call.using(
            f"alarms_log_group/log group {section.log_group.name}",
            f"alarms_role/role {section.role_name}",
            f"cloudtrail/trail {trail.name}",
        ),
    )


def _elsewhere(trail: WatchedTrail, title: str, have: str | None, want: str) -> Iterator[Note]:
    """Warn that events go elsewhere now. Raises Refused for a trail of others, whose delivery is theirs."""
    if have in {None, want}:
        return
    name = str(have).split(":")[6]
    if not trail.ours:
        raise Refused(
            f"trail `{trail.name}` is not of this file and sends its events to `{name}`:"
            f" set `alarms.log_group.name: {name}`"
        )
    # No consent: somebody who sends the events elsewhere must not stop the repair.
    yield Note(Kind.WARNING, title, f"events so far stay in `{name}`; what reads them there sees no new ones")
