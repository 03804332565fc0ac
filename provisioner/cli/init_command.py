"""The command line of `init`."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import click

from .command import printed
from .flag_values import not_empty
from .flags import ENDPOINT_URL, comma_list, complete, file_argument

_FIRST: Final = "simple"


def _check_profile(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The name of a profile. Others have profiles of the AWS configuration in mind, which other commands name so."""
    from .init.profiles import profile_names

    if value not in (names := profile_names()):
        want = (
            f"want {', '.join(names)}, got {value!r}; a profile of the AWS configuration is `--aws-profile`"
        )
        raise click.BadParameter(want, context, parameter)
    return value


@click.command()
@partial(file_argument, dash="stdout")
@click.option(
    "--profile",
    callback=_check_profile,
    default=_FIRST,
    show_default=True,
    metavar="NAME",
    shell_complete=complete("baseline_profiles"),
    help="What the file asks for: simple, full, or a benchmark such as cis-5.0.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.option("--offline", is_flag=True, help="Make no call to AWS: the profile, with what the flags say.")
@click.option("--sandbox", is_flag=True, help="For the AWS on this machine; no account is touched.")
@click.option(
    "--single-account",
    is_flag=True,
    help="In the management account of an organization too: only for this account.",
)
@click.option(
    "--organization-name",
    callback=not_empty,
    metavar="NAME",
    help="What bucket names begin with. Default: the account's alias, or what the organization is called.",
)
@click.option(
    "--home-region",
    callback=not_empty,
    metavar="REGION",
    shell_complete=complete("regions"),
    help="Where what exists once is. Default: AWS_REGION, or that of the AWS profile.",
)
@comma_list(
    "--region",
    "--regions",
    "regions",
    metavar="REGION[,…]",
    shell_complete=complete("regions"),
    help="The Regions of the file, or `all`. Default: as many as the profile has.",
)
@click.option(
    "--aws-profile",
    callback=not_empty,
    metavar="NAME",
    shell_complete=complete("profiles"),
    help="Profile of the AWS configuration: `--profile` of the other commands.",
)
@ENDPOINT_URL
def init(**given: Any) -> int:
    """Write FILE for the account that the credentials are of. Makes no write to AWS.

    The file says in comments what the account has of it, what differs, and what `apply` would create. Without
    credentials it is the profile as it comes.
    """
    from .init.run import InitOptions, run

    return printed(run(InitOptions(**given)))
