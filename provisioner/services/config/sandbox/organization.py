"""AWS Config's rules and packs of the organization, which it makes in each account that has a recorder."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ....sandbox.ask import Request, backend
from ....sandbox.iam import ensure_linked_role
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import delegated, find_organization, trust, trusted
from ..managed_rules import intended, is_evaluated_at_changes_only, missing_parameters
from ..pack_template import TemplateError, rule_names
from .rules import INVALID

MULTI_ACCOUNT = "config-multiaccountsetup.amazonaws.com"
RULE, PACK = "OrganizationConfigRule", "OrganizationConformancePack"
_ROW = "14 config Put/Describe/DeleteOrganizationConfigRule(+Statuses)"
DENIED = "OrganizationAccessDeniedException"
_RULES = (
    "OrganizationManagedRuleMetadata",
    "OrganizationCustomPolicyRuleMetadata",
    "OrganizationCustomRuleMetadata",
)
_TRIGGERS = "OrganizationConfigRuleTriggerTypes"
_PACKS = ("TemplateBody", "TemplateS3Uri")
_SHOWN = (
    *_RULES,
    "ExcludedAccounts",
    "DeliveryS3Bucket",
    "DeliveryS3KeyPrefix",
    "ConformancePackInputParameters",
)


def made(request: Request, what: str) -> dict[str, dict[str, Any]]:
    """The rules or packs that the account has made in the Region, by name."""
    key = (request.account, request.region)
    kept: dict[str, dict[str, Any]] = request.saved(f"config_{what}").setdefault(key, {})
    return kept


def organization_arn(request: Request, what: str, name: str) -> str:
    """The ARN of a rule or pack, which ends in a random but constant id in AWS."""
    word = hashlib.sha256(f"{request.account}{request.region}{name}".encode()).hexdigest()[:8]
    kind = "organization-config-rule" if what == RULE else "organization-conformance-pack"
    return f"arn:{request.partition}:config:{request.region}:{request.account}:{kind}/{name}-{word}"


def _what(request: Request) -> str:
    return PACK if "ConformancePack" in request.operation else RULE


def _organization(request: Request) -> Any:
    """The organization. Raises `Refused` unless the account manages it, or is its delegated administrator for this."""
    held = find_organization(request.account, request.partition)
    if held is None:
        raise Refused(DENIED, "This action can be only made by accounts in an AWS Organization.")
    if held.org.master_account_id == request.account:
        return held
    if not (trusted(held, MULTI_ACCOUNT) and delegated(held, request.account, MULTI_ACCOUNT)):
        raise Refused(DENIED, "This action can be only performed by the management account or its delegate.")
    return held


@instead("config.organization_put", "PutOrganizationConfigRule", "PutOrganizationConformancePack", row=_ROW)
def put(request: Request) -> dict[str, Any]:
    """The management account makes or replaces a rule or pack, with trusted access and a role.

    A request while it is being made is refused, once.
    """
    what, params, held = _what(request), request.params, _organization(request)
    name, kept = params[f"{what}Name"], made(request, what)
    if sum(bool(params.get(key)) for key in (_RULES if what == RULE else _PACKS)) != 1:
        raise Refused(INVALID if what == RULE else "ValidationException", "Specify one of the sources.")
    _check(params, request.partition, request.region)
    before = kept.get(name)
    if before and before["state"].endswith("_IN_PROGRESS"):
        _finish(request, held, kept, name)
        raise Refused("ResourceInUseException", f"{name} is being changed. Try again later.")
    trust(held, MULTI_ACCOUNT)
    ensure_linked_role(request.account, request.partition, MULTI_ACCOUNT)
    given = {each["Key"]: each["Value"] for each in params.get("Tags") or ()}
    kept[name] = {
        "tags": before["tags"] if before else given,
        "requested": request.world.now(),
        "state": "UPDATE_IN_PROGRESS" if before else "CREATE_IN_PROGRESS",
        "shown": {key: params[key] for key in _SHOWN if params.get(key)},
    }
    return {f"{what}Arn": organization_arn(request, what, name)}


def _check(params: dict[str, Any], partition: str, region: str) -> None:
    managed = params.get(_RULES[0]) or {}
    identifier, given = managed.get("RuleIdentifier", ""), json.loads(managed.get("InputParameters") or "{}")
    if intended(identifier):
        raise Refused(INVALID, f"The sourceIdentifier {identifier} is invalid.")
    if missing := missing_parameters(identifier, given):
        text = f"The required parameter [{missing[0]}] is not present in the inputParameters."
        raise Refused(INVALID, text)
    if managed.get("MaximumExecutionFrequency") and is_evaluated_at_changes_only(identifier):
        raise Refused(INVALID, f"A maximum execution frequency for this rule is not allowed: {identifier}")
    function = params.get(_RULES[2]) or {}
    if function and not function["LambdaFunctionArn"].startswith(f"arn:{partition}:lambda:{region}:"):
        raise Refused(
            "InsufficientPermissionsException", "The AWS Lambda function cannot be invoked from this Region."
        )
    if "ScheduledNotification" in (params.get(_RULES[1]) or {}).get(_TRIGGERS, ()):
        raise Refused(INVALID, "A custom policy rule is triggered by configuration changes only.")
    if (bucket := params.get("DeliveryS3Bucket")) and not bucket.startswith("awsconfigconforms"):
        raise Refused(
            "ValidationException", "The name of the delivery bucket must start with awsconfigconforms."
        )
    try:
        if template := params.get("TemplateBody"):
            rule_names(template)
    except TemplateError as error:
        raise Refused("OrganizationConformancePackTemplateValidationException", str(error)) from None


def _named(request: Request, name: str) -> dict[str, Any]:
    what = _what(request) if "Custom" not in request.operation else RULE
    found = made(request, what).get(name)
    if found is None:
        raise Refused(f"NoSuch{what}Exception", f"{what} {name} does not exist.")
    return found


def _shown_rule(shown: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a rule or pack: the text of a policy is not."""
    policy = shown.get(_RULES[1])
    hidden = {key: value for key, value in (policy or {}).items() if key != "PolicyText"}
    return {**shown, **({_RULES[1]: hidden} if policy else {})}


