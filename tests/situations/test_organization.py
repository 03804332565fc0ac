"""Test of an organization of 50 accounts with throttling, outages and connection resets.

One account cannot be entered, one is suspended, one has a recorder of its own, and one Region is denied. One run brings
everything else to the baseline, and the next one writes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest

from provisioner.aws import identify
from provisioner.aws.cloud import Cloud
from provisioner.engine.plan import Plan
from provisioner.fleet.accounts import AccountFilter, SelectedAccounts
from provisioner.fleet.fleet import Command, Fleet, Job, member_role
from provisioner.fleet.results import find_failed_needs
from provisioner.fleet.workers import JobsDone, Threads, run_jobs
from provisioner.model import Outcome, Result
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.faults import RandomFaults
from provisioner.sandbox.world import World

from ..conftest import EXAMPLE, Bench

MANAGEMENT = "123456789012"
ARCHIVE = "111122223333"
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
FORBIDDEN = "ap-southeast-2"
TEXT = (
    EXAMPLE.replace("regions: [us-east-1]", f"regions: [{', '.join(REGIONS)}]")
    + f"\naccounts: {{all: true, log_archive: '{ARCHIVE}'}}\n"
    + "overrides:\n- organizational_units: [Workloads/Prod]\n  password_policy: {minimum_password_length: 20}\n"
)
UNITS = {"Workloads": 30, "Workloads/Prod": 10, "Suspended": 1}


@dataclass
class Ran:
    """The results of one run over the organization."""

    selected: SelectedAccounts
    once: list[Result]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def results(self) -> list[Result]:
        return [*self.once, *(r for o in self.outcomes.values() for r in o.results)]

    def plan(self) -> Plan:
        return Plan(tuple(self.results()))


class Organization:
    """An organization in the sandbox, and runs of a file over it."""

    everyone = AccountFilter()

    def __init__(self, bench: Bench, accounts: int = 50):
        self.bench, self.world = bench, bench.world
        every = bench.world.organization(accounts, units=UNITS if accounts == 50 else {})
        self.members = [each.id for each in every if each.state == "ACTIVE"]
        self.suspended = {each.id for each in every} - {*self.members}

    def fleet(self, text: str = TEXT) -> Fleet:
        """A new fleet, as a new process makes one."""
        baseline = self.bench.baseline(text)
        cloud = Cloud(on_wait=self.bench.waits.append, clock=self.bench.clock, workers=8)
        self.bench.clouds.append(cloud)
        who = identify(cloud, "us-east-1")
        cloud.keyring.role = member_role(baseline.general.accounts, who, "us-east-1")
        return Fleet(cloud, baseline, who)

    def run(self, command: Command, text: str = TEXT) -> Ran:
        """Compare every account, and with `apply` also change it."""
        fleet = self.fleet(text)
        ran = Ran(fleet.select(AccountFilter()), [])
        once = fleet.once()
        plan = once.rehearse()
        ran.once = list(plan.results)
        failed_needs = find_failed_needs(ran.once)
        self._run_jobs(
            fleet, ran, [Job("diff", each, failed_needs=failed_needs) for each in ran.selected.accounts]
        )
        if command == "diff":
            return ran
        ran.once = once.send(plan)
        assert once.settle(ran.once) == []
        failed_needs = find_failed_needs(ran.once)
        jobs = [Job.to_apply(o, failed_needs) for o in ran.outcomes.values() if o.drifted]
        self._run_jobs(fleet, ran, jobs)
        return ran

    def _run_jobs(self, fleet: Fleet, ran: Ran, jobs: Iterable[Job]) -> None:
        def on_done(delivered: JobsDone) -> None:
            ran.outcomes.update({o.account.id: o for o in delivered.outcomes})

        workers = Threads(fleet, 4)
        run_jobs(workers, jobs, on_done, Event())
        workers.close()


@pytest.fixture
def organization(bench: Bench) -> Organization:
    return Organization(bench)


def as_account(bench: Bench, account: str, service: str, region: str = "us-east-1") -> Any:
    """A client with credentials of another account."""
    arn = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    keys = bench.client("sts").assume_role(RoleArn=arn, RoleSessionName="them")["Credentials"]
    return bench.client(
        service,
        region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def refuse_entry(account: str) -> Callable[[WireCall, str], Fault | None]:
    def refuse(call: WireCall, phase: str) -> Fault | None:
        entry = call.operation == "AssumeRole" and f":{account}:" in str(call.params.get("RoleArn"))
        text = f"User is not authorized to perform: sts:AssumeRole on resource: {call.params.get('RoleArn')}"
        return Fault("AccessDenied", 403, text) if entry and phase == "before" else None

    return refuse


def effects(world: World, since: int) -> Counter[tuple[str, str, str, str]]:
    """The writes that succeeded: account, Region, operation and parameters."""
    return Counter(
        (call.account, call.region, call.operation, json.dumps(call.params, sort_keys=True, default=str))
        for call in world.calls[since:]
        if call.writes and call.code is None
    )


def give_recorder(bench: Bench, account: str) -> None:
    """Create a recorder of another owner in one Region of the account."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    theirs = as_account(bench, account, "iam")
    theirs.create_role(RoleName="their-recorder", AssumeRolePolicyDocument=json.dumps(trust))
    recorder = {"name": "legacy", "roleARN": f"arn:aws:iam::{account}:role/their-recorder"}
    config = as_account(bench, account, "config", "eu-west-1")
    config.put_configuration_recorder(ConfigurationRecorder=recorder)


