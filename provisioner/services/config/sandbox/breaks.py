"""Ways to break what AWS Config has in a Region by hand: recorder, role, delivery channel and retention."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import (
    Administrator,
    Break,
    allow_paths_too,
    breaks,
    breaks_of,
    create_delivery_bucket,
)
from ....sandbox.policy_text import to_policy, trust_policy
from ..principal import CONFIG

_SNAPSHOTS = "configSnapshotDeliveryProperties"


@breaks("config_role")
def role_breaks(admin: Administrator) -> Iterator[Break]:
    """Change the trust policy of the recorder's role and remove its policies, unless it is service-linked."""
    iam = admin.client("iam")
    for recorder in admin.client("config").describe_configuration_recorders()["ConfigurationRecorders"]:
        if "/aws-service-role/" in recorder["roleARN"]:
            continue
        name = recorder["roleARN"].rpartition("/")[2]
        role, what = {"RoleName": name}, f"role {name}"
        broken = breaks_of(what)
        other = {**role, "PolicyDocument": trust_policy("ec2.amazonaws.com")}
        text = f"let another service into {what}"
        yield broken("trust statement", text, iam.update_assume_role_policy, **other)
        for policy in iam.list_role_policies(**role)["PolicyNames"]:
            text = f"deleted the policy {policy} of {what}"
            yield broken(f"policy {policy}", text, iam.delete_role_policy, **role, PolicyName=policy)
        for policy in iam.list_attached_role_policies(**role)["AttachedPolicies"]:
            text, arn = f"detached {policy['PolicyName']} from {what}", policy["PolicyArn"]
            yield broken("AttachedPolicies", text, iam.detach_role_policy, **role, PolicyArn=arn)
        yield from _foreign(iam, name, what)


