"""Notes printed beside a policy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..baseline import Baseline
from ..baseline.accounts import Accounts
from ..fleet.accounts import lookups
from ..steps.permission import ANY_ACCOUNT, POLICY_NOTES
from .parts import uses_archive


def notes(
    document: Mapping[str, Any], baseline: Baseline, account: str, *, member: bool = False
) -> list[str]:
    """Return the notes of the policy of the caller in *account*, or with *member* of the role in it."""
    accounts = baseline.general.accounts
    actions = {action for each in document["Statement"] for action in each["Action"]}
    found = list(_of_role(baseline, accounts, account) if member else _of_caller(baseline, account, actions))
    for noting in POLICY_NOTES:
        found += noting(baseline, actions)
    return found


def trust_notes(accounts: Accounts, policy: Mapping[str, Any], caller: str) -> Iterator[str]:
    """Yield the notes of the trust policy of *caller*: what to change in it before it is used."""
    if caller.isdigit() or caller.endswith(":root"):
        yield "whoever may assume roles in that account may assume this one: better name the caller's role by its ARN"
    shown = policy["Statement"][0].get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
    if shown != accounts.external_id:
        yield f"the external id is not shown: put it in the place of {shown}"


def _of_caller(baseline: Baseline, account: str, actions: Collection[str]) -> Iterator[str]:
    accounts = baseline.general.accounts
    yield "iam:ListAccountAliases is left out: with it the account's alias is shown, and nothing else needs it"
    if account == ANY_ACCOUNT:
        named = bool(accounts and (accounts.ids or accounts.log_archive))
        yield (
            "no account was named, so the policy fits any, the one it is attached in"
            f"{', but for those that the file names' if named else ''}: narrow it with --account"
            f"{'' if accounts else ', or with one entry in `allowed_account_ids`'}"
        )
    if accounts is None or "sts:AssumeRole" not in actions:
        return
    yield (
        f"it assumes {accounts.role_name} in each account: `--member` prints that role's policy, `--trust CALLER` who"
        " may assume it"
    )
    if not lookups(baseline.general).units:
        yield (
            "the flag --ou needs organizations:ListAccounts, ListRoots, ListOrganizationalUnitsForParent and"
            " ListAccountsForParent too; the file names no units"
        )


def _of_role(baseline: Baseline, accounts: Accounts | None, account: str) -> Iterator[str]:
    archive = accounts.log_archive if accounts else None
    if archive and archive != account and uses_archive(baseline):
        yield f"account {archive} is the log archive, and needs more: --member --account {archive}"
    if account == ANY_ACCOUNT:
        yield "no account was named, so the policy fits any, the one it is attached in"
