"""Tests of the keys that other sections name: what is sent, in which order, and the statements of the key policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioner.aws.cloud import Cloud
from provisioner.baseline import BaselineError
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Fleet, Job, member_role
from provisioner.sandbox import Fault

from ...conftest import Bench
from .sample import ACCOUNT, ALIAS, CONFIG, ENCRYPTED, KEYS, TRAIL, USED, key_of, policy_of, shown

ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"


def trail_key(bench: Bench) -> Any:
    return bench.client("cloudtrail").describe_trails()["trailList"][0].get("KmsKeyId")


def bucket_key(bench: Bench) -> Any:
    found = bench.client("s3").get_bucket_encryption(Bucket="acme-logs")["ServerSideEncryptionConfiguration"]
    return found["Rules"][0]["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")


def channel_key(bench: Bench) -> Any:
    return bench.client("config").describe_delivery_channels()["DeliveryChannels"][0].get("s3KmsKeyArn")


EVERY: dict[str, tuple[str, Callable[[Bench], Any], set[str]]] = {
    "trail": (
        USED,
        trail_key,
        {"CloudTrailEncrypt", "CloudTrailDescribe", "CloudTrailDecryptForBucketKeys"},
    ),
    "bucket": (
        KEYS + ENCRYPTED + TRAIL.replace("  kms_key_id: trail\n", ""),
        bucket_key,
        {"CloudTrailBucketDefault"},
    ),
    "config": (USED.replace(TRAIL, CONFIG), channel_key, {"ConfigDelivery"}),
    "bucket of config": (
        KEYS + ENCRYPTED + CONFIG.replace(", s3_kms_key_arn: trail", ""),
        bucket_key,
        {"ConfigDelivery"},
    ),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_key_is_made_before_what_uses_it_with_the_statements_for_that(bench: Bench, name: str) -> None:
    text, used, sids = EVERY[name]
    planned = shown(bench.diff(text))
    assert shown(bench.apply(text)) == planned
    assert used(bench) == key_of(bench)["Arn"]
    assert policy_of(bench).keys() == {f"{each}Provision" for each in {"EnableRoot", *sids}}
    assert shown(bench.diff(text)) == []
    assert [each.failure for each in bench.run(text).verify() if not each.ok] == []


@pytest.mark.parametrize("name", EVERY)
def test_a_key_may_be_named_by_its_alias_too(bench: Bench, name: str) -> None:
    text, used, _ = EVERY[name]
    if "kms_key_id" not in text:
        pytest.skip("only CloudTrail takes an alias")
    bench.apply(text.replace("kms_key_id: trail", f"kms_key_id: {ALIAS}"))
    assert used(bench) == key_of(bench)["Arn"]


def test_the_statements_of_the_trail_are_for_that_trail_only(bench: Bench) -> None:
    bench.apply(USED)
    found = policy_of(bench)
    assert found["CloudTrailEncryptProvision"]["Condition"] == {
        "StringEquals": {"aws:SourceArn": ARN},
        "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"},
    }
    assert all(each["Condition"] for sid, each in found.items() if sid.startswith("CloudTrail"))


def test_the_statement_of_config_names_the_accounts_that_deliver(bench: Bench) -> None:
    bench.apply(EVERY["config"][0])
    condition = policy_of(bench)["ConfigDeliveryProvision"]["Condition"]
    assert condition == {"StringEquals": {"AWS:SourceAccount": ACCOUNT}}


def test_a_role_of_config_may_encrypt_with_the_key(bench: Bench) -> None:
    text = EVERY["config"][0] + "  role_name: recorder\n"
    bench.apply(text)
    policy = bench.client("iam").get_role_policy(RoleName="recorder", PolicyName="ConfigDelivery")
    [statement] = [s for s in policy["PolicyDocument"]["Statement"] if s["Sid"] == "ConfigEncrypt"]
    assert statement["Resource"] == key_of(bench)["Arn"]
    assert shown(bench.diff(text)) == []


def test_a_trail_that_still_uses_the_key_keeps_its_permission(bench: Bench) -> None:
    bench.apply(USED)
    bench.apply(USED.replace("name: audit", "name: audit-2"))
    sources = policy_of(bench)["CloudTrailEncryptProvision"]["Condition"]["StringEquals"]["aws:SourceArn"]
    assert sources == [ARN, f"{ARN}-2"]


def test_what_uses_the_key_is_not_changed_by_a_lost_alias_or_a_disabled_key(bench: Bench) -> None:
    bench.apply(USED)
    kms = bench.client("kms")
    kms.disable_key(KeyId=key_of(bench)["KeyId"])
    kms.delete_alias(AliasName=ALIAS)
    assert [field for _, _, field in shown(bench.diff(USED))] == ["KeyState", "AliasName"]


@pytest.mark.parametrize("operation", ["CreateKey", "CreateAlias"])
def test_a_key_that_cannot_be_made_stops_its_use_and_nothing_else(bench: Bench, operation: str) -> None:
    denied = Fault("AccessDeniedException", 400, "no")
    bench.world.interrupt(lambda call, phase: denied if call.operation == operation else None)
    run = bench.run(USED)
    failed = {each.step: each.failures for each in run.send(run.rehearse()) if not each.ok}
    assert failed.keys() == {"kms_keys", "cloudtrail"}
    [use] = failed["cloudtrail"]
    assert use.message == f"UpdateTrail was not tried, because key {ALIAS} failed (step kms_keys)"
    assert bench.client("cloudtrail").get_trail_status(Name=ARN)["IsLogging"]


def test_a_file_without_such_a_reference_does_not_wait_for_the_keys(bench: Bench) -> None:
    needs = {
        node.step.name: node.step.needs
        for node in bench.run(USED + CONFIG.partition(", s3")[0] + "}\n").graph
    }
    assert "kms_keys" in needs["cloudtrail"]
    assert "kms_keys" not in (*needs["log_buckets"], *needs["config_recorder"])


@pytest.mark.parametrize("section", [TRAIL, CONFIG, ENCRYPTED])
def test_a_key_that_is_not_in_the_file_is_a_mistake(bench: Bench, section: str) -> None:
    text = {TRAIL: USED, CONFIG: EVERY["config"][0], ENCRYPTED: KEYS + ENCRYPTED}[section]
    with pytest.raises(BaselineError) as caught:
        bench.baseline(
            text.replace(": trail", ": trial", 1)
            if section is not CONFIG
            else text.replace("arn: trail", "arn: trial")
        )
    assert [each.message for each in caught.value.problems] == [
        "`kms_keys` has no key `trial`; did you mean 'trail'?"
    ]


ARCHIVE = "111122223333"
MEMBERS = f"accounts: {{ids: ['{ACCOUNT}', '{ARCHIVE}', '444455556666'], log_archive: '{ARCHIVE}'}}\n"


def fleet_of(bench: Bench, text: str) -> Fleet:
    """A new fleet, which enters the other accounts by their role."""
    run = bench.run(text)
    bench.clouds.append(Cloud(clock=bench.clock))
    bench.clouds[-1].keyring.role = member_role(run.baseline.general.accounts, run.identity, "us-east-1")
    return Fleet(bench.clouds[-1], run.baseline, run.identity)


def test_other_accounts_use_a_key_of_the_log_archive(bench: Bench) -> None:
    """They may look at the key because its policy says so, which the step adds for the organization."""
    text = USED + CONFIG + MEMBERS
    for attempt in ("first", "second"):
        fleet = fleet_of(bench, text)
        once, accounts = fleet.once(), fleet.select(AccountFilter()).accounts
        plan = once.rehearse()
        found = [fleet.run_job(Job("diff", each)) for each in accounts]
        results = [*plan.results, *(each for outcome in found for each in outcome.results)]
        assert [str(each.failure) for each in results if not each.ok] == []
        changed = {r.step for r in results if r.changes}
        assert ({"kms_keys", "cloudtrail", "config_recorder"} <= changed) is (attempt == "first")
        assert bool(changed) is (attempt == "first")
        sent = [*once.send(plan)]
        for outcome in found:
            sent += fleet.run_job(Job.to_apply(outcome, {})).results
        assert [str(each.failure) for each in sent if not each.ok] == []
    arn = trail_key(bench)
    assert arn.split(":")[4] == ARCHIVE
    assert channel_key(bench) == arn


ONE_EACH = """
home_region: us-east-1
regions: [us-east-1, eu-west-1]
kms_keys:
  trail: {alias: alias/trail}
  bucket: {alias: alias/bucket}
  findings: {alias: alias/findings}
  log-group: {alias: alias/log-group}
  topic: {alias: alias/topic}
