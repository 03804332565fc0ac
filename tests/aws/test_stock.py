"""Tests that own connections and own signatures give botocore's answers and errors, and can be switched off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.aws.clients import STOCK
from provisioner.aws.cloud import Cloud
from provisioner.aws.options import Options
from provisioner.cli import run
from provisioner.model import Call, Target
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving

from ..conftest import one_in
from ..laws.full import FULL

HERE = Target("123456789012", "us-east-1")
READS: list[tuple[str, str, dict[str, Any]]] = [
    ("sts", "get_caller_identity", {}),
    ("iam", "list_account_aliases", {}),
    ("iam", "get_account_password_policy", {}),
    ("s3", "head_bucket", {"Bucket": "one-bucket", "ExpectedBucketOwner": "123456789012"}),
    ("s3", "get_bucket_encryption", {"Bucket": "one-bucket", "ExpectedBucketOwner": "123456789012"}),
    ("s3", "get_bucket_policy", {"Bucket": "no-bucket", "ExpectedBucketOwner": "123456789012"}),
    ("config", "describe_configuration_recorders", {}),
    ("config", "describe_configuration_recorder_status", {"ConfigurationRecorderNames": ["none"]}),
    ("config", "describe_config_rules", {"ConfigRuleNames": ["no-such-rule"]}),
    ("cloudtrail", "describe_trails", {}),
    ("cloudtrail", "get_trail_status", {"Name": "none"}),
    ("cloudtrail", "get_trail_status", {"Nmae": "none"}),
    ("cloudtrail", "lookup_events", {}),
    ("organizations", "describe_organization", {}),
    ("organizations", "list_accounts", {}),
    ("kms", "describe_key", {"KeyId": "12345678-1234-1234-1234-123456789012"}),
    ("guardduty", "list_detectors", {}),
    ("guardduty", "get_filter", {"DetectorId": "0" * 32, "FilterName": "a b/c?d&e=ü"}),
    ("guardduty", "get_member_detectors", {"DetectorId": "0" * 32, "AccountIds": ["111122223333"]}),
    ("securityhub", "describe_hub", {}),
    ("securityhub", "get_enabled_standards", {"StandardsSubscriptionArns": ["arn:aws:securityhub:none"]}),
    ("macie2", "list_organization_admin_accounts", {"maxResults": 1}),
    ("accessanalyzer", "list_analyzers", {"type": "ACCOUNT"}),
    ("accessanalyzer", "list_archive_rules", {"analyzerName": "none"}),
    ("account", "get_alternate_contact", {"AlternateContactType": "SECURITY"}),
    ("ec2", "get_instance_metadata_defaults", {}),
    ("ec2", "describe_vpcs", {"Filters": [{"Name": "vpc-id", "Values": ["a b", "c&d=é"]}]}),
    ("ec2", "describe_vpcs", {"VpcIds": ["vpc-none"]}),
]
ORGANIZATION, _ = re.subn(r"(?m)^regions: .*", "regions: [us-east-1]\naccounts: { all: true }", FULL)


@pytest.fixture
def endpoint(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with open_sandbox(None) as world, serving(world) as server:
        yield world, server.url


def test_the_variable_switches_own_connections_and_signatures_off(
    endpoint: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, ours in (("", True), ("1", False)):
        monkeypatch.setenv(STOCK, value)
        cloud = Cloud(Options(endpoint_url=endpoint[1], own_connections=True, own_signatures=True))
        cloud.client("config", "us-east-1")
        assert (cloud._clients._transport is not None, bool(cloud._clients._direct_reads)) == (ours, ours)
        cloud.close()


def outcome(cloud: Cloud, service: str, operation: str, params: dict[str, Any]) -> Any:
    try:
        answer = cloud.read(HERE, service, "us-east-1", operation, params)
    except Exception as error:  # noqa: BLE001 - every error must be the same as botocore's
        text = str(error).replace(" (reached max retries: 0)", "")  # only botocore counts its retries
        return type(error).__name__, text, getattr(error, "response", {}).get("Error")
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_answers_and_errors_are_botocores(endpoint: tuple[Any, str]) -> None:
    url = endpoint[1]
    clouds = [
        Cloud(Options(endpoint_url=url)),
        Cloud(Options(endpoint_url=url, own_connections=True)),
        Cloud(Options(endpoint_url=url, own_connections=True, own_signatures=True)),
    ]
    clouds[0].write(HERE, Call("s3", "create_bucket", {"Bucket": "one-bucket"}))
    clouds[0].tally.calls = 0
    for service, operation, params in READS * 2:  # DirectReads learns from the first request to a service
        stock, connections, signatures = (outcome(each, service, operation, params) for each in clouds)
        assert stock == connections == signatures
    assert len({cloud.tally.calls for cloud in clouds}) == 1, "each call is counted"
    direct = clouds[2]._clients._direct_reads
    sent = {service for service, operation, _ in READS if direct[service, "us-east-1"].supports(operation)}
    assert sent == {service for service, _, _ in READS} - {"sts", "iam", "s3"}
    for cloud in clouds:
        cloud.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_endpoint_of_the_environment_gets_no_account_in_front(
    endpoint: tuple[Any, str], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint[1].replace("127.0.0.1", host))
    for own in (False, True):
        cloud = Cloud(Options(own_connections=own))
        asked = outcome(cloud, "s3control", "get_public_access_block", {"AccountId": HERE.account})
        assert asked[2]["Code"] == "NoSuchPublicAccessBlockConfiguration"
        cloud.close()


def failed_checks(document: Any) -> set[str]:
    """The resources of which a check failed, in the JSON document of `verify`."""
    places = [document["organization"], *document["accounts"]]
    return {x["resource"] for each in places for x in each["findings"] if x["state"] == "fail"}


@pytest.mark.parametrize(
    "text", [ORGANIZATION, FULL][:: one_in(2)], ids=["organization", "one account"][:: one_in(2)]
)
def test_commands_make_the_same_calls_with_and_without_the_variable(
    endpoint: tuple[Any, str], home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, text: str
) -> None:
    world, url = endpoint
    (home / "full.yaml").write_text(text)

    def command(name: str, *flags: str) -> tuple[int, Any]:
        capfd.readouterr()
        code = run([name, str(home / "full.yaml"), "--endpoint-url", url, "--json", *flags])
        return code, json.loads(capfd.readouterr().out)

    seen = []
    for value in ("", "1"):
        monkeypatch.setenv(STOCK, value)
        world.reset()
        world.calls.clear()
        code, planned = command("diff")
        assert (code, world.writes) == (2, [])
        code, applied = command("apply", "--yes")
        assert code == 0
        # What AWS makes by itself meanwhile is changed, not added.
        assert applied["counts"]["add"] + applied["counts"]["change"] >= planned["counts"]["add"]
        writes = len(world.writes)
        assert command("diff")[0] == 0
        assert failed_checks(command("verify")[1]) == set()
        assert len(world.writes) == writes
        writes_made = sorted((c.account, c.region, c.service, c.operation) for c in world.writes)
        # A set, because the number of repeated reads depends on the order of threads.
        calls = {(c.account, c.region, c.service, c.operation) for c in world.calls}
        seen.append((writes_made, calls))
    if text is ORGANIZATION:
        # Reads depend on which account is first, and so does who writes what an administrator takes over meanwhile.
        assert {each[2:] for each in seen[0][0]} == {each[2:] for each in seen[1][0]}
    else:
        assert seen[0][0] == seen[1][0]
        assert seen[0][1] ^ seen[1][1] == set()
