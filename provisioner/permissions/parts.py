"""Who takes which part in carrying out a file: the caller, and in an organization the role in each account.

The caller of an organization finds its accounts, makes what exists once, and assumes the role in the others. All of this
is known from the file alone, but for one thing: for which accounts an override counts that is for units or for tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Final, NamedTuple

from ..baseline import Baseline, BaselineError
from ..baseline.general import Accounts, General
from ..compare.policy import arn
from ..fleet.accounts import questions
from ..model import Scope, Step, Target
from ..steps.permission import ANY_ACCOUNT, ANY_REGION, DECLARED, Permission, allow, equals
from ..steps.registry import all_sections, all_steps

ACCOUNTS: Final = (
    "accounts"  # the service of what is asked to find the accounts and their Regions, and to enter them
)
_INSIDE: Final = equals("aws:ResourceOrgID", "${aws:PrincipalOrgID}")


class Part(NamedTuple):
    """A permission, and the section of the file that needs it: the policies are made by section."""

    section: str
    permission: Permission


def of_caller(baseline: Baseline, account: str, partition: str) -> Iterator[Part]:
    """What who calls from *account* asks for. ANY_ACCOUNT stands for an account that the file does not name.

    Raises BaselineError where the baseline is wrong for an account, such as a bucket's name that gets too long.
    """
    general = baseline.general
    accounts, archive = general.accounts, account
    if accounts is not None:
        yield from _of_accounts(_census(general, partition))
        yield from _of_accounts(_entering(baseline, accounts, account, partition))
        archive = accounts.log_archive or account
    own = accounts is None or _may_be_one(general, accounts, account)

    def takes(step: Step) -> bool:
        return archive == account or not step.archive if step.scope is Scope.ONCE else own

    home = Target(account, general.home_region, partition, central=account, archive=archive)
    yield from _asked(baseline, home, takes, _counting(general, account) if own else _Counting())
    if own:
        yield from _of_accounts(_regions(general, home))


def of_role(baseline: Baseline, account: str, partition: str) -> Iterator[Part]:
    """What the role that is assumed in *account* asks for; for ANY_ACCOUNT, in any but the one with the log buckets.

    Raises BaselineError as `of_caller` does.
    """
    general, anyone = baseline.general, account == ANY_ACCOUNT
    archive = (general.accounts.log_archive if general.accounts else None) or ""
    member = anyone or (general.accounts is not None and _may_be_one(general, general.accounts, account))

    def takes(step: Step) -> bool:
        return step.archive and account == archive if step.scope is Scope.ONCE else member

    home = Target(account, general.home_region, partition, archive=archive)
    counting = _counting(general, account, anyone=anyone) if member else _Counting()
    yield from _asked(baseline, home, takes, counting)
    if member:
        yield from _of_accounts(_regions(general, home))


def _of_accounts(permissions: Iterator[Permission]) -> Iterator[Part]:
    return (Part(ACCOUNTS, each) for each in permissions)


def role_may_be_in(general: General, account: str) -> bool:
    """The role may be assumed in the account: it is one of those that the file is for, or has the log buckets."""
    accounts = general.accounts
    return accounts is not None and (
        account == accounts.log_archive or _may_be_one(general, accounts, account)
    )


def _may_be_one(general: General, accounts: Accounts, account: str) -> bool:
    """The account may be one of those that the file is for, as far as the file alone tells."""
    allowed = general.allowed_account_ids
    if account in accounts.exclude.ids:
        return False
    if allowed is not None and account not in {*allowed, ANY_ACCOUNT}:
        return False
    return account in accounts.ids or not accounts.listed


class _Counting(NamedTuple):
    """The overrides of one account, by their place in the file: those that count for it, and those that may."""

    surely: tuple[int, ...] = ()
    maybe: tuple[int, ...] = ()


def _counting(general: General, account: str, *, anyone: bool = False) -> _Counting:
    """What the file alone tells: an id it names, while units and tags are known to AWS. *anyone*: it is any account."""
    if general.accounts is None:
        return _Counting()
    each_placed = list(enumerate(general.overrides))
    surely = tuple(place for place, each in each_placed if account in each.ids)
    maybe = (
        place
        for place, each in each_placed
        if place not in surely and (anyone or each.organizational_units or each.tags)
    )
    return _Counting(surely, tuple(maybe))


def _asked(
    baseline: Baseline, home: Target, takes: Callable[[Step], bool], counting: _Counting
) -> Iterator[Part]:
    """What the steps ask for that are taken in the account of *home*, whichever overrides count for it."""
    named = baseline.general.named_regions or [home.region, ANY_REGION]
    everywhere = [replace(home, region=region, home=region == home.region) for region in named]
    keys = {kind: key for key, kind in all_sections().items()}
    for step in all_steps().values():
        # What exists once is what the file itself has; an override adds nothing there.
        if not takes(step) or (step.scope is Scope.ONCE and step.section not in baseline):
            continue
        for target in everywhere if step.regional else [home]:
            for filled in _variants(baseline, target, counting):
                if step.section in filled:
                    asked = DECLARED[step.name](target, filled)
                    yield from (Part(keys[step.section], each) for each in asked)


def _variants(baseline: Baseline, target: Target, counting: _Counting) -> Iterator[Baseline]:
    """The file filled in for the target, once for each way in which the overrides may count.

    Of those that may, at most two together: no permission depends on more than two values of the file.
    """
    for several in range(3):
        for maybe in combinations(counting.maybe, several):
            try:
                yield baseline.varied(
                    tuple(sorted((*counting.surely, *maybe))),
                    account_id=target.account,
                    region=target.region,
                    partition=target.partition,
                )
            except BaselineError:
                if several < 2:
                    raise
                # Two that are wrong together are refused by every run for which both count.


def _regions(general: General, home: Target) -> Iterator[Permission]:
    """Which Regions are all is asked in each account."""
    if not general.named_regions:
        whole = arn(home.partition, "account", "", home.account, "account")
        yield from allow("RegionsRead", "account", "ListRegions", on=[whole])
        if home.partition not in {"aws", "aws-cn"}:  # there may be no such endpoint, and EC2 is asked
            yield from allow("RegionsRead", "ec2", "DescribeRegions")


def _census(general: General, partition: str) -> Iterator[Permission]:
    """What `members.census` asks for this file. Only the management account is in these ARNs, and no file tells it."""
    asked = questions(general)

    def named(resource: str) -> str:
        return arn(partition, "organizations", "", "*", resource)

    # AWS knows no resources for these two.
    lists = {"ListAccounts": asked.accounts, "ListRoots": asked.units}
    yield from allow("OrganizationRead", "organizations", [name for name, wanted in lists.items() if wanted])
    if asked.units:
        units = (named("root/o-*/r-*"), named("ou/o-*/ou-*"))
        reads = "ListAccountsForParent ListOrganizationalUnitsForParent"
        yield from allow("AccountUnitsRead", "organizations", reads, on=units)
    if asked.tags:
        every = (named("account/o-*/*"),)
        yield from allow("AccountTagsRead", "organizations", "ListTagsForResource", on=every)


def _entering(baseline: Baseline, accounts: Accounts, caller: str, partition: str) -> Iterator[Permission]:
    """The role is assumed in the accounts that the file names; where it names none, in those of the organization."""
    ids = _entered(baseline, accounts)
    into = ["*"] if ids is None else [each for each in ids if each != caller]
    on = [arn(partition, "iam", "", each, f"role/{accounts.role_name}") for each in into]
    names = ["AssumeRole", *(["TagSession"] if accounts.session_tags else [])]
    if on:
        yield from allow("AccountsEnter", "sts", names, on=on, condition=_INSIDE if ids is None else None)


def _entered(baseline: Baseline, accounts: Accounts) -> list[str] | None:
    """The only accounts into which the file leads a run; None for any of the organization."""
    allowed = baseline.general.allowed_account_ids
    named = accounts.ids if accounts.listed else allowed
    if named is None:
        return None
    ids = {each for each in named if _may_be_one(baseline.general, accounts, each)}
    if accounts.log_archive and any(
        step.archive and step.section in baseline for step in all_steps().values()
    ):
        ids.add(accounts.log_archive)
    return sorted(ids)
