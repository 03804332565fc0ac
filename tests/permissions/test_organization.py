"""The printed policies of an organization: enough for the caller and for the role in each account, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from provisioner import permissions
from provisioner.aws.errors import ClientError
from provisioner.baseline import parse
from provisioner.engine.plan import Plan
from provisioner.engine.run import Run
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Command, Job, failed_steps
from provisioner.model import Result
from provisioner.sandbox import open_sandbox, store
from provisioner.sandbox.rules.account import regions
from provisioner.services.cloudtrail.delivery import CLOUDTRAIL
from provisioner.steps.registry import all_sections

from ..conftest import Bench, become
from ..situations.test_organization import Organization, as_account
from .sample import (
    Caller,
    actions,
    break_bucket,
    break_config,
    break_role,
    break_trail,
    least,
    role_least,
    without,
)

MANAGEMENT, ARCHIVE, WORKLOAD = "123456789012", "111122223333", "444455556666"
ENABLED = ("us-east-1", "eu-west-1")
USER = f"arn:aws:iam::{MANAGEMENT}:user/sandbox"
TEXT = f"""
organization_name: acme
home_region: us-east-1
regions: all
accounts:
  all: true
  exclude: {{organizational_units: [Suspended], tags: {{baseline: none}}}}
  log_archive: "{ARCHIVE}"
  role_name: security/baseline
  external_id: handshake
  session_tags: {{run: baseline}}
overrides:
- ids: ["{WORKLOAD}"]
  config: {{role_name: recorder, rules: {{tagged: {{tags: {{team: security}}}}}}}}
log_buckets:
  logs:
    name: "acme-logs-${{account_id}}"
    tags: {{team: security}}
    lifecycle_rules: [{{id: archive, expiration: {{days: 2555}}}}]
    policy_statements:  # a recorder with a role of its own delivers as that role
    - Sid: Recorders
      Effect: Allow
      Principal: {{AWS: "*"}}
      Action: ["s3:GetBucketAcl", "s3:PutObject"]
      Resource: ["arn:aws:s3:::acme-logs-${{account_id}}", "arn:aws:s3:::acme-logs-${{account_id}}/*"]
      Condition: {{StringEquals: {{"aws:PrincipalOrgID": o-sandbox12345}}}}
cloudtrail:
  name: audit
  s3_bucket_name: logs
  s3_key_prefix: trails
  is_organization_trail: true
  event_selectors: [{{read_write_type: All}}]
  insight_selectors: [{{insight_type: ApiCallRateInsight}}]
  tags: {{team: security}}
config:
  recorder:
    recording_group: {{all_supported: true, include_global_resource_types: true}}
    recording_mode: {{recording_frequency: CONTINUOUS}}
  delivery_channel: {{s3_bucket_name: logs, s3_key_prefix: history, delivery_frequency: Six_Hours}}
  retention_period_in_days: 2557
  rules:
    at-home: {{source_identifier: IAM_ROOT_ACCESS_KEY_CHECK, home_region_only: true}}
    tagged: {{source_identifier: ENCRYPTED_VOLUMES}}
password_policy: {{minimum_password_length: 14}}
"""


@dataclass
class Place:
    """The organization, and a file that is carried out in it."""

    bench: Bench
    organization: Organization
    members: list[str]  # the accounts that the file is for

    @classmethod
    def make(cls, bench: Bench, text: str = TEXT, caller: str = USER) -> Place:
        """Five accounts in two Regions, one of them in a unit that the file leaves out; each has the role."""
        organization = Organization(bench, accounts=4)
        every = bench.world.organization(6, units={"Suspended": 1}, states={}, tags=lambda member: {})
        members = [each.id for each in every if each.state == "ACTIVE" and each.unit != "Suspended"]
        made = cls(bench, organization, members)
        made.open_regions()
        accounts = parse(text, "baseline.yaml", all_sections(), {}).general.accounts
        assert accounts is not None
        bench.client("iam").create_user(UserName="sandbox")  # a trust policy names nobody who is not there
        trust = json.dumps(permissions.trust(accounts, caller, "aws"))
        for each in members:
            if each != caller.split(":")[4]:
                iam = made.client(each, "iam")
                iam.create_role(RoleName="baseline", Path="/security/", AssumeRolePolicyDocument=trust)
        return made

    def open_regions(self) -> None:
        """Nobody has enabled more Regions than two."""
        for region in {*regions("aws")} - {*ENABLED}:
            self.bench.world.disable(region)

    def carry_out(self, command: Command, text: str = TEXT, only: tuple[str, ...] = ()) -> list[Result]:
        """The results of the whole run, as the command line would make it; one after the other."""
        fleet = replace(self.organization.fleet(text), alone=True)
        accounts = fleet.select(AccountFilter(accounts=only)).accounts
        run = fleet.once()
        run.alone = True
        once = run.verify() if command == "verify" else list(run.rehearse().results)
        looking: Command = "verify" if command == "verify" else "diff"
        seen = [fleet.run_job(Job(looking, each, lost=failed_steps(once))) for each in accounts]
        if command == "apply":
            once = self._sent(run, once)
            jobs = (Job("apply", o.account, o.regions, failed_steps(once), o.results) for o in seen)
            seen = [fleet.run_job(job) for job in jobs]
        return [*once, *(result for outcome in seen for result in (*outcome.results, *outcome.unseen))]

    def _sent(self, central: Run, planned: list[Result]) -> list[Result]:
        sent = central.send(Plan(tuple(planned)))
        return [*sent, *central.settle(sent)]

    def break_everything(self) -> None:
        """Somebody in each account undoes what the file asks for."""
        for account in self.members:
            for region in ENABLED:
                break_config(self.client(account, "config", region))
            iam = self.client(account, "iam")
            break_role(iam)
            iam.delete_account_password_policy()
        break_trail(self.client(MANAGEMENT, "cloudtrail"), "audit")
        self.client(MANAGEMENT, "organizations").disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
        break_bucket(self.client(ARCHIVE, "s3"), f"acme-logs-{ARCHIVE}")

    def client(self, account: str, service: str, region: str = "us-east-1") -> Any:
        """Somebody's client in the account."""
        if account == MANAGEMENT:
            return self.bench.client(service, region)
        return as_account(self.bench, account, service, region)


