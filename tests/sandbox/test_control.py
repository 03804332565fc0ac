"""Tests of the control API over HTTP, and of several processes that share one sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World

from .cases import ACCOUNT, MEMBER, Aws, make_bucket, outcome
from .test_serve import Outside


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serving(world) as server:
        yield server.url


def ask(url: str, verb: str = "", kind: str = "application/json", **given: Any) -> Any:
    """The result of a control request, or its error."""
    data = json.dumps(given).encode() if verb else None
    path = f"/_sandbox/{verb}" if verb else f"/_sandbox?since={given.get('since', 0)}"
    request = urllib.request.Request(f"{url}{path}", data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        error = refused
    assert error.code == 400
    return json.loads(error.read())["error"]


def described(who: Aws) -> Any:
    return outcome(lambda a: a.config.describe_config_rules() and "OK", who)


def test_organization_is_created(url: str) -> None:
    members = ask(url, "organization", accounts=50, units={"Prod": 40, "Suspended": 3})["accounts"]
    assert len(members) == 50
    assert members[-1]["tags"] == {"environment": "none", "wave": "2"}
    found = Outside(url).organizations.get_paginator("list_accounts").paginate()
    assert [one["Id"] for page in found for one in page["Accounts"]] == [one["id"] for one in members]


def test_switches_are_set_and_undone(url: str, world: World) -> None:
    outside = Outside(url)
    member = Outside(url, **outside.of(MEMBER).keys)
    first = ask(url, "deny", service="config", operation="*", account=MEMBER, scp="p-none0001")["lift"]
    second = ask(url, "random_faults", throttles=1.0, most=1)["lift"]
    assert [described(outside), described(outside)] == ["ThrottlingException", "OK"]
    assert ask(url, "lift", lift=second) == {}
    assert described(member) == "AccessDeniedException"
    ask(url, "lift", lift=first)
    assert described(member) == "OK"
    ask(url, "disable", region="us-east-1", account=MEMBER)
    assert [described(member), described(outside)] == ["UnrecognizedClientException", "OK"]
    ask(url, "enable", region="us-east-1", account=MEMBER)
    ask(url, "expire", account=MEMBER)
    assert [described(member), described(outside)] == ["ExpiredTokenException", "OK"]
    ask(url, "set", rates=True, page_size=5)
    assert (world.rates, world.page_size) == (True, 5)
    before = world.now()
    ask(url, "later", seconds=3600)
    assert world.now() - before >= 3600
    ask(url, "reset")
    assert (world.rates, world.calls) == (False, [])


def test_call_counts(url: str, world: World) -> None:
    outside = Outside(url)
    make_bucket(outside)
    start = ask(url)["calls"]
    world.rates, world.clock = True, lambda: 0.0
    for _ in range(12):
        outcome(lambda a: a.cloudtrail.describe_trails(), outside)
    assert ask(url)["writes"] == 1, "the bucket"
    assert ask(url, since=start) == {
        "calls": start + 12,
        "writes": 0,
        "codes": {"OK": 10, "ThrottlingException": 2},
        "operations": {"cloudtrail:DescribeTrails": 12},
        "accounts": {ACCOUNT: 12},
        "throttled": {f"{ACCOUNT} us-east-1 cloudtrail": 2},
    }


@pytest.mark.parametrize(
    ("verb", "given", "says"),
    [
        ("nonsense", {}, "no `POST /_sandbox/nonsense`"),
        ("set", {"speed": 1}, "no such switch: speed"),
        ("organization", {"accounts": 1}, "the organization has 4 accounts"),
        ("organization", {"people": 1}, "people"),
        ("lift", {"lift": 9}, "9"),
        ("random_faults", {"rain": 1}, "rain"),
    ],
)
def test_errors(url: str, verb: str, given: Any, says: str) -> None:
    assert says in ask(url, verb, **given)


def test_only_json_is_accepted(url: str) -> None:
    assert "application/json" in ask(url, "reset", kind="text/plain")


_WORKER = """
import os, sys
import boto3
def client(name, account, **keys):
    return boto3.client(name, region_name="us-east-1", endpoint_url=sys.argv[1], **keys)
for account in sys.argv[2:]:
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    made = client("sts", account).assume_role(RoleArn=role, RoleSessionName="worker")["Credentials"]
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    keys["aws_session_token"] = made["SessionToken"]
    assert client("sts", account, **keys).get_caller_identity()["Account"] == account
    client("s3", account, **keys).create_bucket(Bucket=f"logs-{account}")
    print(account, flush=True)
"""


def test_processes_share_one_organization(world: World, url: str, tmp_path: Path) -> None:
    members = [member.id for member in world.organization(accounts=12) if member.state == "ACTIVE"][1:]
    fake = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "PATH": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(_WORKER), url]
    workers = [
        subprocess.Popen([*command, *members[part::2]], env=fake, stdout=subprocess.PIPE, text=True)
        for part in range(2)
    ]
    done = [worker.communicate(timeout=60)[0].split() for worker in workers]
    assert sorted(done[0] + done[1]) == sorted(members)
    made = [call for call in world.writes if call.operation == "CreateBucket"]
    assert {call.account: call.params["Bucket"] for call in made} == {m: f"logs-{m}" for m in members}
