"""Each way in which somebody may break what AWS Config has in a Region by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Break, Hands, breaks

_SNAPSHOTS = "configSnapshotDeliveryProperties"
_READ_ONLY = ("ConfigRuleArn", "ConfigRuleId", "ConfigRuleState", "CreatedBy")


@breaks("config_role")
def role_breaks(hands: Hands) -> Iterator[Break]:
    """The recorder's role, where it is no service's own: its trust, its policies, and the role gone."""
    iam = hands.client("iam")
    for recorder in hands.client("config").describe_configuration_recorders()["ConfigurationRecorders"]:
        name = recorder["roleARN"].rpartition("/")[2]
        if "/aws-service-role/" in recorder["roleARN"]:
            continue
        what = f"role {name}"
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        other = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        put = partial(iam.update_assume_role_policy, RoleName=name, PolicyDocument=other)
        yield Break(what, "trust statement", f"let another service into {what}", put)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            gone = partial(iam.delete_role_policy, RoleName=name, PolicyName=policy)
            yield Break(what, f"policy {policy}", f"deleted the policy {policy} of {what}", gone)
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            off = partial(iam.detach_role_policy, RoleName=name, PolicyArn=policy["PolicyArn"])
            yield Break(what, "AttachedPolicies", f"detached {policy['PolicyName']} from {what}", off)


@breaks("config_recorder", regional=True)
def recorder_breaks(hands: Hands) -> Iterator[Break]:
    """Every setting of the recorder, the channel and the retention, and each of them gone."""
    client = hands.client("config")
    for recorder in client.describe_configuration_recorders()["ConfigurationRecorders"]:
        yield from _recorder(hands, client, recorder)
        for channel in client.describe_delivery_channels()["DeliveryChannels"]:
            yield from _channel(hands, client, recorder["name"], channel)
    for each in client.describe_retention_configurations()["RetentionConfigurations"]:
        what, days = "AWS Config history", each["RetentionPeriodInDays"]
        put = client.put_retention_configuration
        if days > 30:
            less = partial(put, RetentionPeriodInDays=30)
            text = f"kept the history of {hands.region} for 30 days instead of {days}"
            yield Break(what, "RetentionPeriodInDays", text, less, "retention_period_in_days")
        if days < 2557:
            more = partial(put, RetentionPeriodInDays=2557)
            yield Break(
                what,
                "",
                f"kept the history of {hands.region} for seven years",
                more,
                "retention_period_in_days",
                stricter=True,
            )


def _recorder(hands: Hands, client: Any, recorder: dict[str, Any]) -> Iterator[Break]:
    name, put = recorder["name"], client.put_configuration_recorder
    what, where = f"configuration recorder {name}", f"recorder {name} in {hands.region}"
    kept = {key: recorder[key] for key in ("name", "roleARN", "recordingGroup", "recordingMode")}

    def changed(field: str, sentence: str, asked: str, **fields: Any) -> Break:
        return Break(what, field, sentence, partial(put, ConfigurationRecorder={**kept, **fields}), asked)

    narrow = {"resourceTypes": ["AWS::S3::Bucket"]}
    yield changed(
        "recordingGroup",
        f"made {where} record buckets only",
        "recorder.recording_group.*",
        recordingGroup=narrow,
    )
    daily = {"recordingFrequency": "DAILY"}
    yield changed(
        "recordingMode", f"made {where} record once a day", "recorder.recording_mode.*", recordingMode=daily
    )
    yield Break(what, "roleARN", f"gave {where} another role", partial(_other_role, hands, kept))
    status = client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    if any(each["name"] == name and each["recording"] for each in status):
        stop = partial(client.stop_configuration_recorder, ConfigurationRecorderName=name)
        yield Break(what, "recording", f"stopped {where}", stop)
    gone = partial(client.delete_configuration_recorder, ConfigurationRecorderName=name)
    yield Break(what, "", f"deleted {where}", gone)


def _other_role(hands: Hands, recorder: dict[str, Any]) -> None:
    iam, name = hands.client("iam"), "theirs"
    trust = {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    try:
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName=name)
    allow = {"Effect": "Allow", "Action": ["s3:*", "config:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
    role = {**recorder, "roleARN": made["Role"]["Arn"]}
    hands.client("config").put_configuration_recorder(ConfigurationRecorder=role)


def _channel(hands: Hands, client: Any, recorder: str, channel: dict[str, Any]) -> Iterator[Break]:
    name, put = channel["name"], client.put_delivery_channel
    what, where = f"delivery channel {name}", f"delivery channel {name} in {hands.region}"
    have = channel.get(_SNAPSHOTS, {}).get("deliveryFrequency", "none")
    for wish, stricter in (("TwentyFour_Hours", False), ("One_Hour", True)):
        if have not in {wish, "none"}:
            other = {**channel, _SNAPSHOTS: {"deliveryFrequency": wish}}
            text = f"changed the frequency of {where} from {have} to {wish}"
            field = "" if stricter else _SNAPSHOTS
            yield Break(
                what,
                field,
                text,
                partial(put, DeliveryChannel=other),
                "delivery_channel.delivery_frequency",
                stricter,
            )
    bucket = f"attacker-config-{hands.account}-{hands.region}"
    away = partial(_away, hands, bucket, {**channel, "s3BucketName": bucket})
    yield Break(what, "s3BucketName", f"sent the history of {hands.region} to another bucket", away)

    if prefix := channel.get("s3KeyPrefix"):

        def move() -> None:
            """The bucket's policy lets AWS Config write below another prefix, as long as it is asked."""
            s3, bucket = hands.client("s3"), channel["s3BucketName"]
            text = s3.get_bucket_policy(Bucket=bucket)["Policy"]
            s3.put_bucket_policy(Bucket=bucket, Policy=text.replace(f"/{prefix}/AWSLogs", "/theirs/AWSLogs"))
            put(DeliveryChannel={**channel, "s3KeyPrefix": "theirs"})
            s3.put_bucket_policy(Bucket=bucket, Policy=text)

        text = f"moved the history of {hands.region} to another prefix"
        yield Break(what, "s3KeyPrefix", text, move, "delivery_channel.s3_key_prefix")

    def delete() -> None:
        """AWS deletes no channel of a recorder that runs."""
        client.stop_configuration_recorder(ConfigurationRecorderName=recorder)
        client.delete_delivery_channel(DeliveryChannelName=name)
        client.put_delivery_channel(DeliveryChannel=channel)
        client.start_configuration_recorder(ConfigurationRecorderName=recorder)
        client.stop_configuration_recorder(ConfigurationRecorderName=recorder)
        client.delete_delivery_channel(DeliveryChannelName=name)

    yield Break("", "", f"stopped the recorder and deleted {where}", delete)


