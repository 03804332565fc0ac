"""Tests of `notices` in the file: what is accepted, what is refused with its place, and that no secret is shown."""

from __future__ import annotations

import json
from typing import get_args

import jsonschema
import pytest

from provisioner.baseline import Baseline, BaselineError, parse
from provisioner.baseline.notices import DEFAULT, Trigger
from provisioner.baseline.schema import json_schema
from provisioner.baseline.written_secrets import hide, written_in
from provisioner.permissions import by_section, of_caller
from provisioner.permissions.notices import notice_permissions
from provisioner.repair.notice_texts import RESOLVED, TO_DO
from provisioner.steps.registry import all_sections

HEAD = "organization_name: acme\nhome_region: us-east-1\npassword_policy: {minimum_password_length: 14}\n"
TOKEN = "T0000/B0000/abcdefghijklmnop"
SLACK = f"https://hooks.slack.com/services/{TOKEN}"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


def read(text: str, **env: str) -> Baseline:
    return parse(HEAD + text, "baseline.yaml", all_sections(), env)


def error_of(text: str, **env: str) -> BaselineError:
    with pytest.raises(BaselineError) as caught:
        read(text, **env)
    return caught.value


GOOD = f"""
notices:
  oncall: {{webhook: {{url: '{SLACK}', format: slack}}, on: [danger, contested]}}
  siem: {{webhook: {{url: https://siem.example.com/in?source=aws, signing_secret: 0123456789012345}}}}
  mail: {{sns: {{topic_arn: '{TOPIC}'}}}}
  bus: {{event_bridge: {{event_bus_name: default}}}}
  dead-man: {{ping: {{url: https://hc-ping.com/0000-1111-2222}}}}
"""


def test_every_kind_is_read() -> None:
    notices = read(GOOD).general.notices
    assert notices["oncall"].on == ["danger", "contested"]
    assert notices["mail"].on == [*DEFAULT]
    assert notices["bus"].event_bridge
    assert notices["bus"].event_bridge.source == "provision"
    siem = notices["siem"].webhook
    assert siem
    assert siem.format == "json"
    assert siem.signing_secret
    assert siem.signing_secret.get_secret_value() == "0123456789012345"  # a number is taken as it is written


def test_every_trigger_is_told_by_default_and_has_its_words() -> None:
    assert set(DEFAULT) == set(get_args(Trigger)) == set(TO_DO) == set(RESOLVED)


def test_secrets_are_hidden_wherever_the_file_has_them() -> None:
    baseline = read(GOOD)
    assert TOKEN not in repr(baseline.general) + str(baseline.general.notices["oncall"])
    assert baseline.secrets == {
        SLACK: "${notices.oncall.webhook.url}",
        "https://siem.example.com/in?source=aws": "${notices.siem.webhook.url}",
        "0123456789012345": "${notices.siem.webhook.signing_secret}",
        "https://hc-ping.com/0000-1111-2222": "${notices.dead-man.ping.url}",
    }


def test_url_and_secret_come_from_variables_that_say_that_they_are_secrets() -> None:
    text = "notices: {a: {webhook: {url: '${env:HOOK_TOKEN}', signing_secret: '${env:HOOK_SECRET}'}}}"
    baseline = read(text, HOOK_TOKEN=SLACK, HOOK_SECRET="x" * 20)
    assert baseline.secrets == {SLACK: "${env:HOOK_TOKEN}", "x" * 20: "${env:HOOK_SECRET}"}
    assert "is a secret" in str(
        error_of("notices: {a: {event_bridge: {event_bus_name: '${env:HOOK_TOKEN}'}}}")
    )


@pytest.mark.parametrize(
    "url", ["https://x.example.com", "http://localhost:8080/x", "http://127.0.0.1/x", "http://[::1]:1/x"]
)
def test_https_is_accepted_and_http_on_this_machine(url: str) -> None:
    assert read(f"notices: {{a: {{webhook: {{url: '{url}'}}}}}}").general.notices


