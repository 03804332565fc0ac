"""A file with every setting, the resources of others that it names, ways to break it, and a caller held to a policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from provisioner import permissions
from provisioner.baseline import parse
from provisioner.cli import run as command
from provisioner.compare.policy import document
from provisioner.compare.policy_eval import applies
from provisioner.engine.plan import Plan
from provisioner.model import Change
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.actions import acts
from provisioner.sandbox.authorize import authorize, filled
from provisioner.sandbox.drift import Administrator, carry_out, every_break
from provisioner.sandbox.reference import find_action
from provisioner.sandbox.world import World
from provisioner.services.cloudtrail.delivery import CLOUDTRAIL
from provisioner.steps.permission import ANY_ACCOUNT
from provisioner.steps.registry import all_sections

from ..conftest import EXAMPLE, Bench
from ..surroundings import kms_log_key, sns_topic

ACCOUNT = "123456789012"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
REGIONS = "regions: [us-east-1]"
TWO_REGIONS = EXAMPLE.replace(REGIONS, "regions: [us-east-1, eu-west-1]")
EVERYTHING = f"""
organization_name: acme
home_region: us-east-1
{REGIONS}
log_buckets:
  trail:
    name: "acme-trail-${{account_id}}"
    tags: {{team: security}}
    object_lock: {{mode: GOVERNANCE, days: 30}}
  config:
    name: "acme-config-${{account_id}}"
    object_ownership: BucketOwnerEnforced
    exact: true
    server_side_encryption: {{sse_algorithm: "aws:kms", kms_master_key_id: "{KEY}"}}
    tags: {{team: security}}
    lifecycle_rules: [{{id: archive, expiration: {{days: 2555}}}}]
cloudtrail:
  name: audit
  s3_bucket_name: trail
  s3_key_prefix: trails
  is_organization_trail: true
  kms_key_id: alias/audit
  sns_topic_name: audit
  cloud_watch_logs_log_group_arn: "arn:aws:logs:us-east-1:{ACCOUNT}:log-group:audit:*"
  cloud_watch_logs_role_arn: arn:aws:iam::{ACCOUNT}:role/audit
  insight_selectors: [{{insight_type: ApiCallRateInsight}}]
  event_selectors: [{{read_write_type: All}}]
  tags: {{team: security}}
config:
  role_name: recorder
  recorder:
    recording_group: {{all_supported: true, include_global_resource_types: true}}
    recording_mode: {{recording_frequency: CONTINUOUS}}
  delivery_channel:
    s3_bucket_name: config
    s3_key_prefix: history
    s3_kms_key_arn: "{KEY}"
    sns_topic_arn: "arn:aws:sns:${{region}}:{ACCOUNT}:config"
    delivery_frequency: Six_Hours
  retention_period_in_days: 2557
  rules:
    tagged: {{source_identifier: ENCRYPTED_VOLUMES, tags: {{team: security}}}}
    at-home: {{source_identifier: IAM_ROOT_ACCESS_KEY_CHECK, home_region_only: true}}
password_policy: {{minimum_password_length: 14, max_password_age: 90, hard_expiry: true}}
"""
EVERYWHERE = EVERYTHING.replace(REGIONS, "regions: [us-east-1, eu-west-1]")


def role_least(text: str, *purposes: str, account: str = ANY_ACCOUNT) -> dict[str, Any]:
    """The policy that `provision permissions --member` prints."""
    baseline = parse(text, "baseline.yaml", all_sections(), {})
    return permissions.policy(permissions.of_role(baseline, account, "aws"), purposes or ("apply",))


def least(text: str, *purposes: str, account: str = ACCOUNT, partition: str = "aws") -> dict[str, Any]:
    """The policy that `provision permissions` prints."""
    baseline = parse(text, "baseline.yaml", all_sections(), {})
    return permissions.policy(permissions.of_caller(baseline, account, partition), purposes or ("apply",))


def actions(policy: Mapping[str, Any]) -> list[str]:
    """Every action that the policy names."""
    return sorted({action for each in policy["Statement"] for action in each["Action"]})


def by_sid(policy: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in policy["Statement"]}


def statement_actions(policy: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Each Sid with each of its actions."""
    return {(each["Sid"], action) for each in policy["Statement"] for action in each["Action"]}


