"""SNS topics and subscriptions. Moto keeps topics, subscriptions are kept here."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import uuid4

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import before, instead
from ..subscription_section import endpoint_problem

_INVALID: Final = "InvalidParameter"
_PENDING: Final = "PendingConfirmation"
_PROTOCOLS: Final = (
    "http",
    "https",
    "email",
    "email-json",
    "sms",
    "sqs",
    "application",
    "lambda",
    "firehose",
)
_CONFIRMED: Final = ("sms", "sqs", "application", "lambda", "firehose")


def _subscriptions(request: Request, arn: str) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = request.saved("subscriptions").setdefault(arn, [])
    return kept


def _check_topic(request: Request, arn: str) -> None:
    if arn not in request.store("sns").topics:
        raise Refused("NotFound", "Topic does not exist", 404)


@before("sns.create", "CreateTopic", row="13.6 create_topic again with other attributes")
def create(request: Request) -> None:
    """A topic is made again only with the attributes and tags that it has."""
    name = request.params["Name"]
    arn = f"arn:{request.partition}:sns:{request.region}:{request.account}:{name}"
    if arn in request.store("sns").topics and (
        request.params.get("Attributes") or request.params.get("Tags")
    ):
        raise Refused(
            _INVALID, "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
        )


@before("sns.attributes", "SetTopicAttributes", row="13.6 topic policy garbage")
def attributes(request: Request) -> None:
    """A topic's policy is a JSON object with statements."""
    params = request.params
    _check_topic(request, params["TopicArn"])
    if params["AttributeName"] != "Policy":
        return
    try:
        found = json.loads(params.get("AttributeValue") or "")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found.get("Statement"):
        raise Refused(_INVALID, "Invalid parameter: Policy Error: null")


@instead("sns.subscribe", "Subscribe", row="13.6 email subscription; 16.E SNS accepts protocol `fax`")
def subscribe(request: Request) -> dict[str, Any]:
    """The endpoint fits the protocol, E-mail and HTTP are pending until confirmed; the same one is the same subscription."""
    params, arn = request.params, request.params["TopicArn"]
    _check_topic(request, arn)
    if params["Protocol"] not in _PROTOCOLS:
        raise Refused(
            _INVALID, f"Invalid parameter: Does not support this protocol string: {params['Protocol']}"
        )
    if endpoint_problem(params["Protocol"], params.get("Endpoint") or ""):
        raise Refused(_INVALID, f"Invalid parameter: Endpoint Reason: no endpoint of {params['Protocol']}")
    shown = {"Protocol": params["Protocol"], "Endpoint": params["Endpoint"], "TopicArn": arn}
    kept = _subscriptions(request, arn)
    have = next((each for each in kept if shown.items() <= each.items()), None)
    if have is None:
        made = f"{arn}:{uuid4()}" if params["Protocol"] in _CONFIRMED else _PENDING
        have = {**shown, "SubscriptionArn": made, "Owner": request.account}
        kept.append(have)
    pending = have["SubscriptionArn"] == _PENDING
    return {"SubscriptionArn": "pending confirmation" if pending else have["SubscriptionArn"]}


def _subscription(request: Request) -> dict[str, Any]:
    arn = request.params["SubscriptionArn"]
    kept = request.saved("subscriptions").get(arn.rpartition(":")[0], [])
    found: dict[str, Any] | None = next((each for each in kept if each["SubscriptionArn"] == arn), None)
    if found is None:
        raise Refused("NotFound", "Subscription does not exist", 404)
    return found


@instead("sns.subscribe", "GetSubscriptionAttributes")
def subscription_attributes(request: Request) -> dict[str, Any]:
    """A subscription has a filter policy if somebody has set one."""
    return {"Attributes": {**_subscription(request), "PendingConfirmation": "false"}}


@instead("sns.subscribe", "SetSubscriptionAttributes")
def set_subscription_attributes(request: Request) -> dict[str, Any]:
    """A filter policy is a JSON object; an empty one is none."""
    name, value = request.params["AttributeName"], request.params.get("AttributeValue") or ""
    found = _subscription(request)
    if name == "FilterPolicy":
        try:
            asked = json.loads(value)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise Refused(_INVALID, "Invalid parameter: FilterPolicy: failed to parse JSON")
        if not asked:
            found.pop(name, None)
            return {}
    found[name] = value
    return {}


@instead("sns.list", "ListSubscriptionsByTopic", row="§9 SNS: PendingConfirmation")
def list_subscriptions(request: Request) -> dict[str, Any]:
    """The subscriptions of a topic; one that is pending has no ARN."""
    _check_topic(request, request.params["TopicArn"])
    shown = ("SubscriptionArn", "Owner", "Protocol", "Endpoint", "TopicArn")
    kept = _subscriptions(request, request.params["TopicArn"])
    return {"Subscriptions": [{key: each[key] for key in shown} for each in kept]}


@before("sns.counts", "GetTopicAttributes", row="API GetTopicAttributes: SubscriptionsConfirmed")
def counts(request: Request) -> None:
    """The attributes of a topic have the numbers of its subscriptions that are confirmed, and that are pending."""
    topic = request.store("sns").topics.get(request.params["TopicArn"])
    if topic is not None:
        kept = request.saved("subscriptions").get(topic.arn, [])
        topic.subscriptions_pending = sum(each["SubscriptionArn"] == _PENDING for each in kept)
        topic.subscriptions_confimed = len(kept) - topic.subscriptions_pending  # moto's spelling


@instead("sns.unsubscribe", "Unsubscribe", row="§9 SNS: can't be deleted before it is confirmed")
def unsubscribe(request: Request) -> dict[str, Any]:
    """A subscription that is confirmed is deleted by its ARN."""
    arn = request.params["SubscriptionArn"]
    if arn.count(":") != 6:
        raise Refused(_INVALID, "Invalid parameter: SubscriptionId")
    kept = _subscriptions(request, arn.rpartition(":")[0])
    kept[:] = [each for each in kept if each["SubscriptionArn"] != arn]
    return {}


@before("sns.delete", "DeleteTopic", row="§9 SNS")
def delete(request: Request) -> None:
    """The subscriptions of a topic go with it."""
    request.saved("subscriptions").pop(request.params["TopicArn"], None)
