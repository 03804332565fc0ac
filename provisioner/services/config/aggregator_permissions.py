"""The IAM permissions that the aggregator of AWS Config and its authorizations need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.organization import trusted_access_permissions
from ...steps.permission import (
    ANY_ACCOUNT,
    APPLY,
    VERIFY,
    Permission,
    allow,
    equals,
    permits,
    regional,
    within,
)
from ...steps.roles import attach_permission, named_roles, role_reads
from .aggregator import (
    ORGANIZATION_AGGREGATOR,
    aggregating_account,
    authorizes_aggregator,
    has_aggregator,
    organization_role_policy,
)
from .aggregator_section import Aggregator
from .principal import principal
from .regional import in_each_region
from .section import Config


@permits("config_aggregator")
def config_aggregator_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the aggregator, or the authorization that it needs."""
    want = baseline[Config].aggregator
    if want is None:
        return
    if baseline.general.accounts is not None and not target.central:
        target = replace(target, central="*")  # no file names the account that runs are started from
    any_member = target.account == ANY_ACCOUNT and target.central == "*"
    if has_aggregator(want, target) or (any_member and target.home and want.account_id):
        yield from _aggregator(target, baseline, want)
    if authorizes_aggregator(want, target) or (any_member and want.account_ids):
        read = "DescribeAggregationAuthorizations"
        yield from allow("ConfigSettings", "config", [read], condition=within(target))
        whom = f"{aggregating_account(want, target)}/{baseline.general.home_region}"
        on, narrowed = regional(target, baseline, "config", f"aggregation-authorization/{whom}")
        put = "PutAggregationAuthorization"
        yield from allow("ConfigAuthorize", "config", [put], on=on, condition=narrowed, purposes=APPLY)


def _aggregator(target: Target, baseline: Baseline, want: Aggregator) -> Iterator[Permission]:
    """Those of the aggregator; of an organization, of its role and the trusted access, too."""
    on = (arn(target.partition, "config", target.region, target.account, "config-aggregator/*"),)
    read = "DescribeConfigurationAggregators"
    yield from allow("ConfigSettings", "config", [read], condition=in_each_region(baseline))
    status = "DescribeConfigurationAggregatorSourcesStatus"
    yield from allow("ConfigAggregator", "config", [status], on=on, purposes=VERIFY)
    writes = ["PutConfigurationAggregator", *(["TagResource"] if want.tags else [])]
    yield from allow("ConfigAggregator", "config", writes, on=on, purposes=APPLY)
    if want.tags:
        yield from allow("ConfigAggregator", "config", ["ListTagsForResource"], on=on)
    if want.organization:
        yield from trusted_access_permissions(ORGANIZATION_AGGREGATOR)
        yield from _organization_role(target, want)
        if want.account_id:
            # AWS Config asks with the caller's permissions whether this account is a delegated administrator.
            lists = "ListDelegatedAdministrators"
            yield from allow("OrganizationRead", "organizations", [lists], purposes=APPLY)


def _organization_role(target: Target, want: Aggregator) -> Iterator[Permission]:
    """Create and repair the role, and give it to AWS Config."""
    title, roles = "ConfigAggregatorRole", named_roles(target, want.role_name)
    # In one statement, which is shorter than those of `role_permissions`.
    yield from role_reads(title, target, want.role_name)
    yield from allow(title, "iam", "CreateRole UpdateAssumeRolePolicy", on=roles, purposes=APPLY)
    managed = organization_role_policy(target.partition)
    yield from attach_permission(title, target, want.role_name, managed)
    to_config = equals("iam:PassedToService", principal(target.partition))
    yield from allow("ConfigRolePass", "iam", "PassRole", on=roles, condition=to_config, purposes=APPLY)
