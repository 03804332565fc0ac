"""Tests of XML with a document type, which no answer of AWS's has: it is refused before its entities are expanded."""

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
