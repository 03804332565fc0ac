"""Checks of the options against the file, made before any step runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..aws import Identity
from ..aws.configuration import is_endpoint, without_password
from ..baseline import Baseline
from ..baseline.general import ALL
from ..baseline.partitions import partition_of, unknown_region
from ..engine.plan import Plan
from ..engine.run import possible
from ..report import words
from ..steps.registry import all_consents, all_sections, all_steps
from .options import CommandError, CommandOptions


def only_regions(baseline: Baseline, options: CommandOptions) -> tuple[str, ...]:
    """The Regions of `--regions`, each once. Raises CommandError for one that the file does not have."""
    general = baseline.general
    for region in options.regions:
        if region == ALL:
            raise CommandError(
                "--regions all: without the flag, the run covers all Regions of the file: drop it"
            )
        if not general.covers(region):
            why = unknown_region(region) or (
                f"not among the `regions` of {options.file} ({', '.join(general.regions)}): add it there, or drop the flag"
            )
            raise CommandError(f"--regions {region}: {why}")
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
    if options.sandbox and options.profile:
        raise CommandError(
            "--sandbox and --profile: the sandbox has a caller of its own, and reads no profile: give one of them"
        )
    if options.endpoint_url and not is_endpoint(options.endpoint_url):
        raise CommandError(
            f"--endpoint-url {without_password(options.endpoint_url)}: no URL to which requests can be sent: give one such as"
            " http://127.0.0.1:4566, without a password"
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
    steps = all_steps()
    known = [step.name for step in possible(steps, baseline)]
    for name in options.steps:
        if name in known:
            continue
        hint = words.did_you_mean(name, known) or f"there are {', '.join(known)}"
        if name in steps:
            sections = {kind: key for key, kind in all_sections().items()}
            hint = f"it needs the section `{sections[steps[name].section]}`"
        raise CommandError(f"--target {name}: no such step in {options.file}; {hint}")


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


def check_regions(baseline: Baseline, only: tuple[str, ...]) -> None:
    """Raise CommandError unless botocore knows each Region of `--regions`, and it is in the partition of the file."""
    for region in only:
        if message := unknown_region(region):
            raise CommandError(f"--regions {region}: {message}")
        if (partition := partition_of(region)) != baseline.partition:
            raise CommandError(
                f"--regions {region}: it is in {partition}, and the file's Regions are in {baseline.partition}: an account is"
                " in one partition"
            )
