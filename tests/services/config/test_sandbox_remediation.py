"""The sandbox's rules of remediations and their exceptions: each makes its outcome, and only it."""

from __future__ import annotations

from typing import Any

import pytest

from ...sandbox.cases import Aws, Case, check, make_recorder

INVALID = "InvalidParameterValueException"
NAMED = {"ConfigRuleName": "r"}
KEY = {"ResourceType": "AWS::S3::Bucket", "ResourceId": "scratch"}
RULE = {**NAMED, "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}}


def then(*steps: Any) -> Any:
    """Run the steps, and return the result of the last."""
    return lambda aws: [step(aws) for step in steps][-1]


def rule(aws: Aws) -> Any:
    make_recorder(aws)
    aws.config.put_config_rule(ConfigRule=RULE)


def put(**given: Any) -> Any:
    one = {**NAMED, "TargetType": "SSM_DOCUMENT", "TargetId": "AWS-Some", **given}
    return lambda aws: aws.config.put_remediation_configurations(RemediationConfigurations=[one])


def attempts(aws: Aws) -> Any:
    found = aws.config.describe_remediation_configurations(ConfigRuleNames=["r", "other"])
    return [each["MaximumAutomaticAttempts"] for each in found["RemediationConfigurations"]]


def delete(aws: Aws) -> Any:
    aws.config.delete_remediation_configuration(**NAMED)


def status(aws: Aws) -> Any:
    return aws.config.describe_remediation_execution_status(**NAMED)["RemediationExecutionStatuses"]


def bucket(aws: Aws) -> Any:
    aws.s3.create_bucket(Bucket="scratch")


def found(aws: Aws) -> Any:
    results = aws.config.get_compliance_details_by_config_rule(**NAMED)["EvaluationResults"]
    return [each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] for each in results]


def excepted(**given: Any) -> Any:
    def do(aws: Aws) -> Any:
        aws.config.put_remediation_exceptions(**NAMED, ResourceKeys=[KEY], **given)
        found = aws.config.describe_remediation_exceptions(**NAMED)["RemediationExceptions"]
        return [each["ResourceId"] for each in found]

    return do


def document(name: str) -> Any:
    return lambda aws: aws.ssm.describe_document(Name=name)["Document"]["Owner"]


EXCEPTIONS, READ = "config.remediation_exceptions", "config.remediation_read"
CASES = [
    Case("ssm.documents", "AWS's own", document("AWS-ConfigureS3BucketVersioning"), "Amazon"),
    Case("config.remediation_put", "no rule", put(), INVALID),
    Case("config.remediation_put", "no role", then(rule, put(Automatic=True)), INVALID),
    Case(READ, "AWS's defaults", then(rule, put(), attempts), [5]),
    Case("config.remediation_delete", "deleted", then(rule, put(), delete, attempts), []),
    Case("config.remediation_delete", "none", delete, "NoSuchRemediationConfigurationException"),
    Case(
        "config.remediation_rule",
        "in use",
        then(rule, put(), lambda aws: aws.config.delete_config_rule(**NAMED) and None),
        "ResourceInUseException",
    ),
    Case("config.remediation_status", "none", status, "NoSuchRemediationConfigurationException"),
    Case("config.remediation_status", "not started", then(rule, put(), status), []),
    Case("config.compliance_details", "no rule", found, "NoSuchConfigRuleException"),
    Case("config.compliance_details", "without versions", then(rule, bucket, found), ["scratch"]),
    Case(EXCEPTIONS, "of a resource that is found", then(rule, bucket, excepted()), ["scratch"]),
    Case(EXCEPTIONS, "of another one", then(rule, excepted()), []),
    Case(EXCEPTIONS, "expired", then(rule, bucket, excepted(ExpirationTime=1_700_000_000)), []),
    Case(EXCEPTIONS, "no rule", excepted(), INVALID),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule(case: Case) -> None:
    check(case)