def run_permissions(capfd: Any, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `provision permissions`."""
    capfd.readouterr()
    code = command(["permissions", *arguments])
    return code, *capfd.readouterr()


def without(policy: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The policy without the action."""
    rest = [{**s, "Action": [a for a in s["Action"] if a != action]} for s in policy["Statement"]]
    return {**policy, "Statement": [s for s in rest if s["Action"]]}


CLOSES = {"ec2:DisableSerialConsoleAccess"}  # actions that switch off a way in, and no protection
GLOBAL = ("aws:RequestedRegion", "aws:ResourceOrgID")  # condition keys that every request has


def assert_well_formed(policy: Mapping[str, Any]) -> None:
    """Actions, resources and condition keys are those of AWS's Service Authorization Reference.

    The resource `*` is allowed only for actions without resources and for reads, and no action may stop or delete.
    """
    assert policy["Version"] == "2012-10-17"
    sids = [each["Sid"] for each in policy["Statement"]]
    assert sorted(set(sids)) == sorted(sids)
    assert [sid for sid in sids if not sid.isalnum()] == []
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        resources = statement["Resource"]
        keys = [key for each in statement.get("Condition", {}).values() for key in each]
        for name in statement["Action"]:
            harms = re.search(":(Delete|Stop|Disable|Remove|Untag|Detach|Deregister)|[*]", name)
            assert not harms or name in CLOSES
            action = find_action(name)
            assert action is not None, f"AWS has no action {name}"
            assert action.name == name
            of_resources = {key for kind in action.resources for key in kind.conditions}
            assert set(keys) <= {*action.conditions, *of_resources, *GLOBAL}, (
                f"{name} has no such condition key"
            )
            if resources == "*":
                assert not action.resources or action.levels <= {"List", "Read"}, f"{name} can be narrower"
                continue
            for resource in [resources] if isinstance(resources, str) else resources:
                assert any(kind.fits(resource) for kind in action.resources), (
                    f"{name} is not about {resource}"
                )
                assert not resource.endswith(":*")


class Caller:
    """A caller without limits, except while it is held to a policy; and the roles that it assumes, each with its own.

    In `denials` and `taken` a role is named by its account, and the caller itself by "".
    """

    def __init__(self, world: World):
        self.denials: list[tuple[str, str]] = []
        self._used: set[tuple[str, str, str]] = set()  # role, Sid, action
        self._policies: Mapping[str, Mapping[str, Any]] = {}
        world.interrupt(self._gate)

    @property
    def denied(self) -> list[str]:
        """The actions that were denied to the caller or a role."""
        return [action for _, action in self.denials]

    def _gate(self, call: WireCall, phase: Any) -> Fault | None:
        role = call.account if ":assumed-role/" in call.caller else ""
        policy = self._policies.get(role)
        if policy is None or phase != "before":
            return None
        fault = authorize(policy)(call, phase)
        if fault is not None:
            self.denials.append((role, fault.message.split(" perform: ")[1].split(" ")[0]))
        document = filled(json.dumps(policy), call)
        for act in acts(call):
            for statement in document["Statement"]:
                if applies(statement, act, identity=True):
                    self._used.add((role, statement["Sid"], act.action))
        return fault

    def taken(self, *roles: str) -> set[tuple[str, str]]:
        """Sid and action of what the caller, or these roles, used since the last call of this method."""
        found = {each for each in self._used if each[0] in (roles or ("",))}
        self._used -= found
        return {(sid, action) for _, sid, action in found}

    @contextmanager
    def held_to(
        self, policy: Mapping[str, Any], roles: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Iterator[None]:
        """Until the block ends, the caller has only *policy*, and the role in each account only that of *roles*."""
        self._policies = {"": policy, **(roles or {})}
        try:
            yield
        finally:
            self._policies = {}


def make_surroundings(bench: Bench) -> None:
    """Create the resources that the file names and expects to exist."""
    from moto.backends import get_backend

    kms, iam, logs = (bench.client(service) for service in ("kms", "iam", "logs"))
    statements = kms_log_key("aws", ACCOUNT, trail_arn=TRAIL, config_accounts=ACCOUNT)
    key = kms.create_key(Policy=json.dumps(document(statements)))["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/audit", TargetKeyId=key)
    backend = get_backend("kms")[ACCOUNT]["us-east-1"]  # the key gets the id that the file has
    made = backend.keys.pop(key)
    made.id, made.arn = KEY.rpartition("/")[2], KEY
    backend.keys[made.id] = made
    for alias in made.aliases.values():
        alias.target_key_id = made.id
    for region, name in (("us-east-1", "audit"), ("us-east-1", "config"), ("eu-west-1", "config")):
        topic = sns_topic(f"arn:aws:sns:{region}:{ACCOUNT}:{name}", trail_arn=TRAIL, config_accounts=ACCOUNT)
        attributes = {"Policy": json.dumps(document(topic))}
        bench.client("sns", region).create_topic(Name=name, Attributes=attributes)
    logs.create_log_group(logGroupName="audit")
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="audit", AssumeRolePolicyDocument=json.dumps(document([trust])))
    iam.put_role_policy(RoleName="audit", PolicyName="logs", PolicyDocument=json.dumps(document([allow])))


LOOKED_AT = {"remove-foreign-policy", "remove-foreign-replication"}


def break_everything(admin: Sequence[Administrator]) -> None:
    """Break every setting of what `apply` has made, in each way that the services register with `@breaks`.

    What others did and of which `diff` must read more is done, too, and kept.
    """
    for _, _, one in [*every_break(admin)]:
        if one.field and (one.repaired or one.consent in LOOKED_AT):
            carry_out(one)


def without_consent(plan: Plan) -> list[Change]:
    """The changes that need no consent."""
    return [change for _, change in plan.changes if change.consent is None]
