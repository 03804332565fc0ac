"""Tests of what sends a message: webhooks and pings against servers that are broken, SNS and EventBridge in the sandbox."""

from __future__ import annotations

import hmac
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from pydantic import SecretStr

from provisioner.aws.as_caller import call_as_caller
from provisioner.aws.cloud import Cloud
from provisioner.aws.guard import READS, RUN_WRITES
from provisioner.aws.tls import tls_context
from provisioner.baseline.notices import EventBridgeBus, Ping, SnsTopic, Webhook
from provisioner.model import Difference
from provisioner.repair.messages import Message, messages
from provisioner.repair.notice import Notice
from provisioner.repair.notices import found_by
from provisioner.repair.records import Actor, Address, RunReport
from provisioner.repair.sinks import event_bridge, ping, sns, webhook
from provisioner.repair.sinks.post import connector, post
from provisioner.sandbox.model import Fault

from ..conftest import Bench
from . import servers
from .notice_samples import ACCOUNT, TRAIL, at, drift, report

CONNECT = connector(tls_context)
SECRET = "sEcReT-token"


def message(run: RunReport | None = None) -> Message:
    run = run or report(0, [drift(state="repaired")])
    return next(messages(found_by(run), run))


def send(url: str, seconds: float = 0.4) -> str:
    """The error of a post, which must come in time and must not have the URL's secret."""
    began = time.monotonic()
    error = post(f"{url}/{SECRET}", b"{}", {}, CONNECT, seconds)
    assert time.monotonic() - began < seconds + 0.5
    assert SECRET not in error
    return error


def test_post_arrives() -> None:
    with servers.hook() as found:
        assert post(f"{found.url}/a?b=c", b"body", {"X-Y": "z"}, CONNECT, 5) == ""
    [received] = found.received
    assert (received.path, received.body, received.headers["X-Y"]) == ("/a?b=c", b"body", "z")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (servers.hang, "no answer in 0 s"),
        (servers.trickle, "no answer in 0 s"),
        (servers.huge, "it answers 500"),
        (servers.not_http, "what answers is not HTTP: BadStatusLine"),
        (servers.slam, "it cannot be reached: RemoteDisconnected"),
    ],
)
def test_broken_server_is_told_in_time(
    answer: Callable[[socket.socket, servers.Hook], None], error: str
) -> None:
    with servers.raw(answer) as found:
        assert send(found.url) == error


def test_server_that_refuses_is_told() -> None:
    assert send(f"http://127.0.0.1:{servers.closed_port()}") == "it cannot be reached: Connection refused"


def test_redirect_is_not_followed() -> None:
    with servers.hook() as elsewhere, servers.hook(302, b"", Location=f"{elsewhere.url}/{SECRET}") as found:
        assert "answers 302, which leads elsewhere and is not followed" in send(found.url)
    assert not elsewhere.received


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"no_service", "it answers 404: no_service; make a new one, or correct it"),
        (400, b"invalid_payload\n", "it answers 400: invalid_payload"),
        (500, f"Cannot POST /{SECRET}".encode(), "it answers 500"),
        (429, b"\xff\xfe", "it answers 429"),
        (403, b"", "it answers 403; make a new one, or correct it"),
    ],
)
def test_refusal_is_told_without_what_may_repeat_the_url(status: int, body: bytes, error: str) -> None:
    with servers.hook(status, body) as found:
        assert send(found.url) == error


def test_certificates_of_your_own_are_trusted_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, bundle = servers.certificate(tmp_path)
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with servers.hook(tls=tls) as found:
        url = f"https://127.0.0.1:{found.port}"
        assert "its certificate is not accepted" in send(url, 3)
        for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            with monkeypatch.context() as patch:
                patch.setenv(name, str(bundle))
                assert send(url, 3) == ""
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
        assert "AWS_CA_BUNDLE" in send(url, 3)


