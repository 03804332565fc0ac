"""Cloud Custodian as a judge: the policies of `custodian.yaml`, each of which finds an account that is not in order."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .verdict import FAILS, HOLDS, Verdict

POLICIES = Path(__file__).with_name("custodian.yaml")


def read_policies(*, home: bool, file: Path = POLICIES) -> list[dict[str, Any]]:
    """The policies that are asked in a Region."""
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text())["policies"]
    return [each for each in found if home or not each.get("metadata", {}).get("home")]


def found_in(folder: Path) -> str:
    """Whether a policy found the account, by what Custodian left in its folder: `found`, `not found`, or an error."""
    resources = folder / "resources.json"
    if resources.exists():
        return "found" if json.loads(resources.read_text()) else "not found"
    log = folder / "custodian-run.log"
    lines = log.read_text().strip().splitlines() if log.exists() else []
    return f"error: {lines[-1]}" if lines else "error: Custodian did not run it"


def ask_custodian(
    venv: Path, env: Mapping[str, str], folder: Path, regions: Sequence[str]
) -> dict[tuple[str, str], str]:
    """What each policy says of the account, by policy and Region. The first Region is the home."""
    found = {}
    for region in regions:
        asked = folder / f"{region}.yaml"
        policies = read_policies(home=region == regions[0])
        asked.write_text(yaml.safe_dump({"policies": policies}))
        output = folder / region
        command: list[str | Path] = [
            venv / "bin" / "custodian",
            "run",
            "-r",
            region,
            "-s",
            output,
            "--cache-period",
            "0",
            asked,
        ]
        done = subprocess.run(  # noqa: S603 - the judge that was installed
            command, env=dict(env), capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 2):  # 2: some policies met an error, which is in their logs
            raise RuntimeError(f"custodian: exit {done.returncode}: {done.stderr[-2000:]}")
        for each in policies:
            found[each["name"], region] = found_in(output / each["name"])
    return found


def compared(
    profile: str, before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]
) -> list[Verdict]:
    """The verdicts: a policy holds if it found the account before `apply`, which proves that it looks, and not after."""
    verdicts = []
    for (name, region), now in after.items():
        then = before[name, region]
        holds = (then, now) == ("found", "not found")
        said = f"{region}: {then} before apply, {now} after"
        verdicts.append(Verdict("custodian", profile, "-", name, HOLDS if holds else FAILS, said))
    return verdicts
