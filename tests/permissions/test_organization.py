"""Tests that the policies of an organization, the caller's and the role's in each account, are enough and all used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner import permissions
from provisioner.aws.errors import ClientError
from provisioner.baseline import parse
from provisioner.engine.plan import Plan
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Command, Job
from provisioner.fleet.results import find_failed_needs
from provisioner.model import Result
from provisioner.sandbox import open_sandbox, store
from provisioner.sandbox.drift import Administrator
from provisioner.sandbox.rules.account import regions
from provisioner.services.cloudtrail.delivery import CLOUDTRAIL
from provisioner.steps.registry import all_sections

from ..conftest import Bench, assume_account, one_in
from ..situations.test_organization import Organization, as_account
from .sample import (
    Caller,
    actions,
    break_everything,
    least,
    role_least,
    statement_actions,
    without,
)

MANAGEMENT, ARCHIVE, WORKLOAD, CLOSED = "123456789012", "111122223333", "444455556666", "777788889999"
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
    object_ownership: BucketOwnerEnforced
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
class Setup:
    """An organization, and the runs of a file in it."""

    bench: Bench
    organization: Organization
    members: list[str]  # the accounts that the file includes

    @classmethod
    def make(cls, bench: Bench, text: str = TEXT, caller: str = USER) -> Setup:
        """Make five accounts, each with the role; the file excludes the organizational unit of one of them."""
        organization = Organization(bench, accounts=4)
        every = bench.world.organization(6, units={"Suspended": 1}, states={}, tags=lambda member: {})
        members = [each.id for each in every if each.state == "ACTIVE" and each.unit != "Suspended"]
        made = cls(bench, organization, members)
        made.open_regions()
        accounts = parse(text, "baseline.yaml", all_sections(), {}).general.accounts
        assert accounts is not None
        # IAM refuses a trust policy with a principal that does not exist.
        bench.client("iam").create_user(UserName="sandbox")
        trust = json.dumps(permissions.trust(accounts, caller, "aws"))
        for each in members:
            if each != caller.split(":")[4]:
                iam = made.client(each, "iam")
                iam.create_role(RoleName="baseline", Path="/security/", AssumeRolePolicyDocument=trust)
        return made

    def open_regions(self) -> None:
        """Disable all but two Regions."""
        for region in {*regions("aws")} - {*ENABLED}:
            self.bench.world.disable(region)

    def run(self, command: Command, text: str = TEXT, only: tuple[str, ...] = ()) -> list[Result]:
        """Run a command over the whole organization in one thread, and return its results."""
        fleet = replace(self.organization.fleet(text), single_threaded=True)
        accounts = fleet.select(AccountFilter(accounts=only)).accounts
        central = fleet.once()
        central.single_threaded = True
        once = central.verify() if command == "verify" else list(central.rehearse().results)
        reading: Command = "verify" if command == "verify" else "diff"
        outcomes = [
            fleet.run_job(Job(reading, each, failed_needs=find_failed_needs(once))) for each in accounts
        ]
        if command == "apply":
            sent = central.send(Plan(tuple(once)))
            once = [*sent, *central.settle(sent)]
            jobs = (Job("apply", o.account, o.regions, find_failed_needs(once), o.results) for o in outcomes)
            outcomes = [fleet.run_job(job) for job in jobs]
        return [*once, *(result for outcome in outcomes for result in (*outcome.results, *outcome.unseen))]

    def break_everything(self) -> None:
        """Break every setting in each account by hand."""
        admin = [
            Administrator(account, region, region == "us-east-1", self.session(account))
            for account in self.members
            for region in ENABLED
        ]
        break_everything(admin)

    def session(self, account: str) -> Any:
        """As much of a boto3 session of the account as Administrator needs."""
        return SimpleNamespace(client=lambda service, region_name: self.client(account, service, region_name))

    def client(self, account: str, service: str, region: str = "us-east-1") -> Any:
        """A client of an administrator of the account."""
        if account == MANAGEMENT:
            return self.bench.client(service, region)
        return as_account(self.bench, account, service, region)


@pytest.fixture
def setup(bench: Bench) -> Setup:
    return Setup.make(bench)


@pytest.fixture
def caller(bench: Bench) -> Caller:
    return Caller(bench.world)


def failures(results: Iterable[Result]) -> list[str]:
    return [f"{r.step} in {r.target.account}: {r.failure}" for r in results if r.failure is not None]


class Policies:
    """The policies of the caller, of the role in the log archive, and of the role in every other account."""

    def __init__(self, setup: Setup, *purposes: str, text: str = TEXT, account: str = MANAGEMENT):
        self.caller = least(text, *purposes, account=account)
        self.archive = role_least(text, *purposes, account=ARCHIVE)
        self.other = role_least(text, *purposes)
        self.others = [each for each in setup.members if each not in {account, ARCHIVE}]

    @property
    def roles(self) -> dict[str, Mapping[str, Any]]:
        """The policy of the role in each account."""
        return {**dict.fromkeys(self.others, self.other), ARCHIVE: self.archive}

    def without(self, name: str, action: str) -> Policies:
        """The same policies, one of them without an action."""
        made = object.__new__(Policies)
        made.__dict__.update(self.__dict__)
        setattr(made, name, without(getattr(self, name), action))
        return made


def test_they_are_enough_and_all_of_them_used(setup: Setup, caller: Caller) -> None:
    policies_for = {purpose: Policies(setup, purpose) for purpose in ("diff", "verify", "apply")}
    unused = {
        (purpose, name): statement_actions(getattr(policies, name))
        for purpose, policies in policies_for.items()
        for name in ("caller", "archive", "other")
    }
    for broken in (False, True):
        if broken:
            setup.break_everything()
        for purpose, policies in policies_for.items():
            with caller.held_to(policies.caller, policies.roles):
                results = setup.run(purpose)  # type: ignore[arg-type]
                assert failures(results) == []
                if purpose == "apply":
                    assert any(r.changes for r in results)
                    assert not any(c.consent is None for r in setup.run("diff") for c in r.changes)
            unused[purpose, "caller"] -= caller.taken()
            unused[purpose, "archive"] -= caller.taken(ARCHIVE)
            unused[purpose, "other"] -= caller.taken(*policies.others)
    assert caller.denials == []
    assert {key: left for key, left in unused.items() if left} == {}


def test_they_are_enough_for_a_delegated_administrator(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    role = f"arn:aws:iam::{WORKLOAD}:role/OrganizationAccountAccessRole"
    setup = Setup.make(bench, caller=role)
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=WORKLOAD)
    bench.client("organizations").enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    policies = Policies(setup, "verify", "apply", account=WORKLOAD)
    assume_account(bench, monkeypatch, WORKLOAD)
    caller = Caller(bench.world)
    with caller.held_to({}, {**policies.roles, WORKLOAD: policies.caller}):
        assert failures(setup.run("apply")) == []
        assert failures(setup.run("verify")) == []
        assert not any(c.consent is None for r in setup.run("diff") for c in r.changes)
    assert caller.denials == []


LISTED = TEXT.replace(
    "  all: true\n  exclude: {organizational_units: [Suspended], tags: {baseline: none}}\n",
    f'  ids: ["{ARCHIVE}", "{WORKLOAD}"]\n',
).replace("is_organization_trail: true", "is_organization_trail: false")


def test_only_listed_accounts_are_entered_and_the_organization_is_not_read(
    setup: Setup, caller: Caller
) -> None:
    policies = Policies(setup, "verify", "apply", text=LISTED)
    entering = next(each for each in policies.caller["Statement"] if "sts:AssumeRole" in each["Action"])
    assert entering["Resource"] == [
        f"arn:aws:iam::{each}:role/security/baseline" for each in (ARCHIVE, WORKLOAD)
    ]
    assert "Condition" not in entering
    assert not [each for each in actions(policies.caller) if each.startswith(("config:", "iam:", "account:"))]
    assert {each for each in actions(policies.caller) if each.startswith("organizations:")} == {
        "organizations:DescribeAccount"
    }
    with caller.held_to(policies.caller, policies.roles):
        assert failures(setup.run("apply", LISTED)) == []
        assert failures(setup.run("verify", LISTED)) == []
        assert not any(r.changes for r in setup.run("diff", LISTED))
    assert caller.denials == []
    assert ("TrailsRead", "cloudtrail:DescribeTrails") in caller.taken(ARCHIVE), (
        "to know whether the trail is the organization's"
    )


@pytest.mark.parametrize("purpose", ["diff", "verify", "apply"])
def test_a_closed_account_that_the_file_lists_is_skipped_with_the_printed_policy(
    setup: Setup, caller: Caller, purpose: Command
) -> None:
    closed = LISTED.replace(f', "{WORKLOAD}"]', f', "{WORKLOAD}", "{CLOSED}"]', 1)
    policies = Policies(setup, purpose, text=closed)
    with caller.held_to(policies.caller, policies.roles):
        assert failures(setup.run(purpose, closed)) == []
    assert ("AccountStateRead", "organizations:DescribeAccount") in caller.taken()
    assert caller.denials == []


# --- nothing can be left out ---


@pytest.fixture(scope="module")
def states() -> tuple[bytes, bytes, list[str]]:
    """The accounts empty and broken, as the sandbox saves them, and their ids; made once, because it takes seconds."""
    with open_sandbox(None) as world:
        setup = Setup.make(Bench(world))
        empty = store.capture(world.memory)
        assert failures(setup.run("apply")) == []
        setup.break_everything()
        broken = store.capture(world.memory)
        for cloud in setup.bench.clouds:
            cloud.close(wait=True)
    return empty, broken, setup.members


PLAIN = "310000000002"  # no override applies to it
# Law 12 does the same for what the steps call; these are the actions that an organization adds, and one step of each policy.
NEEDED = {
    "": (  # the caller
        "sts:AssumeRole sts:TagSession account:ListRegions organizations:ListAccounts organizations:ListRoots"
        " organizations:ListTagsForResource organizations:ListOrganizationalUnitsForParent"
        " organizations:ListAccountsForParent organizations:DescribeOrganization cloudtrail:CreateTrail"
    ),
    ARCHIVE: "account:ListRegions organizations:DescribeOrganization s3:CreateBucket config:PutDeliveryChannel",
    WORKLOAD: "account:ListRegions iam:PutRolePolicy iam:PassRole config:TagResource",
    PLAIN: "iam:CreateServiceLinkedRole",
}


@pytest.mark.parametrize(
    ("account", "action"),
    [(account, each) for account, names in NEEDED.items() for each in names.split()[:: one_in(3)]],
)
def test_without_any_one_of_its_actions_a_run_is_denied_it(
    bench: Bench, states: tuple[bytes, bytes, list[str]], account: str, action: str
) -> None:
    empty, broken, members = states
    setup, caller = Setup(bench, Organization(bench, accounts=4), members), Caller(bench.world)
    setup.open_regions()
    policies = Policies(setup, "verify", "apply").without(
        {"": "caller", ARCHIVE: "archive"}.get(account, "other"), action
    )
    failed: list[str] = []
    for state, command in ((broken, "verify"), (broken, "apply"), (empty, "apply")):
        if failed:
            break
        bench.world.memory = store.restore(state)
        with caller.held_to(policies.caller, policies.roles):
            try:
                failed = failures(setup.run(command, only=(account,) if account else (MANAGEMENT, WORKLOAD)))  # type: ignore[arg-type]
            except ClientError as error:  # the accounts cannot be listed
                failed = [str(error)]
    assert failed != []
    assert set(caller.denials) == {(account, action)}
