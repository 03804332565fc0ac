"""Tests of settings that are owned from above: told with the owner, never written."""

from __future__ import annotations

import json

import pytest

from provisioner.aws import Aws, ReadCache
from provisioner.model import Call, Change, Kind, Note
from provisioner.steps.owners import policy_owner
from provisioner.steps.settings import Strictness, settings

from ..conftest import Bench

HAVE, WANT = {"State": "off", "Days": 7}, {"State": "on", "Days": 7}
NOT_STRICT = Strictness({}, exact=False)


def found(bench: Bench, policy_type: str = "S3_POLICY", want: dict[str, object] = WANT) -> list[object]:
    run = bench.run("password_policy: {minimum_password_length: 14}\n")
    [node] = run.graph
    owner = policy_owner(Aws(node.target, run.cloud, ReadCache()), policy_type)

    def put(changed: dict[str, object]) -> Call:
        return Call("s3control", "put_public_access_block", changed)

    return [*settings("the block", HAVE, want, put, NOT_STRICT, owner=owner)]


def test_without_a_policy_the_difference_is_repaired(bench: Bench) -> None:
    [change] = found(bench)
    assert isinstance(change, Change)


def test_under_a_policy_the_difference_is_told_and_not_written(bench: Bench) -> None:
    bench.world.memory["effective_policies"] = {bench.world.account_id: {"S3_POLICY": "{}"}}
    assert found(bench) == [
        Note(
            Kind.OWNED,
            "the block",
            "State is off; the baseline asks for on, and the organization's S3_POLICY sets it",
        )
    ]


def test_the_owner_is_not_asked_for_where_nothing_differs(bench: Bench) -> None:
    assert found(bench, want=HAVE) == []
    assert [call.operation for call in bench.world.calls] == ["GetCallerIdentity"]


@pytest.mark.parametrize(
    ("enabled", "disabled", "owns"),
    [
        (["ALL_SUPPORTED"], [], True),
        (["us-east-1"], [], True),
        ([], ["us-east-1"], True),
        (["eu-west-1"], ["us-west-2"], False),
        ([], [], False),
    ],
)
def test_a_policy_that_lists_regions_sets_nothing_in_the_others(
    bench: Bench, enabled: list[str], disabled: list[str], *, owns: bool
) -> None:
    """What no policy manages and nobody enables would stay off, with the file asking for it."""
    content = json.dumps({"securityhub": {"enable_in_regions": enabled, "disable_in_regions": disabled}})
    kind = "SECURITYHUB_CSPM_POLICY"
    bench.world.memory["effective_policies"] = {bench.world.account_id: {kind: content}}
    [each] = found(bench, kind)
    assert isinstance(each, Note if owns else Change)
