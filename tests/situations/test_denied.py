"""Tests of denied reads, credentials that fail, Regions that are not enabled and services that cannot be reached."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
)

from provisioner.aws import describe
from provisioner.model import Target
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.world import World

from ..cli.test_commands import FILE, run_command
from ..conftest import EXAMPLE, Bench, ThreadClock
from .conftest import Switch

pytestmark = pytest.mark.usefixtures("home")

ACCOUNT = "123456789012"
EVERYWHERE = EXAMPLE.replace("regions: [us-east-1]", "regions: [us-east-1, me-south-1]")
Switches = Callable[[Switch], None]


def failed(text: str) -> list[str]:
    """The lines about failures, with their hints and without request ids."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("! "))
    return [
        line.strip() for line in lines[start:] if line.startswith(("! ", "    ")) and "request id" not in line
    ]


@pytest.mark.parametrize("command", [("diff",), ("apply", "--yes"), ("verify",)], ids=lambda c: c[0])
def test_a_denied_read_fails_its_step_only(capfd: Any, switch: Switches, command: tuple[str, ...]) -> None:
    if command[0] != "diff":
        assert run_command(capfd, "apply", FILE, "--sandbox", "--yes")[0] == 0
    switch(lambda world: world.deny("config", "DescribeConfigurationRecorders"))
    code, out, err = run_command(capfd, command[0], FILE, "--sandbox", *command[1:])
    if command[0] == "verify":
        assert code == 2
        assert "not run: config_recorder failed" in out
        return
    assert code == 3
    assert failed(err) == [
        (
            f"! config_recorder  {ACCOUNT} us-east-1: reading: config:DescribeConfigurationRecorders:"
            f" AccessDeniedException: User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform:"
            " config:DescribeConfigurationRecorders because no identity-based policy allows the action"
        ),
        (
            "hint: no identity-based policy lets the caller `config:DescribeConfigurationRecorders`: add it"
            " (`provision permissions FILE` prints all that is needed)"
        ),
        f"! config_rules  {ACCOUNT} us-east-1: not run: config_recorder failed",
    ]
    assert "2 failed (1 account" in out


def test_a_denied_read_stops_no_other_step_and_creates_nothing(bench: Bench) -> None:
    lift = bench.world.deny("cloudtrail", "DescribeTrails")
    run = bench.run()
    sent = {r.step: r for r in run.send(run.rehearse())}
    assert {name for name, r in sent.items() if not r.ok} == {"cloudtrail"}
    assert {c.service for c in bench.world.writes} == {"s3", "iam", "config", "organizations"}
    lift()
    bench.apply()
    assert bench.diff().changes == []


def test_a_read_that_keeps_failing_is_not_an_absence(bench: Bench, clock: ThreadClock) -> None:
    bench.apply()

    def outage(call: WireCall, phase: str) -> Fault | None:
        broken = call.operation == "DescribeTrails" and phase == "before"
        return Fault("InternalFailure", 500, "We encountered an internal error") if broken else None

    bench.world.interrupt(outage)
    plan = bench.diff()
    assert plan.changes == []
    assert [(r.step, r.failure and r.failure.code) for r in plan.failed] == [
        ("cloudtrail", "InternalFailure")
    ]
    waits = [w for w in bench.waits if not w.until.startswith("AWS's rate")]
    assert {w.until for w in waits} == {"AWS to answer after InternalFailure"}
    assert all(w.waited <= w.limit == 60 for w in waits)


EXPIRED = (
    "the credentials have expired: get new ones (`aws sso login`, or assume the role again) and run again"
)


def test_expired_credentials(capfd: Any, switch: Switches) -> None:
    switch(lambda world: setattr(world, "expired", True))
    code, out, err = run_command(capfd, "diff", FILE, "--sandbox")
    assert (code, out) == (1, "")
    assert err.splitlines()[1].startswith(
        "error: asking AWS in us-east-1 who the caller is: sts:GetCallerIdentity: ExpiredToken: The security"
        f" token included in the request is expired; hint: {EXPIRED}"
    )
    assert "Traceback" not in err


def test_wrong_credentials(capfd: Any, switch: Switches) -> None:
    switch(lambda world: world.disabled.add("us-east-1"))
    code, out, err = run_command(capfd, "diff", FILE, "--sandbox")
    assert (code, out) == (1, "")
    assert "sts:GetCallerIdentity: InvalidClientTokenId: The security token included" in err
    assert "hint: wrong credentials, or a Region that is not enabled in this account" in err