log_buckets:
  logs: {name: acme-logs, server_side_encryption: {sse_algorithm: "aws:kms", kms_master_key_id: bucket}}
cloudtrail: {name: audit, s3_bucket_name: logs, kms_key_id: trail}
guardduty: {publishing_destination: {s3_bucket_name: logs, s3_key_prefix: f, kms_key_arn: findings}}
alarms: {log_group: {kms_key_id: log-group}, topic: {kms_master_key_id: topic}, event_rule: {}}
"""


def test_a_key_for_each_use_lets_in_what_uses_it_only(bench: Bench) -> None:
    bench.apply(ONE_EACH)
    kms = bench.client("kms")
    keys = {
        name: kms.describe_key(KeyId=f"alias/{name}")["KeyMetadata"]["KeyId"]
        for name in ("trail", "bucket", "findings", "log-group", "topic")
    }
    assert {name: policy_of(bench, each).keys() for name, each in keys.items()} == {
        "trail": sids("CloudTrailEncrypt", "CloudTrailDescribe", "CloudTrailDecryptForBucketKeys"),
        "bucket": sids("CloudTrailBucketDefault"),
        "findings": sids("GuardDutyExport"),
        "log-group": sids("AlarmsLogGroup"),
        "topic": sids("AlarmsPublish", "EventsPublish"),
    }
    assert shown(bench.diff(ONE_EACH)) == []


def sids(*names: str) -> set[str]:
    """The Sids of the statements that each key has, and of these."""
    return {f"{each}Provision" for each in ("EnableRoot", *names)}
