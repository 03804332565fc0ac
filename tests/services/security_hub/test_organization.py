"""Tests of the finding aggregator, and of the administrator of an organization and what it sets."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.model import Kind, Result
from provisioner.sandbox import seed

from ...conftest import MEMBER, Bench, assume_account
from ...permissions.sample import Caller, least
from .test_steps import ACCOUNT, REGION, enable, hub, notes, shown

OTHER = "444455556666"
TITLE = "finding aggregator"
REGIONS = f"{REGION}, eu-west-1, eu-central-1"


def linked(mode: str, regions: str = "", more: str = "") -> str:
    named = f", regions: [{regions}]" if regions else ""
    return hub(f"finding_aggregator: {{region_linking_mode: {mode}{named}{more}}}", REGIONS)


def make(bench: Bench, mode: str, *regions: str, region: str = REGION) -> Any:
    client = enable(bench, region=region)
    client.create_finding_aggregator(RegionLinkingMode=mode, **({"Regions": [*regions]} if regions else {}))
    return client


def aggregated(bench: Bench) -> tuple[str, list[str]]:
    [kept] = bench.world.memory["security_hub_aggregators"].values()
    return kept["RegionLinkingMode"], sorted(kept["Regions"])


@pytest.mark.parametrize(
    ("have", "want", "fields"),
    [
        (("NO_REGIONS",), ("ALL_REGIONS",), ["RegionLinkingMode"]),
        (("NO_REGIONS",), ("SPECIFIED_REGIONS", "eu-west-1"), ["RegionLinkingMode"]),
        (("SPECIFIED_REGIONS", "eu-west-1"), ("ALL_REGIONS",), ["RegionLinkingMode"]),
        (("SPECIFIED_REGIONS", "eu-west-1"), ("SPECIFIED_REGIONS", "eu-west-1, eu-central-1"), ["Regions"]),
        (
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-1", "eu-west-2"),
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-2"),
            ["Regions"],
        ),
    ],
)
def test_an_aggregator_is_repaired(
    bench: Bench, have: tuple[str, ...], want: tuple[str, ...], fields: list[str]
) -> None:
    make(bench, *have)
    plan = bench.apply(linked(*want))
    assert [field for resource, field in shown(plan) if resource == TITLE] == fields
    assert aggregated(bench) == (want[0], sorted(", ".join(want[1:]).split(", ") if want[1:] else []))
    assert bench.diff(linked(*want)).changes == []


@pytest.mark.parametrize(
    ("have", "want", "merged"),
    [
        (
            ("SPECIFIED_REGIONS", "us-west-2", "eu-west-1"),
            ("SPECIFIED_REGIONS", "eu-west-1, eu-central-1"),
            ("SPECIFIED_REGIONS", ["eu-central-1", "eu-west-1", "us-west-2"]),
        ),
        (
            ("SPECIFIED_REGIONS", "us-west-2"),
            ("SPECIFIED_REGIONS", "eu-west-1"),
            ("SPECIFIED_REGIONS", ["eu-west-1", "us-west-2"]),
        ),
        (
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-1", "eu-west-2"),
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-2, eu-west-3"),
            ("ALL_REGIONS_EXCEPT_SPECIFIED", ["eu-west-2"]),
        ),
        (
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-1"),
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-3"),
            ("ALL_REGIONS", []),
        ),
    ],
)
def test_no_region_of_an_aggregator_is_dropped_without_consent(
    bench: Bench, have: tuple[str, ...], want: tuple[str, ...], merged: tuple[str, list[str]]
) -> None:
    make(bench, *have)
    plan = bench.apply(linked(*want))
    assert len(notes(plan, Kind.STRICTER)) == 1
    assert aggregated(bench) == merged
    assert bench.diff(linked(*want)).changes == []
    exact = linked(*want, more=", exact: true")
    [(_, change)] = bench.diff(exact).changes
    assert change.consent == "aggregate-fewer-regions"
    bench.apply(exact, allow=("aggregate-fewer-regions",))
    assert aggregated(bench) == (want[0], sorted(want[1].split(", ")))


@pytest.mark.parametrize(
    ("have", "want"),
    [
        (("ALL_REGIONS",), ("SPECIFIED_REGIONS", "eu-west-1")),
        (("ALL_REGIONS",), ("NO_REGIONS",)),
        (("SPECIFIED_REGIONS", "eu-west-1", "eu-west-2"), ("SPECIFIED_REGIONS", "eu-west-1")),
        (
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-1"),
            ("ALL_REGIONS_EXCEPT_SPECIFIED", "eu-west-1, eu-west-2"),
        ),
    ],
)
def test_an_aggregator_of_more_regions_is_stricter(
    bench: Bench, have: tuple[str, ...], want: tuple[str, ...]
) -> None:
    make(bench, *have)
    plan = bench.apply(linked(*want))
    assert len(notes(plan, Kind.STRICTER)) == 1
    assert aggregated(bench) == (have[0], sorted(have[1:]))
    exact = linked(want[0], ", ".join(want[1:]), ", exact: true")
    bench.apply(exact, allow=("aggregate-fewer-regions",))
    assert aggregated(bench) == (want[0], ", ".join(want[1:]).split(", ") if want[1:] else [])
    assert bench.diff(exact).changes == []


def test_an_aggregator_of_another_region_is_repaired_there_and_not_moved(bench: Bench) -> None:
    make(bench, "SPECIFIED_REGIONS", "us-west-2", region="eu-west-1")
    text = linked("SPECIFIED_REGIONS", "eu-west-1")
    before = len(bench.world.writes)
    plan = bench.apply(text)
    found = [(w.operation, w.region) for w in bench.world.writes[before:] if "Aggregator" in w.operation]
    assert found == [("UpdateFindingAggregator", "eu-west-1")]
    assert aggregated(bench) == ("SPECIFIED_REGIONS", ["us-east-1", "us-west-2"])
    assert [n for n in notes(plan, Kind.WARNING) if "findings are aggregated in eu-west-1" in n]
    assert bench.diff(text).changes == []


def test_the_findings_of_a_member_are_aggregated_by_its_administrator(bench: Bench) -> None:
    enable(bench)
    bench.world.memory["security_hub_members"] = {(ACCOUNT, REGION): MEMBER}
    text = hub("finding_aggregator: {region_linking_mode: ALL_REGIONS}")
    plan = bench.apply(text)
    assert (plan.changes, len(notes(plan, Kind.OWNED))) == ([], 1)
    theirs = f"arn:aws:securityhub:{REGION}:{MEMBER}:finding-aggregator/1"
    made = {
        "FindingAggregatorArn": theirs,
        "FindingAggregationRegion": REGION,
        "RegionLinkingMode": "NO_REGIONS",
    }
    bench.world.memory["security_hub_aggregators"] = {MEMBER: {**made, "Regions": []}}
    plan = bench.apply(text)
    assert (plan.changes, notes(plan, Kind.OWNED)) == ([], [])


NAMED = hub(
    f'organization: {{administrator: "{MEMBER}", auto_enable: true, auto_enable_standards: NONE}}',
    f"{REGION}, eu-west-1",
)


def administrators(bench: Bench) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = bench.world.memory["security_hub_administrators"]
    return found


def result_of(bench: Bench, text: str, step: str, region: str = REGION) -> Result:
    return next(r for r in bench.diff(text).results if (r.step, r.target.region) == (step, region))


def test_the_administrator_is_designated_in_each_region(bench: Bench) -> None:
    bench.apply(NAMED)
    assert administrators(bench) == {(ACCOUNT, REGION): MEMBER, (ACCOUNT, "eu-west-1"): MEMBER}
    assert bench.diff(NAMED).changes == []


def test_another_administrator_is_never_replaced(bench: Bench) -> None:
    bench.client("securityhub").enable_organization_admin_account(AdminAccountId=OTHER)
    result = result_of(bench, NAMED, "security_hub_administrator")
    assert result.failure is not None
    assert result.failure.message.startswith(
        f"account {OTHER} administers Security Hub in {REGION}, and is not"
    )
    assert result_of(bench, NAMED, "security_hub_administrator", "eu-west-1").changes != []


def test_only_the_management_account_designates(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assume_account(bench, monkeypatch, OTHER)
    failure = result_of(bench, NAMED, "security_hub_administrator").failure
    assert failure is not None
    assert failure.message == (
        f"only the management account designates the administrator: run this in account {seed.MANAGEMENT}, or leave"
        " `security_hub.organization` out"
    )


def test_without_an_organization_there_is_no_administrator(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, "999999999999")
    failure = result_of(bench, NAMED, "security_hub_administrator").failure
    assert failure is not None
    assert failure.message == "this account is in no organization: set `security_hub.organization`"


@pytest.fixture
def administrator(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The administrator's account, which the management account has designated in both Regions."""
    for region in (REGION, "eu-west-1"):
        bench.client("securityhub", region).enable_organization_admin_account(AdminAccountId=MEMBER)
    assume_account(bench, monkeypatch, MEMBER)
    return bench