def _away(hands: Hands, bucket: str, channel: dict[str, Any]) -> None:
    s3 = hands.client("s3")
    region = (
        {}
        if hands.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": hands.region}}
    )
    s3.create_bucket(Bucket=bucket, **region)
    whole = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    actions = ["s3:GetBucketAcl", "s3:ListBucket", "s3:PutObject"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "config.amazonaws.com"},
        "Action": actions,
        "Resource": whole,
    }
    source = {"StringEquals": {"aws:SourceAccount": hands.account}}
    document = {"Version": "2012-10-17", "Statement": [{**allow, "Condition": source}]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    hands.client("config").put_delivery_channel(DeliveryChannel=channel)


@breaks("config_rules", regional=True)
def rule_breaks(hands: Hands) -> Iterator[Break]:
    """Every setting of each rule, and the rule gone."""
    client = hands.client("config")
    for page in client.get_paginator("describe_config_rules").paginate():
        for rule in page["ConfigRules"]:
            yield from _rule(hands, client, rule)


def _rule(hands: Hands, client: Any, rule: dict[str, Any]) -> Iterator[Break]:
    name, arn = rule["ConfigRuleName"], rule["ConfigRuleArn"]
    what, where = f"config rule {name}", f"config rule {name} in {hands.region}"
    kept = {key: value for key, value in rule.items() if key not in _READ_ONLY}

    def put(
        field: str,
        sentence: str,
        asked: str = "",
        *,
        without: str = "",
        stricter: bool = False,
        **fields: Any,
    ) -> Break:
        body = {key: value for key, value in {**kept, **fields}.items() if key != without}
        return Break(what, field, sentence, partial(client.put_config_rule, ConfigRule=body), asked, stricter)

    if parameters := json.loads(rule.get("InputParameters") or "{}"):
        lax = json.dumps(
            {key: "9999" if str(value).isdigit() else value for key, value in parameters.items()}
        )
        yield put(
            "InputParameters",
            f"changed the parameters of {where}",
            "rules.*.input_parameters.*",
            InputParameters=lax,
        )
    if rule.get("Scope"):
        scope = {"ComplianceResourceTypes": ["AWS::EC2::Instance"]}
        yield put("Scope", f"changed the scope of {where}", "rules.*.scope.*", Scope=scope)
    if rule.get("Description"):
        yield put(
            "Description", f"changed the description of {where}", "rules.*.description", Description="theirs"
        )
    if rule.get("MaximumExecutionFrequency") not in {None, "One_Hour"}:
        text = f"had {where} evaluated each hour"
        asked = "rules.*.maximum_execution_frequency"
        yield put("", text, asked, MaximumExecutionFrequency="One_Hour", stricter=True)
    other = {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}
    bare = {"ConfigRuleName": name, "Source": other}
    yield Break(
        what, "", f"made {where} look at something else", partial(client.put_config_rule, ConfigRule=bare)
    )
    for tag in client.list_tags_for_resource(ResourceArn=arn)["Tags"]:
        off = partial(client.untag_resource, ResourceArn=arn, TagKeys=[tag["Key"]])
        yield Break(
            what, f"tag {tag['Key']}", f"removed the tag {tag['Key']} of {where}", off, "rules.*.tags"
        )
    yield Break(what, "", f"deleted {where}", _deleting(client, name))


def _deleting(client: Any, name: str) -> Callable[[], Any]:
    def delete() -> Any:
        client.delete_config_rule(ConfigRuleName=name)
        return client.describe_config_rules()  # a deleted rule is seen once more before it is gone

    return delete
