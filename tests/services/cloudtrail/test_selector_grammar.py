"""Tests of the selectors that CloudTrail takes: `validate` and the sandbox refuse the same, and AWS's examples pass."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.baseline import BaselineError
from provisioner.services.cloudtrail.selector_grammar import FIELDS, GRAMMAR, OPERATORS, snake_case
from provisioner.steps.settings import to_api

from ...conftest import Bench
from ...sandbox.cases import Aws, make_trail, outcome
from .sample import PLAIN

DATA = {"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]}
NETWORK = {"eventCategory": ["NetworkActivity"], "eventSource": ["kms.amazonaws.com"]}
MANAGEMENT = {"eventCategory": ["Management"]}


def advanced(*fields: tuple[str, str, list[str]], **equals: list[str]) -> dict[str, Any]:
    """A file's lines for one advanced selector."""
    every = [(name, "equals", values) for name, values in equals.items()] + list(fields)
    selectors = [{"field": name, operator: values} for name, operator, values in every]
    return {"advanced_event_selectors": [{"field_selectors": selectors}]}


def of(base: dict[str, list[str]], *fields: tuple[str, str, list[str]]) -> dict[str, Any]:
    return advanced(*fields, **base)


def data(*values: str, kind: str = "AWS::S3::Object") -> dict[str, Any]:
    """A file's lines for one basic selector of data events."""
    return {"event_selectors": [{"data_resources": [{"type": kind, "values": list(values)}]}]}


def basic(**given: Any) -> dict[str, Any]:
    return {"event_selectors": [given]}


def problems(bench: Bench, lines: dict[str, Any]) -> list[Any]:
    try:
        bench.baseline(PLAIN + "".join(f"  {line}\n" for line in yaml.safe_dump(lines).splitlines()))
    except BaselineError as error:
        return list(error.problems)
    return []


