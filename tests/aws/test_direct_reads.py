"""Tests of DirectReads: its signatures, supported operations and errors are botocore's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from botocore.utils import percent_encode_sequence
from hypothesis import given
from hypothesis import strategies as st

from provisioner.aws.cloud import Cloud
from provisioner.aws.options import Options
from provisioner.aws.wire.direct_reads import sign
from provisioner.model import Target
from provisioner.sandbox import Fault, open_sandbox
from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World

HERE = Target("123456789012", "us-east-1")
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


@given(
    method=st.sampled_from(["GET", "POST"]),
    path=st.lists(TEXT).map(lambda parts: "/" + "/".join(quote(part, safe="") for part in parts)),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(percent_encode_sequence),
    body=st.binary(max_size=200),
    target=TEXT,
    key=TEXT,
    token=st.none() | TEXT.filter(lambda text: text == text.strip()),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    scope=st.sampled_from(
        [("us-east-1", "config"), ("cn-north-1", "cloudtrail"), ("eu-west-1", "organizations")]
    ),
)
def test_the_signature_is_botocores(
    method: str,
    path: str,
    query: str,
    body: bytes,
    target: str,
    key: str,
    token: str | None,
    moment: datetime,
    scope: tuple[str, str],
) -> None:
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", "User-Agent": "us"}
    url = urlsplit(f"https://{scope[1]}.{scope[0]}.amazonaws.com")._replace(path=path, query=query)
    credentials = ReadOnlyCredentials("AKIA", key, token)
    ours = sign(method, url, headers, body, scope=scope, credentials=credentials, now=moment)
    request = AWSRequest(method=method, url=url.geturl(), headers=headers, data=body)
    request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
    auth = botocore.auth.SigV4Auth(Credentials("AKIA", key, token), scope[1], scope[0])
    request.headers["X-Amz-Date"] = ours["X-Amz-Date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    text = auth.string_to_sign(request, auth.canonical_request(request))
    assert ours["Authorization"].rpartition("Signature=")[2] == auth.signature(text, request)
    assert ours["Authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, ")
    names = auth.signed_headers(auth.headers_to_sign(request))
    assert f"SignedHeaders={names}," in ours["Authorization"]


@pytest.fixture
def served() -> Iterator[tuple[World, str]]:
    with open_sandbox(None) as world, serving(world) as door:
        yield world, door.url


@pytest.fixture
def cloud(served: tuple[World, str]) -> Iterator[Cloud]:
    """A Cloud whose DirectReads of AWS Config has learned how botocore signs."""
    made = Cloud(Options(endpoint_url=served[1], own_connections=True, own_signatures=True))
    read(made)
    yield made
    made.close()


def read(cloud: Cloud, service: str = "config", operation: str = "describe_delivery_channels") -> Any:
    answer = cloud.read(HERE, service, "us-east-1", operation, {})
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_writes_and_other_protocols_are_left_to_botocore(cloud: Cloud) -> None:
    read(cloud, "iam", "list_users")
    direct_reads = cloud._clients._direct_reads
    assert direct_reads["config", "us-east-1"].supports("describe_delivery_channels")
    assert not direct_reads["config", "us-east-1"].supports("put_configuration_recorder")
    assert not direct_reads["iam", "us-east-1"].supports("list_users")


def test_outages_and_throttling_are_retried(served: tuple[World, str], cloud: Cloud) -> None:
    world, _ = served
    expected = read(cloud)
    world.calls.clear()
    codes = iter(["InternalFailure", "ThrottlingException"])

    def fail(call: Any, phase: str) -> Fault | None:
        code = next(codes, None) if phase == "before" else None
        return Fault(code, 500 if code == "InternalFailure" else 400, "not now") if code else None

    world.interrupt(fail)
    assert read(cloud) == expected
    assert [call.code for call in world.calls] == ["InternalFailure", "ThrottlingException", None]
    assert cloud.tally.throttled == 1


def test_without_credentials_it_fails_as_botocore_does(cloud: Cloud) -> None:
    cloud.keyring._own = None
    with pytest.raises(NoCredentialsError):
        read(cloud)
