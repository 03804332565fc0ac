"""Tests of `scripts/fleet`: it answers as the sandbox does, throttles and fails as AWS does, and is measured."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from fleet import world
from fleet.answers import Organization
from fleet.drift import Drift
from fleet.faults import Faults
from fleet.recorder import DRIFTED, HOME, IN_SYNC, OTHER_REGION, ROLE, Recorder
from fleet.signatures import SECRET
from fleet.state import State
from fleet.stats import Stats
from fleet.tls import server_context
from fleet.wire import Loop

MANAGEMENT = "123456789012"
REGIONS = world.REGIONS[:2]
TRAIL = f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/organization-trail"
RULES = {"ConfigRuleNames": ["encrypted-volumes", "s3-bucket-public-read-prohibited"]}
GLOBAL = [
    ("iam", "get_account_password_policy", {}),
    ("iam", "get_role", {"RoleName": "AWSServiceRoleForConfig"}),
    ("iam", "get_role", {"RoleName": "none"}),
    ("account", "list_regions", {}),
    ("cloudtrail", "describe_trails", {}),
]
REGIONAL = [
    ("config", "describe_configuration_recorders", {}),
    ("config", "describe_configuration_recorder_status", {}),
    ("config", "describe_delivery_channels", {}),
    ("config", "describe_config_rules", {}),
    ("config", "describe_config_rules", RULES),
]
CENTRAL = [
    ("sts", "get_caller_identity", {}),
    ("organizations", "describe_organization", {}),
    ("organizations", "list_aws_service_access_for_organization", {}),
    ("organizations", "list_accounts", {}),
    ("organizations", "list_accounts", {"MaxResults": 2}),
    ("organizations", "list_accounts", {"MaxResults": 2, "NextToken": "p2"}),
    ("organizations", "list_roots", {}),
    ("cloudtrail", "get_trail_status", {"Name": TRAIL}),
    ("cloudtrail", "get_event_selectors", {"TrailName": TRAIL}),
    *(
        ("s3", operation, {"Bucket": f"acme-{bucket}-{MANAGEMENT}"})
        for bucket in ("config", "cloudtrail", "none")
        for operation in (
            "head_bucket",
            "get_public_access_block",
            "get_bucket_ownership_controls",
            "get_bucket_encryption",
            "get_bucket_versioning",
            "get_bucket_lifecycle_configuration",
            "get_bucket_policy",
            "get_bucket_tagging",
            "get_object_lock_configuration",
        )
    ),
]


@dataclass
class Served:
    """An organization served over HTTP, and clients of its accounts."""

    organization: Organization
    state: State
    accounts: list[str]
    port: int
    control: str
    scheme: str = "http"
    bundle: str | None = None

    @property
    def drifts(self) -> tuple[Drift, ...]:
        return self.organization._recorder.drifts

    def client(self, service: str, region: str, **given: str) -> Any:
        """A client of botocore, with the caller's credentials unless others are given."""
        url = f"{self.scheme}://127.0.0.1:{self.port}"
        return client(service, region, url, self.bundle, tuple(given.items()))

    def member(self, account: str) -> dict[str, str]:
        """Credentials of a member account."""
        return credentials(self.client("sts", HOME), account)

    def stats(self) -> dict[str, Any]:
        """The statistics of the server."""
        with urllib.request.urlopen(f"{self.control}/__stats", timeout=10) as answer:
            return dict(json.load(answer))


def credentials(sts: Any, account: str) -> dict[str, str]:
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="test")
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    words = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return {word: given["Credentials"][name] for word, name in zip(words, names, strict=True)}


def direct(service: str, region: str, **given: str) -> Any:
    """A client of the sandbox in this process, in the sample Region of *region*."""
    return client(service, HOME if region == HOME else OTHER_REGION, None, None, tuple(given.items()))


@cache
def client(
    service: str, region: str, url: str | None, bundle: str | None, given: tuple[tuple[str, str], ...]
) -> Any:
    session = botocore.session.get_session()
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return session.create_client(
        service, region_name=region, endpoint_url=url, verify=bundle, config=config, **dict(given)
    )