@pytest.fixture
def place(bench: Bench) -> Place:
    return Place.make(bench)


@pytest.fixture
def caller(bench: Bench) -> Caller:
    return Caller(bench.world)


def failures(results: Iterable[Result]) -> list[str]:
    return [f"{r.step} in {r.target.account}: {r.failure}" for r in results if r.failure is not None]


class Policies:
    """What is printed for the caller, the log archive and every other account."""

    def __init__(self, place: Place, *purposes: str, text: str = TEXT, account: str = MANAGEMENT):
        self.caller = least(text, *purposes, account=account)
        self.archive = role_least(text, *purposes, account=ARCHIVE)
        self.other = role_least(text, *purposes)
        self.in_sync = [each for each in place.members if each not in {account, ARCHIVE}]

    @property
    def roles(self) -> dict[str, Mapping[str, Any]]:
        """The policy of the role in each account."""
        return {**dict.fromkeys(self.in_sync, self.other), ARCHIVE: self.archive}

    def without(self, whose: str, action: str) -> Policies:
        """The same, but one of them lacks an action."""
        made = object.__new__(Policies)
        made.__dict__.update(self.__dict__)
        setattr(made, whose, without(getattr(self, whose), action))
        return made


def printed(policy: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(each["Sid"], action) for each in policy["Statement"] for action in each["Action"]}


def test_it_is_enough_and_all_of_it_is_used(place: Place, caller: Caller) -> None:
    held = {purpose: Policies(place, purpose) for purpose in ("diff", "verify", "apply")}
    unused = {
        (purpose, whose): printed(getattr(policies, whose))
        for purpose, policies in held.items()
        for whose in ("caller", "archive", "other")
    }
    for broken in (False, True):
        if broken:
            place.break_everything()
        for purpose, policies in held.items():
            with caller.held_to(policies.caller, policies.roles):
                results = place.carry_out(purpose)  # type: ignore[arg-type]
                assert failures(results) == []
                if purpose == "apply":
                    assert any(r.changes for r in results)
                    assert not any(r.changes for r in place.carry_out("diff"))
            unused[purpose, "caller"] -= caller.taken()
            unused[purpose, "archive"] -= caller.taken(ARCHIVE)
            unused[purpose, "other"] -= caller.taken(*policies.in_sync)
    assert caller.denials == []
    assert {key: left for key, left in unused.items() if left} == {}


def test_it_is_enough_for_a_delegated_administrator_who_enters_the_management_account(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"arn:aws:iam::{WORKLOAD}:role/OrganizationAccountAccessRole"
    place = Place.make(bench, caller=role)
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=WORKLOAD)
    bench.client("organizations").enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    policies = Policies(place, "verify", "apply", account=WORKLOAD)
    become(bench, monkeypatch, WORKLOAD)
    caller = Caller(bench.world)
    with caller.held_to({}, {**policies.roles, WORKLOAD: policies.caller}):
        assert failures(place.carry_out("apply")) == []
        assert failures(place.carry_out("verify")) == []
        assert not any(r.changes for r in place.carry_out("diff"))
    assert caller.denials == []


