"""Tests of answers that are not AWS's, and of those that are and hold nothing."""

from __future__ import annotations

import botocore.session
import pytest

from provisioner.aws.errors import UnusableAnswer
from provisioner.aws.wire.parsing import CheckedParserFactory

LAUGHS = b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b'<?xml version="1.0"?>\n',
        b"\xef\xbb\xbf",
        b"<!-- a\nb --> ",
        b"\n\n<?xml version='1.0'?><!--c-->",
    ],
)
@pytest.mark.parametrize("body", [LAUGHS, LAUGHS.replace(b"DOCTYPE", b"doctype")])
def test_xml_with_a_document_type_is_refused(before: bytes, body: bytes) -> None:
    shape = botocore.session.get_session().get_service_model("iam").operation_model("ListRoles").output_shape
    answer = {"status_code": 200, "headers": {}, "body": before + body, "context": {}}
    with pytest.raises(UnusableAnswer, match="XML with a document type"):
        CheckedParserFactory().create_parser("query").parse(answer, shape)


def test_a_policy_may_name_a_document_type() -> None:
    shape = (
        botocore.session.get_session().get_service_model("s3").operation_model("GetBucketPolicy").output_shape
    )
    answer = {"status_code": 200, "headers": {}, "body": b'{"Id": "<!DOCTYPE x>"}', "context": {}}
    assert (
        CheckedParserFactory().create_parser("rest-xml").parse(answer, shape)["Policy"]
        == '{"Id": "<!DOCTYPE x>"}'
    )


@pytest.mark.parametrize("name", ["x-amzn-RequestId", "x-amzn-requestid"])
def test_an_answer_without_a_body_is_aws_with_its_request_id_only(name: str) -> None:
    """GuardDuty's GetAdministratorAccount: success, "but no content", for an account that is no member."""
    model = botocore.session.get_session().get_service_model("guardduty")
    shape = model.operation_model("GetAdministratorAccount").output_shape
    context = {"operation_name": "GetAdministratorAccount"}
    answer = {"status_code": 200, "headers": {name: "1"}, "body": b"", "context": context}
    parser = CheckedParserFactory().create_parser("rest-json")
    assert parser.parse(answer, shape).keys() == {"ResponseMetadata"}
    with pytest.raises(UnusableAnswer, match="nothing at all"):
        parser.parse({**answer, "headers": {"Server": "proxy"}}, shape)
