"""Set up the organization in the sandbox: the tool itself brings the sample accounts in sync with the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from provisioner.aws import identify
from provisioner.aws.cloud import Cloud
from provisioner.baseline import parse
from provisioner.engine.plan import Plan
from provisioner.engine.run import Run
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Fleet, member_role
from provisioner.model import Account, Result
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.drift import Administrator
from provisioner.sandbox.rules.account import regions as known_regions
from provisioner.sandbox.seed import CLOSED, MANAGEMENT, MEMBERS
from provisioner.steps.registry import all_sections, all_steps

from . import pages
from .drift import find_drifts
from .recorder import DRIFTED, HOME, OTHER_REGION, Recorder

PROFILES: Final = Path(__file__).resolve().parent.parent.parent / "provisioner" / "profiles"
# The Regions that need no opt-in: first the home Region, last the sample of the others.
REGIONS: Final = (
    *(HOME, "eu-west-1", "us-west-2", "eu-central-1", "us-east-2", "ap-southeast-2", "ap-northeast-1"),
    *("ap-south-1", "ap-southeast-1", "ca-central-1", "eu-north-1", "eu-west-2", "eu-west-3", "us-west-1"),
    *("ap-northeast-2", "ap-northeast-3", OTHER_REGION),
)


def members(count: int, seed: int) -> list[str]:
    """*count* account ids, always the same for a *seed*; some begin with a zero, as real ones do."""
    random = Random(seed)  # noqa: S311 - it must be reproducible
    taken = {MANAGEMENT, CLOSED[0], *MEMBERS}
    found: dict[str, None] = {}  # a set in the order of insertion
    while len(found) < count:
        account = f"{random.randrange(10**12):012}"
        if account not in taken:
            found[account] = None
    return list(found)


def baseline(regions: Sequence[str], *, fleet: bool, profile: str = "simple") -> str:
    """The text of a profile for these Regions and, if it is a *fleet*, for all accounts of the organization."""
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
    """A recorder of an organization of that many accounts, and the ids of its members."""
    ids = members(accounts - 1, seed)
    samples = [HOME, OTHER_REGION] if len(regions) > 1 else [HOME]
    with open_sandbox(None) as world:
        file = parse(baseline(samples, fleet=accounts > 1, profile=profile), profile, all_sections(), {})
        cloud = Cloud(workers=4)
        try:
            who = identify(cloud, HOME)
            cloud.keyring.role = member_role(file.general.accounts, who, HOME)
            fleet = Fleet(cloud, file, who)
            _bring_in_sync(fleet, samples)
            recorder = Recorder(world, {*known_regions("aws")} - {*regions})
            if not fleet.single:
                world.disabled = set()
                keys = recorder.keys(DRIFTED)
                admin = [Administrator.of(DRIFTED, each, keys, home=each == HOME) for each in samples]
                run = partial(fleet.member, Account(DRIFTED), samples, {})
                recorder.drifts = find_drifts(world, admin, run)
            pages.populate(ids)
            if not fleet.single:
                _apply(fleet.once())  # what is done in the organization for each of its accounts
        finally:
            cloud.close(wait=True)
        world.calls.clear()
        yield recorder, ids


def _bring_in_sync(fleet: Fleet, regions: Sequence[str]) -> None:
    """Apply the file to the sample accounts."""
    if fleet.single:
        _apply(fleet.whole())
        return
    found = fleet.select(AccountFilter())
    run = fleet.once()
    _send(run, [each for each in run.rehearse().results if not all_steps()[each.step].after_accounts])
    for account in found.accounts:
        _apply(fleet.member(account, regions, {}))
    _apply(fleet.once())


def _apply(run: Run) -> None:
    _send(run, run.rehearse().results)


def _send(run: Run, planned: Sequence[Result]) -> None:
    sent = run.send(Plan(tuple(planned)))
    wrong = [str(each.failure) for each in [*sent, *run.settle(sent)] if not each.ok or each.withheld]
    if wrong:
        raise RuntimeError(f"the sandbox could not be brought in sync: {wrong}")
