"""The steps `alarms_event_role` and `alarms_event_forwarding`: what happens in other Regions reaches the event rule.

A rule in each other Region sends what it matches to the default event bus of the home Region, whose rule matches it too.
Source: EventBridge User Guide, "Sending and receiving events between AWS Regions". An event goes from bus to bus once
only, so that nothing goes round in circles. A bus of the same account needs no policy: the role is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.policy import Document, document, listed, sid_of, statements
from ...compare.policy import arn as make_arn
from ...model import Changes, Difference, Kind, Note, Part, Scope, Wait, update
from ...steps.registry import step
from ...steps.roles import Role, ask_role, role
from .event_rule import ABSENT, KEPT, others_kept, put_target, read_rule, rule_and_target, title_of
from .event_rule_section import EventRule
from .home_bus import ask_bus, ensure_open, home_bus
from .in_use import uses_role
from .keys import EVENTS
from .section import Alarms

TARGET_ID: Final = "home-region"
_POLICY: Final = "EventsToHomeRegion"
_LET_IN = Wait("ValidationException", "EventBridge to be let into the role", "cannot be assumed", 120)


def forwarding_role(aws: Aws, baseline: Baseline, rule: EventRule) -> Role:
    """The role, which these rules alone may use, and for this bus.

    Source: EventBridge User Guide, "Cross-service confused deputy prevention": the source is the rule.
    """
    rules = make_arn(aws.partition, "events", "*", aws.account, f"rule/{rule.name}")
    only = {
        "StringEquals": {"aws:SourceAccount": aws.account},
        "ArnLike": {"aws:SourceArn": rules},
    }
    trust = {
        "Sid": "EventsAssumeRole",
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": "sts:AssumeRole",
        "Condition": only,
    }
    send = {
        "Sid": _POLICY,
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": home_bus(aws, baseline),
    }
    about = "EventBridge sends events of other Regions to the home Region with this role"
    return Role(
        rule.role_name,
        about,
        trust=[trust],
        inline={_POLICY: document([send])},
        usable_without=True,
        in_use=partial(uses_role, aws, baseline.general.named_regions or [aws.region], rule.role_name),
        merge=with_earlier_buses,
    )


def with_earlier_buses(have: Document | None, want: Mapping[str, Any]) -> dict[str, Any]:
    """The policy *want*, and the default buses of the account that *have* allows besides, of an earlier home Region.

    A rule goes on to send its events there until it has the new target.
    """
    [own] = statements(want)
    before, _, after = own["Resource"].partition(f":{own['Resource'].split(':')[3]}:")
    bus = f"{re.escape(before)}:[a-z0-9-]+:{re.escape(after)}"
    earlier = [
        arn
        for each in statements(have)
        if each.get("Effect") == "Allow" and sid_of(each) == own["Sid"]
        for arn in listed(each.get("Resource"))
        if re.fullmatch(bus, arn) and arn != own["Resource"]
    ]
    return document([{**own, "Resource": sorted([own["Resource"], *earlier])}]) if earlier else dict(want)


@step("alarms_event_role", Alarms, Scope.ONCE, clients=("iam", "events"), field="forwarded_rule")
def ensure_alarms_event_role(aws: Aws, baseline: Baseline) -> Changes:
    """Make and repair the role, and warn where the file leaves out the Region in which global services are seen."""
    rule, regions = baseline[Alarms].forwarded_rule, {*baseline.general.named_regions}
    if rule is None or regions == {aws.region}:
        return
    reading = ask_bus(aws)
    yield from role(aws, aws.region, forwarding_role(aws, baseline, rule))
    yield Part("event bus default", ensure_open(aws, baseline, rule, reading))
    seen_in = aws.event_region("organizations")
    if regions and seen_in not in {aws.region, *regions}:
        text = (
            f"sees nothing of global services such as Organizations, whose events are in {seen_in} only: add it"
            " to `regions`"
        )
        yield Note(Kind.WARNING, title_of(rule), text)


@step(
    "alarms_event_forwarding",
    Alarms,
    Scope.ONCE,
    needs=("alarms_event_role",),
    each_region=True,
    clients=("events", "iam"),
    field="forwarded_rule",
)
def ensure_alarms_event_forwarding(aws: Aws, baseline: Baseline) -> Changes:
    """In each Region but the home Region, make the rule that sends what it matches there."""
    rule = baseline[Alarms].forwarded_rule
    if rule is None or aws.target.home:
        return
    reading, listed = read_rule(aws, rule)
    held = ask_role(aws, baseline.general.home_region, rule.role_name)
    yield from rule_and_target(aws, rule, reading, _target(aws, baseline, rule, listed, held))


def _target(aws: Aws, baseline: Baseline, rule: EventRule, listed: Reading, held: Reading) -> Changes:
    """Ensure the home Region's bus as a target of the rule, beside others."""
    found, title = listed.value("Targets", ABSENT) or [], title_of(rule)
    want = want_target(aws, baseline, rule, held.value("Role", "NoSuchEntity"))
    if not forwards(found, want):
        have, call = put_target(aws, rule, found, want)
        call = call.waiting(_LET_IN).using(f"alarms_event_role/role {rule.role_name}")
        yield update(title, (Difference(f"target {TARGET_ID}", have, call.params["Targets"][0]),), call)
    yield from others_kept(title, found, want["Arn"])


def want_target(
    aws: Aws, baseline: Baseline, rule: EventRule, held: Mapping[str, Any] | None
) -> dict[str, str]:
    """The target. *held* is the role, with its path, if it has one."""
    own = make_arn(aws.partition, "iam", "", aws.account, f"role/{rule.role_name}")
    return {"Id": TARGET_ID, "Arn": home_bus(aws, baseline), "RoleArn": held["Arn"] if held else own}


def forwards(targets: Sequence[Mapping[str, Any]], want: Mapping[str, str]) -> bool:
    """Whether one of the targets is the bus, with the role, and gets the event as it is."""
    sent = ({name: value for name, value in each.items() if name not in KEPT} for each in targets)
    return any({**each, "Id": TARGET_ID} == want for each in sent)


def broken_forwarding(
    have: Mapping[str, Any] | None, held: Mapping[str, Any] | None, *, sends: bool
) -> Iterator[str]:
    """What keeps a Region's events from the home Region, in words."""
    if have is None:
        yield "there is no such rule"
    elif not have["State"].startswith("ENABLED"):
        yield f"it is {have['State']}"
    if held is None:
        yield "its role does not exist"
    if have is not None and not sends:
        yield "the bus of the home Region is not its target"
