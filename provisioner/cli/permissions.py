"""The command `permissions`: the policy on stdout, what to know about it on stderr. Asks AWS nothing."""

from __future__ import annotations

import json

import click

from .. import permissions as least
from ..aws import Identity
from ..baseline import Baseline, BaselineError
from ..run import chosen, targets
from ..steps import STEPS
from ..steps.permission import ANY_ACCOUNT
from . import offline


def show(file: str, *, account: str | None, partition: str | None, purposes: tuple[str, ...]) -> int:
    """Print the least-privilege policy of the file; 1 where the file is wrong, or not for that account."""
    try:
        baseline = offline.read(file)
        owner = _account(baseline, account)
        who = Identity(owner, partition or baseline.partition, "")
        where = targets(baseline, who, baseline.general.regions)
        document = least.policy(chosen(STEPS, baseline), where, baseline, purposes)
    except BaselineError as error:
        click.echo(error.render(color=False), err=True)
        return 1
    click.echo(json.dumps(document, indent=2))
    for note in least.notes(document, baseline, owner, purposes):
        click.echo(f"note: {note}", err=True)
    return 0


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
