"""With PROVISION_STOCK_BOTOCORE all goes through botocore's own connections and signatures; the laws hold that way, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.aws.clients import STOCK
from provisioner.aws.cloud import Cloud
from provisioner.aws.terms import Options
from provisioner.cli import run
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving

from ..laws.full import FULL

ORGANIZATION = FULL + "\naccounts: { all: true }\n"


@pytest.fixture
def endpoint(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with open_sandbox(None) as world, serving(world) as server:
        yield world, server.url


def test_the_variable_turns_all_that_is_ours_off(
    endpoint: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, ours in (("", True), ("1", False)):
        monkeypatch.setenv(STOCK, value)
        cloud = Cloud(Options(endpoint_url=endpoint[1], own_connections=True, own_signatures=True))
        cloud.client("config", "us-east-1")
        assert (cloud._clients._transport is not None, bool(cloud._clients._json_reads)) == (ours, ours)
        cloud.close()


@pytest.mark.parametrize("text", [FULL, ORGANIZATION], ids=["one account", "organization"])
def test_the_laws_hold_both_ways_and_the_calls_are_the_same(
    endpoint: tuple[Any, str], home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, text: str
) -> None:
    """What is shown is what is called, a second run writes nothing, and it works."""
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
        assert (code, applied["counts"]["add"]) == (0, planned["counts"]["add"])
        writes = len(world.writes)
        assert command("diff")[0] == 0
        assert command("apply", "--yes")[0] == 0
        assert command("verify")[0] == 0
        assert len(world.writes) == writes
        made = sorted((c.account, c.region, c.service, c.operation) for c in world.writes)
        # How often something is read again depends on what comes first: threads ask.
        asked = {(c.account, c.region, c.service, c.operation) for c in world.calls}
        seen.append((made, asked))
    assert seen[0] == seen[1]
