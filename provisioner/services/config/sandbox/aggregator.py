"""AWS Config's aggregators and their authorizations: sources, trusted access, role, filters and status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Request, backend
from ....sandbox.iam import role_by_arn
from ....sandbox.model import Refused
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.organizations import delegated, find_organization, trust, trusted
from ..principal import CONFIG, principal
from .rules import INVALID

_ACCOUNTS, _ORGANIZATION = "AccountAggregationSources", "OrganizationAggregationSource"
_AGGREGATOR_ROW = "13.2 org aggregator, no org, ROLE; then switch to account source"


def _held(request: Request) -> Any | None:
    """Moto's aggregator of the name in the request."""
    return request.store().config_aggregators.get(request.params["ConfigurationAggregatorName"])


@before("config.aggregator_source", "PutConfigurationAggregator", row=_AGGREGATOR_ROW)
def aggregator_source(request: Request) -> None:
    """An aggregator keeps its kind of source; one of an organization needs its administrator, trusted access and a role."""
    held, source = _held(request), request.params.get(_ORGANIZATION)
    if held is not None and bool(held.organization_aggregation_source) is not bool(source):
        raise Refused(INVALID, "You cannot change the aggregation source of an aggregator.")
    if source:
        _check_organization(request)
        role = role_by_arn(source.get("RoleArn", ""))
        if role is None or not role.trusts(principal(request.partition)):
            raise Refused("InvalidRoleException", f"Role ARN {source.get('RoleArn')} is not valid.")


def _check_organization(request: Request) -> None:
    """Raise `Refused` unless the account administers the organization. AWS Config itself enables its trusted access."""
    held = find_organization(request.account, request.partition)
    if held is None:
        raise Refused("NoAvailableOrganizationException", "Organization is no longer available.")
    if held.org.feature_set != "ALL":
        text = "AWS Config resource cannot be created because your organization does not have all features enabled."
        raise Refused("OrganizationAllFeaturesNotEnabledException", text)
    if held.org.master_account_id == request.account:
        trust(held, CONFIG)
    elif not (trusted(held, CONFIG) and delegated(held, request.account, CONFIG)):
        text = "This action can only be performed by the management account or a delegated administrator."
        raise Refused("OrganizationAccessDeniedException", text)


@before("config.aggregator_tags", "PutConfigurationAggregator", row="1.8 create-time tags")
def aggregator_tags(request: Request) -> None:
    """Tags count when an aggregator is created; later puts ignore them."""
    if (held := _held(request)) is not None:
        request.rewrite(Tags=[{"Key": k, "Value": v} for k, v in held.tags.items()])


@after("config.aggregator_fields", "PutConfigurationAggregator", row="16.I Aggregator AggregatorFilters")
def keep_filters(request: Request, _: dict[str, Any]) -> None:
    """The filters are replaced with the rest."""
    kept = request.saved("config_aggregator_filters")
    kept[_held(request).configuration_aggregator_arn] = request.params.get("AggregatorFilters")  # type: ignore[union-attr]


@after("config.aggregator_fields", "DescribeConfigurationAggregators")
def show_filters(request: Request, answer: dict[str, Any]) -> None:
    """Filters are returned, and tags are not."""
    kept = request.saved("config_aggregator_filters")
    for shown in answer["ConfigurationAggregators"]:
        shown.pop("Tags", None)
        if filters := kept.get(shown["ConfigurationAggregatorArn"]):
            shown["AggregatorFilters"] = filters


@instead(
    "config.aggregator_status",
    "DescribeConfigurationAggregatorSourcesStatus",
    row="14 config DescribeConfigurationAggregatorSourcesStatus",
)
def sources_status(request: Request) -> dict[str, Any]:
    """An organization's aggregator collects with trusted access, one of accounts where it is authorized."""
    held = _held(request)
    if held is None:
        text = "The configuration aggregator does not exist. Check the configuration aggregator name and try again."
        raise Refused("NoSuchConfigurationAggregatorException", text)
    if source := held.organization_aggregation_source:
        found = find_organization(request.account, request.partition)
        role = role_by_arn(source.role_arn)
        ok = found is not None and trusted(found, CONFIG) and role is not None
        return {"AggregatedSourceStatusList": [_status("ORGANIZATION", request.account, "", ok=ok)]}
    [source] = held.account_aggregation_sources
    return {
        "AggregatedSourceStatusList": [
            _status("ACCOUNT", account, region, ok=_is_authorized(request, account, region))
            for account in source.account_ids
            for region in source.aws_regions or [request.region]
        ]
    }


def _is_authorized(request: Request, account: str, region: str) -> bool:
    """Whether the account lets the aggregator collect in the Region; its own account does."""
    name = f"{request.account}/{request.region}"
    given = backend("config", account, region).aggregation_authorizations
    return account == request.account or name in given


def _status(kind: str, source: str, region: str, *, ok: bool) -> dict[str, Any]:
    found = {"SourceType": kind, "SourceId": source, "LastUpdateTime": datetime.now(UTC)}
    found |= {"LastUpdateStatus": "SUCCEEDED" if ok else "FAILED"}
    found |= {"AwsRegion": region} if region else {}
    text = "The source account has not authorized the aggregator account."
    return found if ok else found | {"LastErrorCode": "AccessDenied", "LastErrorMessage": text}
