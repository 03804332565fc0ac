"""An IAM service role: its trust policy, managed policies and inline policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from ..aws import Aws, Reading
from ..compare import policy
from ..compare.policy import Document, Statement, arn
from ..compare.policy_dangers import ANYTHING, Protected, dangers, first_allowed, first_denied
from ..model import Change, Changes, Difference, Exists, Kind, Note, Target, Wait, create, update
from .delivery import with_sources_in_use
from .organization import own_organization
from .permission import APPLY, Condition, Permission, allow
from .registry import all_harmful_actions, consents
from .statements import statements

consents("remove-foreign-policy", "remove-foreign-trust")

# With these, a role can give itself or others every permission, or take away the keys and the organization.
_ESCALATIONS: Final = (
    *("iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:CreateAccessKey", "iam:PassRole", "sts:AssumeRole"),
    *("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "organizations:LeaveOrganization"),
)
# On some resources a role may well have these.
_OFTEN_LIMITED: Final = {"iam:PassRole", "sts:AssumeRole"}


@dataclass(frozen=True)
class Role:
    """The role to ensure: trust statements, ARNs of managed policies, and inline policies by name."""

    name: str
    description: str
    trust: Sequence[Statement]
    managed: Sequence[str] = ()
    managed_actions: Sequence[str] = ()  # samples of what the managed policies allow, and the role needs
    inline: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    usable_without: bool = False  # AWS lets others use it before it has its inline policies
    # Whether the source of an ARN uses the role now: its permission to assume it is kept.
    in_use: Callable[[str], bool] = lambda arn: False
    # What an inline policy is to be where AWS has one of its name.
    merge: Callable[[Document | None, Mapping[str, Any]], Mapping[str, Any]] = lambda have, want: want


def ask_role(aws: Aws, region: str, name: str) -> Reading:
    """Start reading a role. Use the same *region* for all targets: IAM is global, and equal reads are made once."""
    return aws.read("iam", region).get_role(RoleName=name)


def role(aws: Aws, region: str, want: Role) -> Changes:
    """Ensure that the role exists with its trust statements and policies. Foreign policies are kept, with a note."""
    read, name, resource = aws.read("iam", region), want.name, f"role {want.name}"
    role_read = ask_role(aws, region, name)
    attached_read = read.list_attached_role_policies(RoleName=name)
    names_read = read.list_role_policies(RoleName=name)
    inline_reads = {each: read.get_role_policy(RoleName=name, PolicyName=each) for each in want.inline}
    have = role_read.value("Role", "NoSuchEntity")
    attached = [each["PolicyArn"] for each in attached_read.value("AttachedPolicies", "NoSuchEntity") or []]
    names = names_read.value("PolicyNames", "NoSuchEntity") or []
    inline = {each: reading.value("PolicyDocument", "NoSuchEntity") for each, reading in inline_reads.items()}
    if have is not None:
        yield Exists(resource)
        if boundary := have.get("PermissionsBoundary"):
            text = f"has the boundary {boundary['PermissionsBoundaryArn']}: what that does not allow, it cannot do"
            yield Note(Kind.WARNING, resource, text)
    yield from _trust(aws, want, role_read, have)
    for each in (each for each in want.managed if each not in attached):
        call = aws.write("iam").attach_role_policy(RoleName=name, PolicyArn=each).waiting(_role_visible(name))
        attach = update(resource, (Difference("AttachedPolicies", attached, [*attached, each]),), call)
        yield replace(attach, enables=True)
    for policy_name, document in want.inline.items():
        merged = want.merge(inline[policy_name], document)
        for change in _inline(aws, name, policy_name, inline[policy_name], merged):
            call = change.call if have is None else change.call.based_on(inline_reads[policy_name])
            yield replace(change, call=call, completes=not want.usable_without)
    yield from _foreign(aws, region, want, attached, names)


def _trust(aws: Aws, want: Role, reading: Reading, have: Mapping[str, Any] | None) -> Changes:
    resource, write = f"role {want.name}", aws.write("iam")
    if have is None:
        document = policy.document(want.trust)
        call = write.create_role(
            RoleName=want.name,
            AssumeRolePolicyDocument=policy.compact(document),
            Description=want.description,
        )
        call = call.or_done("EntityAlreadyExists")
        yield replace(create(resource, {"AssumeRolePolicyDocument": document}, call), enables=True)
        return
    protected = Protected(
        resource="",
        account=aws.account,
        region=aws.region,
        writes=("sts:AssumeRole",),
        partition=aws.partition,
        organization=lambda: own_organization(aws),
    )
    found = {policy.sid_of(each): each for each in policy.statements(have.get("AssumeRolePolicyDocument"))}
    yield from statements(
        resource,
        have.get("AssumeRolePolicyDocument"),
        [with_sources_in_use(found.get(each["Sid"]), each, want.in_use) for each in want.trust],
        lambda document: write.update_assume_role_policy(
            RoleName=want.name, PolicyDocument=policy.compact(document)
        ).based_on(reading.at("Role", "AssumeRolePolicyDocument")),
        partition=aws.partition,
        what="trust statement",
        dangers=lambda foreign: dangers(foreign, want.trust, protected),
        consent="remove-foreign-trust",
    )


def _foreign(aws: Aws, region: str, want: Role, attached: Sequence[str], names: Sequence[str]) -> Changes:
    """Note the policies that others gave the role, and offer to take away those that give it power over the baseline."""
    read, write, resource = aws.read("iam", region), aws.write("iam"), f"role {want.name}"
    managed = {each: read.get_policy(PolicyArn=each) for each in attached if each not in want.managed}
    inline = {
        name: read.get_role_policy(RoleName=want.name, PolicyName=name)
        for name in names
        if name not in want.inline
    }
    versions = {
        each: read.get_policy_version(PolicyArn=each, VersionId=reading.get("Policy")["DefaultVersionId"])
        for each, reading in managed.items()
    }
    documents = {each: reading.get("PolicyVersion")["Document"] for each, reading in versions.items()}
    documents |= {name: reading.get("PolicyDocument") for name, reading in inline.items()}
    samples = policy.document([{"Effect": "Allow", "Action": [*want.managed_actions], "Resource": ANYTHING}])
    for name, document in sorted(documents.items()):
        needed = (*want.inline.values(), samples)
        denied = next(filter(None, (first_denied(document, own) for own in needed)), "")
        power = power_of(document)
        if not power and not denied:
            yield Note(Kind.FOREIGN, resource, f"has the policy {name} too; kept")
            continue
        call = (
            write.detach_role_policy(RoleName=want.name, PolicyArn=name)
            if name in managed
            else write.delete_role_policy(RoleName=want.name, PolicyName=name)
        )
        removed = (Difference(f"policy {name} of others", policy.parse(document), None),)
        does = f"allows the role `{power}`" if power else f"denies the role `{denied}`, which it needs"
        loses = f"`{name}` of others {does}"
        yield Change(resource, removed, call, consent="remove-foreign-policy", loses=loses)


def power_of(document: Document) -> str:
    """The first action with which a role that has this policy could undo the baseline; empty if there is none."""
    actions = [*_ESCALATIONS, *chain(*all_harmful_actions().values())]
    limited = [each for each in actions if each in _OFTEN_LIMITED or each.startswith("s3:PutObject")]
    others = [each for each in actions if each not in limited]
    return first_allowed(document, others) or first_allowed(document, limited, ANYTHING)


def _inline(
    aws: Aws, name: str, policy_name: str, have: Document | None, want: Mapping[str, Any]
) -> Iterator[Change]:
    if policy.same(have, want, partition=aws.partition):
        return
    call = aws.write("iam").put_role_policy(
        RoleName=name, PolicyName=policy_name, PolicyDocument=policy.compact(want)
    )
    difference = Difference(f"policy {policy_name}", policy.parse(have) or None, dict(want))
    yield update(f"role {name}", (difference,), call.waiting(_role_visible(name)))


def _role_visible(name: str) -> Wait:
    """Wait until IAM shows a new role everywhere, within a minute. *text* excludes the message for a missing policy."""
    return Wait("NoSuchEntity", f"IAM to show the role {name}", text=f"role with name {name}", seconds=60)


def named_roles(target: Target, name: str) -> tuple[str, ...]:
    """The ARNs that a role of this name may have: without a path, as we create it, and with a path of somebody else."""
    return tuple(
        arn(target.partition, "iam", "", target.account, f"role/{path}{name}") for path in ("", "*/")
    )


def role_permissions(
    title: str, target: Target, name: str, *, managed: str = "", inline: bool = False
) -> Iterator[Permission]:
    """The permissions that `role` needs. *managed* is the managed policy to attach; *inline*: it has policies of its own."""
    roles = named_roles(target, name)
    yield from role_reads(f"{title}Read", target, name)
    yield from allow(f"{title}Make", "iam", "CreateRole", on=roles[:1], purposes=APPLY)
    writes = ["UpdateAssumeRolePolicy", *(["PutRolePolicy"] if inline else [])]
    yield from allow(f"{title}Write", "iam", writes, on=roles, purposes=APPLY)
    if managed:
        yield from attach_permission(title, target, name, managed)


def role_reads(title: str, target: Target, name: str) -> Iterator[Permission]:
    """The permissions to read a role, and what others attached to it."""
    reads = "GetRole ListAttachedRolePolicies ListRolePolicies GetRolePolicy"
    yield from allow(title, "iam", reads, on=named_roles(target, name))
    policies = [arn(target.partition, "iam", "", owner, "policy/*") for owner in (target.account, "aws")]
    yield from allow("PoliciesRead", "iam", "GetPolicy GetPolicyVersion", on=policies)


def attach_permission(title: str, target: Target, name: str, managed: str) -> Iterator[Permission]:
    """The permission to attach this managed policy to a role, and no other."""
    only, on = Condition("ArnEquals", "iam:PolicyARN", (managed,)), named_roles(target, name)
    yield from allow(f"{title}Attach", "iam", "AttachRolePolicy", on=on, condition=only, purposes=APPLY)
