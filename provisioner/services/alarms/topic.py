"""The step `alarms_topic`: the SNS topic that alarms notify, who may publish to it, and who gets the notifications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare import policy
from ...compare.policy import Document, Statement
from ...compare.policy_dangers import Protected, dangers
from ...model import Call, Changes, Exists, Finding, Kind, Note, Part, Scope, create
from ...steps.delivery import allow_service, with_sources_in_use
from ...steps.existing import Look
from ...steps.key_use import unknown_key
from ...steps.organization import own_organization
from ...steps.registry import step
from ...steps.settings import Strictness, settings
from ...steps.statements import Danger, statements
from ...steps.suppressions import suppression
from ...steps.tags import from_pairs, tags, to_pairs
from .in_use import notifies_topic
from .keys import ALARMS, EVENTS, look_at, require_usable
from .section import Alarms, Topic
from .trail import topic_arn

PENDING_CONFIRMATION: Final = ("PendingConfirmation", "pending confirmation")
ABSENT: Final = ("NotFound", "NotFoundException")
_KEY: Final = "KmsMasterKeyId"
_OWNER: Final = "__default_statement_ID"
_MOST: Final = 30720  # "Amazon SNS endpoints and quotas": bytes of a topic policy
# What no stranger may do with the topic. AWS lets other accounts have these only.
_WRITES: Final = (
    *("sns:Publish", "sns:SetTopicAttributes", "sns:DeleteTopic", "sns:RemovePermission"),
    *("sns:AddPermission", "sns:Subscribe"),
)
_OWNER_ACTIONS: Final = (
    *("SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission"),
    *("SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"),
)


def ask_subscriptions(aws: Aws, arn: str) -> Reading:
    """Start reading the topic's subscriptions."""
    return aws.read("sns").list_subscriptions_by_topic(TopicArn=arn)


def own_statements(aws: Aws, section: Alarms) -> list[Statement]:
    """What alarms and the rule need. Source: aws.md 12.5; SNS Developer Guide, "Example cases for access control".

    The condition on the account alone would let every alarm of it publish as these do.
    """
    arn, account = topic_arn(aws, section), {"aws:SourceAccount": aws.account}

    def publish(sid: str, service: str, source: str) -> Statement:
        made = allow_service(sid, service, "sns:Publish", arn, account)
        return {**made, "Condition": {**made["Condition"], "ArnLike": {"aws:SourceArn": source}}}

    alarm = policy.arn(aws.partition, "cloudwatch", aws.region, aws.account, f"alarm:{section.name_prefix}*")
    found = [publish("AlarmsPublishProvision", ALARMS, alarm)]
    if section.event_rule:
        rule = policy.arn(aws.partition, "events", aws.region, aws.account, f"rule/{section.event_rule.name}")
        found.append(publish("EventsPublishProvision", EVENTS, rule))
    return found


def first_policy(arn: str, account: str) -> Document:
    """The policy that AWS gives a new topic: its account may use it."""
    owner = {"StringEquals": {"AWS:SourceOwner": account}}
    statement = {"Sid": _OWNER, "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": list(_OWNER_ACTIONS)}
    return {
        "Version": policy.FIRST_VERSION,
        "Id": "__default_policy_ID",
        "Statement": [{**statement, "Resource": arn, "Condition": owner}],
    }


@step("alarms_topic", Alarms, Scope.ONCE, clients=("sns", "cloudwatch", "events"), refers_to=("key",))
def ensure_alarms_topic(aws: Aws, baseline: Baseline) -> Changes:
    """Make the topic, let alarms publish to it, and subscribe those whom the file names."""
    section, write = baseline[Alarms], aws.write("sns")
    want, arn = section.topic, topic_arn(aws, section)
    title = f"topic {want.name}"
    reading = aws.read("sns").get_topic_attributes(TopicArn=arn)
    listed = ask_subscriptions(aws, arn) if want.subscriptions else None
    tags_read = aws.read("sns").list_tags_for_resource(ResourceArn=arn) if want.tags else None
    look = look_at(aws, baseline, want.kms_master_key_id)
    have, name = reading.value("Attributes", *ABSENT), arn
    if have is None:
        # By its name alone: with attributes or tags AWS refuses to make it again where the answer is lost.
        made = yield create(title, {"Name": want.name}, write.create_topic(Name=want.name))
        name = made["TopicArn"]  # not known where the topic was not made, so that nothing is set on it
    else:
        yield Exists(title)
    attributes = have or {"Policy": first_policy(arn, aws.account)}
    yield Part(title, _policy(aws, section, name, attributes.get("Policy"), reading if have else None))
    yield Part(f"encryption of {title}", _key(aws, want, name, attributes, look))
    if listed is not None:
        yield from _subscriptions(aws, want, name, listed.value("Subscriptions", *ABSENT) or [])
    if tags_read is not None:
        found = from_pairs(tags_read.value("Tags", "ResourceNotFoundException", "ResourceNotFound", *ABSENT))
        yield from tags(
            title,
            found,
            want.tags,
            lambda missing: write.tag_resource(ResourceArn=name, Tags=to_pairs(missing)),
        )


