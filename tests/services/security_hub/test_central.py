"""Tests of central configuration: the laws, over a small file of its own, and what is particular to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.engine.plan import Plan
from provisioner.model import PENDING, Kind
from provisioner.sandbox import Fault, WireCall, store
from provisioner.sandbox.drift import Administrator, carry_out, every_break

from ...conftest import MEMBER, Bench, assume_account
from ...laws.full import calls, failures
from ...laws.test_06_faults_and_kills_converge import converges_after_a_fault, converges_after_a_kill
from ...laws.test_07_breaks_are_seen_and_repaired import problems
from ...permissions.sample import Caller, actions, assert_well_formed, least, statement_actions, without
from .test_organization import NAMED
from .test_steps import ACCOUNT, BEST, NIST, REGION, enable, hub, notes, shown

CENTRAL = (Path(__file__).parent / "central.yaml").read_text()
WORKLOAD = "444455556666"
OWNER = f"central configuration of account {MEMBER}"
CONFIGURATION = "organization configuration"
GOVERNED = (
    # What the policy sets, in its own account too.
    "disabled the standard|switched on|switched off|gave another reason"
)
# AWS takes these from nobody while the organization is configured centrally.
REFUSED = {f"deleted the hub in {REGION}", "deleted the hub in eu-west-1", "deleted the finding aggregator"}


@pytest.fixture
def administrator(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The administrator's account, which the management account has designated in both Regions."""
    for region in (REGION, "eu-west-1"):
        bench.client("securityhub", region).enable_organization_admin_account(AdminAccountId=MEMBER)
    assume_account(bench, monkeypatch, MEMBER)
    bench.world.calls.clear()
    return bench


def policy(bench: Bench, name: str = "everybody") -> dict[str, Any]:
    found = bench.world.memory["security_hub_policies"][MEMBER].values()
    return next(each for each in found if each["Name"] == name)


def associated(bench: Bench) -> dict[str, str]:
    """The name of the policy, or its id, that each target has."""
    names = {
        each["Id"]: each["Name"] for each in bench.world.memory["security_hub_policies"][MEMBER].values()
    }
    found = bench.world.memory["security_hub_associations"][MEMBER]
    return {
        target: names.get(x["ConfigurationPolicyId"], x["ConfigurationPolicyId"])
        for target, x in found.items()
    }


def start(bench: Bench, account: str, name: str) -> None:
    """Give an account the policy of that name, as somebody else."""
    bench.client("securityhub").start_configuration_policy_association(
        ConfigurationPolicyIdentifier=policy(bench, name)["Id"], Target={"AccountId": account}
    )


def administrators() -> list[Administrator]:
    """A user of the administrator's account who breaks things, in each Region."""
    return [Administrator(MEMBER, each, home=each == REGION) for each in (REGION, "eu-west-1")]


# --- the laws ---


def test_diff_shows_what_apply_does_and_a_second_apply_writes_nothing(administrator: Bench) -> None:
    plan = administrator.diff(CENTRAL)
    assert administrator.world.writes == []
    assert calls(administrator.apply(CENTRAL)) == calls(plan)
    writes = [each for each in administrator.world.writes if each.region == REGION]
    assert [each.operation for each in writes[:3]] == [
        "EnableSecurityHub",
        "CreateFindingAggregator",
        "UpdateOrganizationConfiguration",
    ]
    # None of them ever has the policy of the root.
    targets = [each.params["Target"] for each in writes if each.operation.startswith("StartC")]
    assert targets == [{"AccountId": ACCOUNT}, {"AccountId": WORKLOAD}, {"RootId": "r-sand"}]
    administrator.world.calls.clear()
    assert administrator.apply(CENTRAL).changes == []
    assert administrator.world.writes == []
    assert associated(administrator) == {
        "r-sand": "everybody",
        WORKLOAD: "few",
        ACCOUNT: "SELF_MANAGED_SECURITY_HUB",
    }