def test_credentials_that_expire_while_writing_end_the_run_at_once(capfd: Any, switch: Switches) -> None:
    def expire(world: World) -> None:
        def after(call: WireCall, phase: str) -> None:
            world.expired = world.expired or (call.operation == "CreateBucket" and phase == "after")

        world.interrupt(after)

    switch(expire)
    code, out, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    assert code in {1, 3}
    assert "Apply incomplete." in out
    assert EXPIRED in err
    assert "AWS to show what was written" not in err


def test_expired_credentials_end_reading_back(bench: Bench, clock: ThreadClock) -> None:
    run = bench.run(only=("password_policy",))
    sent = run.send(run.rehearse())
    bench.world.expired = True
    [failed_needs] = run.settle(sent)
    assert failed_needs.failure
    assert failed_needs.failure.code == "ExpiredToken"
    assert failed_needs.failure.hint == EXPIRED
    assert clock.slept == []


NOT_ENABLED = (
    "hint: the credentials are good in us-east-1: either me-south-1 is not enabled in this account (`aws account"
    " enable-region --region-name me-south-1`, or take it out of `regions`), or they are a session of STS's global"
    " endpoint, which only Regions that are enabled by default accept (get them with"
    " AWS_STS_REGIONAL_ENDPOINTS=regional)"
)


def test_a_region_that_is_not_enabled_fails_its_own_steps_only(
    capfd: Any, switch: Switches, home: Path
) -> None:
    file = home / "two.yaml"
    file.write_text(EVERYWHERE)
    switch(lambda world: world.disabled.add("me-south-1"))
    for _ in range(2):
        code, out, err = run_command(capfd, "apply", str(file), "--sandbox", "--yes")
        assert code == 3
        # Failures are printed with the plan, and again with what was applied.
        assert failed(err)[:3] == [
            (
                f"! config_recorder  {ACCOUNT} me-south-1: reading: config:DescribeConfigurationRecorders:"
                " UnrecognizedClientException: The security token included in the request is invalid."
            ),
            NOT_ENABLED,
            f"! config_rules  {ACCOUNT} me-south-1: not run: config_recorder failed",
        ]
    assert "Incomplete: not all could be read. 7 of 9 steps in sync" in out
    assert "2 failed (1 account" in out


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("config", "describe_config_rules", "UnrecognizedClientException"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ec2", "describe_regions", "AuthFailure"),
        ("s3", "list_buckets", "InvalidToken"),
    ],
)
def test_a_disabled_region_is_recognized_in_each_protocol(
    bench: Bench, service: str, operation: str, code: str
) -> None:
    bench.world.disabled.add("me-south-1")
    cloud = bench.run().cloud
    with pytest.raises(Exception, match=code) as caught:
        cloud.read(Target(ACCOUNT, "me-south-1"), service, "me-south-1", operation, {})
    assert f"hint: {describe('reading', caught.value).hint}" == NOT_ENABLED


def test_a_service_that_cannot_be_reached(capfd: Any, switch: Switches) -> None:
    def refuse(call: WireCall, phase: str) -> None:
        if call.service == "config":
            raise ConnectionRefusedError

    switch(lambda world: world.interrupt(refuse))
    code, _, err = run_command(capfd, "diff", FILE, "--sandbox")
    assert code == 3
    assert failed(err)[:2] == [
        (
            f"! config_recorder  {ACCOUNT} us-east-1: reading: config:DescribeConfigurationRecorders: Could not"
            ' connect to the endpoint URL: "https://config.us-east-1.amazonaws.com/"'
        ),
        (
            "hint: the service may not exist in this Region or partition, or the network, `--endpoint-url` or"
            " AWS_ENDPOINT_URL is wrong"
        ),
    ]


LOCAL: list[tuple[BotoCoreError, str]] = [
    (NoCredentialsError(), "set AWS_PROFILE or `--profile`"),
    (PartialCredentialsError(provider="env", cred_var="secret_key"), "an access key needs its secret key"),
    (ProfileNotFound(profile="nope"), "`aws configure list-profiles`"),
    (SSOTokenLoadError(error_msg="expired"), "sign in again: `aws sso login`"),
    (NoRegionError(), "set `home_region` in the file"),
    (EndpointConnectionError(endpoint_url="https://x"), "the service may not exist in this Region"),
    (ReadTimeoutError(endpoint_url="https://x"), "nothing is lost: run again"),
]


@pytest.mark.parametrize(("error", "message"), LOCAL, ids=[type(error).__name__ for error, _ in LOCAL])
def test_local_errors_have_a_hint(error: BotoCoreError, message: str) -> None:
    failure = describe("reading", error)
    assert message in failure.hint
    assert "\n" not in failure.message
