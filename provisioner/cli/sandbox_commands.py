"""The commands `sandbox serve`, `sandbox reset` and `sandbox drift`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from .. import install_command
from ..sandbox import MissingPackage, SandboxError, open_sandbox
from .options import private_files, sandbox_file


def serve(host: str, port: int, latency: float) -> int:
    """Serve the sandbox over HTTP until Ctrl-C. *latency* is in seconds."""
    from ..sandbox.serve import serve as serve_sandbox

    def ready(url: str) -> None:
        click.echo(
            f"the sandbox is at {url}; no AWS account is touched. In another terminal:\n\n"
            f"  export AWS_ENDPOINT_URL={url}\n"
            "  export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox AWS_DEFAULT_REGION=us-east-1\n"
            "  aws iam delete-account-password-policy\n\n"
            "Ctrl-C ends it; the state stays.",
            err=True,
        )

    with _errors():
        serve_sandbox(sandbox_file(), host=host, port=port, latency=latency, ready=ready)
    return 0


def reset() -> int:
    """Empty the sandbox."""
    with _errors(), open_sandbox(sandbox_file()) as world:
        world.reset()
    click.echo(f"the sandbox is empty ({sandbox_file()})")
    return 0


def drift(seed: int | None, count: int) -> int:
    """Break *count* things in the sandbox, and print which."""
    with _errors(), open_sandbox(sandbox_file()) as world:
        from ..sandbox.drift import drift as break_things  # needs the packages of the sandbox

        done = break_things(world, seed, count)
    for line in done:
        click.echo(line)
    if not done:
        raise click.ClickException(
            "the sandbox holds nothing to break; run `provision apply --sandbox` first"
        )
    return 0


@contextmanager
def _errors() -> Iterator[None]:
    """Print an error of the sandbox as one message. Files that are made are this user's only."""
    try:
        with private_files():
            yield
    except MissingPackage as error:
        raise click.ClickException(f"{error}: `{install_command('sandbox')}`") from error
    except (SandboxError, OSError) as error:
        raise click.ClickException(str(error)) from error
