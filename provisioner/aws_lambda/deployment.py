"""What the deployment of the function decides: its file, which variables that reads, and the connection to AWS.

Whoever may invoke the function cannot choose these environment variables of it:

PROVISION_FILE   the file, which is packaged with the function.
PROVISION_ENV    the names of the environment variables that the file may read as `${env:NAME}`, separated by commas.
PROVISION_ALLOW_EVENT_BASELINE  `1`: an event may bring a file of its own, as `baseline`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Final, Protocol

from ..aws import Options
from ..baseline import Baseline, load, parse
from ..baseline.placeholders import Environment
from ..fleet.fleet import Fleet
from ..fleet.remote import open_fleet
from ..model import Refused
from ..steps.registry import all_sections
from .event import Request

MIN_TO_START: Final = 60.0  # no account is started with fewer seconds left
FILE: Final = "PROVISION_FILE"
NAMES: Final = "PROVISION_ENV"
ALLOW_BASELINE: Final = "PROVISION_ALLOW_EVENT_BASELINE"
MIN_TO_STOP: Final = 20.0  # with fewer seconds left, accounts in flight are stopped


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """The time until Lambda ends the invocation."""


@contextmanager
def open_deployed(request: Request, context: Context) -> Iterator[Fleet]:
    """Open the fleet with the function's own credentials, and stop it shortly before Lambda ends the invocation."""
    left = seconds_left(context)
    if left < MIN_TO_START:
        raise Refused(
            f"{left:.0f} s are left, and with less than {MIN_TO_START:.0f} nothing is started: set the function's timeout to 900 s"
        )
    baseline = _baseline(request)
    general = baseline.general
    if request.command == "apply" and general.accounts and general.accounts.rollout:
        raise Refused(
            "`accounts.rollout` is not done by this function, because Step Functions runs all slices beside each other:"
            " use `provision apply`, or deploy the file without `rollout`"
        )
    fleet = open_fleet(baseline, Options(own_connections=True, own_signatures=general.accounts is not None))
    timer = Timer(left - MIN_TO_STOP, fleet.cloud.stop.set)
    timer.daemon = True
    try:
        account, allowed = fleet.identity.account, general.allowed_account_ids
        if allowed is not None and account not in allowed:
            raise Refused(f"the function is in account {account}, which `allowed_account_ids` does not name")
        timer.start()
        yield fleet
    finally:
        timer.cancel()
        fleet.cloud.close()


def _baseline(request: Request) -> Baseline:
    """The file of the deployment or, if the deployment allows that, of the event. Raises Refused or BaselineError."""
    variables = os.environ
    names = [each for each in re.split(r"[,\s]+", variables.get(NAMES, "")) if each]
    env = Environment(variables, names, NAMES)

    def region() -> str | None:
        return variables.get("AWS_REGION")

    if request.baseline is not None:
        if variables.get(ALLOW_BASELINE) != "1":
            raise Refused(
                f"the event has a `baseline`, which this deployment does not allow: leave it out, or set"
                f" {ALLOW_BASELINE}=1 on the function, and then whoever may invoke it decides what it writes"
            )
        return parse(request.baseline, "the event's baseline", all_sections(), env, region)
    if FILE in variables:
        return load(Path(variables[FILE]), all_sections(), env, region)
    raise Refused(f"there is no file: package one with the function, and set {FILE} to its path")


def deployed_file() -> str:
    """The file of the deployment, by which the journal knows the runs of the same file."""
    return os.environ.get(FILE, "the event's baseline")


def seconds_left(context: Context) -> float:
    """The seconds until Lambda ends the invocation."""
    return context.get_remaining_time_in_millis() / 1000
