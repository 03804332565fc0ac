"""Tests of the selectors that CloudTrail takes: `validate` and the sandbox refuse the same, and AWS's examples pass."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.baseline import BaselineError
from provisioner.compare.spelling import snake_case
from provisioner.model import Kind
from provisioner.services.cloudtrail import selector_checks
from provisioner.services.cloudtrail.resource_types import resource_types
from provisioner.services.cloudtrail.selector_checks import selector_problems
from provisioner.services.cloudtrail.selector_doubts import selector_doubts
from provisioner.services.cloudtrail.selector_grammar import (
    FIELDS,
    GRAMMAR,
    INSIGHT_CATEGORIES,
    INSIGHT_TYPES,
    OPERATORS,
    READ_WRITE_TYPES,
)
from provisioner.steps.settings import to_api

from ...conftest import Bench
from ...sandbox.cases import Aws, make_trail, outcome
from .sample import ONLY, PLAIN, notes

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


def with_lines(lines: dict[str, Any]) -> str:
    return PLAIN + "".join(f"  {line}\n" for line in yaml.safe_dump(lines).splitlines())


def problems(bench: Bench, lines: dict[str, Any]) -> list[Any]:
    try:
        bench.baseline(with_lines(lines))
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
    *(
        (of(DATA, (name, "equals", ["x"])), "advanced_event_selectors[0].field_selectors[2].field", f"did you mean '{meant}'")
        for name, meant in {"eventNam": "eventName", "resource.ARN": "resources.ARN", "readonly": "readOnly", "userIdentity.Arn": "userIdentity.arn"}.items()
    ),
    *(
        (advanced(eventCategory=["Data"], **{"resources.type": [kind]}), "advanced_event_selectors[0].field_selectors[1].equals[0]", f"did you mean '{meant}'")
        for kind, meant in {"AWS::S3::Objct": "AWS::S3::Object", "AWS::Lamda::Function": "AWS::Lambda::Function", "AWS::s3::object": "AWS::S3::Object"}.items()
    ),
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
    (of(DATA, ("resources.ARN", "starts_with", ["arn:aws-cn:s3:::b"])), "advanced_event_selectors[0].field_selectors[2].starts_with[0]", "`${partition}`"),
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::S3::object"]}), "advanced_event_selectors[0].field_selectors[1].equals[0]", "did you mean 'AWS::S3::Object'"),
    (advanced(eventCategory=["Data"], **{"resources.type": ["S3::Object"]}), "advanced_event_selectors[0].field_selectors[1].equals[0]", "did you mean 'AWS::S3::Object'"),
    # Answers of AWS in public bug reports: a wildcard in place of the bucket.
    (data("arn:aws:s3:::*/*"), "event_selectors[0].data_resources[0].values[0]", "BUCKET/PREFIX"),
    (of(DATA, ("resources.ARN", "not_equals", ["arn:aws:s3:::*/*"])), "advanced_event_selectors[0].field_selectors[2].not_equals[0]", "BUCKET/PREFIX"),
    (of(DATA, ("sessionCredentialFromConsole", "equals", ["no"])), "advanced_event_selectors[0].field_selectors[2].equals[0]", "`true`"),
    (of(DATA, ("sessionCredentialFromConsole", "starts_with", ["t"])), "advanced_event_selectors[0].field_selectors[2].starts_with", "`not_equals`"),
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::S3::Object", "AWS::SNS::Topic"]}), "advanced_event_selectors[0].field_selectors[1].equals", "one value"),
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
    of({"eventCategory": ["Data"], "resources.type": ["AWS::SNS::Topic"]}, ("resources.ARN", "starts_with", ["arn:aws:sns:us-e"])),
    # Of an EC2 instance that Systems Manager manages, of a Multi-Region Access Point, and of AWS's own page.
    of({"eventCategory": ["Data"], "resources.type": ["AWS::SSM::ManagedNode"]}, ("resources.ARN", "equals", ["arn:aws:ec2:us-east-1:123456789012:instance/i-1"])),
    of({"eventCategory": ["Data"], "resources.type": ["AWS::S3::AccessPoint"]}, ("resources.ARN", "equals", ["arn:aws:s3::123456789012:accesspoint/m.mrap"])),
    of({"eventCategory": ["Data"], "resources.type": ["AWS::S3Outposts::Object"]}, ("resources.ARN", "equals", ["arn:aws:s3-outposts:us-east-1:123456789012:object_path"])),
    of(NETWORK, ("errorCode", "equals", ["VpceAccessDenied"]), ("vpcEndpointId", "equals", ["vpce-1"])),
    # The longest key of S3, and the longest value of all.
    of(DATA, ("resources.ARN", "equals", ["arn:aws:s3:::bucket/" + "k" * 1024])),
    of(DATA, ("userIdentity.arn", "equals", ["x" * 2048])),
]  # fmt: skip
# What AWS may take or does take: lines, a part of the warning in a plan, and whether the sandbox refuses them.
DOUBTED: list[tuple[dict[str, Any], str, bool]] = [
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::S3::Bucket"]}), "no resource type `AWS::S3::Bucket`", True),
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::Lambda::FunctionUrl"]}), "no resource type", True),
    # A service, and a field, that AWS may have added since. hashicorp/terraform-provider-aws issues 36280 and 43065.
    (advanced(eventCategory=["Data"], **{"resources.type": ["AWS::QuantumLedger::Journal"]}), "AWS::QuantumLedger::Journal", True),
    (of(DATA, ("userAgent", "equals", ["x"])), "no field `userAgent`", True),
    (of({"eventCategory": ["Data"], "resources.type": ["AWS::Bedrock::Model"]}, ("resources.ARN", "equals", ["arn:aws:s3:::b/k"])), "another service", True),
    (of(DATA, ("resources.ARN", "starts_with", ["arn:aws:lambda"])), "AWS::S3::Object", True),
    # CloudTrail takes these, and looks for the character: aws-ia/terraform-aws-control_tower_account_factory issue 513.
    (of(DATA, ("resources.ARN", "not_equals", ["arn:aws:s3:::aws-aft-logs/*"])), "no wildcards", False),
    (of(DATA, ("resources.ARN", "not_starts_with", ["arn:aws:s3:::aws-logs-*"])), "`starts_with`", False),
    (of(DATA, ("eventName", "equals", ["Get*"])), "`starts_with`", False),
    (data("arn:aws:s3:::bucket/*"), "leave it out", False),
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


@pytest.mark.parametrize(("lines", "text", "refused"), DOUBTED, ids=[str(i) for i in range(len(DOUBTED))])
def test_what_aws_may_take_is_a_warning_until_it_is_set(
    bench: Bench, lines: dict[str, Any], text: str, refused: bool
) -> None:
    file = with_lines(lines)
    [warning] = [each for each in notes(bench, file) if text in each[1]]
    assert warning[0] is Kind.WARNING
    assert in_the_sandbox(lines) == ("InvalidEventSelectorsException" if refused else "")
    if not refused:
        bench.apply(file, only=ONLY)
        assert [each for each in notes(bench, file) if text in each[1]] == []


def test_a_type_that_aws_adds_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    every = resource_types()
    for kind in every:
        monkeypatch.setattr(selector_checks, "resource_types", lambda new=kind: every - {new})
        lines = advanced(eventCategory=["Data"], **{"resources.type": [kind]})
        assert list(selector_problems(to_api(lines))) == []


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
    found = [*problems(bench, lines), *selector_doubts(to_api(lines), partition="aws")]
    assert bool(found) is bool(in_the_sandbox(lines, "trl"))


# The operators of each field, as API AdvancedFieldSelector has them, and a value that it takes.
EVERY = set(OPERATORS)
PAGES: dict[str, dict[str, tuple[set[str], str]]] = {
    "Management": {
        "eventCategory": ({"Equals"}, "Management"),
        "readOnly": ({"Equals"}, "true"),
        "eventSource": ({"NotEquals"}, "kms.amazonaws.com"),
    },
    "Data": {
        "eventCategory": ({"Equals"}, "Data"),
        "readOnly": ({"Equals"}, "true"),
        "resources.type": ({"Equals"}, "AWS::S3::Object"),
        "resources.ARN": (EVERY, "arn:aws:s3:::b/k"),
        "eventName": (EVERY, "GetObject"),
        "eventSource": (EVERY, "s3.amazonaws.com"),
        "eventType": (EVERY, "AwsServiceEvent"),
        "userIdentity.arn": (EVERY, "arn:aws:iam::123456789012:role/r"),
        "sessionCredentialFromConsole": ({"Equals", "NotEquals"}, "true"),
    },
    "NetworkActivity": {
        "eventCategory": ({"Equals"}, "NetworkActivity"),
        "eventSource": ({"Equals"}, "kms.amazonaws.com"),
        "eventName": (EVERY, "Decrypt"),
        "errorCode": ({"Equals"}, "VpceAccessDenied"),
        "vpcEndpointId": (EVERY, "vpce-1"),
        "userIdentity.arn": (EVERY, "arn:aws:iam::123456789012:role/r"),
    },
}
REQUIRED = {"Management": MANAGEMENT, "Data": DATA, "NetworkActivity": NETWORK}


@pytest.mark.parametrize("category", PAGES)
def test_each_field_takes_the_operators_of_aws_page_only(category: str) -> None:
    for name in {field for fields in PAGES.values() for field in fields}:
        for operator in OPERATORS:
            taken, value = PAGES[category].get(name, (set(), "x"))
            rest = {field: values for field, values in REQUIRED[category].items() if field != name}
            found = [*selector_problems(to_api(of(rest, (name, snake_case(operator), [value]))))]
            assert (name, operator, found == []) == (name, operator, operator in taken)


def test_the_words_are_those_of_the_api() -> None:
    shapes = Loader().load_service_model("cloudtrail", "service-2")["shapes"]
    for words, shape in (
        (READ_WRITE_TYPES, "ReadWriteType"),
        (INSIGHT_TYPES, "InsightType"),
        (INSIGHT_CATEGORIES, "SourceEventCategory"),
    ):
        assert set(words) == set(shapes[shape]["enum"])
    assert set(OPERATORS) == set(shapes["AdvancedFieldSelector"]["members"]) - {"Field"}


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
