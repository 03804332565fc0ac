"""The organization before anybody asks: the tool has brought the accounts that stand for all to what the file says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from provisioner.aws import identify
from provisioner.aws.cloud import Cloud
from provisioner.baseline import Baseline, parse
from provisioner.engine.run import Run
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Fleet, member_role
from provisioner.model import Account
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.drift import Hands
from provisioner.sandbox.rules.account import regions as known_regions
from provisioner.sandbox.seed import CLOSED, MANAGEMENT, MEMBERS
from provisioner.steps.registry import all_sections

from . import pages
from .drift import find_drifts
from .recorder import DRIFTED, ELSEWHERE, HOME, Recorder

PROFILES: Final = Path(__file__).resolve().parent.parent.parent / "provisioner" / "profiles"
# Those that need no opt-in; the home first, and the one that stands for the others last.
REGIONS: Final = (
    *(HOME, "eu-west-1", "us-west-2", "eu-central-1", "us-east-2", "ap-southeast-2", "ap-northeast-1"),
    *("ap-south-1", "ap-southeast-1", "ca-central-1", "eu-north-1", "eu-west-2", "eu-west-3", "us-west-1"),
    *("ap-northeast-2", "ap-northeast-3", ELSEWHERE),
)


def members(count: int, seed: int) -> list[str]:
    """*count* account numbers, always the same for a *seed*; some begin with a zero, as real ones do."""
    chance = Random(seed)  # noqa: S311 - it shall be foreseeable
    taken = {MANAGEMENT, CLOSED[0], *MEMBERS}
    found: dict[str, None] = {}
    while len(found) < count:
        number = f"{chance.randrange(10**12):012}"
        if number not in taken:
            found[number] = None
    return list(found)


def baseline(regions: Sequence[str], *, fleet: bool, profile: str = "simple") -> str:
    """A profile for these Regions, and for every account of the organization where it is a *fleet*."""
    listed = regions[0] if [*regions] == ["all"] else f"[{', '.join(regions)}]"
    accounts = "\naccounts: { all: true }" if fleet else ""
    text = (PROFILES / f"{profile}.yaml").read_text()
    text, found = re.subn(r"(?m)^regions: \[.*?\]", f"regions: {listed}{accounts}", text)
    if found != 1:
        raise ValueError(f"the profile {profile} has no line `regions: [...]`")
    return text


@contextmanager
def organization(
    accounts: int, regions: Sequence[str], seed: int, profile: str = "simple"
) -> Iterator[tuple[Recorder, list[str]]]:
    """A recorder of an organization of *accounts* accounts, and the numbers of its members."""
    numbers = members(accounts - 1, seed)
    samples = [HOME, ELSEWHERE] if len(regions) > 1 else [HOME]
    with open_sandbox(None) as world:
        file = parse(baseline(samples, fleet=accounts > 1, profile=profile), profile, all_sections(), {})
        cloud = Cloud(workers=4)
        try:
            fleet = _fleet(cloud, file)
            _bring_in_sync(fleet, samples)
            recorder = Recorder(world, {*known_regions("aws")} - {*regions})
            if not fleet.single:
                world.disabled = set()
                keys = recorder.keys(DRIFTED)
                hands = [Hands.of(DRIFTED, each, keys, home=each == HOME) for each in samples]
                recorder.drifts = find_drifts(
                    world, hands, lambda: fleet.member(Account(DRIFTED), samples, {})
                )
        finally:
            cloud.close(wait=True)
        pages.populate(numbers)
        world.calls.clear()
        yield recorder, numbers


def _fleet(cloud: Cloud, file: Baseline) -> Fleet:
    who = identify(cloud, HOME)
    cloud.keyring.role = member_role(file.general.accounts, who, HOME)
    return Fleet(cloud, file, who)


def _bring_in_sync(fleet: Fleet, regions: Sequence[str]) -> None:
    """The sandbox's accounts are as the file says, made so by the tool itself."""
    if fleet.single:
        _carry_out(fleet.whole())
        return
    found = fleet.select(AccountFilter())
    _carry_out(fleet.once())
    for account in found.accounts:
        _carry_out(fleet.member(account, regions, {}))


def _carry_out(run: Run) -> None:
    sent = run.send(run.rehearse())
    wrong = [str(each.failure) for each in [*sent, *run.settle(sent)] if not each.ok or each.withheld]
    if wrong:
        raise RuntimeError(f"the sandbox could not be brought in sync: {wrong}")
