"""The default event bus of the home Region: what others put into its policy that keeps out the events of other Regions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.policy import Statement, arn, sid_of, statements
from ...compare.policy_eval import Act, decide
from ...compare.policy_strangers import asks_for_organization, conditions
from ...model import Change, Changes, Difference
from ...steps.organization import own_organization
from ...steps.registry import consents
from .event_rule_section import EventRule

consents("remove-foreign-statement")

_SEND: Final = "events:PutEvents"


def home_bus(aws: Aws, baseline: Baseline) -> str:
    """The ARN of the bus."""
    home = baseline.general.home_region
    return arn(aws.partition, "events", home, aws.account, "event-bus/default")


def ask_bus(aws: Aws) -> Reading:
    """Start reading the bus."""
    return aws.read("events").describe_event_bus(Name="default")


def ensure_open(aws: Aws, baseline: Baseline, rule: EventRule, reading: Reading) -> Changes:
    """Tell the statements of others that deny the role to send to the bus, and offer to remove them.

    The bus needs no statement for a role of its own account, but a Deny counts for that too.
    """
    for statement in statements(reading.all().get("Policy")):
        if not any(_denies(aws, statement, act) for act in _requests(aws, baseline, rule)):
            continue
        sid = sid_of(statement)
        yield Change(
            "event bus default",
            (Difference(f"policy statement {sid} of others", dict(statement), None),),
            aws.write("events").remove_permission(StatementId=sid),
            consent="remove-foreign-statement",
            loses=f"`{sid}` of others denies {rule.role_name} `{_SEND}`, so that other Regions are not heard",
        )


def _requests(aws: Aws, baseline: Baseline, rule: EventRule) -> Iterator[Act]:
    """What each Region's rule does with the role, with the context that is known of it."""
    role = arn(aws.partition, "iam", "", aws.account, f"role/{rule.role_name}")
    known = {
        "aws:principalaccount": aws.account,
        "aws:principalarn": role,
        "aws:resourceaccount": aws.account,
        "aws:sourceaccount": aws.account,
        "aws:securetransport": "true",
        "events:detail-type": "AWS API Call via CloudTrail",
    }
    for region in baseline.general.named_regions or [aws.region]:
        source = arn(aws.partition, "events", region, aws.account, f"rule/{rule.name}")
        yield Act(_SEND, home_bus(aws, baseline), role, {**known, "aws:sourcearn": source})


def _denies(aws: Aws, statement: Statement, act: Act) -> bool:
    """Whether the statement denies the request. One whose conditions are about what is not known counts as if it did not."""
    if str(statement.get("Effect", "")).lower() != "deny":
        return False
    context = dict(act.context)
    if asks_for_organization(statement) and (organization := own_organization(aws)):
        context |= {"aws:principalorgid": organization, "aws:resourceorgid": organization}
    if not {key for key, _ in conditions(statement)} <= context.keys():
        return False
    return decide({"Statement": [statement]}, Act(act.action, act.resource, act.principal, context)) == "deny"
