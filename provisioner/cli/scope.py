"""What a command line leaves of a file: which steps and Regions. All of it is settled before a step runs."""

from __future__ import annotations

from difflib import get_close_matches

from ..aws.cloud import Cloud
from ..baseline import Baseline
from ..baseline.general import ALL
from ..engine.run import chosen
from ..steps.registry import all_steps
from .options import Asked, Unable


def only_regions(baseline: Baseline, asked: Asked) -> list[str]:
    """The Regions that were asked for, which the file must have."""
    general = baseline.general
    for region in asked.regions:
        if region == ALL:
            raise Unable("--region all: without the flag, all Regions of the file are gone to: drop it")
        if not general.covers(region):
            raise Unable(
                f"--region {region}: not among the `regions` of {asked.file} ({', '.join(general.regions)}): add it there, or drop the flag"
            )
    return list(dict.fromkeys(asked.regions))


def check_flags(baseline: Baseline, asked: Asked) -> None:
    """Raise Unable where flags exclude each other, or are for many accounts and the file is for one."""
    if asked.processes and asked.scheduler:
        raise Unable("--processes and --scheduler: the accounts are done here or there: give one of them")
    if asked.sandbox and (asked.processes or asked.scheduler):
        raise Unable(
            "--sandbox lives in one process: leave out --processes and --scheduler, or serve it (`provision sandbox serve`)"
        )
    if asked.as_json and asked.json_lines:
        raise Unable("--json and --json-lines: one document, or a line for each account: give one of them")
    if baseline.general.accounts is not None:
        return
    given = {
        "--resume": asked.resume,
        "--processes": asked.processes,
        "--scheduler": asked.scheduler,
    }
    if flags := [*asked.narrows, *(flag for flag, value in given.items() if value)]:
        raise Unable(
            f"{flags[0]}: {asked.file} is for one account: add `accounts: {{all: true}}`, or drop the flag"
        )


def check_steps(baseline: Baseline, asked: Asked) -> None:
    """Raise Unable where `--target` names a step that the file does not ask for."""
    try:
        chosen(all_steps(), baseline, asked.steps)
    except KeyError as error:
        known = ", ".join(name for name, step in all_steps().items() if step.section in baseline)
        raise Unable(f"--target {error.args[0]}: no such step in {asked.file}; there are {known}") from error


def check_regions(cloud: Cloud, baseline: Baseline, only: list[str]) -> None:
    """Every Region is one that botocore knows, and all are in one partition: credentials are, too.

    *only* are those of the command line.
    """
    general = baseline.general
    place = baseline.place(("regions",) if "regions" in general.model_fields_set else ("home_region",))
    known = cloud.regions()
    of_file = [general.home_region, *general.named_regions]
    for region in [*of_file, *only]:
        if region not in known:
            close = get_close_matches(region, known, 1)
            wanted = f"did you mean `{close[0]}`?" if close else "if it is new, upgrade botocore"
            where = place if region in of_file else f"--region {region}"
            raise Unable(f"{where}: there is no Region `{region}`; {wanted}")
    partitions = {known[region]: region for region in [*of_file, *only]}
    if len(partitions) > 1:
        two = " and ".join(f"`{region}` in {partition}" for partition, region in sorted(partitions.items()))
        raise Unable(f"{place}: {two}: one account lives in one partition; make a file for each")