@pytest.fixture(scope="module")
def recorded() -> Iterator[tuple[Recorder, list[str]]]:
    with world.organization(3, REGIONS, 1) as made:
        yield made


Serve = Callable[..., Any]


@pytest.fixture
def serve(recorded: tuple[Recorder, list[str]], tmp_path: Path) -> Serve:
    recorder, members = recorded

    @contextmanager
    def serving(faults: Faults | None = None, *, rate: float = 100.0, tls: bool = False) -> Iterator[Served]:
        accounts = [MANAGEMENT, *members]
        state = State(3, len(REGIONS) + 1, rate)
        state.drift(0.5, len(REGIONS), 1)
        organization = Organization(recorder, accounts, REGIONS, state, faults or Faults())
        stats = Stats(organization)
        context, bundle = server_context(tmp_path) if tls else (None, None)
        listener, control = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        ports = [each.getsockname()[1] for each in (listener, control)]
        loop = Loop(listener, control, organization, 0.0, context)
        stats.loop = loop
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            scheme = "https" if tls else "http"
            control_url = f"http://127.0.0.1:{ports[1]}"
            yield Served(
                organization, state, accounts, ports[0], control_url, scheme, str(bundle) if bundle else None
            )
        finally:
            loop.stop()
            thread.join()
            listener.close()
            control.close()

    return serving


def answer(client: Any, operation: str, params: dict[str, Any], account: str) -> Any:
    """Status and parsed answer, without times and without what differs from request to request."""
    try:
        got = getattr(client, operation)(**params)
    except ClientError as error:
        got = error.response
    status = got.pop("ResponseMetadata")["HTTPStatusCode"]
    text = json.dumps(got, default=lambda value: "time" if isinstance(value, datetime) else repr(value))
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "time", text)  # some times of a trail are texts
    region = client.meta.region_name
    text = text.replace(account, "ACCOUNT")
    return status, json.loads(text.replace(region, "REGION") if region != HOME else text)


@pytest.fixture
def enabled(recorded: tuple[Recorder, list[str]]) -> Callable[[str], Any]:
    """Enable the sample Region in the sandbox for a request to another Region, which it answers for."""

    @contextmanager
    def enabling(region: str) -> Iterator[None]:
        sandbox = recorded[0].world
        was = sandbox.disabled
        sandbox.disabled = {*world.REGIONS} - {*REGIONS, *([OTHER_REGION] if region != HOME else [])}
        yield
        sandbox.disabled = was

    return enabling


def test_answers_to_the_management_account_are_those_of_the_sandbox(
    serve: Serve, enabled: Callable[[str], Any]
) -> None:
    with serve() as served:
        for service, operation, params in [*CENTRAL, *GLOBAL, *REGIONAL]:
            for region in REGIONS if service == "config" else [HOME]:
                served_answer = answer(served.client(service, region), operation, params, MANAGEMENT)
                with enabled(region):
                    want = answer(direct(service, region), operation, params, MANAGEMENT)
                assert served_answer == want, operation
        client_, direct_ = served.client("organizations", HOME), direct("organizations", HOME)
        root = {"ParentId": direct_.list_roots()["Roots"][0]["Id"]}
        for operation in ("list_accounts_for_parent", "list_organizational_units_for_parent"):
            assert answer(client_, operation, root, MANAGEMENT) == answer(
                direct_, operation, root, MANAGEMENT
            )
        assert served.stats()["answers"].keys() == {"answered", "reset"}


