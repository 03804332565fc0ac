"""The commands on the sandbox itself."""

from __future__ import annotations

import click

from ..sandbox import SandboxError, open_sandbox
from .options import sandbox_file


def serve(host: str, port: int, latency: float) -> int:
    """Offer the sandbox over HTTP until Ctrl-C."""
    from ..sandbox.serve import serve as run

    def ready(url: str) -> None:
        click.echo(f"the sandbox is at {url}; no AWS account is touched. In another terminal:\n", err=True)
        for line in (
            f"export AWS_ENDPOINT_URL={url}",
            "export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox AWS_REGION=us-east-1",
            "aws iam delete-account-password-policy",
        ):
            click.echo(f"  {line}", err=True)
        click.echo("\nCtrl-C ends it; the state stays.", err=True)

    try:
        run(sandbox_file(), host=host, port=port, latency=latency, ready=ready)
    except (SandboxError, OSError) as error:
        raise click.ClickException(str(error)) from error
    return 0


def reset() -> int:
    """Empty the sandbox."""
    try:
        with open_sandbox(sandbox_file()) as world:
            world.reset()
    except SandboxError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"the sandbox is empty ({sandbox_file()})")
    return 0


def drift(seed: int | None, count: int) -> int:
    """Break *count* things in the sandbox."""
    from ..sandbox.drift import drift as break_things

    try:
        with open_sandbox(sandbox_file()) as world:
            done = break_things(world, seed, count)
    except SandboxError as error:
        raise click.ClickException(str(error)) from error
    for line in done:
        click.echo(line)
    if not done:
        raise click.ClickException(
            "the sandbox holds nothing to break; run `provision apply --sandbox` first"
        )
    return 0