def test_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, bundle = servers.certificate(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "other.example.test")
    with servers.hook(tls=tls) as found, servers.raw(servers.proxy(found.port)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("https_proxy", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        assert send("https://hooks.example.test", 3) == ""
    assert proxy.received[0].path == "hooks.example.test:443"
    assert b"Basic dXNlcjpwQHNz" in proxy.received[0].body
    monkeypatch.setenv("HTTPS_PROXY", "https://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "https://127.0.0.1:1")
    assert "HTTPS_PROXY: notices go through proxies with http:// only" in send("https://hooks.example.test")


def test_json_webhook_has_all_fields_and_a_signature_that_a_receiver_can_check() -> None:
    who = Actor("arn:aws:iam::123456789012:user/mallory", at(0).isoformat(), "StopLogging", "e1", "192.0.2.1")
    run = report(0, [drift(state="repaired", who=who)])
    with servers.hook() as found:
        hook = Webhook(url=SecretStr(found.url), signing_secret=SecretStr("0123456789abcdef"))
        assert webhook.send(hook, message(run), CONNECT, at(0), 5) == ""
    [received] = found.received
    stamp = received.headers["X-Provision-Timestamp"]
    signed = hmac.new(b"0123456789abcdef", stamp.encode() + b"." + received.body, "sha256").hexdigest()
    assert received.headers["X-Provision-Signature"] == f"sha256={signed}"
    assert int(stamp) == at(0).timestamp()
    data = json.loads(received.body)
    assert (data["trigger"], data["phase"], data["count"], data["left_out"]) == ("repaired", "new", 1, 0)
    [item] = data["items"]
    assert item["account_name"] == "prod"
    assert item["who"]["event"] == "StopLogging"
    assert item["about"] == str(TRAIL)


def test_slack_gets_a_text_in_which_nothing_is_a_link_or_a_mention() -> None:
    evil = drift(Address(ACCOUNT, "us-east-1", "log_buckets", "bucket <!channel>\n<http://x|y>"))
    with servers.hook() as found:
        hook = Webhook(url=SecretStr(found.url), format="slack")
        assert webhook.send(hook, message(report(0, [evil])), CONNECT, at(0), 5) == ""
    payload = json.loads(found.received[0].body)
    text = payload.pop("text")
    # A bare URL stays as it is in the text: Slack's servers would make a link of it, and open it for a preview.
    assert payload == {"mrkdwn": True, "parse": "none", "unfurl_links": False, "unfurl_media": False}
    assert "<" not in text
    assert "&lt;!channel&gt;\\n" in text


def test_ping_says_start_and_the_exit_code() -> None:
    with servers.hook() as found:
        target = Ping(url=SecretStr(f"{found.url}/uuid/?a=b"))
        assert ping.send(target, "start", "", CONNECT, 5) == ""
        assert ping.send(target, "3", "one account failed", CONNECT, 5) == ""
    assert [(x.path, x.body) for x in found.received] == [
        ("/uuid/start?a=b", b""),
        ("/uuid/3?a=b", b"one account failed"),
    ]


def many(count: int, **given: Any) -> RunReport:
    return report(
        0,
        [
            drift(Address(f"{i:012}", "us-east-1", "cloudtrail", f"trail of {i:012}"), **given)
            for i in range(count)
        ],
    )


def test_thousand_accounts_are_one_message_that_names_some() -> None:
    run = many(1000)
    [found] = messages(found_by(run), run)
    assert found.title == "1,000 differences from the file in 1,000 accounts"
    assert len(found.notices) == 1000
    assert "and 995 more, all in us-east-1" in found.text
    assert found.text.count("to do:") == 1
    assert found.data["count"] == 1000
    assert len(found.data["items"]) + found.data["left_out"] == 1000


def test_largest_message_fits_into_every_sink() -> None:
    long = [Difference(f"f{i}", "ä" * 500, '"' * 500) for i in range(30)]
    run = report(
        0,
        [
            drift(
                Address(f"{i:012}", "us-east-1", "log_buckets", f"bucket {'ö' * 500}{i}"),
                who=Actor("n" * 3000, "t", "e", "i", "a", "u" * 3000),
                why='\\"' * 2000,
                state="failed",
            )
            for i in range(900)
        ],
    )
    run = report(0, [type(each)(**{**vars(each), "differences": long}) for each in run.drifts])
    [found] = messages(found_by(run), run)
    assert len(found.to_json().encode()) < 250_000
    assert len(json.loads(webhook.slack(found))["text"]) < 4_000


@pytest.fixture
def cloud(bench: Bench) -> Cloud:
    bench.clouds.append(Cloud(clock=bench.clock, workers=1))
    return bench.clouds[-1]


@pytest.fixture
def topic(bench: Bench) -> Callable[[], list[dict[str, Any]]]:
    """A topic named `alarms`, and what was published to it."""
    bench.client("sns").create_topic(Name="alarms")

    def received() -> list[dict[str, Any]]:
        return [x.params for x in bench.world.calls if x.operation == "Publish" and x.code is None]

    return received


TOPIC = SnsTopic(topic_arn=f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms")


def test_topic_gets_subject_text_and_attributes(
    cloud: Cloud, topic: Callable[[], list[dict[str, Any]]]
) -> None:
    assert sns.send(TOPIC, message(), cloud) == ""
    [found] = topic()
    assert found["Subject"] == "provision: 1 difference repaired in 123456789012 (prod)"
    assert "IsLogging was false; the file asks for true" in found["Message"]
    assert {k: v["StringValue"] for k, v in found["MessageAttributes"].items()} == {
        "trigger": "repaired",
        "phase": "new",
        "run": "run-0",
        "account": ACCOUNT,
    }


def test_subject_is_short_and_ascii(
    bench: Bench, cloud: Cloud, topic: Callable[[], list[dict[str, Any]]]
) -> None:
    run = report(0, [drift()], names={ACCOUNT: "Größe " * 50})
    sns.send(TOPIC, message(run), cloud)
    [found] = topic()
    assert found["Subject"].isascii()
    assert len(found["Subject"]) <= 100


def test_throttled_notice_is_tried_again(
    bench: Bench, cloud: Cloud, topic: Callable[[], list[dict[str, Any]]]
) -> None:
    times = [0]

    def throttle(call: Any, phase: str) -> Fault | None:
        if phase == "before" and call.operation == "Publish":
            times[0] += 1
            return Fault("Throttling") if times[0] < 3 else None
        return None

    bench.world.interrupt(throttle)
    sns.send(TOPIC, message(), cloud)
    assert len(topic()) == 1


def test_bus_gets_an_event_with_all_fields(bench: Bench, cloud: Cloud) -> None:
    bench.client("events").create_event_bus(Name="audit")
    bus = EventBridgeBus(event_bus_name="audit")
    bench.world.calls.clear()
    assert event_bridge.send(bus, message(), cloud, "us-east-1") == ""
    [call] = [each for each in bench.world.calls if each.operation == "PutEvents"]
    [entry] = call.params["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("provision", "Provision Notice")
    assert json.loads(entry["Detail"])["trigger"] == "repaired"


def test_entry_that_a_bus_refuses_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {
        "FailedEntryCount": 1,
        "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "try\nlater"}],
    }
    monkeypatch.setattr(event_bridge, "call_as_caller", lambda *given: answer)
    bus = EventBridgeBus(event_bus_name="audit")
    error = event_bridge.send(bus, message(), cloud, "us-east-1")
    assert error == "InternalFailure: try\\nlater"


def refusal(cloud: Cloud, service: str, operation: str) -> str:
    """Why a call is refused that has no right parameter."""
    client = cloud.client(service, "us-east-1")
    name = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(name).input_shape
    params = dict.fromkeys(shape.required_members if shape else (), object())
    try:
        call_as_caller(cloud, service, "us-east-1", operation, params)
    except (RuntimeError, ParamValidationError) as error:
        return str(error)
    return ""


SERVICES = ("sns", "events", "s3", "cloudtrail", "config", "iam", "kms", "sts", "ssm", "accessanalyzer")


def test_every_write_but_these_is_refused(bench: Bench, cloud: Cloud) -> None:
    """Law 4 for notices and journal: of all that these services can do, only what overwrites nothing passes."""
    passed = {
        (service, name): RUN_WRITES.get((service, name), {})
        for service in SERVICES
        for operation, name in cloud.client(service, "us-east-1").meta.method_to_api_mapping.items()
        if not name.startswith(READS) and "outside a Change" not in refusal(cloud, service, operation)
    }
    create_only = {("s3", "PutObject"): {"IfNoneMatch": "*"}}
    assert {**passed, **create_only} == RUN_WRITES
    assert passed == {("sns", "Publish"): {}, ("events", "PutEvents"): {}}
    assert bench.world.writes == []


def test_a_run_publishes_only_as_caller(cloud: Cloud) -> None:
    with (
        cloud.keyring.signing(None),
        pytest.raises(RuntimeError, match="Publish writes to AWS outside a Change"),
    ):
        cloud.client("sns", "us-east-1").publish(TopicArn=TOPIC.topic_arn, Message="x")


def test_texts_have_no_control_characters() -> None:
    run = report(0, [drift(Address(ACCOUNT, "us-east-1", "cloudtrail", "trail \x1b[31m\u202e"))])
    found: Notice = next(found_by(run))
    assert "\\x1b[31m\\u202e" in found.what
    assert all(line.isprintable() for line in message(run).text.splitlines())
