"""Law 10: in each broken environment the program ends with exit code 1, a hint and no traceback, as JSON if asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ..conftest import ROOT

FILE = str(ROOT / "baseline.yaml")
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Environment:
    """A broken environment: what the message must say, variables, and the config file of the AWS tools."""

    message: str
    variables: dict[str, str] = field(default_factory=dict)
    config: str = ""
    arguments: tuple[str, ...] = ()
    fault: str = ""


KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
BROKEN = {
    "no credentials": Environment("AWS_PROFILE"),
    "half a key in the environment": Environment(
        "AWS_SECRET_ACCESS_KEY", {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}, fault="21"
    ),
    "half a key in a profile": Environment(
        "aws_secret_access_key", config="[default]\naws_access_key_id = AKIAEXAMPLE\n", fault="21"
    ),
    "no such profile": Environment("nope", arguments=("--profile", "nope")),
    "a source profile that is missing": Environment(
        "gone", config="[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = gone\n", fault="21"
    ),
    "source profiles in a circle": Environment(
        "source_profile",
        config="[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n"
        "[profile b]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = default\n",
        fault="21",
    ),
    "a credential source without its source": Environment(
        "credential_source",
        config="[default]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n",
        fault="21",
    ),
    "a credential process that fails": Environment(
        "credential_process", config="[default]\ncredential_process = false\n", fault="21"
    ),
    "a credential process that prints no JSON": Environment(
        "credential_process", config="[default]\ncredential_process = echo hello\n", fault="21"
    ),
    "web identity without its file": Environment(
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/none", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"},
        fault="21",
    ),
    "container credentials that are not there": Environment(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/"},
        fault="21",
    ),
    "an access key with a line break": Environment(
        "AWS_ACCESS_KEY_ID", {**KEYS, "AWS_ACCESS_KEY_ID": "AKIA\nEXAMPLE"}, fault="21"
    ),
    "a config file that is invalid": Environment("config", config="no section\n"),
    "a CA bundle that is missing": Environment(
        "AWS_CA_BUNDLE", {**KEYS, "AWS_CA_BUNDLE": "/none.pem"}, fault="21"
    ),
    "an endpoint that does not answer": Environment("network", KEYS, arguments=("--endpoint-url", NOWHERE)),
    "an endpoint that is no URL": Environment(
        "--endpoint-url", KEYS, arguments=("--endpoint-url", "nonsense")
    ),
    "a proxy that does not answer": Environment("proxy", {**KEYS, "HTTPS_PROXY": NOWHERE}),
    "a home that cannot be written": Environment(
        "XDG_STATE_HOME", {"XDG_STATE_HOME": "/proc/nowhere"}, arguments=("--sandbox",), fault="21"
    ),
    "a log that cannot be written": Environment(
        "--log-file", arguments=("--sandbox", "--log-file", "/proc/none/log")
    ),
}
CASES = [
    pytest.param(
        each,
        marks=[pytest.mark.xfail(strict=True, reason=f"fault {each.fault}")] if each.fault else [],
        id=name,
    )
    for name, each in BROKEN.items()
]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def go(broken: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
        config = tmp_path / "config"
        config.write_text(broken.config)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PROVISION_"))}
        environment = {
            **kept,
            "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **broken.variables,
        }
        command = [sys.executable, "-P", "-m", "provisioner", "diff", FILE, *broken.arguments, *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )

    return go


@pytest.mark.parametrize("broken", CASES)
def test_one_message_with_a_hint(
    run: Callable[..., subprocess.CompletedProcess[str]], broken: Environment
) -> None:
    carry_out = run(broken, "--json")
    assert "Traceback" not in carry_out.stderr
    assert carry_out.returncode == 1
    assert broken.message in carry_out.stderr
    document = json.loads(carry_out.stdout)
    assert broken.message in json.dumps(document)
