"""Checks of the options against the file, made before any step runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..aws import Identity
from ..aws.cloud import Cloud
from ..baseline import Baseline
from ..baseline.general import ALL
from ..engine.plan import Plan
from ..engine.run import chosen
from ..report import words
from ..steps.registry import all_consents, all_sections, all_steps
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
    if options.sandbox and options.endpoint_url:
        raise CommandError(
            "--sandbox and --endpoint-url: the sandbox is in this process, and nothing is sent to a URL: give one of them"
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
        name, steps = str(error.args[0]), all_steps()
        known = [each for each, step in steps.items() if step.section in baseline]
        section = (
            next((key for key, kind in all_sections().items() if kind is steps[name].section), "")
            if name in steps
            else ""
        )
        hint = f"it needs the section `{section}`" if section else words.did_you_mean(name, known)
        why = "; ".join(
            filter(None, (f"no such step in {options.file}", hint, f"there are {', '.join(known)}"))
        )
        raise CommandError(f"--target {name}: {why}") from error


def check_identity(identity: Identity) -> None:
    """Raise CommandError if AWS's account id or partition is none: both become names of files."""
    if not re.fullmatch(r"[0-9]{12}", identity.account) or not re.fullmatch(
        r"aws[a-z-]*", identity.partition
    ):
        raise CommandError(
            f"AWS says that the caller is {identity.arn!r} in account {identity.account!r}, which is no account id:"
            " check `--endpoint-url`, AWS_ENDPOINT_URL and the proxy"
        )


def unknown_consents(options: CommandOptions, plan: Plan) -> Iterator[str]:
    """A message for each name of `--allow` that no change has."""
    known = {*all_consents(), *(change.consent for _, change in plan.changes if change.consent)}
    for name in dict.fromkeys(options.allow):
        if name not in known:
            hint = words.did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
            yield f"--allow {name}: no change is called so, and nothing more is allowed; {hint}"


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
            hint = words.did_you_mean(region, known) or "if it is new, upgrade botocore"
            where = place if region in of_file else f"--region {region}"
            raise CommandError(f"{where}: there is no Region `{region}`; {hint}")
    partitions = {known[region]: region for region in [*of_file, *only]}
    if len(partitions) > 1:
        two = " and ".join(f"`{region}` in {partition}" for partition, region in sorted(partitions.items()))
        raise CommandError(f"{place}: {two}: an account is in one partition; make a file for each")