@instead(
    "config.organization_read",
    "DescribeOrganizationConfigRules",
    "DescribeOrganizationConformancePacks",
    row=_ROW,
)
def describe(request: Request) -> dict[str, Any]:
    """An account is shown what it has made, without templates and policies."""
    what = _what(request)
    _organization(request)
    kept = made(request, what)
    names = request.params.get(f"{what}Names") or [*kept]
    return {
        f"{what}s": [
            {
                f"{what}Name": name,
                f"{what}Arn": organization_arn(request, what, name),
                "LastUpdateTime": _named(request, name)["requested"],
                **_shown_rule(kept[name]["shown"]),
            }
            for name in names
        ]
    }


@instead("config.organization_read", "GetOrganizationCustomRulePolicy")
def policy(request: Request) -> dict[str, Any]:
    """Return the text of the policy of a rule."""
    _organization(request)
    shown = _named(request, request.params[f"{RULE}Name"])["shown"]
    return {"PolicyText": shown.get(_RULES[1], {}).get("PolicyText", "")}


@instead(
    "config.organization_state",
    *("DescribeOrganizationConfigRuleStatuses", "DescribeOrganizationConformancePackStatuses"),
    row=_ROW,
)
def statuses(request: Request) -> dict[str, Any]:
    """A rule or pack is in progress at first, and failed if it failed in one account."""
    what, held, shown = _what(request), _organization(request), []
    kept = made(request, what)
    for name in [*kept]:
        one = kept[name]
        error = {"ErrorCode": one["error"]} if "error" in one else {}
        status = "OrganizationRuleStatus" if what == RULE else "Status"
        shown.append({f"{what}Name": name, status: one["state"], **error})
        _finish(request, held, kept, name)
    return {f"{what}Statuses": shown}


def _finish(request: Request, held: Any, kept: dict[str, Any], name: str) -> None:
    """End what is in progress."""
    verb, _, doing = kept[name]["state"].partition("_")
    if doing != "IN_PROGRESS":
        return
    request.world.dirty = True
    if verb == "DELETE":
        del kept[name]
    elif all(_has_recorder(request, account) for account in _accounts(held, kept[name])):
        kept[name]["state"] = f"{verb}_SUCCESSFUL"
    else:
        kept[name] |= {"state": f"{verb}_FAILED", "error": "OrganizationConfigRuleCreationFailed"}


def _accounts(held: Any, one: dict[str, Any]) -> list[str]:
    """The accounts in which AWS Config makes it."""
    excluded = one["shown"].get("ExcludedAccounts") or ()
    return sorted(each.id for each in held.accounts if each.status == "ACTIVE" and each.id not in excluded)


def _has_recorder(request: Request, account: str) -> bool:
    return bool(backend("config", account, request.region).recorders)


@instead(
    "config.organization_state",
    *("GetOrganizationConfigRuleDetailedStatus", "GetOrganizationConformancePackDetailedStatus"),
)
def details(request: Request) -> dict[str, Any]:
    """It fails in each account that has no recorder."""
    what, held = _what(request), _organization(request)
    name = request.params[f"{what}Name"]
    one, shown = _named(request, name), []
    verb, _, doing = one["state"].partition("_")
    status = "MemberAccountRuleStatus" if what == RULE else "Status"
    for account in _accounts(held, one):
        each = {"AccountId": account, status: f"{verb}_SUCCESSFUL"}
        each["ConfigRuleName" if what == RULE else "ConformancePackName"] = f"{what}-{name}"
        if doing == "IN_PROGRESS":
            each[status] = one["state"]
        elif not _has_recorder(request, account):
            each |= {status: f"{verb}_FAILED", "ErrorCode": "NoAvailableConfigurationRecorder"}
        shown.append(each)
    return {f"{what}DetailedStatus" if what == RULE else f"{what}DetailedStatuses": shown}


@instead(
    "config.organization_delete",
    "DeleteOrganizationConfigRule",
    "DeleteOrganizationConformancePack",
    row=_ROW,
)
def delete(request: Request) -> dict[str, Any]:
    """A rule or pack is shown once more while it is deleted; until then it cannot be put."""
    _organization(request)
    _named(request, request.params[f"{_what(request)}Name"])["state"] = "DELETE_IN_PROGRESS"
    return {}
