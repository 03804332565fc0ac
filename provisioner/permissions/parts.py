"""The permissions that the caller of a file needs, and those of the role in each account of an organization.

The caller of an organization lists its accounts, runs the steps that run once, and assumes the role in the other accounts.
All of this follows from the file alone, except which overrides apply to an account: AWS knows its units and tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, combinations
from typing import Final, NamedTuple

from ..baseline import Baseline, BaselineError
from ..baseline.accounts import Accounts
from ..baseline.general import General
from ..compare.policy import arn
from ..fleet.accounts import lookups
from ..model import Scope, Step, Target
from ..repair.permissions import journal_permissions, pause_permissions, who_permissions
from ..steps.permission import ANY_ACCOUNT, ANY_REGION, Permission, allow, equals, permissions_of
from ..steps.regions import regions_permissions
from ..steps.registry import all_sections, all_steps
from .notices import notice_permissions

ACCOUNTS: Final = "accounts"  # section of the permissions to list accounts and Regions and to assume roles
PAUSE: Final = "pause"  # section of the permissions to see, set and end a pause
HISTORY: Final = "event_history"  # section of the permissions to see who changed something
JOURNAL: Final = "journal"  # section of the permissions to keep the journal in a bucket
NOTICES: Final = "notices"  # section of the permissions to send notices
_IN_ORGANIZATION: Final = equals("aws:ResourceOrgID", "${aws:PrincipalOrgID}")


class Part(NamedTuple):
    """A permission, and the section of the file that needs it: there is a policy for each section."""

    section: str
    permission: Permission


def of_caller(baseline: Baseline, account: str, partition: str) -> Iterator[Part]:
    """Yield what a caller from *account* needs. ANY_ACCOUNT stands for an account that the file does not name.

    Raises BaselineError where the baseline is wrong for an account, such as a bucket's name that gets too long.
    """
    general = baseline.general
    accounts, archive = general.accounts, account
    if accounts is not None:
        entering = chain(
            _listing(general, account, partition), _assuming(baseline, accounts, account, partition)
        )
        yield from (Part(ACCOUNTS, each) for each in entering)
        archive = accounts.log_archive or account

    def once(step: Step) -> bool:
        return archive == account or not step.archive

    yield from (Part(NOTICES, each) for each in notice_permissions(baseline, account))
    yield from (Part(JOURNAL, each) for each in journal_permissions(baseline, partition))
    yield from (Part(PAUSE, each) for each in pause_permissions(baseline, account, partition))
    home = Target(account, general.home_region, partition, central=account, archive=archive)
    yield from _account(baseline, home, included=_may_include(general, account), once=once)


def of_role(baseline: Baseline, account: str, partition: str) -> Iterator[Part]:
    """Yield what the role in *account* needs; for ANY_ACCOUNT, in any account except the log archive.

    Raises BaselineError as `of_caller` does.
    """
    general, any_account = baseline.general, account == ANY_ACCOUNT
    archive = (general.accounts.log_archive if general.accounts else None) or ""

    def once(step: Step) -> bool:
        return step.archive and account == archive

    home = Target(account, general.home_region, partition, archive=archive)
    included = any_account or _may_include(general, account)
    yield from _account(baseline, home, included=included, once=once, any_account=any_account)


def role_may_be_in(general: General, account: str) -> bool:
    """Whether the role may be assumed in *account*: the file may include it, or it is the log archive."""
    accounts = general.accounts
    return accounts is not None and (account == accounts.log_archive or _may_include(general, account))


def _may_include(general: General, account: str) -> bool:
    """Whether the file may be for *account*, as far as the file alone says."""
    accounts, allowed = general.accounts, general.allowed_account_ids
    if accounts is None:
        return True
    if account in accounts.exclude.ids:
        return False
    if allowed is not None and account not in {*allowed, ANY_ACCOUNT}:
        return False
    return account in accounts.ids or not accounts.listed


def _account(
    baseline: Baseline,
    home: Target,
    *,
    included: bool,
    once: Callable[[Step], bool],
    any_account: bool = False,
) -> Iterator[Part]:
    """Yield what the steps need in the account of *home*.

    Of the steps that run once, those that *once* selects run there; the others do if the file includes the account.
    """
    general = baseline.general
    overrides = _overrides(general, home.account, any_account=any_account) if included else ([], [])
    regions = general.named_regions or [home.region, ANY_REGION]
    everywhere = [replace(home, region=region, home=region == home.region) for region in regions]
    keys = {kind: key for key, kind in all_sections().items()}
    for step in all_steps().values():
        # A step that runs once reads the file without overrides.
        if not (once(step) and step.section in baseline if step.scope is Scope.ONCE else included):
            continue
        for target in everywhere if step.regional else [home]:
            for variant in _variants(baseline, target, *overrides):
                declared = permissions_of(step, target, variant)
                yield from (Part(keys[step.section], each) for each in declared)
    if included:
        yield from (Part(ACCOUNTS, each) for each in regions_permissions(home, baseline))
    yield from (Part(HISTORY, each) for each in who_permissions(baseline))


def _overrides(general: General, account: str, *, any_account: bool) -> tuple[list[int], list[int]]:
    """Return the overrides that apply to the account, which name its id, and those for units or tags, which may."""
    if general.accounts is None:
        return [], []
    certain = [i for i, each in enumerate(general.overrides) if account in each.ids]
    possible = [
        i
        for i, each in enumerate(general.overrides)
        if i not in certain and (any_account or each.organizational_units or each.tags)
    ]
    return certain, possible


def _variants(
    baseline: Baseline, target: Target, certain: Iterable[int], possible: Iterable[int]
) -> Iterator[Baseline]:
    """Yield the baseline of the target for each combination of overrides that may apply.

    At most two of the possible ones are combined, as no permission depends on more than two values of the file.
    """
    for count in range(3):
        for chosen in combinations(possible, count):
            try:
                yield baseline.with_overrides(
                    tuple(sorted((*certain, *chosen))),
                    account_id=target.account,
                    region=target.region,
                    partition=target.partition,
                )
            except BaselineError:
                if count < 2:
                    raise
                # A run refuses the file for an account to which both apply.


def _listing(general: General, caller: str, partition: str) -> Iterator[Permission]:
    """Yield what `select_accounts` and `why_unusable` of `fleet/accounts.py` need for this file.

    The account in these ARNs is the management account, which no file names.
    """
    needed = lookups(general)

    def resource(path: str) -> str:
        return arn(partition, "organizations", "", "*", path)

    # These two have no resources.
    lists = {"ListAccounts": needed.accounts, "ListRoots": needed.units}
    yield from allow(
        "OrganizationRead", "organizations", [name for name, is_needed in lists.items() if is_needed]
    )
    if needed.units:
        units = (resource("root/o-*/r-*"), resource("ou/o-*/ou-*"))
        reads = "ListAccountsForParent ListOrganizationalUnitsForParent"
        yield from allow("AccountUnitsRead", "organizations", reads, on=units)
    accounts = (resource("account/o-*/*"),)
    if needed.tags:
        yield from allow("AccountTagsRead", "organizations", "ListTagsForResource", on=accounts)
    if general.accounts and general.accounts.listed and {*general.accounts.ids} != {caller}:
        # Whether an account that cannot be entered is closed. Not each by its id, as the policy gets too long.
        yield from allow("AccountStateRead", "organizations", "DescribeAccount", on=accounts)


def _assuming(baseline: Baseline, accounts: Accounts, caller: str, partition: str) -> Iterator[Permission]:
    """Yield what it takes to assume the role in the accounts that the file names, or in all of the organization."""
    ids = _named_accounts(baseline, accounts)
    others = ["*"] if ids is None else [each for each in ids if each != caller]
    roles = [arn(partition, "iam", "", each, f"role/{accounts.role_name}") for each in others]
    names = ["AssumeRole", *(["TagSession"] if accounts.session_tags else [])]
    if roles:
        condition = _IN_ORGANIZATION if ids is None else None
        yield from allow("AccountsEnter", "sts", names, on=roles, condition=condition)


def _named_accounts(baseline: Baseline, accounts: Accounts) -> list[str] | None:
    """Return the accounts that a run can reach, or None where they may be any of the organization."""
    named = accounts.ids if accounts.listed else baseline.general.allowed_account_ids
    if named is None:
        return None
    ids = {each for each in named if _may_include(baseline.general, each)}
    if accounts.log_archive and uses_archive(baseline):
        ids.add(accounts.log_archive)
    return sorted(ids)


def uses_archive(baseline: Baseline) -> bool:
    """Whether a step of the file runs in the log archive account."""
    return any(step.archive and step.section in baseline for step in all_steps().values())
