"""Law 10: in each broken environment the program ends with exit code 1, a hint and no traceback, as JSON if asked."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli import run

from ..conftest import ROOT

FILE = str(ROOT / "baseline.yaml")
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Environment:
    """A broken environment: what the message must say, variables, and the config file of the AWS tools.

    *without_region*: the file leaves out its Regions, so that they come from the environment.
    """

    message: str
    variables: dict[str, str] = field(default_factory=dict)
    config: str = ""
    arguments: tuple[str, ...] = ()
    without_region: bool = False


ROLE = "role_arn = arn:aws:iam::123456789012:role/r\n"
PAIR = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n"
EXPIRED = (
    '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c",'
    ' "Expiration": "2020-01-01T00:00:00Z"}'
)


def process(output: str) -> Environment:
    """A credential process with that output."""
    return Environment("`credential_process`", config=f"[default]\ncredential_process = echo '{output}'\n")


def setting(name: str, value: str) -> Environment:
    """A variable with a value that it cannot have."""
    return Environment(name, {**KEYS, name: value})


PASSWORD = "hunter-2"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
BROKEN = {
    "no credentials": Environment("AWS_PROFILE"),
    "half a key in the environment": Environment(
        "AWS_SECRET_ACCESS_KEY", {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}
    ),
    "half a key in a profile": Environment(
        "aws_secret_access_key", config="[default]\naws_access_key_id = AKIAEXAMPLE\n"
    ),
    "no such profile": Environment("nope", arguments=("--profile", "nope")),
    "a source profile that is missing": Environment(
        "gone", config="[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = gone\n"
    ),
    "source profiles in a circle": Environment(
        "source_profile",
        config="[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n"
        "[profile b]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = default\n",
    ),
    "a credential source without its source": Environment(
        "credential_source",
        config="[default]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n",
    ),
    "a credential process that fails": Environment(
        "credential_process", config="[default]\ncredential_process = false\n"
    ),
    "a credential process that prints no JSON": Environment(
        "credential_process", config="[default]\ncredential_process = echo hello\n"
    ),
    "web identity without its file": Environment(
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/none", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"},
    ),
    "container credentials that are not there": Environment(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/"},
    ),
    "an access key with a line break": Environment(
        "AWS_ACCESS_KEY_ID", {**KEYS, "AWS_ACCESS_KEY_ID": "AKIA\nEXAMPLE"}
    ),
    "a config file that is invalid": Environment("config", config="no section\n"),
    "a CA bundle that is missing": Environment("AWS_CA_BUNDLE", {**KEYS, "AWS_CA_BUNDLE": "/none.pem"}),
    "an endpoint that does not answer": Environment("network", KEYS, arguments=("--endpoint-url", NOWHERE)),
    "an endpoint that is no URL": Environment(
        "--endpoint-url", KEYS, arguments=("--endpoint-url", "nonsense")
    ),
    "a proxy that does not answer": Environment("proxy", {**KEYS, "HTTPS_PROXY": NOWHERE}),
    "a home that cannot be written": Environment(
        "XDG_STATE_HOME", {"XDG_STATE_HOME": "/proc/nowhere"}, arguments=("--sandbox",)
    ),
    "a log that cannot be written": Environment(
        "--log-file", arguments=("--sandbox", "--log-file", "/proc/none/log")
    ),
}
BROKEN |= {
    "a secret key without its access key": Environment(
        "AWS_ACCESS_KEY_ID", {"AWS_SECRET_ACCESS_KEY": "secret"}
    ),
    "a session token alone": Environment("AWS_ACCESS_KEY_ID", {"AWS_SESSION_TOKEN": "token"}),
    "a secret key alone in a profile": Environment(
        "`aws_access_key_id`", config="[default]\naws_secret_access_key = secret\n"
    ),
    "a profile without credentials": Environment(
        "profile `empty` (of AWS_PROFILE)", {"AWS_PROFILE": "empty"}, "[profile empty]\nregion = us-east-1\n"
    ),
    "a variable with a profile that is missing": Environment("AWS_PROFILE: ", {"AWS_PROFILE": "gone"}),
    "a role without a source": Environment("source_profile", config=f"[default]\n{ROLE}"),
    "a role with two sources": Environment(
        "credential_source",
        config=f"[default]\n{ROLE}source_profile = a\ncredential_source = Environment\n[profile a]\n{PAIR}",
    ),
    "a source profile with half a key": Environment(
        "aws_secret_access_key",
        config=f"[default]\n{ROLE}source_profile = a\n[profile a]\naws_access_key_id = a\n",
    ),
    "a source profile whose process fails": Environment(
        "`credential_process`",
        config=f"[default]\n{ROLE}source_profile = a\n[profile a]\ncredential_process = false\n",
    ),
    **{
        f"a source profile {name}": Environment(
            f"profile `c`, to which profile `a` (of AWS_PROFILE) leads, {message}",
            {"AWS_PROFILE": "a"},
            f"[profile a]\n{ROLE}source_profile = b\n[profile b]\n{ROLE}source_profile = c\n[profile c]\n{config}"
            "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n",
        )
        for name, message, config in (
            (
                "that is not signed in",
                "`sso_session` or `sso_start_url`: Token for s does not exist; hint: sign in again: `aws sso login --profile c`",
                "sso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n",
            ),
            (
                "whose token file is missing",
                "`web_identity_token_file`",
                f"{ROLE}web_identity_token_file = /none\n",
            ),
            ("whose process prints no key", "`credential_process`", "credential_process = echo '{}'\n"),
        )
    },
    "an MFA profile without a terminal": Environment(
        "mfa_serial",
        config=f"[default]\n{ROLE}mfa_serial = arn:aws:iam::123456789012:mfa/u\nsource_profile = a\n"
        f"[profile a]\n{PAIR}",
    ),
    "a credential process that is missing": Environment(
        "`credential_process`", config="[default]\ncredential_process = /none --flag\n"
    ),
    "a credential process with an open quote": Environment(
        "`credential_process`", config="[default]\ncredential_process = echo 'x\n"
    ),
    "a credential process that prints a list": process("[]"),
    "a credential process of another version": process('{"Version": 2}'),
    "a credential process that prints no key": process('{"Version": 1}'),
    "a credential process that prints a number": process(
        '{"Version": 1, "AccessKeyId": 5, "SecretAccessKey": "s"}'
    ),
    "a credential process that prints expired keys": process(EXPIRED),
    "web identity without its role": Environment(
        "AWS_ROLE_ARN", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/etc/hostname"}
    ),
    "web identity of a profile without its file": Environment(
        "`web_identity_token_file`", config=f"[default]\n{ROLE}web_identity_token_file = /none\n"
    ),
    "container credentials of a foreign host": Environment(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"}
    ),
    "a token file of the container that is missing": Environment(
        "/none",
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": NOWHERE, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/none"},
    ),
    "SSO without a session": Environment(
        "aws sso login --profile p",
        {"AWS_PROFILE": "p"},
        "[profile p]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = r\n",
    ),
    "a secret key with a line break": setting("AWS_SECRET_ACCESS_KEY", "secret\n"),
    "a session token with a line break": setting("AWS_SESSION_TOKEN", "to\nken"),
    "an access key with a letter that no key has": setting("AWS_ACCESS_KEY_ID", "AKI\u00c4"),
    "a Region with a space": Environment(
        "AWS_REGION", {**KEYS, "AWS_REGION": "us-east-1 "}, without_region=True
    ),
    "a Region of a profile that there is not": Environment(
        "profile `default`, `region`", KEYS, "[default]\nregion = us_east_1\n", without_region=True
    ),
    "a CA bundle of a profile that is missing": Environment(
        "`ca_bundle`", KEYS, "[default]\nca_bundle = /none.pem\n"
    ),
    "a CA bundle without a certificate": setting("AWS_CA_BUNDLE", "/etc/hostname"),
    "an endpoint variable that is no URL": setting("AWS_ENDPOINT_URL_STS", "nonsense"),
    "an endpoint of a service section that is no URL": Environment(
        "service `sts`",
        KEYS,
        "[default]\nservices = x\n[services x]\nsts =\n  endpoint_url = nonsense\n",
    ),
    "an endpoint variable with a port that is none": setting("AWS_ENDPOINT_URL", "http://127.0.0.1:99999"),
    "an endpoint with a password": Environment(
        "--endpoint-url", KEYS, arguments=("--endpoint-url", f"http://user:{PASSWORD}@127.0.0.1:4566")
    ),
    "an endpoint variable with a password": setting(
        "AWS_ENDPOINT_URL", f"http://user:{PASSWORD}@127.0.0.1:4566"
    ),
    "an endpoint with an open bracket": Environment(
        "--endpoint-url", KEYS, arguments=("--endpoint-url", "http://[::1")
    ),
    "a timeout that is no number": setting("AWS_METADATA_SERVICE_TIMEOUT", "soon"),
    "a mode that there is not": setting("AWS_DEFAULTS_MODE", "bogus"),
    "a proxy that is no URL": setting("HTTPS_PROXY", "http://[::1"),
    "a proxy with a port that is none": setting("https_proxy", "proxy:port"),
    "a proxy that is not HTTP": setting("HTTPS_PROXY", "socks5://127.0.0.1:9"),
    "a proxy with a space in its name": setting("HTTPS_PROXY", f"http://u:{PASSWORD}@a b:1"),
    "an endpoint with a control character": setting("AWS_ENDPOINT_URL", "http://127.0.0.1:9/\x07"),
    "a nested setting of a profile": Environment(
        "profile `default`, `s3.us_east_1_regional_endpoint`",
        # Of the aws command, and not at fault, though each of the values is somewhere in the error.
        {**KEYS, "AWS_CLI_AUTO_PROMPT": "on", "AWS_SDK_LOAD_CONFIG": "1", "AWS_PAGER": "cat"},
        "[default]\ns3 =\n  us_east_1_regional_endpoint = x\n",
    ),
    "a short value that is in the error by chance": Environment(
        "profile `default`, a setting",
        {**KEYS, "AWS_USE_FIPS_ENDPOINT": "o", "AWS_PROFILE": "default"},
        "[default]\napi_versions = z\n",
    ),
    "a config file with a byte order mark": Environment(
        "it begins with a byte order mark", config="\ufeff[default]\nregion = us-east-1\n"
    ),
    "a config file with a section twice": Environment(
        "line 3: there are two sections `[default]`", config="[default]\na = b\n[default]\n"
    ),
    "a config file with a setting twice": Environment(
        "line 3: `[default]` has `region` twice", config="[default]\nregion = a\nregion = b\n"
    ),
    "a config file with a line that is no setting": Environment(
        "line 2: want `name = value`", config=f"[default]\naws_secret_access_key {PASSWORD}\n"
    ),
    "a config file with a nested line that is none": Environment(
        "an indented line is no `name = value`", config=f"[default]\ns3 =\n  {PASSWORD}\n"
    ),
    "a config file that is binary": setting("AWS_CONFIG_FILE", sys.executable),
    "a credentials file that is invalid": setting("AWS_SHARED_CREDENTIALS_FILE", "/etc/passwd"),
}


# Run in a process of their own: one of each kind, and what has to do with the terminal. The others run in this process,
# because `main` does the same in every environment.
IN_A_PROCESS = {
    "no credentials",
    "a credential process that fails",
    "an MFA profile without a terminal",
    "a config file that is invalid",
    "an access key with a letter that no key has",
    "a CA bundle that is missing",
    "an endpoint that does not answer",
    "a home that cannot be written",
    "a log that cannot be written",
}

Diff = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def diff(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> Diff:
    """Run `diff` in a broken environment, and return its exit code, stdout and stderr."""

    def go(name: str) -> tuple[int, str, str]:
        broken = BROKEN[name]
        (home / "config").write_text(broken.config)
        file = home / "baseline.yaml"
        head = ("home_region", "regions") if broken.without_region else ()
        lines = Path(FILE).read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not line.startswith(head)))
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
        for variable, value in broken.variables.items():
            monkeypatch.setenv(variable, value)
        arguments = ["diff", str(file), *broken.arguments, "--json"]
        if name in IN_A_PROCESS:
            return run_process(arguments)
        capfd.readouterr()
        code = run(arguments)
        return code, *capfd.readouterr()

    return go


def run_process(arguments: list[str]) -> tuple[int, str, str]:
    """Run a command without the terminal of who runs the tests."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "provisioner", *arguments],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_each_that_runs_in_a_process_is_an_environment() -> None:
    assert IN_A_PROCESS - BROKEN.keys() == set()


