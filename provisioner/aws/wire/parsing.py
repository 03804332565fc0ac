"""Parsing of answers by botocore, in which every answer that is not AWS's raises one error: UnusableAnswer.

botocore's parsers raise what their code happens to raise for such an answer, or take it for one in which nothing is set.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from typing import Any, Final

from botocore.parsers import ResponseParserError, ResponseParserFactory

from ..errors import UnusableAnswer
from ..guard import READS

# What the parsers raise for bytes that they do not expect. RecursionError is a RuntimeError, `ElementTree.ParseError`
# a SyntaxError; wrong JSON, base64 and UTF-8 are ValueErrors.
_UNREADABLE: Final = (
    ResponseParserError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)


_DOCTYPE: Final = re.compile(rb"\W*(<\?xml.{0,200}?\?>)?(\s|<!--.*?-->)*<!DOCTYPE", re.DOTALL | re.IGNORECASE)


def has_request_id(headers: Mapping[str, str]) -> bool:
    """Whether the headers of an answer have the id that AWS gives every request."""
    return any(name.lower() == "x-amzn-requestid" for name in headers)


class CheckedParserFactory(ResponseParserFactory):
    """Makes the parsers of a botocore session: register it as its component `response_parser_factory`."""

    def create_parser(self, protocol_name: str) -> Any:
        """Return the parser of *protocol_name*, such as `rest-xml`."""
        return _CheckedParser(super().create_parser(protocol_name), protocol_name)


class _CheckedParser:
    def __init__(self, parser: Any, protocol: str):
        self._parser, self._protocol = parser, protocol

    def parse(self, response: dict[str, Any], shape: Any) -> Any:
        """Return the parsed answer. Raises UnusableAnswer where it is not AWS's."""
        try:
            # No answer of AWS's has one, and its entities can grow a thousandfold.
            if isinstance(response["body"], bytes) and _DOCTYPE.match(response["body"]):
                raise ValueError("XML with a document type")
            parsed = self._parser.parse(response, shape)
            found = any(value for name, value in parsed.items() if name != "ResponseMetadata")
            if response["status_code"] < 300 and not found:
                operation = response.get("context", {}).get("operation_name", "")
                # GuardDuty, for one, answers "no administrator" without a body, and AWS gives every request an id.
                known = self._protocol == "rest-json" and has_request_id(response["headers"])
                self._check_empty(response["body"], shape, full=operation.startswith(READS) and not known)
            if isinstance(policy := parsed.get("Policy"), str) and policy:
                json.loads(policy)  # of S3 it is the whole body, so that no parser has looked at it
        except _UNREADABLE as error:
            why = str(error).partition(", invalid XML")[0][:200]
            raise UnusableAnswer(
                problem=f"the answer (HTTP status {response['status_code']}) is not AWS's: {type(error).__name__}: {why}"
            ) from error
        return parsed

    def _check_empty(self, body: Any, shape: Any, *, full: bool) -> None:
        """Raise ValueError if the body, in which the parser found nothing, is none that says so. *full*: it must have one.

        A proxy's page and a document that is cut off are "nothing is set" to botocore's parsers otherwise.
        """
        text = body.strip() if isinstance(body, bytes) else b""
        if not text:
            members = shape.members.values() if shape is not None else ()
            if full and any("location" not in each.serialization for each in members):
                raise ValueError("nothing at all")
            return
        if text[:9].lower().startswith((b"<!doctype", b"<html")):
            raise ValueError("a web page")
        if self._protocol in {"json", "rest-json"} and not isinstance(json.loads(text), dict):
            raise ValueError("no JSON object")