WRONG = [
    ("{webhook: {url: 'http://example.com/SECRETSECRET'}}", "webhook.url: http:// can be read on its way"),
    ("{webhook: {url: 'http://127.0.0.1.example.com/SECRETSECRET'}}", "webhook.url: http:// can be read"),
    ("{webhook: {url: 'hooks.example.com/SECRETSECRET'}}", "webhook.url: want a URL; copy it whole"),
    ("{webhook: {url: 'ftp://example.com/SECRETSECRET'}}", "webhook.url: want a URL; copy it whole"),
    ("{webhook: {url: 'https:///SECRETSECRET'}}", "webhook.url: want a URL; copy it whole"),
    ("{webhook: {url: 'https://example.com:99999/SECRETSECRET'}}", "webhook.url: want a URL; copy it whole"),
    ("{webhook: {url: 'https://u:SECRETSECRET@example.com/'}}", "webhook.url: a user name or password"),
    ("{webhook: {url: 'https://example.com/#SECRETSECRET'}}", "webhook.url: what follows a `#`"),
    ("{webhook: {url: 'https://example.com/SECRET SECRET'}}", "webhook.url: want a URL of at most"),
    ("{webhook: {url: [https://example.com/SECRETSECRET]}}", "webhook.url: want an https URL, got a list"),
    (
        "{webhook: {url: https://example.com/SECRETSECRET, signing_secret: short}}",
        "want at least 16 characters",
    ),
    ("{webhook: {ulr: https://example.com/SECRETSECRET}}", "no such key; did you mean 'url'?"),
    ("https://example.com/SECRETSECRET", "notices.a: want a mapping"),
    (
        "{webhook: {url: https://example.com/SECRETSECRET, format: teams}}",
        "want 'slack' or 'json', got 'teams'",
    ),
    ("{webhook: {url: [https://example.com/SECRETSECRET}}", "is not closed"),
    ("{ping: {url: https://example.com/SECRETSECRET}, on: [danger]}", "a.on: a ping is sent for every run"),
    ("{}", "a: say how to tell: `sns`, `event_bridge`, `webhook` or `ping`"),
    (f"{{sns: {{topic_arn: '{TOPIC}'}}, event_bridge: {{event_bus_name: default}}}}", "is beside `sns`"),
    (f"{{sns: {{topic_arn: '{TOPIC}'}}, on: [danger, danger]}}", "on[1]: 'danger' is listed twice"),
    (f"{{sns: {{topic_arn: '{TOPIC}'}}, on: [dangr]}}", "did you mean 'danger'?"),
    (f"{{sns: {{topic_arn: '{TOPIC}'}}, on: []}}", "on: want a list of at least 1 item"),
    (
        "{sns: {topic_arn: 'arn:aws-cn:sns:cn-north-1:123456789012:x'}}",
        "sns.topic_arn: the ARN is not of aws",
    ),
    ("{sns: {topic_arn: alarms}}", "want the ARN of an SNS topic, got 'alarms'"),
    ("{event_bridge: {event_bus_name: 'a b'}}", "want the name or the ARN of an event bus"),
    ("{event_bridge: {event_bus_name: default, source: aws.ec2}}", "EventBridge keeps sources"),
]


@pytest.mark.parametrize(("sink", "message"), WRONG)
def test_mistake_has_its_place_and_remedy_and_shows_no_secret(sink: str, message: str) -> None:
    error = error_of(f"notices: {{a: {sink}}}")
    assert message in str(error)
    assert all(each.line == 4 for each in error.problems)
    assert "SECRET" not in str(error)
    assert "SECRET" not in json.dumps([each.as_dict() for each in error.problems])


def test_secret_in_another_line_that_is_wrong_is_hidden_too() -> None:
    text = f"notices:\n  a:\n    webhook: {{url: '{SLACK}', signing_secret: abcdefgh12345678}}\n   on: [danger]\n"
    assert TOKEN not in str(error_of(text))
    assert "abcdefgh" not in str(error_of(text.replace("   on:", "on:").replace("}", "")))


def test_hidden_texts_keep_their_length_and_names_of_variables_stay() -> None:
    lines = [f"url: {SLACK}", "url: ${env:HOOK}", "signing_secret: 'abcdefghijklmnop' # mine"]
    secrets = written_in(lines)
    for line in lines:
        assert len(hide(line, secrets)) == len(line)
    assert hide(lines[0], secrets) == "url: " + "*" * len(SLACK)
    assert hide(lines[1], secrets) == lines[1]
    assert "abcdef" not in hide(lines[2], secrets)
    assert hide(f"got '{SLACK[:40]}...'", []).startswith("got 'https://hooks.slack.com/***")


def test_schema_accepts_what_the_program_accepts() -> None:
    schema = json_schema(all_sections())
    secret = {"ping": {"url": "${env:PING_URL_TOKEN}"}}
    document = {"organization_name": "a", "notices": {"a": secret, "b": {"sns": {"topic_arn": TOPIC}}}}
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "notices": {"a": {"sns": {"topic_arn": "x"}}}}, schema)


def test_permissions_are_exactly_those_of_the_topics_and_buses() -> None:
    other = "arn:aws:events:eu-west-1:999999999999:event-bus/audit"
    baseline = read(f"{GOOD}  other: {{event_bridge: {{event_bus_name: '{other}'}}}}\n")
    found = [(each.action, *each.resources) for each in notice_permissions(baseline, "123456789012")]
    assert found == [
        ("sns:Publish", TOPIC),
        ("sns:GetTopicAttributes", TOPIC),
        ("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/default"),
        ("events:DescribeEventBus", "arn:aws:events:us-east-1:123456789012:event-bus/default"),
        ("events:PutEvents", other),
        ("events:DescribeEventBus", other),
    ]


def test_only_the_command_that_sends_notices_needs_the_permissions() -> None:
    parts = list(of_caller(read(GOOD), "123456789012", "aws"))
    reads = ["events:DescribeEventBus", "sns:GetTopicAttributes"]
    for commands, sends in (
        (["diff", "apply", "verify"], []),
        (["repair"], ["events:PutEvents", "sns:Publish"]),
    ):
        statements = by_section(parts, commands)["notices"]["Statement"]
        own = [
            action for each in statements if each["Sid"].startswith("Notices") for action in each["Action"]
        ]
        assert sorted(own) == sorted([*reads, *sends])
