"""Tests of settings that are owned from above: told with the owner, never written."""

from __future__ import annotations

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