def test_answers_to_each_member_are_those_of_the_sandbox(serve: Serve, enabled: Callable[[str], Any]) -> None:
    seen = set()
    samples = {each: credentials(direct("sts", HOME), each) for each in (IN_SYNC, DRIFTED)}
    with serve() as served:
        for index, account in enumerate(served.accounts[1:], 1):
            given = served.member(account)
            for service, operation, params in [*GLOBAL, *REGIONAL]:
                for at, region in enumerate(REGIONS if service == "config" else [HOME]):
                    of_account, of_region = served.drifts
                    drifted = {
                        of_account.service: served.state.account_drift[index] == 1,
                        of_region.service: served.state.region_drift[index] == at + 1,
                    }
                    sample = DRIFTED if drifted.get(service) else IN_SYNC
                    seen.add((sample, service))
                    client_ = served.client(service, region, **given)
                    direct_ = direct(service, region, **samples[sample])
                    with enabled(region):
                        want = answer(direct_, operation, params, sample)
                    assert answer(client_, operation, params, account) == want, operation
    services = {each.service for each in served.drifts}
    assert {(sample, each) for sample in (IN_SYNC, DRIFTED) for each in services} <= seen


def test_a_repair_applies_to_its_account_and_other_writes_are_refused(serve: Serve) -> None:
    """With the simple profile, a setting of IAM and one of AWS Config drift."""
    with serve() as served:
        assert [each.service for each in served.drifts] == ["iam", "config"]
        index = next(i for i, drifted in enumerate(served.state.account_drift) if drifted)
        given = served.member(served.accounts[index])
        iam = served.client("iam", HOME, **given)
        policy = iam.get_account_password_policy()["PasswordPolicy"]
        assert policy["MinimumPasswordLength"] == 6
        del policy["ExpirePasswords"]
        with pytest.raises(ClientError, match="not those of the file"):
            iam.update_account_password_policy(**{**policy, "MinimumPasswordLength": 9})
        iam.update_account_password_policy(**{**policy, "MinimumPasswordLength": 14})
        assert iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 14
        config = served.client("config", REGIONS[served.state.region_drift[index] - 1], **given)

        def recorder() -> Any:
            return config.describe_configuration_recorders()["ConfigurationRecorders"][0]

        weak = recorder()
        assert not weak["recordingGroup"]["allSupported"]
        # Global resources are recorded in the home Region only.
        with_globals = '"includeGlobalResourceTypes": true'
        at_home = config.meta.region_name == HOME
        [text] = [each for each in served.drifts[1].params if (with_globals in each) == at_home]
        asked = json.loads(text.replace("${account_id}", served.accounts[index]))
        config.put_configuration_recorder(**asked)
        assert recorder()["recordingGroup"]["allSupported"]
        assert served.stats()["drifted"] == 0
        with pytest.raises(ClientError, match=r"config:StopConfigurationRecorder.*takes no writes"):
            config.stop_configuration_recorder(ConfigurationRecorderName="default")
        with urllib.request.urlopen(f"{served.control}/__reset", timeout=10):
            assert iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 6


def test_throttling_has_the_error_code_of_the_service(serve: Serve) -> None:
    codes = {
        ("iam", "get_account_password_policy"): "Throttling",
        ("config", "describe_delivery_channels"): "ThrottlingException",
        ("organizations", "describe_organization"): "TooManyRequestsException",
        ("s3", "list_buckets"): "SlowDown",
    }
    with serve(rate=0.001) as served:
        for (service, operation), code in codes.items():
            getattr(served.client(service, HOME), operation)()
            with pytest.raises(ClientError) as refused:
                getattr(served.client(service, HOME), operation)()
            assert refused.value.response["Error"]["Code"] == code
        given = served.member(served.accounts[1])
        served.client("iam", HOME, **given).get_account_password_policy()  # another account has its own limit
        assert served.stats()["answers"]["throttled"] == len(codes)


def test_access_is_denied_to_one_account_and_one_region(serve: Serve) -> None:
    with serve() as plain:
        first, second = plain.accounts[1:]
    with serve(Faults(account=first, region=REGIONS[1])) as served:
        sts = served.client("sts", HOME)
        for arn in (f"{first}:role/{ROLE}", f"{second}:role/Another", f"999999999999:role/{ROLE}"):
            with pytest.raises(ClientError, match=r"AccessDenied.*sts:AssumeRole"):
                sts.assume_role(RoleArn=f"arn:aws:iam::{arn}", RoleSessionName="test")
        given = served.member(second)
        served.client("config", HOME, **given).describe_delivery_channels()
        with pytest.raises(ClientError, match=r"AccessDeniedException.*service control policy"):
            served.client("config", REGIONS[1], **given).describe_delivery_channels()
        with pytest.raises(ClientError, match="AccessDenied"):
            credentials(served.client("sts", HOME, **given), second)