def _policy(aws: Aws, section: Alarms, name: str, have: Document | None, reading: Reading | None) -> Changes:
    """Ensure our statements, and tell those of others that defeat them. *name* is the topic's ARN, once it is known."""
    arn = topic_arn(aws, section)
    found = {policy.sid_of(each): each for each in policy.statements(have)}
    own = [
        with_sources_in_use(found.get(each["Sid"]), each, lambda source: notifies_topic(aws, section, source))
        for each in own_statements(aws, section)
    ]

    def put(document: dict[str, Any]) -> Call:
        call: Call = aws.write("sns").set_topic_attributes(
            TopicArn=name, AttributeName="Policy", AttributeValue=policy.compact(document)
        )
        return call.based_on(reading.at("Attributes", "Policy") if reading else None)

    def find_dangers(foreign: Sequence[Statement]) -> Iterable[Danger]:
        what = Protected(
            resource=arn,
            account=aws.account,
            region=aws.region,
            writes=_WRITES,
            organization=lambda: own_organization(aws),
            partition=aws.partition,
        )
        return dangers(foreign, own, what)

    yield from statements(
        f"topic {section.topic.name}",
        have,
        own,
        put,
        partition=aws.partition,
        most=_MOST,
        dangers=find_dangers,
        consent="remove-foreign-statement",
    )


def _key(aws: Aws, want: Topic, name: str, have: Mapping[str, Any], look: Look | None) -> Changes:
    """Encrypt with the key of the file. A key of AWS's own silences the topic, and is replaced or told."""
    title = f"topic {want.name}"
    if look is None:
        if str(have.get(_KEY, "")).endswith("alias/aws/sns"):
            text = "is encrypted with AWS's own key, so that no alarm can publish: set `kms_master_key_id`"
            yield Note(Kind.WARNING, title, text)
        yield from unknown_key(aws, title, have.get(_KEY), "alarms.topic.kms_master_key_id")
        return
    key = look()
    yield from require_usable(key, "topic.kms_master_key_id")
    # SNS answers with the id, the alias or the ARN that it was given. A key of the file may be in another account.
    asked = {_KEY: key.answer["Arn"] if key.answer and key.uses else want.kms_master_key_id}

    def put(changed: dict[str, Any]) -> Call:
        call: Call = aws.write("sns").set_topic_attributes(
            TopicArn=name, AttributeName=_KEY, AttributeValue=changed[_KEY] or ""
        )
        return call.using(*key.uses)

    yield from settings(title, {_KEY: have.get(_KEY)}, asked, put, Strictness.of(Topic, exact=want.exact))


def _subscriptions(aws: Aws, want: Topic, name: str, have: Sequence[Mapping[str, Any]]) -> Changes:
    """Subscribe whom the file names. One who has not confirmed yet is there: a second request only mails again."""
    title, write, read = f"topic {want.name}", aws.write("sns"), aws.read("sns")
    found = {(each["Protocol"], each["Endpoint"]): each["SubscriptionArn"] for each in have}
    states = [found.get((each.protocol, each.endpoint)) for each in want.subscriptions]
    confirmed = [arn for arn in states if arn and arn not in PENDING_CONFIRMATION]
    attributes = {arn: read.get_subscription_attributes(SubscriptionArn=arn) for arn in confirmed}
    for each in want.subscriptions:
        state = found.pop((each.protocol, each.endpoint), None)
        if state is None:
            shown = {"Protocol": each.protocol, "Endpoint": each.endpoint}
            call = write.subscribe(TopicArn=name, **shown, ReturnSubscriptionArn=True).using(
                f"alarms_topic/{title}"
            )
            yield create(f"subscription {each.protocol} {each.endpoint}", shown, call)
        elif state in PENDING_CONFIRMATION:
            yield Note(Kind.WARNING, title, f"{each.endpoint} has not confirmed yet, and hears nothing")
        else:
            what = f"subscription {each.protocol} {each.endpoint}"
            yield Part(what, _ensure_unfiltered(aws, what, state, attributes[state]))
    if found:
        others = ", ".join(" ".join(each) for each in found)
        yield Note(Kind.FOREIGN, title, f"subscriptions of others are kept: {others}")


def _ensure_unfiltered(aws: Aws, title: str, arn: str, reading: Reading) -> Changes:
    """Offer to remove a filter: no alarm has what it asks for, unless somebody knows better."""
    if (reading.value("Attributes", *ABSENT) or {}).get("FilterPolicy"):
        call = aws.write("sns").set_subscription_attributes(
            SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}"
        )
        yield suppression(title, "filter", "policy", "keeps notifications from it", call)


def reaches_somebody(title: str, have: Sequence[Mapping[str, Any]]) -> Finding:
    """The finding on whether a notification reaches somebody. None while all have still to confirm."""
    pending = [each for each in have if each["SubscriptionArn"] in PENDING_CONFIRMATION]
    confirmed = len(have) - len(pending)
    if confirmed:
        return Finding(
            title, "confirmed subscription", True, f"{confirmed} confirmed, {len(pending)} pending"
        )
    ok = None if pending else False
    text = (
        "nobody has confirmed yet"
        if pending
        else "nobody is subscribed: name somebody in `topic.subscriptions`"
    )
    return Finding(title, "confirmed subscription", ok, text)
