"""The command `permissions`: a policy on stdout, or one for each section in files; notes on stderr. No call to AWS."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from .. import permissions as least
from ..baseline import Baseline, BaselineError
from ..baseline.accounts import Accounts
from ..steps.permission import ANY_ACCOUNT
from .completions import partitions
from .offline import read_baseline


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
    """Print the least-privilege policy of the file, or write one for each section; 1 if the file is wrong."""
    if partition is not None and partition not in (known := partitions()):
        raise click.UsageError(f"--partition {partition}: there are {', '.join(known)}")
    try:
        baseline = read_baseline(file)
        where = partition or baseline.partition
        if trust is not None:
            return _show_trust(baseline, trust, where, alone=not (member or account))
        owner = _account_of(baseline, account, member=member)
        parts = list((least.of_role if member else least.of_caller)(baseline, owner, where))
    except BaselineError as error:
        click.echo(error.render(color=False), err=True)
        return 1
    policies = least.by_section(parts, purposes)
    if unknown := [each for each in services if each not in policies]:
        raise click.UsageError(
            f"--service {unknown[0]}: the file needs no such policy; there are {', '.join(policies)}"
        )
    chosen = {name: policy for name, policy in policies.items() if not services or name in services}
    whole = least.policy([each for each in parts if each.section in chosen], purposes)
    notes = least.notes(whole, baseline, owner, member=member)
    if split is not None:
        return _write(chosen, Path(split), notes)
    if least.size(whole) > least.MANAGED_POLICY:
        sizes = ", ".join(f"{name} {least.size(policy):,}" for name, policy in chosen.items())
        raise click.ClickException(
            f"the policy has {least.size(whole):,} characters, and IAM takes {least.MANAGED_POLICY:,} in one: write one for"
            f" each service with `--split DIR`, or print one with `--service NAME` ({sizes})"
        )
    return _print(whole, notes)


def _write(policies: Mapping[str, least.Policy], folder: Path, notes: Iterable[str]) -> int:
    """Write a file for each policy, and print its path and size."""
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
    return _print_notes(notes)


def _print(document: dict[str, Any], notes: Iterable[str]) -> int:
    click.echo(json.dumps(document, indent=2))
    return _print_notes(notes)


def _print_notes(notes: Iterable[str]) -> int:
    for note in notes:
        click.echo(f"note: {note}", err=True)
    return 0


def _show_trust(baseline: Baseline, caller: str, partition: str, *, alone: bool) -> int:
    """Print the trust policy of the role in each account. *alone*: no flag for the other policies is given."""
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
    """The file's `accounts`, which *flag* needs."""
    if baseline.general.accounts is None:
        raise click.UsageError(
            f"{flag}: {baseline.file} is for one account: add `accounts: {{all: true}}`, or drop the flag"
        )
    return baseline.general.accounts


def _account_of(baseline: Baseline, account: str | None, *, member: bool) -> str:
    """The account that the policy is for: *account*, or the only one that the file allows the caller, or any."""
    general, allowed = baseline.general, baseline.general.allowed_account_ids
    if member:
        _accounts(baseline, "--member")
        if account and not least.role_may_be_in(general, account):
            raise click.UsageError(
                f"--account {account}: `accounts` ({baseline.place(('accounts',))}) is not for it: add it there, or drop the flag"
            )
    elif allowed is not None:
        if account and account not in allowed:
            raise click.UsageError(
                f"--account {account}: `allowed_account_ids` ({baseline.place(('allowed_account_ids',))}) does not name it:"
                " add it there, or drop the flag"
            )
        account = account or (allowed[0] if len(allowed) == 1 else None)
    return account or ANY_ACCOUNT
