"""Tests in the wrong account, in a member or delegated administrator, and with names that are taken."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.engine.plan import Plan
from provisioner.model import Kind

from ..conftest import EXAMPLE, MEMBER, Bench, ThreadClock, assume_account
from ..services.cloudtrail.test_trusted_access import OUTSIDE
from .test_organization import as_account

MANAGEMENT = "123456789012"
ARN = f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/organization-trail"
NAME = f"acme-cloudtrail-{MANAGEMENT}"
OWN = EXAMPLE.replace("is_organization_trail: true", "is_organization_trail: false")
WHOLE = EXAMPLE.replace(
    "      include_management_events: true # the first copy is free; data events are billed and left out\n",
    "      include_management_events: true\n"
    "      exclude_management_event_sources: [kms.amazonaws.com]\n"
    "  insight_selectors: [{insight_type: ApiCallRateInsight}]\n"
    "  tags: {team: security}\n",
)


def results(plan: Plan) -> dict[str, Any]:
    return {r.step: r for r in plan.results}


def test_a_bucket_name_taken_after_the_plan_fails_its_users_only(bench: Bench, clock: ThreadClock) -> None:
    run = bench.run()
    plan = run.rehearse()
    as_account(bench, "444455556666", "s3").create_bucket(Bucket=NAME)
    sent = {r.step: r for r in run.send(plan)}
    failure = sent["log_buckets"].failure
    assert failure
    assert (failure.doing, failure.code) == (f"bucket {NAME}", "BucketAlreadyExists")
    assert "choose another name" in failure.hint
    assert {name for name, r in sent.items() if not r.ok} == {"log_buckets", "cloudtrail"}
    [trail] = sent["cloudtrail"].failures
    assert trail.message == f"CreateTrail was not tried, because bucket {NAME} failed (step log_buckets)"
    assert trail.untried[:1] == ("StartLogging",)
    assert clock.slept == []  # the trail does not wait for the bucket


@pytest.mark.parametrize(("home", "there"), [("us-east-1", "eu-west-1"), ("eu-west-1", "us-east-1")])
def test_a_bucket_in_another_region_is_found_through_the_redirect(
    bench: Bench, home: str, there: str
) -> None:
    where = {"CreateBucketConfiguration": {"LocationConstraint": there}} if there != "us-east-1" else {}
    bench.client("s3", there).create_bucket(Bucket="acme-logs", **where)
    text = f"home_region: {home}\nregions: [{home}]\nlog_buckets: {{logs: {{name: acme-logs}}}}\n"
    plan = bench.diff(text)
    codes = {call.code for call in bench.world.calls}
    assert codes & {"301", "PermanentRedirect"}, "AWS redirects to the Region"
    [failed] = plan.failed
    assert failed.failure
    assert failed.failure.message == (
        f"the bucket `acme-logs` is in {there}, and `home_region` is {home}: set `home_region` to the"
        " bucket's Region, or choose another name"
    )
    assert plan.changes == []


def test_an_organization_trail_in_a_member_is_refused_and_the_rest_continues(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    found = results(bench.diff())
    assert found["cloudtrail_trusted_access"].failure.message == (
        "an organization trail is made by the management account or a delegated administrator of cloudtrail.amazonaws.com,"
        f" and AWS takes this account for neither: run this in account {MANAGEMENT}, register this one there"
        " (`aws cloudtrail register-organization-delegated-admin`), or set"
        " `cloudtrail.is_organization_trail: false`"
    )
    assert found["cloudtrail"].blocked_by == "cloudtrail_trusted_access"
    assert all(
        found[name].ok and found[name].changes
        for name in ("log_buckets", "config_recorder", "password_policy")
    )


def test_a_member_with_its_own_trail_beside_the_organizations(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply()
    assume_account(bench, monkeypatch, MEMBER)
    text = OWN.replace("name: organization-trail", "name: own-trail")
    before = len(bench.world.writes)
    plan = bench.apply(text)
    assert {call.account for call in bench.world.writes[before:]} == {MEMBER}
    assert [(n.resource, n.text) for _, n in plan.notes(Kind.WARNING)] == [
        (
            "trail organization-trail",
            "records management events too: AWS bills every copy but the first",
        )
    ]
    assert bench.diff(text).changes == []


def test_an_account_without_an_organization(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assume_account(bench, monkeypatch, OUTSIDE)
    bench.apply(OWN)
    assert {call.service for call in bench.world.writes} == {"s3", "iam", "cloudtrail", "config"}
    assert bench.diff(OWN).changes == []


def delegate(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.apply(only=("cloudtrail_trusted_access",))
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=MEMBER)
    assume_account(bench, monkeypatch, MEMBER)


def test_a_delegated_administrator_names_the_trail_by_arn(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    delegate(bench, monkeypatch)
    before = len(bench.world.calls)
    bench.apply(WHOLE)
    assert bench.diff(WHOLE).changes == []
    mine = [c for c in bench.world.calls[before:] if c.service == "cloudtrail"]
    assert {c.account for c in mine} == {MEMBER}
    named = [
        (c.operation, each)
        for c in mine
        if c.operation not in {"CreateTrail", "DescribeTrails"}
        for key in ("Name", "TrailName", "ResourceId", "ResourceIdList")
        if (each := c.params.get(key))
    ]
    assert {operation for operation, _ in named} == {
        *("StartLogging", "PutEventSelectors", "PutInsightSelectors", "GetTrailStatus"),
        *("GetEventSelectors", "GetInsightSelectors", "ListTags"),
    }
    assert [each for each in named if each[1] not in (ARN, [ARN])] == []


def test_a_delegated_administrator_repairs_each_part_of_the_trail(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as member:
        delegate(bench, member)
        bench.apply(WHOLE)
    bench.clients.clear()
    owner = bench.client("cloudtrail")
    less = {"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}
    owner.stop_logging(Name=ARN)
    owner.update_trail(Name=ARN, EnableLogFileValidation=False)
    owner.put_event_selectors(TrailName=ARN, EventSelectors=[less])
    owner.put_insight_selectors(TrailName=ARN, InsightSelectors=[])
    owner.remove_tags(ResourceId=ARN, TagsList=[{"Key": "team"}])
    assume_account(bench, monkeypatch, MEMBER)
    before = len(bench.world.writes)
    bench.apply(WHOLE)
    assert sorted(c.operation for c in bench.world.writes[before:]) == [
        *("AddTags", "PutEventSelectors", "PutInsightSelectors", "StartLogging", "UpdateTrail"),
    ]
    assert {r.failure for r in bench.run(WHOLE).verify()} == {None}


def test_the_delegated_administrator_of_another_service_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(only=("cloudtrail_trusted_access",))
    organizations = bench.client("organizations")
    organizations.register_delegated_administrator(
        AccountId=MEMBER, ServicePrincipal="guardduty.amazonaws.com"
    )
    assume_account(bench, monkeypatch, MEMBER)
    run = bench.run(only=("cloudtrail",))
    [failed] = [r for r in run.send(run.rehearse()) if not r.ok]
    assert (failed.step, failed.failure and failed.failure.code) == (
        "cloudtrail",
        "NotOrganizationMasterAccountException",
    )
    assert failed.failure
    assert "from the management account, or by a delegated administrator" in failed.failure.hint
