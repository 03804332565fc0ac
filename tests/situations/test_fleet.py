"""Tests of many accounts: dependencies between them, credentials of each call, Regions, and failures in one."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace

import pytest

from provisioner.aws import identify
from provisioner.aws.cloud import Cloud
from provisioner.aws.keyring import Role
from provisioner.fleet.fleet import Job
from provisioner.model import Target
from provisioner.sandbox import WireCall

from ..conftest import EXAMPLE, Bench
from .test_organization import Organization, Ran, as_account

MANAGEMENT, ARCHIVE, WORKLOAD = "123456789012", "111122223333", "444455556666"
ALL = f"accounts: {{all: true, log_archive: '{ARCHIVE}'}}\n"
TEXT = EXAMPLE + ALL
LISTED = f"accounts: {{ids: ['{ARCHIVE}', '{WORKLOAD}'], log_archive: '{ARCHIVE}'}}\n"
BUCKET = f"acme-config-{ARCHIVE}"


@pytest.fixture
def three(bench: Bench) -> Organization:
    """The sandbox's organization: the management account, two active members and a closed one."""
    return Organization(bench, accounts=4)


def failures(ran: Ran) -> set[tuple[str, str, str]]:
    return {(r.step, r.target.account, r.blocked_by or "") for r in ran.results() if not r.ok}


def test_steps_that_run_once_run_in_their_account(bench: Bench, three: Organization) -> None:
    three.run("apply", TEXT)
    where = {(call.service, call.account) for call in bench.world.writes}
    assert {account for service, account in where if service == "s3"} == {ARCHIVE}
    assert {account for service, account in where if service in {"cloudtrail", "organizations"}} == {
        MANAGEMENT
    }
    assert {account for service, account in where if service == "config"} == {MANAGEMENT, ARCHIVE, WORKLOAD}
    channel = as_account(bench, WORKLOAD, "config").describe_delivery_channels()["DeliveryChannels"][0]
    assert channel["s3BucketName"] == BUCKET
    assert three.run("diff", TEXT).plan().changes == []


