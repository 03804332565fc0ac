"""Law 12: the permissions of each service are enough, and all used, in an empty account and in a broken one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest

from provisioner import permissions
from provisioner.aws.guard import READS
from provisioner.baseline import Baseline, parse
from provisioner.model import Result, Target
from provisioner.sandbox import open_sandbox, store
from provisioner.sandbox.drift import carry_out, every_break
from provisioner.steps.permission import ANY_ACCOUNT, DECLARATIONS, permissions_of
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import Bench, one_in
from ..permissions.sample import ACCOUNT, Caller, actions, assert_well_formed, least, without
from .full import FULL, administrator_of, applied, failures

PURPOSES = ("diff", "verify", "apply")
SHARDS = 8
TAKES_A_LOOK = {"remove-foreign-replication"}  # what others did, of which `diff` must read more
SAMPLE = one_in(6)  # one action in six: that each is used, `test_they_are_enough_and_all_used` shows
ARCHIVE = "111122223333"
ORGANIZATION = f'\naccounts: {{all: true, log_archive: "{ARCHIVE}", session_tags: {{run: baseline}}}}\n'


@cache
def states() -> dict[str, bytes]:
    """An empty account, and one in which everything is broken. Call it while no sandbox is open."""
    found = {}
    start = applied()
    with open_sandbox(None) as world:
        bench = Bench(world)
        found["empty"] = store.capture(world.memory)
        bench.at(start)
        for _, _, one in [*every_break(administrator_of(bench))]:
            if one.field and (one.repaired or one.consent in TAKES_A_LOOK):
                carry_out(one)
        found["broken"] = store.capture(world.memory)
    return found


@pytest.fixture
def accounts() -> dict[str, bytes]:
    return states()


@pytest.fixture
def caller(accounts: dict[str, bytes], bench: Bench) -> Iterator[Caller]:
    yield Caller(bench.world)
    bench.close()


def verified(bench: Bench, only: tuple[str, ...] = ()) -> list[Result]:
    """Verify without parallel reads, so that each is made while the caller has the policy."""
    run = bench.run(FULL, only=only)
    run.single_threaded = True
    return run.verify()


def test_every_step_declares_permissions() -> None:
    assert set(all_steps()) == set(DECLARATIONS)  # finding the steps imports what declares


def test_they_are_enough_and_all_used(accounts: dict[str, bytes], caller: Caller, bench: Bench) -> None:
    used: dict[str, set[tuple[str, str]]] = {purpose: set() for purpose in PURPOSES}
    policies = {purpose: least(FULL, purpose) for purpose in PURPOSES}
    for name in ("empty", "broken"):
        bench.at(accounts[name])
        with caller.held_to(policies["diff"]):
            assert failures(bench.diff(FULL).results) == []
        used["diff"] |= caller.taken()
        with caller.held_to(policies["verify"]):
            assert failures(verified(bench)) == []
        used["verify"] |= caller.taken()
        with caller.held_to(policies["apply"]):
            assert bench.apply(FULL).changes != []
        used["apply"] |= caller.taken()
    assert caller.denied == []
    for purpose, policy in policies.items():
        printed = {(each["Sid"], action) for each in policy["Statement"] for action in each["Action"]}
        assert printed - used[purpose] == set(), f"{purpose} needs less"


def test_they_agree_with_the_service_authorization_reference() -> None:
    assert_well_formed(least(FULL, *PURPOSES))


@cache
def steps_with(action: str) -> tuple[str, ...]:
    """The steps whose permissions name the action; a run of them runs also what they need."""
    baseline = parse(FULL, "full.yaml", all_sections(), {})
    home = baseline.general.home_region
    found = set()
    for region in baseline.general.regions:
        target = Target(ACCOUNT, region, home=region == home, central=ACCOUNT, archive=ACCOUNT)
        filled = baseline.at(account_id=ACCOUNT, region=region, partition="aws")
        for name, step in all_steps().items():
            if region == home or step.regional:
                found |= {name for each in permissions_of(step, target, filled) if each.action == action}
    return tuple(name for name in all_steps() if name in found)


def runs_with(action: str, accounts: dict[str, bytes], bench: Bench) -> Iterator[list[str]]:
    """The failures of each run of the steps with the action, first of those that most often need it."""
    only = steps_with(action)
    commands = [("verify", "broken"), ("apply", "broken"), ("apply", "empty")]
    reads = action.partition(":")[2].startswith(READS)
    for command, account in commands if reads else [*commands[1:], commands[0]]:
        bench.at(accounts[account])
        if command == "verify":
            yield failures(verified(bench, only))
        else:
            run = bench.run(FULL, only=only)
            yield failures(run.send(run.rehearse()))


@pytest.mark.parametrize("shard", range(SHARDS))
def test_without_any_one_of_them_a_run_is_denied(
    accounts: dict[str, bytes], caller: Caller, bench: Bench, shard: int
) -> None:
    whole = least(FULL, "verify", "apply")
    for action in actions(whole)[shard :: SHARDS * SAMPLE]:
        caller.denials.clear()
        with caller.held_to(without(whole, action)):
            failed = next(filter(None, runs_with(action, accounts, bench)), [])
        assert failed != [], f"{action} can be left out"
        assert set(caller.denied) == {action}


def in_every_region(accounts: str) -> Baseline:
    """The full file with all Regions of AWS by name, for which the policies are longest."""
    known = botocore.session.get_session().get_available_regions("config")
    text, found = re.subn(r"(?m)^regions: .*", f"regions: [{', '.join(known)}]", FULL)
    assert (found, len(known) >= 34) == (1, True)
    return parse(text + accounts, "full.yaml", all_sections(), {})


@pytest.mark.parametrize("accounts", ["", ORGANIZATION], ids=["one account", "organization"])
def test_the_policy_of_each_section_fits_into_a_managed_policy(accounts: str) -> None:
    baseline = in_every_region(accounts)
    found = {"caller": permissions.of_caller(baseline, ANY_ACCOUNT, "aws")}
    if accounts:
        found["member"] = permissions.of_role(baseline, ANY_ACCOUNT, "aws")
        found["archive"] = permissions.of_role(baseline, ARCHIVE, "aws")
    for role, parts in found.items():
        for section, policy in permissions.by_section(parts, PURPOSES).items():
            assert permissions.size(policy) <= permissions.MANAGED_POLICY, f"{role}: {section}"
