"""Ways to break the remediations of AWS Config's rules by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of

# A bucket without versions, for which the full profile has an exception.
_BUCKET, _KIND = "acme-scratch", "AWS::S3::Bucket"


@breaks("config_remediation", regional=True)
def remediation_breaks(admin: Administrator) -> Iterator[Break]:
    """Change each setting of each remediation, delete it, and create a bucket that is excepted from it."""
    client = admin.client("config")
    names = [each["ConfigRuleName"] for each in client.describe_config_rules()["ConfigRules"]]
    for start in range(0, len(names), 25):
        found = client.describe_remediation_configurations(ConfigRuleNames=names[start : start + 25])
        for each in found["RemediationConfigurations"]:
            yield from _breaks(admin, client, each)


def _breaks(admin: Administrator, client: Any, have: dict[str, Any]) -> Iterator[Break]:
    name = have["ConfigRuleName"]
    kept = {key: value for key, value in have.items() if key != "Arn"}
    broken, where = (
        breaks_of(f"remediation of config rule {name}"),
        f"remediation of {name} in {admin.region}",
    )

    def changed(field: str, sentence: str, *asked: str, **fields: Any) -> Break:
        paths = " ".join(f"rules.*.remediation.{each}" for each in asked)
        put, other = client.put_remediation_configurations, [{**kept, **fields}]
        return broken(field, f"{sentence} the {where}", put, paths, RemediationConfigurations=other)

    yield changed("TargetId", "put another document into", TargetId="AWS-DeleteS3BucketPolicy")
    role = {"StaticValue": {"Values": [f"arn:aws:iam::{admin.account}:role/theirs"]}}
    other = {**have.get("Parameters", {}), "AutomationAssumeRole": role}
    # AWS takes no automatic one without a role.
    automated = {"Automatic": not have["Automatic"], "Parameters": other}
    yield changed("", "automated, by another role,", "automatic", "parameters", **automated)
    yield changed("Parameters", "gave another role to", "parameters", Parameters=other)
    if have.get("TargetVersion"):
        yield changed("TargetVersion", "took another version for", "target_version", TargetVersion="2")
    if have.get("ExecutionControls"):
        all_at_once = {"SsmControls": {"ConcurrentExecutionRatePercentage": 100, "ErrorPercentage": 100}}
        text = "let errors no longer stop"
        yield changed("ExecutionControls", text, "execution_controls", ExecutionControls=all_at_once)
    asked = ("maximum_automatic_attempts", "retry_attempt_seconds", "resource_type")
    once = {"MaximumAutomaticAttempts": 1, "RetryAttemptSeconds": 3600, "ResourceType": "AWS::EC2::Volume"}
    yield changed("", "changed attempts and type of", *asked, **once)
    delete = client.delete_remediation_configuration
    yield broken("", f"deleted the {where}", delete, ConfigRuleName=name)
    of_bucket = breaks_of(f"remediation exception {name} {_KIND} {_BUCKET}")
    text, create = f"created {_BUCKET}, which {name} finds", admin.client("s3").create_bucket
    yield of_bucket("Message", text, create, "rules.*.remediation.exceptions", Bucket=_BUCKET)
