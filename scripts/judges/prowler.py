"""Prowler as a judge: the checks of `prowler.yaml`, each of which needs a PASS and no FAIL."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .verdict import Verdict, judged

TABLE = Path(__file__).with_name("prowler.yaml")
_ERROR = re.compile(r"\[Module: (\w+)_service\]\s+(?:ERROR|CRITICAL): (.*)")


@dataclass(frozen=True)
class Checks:
    """The table of checks: for each profile the checks with their controls."""

    profiles: Mapping[str, Mapping[str, str]]
    no_finding: Mapping[str, str]
    home_region_only: Sequence[str]
    config: Mapping[str, Any]


def read_checks(file: Path = TABLE) -> Checks:
    """The table of checks."""
    return Checks(**yaml.safe_load(file.read_text()))


def statuses(findings: str) -> dict[str, list[str]]:
    """The statuses of the findings by check, from Prowler's document in OCSF."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in json.loads(findings or "[]"):
        found[each["metadata"]["event_code"]].append(each["status_code"])
    return dict(found)


def errors(log: str) -> dict[str, str]:
    """The last error that Prowler met in each service; its checks then have fewer findings, or none."""
    return {service: text.strip() for service, text in _ERROR.findall(log)}


def ask_prowler(
    venv: Path, env: Mapping[str, str], folder: Path, profile: str, regions: Sequence[str]
) -> list[Verdict]:
    """Prowler's verdicts on the AWS that *env* names, to which *profile* was applied. The first Region is the home."""
    checks = read_checks()
    config = folder / "prowler-settings.yaml"
    config.write_text(yaml.safe_dump({"aws": checks.config}))
    wanted = checks.profiles[profile]
    at_home = [each for each in wanted if each in checks.home_region_only]
    found: dict[str, list[str]] = {}
    met: dict[str, str] = {}
    for names, where in (([each for each in wanted if each not in at_home], regions), (at_home, regions[:1])):
        output = folder / f"{profile}-{len(where)}"
        command: list[str | Path] = [
            venv / "bin" / "prowler",
            "aws",
            "--check",
            *names,
            "-f",
            *where,
            "--config-file",
            config,
        ]
        command += ["-M", "json-ocsf", "-o", output, "-F", "findings", "--scan-unused-services"]
        command += ["-z", "--no-color", "--no-banner", "--log-level", "ERROR"]
        done = subprocess.run(  # noqa: S603 - the judge that was installed
            command, env=dict(env), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"prowler: exit {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")
        document = output / "findings.ocsf.json"
        found |= statuses(document.read_text() if document.exists() else "")
        met |= errors(done.stdout + done.stderr)
    return [
        Verdict("prowler", profile, control, name, *_judged(name, found, checks.no_finding, met))
        for name, control in wanted.items()
    ]


def _judged(
    name: str, found: Mapping[str, list[str]], accepted: Mapping[str, str], met: Mapping[str, str]
) -> tuple[str, str]:
    reason = met.get(name.partition("_")[0], "Prowler has nothing to judge")
    return judged(found.get(name, []), accepted.get(name), reason)