def _foreign(iam: Any, name: str, what: str) -> Iterator[Break]:
    """Give the role power that is not of the baseline, and let strangers assume it."""
    role, broken = {"RoleName": name}, breaks_of(what)
    trust = iam.get_role(**role)["Role"]["AssumeRolePolicyDocument"]
    for who, principal in (("everybody", "*"), ("a stranger", "arn:aws:iam::999999999999:root")):
        stranger = {
            "Sid": "Foreign",
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({**trust, "Statement": [*trust["Statement"], stranger]})
        yield broken(
            "trust statement Foreign",
            f"let {who} assume {what}",
            iam.update_assume_role_policy,
            consent="remove-foreign-trust",
            **role,
            PolicyDocument=document,
        )
    power, consent = to_policy({"Effect": "Allow", "Action": "*", "Resource": "*"}), "remove-foreign-policy"
    text = f"attached a policy of all actions to {what}"
    yield broken("policy arn:", text, _attach, consent=consent, iam=iam, role=name, document=power)
    yield broken(
        "policy power",
        f"wrote a policy of all actions into {what}",
        iam.put_role_policy,
        consent=consent,
        **role,
        PolicyName="power",
        PolicyDocument=power,
    )


def _attach(iam: Any, role: str, document: str) -> None:
    """Create a policy and attach it to the role."""
    made = iam.create_policy(PolicyName="Power", PolicyDocument=document)["Policy"]
    iam.attach_role_policy(RoleName=role, PolicyArn=made["Arn"])


@breaks("config_recorder", regional=True)
def recorder_breaks(admin: Administrator) -> Iterator[Break]:
    """Break each setting of the recorder and the channel, and delete both."""
    client = admin.client("config")
    for recorder in client.describe_configuration_recorders()["ConfigurationRecorders"]:
        yield from _recorder_breaks(admin, client, recorder)
        for channel in client.describe_delivery_channels()["DeliveryChannels"]:
            yield from _channel_breaks(admin, client, recorder["name"], channel)


@breaks("config_retention", regional=True)
def retention_breaks(admin: Administrator) -> Iterator[Break]:
    """Shorten and lengthen the retention."""
    client = admin.client("config")
    for each in client.describe_retention_configurations()["RetentionConfigurations"]:
        field, asked = "RetentionPeriodInDays", "retention_period_in_days"
        days = each[field]
        broken, put = breaks_of("AWS Config history"), client.put_retention_configuration
        if days > 30:
            text = f"kept the history of {admin.region} for 30 days instead of {days}"
            yield broken(field, text, put, asked, **{field: 30})
        if days < 2557:
            text = f"kept the history of {admin.region} for seven years"
            yield broken("", text, put, asked, stricter=True, **{field: 2557})


def _recorder_breaks(admin: Administrator, client: Any, recorder: dict[str, Any]) -> Iterator[Break]:
    name, key = recorder["name"], {"ConfigurationRecorderName": recorder["name"]}
    broken, where = breaks_of(f"configuration recorder {name}"), f"recorder {name} in {admin.region}"
    kept = {key: recorder[key] for key in ("name", "roleARN", "recordingGroup", "recordingMode")}

    def changed(field: str, sentence: str, asked: str, value: Any) -> Break:
        put = client.put_configuration_recorder
        return broken(field, sentence, put, asked, ConfigurationRecorder={**kept, field: value})

    text, narrow = f"made {where} record buckets only", {"resourceTypes": ["AWS::S3::Bucket"]}
    yield changed("recordingGroup", text, "recorder.recording_group.*", narrow)
    text, daily = f"made {where} record once a day", {"recordingFrequency": "DAILY"}
    yield changed("recordingMode", text, "recorder.recording_mode.*", daily)
    yield broken("roleARN", f"gave {where} another role", _replace_role, admin=admin, recorder=kept)
    status = client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    if any(each["name"] == name and each["recording"] for each in status):
        yield broken("recording", f"stopped {where}", client.stop_configuration_recorder, **key)
    yield broken("", f"deleted {where}", client.delete_configuration_recorder, **key)


def _replace_role(admin: Administrator, recorder: dict[str, Any]) -> None:
    """Give the recorder another role, which is created if needed."""
    iam, name = admin.client("iam"), "theirs"
    try:
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust_policy(CONFIG))
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName=name)
    policy = to_policy({"Effect": "Allow", "Action": ["s3:*", "config:*"], "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
    role = {**recorder, "roleARN": made["Role"]["Arn"]}
    admin.client("config").put_configuration_recorder(ConfigurationRecorder=role)


def _channel_breaks(
    admin: Administrator, client: Any, recorder: str, channel: dict[str, Any]
) -> Iterator[Break]:
    name, put, region = channel["name"], client.put_delivery_channel, admin.region
    broken, where = breaks_of(f"delivery channel {name}"), f"delivery channel {name} in {region}"
    have = channel.get(_SNAPSHOTS, {}).get("deliveryFrequency", "none")
    for frequency, field, stricter in (("TwentyFour_Hours", _SNAPSHOTS, False), ("One_Hour", "", True)):
        if have not in {frequency, "none"}:
            other = {**channel, _SNAPSHOTS: {"deliveryFrequency": frequency}}
            text = f"changed the frequency of {where} from {have} to {frequency}"
            asked = "delivery_channel.delivery_frequency"
            yield broken(field, text, put, asked, stricter=stricter, DeliveryChannel=other)

    def redirect() -> None:
        """Deliver to another bucket."""
        bucket = f"attacker-config-{admin.account}-{region}"
        source = {"StringEquals": {"aws:SourceAccount": admin.account}}
        create_delivery_bucket(admin, bucket, CONFIG, source)
        put(DeliveryChannel={**channel, "s3BucketName": bucket})

    yield broken("s3BucketName", f"sent the history of {region} to another bucket", redirect)
    if channel.get("s3KmsKeyArn"):
        bare = {key: value for key, value in channel.items() if key != "s3KmsKeyArn"}
        text, asked = f"delivered the history of {region} without the key", "delivery_channel.s3_kms_key_arn"
        yield broken("s3KmsKeyArn", text, put, asked, DeliveryChannel=bare)
    if prefix := channel.get("s3KeyPrefix"):

        def move() -> None:
            """Change the key prefix, and let AWS Config write there too."""
            s3, bucket = admin.client("s3"), channel["s3BucketName"]
            allow_paths_too(s3, bucket, f"/{prefix}/AWSLogs", "/theirs/AWSLogs")
            put(DeliveryChannel={**channel, "s3KeyPrefix": "theirs"})

        text = f"moved the history of {region} to another prefix"
        yield broken("s3KeyPrefix", text, move, "delivery_channel.s3_key_prefix")

    def delete() -> None:
        """Delete the channel; AWS deletes none while its recorder runs."""
        client.stop_configuration_recorder(ConfigurationRecorderName=recorder)
        client.delete_delivery_channel(DeliveryChannelName=name)

    yield Break("", "", f"stopped the recorder and deleted {where}", delete)
