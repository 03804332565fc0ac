"""One rule of the organization: managed, a policy in Guard, or a Lambda function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws
from ...compare.spelling import to_text
from ...model import Call, Changes, Exists, Refused
from ...steps.settings import Guarded, Strictness, settings
from ...steps.tags import to_pairs
from .organization_section import OrganizationRule
from .organization_state import STATUS, Deployed, ResourceKind, sending, sorted_accounts
from .rule_section import more_often, parameters_text
from .rule_settings import FREQUENCY, GUARD, refuse_missing_parameters
from .state import JsonObject, ensure_tags, read_tags

RULES: Final = ResourceKind(
    "rule",
    "OrganizationConfigRule",
    (
        "describe_organization_config_rules",
        "describe_organization_config_rule_statuses",
        "get_organization_config_rule_detailed_status",
    ),
    "OrganizationRuleStatus",
    "OrganizationConfigRuleDetailedStatus",
    "MemberAccountRuleStatus",
)
_MANAGED, _POLICY = "OrganizationManagedRuleMetadata", "OrganizationCustomPolicyRuleMetadata"
_FUNCTION: Final = "OrganizationCustomRuleMetadata"
_PARAMETERS, _EXCLUDED, _TEXT = "InputParameters", "ExcludedAccounts", "PolicyText"
_TRIGGERS: Final = "OrganizationConfigRuleTriggerTypes"
_AT_CHANGES: Final = ["ConfigurationItemChangeNotification"]
_TAG: Final = "tag "  # of each field for a tag, as `tags` names it
_LISTS: Final = ("ResourceTypesScope", _TRIGGERS)
_SELDOM: Final = Guarded(more_often, "record-less", "the rule is evaluated less often")
_PLAIN: Final = {
    "description": "Description",
    "maximum_execution_frequency": FREQUENCY,
    "resource_types_scope": "ResourceTypesScope",
    "tag_key_scope": "TagKeyScope",
    "tag_value_scope": "TagValueScope",
    "excluded_accounts": _EXCLUDED,
}


def ensure_rule(aws: Aws, name: str, want: OrganizationRule, found: Deployed, *, exact: bool) -> Changes:
    """Create or repair one rule, in one request that holds all its fields, and have AWS make it in all accounts."""
    title, have = RULES.title(name), found.of(name)
    kind = _POLICY if want.policy_text else _FUNCTION if want.lambda_function_arn else _MANAGED
    present: dict[str, Any] = {}
    if have is not None:
        if not have.get(kind):
            raise Refused(
                f"the organization's rule `{name}` is there as one of another kind: give one of the two another name"
            )
        yield Exists(title)
        yield from found.notes(name)
        present = _normal(aws, name, have, kind)
    else:
        place = f"config.organization_rules.{name}"
        refuse_missing_parameters(want.source_identifier, want.input_parameters or (), place)
    asked = _settings(want, present)
    asked |= found.want_status(have) if have is not None else {STATUS: "CREATE_SUCCESSFUL"}

    def put(full: Mapping[str, Any]) -> Call:
        rule = {key: value for key, value in full.items() if _is_field(key) and value}
        if parameters := rule.get(_PARAMETERS):
            rule[_PARAMETERS] = parameters_text(parameters)
        params = {"OrganizationConfigRuleName": name, kind: rule, _EXCLUDED: full.get(_EXCLUDED) or []}
        if have is None and want.tags:  # AWS takes tags of a new rule only
            params["Tags"] = to_pairs(want.tags)
        call = aws.write("config").put_organization_config_rule(**params)
        return sending(call if have is None else call.based_on(found.basis(name)), RULES, name)

    if have is None:
        asked |= {f"{_TAG}{key}": value for key, value in want.tags.items()}
    yield from settings(
        title,
        present,
        asked,
        put,
        Strictness({FREQUENCY: _SELDOM}, exact),
        whole=True,
        action="create" if have is None else "update",
    )
    if have is not None and want.tags:
        arn = have["OrganizationConfigRuleArn"]
        yield from ensure_tags(aws, title, arn, read_tags(aws, arn), want.tags)


def _is_field(key: str) -> bool:
    """Whether it is a field of the rule itself, and not of the request or its answer."""
    return key not in {STATUS, _EXCLUDED} and not key.startswith(_TAG)


def _normal(aws: Aws, name: str, have: JsonObject, kind: str) -> dict[str, Any]:
    """The rule as AWS has it, its parameters parsed, with the text of its policy, which AWS returns apart."""
    rule = {key: value for key, value in have[kind].items() if value}
    made = {**rule, **{key: sorted(rule[key]) for key in _LISTS if key in rule}}
    parameters = json.loads(rule.get(_PARAMETERS) or "{}")
    made[_PARAMETERS] = {key: to_text(value) for key, value in parameters.items()}
    if kind == _POLICY:
        text = aws.read("config").get_organization_custom_rule_policy(OrganizationConfigRuleName=name)
        made[_TEXT] = str(text.get(_TEXT)).strip()
    return {**made, _EXCLUDED: sorted_accounts(have), STATUS: have[STATUS]}


def _settings(want: OrganizationRule, present: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the file sets, by AWS's names."""
    made: dict[str, Any] = {}
    if want.source_identifier:
        made["RuleIdentifier"] = want.source_identifier
    if want.policy_text:
        made |= {"PolicyRuntime": GUARD, _TEXT: want.policy_text.strip()}
    if want.lambda_function_arn:
        made["LambdaFunctionArn"] = want.lambda_function_arn
    if want.source_identifier is None and (want.trigger_types or not present):
        made[_TRIGGERS] = sorted(want.trigger_types or _AT_CHANGES)
    if want.input_parameters is not None:
        made[_PARAMETERS] = want.input_parameters
    stated = {aws_name: getattr(want, field) for field, aws_name in _PLAIN.items()}
    made |= {key: value for key, value in stated.items() if value is not None}
    return {key: value for key, value in made.items() if value or present.get(key)}