LISTED = TEXT.replace(
    "  all: true\n  exclude: {organizational_units: [Suspended], tags: {baseline: none}}\n",
    f'  ids: ["{ARCHIVE}", "{WORKLOAD}"]\n',
).replace("is_organization_trail: true", "is_organization_trail: false")


def test_listed_accounts_are_the_only_ones_that_are_entered_and_nobody_is_asked_for_others(
    place: Place, caller: Caller
) -> None:
    policies = Policies(place, "verify", "apply", text=LISTED)
    entering = next(each for each in policies.caller["Statement"] if "sts:AssumeRole" in each["Action"])
    assert entering["Resource"] == [
        f"arn:aws:iam::{each}:role/security/baseline" for each in (ARCHIVE, WORKLOAD)
    ]
    assert "Condition" not in entering
    assert not [each for each in actions(policies.caller) if each.startswith(("config:", "iam:", "account:"))]
    assert {each for each in actions(policies.caller) if each.startswith("organizations:")} == set()
    with caller.held_to(policies.caller, policies.roles):
        assert failures(place.carry_out("apply", LISTED)) == []
        assert failures(place.carry_out("verify", LISTED)) == []
        assert not any(r.changes for r in place.carry_out("diff", LISTED))
    assert caller.denials == []
    assert ("TrailsRead", "cloudtrail:DescribeTrails") in caller.taken(ARCHIVE), (
        "whether it is the organization's"
    )


# --- nothing can be left out ---


@pytest.fixture(scope="module")
def states() -> tuple[bytes, bytes, list[str]]:
    """The accounts empty and broken, as the sandbox saves them, and which they are: made once, for it costs seconds."""
    with open_sandbox(None) as world:
        place = Place.make(Bench(world))
        empty = store.capture(world.memory)
        assert failures(place.carry_out("apply")) == []
        place.break_everything()
        broken = store.capture(world.memory)
        for cloud in place.bench.clouds:
            cloud.close(wait=True)
    return empty, broken, place.members


# What the steps call is left out action by action in test_permissions.py; here is what an organization adds, and one or two
# actions of each step. The account in which each is missed comes first: the caller's own is "".
PLAIN = "310000000002"  # for which no override counts
NEEDED = [
    *(
        ("", action)
        for action in (
            *(
                "sts:AssumeRole",
                "sts:TagSession",
                "account:ListRegions",
                "organizations:DescribeOrganization",
            ),
            *("organizations:ListAccounts", "organizations:ListRoots", "organizations:ListTagsForResource"),
            *("organizations:ListOrganizationalUnitsForParent", "organizations:ListAccountsForParent"),
            *("organizations:EnableAWSServiceAccess", "cloudtrail:CreateTrail", "cloudtrail:LookupEvents"),
            *("config:PutConfigurationRecorder", "iam:UpdateAccountPasswordPolicy"),
        )
    ),
    *(
        (ARCHIVE, action)
        for action in (
            *(
                "organizations:DescribeOrganization",
                "account:ListRegions",
                "s3:CreateBucket",
                "s3:ListBucket",
            ),
            *("s3:PutBucketPolicy", "config:PutDeliveryChannel", "iam:GetAccountPasswordPolicy"),
        )
    ),
    *(
        (WORKLOAD, action)
        for action in (
            *("account:ListRegions", "iam:PutRolePolicy", "iam:PassRole", "config:TagResource"),
            *("config:ListTagsForResource", "config:GetDiscoveredResourceCounts"),
        )
    ),
    (PLAIN, "iam:CreateServiceLinkedRole"),
    (PLAIN, "config:PutRetentionConfiguration"),
]


@pytest.mark.parametrize(
    ("who", "action"), NEEDED, ids=[f"{who or 'caller'}-{action}" for who, action in NEEDED]
)
def test_without_any_one_of_its_actions_a_run_is_denied_it(
    bench: Bench, states: tuple[bytes, bytes, list[str]], who: str, action: str
) -> None:
    empty, broken, members = states
    place, caller = Place(bench, Organization(bench, accounts=4), members), Caller(bench.world)
    place.open_regions()
    policies = Policies(place, "verify", "apply").without(
        {"": "caller", ARCHIVE: "archive"}.get(who, "other"), action
    )
    failed: list[str] = []
    for state, command in ((broken, "verify"), (broken, "apply"), (empty, "apply")):
        if failed:
            break
        bench.world.memory = store.restore(state)
        with caller.held_to(policies.caller, policies.roles):
            try:
                failed = failures(place.carry_out(command, only=(who,) if who else (MANAGEMENT, WORKLOAD)))  # type: ignore[arg-type]
            except ClientError as error:  # there are no accounts then
                failed = [str(error)]
    assert failed != []
    assert set(caller.denials) == {(who, action)}