def test_the_administrator_sets_what_new_accounts_get(administrator: Bench) -> None:
    plan = administrator.apply(NAMED)
    assert [x for x in shown(plan) if x[0] == "organization configuration"] == [
        ("organization configuration", field) for field in ("AutoEnable", "AutoEnableStandards")
    ] * 2
    assert administrator.diff(NAMED).changes == []
    looser = NAMED.replace("auto_enable: true", "auto_enable: false")
    plan = administrator.diff(looser)
    assert (plan.changes, len(notes(plan, Kind.STRICTER))) == ([], 2)
    assert administrator.diff(NAMED.replace(", auto_enable_standards: NONE", "")).changes == []


def test_an_account_that_is_not_the_administrator_yet_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        assume_account(bench, patch, MEMBER)
        text = NAMED.replace(", eu-west-1", "")
        run = bench.run(text)
        plan = run.rehearse()
        assert ("organization configuration", "AutoEnable") in shown(plan)
        failures = [f for r in run.send(plan) for f in r.failures]
    assert [(f.resource, f.code) for f in failures] == [
        ("organization configuration", "InvalidAccessException")
    ]
    assert "the account to become the administrator" in {each.until for each in bench.waits}


def test_central_configuration_is_told_and_never_fought(administrator: Bench) -> None:
    administrator.apply(NAMED)
    for kept in administrator.world.memory["security_hub_organization"].values():
        central = {"ConfigurationType": "CENTRAL", "Status": "ENABLED"}
        kept.update(AutoEnable=False, AutoEnableStandards="NONE", OrganizationConfiguration=central)
    plan = administrator.apply(NAMED)
    assert plan.changes == []
    assert (
        notes(plan, Kind.OWNED)
        == [
            "AutoEnable is False; the baseline asks for True, and the central configuration of Security Hub sets it"
        ]
        * 2
    )


def test_the_permissions_of_the_administrator_are_enough(administrator: Bench) -> None:
    caller = Caller(administrator.world)
    policy = least(NAMED, "apply", account=MEMBER)
    with caller.held_to(policy, {MEMBER: policy}):
        administrator.apply(NAMED)
    assert caller.denied == []