def test_mixed_credentials_of_two_accounts_are_refused(serve: Serve) -> None:
    with serve() as served:
        one, other = (served.member(each) for each in served.accounts[1:])
        mixed = {**one, "aws_session_token": other["aws_session_token"]}
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            served.client("iam", HOME, **mixed).get_account_password_policy()
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            served.client("config", HOME, **mixed).describe_delivery_channels()


def test_disabled_region_and_unknown_operation_are_refused(serve: Serve) -> None:
    with serve() as served:
        given = served.member(served.accounts[1])
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            served.client("config", "eu-west-3", **given).describe_delivery_channels()
        with pytest.raises(ClientError, match="does not know artifact:") as unknown:
            served.client("artifact", HOME, **given).list_reports()
        assert unknown.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_signatures_are_checked(serve: Serve) -> None:
    bucket = {"Bucket": f"acme-config-{MANAGEMENT}"}
    own = {"aws_access_key_id": "AKIAFLEET", "aws_secret_access_key": SECRET}
    wrong = {**own, "aws_secret_access_key": "other"}
    with serve() as served:
        served.organization.checks_signatures = True
        member = credentials(served.client("sts", HOME, **own), served.accounts[1])
        served.client("s3", HOME, **own).get_bucket_policy(**bucket, ExpectedBucketOwner=MANAGEMENT)
        served.client("account", HOME, **own).list_regions()
        for region in REGIONS:
            served.client("config", region, **member).describe_delivery_channels()
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            served.client("s3", HOME, **wrong).get_bucket_policy(**bucket)
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            served.client("sts", HOME, **wrong).get_caller_identity()
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            served.client("organizations", HOME, **wrong).list_roots()
        mixed = {**member, "aws_secret_access_key": SECRET}
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            served.client("config", HOME, **mixed).describe_delivery_channels()


def test_errors_resets_and_unsigned_requests(serve: Serve) -> None:
    with serve(Faults(errors=1.0)) as served, pytest.raises(ClientError) as failed:
        served.client("sts", HOME).get_caller_identity()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    with serve(Faults(resets=1.0)) as served, pytest.raises(ConnectionClosedError):
        served.client("sts", HOME).get_caller_identity()
    with serve() as served, pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{served.port}/", timeout=10)


def test_tls_with_a_ca_bundle_of_realistic_size(serve: Serve) -> None:
    with serve(tls=True) as served:
        assert served.bundle is not None
        assert Path(served.bundle).read_text().count("BEGIN CERTIFICATE") > 100
        assert served.client("sts", HOME).get_caller_identity()["Account"] == MANAGEMENT


@pytest.mark.parametrize(
    ("sizes", "row", "result"),
    [
        (["--accounts=1", "--regions=1", "--servers=2"], "diff 1 x 1", "exit 0"),
        (["--accounts=2", "--regions=2", "--drift=1"], "diff 2 x 2", "exit 2"),
        (
            ["--accounts=2", "--regions=2", "--drift=0.5", "--command=apply", "--tls", "--signatures"],
            "apply 2 x 2 tls",
            "exit 0",
        ),
        (
            ["--accounts=2", "--regions=2", "--drift=1", "--command=repair", "--profile=full"],
            "repair 2 x 2",
            "exit 0",
        ),
    ],
)
def test_bench_prints_a_row_and_checks_the_run(sizes: list[str], row: str, result: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "fleet_bench.py"), "--latency=0", *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    headings, figures = done.stdout.splitlines()
    assert headings.split()[:3] == ["accounts", "x", "Regions"]
    assert figures.strip().startswith(row)
    assert figures.endswith(result)
