"""AWS Config: the aggregator of the organization or of some accounts, and the authorizations that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare import policy
from ...compare.policy import arn
from ...compare.stricter import more
from ...model import Call, Changes, Exists, Finding, Findings, Refused, Scope, Target, Wait, create
from ...steps.organization import OrganizationFeature, trusted_access
from ...steps.registry import step, verify
from ...steps.roles import Role, ask_role, role
from ...steps.settings import Guarded, Strictness, settings
from ...steps.tags import to_pairs
from .aggregator_section import Aggregator
from .principal import CONFIG
from .role_policies import config_trust
from .section import Config
from .state import JsonObject, ensure_tags, read_tags

ORGANIZATION_AGGREGATOR: Final = OrganizationFeature(
    CONFIG,
    "an aggregator of the organization",
    "config.aggregator.account_ids",
)
ALL: Final = "all"
_MISSING: Final = "NoSuchConfigurationAggregatorException"
_ACCOUNTS, _ORGANIZATION = "AccountAggregationSources", "OrganizationAggregationSource"
_IDS, _REGIONS, _ROLE = "AccountIds", "AwsRegions", "RoleArn"


def _more(have: Any, want: Any) -> bool:
    """Whether the aggregator has more accounts or Regions than the file asks for."""
    return have == ALL or (isinstance(have, list) and want != ALL and more(have, want))


_MORE: Final = Guarded(_more, "aggregate-less", "what other accounts and Regions record is no longer shown")


def organization_role_policy(partition: str) -> str:
    """The ARN of AWS's policy for the role with which AWS Config lists the accounts of an organization."""
    return arn(partition, "iam", "", "aws", "policy/service-role/AWSConfigRoleForOrganizations")


def aggregating_account(want: Aggregator, target: Target) -> str:
    """The account of the aggregator; without one in the file, that from which the run was started."""
    return want.account_id or target.central or target.account


def has_aggregator(want: Aggregator, target: Target) -> bool:
    """Whether the aggregator is in this account and Region."""
    return target.home and target.account == aggregating_account(want, target)


def authorizes_aggregator(want: Aggregator, target: Target) -> bool:
    """Whether the account authorizes the aggregator in this Region. The aggregator's own account need not."""
    if target.account not in (want.account_ids or ()) or target.account == aggregating_account(want, target):
        return False
    return target.region in (want.aws_regions or [target.region])


@step(
    "config_aggregator",
    Config,
    Scope.REGION,
    clients=("config", "iam", "organizations"),
    field="aggregator",
)
def ensure_config_aggregator(aws: Aws, baseline: Baseline) -> Changes:
    """Ensure the aggregator in the home Region of its account, and in those that the file lists their authorizations.

    AWS takes both in either order. Raises Refused if an aggregator of that name has a source of the other kind, which AWS
    cannot change, or belongs to an AWS service.
    """
    want = baseline[Config].aggregator
    if want is None:
        return
    if has_aggregator(want, aws.target):
        yield from _aggregator(aws, baseline, want)
    elif authorizes_aggregator(want, aws.target):
        yield from _authorization(aws, baseline, want)


def _authorization(aws: Aws, baseline: Baseline, want: Aggregator) -> Changes:
    """Let the aggregator collect what this account records in the Region."""
    account, home = aggregating_account(want, aws.target), baseline.general.home_region
    asked = {"AuthorizedAccountId": account, "AuthorizedAwsRegion": home}
    title = f"aggregation authorization {account} {home}"
    found = aws.read("config").describe_aggregation_authorizations().get("AggregationAuthorizations")
    if any(asked.items() <= each.items() for each in found):
        yield Exists(title)
        return
    yield create(title, asked, aws.write("config").put_aggregation_authorization(**asked))


def _aggregator(aws: Aws, baseline: Baseline, want: Aggregator) -> Changes:
    """Create or repair the aggregator; of an organization, with trusted access and its role."""
    home, reading = baseline.general.home_region, _ask(aws, want)
    if want.organization:
        ask_role(aws, home, want.role_name)  # started here to run beside the next calls
        yield from trusted_access(aws, ORGANIZATION_AGGREGATOR)
        yield from role(aws, home, _role(aws, want))
    have = (reading.value("ConfigurationAggregators", _MISSING) or [None])[0]
    if have is not None:
        _refuse_foreign(want, have)
        yield Exists(_title(want))
    yield from _ensure_source(aws, baseline, want, have, reading)
    if have is not None and want.tags:
        named = have["ConfigurationAggregatorArn"]
        yield from ensure_tags(aws, _title(want), named, read_tags(aws, named), want.tags)


def _ask(aws: Aws, want: Aggregator) -> Reading:
    return aws.read("config").describe_configuration_aggregators(ConfigurationAggregatorNames=[want.name])


def _title(want: Aggregator) -> str:
    return f"configuration aggregator {want.name}"


def _role(aws: Aws, want: Aggregator) -> Role:
    """The role with which AWS Config lists the accounts, and that nobody else may make it assume."""
    return Role(
        want.role_name,
        "AWS Config lists the accounts of the organization with this role",
        trust=policy.statements(config_trust(aws.account, aws.partition)),
        managed=(organization_role_policy(aws.partition),),
    )


