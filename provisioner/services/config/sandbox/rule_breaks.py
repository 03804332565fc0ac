"""Ways to break the rules of AWS Config in a Region by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none

_READ_ONLY = ("ConfigRuleArn", "ConfigRuleId", "ConfigRuleState", "CreatedBy")
_OVERSIZED = "OversizedConfigurationItemChangeNotification"


@breaks("config_rules", regional=True)
def rule_breaks(admin: Administrator) -> Iterator[Break]:
    """Break each setting of each rule, and delete the rule."""
    client = admin.client("config")
    for page in client.get_paginator("describe_config_rules").paginate():
        for rule in page["ConfigRules"]:
            yield from _rule_breaks(admin, client, rule)


def _rule_breaks(admin: Administrator, client: Any, rule: dict[str, Any]) -> Iterator[Break]:
    name, arn = rule["ConfigRuleName"], rule["ConfigRuleArn"]
    broken, where = breaks_of(f"config rule {name}"), f"config rule {name} in {admin.region}"
    kept = {key: value for key, value in rule.items() if key not in _READ_ONLY}
    if rule["Source"]["Owner"] == "CUSTOM_POLICY":
        policy = client.get_custom_rule_policy(ConfigRuleName=name)["PolicyText"]
        kept["Source"] = _with_policy(rule["Source"], policy)

    def changed(field: str, sentence: str, asked: str, value: Any, *, stricter: bool = False) -> Break:
        shown, new = "" if stricter else field, {**kept, field: value}
        text = f"{sentence} {where}"
        return broken(
            shown, text, client.put_config_rule, f"rules.*.{asked}", stricter=stricter, ConfigRule=new
        )

    if parameters := json.loads(rule.get("InputParameters") or "{}"):
        lax = {key: "9999" if str(value).isdigit() else value for key, value in parameters.items()}
        text = "changed the parameters of"
        yield changed("InputParameters", text, "input_parameters.*", json.dumps(lax))
    if rule.get("Scope"):
        scope = {"ComplianceResourceTypes": ["AWS::EC2::Instance"]}
        yield changed("Scope", "changed the scope of", "scope.*", scope)
    if rule.get("Description"):
        yield changed("Description", "changed the description of", "description", "theirs")
    if rule.get("MaximumExecutionFrequency") not in {None, "One_Hour"}:
        field, asked = "MaximumExecutionFrequency", "maximum_execution_frequency"
        yield changed(field, "raised the evaluation frequency of", asked, "One_Hour", stricter=True)
    if rule["Source"]["Owner"] == "AWS":
        source = {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}
        other = {"ConfigRuleName": name, "Source": source}
        yield broken("", f"made {where} look at something else", client.put_config_rule, ConfigRule=other)
    else:
        yield from _custom_rule_breaks(client, kept, where)
    for key in (tag["Key"] for tag in client.list_tags_for_resource(ResourceArn=arn)["Tags"]):
        text, tag = f"removed the tag {key} of {where}", {"ResourceArn": arn, "TagKeys": [key]}
        yield broken(f"tag {key}", text, client.untag_resource, "rules.*.tags", **tag)

    def delete() -> None:
        remove, missing = client.delete_remediation_configuration, "NoSuchRemediationConfigurationException"
        read_or_none(remove, missing, ConfigRuleName=name)  # AWS deletes no rule that has one
        client.delete_config_rule(ConfigRuleName=name)
        client.describe_config_rules()  # a deleted rule is listed once more before it is gone

    yield broken("", f"deleted {where}", delete)


def _with_policy(source: dict[str, Any], text: str) -> dict[str, Any]:
    """The source of a rule with another text of its policy."""
    return {**source, "CustomPolicyDetails": {**source["CustomPolicyDetails"], "PolicyText": text}}


def _custom_rule_breaks(client: Any, rule: dict[str, Any], where: str) -> Iterator[Break]:
    """Replace the policy of a rule, and let it be evaluated on fewer and on more occasions."""
    name, source = rule["ConfigRuleName"], rule["Source"]
    broken, put = breaks_of(f"config rule {name}"), client.put_config_rule
    if source["Owner"] == "CUSTOM_POLICY":
        lax = {**rule, "Source": _with_policy(source, "rule nothing when resourceType == 'x' { x exists }")}
        text = f"made the policy of {where} look at nothing"
        yield broken("Source.CustomPolicyDetails.PolicyText", text, put, ConfigRule=lax)
        field, asked = "EnableDebugLogDelivery", "rules.*.enable_debug_log_delivery"
        details = source["CustomPolicyDetails"]
        other = {**rule, "Source": {**source, "CustomPolicyDetails": {**details, field: not details[field]}}}
        text = f"changed what {where} logs"
        yield broken(f"Source.CustomPolicyDetails.{field}", text, put, asked, ConfigRule=other)
    types = [each["MessageType"] for each in source["SourceDetails"]]
    for sentence, shown, stricter in (
        (f"let {where} be evaluated at oversized changes only", [_OVERSIZED], False),
        (f"let {where} be evaluated at oversized changes too", [*types, _OVERSIZED], True),
    ):
        if stricter and _OVERSIZED in types:
            continue
        details = [{"EventSource": "aws.config", "MessageType": each} for each in shown]
        other, field = {**rule, "Source": {**source, "SourceDetails": details}}, "Source.SourceDetails"
        asked = "rules.*.source_details"
        yield broken("" if stricter else field, sentence, put, asked, stricter=stricter, ConfigRule=other)