def in_the_sandbox(lines: dict[str, Any], trail: str = "") -> Any:
    """The error code of PutEventSelectors with these lines in the sandbox; empty if it takes them."""
    aws = Aws()
    if not trail:
        make_trail(aws)
    return outcome(
        lambda aws: aws.cloudtrail.put_event_selectors(TrailName="trl", **to_api(lines)) and "", aws
    )


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
# Lines, where `validate` points below `cloudtrail`, and a part of what it says.
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    # aws-samples/aws-security-reference-architecture-examples issue 335: AWS answered so to both.
    (data("arn:aws:s3:::*"), "event_selectors[0].data_resources[0].values[0]", "`arn:aws:s3` is every one"),
    (data("arn:aws:lambda:*", kind="AWS::Lambda::Function"), "event_selectors[0].data_resources[0].values[0]", "*"),
    # hashicorp/terraform-provider-aws issue 4043: a bucket without a slash.
    (data("arn:aws:s3:::bucket"), "event_selectors[0].data_resources[0].values[0]", "BUCKET/PREFIX"),
    (data("arn:aws:s3:::/"), "event_selectors[0].data_resources[0].values[0]", "BUCKET/PREFIX"),
    (data("bucket/"), "event_selectors[0].data_resources[0].values[0]", "want an ARN"),
    (data(FUNCTION), "event_selectors[0].data_resources[0].values[0]", "AWS::S3::Object"),
    (data("arn:aws:s3:::b/", kind="AWS::Lambda::Function"), "event_selectors[0].data_resources[0].values[0]", "lambda"),
    (data("arn:aws:dynamodb:us-east-1:123456789012:t", kind="AWS::DynamoDB::Table"), "event_selectors[0].data_resources[0].values[0]", "table/"),
    (data("arn:aws-cn:s3:::b/"), "event_selectors[0].data_resources[0].values[0]", "`${partition}`"),
    (data("arn:aws-cn:s3"), "event_selectors[0].data_resources[0].values[0]", "`${partition}`"),
    (basic(exclude_management_event_sources=["iam.amazonaws.com"]), "event_selectors[0].exclude_management_event_sources[0]", "kms.amazonaws.com"),
    (basic(include_management_events=False, exclude_management_event_sources=["kms.amazonaws.com"], data_resources=[{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]), "event_selectors[0].exclude_management_event_sources", "no effect"),
    (basic(include_management_events=False), "event_selectors[0]", "records nothing"),
    (advanced(eventCategory=["Data"]), "advanced_event_selectors[0].field_selectors", "resources.type"),
    (advanced(eventCategory=["NetworkActivity"]), "advanced_event_selectors[0].field_selectors", "eventSource"),
    (advanced(readOnly=["true"]), "advanced_event_selectors[0].field_selectors", "eventCategory"),
    (advanced(eventCategory=["Managment"]), "advanced_event_selectors[0].field_selectors[0].equals[0]", "did you mean 'Management'"),
    (advanced(eventCategory=["Insight"]), "advanced_event_selectors[0].field_selectors[0].equals[0]", "event data stores"),
    (advanced(eventCategory=["Management", "Data"]), "advanced_event_selectors[0].field_selectors[0].equals", "one value"),
    (advanced(("eventCategory", "not_equals", ["Data"])), "advanced_event_selectors[0].field_selectors[0].not_equals", "`equals`"),
    (of(MANAGEMENT, ("eventCategory", "equals", ["Management"])), "advanced_event_selectors[0].field_selectors[1]", "once"),
    # AWS says that the field is not allowed when the event category is that of management events.
    (of(MANAGEMENT, ("eventName", "equals", ["CreateUser"])), "advanced_event_selectors[0].field_selectors[1].field", "does not take `eventName`"),
    (of(MANAGEMENT, ("eventType", "equals", ["AwsApiCall"])), "advanced_event_selectors[0].field_selectors[1].field", "eventType"),
    (of(MANAGEMENT, ("userIdentity.arn", "equals", ["x"])), "advanced_event_selectors[0].field_selectors[1].field", "userIdentity.arn"),
    (of(MANAGEMENT, ("resources.type", "equals", ["AWS::S3::Object"])), "advanced_event_selectors[0].field_selectors[1].field", "resources.type"),
    (of(MANAGEMENT, ("eventSource", "equals", ["kms.amazonaws.com"])), "advanced_event_selectors[0].field_selectors[1].equals", "`not_equals`"),
    (of(MANAGEMENT, ("eventSource", "not_equals", ["iam.amazonaws.com"])), "advanced_event_selectors[0].field_selectors[1].not_equals[0]", "kms.amazonaws.com"),
    (of(MANAGEMENT, ("readOnly", "equals", ["yes"])), "advanced_event_selectors[0].field_selectors[1].equals[0]", "`true` or `false`"),
    (of(MANAGEMENT, ("readOnly", "equals", ["true", "false"])), "advanced_event_selectors[0].field_selectors[1].equals", "leave the field out"),
    (of(MANAGEMENT, ("readOnly", "not_equals", ["true"])), "advanced_event_selectors[0].field_selectors[1].not_equals", "`equals`"),
    (of(MANAGEMENT, ("readonly", "equals", ["true"])), "advanced_event_selectors[0].field_selectors[1].field", "did you mean 'readOnly'"),
    (of(DATA, ("resources.arn", "equals", ["x"])), "advanced_event_selectors[0].field_selectors[2].field", "did you mean 'resources.ARN'"),
    (of(DATA, ("errorCode", "equals", ["VpceAccessDenied"])), "advanced_event_selectors[0].field_selectors[2].field", "errorCode"),
    (of(DATA, ("resources.ARN", "equals", [FUNCTION])), "advanced_event_selectors[0].field_selectors[2].equals[0]", "AWS::S3::Object"),
    (of(DATA, ("resources.ARN", "equals", ["arn:aws:s3:::bucket"])), "advanced_event_selectors[0].field_selectors[2].equals[0]", "BUCKET/PREFIX"),
    (of(DATA, ("resources.ARN", "starts_with", ["arn:aws:lambda"])), "advanced_event_selectors[0].field_selectors[2].starts_with[0]", "AWS::S3::Object"),
    (of(DATA, ("resources.ARN", "starts_with", ["arn:aws-cn:s3:::b"])), "advanced_event_selectors[0].field_selectors[2].starts_with[0]", "`${partition}`"),
    (of(DATA, ("resources.ARN", "not_starts_with", ["arn:aws:s3:::aws-logs-*"])), "advanced_event_selectors[0].field_selectors[2].not_starts_with[0]", "no `*`"),
    (of(DATA, ("eventName", "equals", ["Get*"])), "advanced_event_selectors[0].field_selectors[2].equals[0]", "starts_with"),
    (of(DATA, ("sessionCredentialFromConsole", "equals", ["no"])), "advanced_event_selectors[0].field_selectors[2].equals[0]", "`true`"),
    (of(DATA, ("sessionCredentialFromConsole", "starts_with", ["t"])), "advanced_event_selectors[0].field_selectors[2].starts_with", "`not_equals`"),
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::S3::Bucket"]}), "advanced_event_selectors[0].field_selectors[1].equals[0]", "AWS::S3::Bucket"),
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::Lamda::Function"]}), "advanced_event_selectors[0].field_selectors[1].equals[0]", "did you mean 'AWS::Lambda::Function'"),
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::S3::Object", "AWS::SNS::Topic"]}), "advanced_event_selectors[0].field_selectors[1].equals", "one value"),
    (of({"eventCategory": ["Data"], "resources.type": ["AWS::Bedrock::Model"]}, ("resources.ARN", "equals", ["arn:aws:s3:::b/k"])), "advanced_event_selectors[0].field_selectors[2].equals[0]", "AWS::Bedrock::Model"),
    (of(NETWORK, ("errorCode", "equals", ["AccessDenied"])), "advanced_event_selectors[0].field_selectors[2].equals[0]", "VpceAccessDenied"),
    (of(NETWORK, ("readOnly", "equals", ["true"])), "advanced_event_selectors[0].field_selectors[2].field", "readOnly"),
    (of(NETWORK, ("resources.type", "equals", ["AWS::S3::Object"])), "advanced_event_selectors[0].field_selectors[2].field", "resources.type"),
    (advanced(eventCategory=["NetworkActivity"], eventSource=["kms"]), "advanced_event_selectors[0].field_selectors[1].equals[0]", "kms.amazonaws.com"),
    (advanced(eventCategory=["NetworkActivity"], eventSource=["kms.amazonaws.com", "ec2.amazonaws.com"]), "advanced_event_selectors[0].field_selectors[1].equals", "one value"),
    (advanced(("eventSource", "not_equals", ["kms.amazonaws.com"]), eventCategory=["NetworkActivity"]), "advanced_event_selectors[0].field_selectors[1].not_equals", "`equals`"),
    (of(DATA, ("eventName", "equals", [f"Get{number}" for number in range(499)])), "advanced_event_selectors", "500 values at most"),
]  # fmt: skip
# AWS's own examples, of the pages that the table names.
ACCEPTED: list[dict[str, Any]] = [
    data("arn:aws:s3", "arn:aws:s3:::", "arn:aws:s3:::amzn-s3-demo-bucket1/", "arn:aws:s3:::amzn-s3-demo-bucket1/example-images"),
    data("arn:aws:lambda", FUNCTION, kind="AWS::Lambda::Function"),
    data("arn:aws:dynamodb", "arn:aws:dynamodb:us-east-1:123456789012:table/t", kind="AWS::DynamoDB::Table"),
    basic(exclude_management_event_sources=["kms.amazonaws.com", "rdsdata.amazonaws.com"]),
    of(MANAGEMENT, ("readOnly", "equals", ["false"]), ("eventSource", "not_equals", ["kms.amazonaws.com", "rdsdata.amazonaws.com"])),
    of(DATA, ("eventName", "equals", ["PutObject", "DeleteObject"]), ("resources.ARN", "not_starts_with", ["arn:aws:s3:::amzn-s3-demo-bucket/"])),
    of(DATA, ("userIdentity.arn", "not_starts_with", ["arn:aws:sts::123456789012:assumed-role/bucket-scanner-role"])),
    of(DATA, ("eventType", "not_equals", ["AwsServiceEvent"]), ("sessionCredentialFromConsole", "not_equals", ["true"])),
    of(DATA, ("resources.ARN", "equals", ["arn:aws:s3:::amzn-s3-demo-bucket/object1"]), ("resources.ARN", "ends_with", ["object3"])),
    advanced(eventCategory=["Data"], **{"resources.type": ["AWS::Cognito::IdentityPool"]}),
    # A service that AWS may have added since.
    advanced(eventCategory=["Data"], **{"resources.type": ["AWS::QuantumLedger::Journal"]}),
    of({"eventCategory": ["Data"], "resources.type": ["AWS::SNS::Topic"]}, ("resources.ARN", "starts_with", ["arn:aws:sns:us-e"])),
    of(NETWORK, ("errorCode", "equals", ["VpceAccessDenied"]), ("vpcEndpointId", "equals", ["vpce-1"])),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "path", "text"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_aws_refuses_is_refused_by_both(
    bench: Bench, lines: dict[str, Any], path: str, text: str
) -> None:
    [problem] = problems(bench, lines)
    assert (problem.path, text in problem.message + problem.hint) == (f"cloudtrail.{path}", True), problem
    assert problem.line > 0
    assert in_the_sandbox(lines) == "InvalidEventSelectorsException"


@pytest.mark.parametrize("lines", ACCEPTED, ids=[str(i) for i in range(len(ACCEPTED))])
def test_the_examples_of_aws_are_accepted_by_both(bench: Bench, lines: dict[str, Any]) -> None:
    assert (problems(bench, lines), in_the_sandbox(lines)) == ([], "")


VALUES = ["Management", "Data", "NetworkActivity", "true", "false", "kms.amazonaws.com", "AWS::S3::Object"]
VALUES += ["arn:aws:s3:::b/k", FUNCTION, "VpceAccessDenied", "x"]
CONDITION = st.tuples(
    st.sampled_from([*FIELDS, "nonsense"]),
    st.sampled_from([snake_case(each) for each in OPERATORS]),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([MANAGEMENT, DATA, NETWORK]), st.lists(CONDITION, max_size=2))
def test_validate_and_the_sandbox_agree(bench: Bench, base: Any, conditions: Any) -> None:
    aws = Aws()
    if not aws.cloudtrail.describe_trails()["trailList"]:
        make_trail(aws)
    lines = of(base, *conditions)
    assert bool(problems(bench, lines)) is bool(in_the_sandbox(lines, "trl"))


@pytest.mark.parametrize("category", GRAMMAR)
def test_each_field_takes_the_operators_of_its_row_only(bench: Bench, category: str) -> None:
    base = {"Management": MANAGEMENT, "Data": DATA, "NetworkActivity": NETWORK}[category]
    rows = GRAMMAR[category]
    for name in FIELDS:
        for operator in OPERATORS:
            rest = {field: values for field, values in base.items() if field != name}
            row = rows.get(name)
            value = row.values[0] if row and row.values else base.get(name, ["arn:aws:s3:::b/k"])[0]
            taken = row is not None and operator in row.operators
            found = problems(bench, of(rest, (name, snake_case(operator), [value])))
            assert (name, operator, found == []) == (name, operator, taken)


def test_each_row_names_its_page() -> None:
    sources = {rule.source for rules in GRAMMAR.values() for rule in rules.values()}
    assert all(re.match(r'(API \w+|User Guide, ".+")$', each) for each in sources), sources


@pytest.mark.parametrize(
    ("insight", "selectors", "text"),
    [
        ({"insight_type": "ApiCallRateInsight"}, basic(read_write_type="ReadOnly"), "management writes"),
        ({"insight_type": "ApiErrorRateInsight"}, of(DATA), "management events"),
        ({"insight_type": "ApiErrorRateInsight", "event_categories": ["Data"]}, basic(), "data events"),
        ({"insight_type": "ApiErrorRateInsight", "event_categories": ["Data"]}, of(DATA), ""),
        ({"insight_type": "ApiErrorRateInsight"}, basic(read_write_type="ReadOnly"), ""),
    ],
)
def test_insights_need_the_events_that_they_analyse(
    bench: Bench, insight: dict[str, Any], selectors: dict[str, Any], text: str
) -> None:
    found = problems(bench, {**selectors, "insight_selectors": [insight]})
    assert [text in each.message for each in found] == [True] * bool(text)
    assert in_the_sandbox(selectors) == ""
    put = {"TrailName": "trl", "InsightSelectors": [to_api(insight)]}
    code = outcome(lambda aws: aws.cloudtrail.put_insight_selectors(**put) and "", Aws())
    assert code == ("InvalidInsightSelectorsException" if text else "")


def test_an_insight_type_that_aws_lacks_is_refused_by_the_sandbox(bench: Bench) -> None:
    make_trail(Aws())
    wrong = [{"InsightType": "ApiCallRate"}]
    with pytest.raises(ClientError, match="InvalidInsightSelectorsException"):
        Aws().cloudtrail.put_insight_selectors(TrailName="trl", InsightSelectors=wrong)