def planned(ran: Ran) -> Counter[tuple[str, str, str]]:
    return Counter(
        (r.target.account, c.call.region or r.target.region, c.call.name) for r, c in ran.plan().changes
    )


def test_fifty_accounts_with_faults(bench: Bench, organization: Organization) -> None:
    world, members = bench.world, organization.members
    denied, foreign = members[10], members[20]
    give_recorder(bench, foreign)
    world.interrupt(refuse_entry(denied))
    world.deny("*", "*", region=FORBIDDEN, scp="p-regions1")
    faults = RandomFaults(seed=4, throttles=0.04, outages=0.03, resets=0.02)
    world.interrupt(faults)

    before = len(world.writes)
    compared = organization.run("diff")
    assert len(world.writes) == before, "diff writes nothing"
    assert {x.account for x in compared.selected.skipped} == organization.suspended
    assert set(compared.outcomes) == set(members)
    assert_only_denied(compared, denied)
    skipped = {(x.account, x.region) for o in compared.outcomes.values() for x in o.skipped}
    assert skipped == {(each, FORBIDDEN) for each in members if each not in {denied, MANAGEMENT}}
    assert [
        n for r in compared.outcomes[foreign].results for n in r.notes if "legacy" in f"{n.resource}{n.text}"
    ]

    since = len(world.calls)
    done = organization.run("apply")
    assert_only_denied(done, denied)
    assert [o.unseen for o in done.outcomes.values() if o.unseen] == []
    made = effects(world, since)
    assert max(made.values()) == 1, "nothing is done twice"
    assert Counter((account, region, name) for account, region, name, _ in made.elements()) == planned(
        compared
    )
    assert sum(faults.given.values()) > 100, "calls failed"

    before = len(world.writes)
    again = organization.run("apply")
    assert len(world.writes) == before, "the second run writes nothing"
    assert again.plan().changes == []
    assert_lengths(bench, done, denied)


def assert_only_denied(ran: Ran, denied: str) -> None:
    """Only this account failed, because it could not be entered."""
    [entry] = [r for r in ran.results() if not r.ok]
    assert (entry.step, entry.target.account) == ("account", denied)
    assert entry.failure
    assert entry.failure.code == "AccessDenied"
    assert entry.failure.doing == f"assuming arn:aws:iam::{denied}:role/OrganizationAccountAccessRole"


def assert_lengths(bench: Bench, ran: Ran, denied: str) -> None:
    """The override applies to the accounts of its organizational unit, and to no others."""
    found: Counter[tuple[int, bool]] = Counter()
    for outcome in ran.outcomes.values():
        account = outcome.account
        if account.id not in {denied, MANAGEMENT}:
            policy = as_account(bench, account.id, "iam").get_account_password_policy()["PasswordPolicy"]
            found[policy["MinimumPasswordLength"], "Workloads/Prod" in account.units] += 1
    assert set(found) == {(20, True), (14, False)}
    assert found[20, True] in {9, 10}