@pytest.mark.parametrize("name", BROKEN)
def test_one_message_with_a_hint(diff: Diff, name: str) -> None:
    code, out, err = diff(name)
    *before, error = err.splitlines()
    assert [line for line in before if not line.startswith(("SANDBOX: ", "account "))] == []
    assert error.startswith("error: ")
    assert code == 1
    assert BROKEN[name].message in error
    assert PASSWORD not in out + err
    document = json.loads(out)
    assert BROKEN[name].message in json.dumps(document)


@pytest.mark.parametrize("place", ["environment", "config", "credentials"])
def test_an_empty_session_token_is_none_as_in_every_aws_tool(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, place: str
) -> None:
    """AWS refuses the keys then, or as here nobody answers; the token is not at fault."""
    (home / "file").write_text(f"[default]\n{PAIR}aws_session_token =\n")
    if place == "environment":
        for variable, value in {**KEYS, "AWS_SESSION_TOKEN": ""}.items():
            monkeypatch.setenv(variable, value)
    else:
        variable = "AWS_CONFIG_FILE" if place == "config" else "AWS_SHARED_CREDENTIALS_FILE"
        monkeypatch.setenv(variable, str(home / "file"))
    assert run(["diff", FILE, "--endpoint-url", NOWHERE]) == 1
    _, err = capfd.readouterr()
    assert "Could not connect" in err


@pytest.mark.parametrize("token", [f"{PASSWORD}\\n", f"x\\n{PASSWORD}", f"{PASSWORD}\\r\\nx"])
def test_a_token_that_no_request_can_have_is_named_and_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """Not retried as a broken connection either. botocore looks for HOME once, so this is a process of its own."""
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    for name in ("s", "https://x.awsapps.com/start"):
        path = cache / f"{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()}.json"
        path.write_text(f'{{"accessToken": "{token}", "expiresAt": "2036-01-01T00:00:00Z"}}')
    (home / "config").write_text(
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n"
    )
    for name, value in (("HOME", home), ("AWS_CONFIG_FILE", home / "config"), ("AWS_ENDPOINT_URL", NOWHERE)):
        monkeypatch.setenv(name, str(value))
    code, out, err = run_process(["diff", FILE, "--json"])
    assert (code, len(err.splitlines()), PASSWORD in out + err) == (1, 1, False)
    assert "`sso_session` or `sso_start_url`: its token holds a line break" in err
    assert "aws sso login" in json.loads(out)["message"]
