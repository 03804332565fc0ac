"""Tests of `accounts.rollout`: waves in order, held back after failures, in every way to distribute accounts."""

from __future__ import annotations

import gc
import json
import os
import signal
from collections.abc import Callable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.baseline.accounts import Rollout
from provisioner.cli import run as command
from provisioner.sandbox import WireCall
from provisioner.sandbox.world import World

from .conftest import TEXT, WORKLOAD, Served

ARCHIVE, MANAGEMENT = "111122223333", "123456789012"
ALL = [ARCHIVE, MANAGEMENT, WORKLOAD]  # in the order of the waves


class Apply:
    """Runs `apply` over the organization, in one of the ways to distribute accounts."""

    def __init__(self, served: Served, folder: Path, capfd: Any, flags: list[str]):
        self._url, self._flags, self._capfd = str(served.options.endpoint_url), flags, capfd
        self._file = folder / "organization.yaml"

    def __call__(self, rollout: str, *flags: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        self._file.write_text(TEXT.replace("all: true,", f"all: true, rollout: {rollout},"))
        self._capfd.readouterr()
        arguments = [str(self._file), "--endpoint-url", self._url, "--yes", *self._flags, *flags]
        code = command(["apply", *arguments])
        return (code, *self._capfd.readouterr())


@pytest.fixture
def flags(request: pytest.FixtureRequest) -> list[str]:
    """The flags of one way to distribute accounts."""
    way = getattr(request, "param", "threads")
    if way == "cluster":
        return ["--scheduler", request.getfixturevalue("cluster").scheduler_address]
    return {"threads": [], "processes": ["--processes", "2"]}[way]


@pytest.fixture
def apply(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, flags: list[str]
) -> Apply:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Apply(served, tmp_path, capfd, flags)


EVERY_WAY = pytest.mark.parametrize("flags", ["threads", "processes", "cluster"], indirect=True)


def written(world: World) -> list[str]:
    """The accounts with writes of steps that each account has for itself, in their order, each run of them once."""
    writes = [each.account for each in world.writes if each.service in {"iam", "config"}]
    return [account for account, _ in groupby(writes)]


def lines(out: str) -> Iterator[dict[str, Any]]:
    """The last line of each account."""
    found = [json.loads(each) for each in out.splitlines()]
    yield from {each["account"]: each for each in found if each["type"] == "account"}.values()


def make_unreadable(account: str) -> None:
    """Delete the role that is assumed in the account."""
    from moto.iam.models import iam_backends

    held = iam_backends[account]["aws"]
    role = next(each for each in held.roles.values() if each.name == "OrganizationAccountAccessRole")
    del held.roles[role.id]


@EVERY_WAY
def test_a_wave_begins_when_the_one_before_is_done(world: World, apply: Apply) -> None:
    code, _, err = apply("{waves: [1, 10%, rest]}")
    assert code == 0, err
    assert written(world) == ALL
    assert [each for each in err.splitlines() if each.startswith("wave ")] == [
        f"wave {n} of 3: 1 account" for n in (1, 2, 3)
    ]


@EVERY_WAY
def test_no_wave_begins_after_too_many_failures_and_resume_goes_on(world: World, apply: Apply) -> None:
    lift = world.deny("iam", "UpdateAccountPasswordPolicy", account=ARCHIVE)
    code, out, _ = apply("{waves: [1, rest]}", "--json-lines")
    assert code == 3
    assert set(written(world)) == {ARCHIVE}
    why = "not begun: in wave 1 of 2, 1 of 1 account failed, and `accounts.rollout.max_failures` is 0"
    told = {each["account"]: [f["message"] for f in each["failures"]] for each in lines(out)}
    assert told[MANAGEMENT] == told[WORKLOAD] == [why]
    assert {each["account"]: (each["applied"], each["changes"] == []) for each in lines(out)} == {
        ARCHIVE: (True, False),
        MANAGEMENT: (False, True),
        WORKLOAD: (False, True),
    }
    lift()
    code, _, err = apply("{waves: [1, rest]}", "--resume")
    assert code == 0, err
    assert {*written(world)} == {*ALL}
    assert apply("{waves: [1, rest]}")[0] == 0


NO_WRITE: Callable[[World], object] = lambda world: world.deny(  # noqa: E731
    "iam", "UpdateAccountPasswordPolicy", account=ARCHIVE
)
NO_ENTRY: Callable[[World], object] = lambda world: make_unreadable(ARCHIVE)  # noqa: E731


@pytest.mark.parametrize("fail", [NO_WRITE, NO_ENTRY], ids=["no-write", "no-entry"])
@pytest.mark.parametrize(
    ("rollout", "begun"),
    [
        ("{waves: [1, 1, rest]}", []),
        ("{waves: [1, 1, rest], max_failures: 0%}", []),
        ("{waves: [2, rest]}", [MANAGEMENT]),
        ("{waves: [2, rest], max_failures: 49%}", [MANAGEMENT]),
        ("{waves: [2, rest], max_failures: 50%}", [MANAGEMENT, WORKLOAD]),
        ("{waves: [1, 1, rest], max_failures: 1}", [MANAGEMENT, WORKLOAD]),
        ("{waves: [1, 1, rest], max_failures: 99%}", []),
        ("{waves: [1, 1, rest], max_failures: 100%}", [MANAGEMENT, WORKLOAD]),
        ("{waves: [rest]}", [MANAGEMENT, WORKLOAD]),
    ],
)
def test_max_failures(
    world: World, apply: Apply, rollout: str, begun: list[str], fail: Callable[[World], object]
) -> None:
    fail(world)
    code, out, err = apply(rollout, "--json")
    assert code == 3, err
    document = json.loads(out)
    found = {each["account"]: each for each in document["accounts"]}
    assert found.keys() == {*ALL}
    assert set(written(world)) - {ARCHIVE} == set(begun)
    for account in ALL[1:]:
        assert (found[account]["state"] == "changed") == (account in begun)
        assert ("not begun" in str(found[account]["failures"])) == (account not in begun)


def test_what_is_held_back_is_printed_and_no_change_of_it_is_counted(world: World, apply: Apply) -> None:
    make_unreadable(ARCHIVE)
    code, out, err = apply("{waves: [1, rest]}", "--unfold")
    assert code == 3
    assert written(world) == []
    assert "Apply incomplete. Resources: 0 added, 0 changed" in out
    assert all(account in err.partition("not begun")[2] for account in (MANAGEMENT, WORKLOAD))
    code, out, err = apply("{waves: [1, rest]}", "--quiet")
    assert (code, "not begun" in err) == (3, True)


def test_an_interrupted_run_tells_what_was_not_begun_and_resume_goes_on(world: World, apply: Apply) -> None:
    def interrupt(call: WireCall, phase: str) -> None:
        if call.operation == "UpdateAccountPasswordPolicy" and phase == "before":
            os.kill(os.getpid(), signal.SIGINT)

    lift = world.interrupt(interrupt)
    gc.disable()  # a callback of hypothesis in the collector would swallow the interrupt
    try:
        code, out, err = apply("{waves: [1, rest]}", "--json")
    finally:
        gc.enable()
        lift()
    assert code == 130, err
    assert set(written(world)) == {ARCHIVE}
    found = {each["account"]: each for each in json.loads(out)["accounts"]}
    for account in ALL[1:]:
        assert [each["message"] for each in found[account]["failures"]] == [
            "not begun: the run was interrupted"
        ]
        assert found[account]["changes"] == []
    code, _, err = apply("{waves: [1, rest]}", "--resume")
    assert code == 0, err


@given(
    st.lists(st.one_of(st.integers(1, 40), st.integers(1, 100).map("{}%".format)), max_size=6),
    st.integers(0, 300),
)
def test_the_waves_are_all_accounts_in_their_order(waves: list[int | str], accounts: int) -> None:
    items = list(range(accounts))
    split = Rollout(waves=[*waves, "rest"]).split(items)
    assert list(chain(*split)) == items
    assert all(split)
    if waves and items:
        first = waves[0]
        most = first if isinstance(first, int) else -(-accounts * int(first[:-1]) // 100)
        assert len(split[0]) == min(most, accounts)
