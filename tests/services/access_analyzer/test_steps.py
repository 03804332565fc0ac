"""Tests of the access_analyzer steps: adoption, drift, analyzers of the account and the organization, verification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provisioner.engine.plan import Plan
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Fleet, Job
from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall

from ...conftest import MEMBER, Bench, assume_account

PRINCIPAL = "access-analyzer.amazonaws.com"
REGIONS = "regions: [us-east-1, eu-west-1]\n"
EXTERNAL = f"{REGIONS}access_analyzer: {{}}\n"
UNUSED = f"{REGIONS}access_analyzer: {{unused_access: {{unused_access_age: 90}}}}\n"
ORGANIZATION = f"{REGIONS}access_analyzer: {{type: ORGANIZATION}}\n"


def shown(plan: Plan) -> list[tuple[str, str, str]]:
    return [(r.target.region, c.resource, d.field) for r, c in plan.changes for d in c.differences]


def make(bench: Bench, name: str, kind: str, region: str = "us-east-1", **more: Any) -> None:
    bench.client("accessanalyzer", region).create_analyzer(analyzerName=name, type=kind, **more)


def aged(days: int, **more: Any) -> Mapping[str, Any]:
    return {"configuration": {"unusedAccess": {"unusedAccessAge": days, **more}}}


def test_unused_access_is_analyzed_in_the_home_region_only(bench: Bench) -> None:
    assert [(r.target.region, c.resource) for r, c in bench.apply(UNUSED).changes] == [
        ("us-east-1", "external access analyzer external-access"),
        ("us-east-1", "unused access analyzer unused-access"),
        ("eu-west-1", "external access analyzer external-access"),
    ]


@pytest.mark.parametrize(
    ("kind", "whom"), [("ACCOUNT", "of the account"), ("ORGANIZATION", "of every account")]
)
def test_what_a_new_analyzer_of_unused_access_bills_is_told_once(bench: Bench, kind: str, whom: str) -> None:
    text = f"{REGIONS}access_analyzer: {{unused_access: {{type: {kind}_UNUSED_ACCESS}}}}\n"
    [(_, note)] = bench.apply(text).notes(Kind.WARNING)
    assert whom in note.text
    assert "is billed every month" in note.text
    assert [*bench.diff(text).notes(Kind.WARNING)] == []


def test_an_analyzer_of_that_type_is_adopted_whatever_its_name(bench: Bench) -> None:
    make(bench, "theirs", "ACCOUNT")
    make(bench, "old", "ACCOUNT_UNUSED_ACCESS", **aged(90))
    assert [(region, what) for region, what, _ in shown(bench.diff(UNUSED))] == [
        ("eu-west-1", "external access analyzer external-access")
    ]


def test_an_analyzer_that_an_aws_service_manages_is_not_adopted(bench: Bench) -> None:
    make(bench, "_AccessAnalyzerForSecurityHub-1", "ACCOUNT_UNUSED_ACCESS")
    [kept] = bench.world.memory["access_analyzer"].values()
    kept["_AccessAnalyzerForSecurityHub-1"]["managedBy"] = "securityhub.amazonaws.com"
    assert "unused access analyzer unused-access" in {what for _, what, _ in shown(bench.diff(UNUSED))}


def test_an_age_is_repaired_and_exclusions_of_others_stay(bench: Bench) -> None:
    rule = {"analysisRule": {"exclusions": [{"resourceTags": [{"team": "data"}]}]}}
    make(bench, "old", "ACCOUNT_UNUSED_ACCESS", **aged(180, **rule))
    bench.apply(UNUSED)
    found = bench.client("accessanalyzer").get_analyzer(analyzerName="old")["analyzer"]
    assert found["configuration"]["unusedAccess"] == {"unusedAccessAge": 90, **rule}


def test_a_shorter_age_is_stricter_and_loosened_with_consent_only(bench: Bench) -> None:
    make(bench, "old", "ACCOUNT_UNUSED_ACCESS", **aged(30))
    plan = bench.diff(UNUSED)
    assert "old" not in str(shown(plan))
    assert [note.text for _, note in plan.notes(Kind.STRICTER)] == [
        "unusedAccessAge is 30; the baseline asks for 90"
    ]
    exact = UNUSED.replace("unused_access_age: 90", "unused_access_age: 90, exact: true")
    [change] = [c for _, c in bench.diff(exact).changes if c.consent]
    assert (change.consent, change.loses) == (
        "find-unused-access-later",
        "access that nobody uses is found later",
    )


def test_an_age_that_the_file_leaves_out_stays(bench: Bench) -> None:
    make(bench, "old", "ACCOUNT_UNUSED_ACCESS", **aged(300))
    assert "old" not in str(shown(bench.diff(UNUSED.replace("unused_access_age: 90", ""))))


def test_the_organization_has_an_analyzer_in_each_region_after_trusted_access(bench: Bench) -> None:
    plan = bench.apply(ORGANIZATION)
    assert [(r.step, r.target.region) for r, _ in plan.changes] == [
        ("access_analyzer_trusted_access", "us-east-1"),
        ("access_analyzer_organization", "us-east-1"),
        ("access_analyzer_organization", "eu-west-1"),
    ]
    assert bench.diff(ORGANIZATION).changes == []


def test_in_a_fleet_only_the_caller_makes_the_organizations_analyzers(bench: Bench) -> None:
    run = bench.run(f"{ORGANIZATION}accounts: {{all: true}}\n")
    fleet = Fleet(run.cloud, run.baseline, run.identity)
    from provisioner.fleet.fleet import member_role

    run.cloud.keyring.role = member_role(run.baseline.general.accounts, run.identity, fleet.home)
    once = fleet.once()
    sent = once.send(once.rehearse())
    made = [(r.target.account, r.target.region) for r in sent if r.step == "access_analyzer_organization"]
    assert sorted(made) == [(run.identity.account, "eu-west-1"), (run.identity.account, "us-east-1")]
    outcomes = [fleet.run_job(Job("diff", each)) for each in fleet.select(AccountFilter()).accounts]
    assert len(outcomes) == 3
    assert not any(each.drifted or each.failed for each in outcomes)


def test_a_member_is_refused_with_a_remedy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    failed = {r.step: r.failure for r in bench.diff(ORGANIZATION).failed}
    assert failed["access_analyzer_trusted_access"] is not None
    assert failed["access_analyzer_trusted_access"].message == (
        "an analyzer of the organization is made by the management account or a delegated administrator of"
        f" {PRINCIPAL}, and AWS takes this account for neither: run this in account 123456789012, register this one"
        f" there (`aws organizations register-delegated-administrator --service-principal {PRINCIPAL}`), or set"
        " `access_analyzer.type: ACCOUNT`"
    )


def test_a_delegated_administrator_makes_the_organizations_analyzers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    organizations = bench.client("organizations")
    organizations.enable_aws_service_access(ServicePrincipal=PRINCIPAL)
    organizations.register_delegated_administrator(AccountId=MEMBER, ServicePrincipal=PRINCIPAL)
    assume_account(bench, monkeypatch, MEMBER)
    assert {r.target.account for r, _ in bench.apply(ORGANIZATION).changes} == {MEMBER}


def test_a_new_organization_is_waited_for(bench: Bench) -> None:
    left = [2]

    def fault(call: WireCall, phase: str) -> Fault | None:
        if phase == "before" and call.operation == "CreateAnalyzer" and left[0]:
            left[0] -= 1
            return Fault(
                "ValidationException", 400, "You must create an organization before creating the analyzer."
            )
        return None

    bench.world.interrupt(fault)
    bench.apply(ORGANIZATION)
    assert {each.until for each in bench.waits} == {"Access Analyzer to see the organization"}


def test_an_analyzer_made_by_others_after_the_plan_is_adopted(bench: Bench) -> None:
    met: list[str] = []

    def overtake(call: WireCall, phase: str) -> Fault | None:
        if phase == "before" and call.operation == "CreateAnalyzer" and not met:
            met.append(call.region)
            make(bench, "external-access", "ACCOUNT", call.region)
        return None

    bench.world.interrupt(overtake)
    bench.apply(EXTERNAL)
    assert bench.diff(EXTERNAL).changes == []


def test_a_disabled_analyzer_fails_verification(bench: Bench) -> None:
    bench.apply(ORGANIZATION)
    bench.client("organizations").disable_aws_service_access(ServicePrincipal=PRINCIPAL)
    found = [f for r in bench.run(ORGANIZATION).verify() for f in r.findings]
    assert {(f.check, f.ok, f.detail) for f in found} == {
        ("active", False, "DISABLED: AWS_SERVICE_ACCESS_DISABLED")
    }
    assert {r.step for r, _ in bench.diff(ORGANIZATION).changes} == {"access_analyzer_trusted_access"}


def test_a_missing_analyzer_fails_verification(bench: Bench) -> None:
    found = [f for r in bench.run(EXTERNAL).verify() for f in r.findings]
    assert {(f.resource, f.ok, f.detail) for f in found} == {
        ("external access analyzer external-access", False, "not there")
    }


@pytest.mark.parametrize("where", ["type: ORGANIZATION", "unused_access: {type: ORGANIZATION_UNUSED_ACCESS}"])
def test_the_zone_of_trust_is_the_same_for_all_accounts(bench: Bench, where: str) -> None:
    text = (
        EXTERNAL
        + f"accounts: {{all: true}}\noverrides: [{{ids: ['{MEMBER}'], access_analyzer: {{{where}}}}}]\n"
    )
    with pytest.raises(Exception, match="is the same for all accounts"):
        bench.baseline(text)
