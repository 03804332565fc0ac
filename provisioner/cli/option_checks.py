"""Checks of the options against the file, made before any step runs."""

from __future__ import annotations

from difflib import get_close_matches

from ..aws.cloud import Cloud
from ..baseline import Baseline
from ..baseline.general import ALL
from ..engine.run import chosen
from ..steps.registry import all_steps
from .options import CommandError, CommandOptions


def only_regions(baseline: Baseline, options: CommandOptions) -> tuple[str, ...]:
    """The Regions of `--regions`, each once. Raises CommandError for one that the file does not have."""
    general = baseline.general
    for region in options.regions:
        if region == ALL:
            raise CommandError(
                "--region all: without the flag, the run covers all Regions of the file: drop it"
            )
        if not general.covers(region):
            raise CommandError(
                f"--region {region}: not among the `regions` of {options.file} ({', '.join(general.regions)}): add it there, or drop the flag"
            )
    return tuple(dict.fromkeys(options.regions))


def check_flags(baseline: Baseline, options: CommandOptions) -> None:
    """Raise CommandError if flags exclude each other, or are for many accounts and the file is for one."""
    distributed = {"--processes": options.processes, "--scheduler": options.scheduler}
    if all(distributed.values()):
        raise CommandError("--processes and --scheduler: both distribute the accounts: give one of them")
    if options.sandbox and any(distributed.values()):
        raise CommandError(
            "--sandbox works in one process: leave out --processes and --scheduler, or serve it (`provision sandbox serve`)"
        )
    if options.as_json and options.json_lines:
        raise CommandError(
            "--json and --json-lines: one document, or a line for each account: give one of them"
        )
    flags = {**options.account_filters, "--resume": options.resume, **distributed}
    given = [flag for flag, value in flags.items() if value]
    if given and baseline.general.accounts is None:
        raise CommandError(
            f"{given[0]}: {options.file} is for one account: add `accounts: {{all: true}}`, or drop the flag"
        )


def check_steps(baseline: Baseline, options: CommandOptions) -> None:
    """Raise CommandError if `--target` names a step that the file does not have."""
    try:
        chosen(all_steps(), baseline, options.steps)
    except KeyError as error:
        known = ", ".join(name for name, step in all_steps().items() if step.section in baseline)
        raise CommandError(
            f"--target {error.args[0]}: no such step in {options.file}; there are {known}"
        ) from error


def check_regions(cloud: Cloud, baseline: Baseline, only: tuple[str, ...]) -> None:
    """Raise CommandError unless botocore knows every Region and all are in one partition, as credentials are.

    *only* are the Regions of `--regions`.
    """
    general = baseline.general
    place = baseline.place(("regions",) if "regions" in general.model_fields_set else ("home_region",))
    known = cloud.regions()
    of_file = [general.home_region, *general.named_regions]
    for region in [*of_file, *only]:
        if region not in known:
            close = get_close_matches(region, known, 1)
            hint = f"did you mean `{close[0]}`?" if close else "if it is new, upgrade botocore"
            where = place if region in of_file else f"--region {region}"
            raise CommandError(f"{where}: there is no Region `{region}`; {hint}")
    partitions = {known[region]: region for region in [*of_file, *only]}
    if len(partitions) > 1:
        two = " and ".join(f"`{region}` in {partition}" for partition, region in sorted(partitions.items()))
        raise CommandError(f"{place}: {two}: an account is in one partition; make a file for each")
