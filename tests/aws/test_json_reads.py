"""The short way to services that speak JSON gives what botocore's own way gives: signatures, answers, errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from provisioner.aws.cloud import Cloud
from provisioner.aws.terms import Options
from provisioner.aws.wire.json_reads import sign
from provisioner.model import Target
from provisioner.sandbox import Fault, open_sandbox
from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World

HERE = Target("123456789012", "us-east-1")
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


@given(
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
    body: bytes, target: str, key: str, token: str | None, moment: datetime, scope: tuple[str, str]
) -> None:
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", "User-Agent": "us"}
    host = f"{scope[1]}.{scope[0]}.amazonaws.com"
    ours = sign(
        headers, body, host=host, scope=scope, credentials=ReadOnlyCredentials("AKIA", key, token), now=moment
    )
    request = AWSRequest(method="POST", url=f"https://{host}/", headers=headers, data=body)
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


def outcome(cloud: Cloud, service: str, operation: str, params: dict[str, Any]) -> Any:
    try:
        answer = cloud.read(HERE, service, "us-east-1", operation, params)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be the same both ways
        response = getattr(error, "response", {})
        text = str(error).replace(
            " (reached max retries: 0)", ""
        )  # botocore's own retries, which there are none of
        return type(error).__name__, text, response.get("Error")
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


QUESTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("config", "describe_configuration_recorders", {}),
    ("config", "describe_configuration_recorder_status", {"ConfigurationRecorderNames": ["none"]}),
    ("config", "describe_config_rules", {"ConfigRuleNames": ["no-such-rule"]}),
    ("config", "describe_delivery_channels", {}),
    ("cloudtrail", "describe_trails", {}),
    ("cloudtrail", "get_trail_status", {"Name": "none"}),
    ("cloudtrail", "lookup_events", {}),
    ("organizations", "describe_organization", {}),
    ("organizations", "list_accounts", {}),
    ("organizations", "list_roots", {}),
    ("kms", "describe_key", {"KeyId": "12345678-1234-1234-1234-123456789012"}),
    ("cloudtrail", "get_trail_status", {"Nmae": "none"}),
]


def test_answers_and_errors_are_botocores(served: tuple[World, str]) -> None:
    _, url = served
    long, short = (
        Cloud(Options(endpoint_url=url, own_connections=own, own_signatures=own)) for own in (False, True)
    )
    for service, operation, params in QUESTIONS:
        outcome(short, service, operation, params)  # learns the way
        assert outcome(short, service, operation, params) == outcome(long, service, operation, params)
        json_reads = short._clients._json_reads[service, "us-east-1"]
        assert json_reads.takes(operation)
    calls = short.tally.by_operation
    assert calls == {name: 2 * count for name, count in long.tally.by_operation.items()}, "each is counted"
    long.close()
    short.close()


def test_a_write_or_another_protocol_goes_the_long_way(served: tuple[World, str]) -> None:
    _, url = served
    cloud = Cloud(Options(endpoint_url=url, own_connections=True, own_signatures=True))
    for service, operation in (("config", "put_configuration_recorder"), ("iam", "list_users")):
        question = {"config": "describe_configuration_recorders", "iam": "list_users"}[service]
        outcome(cloud, service, question, {})
        outcome(cloud, service, question, {})
        assert not cloud._clients._json_reads[service, "us-east-1"].takes(operation)
    cloud.close()


def test_what_is_no_aws_answer_is_an_outage_and_asked_again(served: tuple[World, str]) -> None:
    world, url = served
    cloud = Cloud(Options(endpoint_url=url, own_connections=True, own_signatures=True))
    expected = outcome(cloud, "config", "describe_delivery_channels", {})
    said = iter(["InternalFailure", "ThrottlingException"])

    def bad(call: Any, phase: str) -> Fault | None:
        code = next(said, None) if phase == "before" else None
        return Fault(code, 500 if code == "InternalFailure" else 400, "not now") if code else None

    world.interrupt(bad)
    assert outcome(cloud, "config", "describe_delivery_channels", {}) == expected
    assert [call.code for call in world.calls] == [None, "InternalFailure", "ThrottlingException", None]
    assert cloud.tally.throttled == 1
    cloud.close()


def test_without_credentials_it_fails_as_botocore_does(
    served: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = served
    cloud = Cloud(Options(endpoint_url=url, own_connections=True, own_signatures=True))
    outcome(cloud, "config", "describe_delivery_channels", {})
    cloud.keyring._own = None
    with pytest.raises(NoCredentialsError):
        cloud.read(HERE, "config", "us-east-1", "describe_delivery_channels", {})
    cloud.close()