def statements(bench: Bench) -> dict[str, dict[str, object]]:
    s3 = as_account(bench, ARCHIVE, "s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET, ExpectedBucketOwner=ARCHIVE)["Policy"])
    return {each["Sid"]: each for each in policy["Statement"]}


def test_the_bucket_policy_allows_the_whole_organization(bench: Bench, three: Organization) -> None:
    three.run("apply", TEXT)
    condition = statements(bench)["AWSConfigBucketDeliveryProvision"]["Condition"]
    assert isinstance(condition, dict)
    assert condition["StringEquals"]["aws:SourceOrgID"] == "o-sandbox12345"


def test_the_bucket_policy_names_all_listed_accounts(bench: Bench, three: Organization) -> None:
    three.run("apply", EXAMPLE + LISTED)
    for sid in (
        "AWSConfigBucketDelivery",
        "AWSConfigBucketPermissionsCheck",
        "AWSConfigBucketExistenceCheck",
    ):
        condition = statements(bench)[f"{sid}Provision"]["Condition"]
        assert isinstance(condition, dict)
        assert sorted(condition["StringEquals"]["AWS:SourceAccount"]) == [ARCHIVE, WORKLOAD]
    fleet = three.fleet(EXAMPLE + LISTED)
    assert fleet.once().rehearse().changes == []


def test_to_a_failed_bucket_nothing_delivers_and_all_else_is_done(bench: Bench, three: Organization) -> None:
    bench.world.deny("s3", "*", account=ARCHIVE)
    ran = three.run("diff", TEXT)
    assert failures(ran) == {("log_buckets", ARCHIVE, "")}
    changed = Counter(r.step for r, _ in ran.plan().changes)
    assert changed["password_policy"] == 3
    before = len(bench.world.writes)
    done = three.run("apply", TEXT)
    accounts = {MANAGEMENT, ARCHIVE, WORKLOAD}
    assert failures(done) == {
        ("log_buckets", ARCHIVE, ""),
        ("cloudtrail", MANAGEMENT, ""),
        *(("config_recorder", each, "") for each in accounts),
    }
    assert {call.operation for call in bench.world.writes[before:]} == {
        "EnableAWSServiceAccess",
        "CreateServiceLinkedRole",
        "UpdateAccountPasswordPolicy",
        "PutConfigurationRecorder",
        "PutConfigRule",
        "StartConfigurationRecorder",
    }


def test_a_failure_in_one_account_and_region(bench: Bench, three: Organization) -> None:
    text = EXAMPLE.replace("regions: [us-east-1]", "regions: [us-east-1, eu-west-1]") + ALL
    bench.world.deny("config", "DescribeConfigurationRecorders", region="eu-west-1", account=WORKLOAD)
    ran = three.run("apply", text)
    assert {(step, account) for step, account, _ in failures(ran)} == {
        ("config_recorder", WORKLOAD),
        ("config_rules", WORKLOAD),
    }
    recorders = as_account(bench, WORKLOAD, "config").describe_configuration_recorders()
    assert len(recorders["ConfigurationRecorders"]) == 1, "the other Region is done"


def test_expired_credentials_are_renewed(bench: Bench, three: Organization) -> None:
    bench.world.set(credentials_calls=20)
    ran = three.run("apply", TEXT)
    assert failures(ran) == set()
    entries = Counter(
        str(call.params["RoleArn"]).split(":")[4]
        for call in bench.world.calls
        if call.operation == "AssumeRole"
    )
    assert entries[ARCHIVE] > 3
    assert any(str(call.code).startswith("ExpiredToken") for call in bench.world.calls)
    bench.world.set(credentials_calls=0)
    assert three.run("diff", TEXT).plan().changes == []


def test_credentials_near_expiry_are_renewed_before_use(bench: Bench, three: Organization) -> None:
    bench.world.set(credentials_lifetime=240)
    three.run("diff", TEXT)
    assert not any(str(call.code).startswith("Expired") for call in bench.world.calls)
    entries = sum(call.operation == "AssumeRole" for call in bench.world.calls)
    questions = sum(call.account in {ARCHIVE, WORKLOAD} for call in bench.world.calls)
    assert entries == questions + 2, "on entering, and at each call: four minutes are less than five"


def test_every_call_is_signed_for_its_account(bench: Bench, three: Organization) -> None:
    fleet = three.fleet(TEXT)
    cloud = fleet.cloud
    wrong: list[str] = []

    def ask(account: str) -> None:
        cloud.enter(account)
        for _ in range(20):
            answer = cloud.read(Target(account, "us-east-1"), "sts", "us-east-1", "get_caller_identity", {})
            if answer["Account"] != account:
                wrong.append(f"{account}: {answer['Account']}")

    threads = [threading.Thread(target=ask, args=(each,)) for each in (MANAGEMENT, ARCHIVE, WORKLOAD) * 3]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


def test_a_call_without_an_account_is_not_signed(bench: Bench, three: Organization) -> None:
    cloud = three.fleet(TEXT).cloud
    with pytest.raises(RuntimeError, match="did not say with which credentials"):
        cloud.client("iam", "us-east-1").list_account_aliases()


def test_credentials_of_another_account_are_refused(bench: Bench) -> None:
    cloud = Cloud(clock=bench.clock)
    bench.clouds.append(cloud)
    who = identify(cloud, "us-east-1")

    class Wrong(Role):
        def arn(self, account: str) -> str:
            return super().arn(ARCHIVE)

    cloud.keyring.role = Wrong(who.account, "aws", "us-east-1", "OrganizationAccountAccessRole")
    with pytest.raises(Exception, match=f"asked for account {WORKLOAD}, AWS let us into another"):
        cloud.enter(WORKLOAD)


def test_external_id_and_session_tags_are_sent(bench: Bench, three: Organization) -> None:
    text = ALL.replace("all: true", "all: true, external_id: secret-1, session_tags: {run: baseline}")
    fleet = three.fleet(EXAMPLE + text)
    fleet.run_job(Job("diff", next(a for a in fleet.select(three.everyone).accounts if a.id == WORKLOAD)))
    [call] = [call for call in bench.world.calls if call.operation == "AssumeRole"]
    assert call.params["ExternalId"] == "secret-1"
    assert call.params["Tags"] == [{"Key": "run", "Value": "baseline"}]


def test_all_regions_means_those_enabled_in_each_account(bench: Bench, three: Organization) -> None:
    world = bench.world
    world.disable("eu-west-1", WORKLOAD)
    world.enable("af-south-1", WORKLOAD)
    text = EXAMPLE.replace("regions: [us-east-1]", "regions: all") + ALL
    ran = three.run("diff", text)
    assert failures(ran) == set()
    ours, theirs = ran.outcomes[WORKLOAD], ran.outcomes[ARCHIVE]
    assert {*ours.regions} - {*theirs.regions} == {"af-south-1"}
    assert {*theirs.regions} - {*ours.regions} == {"eu-west-1"}
    assert ("eu-west-1", "is disabled") in {(x.region, x.why) for x in ours.skipped}
    asked = Counter(call.account for call in world.calls if call.operation == "ListRegions")
    # The account of the log bucket is asked for those whose delivery channels the bucket's policy lets in, too.
    assert asked == {MANAGEMENT: 1, ARCHIVE: 2, WORKLOAD: 1}
    assert not any(call.region == "eu-west-1" and call.account == WORKLOAD for call in world.calls)


def test_regions_come_from_ec2_if_account_management_cannot_be_reached(
    bench: Bench, three: Organization
) -> None:
    def refuse(call: WireCall, phase: str) -> None:
        if call.service == "account":
            raise ConnectionRefusedError

    text = EXAMPLE.replace("regions: [us-east-1]", "regions: all") + ALL
    expected = {each.regions for each in three.run("diff", text).outcomes.values()}
    bench.world.interrupt(refuse)
    ran = three.run("diff", text)
    assert failures(ran) == set()
    assert {each.regions for each in ran.outcomes.values()} == expected
    assert sum(call.operation == "DescribeRegions" for call in bench.world.calls) == 4


def test_a_global_service_is_offered_in_every_region(bench: Bench, three: Organization) -> None:
    """So a Region is not skipped because IAM, which has no Regions, could not be reached."""
    cloud = three.fleet(TEXT).cloud
    assert cloud.offers("iam", "eu-west-1")
    assert cloud.offers("config", "eu-west-1")
    assert cloud.offers("macie2", "us-east-1")
    assert not cloud.offers("macie2", "us-gov-west-1")


def test_rate_limits_are_kept_for_each_account(bench: Bench, three: Organization) -> None:
    """The sandbox throttles as AWS does, on the clock of the run: only rates that are not documented are hit."""
    bench.world.set(rates=True)
    bench.world.clock = bench.clock.now
    ran = three.run("apply", TEXT)
    assert failures(ran) == set()
    refused: list[WireCall] = [call for call in bench.world.calls if "Throttl" in str(call.code)]
    assert not [call for call in refused if call.service in {"cloudtrail", "sts"}]
    assert three.run("diff", TEXT).plan().changes == []


def test_an_account_that_is_applied_twice_is_changed_once(bench: Bench, three: Organization) -> None:
    """As happens if a worker is lost after its last write."""
    fleet = three.fleet(TEXT)
    three.run("apply", TEXT)
    as_account(bench, WORKLOAD, "iam").update_account_password_policy(MinimumPasswordLength=8)
    account = next(a for a in fleet.select(three.everyone).accounts if a.id == WORKLOAD)
    compared = fleet.run_job(Job("diff", account))
    job = Job.to_apply(compared, {})
    before = len(bench.world.writes)
    assert not fleet.run_job(job).failed
    assert not fleet.run_job(replace(job)).failed
    assert [call.operation for call in bench.world.writes[before:]] == ["UpdateAccountPasswordPolicy"]
