"""Tests of the keys of the log group and the topic: what their policies allow, and what a key that cannot be used stops."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.aws import Aws, ReadCache
from provisioner.baseline import BaselineError
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Job
from provisioner.model import Kind, Target
from provisioner.sandbox import Fault
from provisioner.steps.key_use import allow_log_groups

from ...conftest import Bench
from ..kms_keys.sample import KEYS, key_of, policy_of
from ..kms_keys.test_uses import ARCHIVE, MEMBERS, fleet_of
from .sample import ACCOUNT, SMALL, TOPIC, TRAIL, findings, shown

HEAD = "organization_name: acme\nhome_region: us-east-1\n"
NAMED = (
    "{log_group: {kms_key_id: trail}, topic: {kms_master_key_id: trail}, watchers: false, detectors: false"
)
ENCRYPTED = f"{HEAD}{TRAIL}{KEYS}alarms: {NAMED}, event_rule: {{}}}}\n"
ONE_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:security/cloudtrail"


def group_key(bench: Bench, name: str = "security/cloudtrail") -> Any:
    listed = bench.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return listed[0].get("kmsKeyId")


def topic_key(bench: Bench) -> Any:
    return bench.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"].get("KmsMasterKeyId")


def condition(bench: Bench, sid: str) -> Any:
    return policy_of(bench)[f"{sid}Provision"]["Condition"]


def test_a_key_of_the_file_encrypts_and_its_policy_lets_each_service_in(bench: Bench) -> None:
    planned = shown(bench.diff(ENCRYPTED))
    assert shown(bench.apply(ENCRYPTED)) == planned
    assert group_key(bench) == topic_key(bench) == key_of(bench)["Arn"]
    assert condition(bench, "AlarmsLogGroup") == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": ONE_GROUP},
    }
    assert condition(bench, "AlarmsPublish") == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:*"},
    }
    assert shown(bench.diff(ENCRYPTED)) == []
    assert {each.check for r in bench.run(ENCRYPTED).verify() for each in r.findings if each.ok} >= {
        "KMS key"
    }


def test_events_are_bound_to_a_topic_as_a_condition_on_their_source_would_lose_them(bench: Bench) -> None:
    bench.apply(ENCRYPTED)
    topics = f"arn:aws:sns:us-east-1:{ACCOUNT}:*"
    assert condition(bench, "EventsPublish") == {
        "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}
    }


def test_without_the_rule_events_may_not_use_the_key(bench: Bench) -> None:
    bench.apply(ENCRYPTED.replace(", event_rule: {}", ""))
    assert "EventsPublishProvision" not in policy_of(bench)


def test_an_earlier_log_group_keeps_the_key_while_it_is_encrypted_with_it(bench: Bench) -> None:
    other = ENCRYPTED.replace("log_group: {", "log_group: {name: other, ")
    bench.apply(ENCRYPTED)
    bench.apply(other)
    of_other = ONE_GROUP.replace("security/cloudtrail", "other")
    context = "kms:EncryptionContext:aws:logs:arn"
    assert condition(bench, "AlarmsLogGroup")["ArnLike"][context] == [of_other, ONE_GROUP]
    assert shown(bench.diff(other)) == []
    bench.client("logs").disassociate_kms_key(logGroupName="security/cloudtrail")
    bench.apply(other)
    assert condition(bench, "AlarmsLogGroup")["ArnLike"][context] == of_other


def test_a_key_that_cannot_be_made_stops_nothing_but_its_use(bench: Bench) -> None:
    denied = Fault("AccessDeniedException", 400, "no")
    bench.world.interrupt(lambda call, phase: denied if call.operation == "CreateKey" else None)
    run = bench.run(ENCRYPTED)
    failed = {f.operation for r in run.send(run.rehearse()) for f in r.failures} - {""}
    assert failed == {"CreateKey"}
    assert bench.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (group_key(bench), topic_key(bench)) == (None, None)


def test_a_key_that_is_disabled_is_named_and_stops_nothing_else(bench: Bench) -> None:
    key = bench.client("kms").create_key()["KeyMetadata"]
    bench.client("kms").disable_key(KeyId=key["KeyId"])
    text = ENCRYPTED.replace("_key_id: trail", f"_key_id: '{key['Arn']}'")
    run = bench.run(text)
    found = [f.message for r in run.send(run.rehearse()) for f in r.failures]
    assert [each.partition(":")[0] for each in found] == [
        "`alarms.log_group.kms_key_id`",
        "`alarms.topic.kms_master_key_id`",
    ]
    assert bench.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert findings(bench, text)["topic security-alarms"][0] is False


def test_a_key_of_another_account_is_told(bench: Bench) -> None:
    key = f"arn:aws:kms:us-east-1:{ARCHIVE}:key/11111111-2222-3333-4444-555555555555"
    text = SMALL.replace("alarms: {", f"alarms: {{topic: {{kms_master_key_id: '{key}'}}, ")
    bench.apply(text)
    assert topic_key(bench) == key
    assert any("cannot be looked at" in note.text for _, note in bench.diff(text).notes(Kind.WARNING))


@pytest.mark.parametrize("field", ["kms_key_id", "kms_master_key_id"])
def test_a_key_that_is_not_in_the_file_is_a_mistake(bench: Bench, field: str) -> None:
    with pytest.raises(BaselineError, match="`kms_keys` has no key `trial`; did you mean 'trail'"):
        bench.baseline(ENCRYPTED.replace(f"{field}: trail", f"{field}: trial"))


def test_the_principal_of_logs_has_the_domain_of_the_partition(bench: Bench) -> None:
    for partition, region, name in (
        ("aws", "eu-west-1", "logs.eu-west-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", "logs.cn-north-1.amazonaws.com.cn"),
    ):
        aws = Aws(Target(ACCOUNT, region, partition), bench.run().cloud, ReadCache())
        assert allow_log_groups(aws, "Logs", "*")["Principal"] == {"Service": name}


def test_the_key_may_be_in_the_log_archive(bench: Bench) -> None:
    fleet = fleet_of(bench, ENCRYPTED + MEMBERS)
    once, accounts = fleet.once(), fleet.select(AccountFilter()).accounts
    plan = once.rehearse()
    sent = [*once.send(plan)]
    for account in accounts:
        sent += fleet.run_job(Job("diff", account)).results
    assert [str(each.failure) for each in sent if not each.ok] == []
    assert group_key(bench).split(":")[4] == topic_key(bench).split(":")[4] == ARCHIVE
    again = fleet_of(bench, ENCRYPTED + MEMBERS).once().rehearse()
    assert [(r.step, c.resource) for r, c in again.changes] == []
