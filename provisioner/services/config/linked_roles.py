"""The permission to create the service-linked roles of AWS Config that a file needs, in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...baseline import Baseline
from ...model import Target
from ...steps.permission import APPLY, Permission, allow, linked_role, with_or_without_path
from .organization import MULTI_ACCOUNT
from .principal import principal
from .role import SERVICE_ROLE
from .section import Config

_PACKS: Final = "config-conforms.amazonaws.com"


def organization_role(target: Target) -> str:
    """The ARN of the role with which AWS Config goes into the accounts of the organization."""
    return linked_role(target, MULTI_ACCOUNT, "AWSServiceRoleForConfigMultiAccountSetup")


def linked_roles(target: Target) -> tuple[str, str]:
    """The ARNs of all of them, and without the path, which IAM authorizes to read while a role does not exist.

    One pattern for all: the policy of a file with many Regions is as long as IAM takes one.
    """
    return with_or_without_path(linked_role(target, "config*", f"{SERVICE_ROLE}*"))


def linked_roles_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Create each of them. Their ARNs name the service; the condition iam:AWSServiceName would only say it again."""
    section, service = baseline[Config], principal(target.partition)
    roles = []
    if not section.role_name and not section.role_arn:
        roles.append(linked_role(target, service, SERVICE_ROLE))
    if section.conformance_packs:
        roles.append(linked_role(target, _PACKS, "AWSServiceRoleForConfigConforms"))
    if section.for_organization and target.central == target.account:
        roles.append(organization_role(target))
    on = linked_roles(target) if len(roles) > 1 else roles  # as the read, in one statement with it
    yield from allow("ConfigLinkedRoles", "iam", ["CreateServiceLinkedRole"], on=on, purposes=APPLY)
