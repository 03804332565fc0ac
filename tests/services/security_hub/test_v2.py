"""Tests of Security Hub V2: the laws, over a small file of its own, as the full profile does not ask for it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner import permissions
from provisioner.baseline import BaselineError
from provisioner.model import Kind
from provisioner.sandbox import store
from provisioner.sandbox.drift import Administrator, carry_out, every_break
from provisioner.steps.permission import ANY_ACCOUNT

from ...conftest import Bench
from ...laws import test_12_permissions_are_enough_and_used as test_12
from ...laws.full import calls, failures
from ...laws.test_06_faults_and_kills_converge import converges_after_a_fault, converges_after_a_kill
from ...laws.test_07_breaks_are_seen_and_repaired import problems
from ...permissions.sample import Caller, assert_well_formed, least, statement_actions, without
from ...sandbox.cases import Aws, Case, check
from .test_sandbox import call, then
from .test_steps import ACCOUNT, REGION, hub, notes, shown

REGIONS = f"{REGION}, eu-west-1"
ORGANIZATION = test_12.ORGANIZATION
SOME = "{region_linking_mode: SPECIFIED_REGIONS, linked_regions: [eu-west-1, eu-central-1]}"
V2 = hub(f"security_hub_v2: {{finding_aggregator: {SOME}}}", REGIONS)
ALL = V2.replace(SOME, "{region_linking_mode: ALL_REGIONS}")
ONLY_CSPM = hub("auto_enable_controls: true", REGIONS)


def breaks() -> list[Any]:
    """The breaks of Security Hub V2, each with the user who does it."""
    admin = [Administrator(ACCOUNT, each, home=each == REGION) for each in (REGION, "eu-west-1")]
    found = [each for each in every_break(admin, "security_hub") if "V2" in each[2].sentence]
    assert len(found) >= 4
    return found


# --- the laws ---


def test_it_is_enabled_with_a_note_on_the_bill_and_then_in_sync(bench: Bench) -> None:
    plan = bench.diff(V2)
    assert bench.world.writes == []
    assert len([x for x in notes(plan, Kind.WARNING) if x.startswith("changes the bill")]) == 2
    assert calls(bench.apply(V2)) == calls(plan)
    assert {
        ("Security Hub V2", "Security Hub V2"),
        ("Security Hub V2 aggregator", "RegionLinkingMode"),
        ("Security Hub V2 aggregator", "LinkedRegions"),
    } <= {*shown(plan)}
    bench.world.calls.clear()
    plan = bench.apply(V2)
    assert (plan.changes, bench.world.writes, notes(plan, Kind.WARNING)) == ([], [], [])
    assert {f.ok for r in bench.run(V2).verify() for f in r.findings} == {True}


def test_without_a_request_it_is_not_looked_at(bench: Bench) -> None:
    bench.apply(ONLY_CSPM)
    [*bench.run(ONLY_CSPM).verify()]
    assert {each.operation for each in bench.world.calls if "V2" in each.operation} == set()
    bench.apply(V2)
    assert bench.diff(ONLY_CSPM).changes == []
    bench.client("securityhub").update_aggregator_v2(
        AggregatorV2Arn=aggregator(bench)["AggregatorV2Arn"], RegionLinkingMode="ALL_REGIONS"
    )
    assert bench.diff(hub("security_hub_v2: {}", REGIONS)).changes == []


def aggregator(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = bench.world.memory["security_hub_v2_aggregators"][ACCOUNT]
    return found


def test_each_write_failing_once_converges_and_so_does_a_kill_after_it(bench: Bench) -> None:
    empty = store.capture(bench.world.memory)
    bench.apply(V2)
    for place in range(len(bench.world.writes)):
        converges_after_a_fault(bench, empty, place, V2)
        converges_after_a_kill(bench, empty, place, V2)


@pytest.mark.parametrize("text", [V2, ALL], ids=["some", "all"])
def test_each_break_is_shown_alone_and_repaired(bench: Bench, text: str) -> None:
    bench.apply(text)
    state = store.capture(bench.world.memory)
    for place in range(len(breaks())):
        bench.at(state)
        step, by, one = breaks()[place]
        assert carry_out(one), one.sentence
        run = bench.run(text)
        plan = run.rehearse()
        assert failures(plan.results) == []
        assert [*problems(plan, step, by.region, one)] == [], one.sentence
        bench.world.calls.clear()
        bench.send(run, plan)
        assert bool(bench.world.writes) is one.repaired, one.sentence
        assert bench.diff(text).changes == []


def test_the_permissions_are_enough_all_used_and_each_needed(bench: Bench) -> None:
    caller, empty = Caller(bench.world), store.capture(bench.world.memory)
    bench.apply(V2)
    for _, _, one in breaks():
        if one.field and one.repaired:
            carry_out(one)
    broken = store.capture(bench.world.memory)
    whole = least(V2, "apply")
    assert_well_formed(whole)
    for state in (empty, broken):
        bench.at(state)
        with caller.held_to(whole):
            bench.apply(V2)
    assert caller.denied == []
    ours = {each for each in statement_actions(whole) if "V2" in each[1]}
    assert len(ours) == 6
    assert ours - caller.taken() == set()
    for _, action in ours:
        caller.denials.clear()
        failed: list[str] = []
        for state in (broken, empty):
            bench.at(state)
            with caller.held_to(without(whole, action)):
                run = bench.run(V2)
                failed += failures(run.send(run.rehearse()))
        assert failed, f"{action} can be left out"
        assert set(caller.denied) == {action}


# --- what is particular ---


def test_fewer_regions_are_aggregated_with_a_consent_only(bench: Bench) -> None:
    bench.apply(ALL)
    exact = V2.replace("{region_linking", "{exact: true, region_linking")
    [(_, change)] = bench.diff(exact).changes
    assert change.consent == "aggregate-fewer-regions"
    assert bench.diff(V2).changes == []
    bench.apply(exact, allow=("aggregate-fewer-regions",))
    assert aggregator(bench)["LinkedRegions"] == ["eu-central-1", "eu-west-1"]


def test_an_aggregator_of_another_region_is_repaired_there_and_not_moved(bench: Bench) -> None:
    bench.apply(hub("security_hub_v2: {}", REGIONS))
    client = bench.client("securityhub", "eu-west-1")
    client.create_aggregator_v2(RegionLinkingMode="SPECIFIED_REGIONS", LinkedRegions=["us-west-2"])
    before = len(bench.world.writes)
    bench.apply(ALL)
    found = [(w.operation, w.region) for w in bench.world.writes[before:]]
    assert found == [("UpdateAggregatorV2", "eu-west-1")]
    assert bench.diff(ALL).changes == []


def test_where_a_policy_of_the_organization_decides_it_is_only_told(bench: Bench) -> None:
    bench.apply(ONLY_CSPM)
    bench.world.memory["effective_policies"] = {ACCOUNT: {"SECURITYHUB_POLICY": "{}"}}
    plan = bench.apply(V2)
    assert plan.changes == []
    told = notes(plan, Kind.OWNED)
    assert len(told) == 2
    assert all("the organization's SECURITYHUB_POLICY sets it" in each for each in told)


@pytest.mark.parametrize(
    ("aggregator", "message"),
    [
        ("{region_linking_mode: ALL_REGIONS, linked_regions: [eu-west-1]}", "is not taken with"),
        ("{region_linking_mode: SPECIFIED_REGIONS}", "is missing with"),
        ("{region_linking_mode: NO_REGIONS}", "ALL_REGIONS"),
    ],
)
def test_mistakes_in_the_file(bench: Bench, aggregator: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        bench.baseline(V2.replace(SOME, aggregator))


def test_the_aggregator_is_for_a_home_region_of_the_file(bench: Bench) -> None:
    with pytest.raises(BaselineError, match="is for `home_region`"):
        bench.baseline(V2.replace(f"regions: [{REGIONS}]", "regions: [eu-west-1]"))


# --- the sandbox ---

ON = call("enable_security_hub_v2")
MADE = call("create_aggregator_v2", RegionLinkingMode="ALL_REGIONS")


def listed(aws: Aws) -> int:
    return len(aws.securityhub.list_aggregators_v2()["AggregatorsV2"])


def on_aggregator(operation: str, **params: Any) -> Any:
    def do(aws: Aws) -> Any:
        arn = then(ON, MADE)(aws)["AggregatorV2Arn"]
        getattr(aws.securityhub, operation)(AggregatorV2Arn=arn, **params)
        return [listed(aws), aws.securityhub.get_aggregator_v2(AggregatorV2Arn=arn)["RegionLinkingMode"]]

    return do


def abroad(aws: Aws) -> int:
    then(ON, MADE)(aws)
    ON(aws.at("eu-west-1"))
    return listed(aws.at("eu-west-1"))


HUB, AGGREGATOR = "securityhub.v2", "securityhub.v2_aggregator"
SOME_REGIONS = {"RegionLinkingMode": "SPECIFIED_REGIONS", "LinkedRegions": ["eu-west-1"]}
CASES = [
    Case(HUB, "not there", call("describe_security_hub_v2"), "ResourceNotFoundException"),
    Case(HUB, "disabled", then(ON, call("disable_security_hub_v2"), call("describe_security_hub_v2")), "ResourceNotFoundException"),
    Case(HUB, "gone with it", then(ON, MADE, call("disable_security_hub_v2"), ON, listed), 0),
    Case(AGGREGATOR, "without the hub", MADE, "ResourceNotFoundException"),
    Case(AGGREGATOR, "twice", then(ON, MADE, MADE), "ConflictException"),
    Case(AGGREGATOR, "no mode", then(ON, call("create_aggregator_v2", RegionLinkingMode="NONE")), "ValidationException"),
    Case(AGGREGATOR, "no Regions", on_aggregator("update_aggregator_v2", RegionLinkingMode="SPECIFIED_REGIONS"), "ValidationException"),
    Case(AGGREGATOR, "updated", on_aggregator("update_aggregator_v2", **SOME_REGIONS), [1, "SPECIFIED_REGIONS"]),
    Case(AGGREGATOR, "deleted", on_aggregator("delete_aggregator_v2"), "ResourceNotFoundException"),
    Case(AGGREGATOR, "in every Region", abroad, 1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("accounts", ["", ORGANIZATION], ids=["one account", "organization"])
def test_the_policy_of_the_full_file_with_it_fits_into_a_managed_policy(
    monkeypatch: pytest.MonkeyPatch, accounts: str
) -> None:
    with_it = f"security_hub:\n  security_hub_v2: {{finding_aggregator: {SOME}}}"
    text = re.sub(r"(?m)^security_hub:.*", with_it, test_12.FULL)
    assert text != test_12.FULL
    monkeypatch.setattr(test_12, "FULL", text)
    parts = permissions.of_caller(test_12.in_every_region(accounts), ANY_ACCOUNT, "aws")
    policy = permissions.by_section(parts, test_12.PURPOSES)["security_hub"]
    assert permissions.size(policy) <= permissions.MANAGED_POLICY
