"""Let Prowler and Cloud Custodian judge the profiles: `PYTHONPATH=scripts python -m judges`.

Each profile is applied to a new sandbox of its own, served over HTTP. JUDGES_PROWLER and JUDGES_CUSTODIAN name virtual
environments in which the judges are installed; otherwise they are installed in the cache folder, once. Exit code 1 if
something does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .custodian import ask_custodian, compared
from .environments import apply, for_judge, installed, served_sandbox
from .prowler import ask_prowler, read_checks
from .verdict import FAILS, Verdict, summary, table

REGIONS = ["us-east-1", "eu-west-1"]  # the first is the home Region of the profiles
_BY_CUSTODIAN = (
    "full"  # the profile with all that its filters look at, and whose subscription needs nobody to confirm it
)


def main() -> None:
    """Judge the profiles, and print the table."""
    profiles = list(read_checks().profiles)
    parser = argparse.ArgumentParser(prog="judges", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--judge", choices=["prowler", "custodian"], action="append", help="only this one")
    parser.add_argument("--profile", choices=profiles, action="append", help="only this one")
    given = parser.parse_args()
    verdicts = []
    for profile in given.profile or profiles:
        with tempfile.TemporaryDirectory() as folder:
            verdicts += _judge(profile, given.judge or ["prowler", "custodian"], Path(folder))
    sys.stdout.write(table(verdicts) + "\n\n")
    for key, text in summary(verdicts).items():
        sys.stdout.write(f"{key}: {text}\n")
    sys.exit(not verdicts or any(each.verdict == FAILS for each in verdicts))


def _judge(profile: str, judges: list[str], folder: Path) -> list[Verdict]:
    venvs = {each: installed(each) for each in judges if each == "prowler" or profile == _BY_CUSTODIAN}
    verdicts = []
    with served_sandbox(folder / "state") as env:
        names = {name: folder / name for name in ("before", "after", "prowler")}
        for each in names.values():
            each.mkdir()
        before = {}
        if custodian := venvs.get("custodian"):
            before = ask_custodian(custodian, for_judge(env), names["before"], REGIONS)
        apply(profile, env, REGIONS)
        if custodian:
            after = ask_custodian(custodian, for_judge(env), names["after"], REGIONS)
            verdicts += compared(profile, before, after)
        if prowler := venvs.get("prowler"):
            verdicts += ask_prowler(prowler, for_judge(env), names["prowler"], profile, REGIONS)
    return verdicts


if __name__ == "__main__":
    main()