def _role_arn(aws: Aws, region: str, want: Aggregator) -> str:
    have = ask_role(aws, region, want.role_name).value("Role", "NoSuchEntity")
    return str(have["Arn"]) if have else arn(aws.partition, "iam", "", aws.account, f"role/{want.role_name}")


def _refuse_foreign(want: Aggregator, have: JsonObject) -> None:
    if owner := have.get("CreatedBy"):
        raise Refused(
            f"the aggregator `{want.name}` belongs to {owner}: choose another `config.aggregator.name`"
        )
    if want.organization is not bool(have.get(_ORGANIZATION)):
        kind = "some accounts" if want.organization else "an organization"
        raise Refused(
            f"the aggregator `{want.name}` is of {kind}, which AWS cannot change: choose another"
            " `config.aggregator.name`, or `aws configservice delete-configuration-aggregator"
            f" --configuration-aggregator-name {want.name}`"
        )


def _ensure_source(
    aws: Aws, baseline: Baseline, want: Aggregator, have: JsonObject | None, reading: Reading
) -> Changes:
    """Create the aggregator, or repair which accounts and Regions it has. What AWS may add to it is kept."""
    asked: dict[str, Any] = {}
    if want.organization:
        asked[_ROLE] = _role_arn(aws, baseline.general.home_region, want)
    else:
        asked[_IDS] = sorted(want.account_ids or ())
    if want.aws_regions or want.all_aws_regions or have is None:
        asked[_REGIONS] = sorted(want.aws_regions) if want.aws_regions else ALL
    source = _source(have) if have else {}

    def put(full: Mapping[str, Any]) -> Call:
        params = {"ConfigurationAggregatorName": want.name, **_to_write(full, source)}
        if have and have.get("AggregatorFilters"):
            params["AggregatorFilters"] = have["AggregatorFilters"]
        if not have and want.tags:  # AWS ignores the tags of one that exists
            params["Tags"] = to_pairs(want.tags)
        call = aws.write("config").put_configuration_aggregator(**params).based_on(reading)
        if not want.organization:
            return call
        return call.using(f"config_aggregator/role {want.role_name}").waiting(
            Wait("InvalidRoleException", f"AWS Config to be let into the role {want.role_name}"),
            Wait("OrganizationAccessDeniedException", "AWS Config to see its trusted access", seconds=60),
        )

    if have is None:
        yield create(_title(want), {**asked, **{f"tag {k}": v for k, v in want.tags.items()}}, put(asked))
        return
    strictness = Strictness({_IDS: _MORE, _REGIONS: _MORE}, baseline[Config].exact)
    yield from settings(_title(want), _normal(source), asked, put, strictness, whole=True)


def _source(have: JsonObject) -> JsonObject:
    """The source of the aggregator as AWS has it."""
    found: JsonObject = have.get(_ORGANIZATION) or have[_ACCOUNTS][0]
    return found


def _normal(source: JsonObject) -> dict[str, Any]:
    """The source in the shape in which it is compared."""
    found: dict[str, Any] = {key: source[key] for key in (_ROLE,) if key in source}
    if _IDS in source:
        found[_IDS] = sorted(source[_IDS])
    return {**found, _REGIONS: ALL if source.get("AllAwsRegions") else sorted(source.get(_REGIONS) or ())}


def _to_write(full: Mapping[str, Any], source: JsonObject) -> dict[str, Any]:
    """The parameter with the source. AWS takes all Regions, or a list of them."""
    kept = {key: value for key, value in source.items() if key not in {_REGIONS, "AllAwsRegions"}}
    regions = {"AllAwsRegions": True} if full[_REGIONS] == ALL else {_REGIONS: full[_REGIONS]}
    made = {**kept, **{key: full[key] for key in (_IDS, _ROLE) if key in full}, **regions}
    return {_ACCOUNTS: [made]} if _IDS in made else {_ORGANIZATION: made}


@verify("config_aggregator")
def verify_config_aggregator(aws: Aws, baseline: Baseline) -> Findings:
    """The aggregator has collected what each of its accounts and Regions records."""
    want, check = baseline[Config].aggregator, "collected"
    if want is None or not has_aggregator(want, aws.target):
        return
    read = aws.read("config").describe_configuration_aggregator_sources_status
    found = read(ConfigurationAggregatorName=want.name).value("AggregatedSourceStatusList", _MISSING)
    if found is None:
        yield Finding(_title(want), check, False, "there is no such aggregator")
        return
    failed = [each for each in found if each["LastUpdateStatus"] == "FAILED"]
    outdated = [each for each in found if each["LastUpdateStatus"] == "OUTDATED"]
    if failed:
        shown = ", ".join(f"{each['SourceId']} {each.get('AwsRegion', '')}".rstrip() for each in failed[:3])
        code = failed[0].get("LastErrorCode") or "AWS does not say why"
        message = failed[0].get("LastErrorMessage")
        text = f"{len(failed)} of {len(found)} failed, such as {shown}: {code}{f': {message}' if message else ''}"
        yield Finding(_title(want), check, False, text)
    elif outdated or not found:
        text = f"{len(outdated)} of {len(found)} are outdated" if outdated else "nothing was collected yet"
        yield Finding(_title(want), check, None, text)
    else:
        yield Finding(_title(want), check, True, f"all of {len(found)}")
