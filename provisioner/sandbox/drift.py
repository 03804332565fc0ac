"""Breaking things by hand, at random: what somebody with the console might have done to the sandbox."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from . import door
from .seed import MANAGEMENT
from .words import SandboxError

if TYPE_CHECKING:
    from .world import World

_FREQUENCIES = ("One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours")


@dataclass(frozen=True)
class Break:
    """One thing that can be broken: what is said of it afterwards, and how it is done."""

    resource: str
    sentence: str
    do: Callable[[], Any]


def drift(world: World | None, seed: int | None, count: int = 3) -> list[str]:
    """*count* things, fewer where there are not so many, are broken; one sentence tells of each.

    The same *seed* breaks the same things of the same sandbox. Raises `SandboxError` where none is open:
    nothing is ever broken in AWS itself.
    """
    if not door.is_open():
        raise SandboxError("no sandbox is open: drift breaks things in a sandbox only")
    chance = random.Random(seed)  # noqa: S311 it shall be foreseeable
    account = world.account_id if world else MANAGEMENT
    found = sorted(_all(chance, account), key=lambda one: one.sentence)
    chance.shuffle(found)
    said: list[str] = []
    touched: set[str] = set()
    for one in found:
        if len(said) == count:
            break
        # AWS may refuse: a channel cannot be changed while its bucket's policy is broken.
        if one.resource not in touched and _read(one.do) is not None:
            touched.add(one.resource)
            said.append(one.sentence)
    return said


def _all(chance: random.Random, account: str) -> Iterator[Break]:
    yield from _password_policy(chance)
    for trail in _client("cloudtrail", "us-east-1").list_trails()["Trails"]:
        yield from _trail(trail["Name"], trail["HomeRegion"])
    s3 = _client("s3", "us-east-1")
    for bucket in s3.list_buckets()["Buckets"]:
        yield from _bucket(s3, bucket["Name"], chance)
    for region in _config_regions(account):
        yield from _config(_client("config", region), region, chance)


def _client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]


def _read(call: Callable[..., Any], **params: Any) -> Any:
    """The answer, or None for what is not there or cannot be done."""
    try:
        return call(**params)
    except ClientError:
        return None


def _config_regions(account: str) -> list[str]:
    from moto.config.models import config_backends

    return sorted(region for region, held in config_backends[account].items() if held.recorders)


def _password_policy(chance: random.Random) -> Iterator[Break]:
    iam = _client("iam", "us-east-1")
    answer = _read(iam.get_account_password_policy)
    if answer is None:
        return
    policy = {k: v for k, v in answer["PasswordPolicy"].items() if k != "ExpirePasswords"}
    length, less = policy["MinimumPasswordLength"], chance.choice((6, 8, 10))
    put = iam.update_account_password_policy
    what = "the password policy"
    if length > less:
        text = f"lowered the minimum password length from {length} to {less}"
        yield Break(what, text, partial(put, **{**policy, "MinimumPasswordLength": less}))
    if policy.get("RequireSymbols"):
        text = "stopped asking for symbols in passwords"
        yield Break(what, text, partial(put, **{**policy, "RequireSymbols": False}))
    yield Break(what, "deleted the password policy", iam.delete_account_password_policy)


def _trail(name: str, region: str) -> Iterator[Break]:
    client = _client("cloudtrail", region)
    trail = client.get_trail(Name=name)["Trail"]
    what = f"trail {name}"
    if client.get_trail_status(Name=name)["IsLogging"]:
        yield Break(what, f"stopped logging of {what}", partial(client.stop_logging, Name=name))
    if trail["LogFileValidationEnabled"]:
        off = partial(client.update_trail, Name=name, EnableLogFileValidation=False)
        yield Break(what, f"turned off log file validation of {what}", off)
    if trail["IsMultiRegionTrail"] and not trail["IsOrganizationTrail"]:
        one = partial(client.update_trail, Name=name, IsMultiRegionTrail=False)
        yield Break(what, f"made {what} watch {region} only", one)
    if not trail["HasCustomEventSelectors"]:
        narrow = [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]
        put = partial(client.put_event_selectors, TrailName=name, EventSelectors=narrow)
        yield Break(what, f"made {what} log reads only", put)


def _bucket(s3: Any, name: str, chance: random.Random) -> Iterator[Break]:
    what = f"bucket {name}"
    enabled = s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
    if enabled and _read(s3.get_object_lock_configuration, Bucket=name) is None:
        off = partial(s3.put_bucket_versioning, Bucket=name, VersioningConfiguration={"Status": "Suspended"})
        yield Break(what, f"suspended versioning of {what}", off)
    if _read(s3.get_public_access_block, Bucket=name):
        yield Break(
            what,
            f"removed the public access block of {what}",
            partial(s3.delete_public_access_block, Bucket=name),
        )
    if _read(s3.get_bucket_lifecycle_configuration, Bucket=name):
        yield Break(
            what, f"deleted the lifecycle rules of {what}", partial(s3.delete_bucket_lifecycle, Bucket=name)
        )
    policy = _read(s3.get_bucket_policy, Bucket=name)
    if policy:
        yield _drop_statement(s3, name, json.loads(policy["Policy"]), chance)


def _drop_statement(s3: Any, name: str, document: dict[str, Any], chance: random.Random) -> Break:
    statements = document["Statement"]
    lost = chance.randrange(len(statements))
    rest = [one for number, one in enumerate(statements) if number != lost]
    sid = statements[lost].get("Sid") or f"number {lost + 1}"
    text = f"dropped the statement {sid} from the policy of bucket {name}"
    if not rest:
        return Break(f"bucket {name}", text, partial(s3.delete_bucket_policy, Bucket=name))
    put = partial(s3.put_bucket_policy, Bucket=name, Policy=json.dumps({**document, "Statement": rest}))
    return Break(f"bucket {name}", text, put)


def _config(client: Any, region: str, chance: random.Random) -> Iterator[Break]:
    for status in client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]:
        if status["recording"]:
            what = f"recorder {status['name']} in {region}"
            stop = partial(client.stop_configuration_recorder, ConfigurationRecorderName=status["name"])
            yield Break(what, f"stopped {what}", stop)
    for channel in client.describe_delivery_channels()["DeliveryChannels"]:
        have = channel.get("configSnapshotDeliveryProperties", {}).get("deliveryFrequency", "none")
        want = chance.choice([one for one in _FREQUENCIES if one != have])
        other = {**channel, "configSnapshotDeliveryProperties": {"deliveryFrequency": want}}
        what = f"delivery channel {channel['name']} in {region}"
        text = f"changed the frequency of {what} from {have} to {want}"
        yield Break(what, text, partial(client.put_delivery_channel, DeliveryChannel=other))
    for page in client.get_paginator("describe_config_rules").paginate():
        for rule in page["ConfigRules"]:
            what = f"config rule {rule['ConfigRuleName']} in {region}"
            yield Break(what, f"deleted {what}", partial(_delete_rule, client, rule["ConfigRuleName"]))


def _delete_rule(client: Any, name: str) -> Any:
    client.delete_config_rule(ConfigRuleName=name)
    return client.describe_config_rules()  # a deleted rule is seen once more before it is gone
