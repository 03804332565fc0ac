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
from provisioner.baseline import parse
from provisioner.engine.run import Run, chosen
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Fleet, member_role
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.rules.account import regions as known_regions
from provisioner.sandbox.seed import CLOSED, MANAGEMENT, MEMBERS
from provisioner.steps.registry import all_sections, all_steps

from . import pages
from .recorder import DRIFTED, ELSEWHERE, HOME, Recorder

ROOT: Final = Path(__file__).resolve().parent.parent.parent
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


def baseline(regions: Sequence[str], *, fleet: bool) -> str:
    """The example file for these Regions, and for every account of the organization where it is a *fleet*."""
    listed = regions[0] if [*regions] == ["all"] else f"[{', '.join(regions)}]"
    accounts = "\naccounts: { all: true }" if fleet else ""
    text = (ROOT / "baseline.yaml").read_text()
    text, found = re.subn(r"(?m)^regions: \[.*?\]", f"regions: {listed}{accounts}", text)
    if found != 1:
        raise ValueError("baseline.yaml has no line `regions: [...]`")
    return text


@contextmanager
def organization(accounts: int, regions: Sequence[str], seed: int) -> Iterator[tuple[Recorder, list[str]]]:
    """A recorder of an organization of *accounts* accounts, and the numbers of its members."""
    numbers = members(accounts - 1, seed)
    samples = [HOME, ELSEWHERE] if len(regions) > 1 else [HOME]
    with open_sandbox(None) as world:
        _bring_in_sync(samples, fleet=accounts > 1)
        recorder = Recorder(world, {*known_regions("aws")} - {*regions})
        if accounts > 1:
            _drift(recorder, samples)
        pages.populate(numbers)
        world.calls.clear()
        yield recorder, numbers


def _bring_in_sync(regions: Sequence[str], *, fleet: bool) -> None:
    """The sandbox's accounts are as the file says, made so by the tool itself."""
    file = parse(baseline(regions, fleet=fleet), "baseline.yaml", all_sections(), {})
    cloud = Cloud(workers=4)
    try:
        who = identify(cloud, HOME)
        if not fleet:
            _carry_out(Run(cloud, file, who, chosen(all_steps(), file), regions))
            return
        cloud.keyring.role = member_role(file.general.accounts, who, HOME)
        everything = Fleet(cloud, file, who)
        found = everything.select(AccountFilter())
        _carry_out(everything.once())
        for account in found.accounts:
            _carry_out(everything.member(account, regions, {}))
    finally:
        cloud.close(wait=True)


def _carry_out(run: Run) -> None:
    sent = run.send(run.rehearse())
    wrong = [str(each.failure) for each in [*sent, *run.settle(sent)] if not each.ok or each.withheld]
    if wrong:
        raise RuntimeError(f"the sandbox could not be brought in sync: {wrong}")


def _drift(recorder: Recorder, regions: Sequence[str]) -> None:
    """The account that stands for those that have drifted asks for shorter passwords, and records nothing."""
    policy = {**recorder.password_policy(DRIFTED), "MinimumPasswordLength": "8"}
    recorder.set_password_policy(DRIFTED, policy)
    for region in regions:
        target = "StarlingDoveService.StopConfigurationRecorder"
        recorder.json(DRIFTED, region, "config", target, b'{"ConfigurationRecorderName": "default"}')