def test_each_write_failing_once_converges_and_so_does_a_kill_after_it(administrator: Bench) -> None:
    empty = store.capture(administrator.world.memory)
    administrator.apply(CENTRAL)
    for place in range(len(administrator.world.writes)):
        converges_after_a_fault(administrator, empty, place, CENTRAL)
        converges_after_a_kill(administrator, empty, place, CENTRAL)


def test_each_break_is_shown_alone_and_repaired(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    state = store.capture(administrator.world.memory)
    admin = administrators()
    sentences = [one.sentence for _, _, one in every_break(admin, "security_hub")]
    assert sum("the policy" in each for each in sentences) >= 8
    for place, sentence in enumerate(sentences):
        administrator.at(state)
        step, by, one = [*every_break(admin, "security_hub")][place]
        if not carry_out(one):
            assert sentence in REFUSED or re.match(GOVERNED, sentence), sentence
            continue
        run = administrator.run(CENTRAL)
        plan = run.rehearse()
        assert failures(plan.results) == []
        assert [*problems(plan, step, by.region, one)] == [], sentence
        administrator.world.calls.clear()
        administrator.send(run, plan)
        assert bool(administrator.world.writes) is one.repaired, sentence


def test_an_account_that_is_not_the_administrator_yet_sees_the_whole_plan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        assume_account(bench, patch, MEMBER)
        plan = bench.diff(CENTRAL)
    assert failures(plan.results) == []
    root = next(c for _, c in plan.changes if c.resource == "configuration of root")
    assert root.call.params["Target"] == {"RootId": PENDING}


def test_a_refused_write_stops_only_what_needs_it(administrator: Bench) -> None:
    def refuse(call: WireCall, phase: str) -> Fault | None:
        mine = call.operation == "CreateConfigurationPolicy" and call.params["Name"] == "everybody"
        return Fault("AccessDeniedException", 403, "no") if mine and phase == "before" else None

    administrator.world.interrupt(refuse)
    run = administrator.run(CENTRAL)
    found = [f for r in run.send(run.rehearse()) for f in r.failures]
    assert [(f.resource, f.untried) for f in found] == [
        ("configuration policy everybody", ("StartConfigurationPolicyAssociation",))
    ]
    assert associated(administrator) == {WORKLOAD: "few", ACCOUNT: "SELF_MANAGED_SECURITY_HUB"}


def test_the_permissions_are_enough_all_used_and_each_needed(administrator: Bench) -> None:
    caller, empty = Caller(administrator.world), store.capture(administrator.world.memory)
    administrator.apply(CENTRAL)
    for _, _, one in [*every_break(administrators(), "security_hub")]:
        if one.field and one.repaired:
            carry_out(one)
    broken = store.capture(administrator.world.memory)
    whole = least(CENTRAL, "apply", account=MEMBER)
    assert_well_formed(whole)
    for state in (empty, broken):
        administrator.at(state)
        with caller.held_to(whole, {MEMBER: whole}):
            administrator.apply(CENTRAL)
    assert caller.denied == []
    assert statement_actions(whole) - caller.taken(MEMBER) == set()
    central = [each for each in actions(whole) if "ConfigurationPolic" in each or each.endswith("ListRoots")]
    assert len(central) == 7
    for action in central:
        caller.denials.clear()
        failed: list[str] = []
        less = without(whole, action)
        for state in (broken, empty):
            administrator.at(state)
            with caller.held_to(less, {MEMBER: less}):
                run = administrator.run(CENTRAL)
                failed += failures(run.send(run.rehearse()))
        assert failed, f"{action} can be left out"
        assert set(caller.denied) == {action}


# --- what is particular ---


def test_the_switch_and_the_associations_are_waited_for(administrator: Bench) -> None:
    administrator.world.propagation = 3
    administrator.apply(CENTRAL)
    assert "central configuration to be enabled" in {each.until for each in administrator.waits}
    administrator.world.propagation = 0
    assert administrator.diff(CENTRAL).changes == []
    administrator.world.memory["fresh"] = {("association", MEMBER, "r-sand"): 100}
    plan = administrator.diff(CENTRAL)
    assert [(c.resource, d.have) for _, c in plan.changes for d in c.differences] == [
        ("configuration of root", "PENDING")
    ]
    findings = [f for r in administrator.run(CENTRAL).verify() for f in r.findings if f.ok is None]
    assert [(f.resource, f.detail) for f in findings] == [("configuration of root", "PENDING")]


def test_what_aws_could_not_do_is_told_with_its_reason_and_started_again(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    failed = {"AssociationStatus": "FAILED", "AssociationStatusMessage": "An account is suspended"}
    administrator.world.memory["security_hub_associations"][MEMBER]["r-sand"].update(failed)
    kept = administrator.world.memory["security_hub_organization"][MEMBER, REGION]
    kept["OrganizationConfiguration"] |= {"Status": "FAILED", "StatusMessage": "No trust"}
    plan = administrator.diff(CENTRAL)
    assert [(c.resource, d.field, d.have) for _, c in plan.changes for d in c.differences] == [
        (CONFIGURATION, "Status", "FAILED: No trust"),
        ("configuration of root", "AssociationStatus", "FAILED: An account is suspended"),
    ]
    findings = [f for r in administrator.run(CENTRAL).verify() for f in r.findings if f.ok is False]
    assert [f.detail for f in findings] == ["FAILED: No trust", "FAILED: An account is suspended"]
    administrator.apply(CENTRAL)
    assert administrator.diff(CENTRAL).changes == []
    assert {f.ok for r in administrator.run(CENTRAL).verify() for f in r.findings} == {True}


def test_a_policy_of_the_organization_takes_the_place_of_central_configuration(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    kept = administrator.world.memory["security_hub_organization"][MEMBER, REGION]
    kept["OrganizationConfiguration"] |= {"Status": "DISABLED"}
    plan = administrator.apply(CENTRAL)
    assert plan.changes == []
    [note] = notes(plan, Kind.OWNED)
    assert note.endswith("and the organization's SECURITYHUB_CSPM_POLICY sets it")


def test_what_the_file_leaves_out_stays(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    for left in (
        "description: What each account is checked for",
        "disabled_security_control_identifiers: [IAM.6]",
        "configuration_type: CENTRAL",
    ):
        text = CENTRAL.replace(left, "")
        if "CENTRAL" in left:
            text = hub(f'organization: {{administrator: "{MEMBER}"}}')
        assert administrator.diff(text).changes == []
    name = "everybody"
    hub_of = policy(administrator)["ConfigurationPolicy"]["SecurityHub"]
    hub_of["SecurityControlsConfiguration"]["SecurityControlCustomParameters"].append(
        {
            "SecurityControlId": "IAM.1",
            "Parameters": {"days": {"ValueType": "CUSTOM", "Value": {"Integer": 9}}},
        }
    )
    assert administrator.diff(CENTRAL).changes == []
    administrator.apply(CENTRAL.replace("What each", "All that each"))
    assert policy(administrator)["Description"] == "All that each account is checked for"
    controls = policy(administrator, name)["ConfigurationPolicy"]["SecurityHub"][
        "SecurityControlsConfiguration"
    ]
    assert [each["SecurityControlId"] for each in controls["SecurityControlCustomParameters"]] == [
        "Config.1",
        "IAM.1",
    ]


def test_a_policy_is_loosened_with_a_consent_only(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    looser = CENTRAL.replace("          - cis-aws-foundations-benchmark/v/5.0.0\n", "")
    looser = looser.replace("[IAM.6]", "[IAM.6, S3.1]")
    plan = administrator.diff(looser)
    assert (plan.changes, len(notes(plan, Kind.STRICTER))) == ([], 2)
    exact = looser.replace("        description:", "        exact: true\n        description:")
    assert {c.consent for _, c in administrator.diff(exact).changes} >= {"loosen-configuration-policy"}
    administrator.apply(exact, allow=("loosen-configuration-policy",))
    assert administrator.diff(exact).changes == []


def test_a_policy_that_was_off_gets_all_controls(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    off = {"SecurityHub": {"ServiceEnabled": False}}
    arn = policy(administrator)["Arn"]
    administrator.client("securityhub").update_configuration_policy(Identifier=arn, ConfigurationPolicy=off)
    text = CENTRAL.replace("        disabled_security_control_identifiers: [IAM.6]\n", "")
    administrator.apply(text)
    controls = policy(administrator)["ConfigurationPolicy"]["SecurityHub"]["SecurityControlsConfiguration"]
    assert controls["DisabledSecurityControlIdentifiers"] == []


def test_another_policy_of_a_target_is_replaced_with_a_consent_only(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    start(administrator, WORKLOAD, "everybody")
    run = administrator.run(CENTRAL)
    plan = run.rehearse()
    [change] = [c for _, c in plan.changes]
    assert (change.consent, change.loses) == (
        "replace-configuration-policy",
        f"{WORKLOAD} no longer has the configuration policy everybody",
    )
    assert notes(plan, Kind.FOREIGN) == [f"others gave it to {WORKLOAD} too, which keeps it"]
    assert [c.consent for r in run.send(plan) for c in r.withheld] == ["replace-configuration-policy"]
    administrator.apply(CENTRAL, allow=("replace-configuration-policy",))
    assert associated(administrator)[WORKLOAD] == "few"


def test_a_unit_has_a_policy_too(administrator: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.backends import get_backend

    [unit] = [x.id for x in get_backend("organizations")[ACCOUNT]["aws"].ou if x.name == "Workloads"]
    text = CENTRAL.replace('"444455556666"', unit)
    administrator.apply(text)
    assert associated(administrator)[unit] == "few"
    assert administrator.diff(text).changes == []


def test_back_to_local_needs_a_consent_and_no_policy(administrator: Bench) -> None:
    administrator.apply(CENTRAL)
    back = NAMED.replace("auto_enable: true", "configuration_type: LOCAL, auto_enable: true")
    run = administrator.run(back)
    [failure] = [f for r in run.rehearse().results for f in r.failures]
    assert failure.resource == CONFIGURATION
    assert "there are everybody, few: take each from its targets" in failure.message
    client = administrator.client("securityhub")
    for each in client.list_configuration_policy_associations()["ConfigurationPolicyAssociationSummaries"]:
        key = "RootId" if each["TargetType"] == "ROOT" else "AccountId"
        client.start_configuration_policy_disassociation(
            ConfigurationPolicyIdentifier=each["ConfigurationPolicyId"], Target={key: each["TargetId"]}
        )
    for each in client.list_configuration_policies()["ConfigurationPolicySummaries"]:
        client.delete_configuration_policy(Identifier=each["Id"])
    run = administrator.run(back)
    plan = run.rehearse()
    assert [(c.consent, [d.field for d in c.differences]) for _, c in plan.changes] == [
        ("leave-central-configuration", ["AutoEnable", "ConfigurationType"])
    ]
    run.send(plan)
    assert administrator.diff(back).changes != []
    administrator.apply(back, allow=("leave-central-configuration",))
    kept = administrator.world.memory["security_hub_organization"][MEMBER, REGION]
    assert (kept["AutoEnable"], kept["OrganizationConfiguration"]["ConfigurationType"]) == (True, "LOCAL")


def test_what_new_accounts_got_is_switched_off_with_the_switch(administrator: Bench) -> None:
    administrator.apply(NAMED)
    plan = administrator.diff(CENTRAL)
    assert [field for resource, field in shown(plan) if resource == CONFIGURATION] == [
        "AutoEnable",
        "ConfigurationType",
        "Status",
    ]
    administrator.apply(CENTRAL)
    assert administrator.diff(CENTRAL).changes == []


def owned(plan: Plan) -> list[str]:
    return [text for text in notes(plan, Kind.OWNED) if text.endswith(f"and {OWNER} sets it")]


def test_in_a_governed_account_what_is_local_is_told_and_not_written(
    administrator: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = CENTRAL.replace("  auto_enable", f"  standards: {{{NIST}: {{}}}}\n  auto_enable")
    administrator.apply(CENTRAL)
    plan = administrator.apply(local)
    assert (plan.changes, len(owned(plan))) == ([], 2)  # its own standards, in two Regions
    monkeypatch.undo()  # as the administrator may not enter other accounts
    assume_account(administrator, monkeypatch, WORKLOAD)
    administrator.one_process = False
    plan = administrator.apply(local, only=("security_hub",))
    assert (plan.changes, len(owned(plan))) == ([], 2)
    home_only = local.replace("ALL_REGIONS", "NO_REGIONS")
    plan = administrator.diff(home_only, only=("security_hub",))
    assert {r.target.region for r, _ in plan.changes} == {"eu-west-1"}  # which no policy reaches


def test_a_governed_account_has_what_its_policy_says(
    administrator: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CENTRAL.replace("  auto_enable", f"  standards: {{{BEST}: {{}}}}\n  auto_enable")
    administrator.apply(CENTRAL)
    monkeypatch.undo()  # as the administrator may not enter other accounts
    assume_account(administrator, monkeypatch, WORKLOAD)
    administrator.one_process = False
    plan = administrator.diff(text, only=("security_hub",))
    assert (plan.changes, owned(plan)) == ([], [])
    run = administrator.run(text, only=("security_hub",))
    details = [f.detail for r in run.verify() if r.step == "security_hub" for f in r.findings]
    assert [each.partition(":")[0] for each in details] == ["enabled", "INCOMPLETE"] * 2  # AWS Config is off
    for region in (REGION, "eu-west-1"):
        on = [each for each in ("Config.1", "IAM.6", "S3.1") if is_on(administrator, each, region)]
        assert on == ["IAM.6", "S3.1"]


def is_on(bench: Bench, control: str, region: str) -> bool:
    client = bench.client("securityhub", region)
    found = client.list_standards_control_associations(SecurityControlId=control)
    return {each["AssociationStatus"] for each in found["StandardsControlAssociationSummaries"]} == {
        "ENABLED"
    }


def test_a_self_managed_account_sets_itself_up(
    bench: Bench, administrator: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    administrator.apply(CENTRAL)
    monkeypatch.undo()
    text = CENTRAL.replace("  auto_enable", f"  standards: {{{BEST}: {{}}}}\n  auto_enable")
    plan = bench.apply(text)
    assert ("Security Hub", "EnableDefaultStandards") in shown(plan)
    assert owned(plan) == []


def test_the_management_account_cannot_be_the_administrator(bench: Bench) -> None:
    bench.world.memory["security_hub_administrators"] = {(ACCOUNT, REGION): ACCOUNT}
    enable(bench)
    run = bench.run(
        CENTRAL.replace(f'administrator: "{MEMBER}"', f'administrator: "{ACCOUNT}"').replace(
            '    self_managed: ["123456789012"]\n', ""
        )
    )
    found = [f.message for r in run.rehearse().results for f in r.failures]
    assert any(
        each.startswith("the management account cannot configure Security Hub centrally") for each in found
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("configuration_type: CENTRAL", "configuration_type: LOCAL", "needs `configuration_type: CENTRAL`"),
        ("configuration_type: CENTRAL", "configuration_type: CENTRAL\n    auto_enable: true", "goes without"),
        (
            "  finding_aggregator: { region_linking_mode: ALL_REGIONS }\n",
            "",
            "CENTRAL needs a `finding_aggregator`",
        ),
        ("targets: [root]", 'targets: ["444455556666"]', "is named twice"),
        ("targets: [root]", "targets: [r-sand]", "want 'root'"),
        ("{ boolean: false }", "{ boolean: false, integer: 1 }", "want one value under its type"),
        (
            "description:",
            "service_enabled: false\n        description:",
            "goes without `service_enabled: false`",
        ),
        (
            "disabled_security_control_identifiers: [IAM.6]",
            "disabled_security_control_identifiers: [IAM.6]\n        enabled_security_control_identifiers: [IAM.1]",
            "drop one of the two",
        ),
    ],
)
def test_mistakes_in_the_file(bench: Bench, old: str, new: str, message: str) -> None:
    assert old in CENTRAL
    with pytest.raises(BaselineError, match=message):
        bench.baseline(CENTRAL.replace(old, new))
