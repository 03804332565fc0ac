"""Tests in each partition, such as those of China and GovCloud: every ARN has the partition, and calls go to its Regions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import botocore.session
import pytest

from provisioner.compare.policy import document
from provisioner.model import Change
from provisioner.sandbox import seed
from provisioner.steps.registry import all_steps

from ..cli.test_commands import run_command
from ..conftest import Bench
from ..laws.full import FULL

pytestmark = pytest.mark.usefixtures("home")

HOMES = {
    "aws": ("us-east-1", "eu-west-1", "amazonaws.com"),
    "aws-cn": ("cn-north-1", "cn-northwest-1", "amazonaws.com.cn"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1", "amazonaws.com"),
    "aws-eusc": ("eusc-de-east-1", "eusc-de-east-1", "amazonaws.eu"),
    "aws-iso": ("us-iso-east-1", "us-iso-west-1", "c2s.ic.gov"),
    "aws-iso-b": ("us-isob-east-1", "us-isob-west-1", "sc2s.sgov.gov"),
    "aws-iso-e": ("eu-isoe-west-1", "eu-isoe-west-1", "cloud.adc-e.uk"),
    "aws-iso-f": ("us-isof-south-1", "us-isof-east-1", "csp.hci.ic.gov"),
}
ARN = re.compile(r"arn:([a-z-]+):[^\"\\, ]*")
PRINCIPAL = re.compile(r"\b[a-z-]+\.amazonaws\.com(?:\.cn)?\b")


def text(partition: str, *, own_role: bool = False) -> str:
    """The full file in two Regions of the partition, with AWS Config's service-linked role or a role of ours."""
    there, other, _ = HOMES[partition]
    regions = ", ".join(dict.fromkeys((there, other)))
    found = FULL.replace("us-east-1", there)
    found, places = re.subn(r"(?m)^regions: .*", f"regions: [{regions}]", found)
    assert (there in found, places) == (True, 1)
    return found.replace("\nconfig:\n", "\nconfig:\n  role_name: recorder\n") if own_role else found


def organization(bench: Bench, partition: str) -> None:
    """Create an organization in a partition other than `aws`, which has its own, with the accounts that the file names."""
    if partition == "aws":
        return
    client = bench.client("organizations", HOMES[partition][0])
    client.create_organization(FeatureSet="ALL")
    for account, name in seed.MEMBERS.items():
        with patch("moto.organizations.utils.make_random_account_id", return_value=account):
            client.create_account(AccountName=name, Email=f"{name}@example.com")


def words(value: Any) -> Iterator[str]:
    """Every string in the parameters of a call, those in policy documents included."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from words(key)
            yield from words(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from words(each)
    elif isinstance(value, str) and value.startswith('{"'):  # not a filter pattern
        yield from words(json.loads(value))
    elif isinstance(value, str):
        yield value


def planned(bench: Bench, partition: str, *, own_role: bool) -> dict[str, list[Change]]:
    organization(bench, partition)
    plan = bench.diff(text(partition, own_role=own_role))
    assert plan.failed == []
    found: dict[str, list[Change]] = {name: [] for name in all_steps()}
    for result, change in plan.changes:
        assert result.target.partition == partition
        found[result.step].append(change)
    return found


def has_service(partition: str, client: str) -> bool:
    """Whether AWS has the service there; botocore lists no Regions for one that is global."""
    session = botocore.session.get_session()
    return not session.get_available_regions(client) or bool(session.get_available_regions(client, partition))


@pytest.mark.parametrize(
    ("partition", "own_role"), [("aws", False), ("aws-cn", True), ("aws-us-gov", False), ("aws-iso-b", False)]
)
def test_every_arn_and_principal_of_every_call(bench: Bench, partition: str, own_role: bool) -> None:
    named = 0
    for step, changes in planned(bench, partition, own_role=own_role).items():
        offered = all(has_service(partition, client) for client in all_steps()[step].clients)
        assert changes or not offered, f"{step}: no change"
        strings = [
            word
            for change in changes
            for part in (change.call.params, [(d.have, d.want) for d in change.differences])
            for word in words(part)
        ]
        arns = [found for word in strings for found in ARN.finditer(word)]
        assert {found[1] for found in arns} <= {partition}, step
        # A role's path is part of its name, and holds the principal.
        principals = {found for word in strings for found in PRINCIPAL.findall(word)}
        assert {found for found in principals if not found.endswith(".amazonaws.com")} == set(), step
        named += len({found[0] for found in arns}) + len(principals)
    assert named >= len(all_steps()), "ARNs and principals were found"
    asked = [found[1] for c in bench.world.calls for word in words(c.params) for found in ARN.finditer(word)]
    assert set(asked) <= {partition}, "reads too; those with an ARN are made ahead, and may be late"


@pytest.mark.parametrize(("partition", "own_role"), [("aws-cn", True), ("aws-us-gov", False)])
def test_apply_converges_and_verify_passes(bench: Bench, partition: str, own_role: bool) -> None:
    organization(bench, partition)
    trust = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    # The role of the file's remediation, which is the user's own.
    bench.client("iam", HOMES[partition][0]).create_role(
        RoleName="remediation", AssumeRolePolicyDocument=json.dumps(document([trust]))
    )
    bench.world.propagation, bench.world.stale_reads = 1, 1
    file = text(partition, own_role=own_role)
    bench.apply(file)
    before = len(bench.world.writes)
    assert bench.diff(file).changes == []
    results = bench.run(file).verify()
    assert [r.failure for r in results if not r.ok] == []
    assert [f for r in results for f in r.findings if f.ok is False] == []
    assert bench.world.writes[before:] == []


@pytest.mark.parametrize("partition", [*HOMES][:4])
def test_calls_go_to_the_partition(bench: Bench, partition: str) -> None:
    organization(bench, partition)
    run = bench.run(text(partition))
    assert (run.identity.partition, run.identity.arn.split(":")[1]) == (partition, partition)
    run.rehearse()
    suffix = HOMES[partition][2]
    hosts = {
        client.meta.endpoint_url.removeprefix("https://") for client in run.cloud._clients._clients.values()
    }
    assert len(hosts) >= 7
    assert {host for host in hosts if not host.endswith(f".{suffix}")} == set()
    ours = {call.region.split("-")[0] for call in bench.world.calls}
    assert ours <= {HOMES[partition][0].split("-")[0], "eu" if partition == "aws" else ""}


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_the_command_line(capfd: Any, home: Path, partition: str) -> None:
    file = home / "baseline.yaml"
    own = text(partition).replace("is_organization_trail: true", "is_organization_trail: false")
    # The sandbox has no organization there.
    own = re.sub(r"\n  (organization\w*|aggregator|root_access):.*(\n    .*)*", "", own)
    own = re.sub(r"\norganization_services:.*(\n  .*)*", "", own)
    file.write_text(own.replace("ORGANIZATION_", "ACCOUNT_"))
    code, out, err = run_command(capfd, "apply", str(file), "--sandbox", "--yes")
    assert code == 0
    assert f"partition {partition}, caller arn:{partition}:" in err
    assert "arn:aws:" not in out + err
    assert run_command(capfd, "diff", str(file), "--sandbox")[0] == 0
