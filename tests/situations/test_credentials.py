"""Tests of credentials that AWS refuses: expired, of the global STS endpoint, where STS is closed, and of closed accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.aws import identify
from provisioner.aws.cloud import Cloud
from provisioner.aws.configuration import configuration_errors
from provisioner.aws.errors import ConfigurationError
from provisioner.aws.hints import describe
from provisioner.aws.keyring import Role
from provisioner.model import Target
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.world import World

from ..cli.test_commands import run_command
from ..conftest import EXAMPLE, Bench
from .conftest import Switch

ACCOUNT, MEMBER, CLOSED = "123456789012", "111122223333", "777788889999"
OWN = {"ExpectedBucketOwner": ACCOUNT}
HERE = Target(ACCOUNT, "us-east-1")
TWO_REGIONS = EXAMPLE.replace("regions: [us-east-1]", "regions: [us-east-1, me-south-1]")
Switches = Callable[[Switch], None]


@pytest.fixture
def cloud(bench: Bench) -> Cloud:
    made = Cloud(clock=bench.clock, workers=1)
    bench.clouds.append(made)
    return made


def head_bucket(cloud: Cloud) -> ClientError:
    with pytest.raises(ClientError) as caught:
        cloud.read(HERE, "s3", "us-east-1", "head_bucket", {"Bucket": "bkt", **OWN})
    return caught.value


def fails(code: str, status: int, message: str, head: str) -> Any:
    """A fault of every request to S3; HEAD gets the status only, as AWS answers it."""

    def fail(call: WireCall, phase: str) -> Fault | None:
        if call.service != "s3" or phase != "before":
            return None
        return Fault(head, status, "") if call.operation == "HeadBucket" else Fault(code, status, message)

    return fail


HEADS = [
    ("ExpiredToken", 400, "The provided token has expired.", "the credentials have expired"),
    ("RequestTimeTooSkewed", 403, "The difference is too large.", "the clock of this machine is wrong"),
    ("InvalidAccessKeyId", 403, "The key does not exist in our records.", "wrong credentials"),
    ("SignatureDoesNotMatch", 403, "It does not match.", "the secret key does not belong to the access key"),
    (
        "AccessDenied",
        403,
        "User: u is not authorized to perform: s3:ListBucket with an explicit deny in a resource-based policy",
        "an explicit deny in a resource-based policy keeps the caller from `s3:ListBucket`",
    ),
]


@pytest.mark.parametrize(("code", "status", "message", "hint"), HEADS, ids=[each[0] for each in HEADS])
def test_head_has_the_reason_that_get_has(
    bench: Bench, cloud: Cloud, code: str, status: int, message: str, hint: str
) -> None:
    bench.world.interrupt(fails(code, status, message, str(status)))
    failure = describe("reading", head_bucket(cloud))
    assert (failure.code, failure.message, failure.operation) == (code, message, "HeadBucket")
    assert hint in failure.hint


def test_head_without_any_reason_keeps_its_status(bench: Bench, cloud: Cloud) -> None:
    bench.client("s3").create_bucket(Bucket="bkt")
    bench.world.interrupt(
        lambda call, phase: Fault("400", 400, "") if call.operation == "HeadBucket" else None
    )
    failure = describe("reading", head_bucket(cloud))
    assert (failure.code, "have expired" in failure.hint) == ("400", True)


def test_expired_credentials_of_a_member_are_renewed_at_a_head(bench: Bench, cloud: Cloud) -> None:
    """A bare 400 would not be known as expired."""
    identify(cloud, "us-east-1")
    cloud.keyring.role = Role(ACCOUNT, "aws", "us-east-1", "OrganizationAccountAccessRole")
    answers = iter(["400", "ExpiredToken"])

    def expire_once(call: WireCall, phase: str) -> Fault | None:
        if call.service != "s3" or phase != "before" or (code := next(answers, None)) is None:
            return None
        return Fault(code, 400, "The provided token has expired.")

    bench.world.interrupt(expire_once)
    bucket = {"Bucket": "none", "ExpectedBucketOwner": MEMBER}
    with pytest.raises(ClientError, match="404"):
        cloud.read(Target(MEMBER, "us-east-1"), "s3", "us-east-1", "head_bucket", bucket)
    assert [each.operation for each in bench.world.calls].count("AssumeRole") == 2


WRONG_TIME = [
    ("SignatureDoesNotMatch", "Signature expired: 20261130T000000Z is now earlier than 20261130T010000Z"),
    (
        "SignatureDoesNotMatch",
        "Signature not yet current: 20261130T030000Z is still later than 20261130T0115Z",
    ),
    ("InvalidSignatureException", "Signature expired: 20261130T000000Z is now earlier than 20261130T010000Z"),
    ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
    ("RequestInTheFuture", "The request is in the future"),
]


@pytest.mark.parametrize(("code", "message"), WRONG_TIME)
def test_a_wrong_clock_is_not_taken_for_a_wrong_key(code: str, message: str) -> None:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    hint = describe("reading", ClientError(response, "GetCallerIdentity")).hint  # type: ignore[arg-type]
    assert "clock" in hint
    assert "secret key" not in hint


@pytest.mark.parametrize("setting", ["", "legacy", "regional"])
def test_sts_is_always_regional(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, setting: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", setting)
    made = Cloud(clock=bench.clock, workers=1)
    bench.clouds.append(made)
    assert made.client("sts", "us-east-1").meta.endpoint_url == "https://sts.us-east-1.amazonaws.com"


def test_the_role_of_a_profile_is_assumed_in_the_home_region(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A session of the global endpoint would be refused in Regions that are not enabled by default."""
    (tmp_path / "config").write_text(
        f"[profile p]\nrole_arn = arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole\n"
        "credential_source = Environment\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "p")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    from provisioner.aws.options import Options

    made = Cloud(Options(profile="p"), clock=bench.clock, workers=1)
    bench.clouds.append(made)
    assert identify(made, "eu-west-1").account == MEMBER
    assert [(c.operation, c.region) for c in bench.world.calls] == [
        ("AssumeRole", "eu-west-1"),
        ("GetCallerIdentity", "eu-west-1"),
    ]


def closed(code: str, region: str = "eu-west-1") -> Any:
    """A fault of STS in one Region."""

    def close(call: WireCall, phase: str) -> Fault | None:
        if call.service == "sts" and call.region == region and phase == "before":
            if not code:
                raise ConnectionRefusedError
            return Fault(code, 403, "STS is not activated in this region")
        return None

    return close


@pytest.mark.parametrize("code", ["RegionDisabledException", "InvalidClientTokenId", ""])
def test_sts_of_the_home_region_is_not_the_only_door(bench: Bench, cloud: Cloud, code: str) -> None:
    bench.world.interrupt(closed(code))
    assert identify(cloud, "eu-west-1").account == ACCOUNT
    cloud.keyring.role = Role(ACCOUNT, "aws", "eu-west-1", "OrganizationAccountAccessRole")
    cloud.read(Target(MEMBER, "eu-west-1"), "iam", "eu-west-1", "list_account_aliases", {})
    regions = [c.region for c in bench.world.calls if c.service == "sts" and c.code is None]
    assert {"us-east-1"} <= set(regions)


def test_where_every_door_is_closed_the_first_answer_counts(bench: Bench, cloud: Cloud) -> None:
    for region in ("eu-west-1", "us-east-1"):
        bench.world.interrupt(closed("RegionDisabledException", region))
    with pytest.raises(ClientError, match="RegionDisabledException") as caught:
        identify(cloud, "eu-west-1")
    assert caught.value.region == "eu-west-1"  # type: ignore[attr-defined]


def test_an_enabled_region_that_refuses_a_session_is_not_called_not_enabled(
    capfd: Any, home: Path, switch: Switches
) -> None:
    """Sessions of the global endpoint of STS are refused in opt-in Regions, though these are enabled."""

    def refuse(world: World) -> None:
        world.regions[ACCOUNT, "me-south-1"] = True

        def fault(call: WireCall, phase: str) -> Fault | None:
            if call.region == "me-south-1" and phase == "before":
                return Fault("UnrecognizedClientException", 400, "The security token is invalid.")
            return None

        world.interrupt(fault)

    switch(refuse)
    for text in (
        TWO_REGIONS.replace("[us-east-1, me-south-1]", "all"),
        f"{TWO_REGIONS}\naccounts: {{ids: ['{ACCOUNT}']}}\n",
    ):
        file = home / "file.yaml"
        file.write_text(text)
        code, out, err = run_command(capfd, "diff", str(file), "--sandbox")
        assert code == 3
        assert "skipped: me-south-1" not in out + err
        assert "me-south-1: is not enabled" not in err
        assert "a session of STS's global endpoint" in err


def test_a_closed_account_named_by_id_is_skipped_and_named(capfd: Any, home: Path, switch: Switches) -> None:
    file = home / "file.yaml"
    file.write_text(
        "organization_name: acme\nhome_region: us-east-1\nregions: [us-east-1]\n"
        f"password_policy: {{minimum_password_length: 14}}\naccounts: {{ids: ['{CLOSED}', '{MEMBER}']}}\n"
    )
    code, out, err = run_command(capfd, "apply", str(file), "--sandbox", "--yes")
    assert code == 0
    assert f"skipped: {CLOSED}: closed" in err
    assert "1 account changed, 1 skipped" in out
    code, out, _ = run_command(capfd, "diff", str(file), "--sandbox")
    assert (code, "No changes. 1 account in sync, 1 skipped" in out) == (0, True)
    # Whom AWS does not tell the state of the account, sees that it cannot be entered.
    switch(lambda world: world.deny("organizations", "DescribeAccount"))
    assert run_command(capfd, "diff", str(file), "--sandbox")[0] == 3


def test_an_error_without_a_setting_is_raised_as_it_is() -> None:
    import botocore.session

    session = botocore.session.Session()
    with pytest.raises(ClientError), configuration_errors(session):
        raise ClientError({"Error": {"Code": "X"}}, "Y")
    with pytest.raises(ConfigurationError, match="odd"), configuration_errors(session):
        raise ValueError("odd")
