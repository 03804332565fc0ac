"""The command `permissions`: the policy on stdout, or one for each service in files; notes on stderr. Asks AWS nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from .. import permissions as least
from ..baseline import Baseline, BaselineError
from ..baseline.general import Accounts
from ..steps.permission import ANY_ACCOUNT
from . import offline


def show(
    file: str,
    *,
    account: str | None,
    partition: str | None,
    purposes: tuple[str, ...],
    member: bool,
    trust: str | None,
    services: tuple[str, ...],
    split: str | None,
) -> int:
    """Print the least-privilege policy of the file, or write one for each service; 1 where the file is wrong."""
    try:
        baseline = offline.read(file)
        where = partition or baseline.partition
        if trust is not None:
            return _trust(baseline, trust, where, alone=not (member or account))
        owner = _member(baseline, account) if member else _account(baseline, account)
        parts = list((least.of_role if member else least.of_caller)(baseline, owner, where))
    except BaselineError as error:
        click.echo(error.render(color=False), err=True)
        return 1
    policies = least.by_section(parts, purposes)
    chosen = _chosen(policies, services)
    whole = least.policy([each for each in parts if each.section in chosen], purposes)
    notes = least.notes(whole, baseline, owner, member=member)
    if split is not None:
        return _write({name: policies[name] for name in chosen}, Path(split), notes)
    if least.size(whole) > least.MANAGED_POLICY:
        sizes = ", ".join(f"{name} {least.size(policies[name]):,}" for name in chosen)
        raise click.ClickException(
            f"the policy has {least.size(whole):,} characters, and IAM takes {least.MANAGED_POLICY:,} in one: write one for"
            f" each service with `--split DIR`, or print one with `--service NAME` ({sizes})"
        )
    return _print(whole, notes)


def _chosen(policies: Mapping[str, least.Policy], services: tuple[str, ...]) -> list[str]:
    """The services that were asked for, or all of the file."""
    if unknown := next((each for each in services if each not in policies), None):
        raise click.UsageError(
            f"--service {unknown}: the file needs no such policy; there are {', '.join(policies)}"
        )
    return [name for name in policies if not services or name in services]


def _write(policies: Mapping[str, least.Policy], folder: Path, notes: Iterable[str]) -> int:
    """Write a file for each policy, and name it with its size."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in policies.items():
            path = folder / f"{name}.json"
            path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            click.echo(f"{path}  {least.size(document):,} characters")
    except OSError as error:
        raise click.ClickException(
            f"--split {folder}: {error.strerror}; name a folder that can be written"
        ) from error
    _note(notes)
    return 0


def _print(document: dict[str, Any], notes: Iterable[str]) -> int:
    click.echo(json.dumps(document, indent=2))
    _note(notes)
    return 0


def _note(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _trust(baseline: Baseline, caller: str, partition: str, *, alone: bool) -> int:
    """Print who may assume the role in each account."""
    accounts = _accounts(baseline, "--trust")
    if not alone:
        raise click.UsageError(
            "--trust: it is the same in every account: drop --member and --account, which are for the policy"
        )
    if not least.PRINCIPAL.fullmatch(caller):
        raise click.UsageError(
            f"--trust {caller}: want the ARN of the caller's role or user, or the 12 digits of its account"
        )
    document = least.trust(accounts, caller, partition, baseline.secrets)
    return _print(document, least.trust_notes(accounts, document, caller))


def _accounts(baseline: Baseline, flag: str) -> Accounts:
    accounts = baseline.general.accounts
    if accounts is None:
        raise click.UsageError(
            f"{flag}: {baseline.file} is for one account: add `accounts: {{all: true}}`, or drop the flag"
        )
    return accounts


def _account(baseline: Baseline, asked: str | None) -> str:
    """The account that the policy is for: the one asked for, the only one that the file allows, or any."""
    allowed = baseline.general.allowed_account_ids
    if asked is None:
        return allowed[0] if allowed is not None and len(allowed) == 1 else ANY_ACCOUNT
    if allowed is not None and asked not in allowed:
        raise click.UsageError(
            f"--account {asked}: `allowed_account_ids` ({baseline.place(('allowed_account_ids',))}) does not name it:"
            " add it there, or drop the flag"
        )
    return asked


def _member(baseline: Baseline, asked: str | None) -> str:
    """The account whose role the policy is for: the one asked for, or any."""
    _accounts(baseline, "--member")
    if asked is None:
        return ANY_ACCOUNT
    if not least.role_may_be_in(baseline.general, asked):
        raise click.UsageError(
            f"--account {asked}: `accounts` ({baseline.place(('accounts',))}) is not for it: add it there, or drop the flag"
        )
    return asked
