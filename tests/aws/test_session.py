"""Tests of what gives credentials and is broken: it is named, and neither an answer nor a process is without an end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import botocore.utils
import pytest

from provisioner.aws import Options, session
from provisioner.aws.cloud import Cloud
from provisioner.aws.errors import ConfigurationError
from provisioner.aws.options import Limits

from .test_bounds import OK, drips, floods, server_of

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
CONTAINER, INSTANCE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"
Ask = Callable[..., str]


@pytest.fixture
def error_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The message for an environment and a config file; none of the machine's own counts."""
    for name in [*os.environ]:
        if name.startswith("AWS_") or name.lower() in {"no_proxy", "http_proxy", "https_proxy"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setattr(botocore.utils.ContainerMetadataFetcher, "SLEEP_TIME", 0)

    def go(config: str = "", limits: Limits | None = None, **variables: str) -> str:
        (tmp_path / "config").write_text(config)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false" if INSTANCE in variables else "true")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigurationError) as caught:
            Cloud(Options(own_connections=True, limits=limits or Limits())).client("sts", "us-east-1")
        assert caught.value.hint
        return str(caught.value)

    return go


NAMED = {
    "a profile that is empty": ("AWS_PROFILE: there is no profile", {"AWS_PROFILE": ""}, ""),
    "a date of credentials": ("AWS_CREDENTIAL_EXPIRATION", {**KEYS, "AWS_CREDENTIAL_EXPIRATION": "soon"}, ""),
    "a URL with an open bracket": ("AWS_ENDPOINT_URL", {**KEYS, "AWS_ENDPOINT_URL": "http://[::1"}, ""),
    "a URL of another protocol": ("AWS_ENDPOINT_URL_STS", {**KEYS, "AWS_ENDPOINT_URL_STS": "ftp://x"}, ""),
    "a value where a section must be": (
        "a setting",
        KEYS,
        "[default]\nservices = x\n[services x]\nsts = y\n",
    ),
    "a file that is missing": (
        "AWS_SHARED_CREDENTIALS_FILE",
        {"AWS_SHARED_CREDENTIALS_FILE": "/no/file"},
        "",
    ),
    "a file that is a folder": ("AWS_SHARED_CREDENTIALS_FILE", {"AWS_SHARED_CREDENTIALS_FILE": "/"}, ""),
    "half of SSO": ("`sso_start_url`", {}, "[default]\nsso_start_url = https://x\n"),
    "half of a role": ("`mfa_serial`", {}, "[default]\nmfa_serial = x\n"),
    **{
        f"{name}, without an end": (name, {**KEYS, name: "/dev/zero"}, "")
        for name in (
            *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"),
            *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "BOTO_CONFIG"),
        )
    },
    "a token without an end": (
        "`web_identity_token_file`",
        {},
        "[default]\nrole_arn = x\nweb_identity_token_file = /dev/zero\n",
    ),
    "a token without an end, in the source profile": (
        "profile `a`, `web_identity_token_file`",
        {},
        "[default]\nrole_arn = x\nsource_profile = a\n[profile a]\nweb_identity_token_file = /dev/zero\n",
    ),
    "an empty command": ("`credential_process`", {}, "[default]\ncredential_process =\n"),
}


@pytest.mark.parametrize(("message", "variables", "config"), NAMED.values(), ids=NAMED)
def test_what_is_wrong_is_named(error_of: Ask, message: str, variables: dict[str, str], config: str) -> None:
    assert message in error_of(config, **variables)


@pytest.mark.parametrize("where", [CONTAINER, INSTANCE])
@pytest.mark.parametrize(
    "answer",
    [
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        floods(OK + b"\r\n", b"x" * 60_000),
    ],
)
def test_an_answer_of_a_metadata_service_ends(error_of: Ask, where: str, answer: Callable[..., None]) -> None:
    limits = Limits(read=0.2, answer=300_000)
    variables = {"AWS_SHARED_CREDENTIALS_FILE": "/no/file"}  # of which the message is, where there are none
    with server_of(answer) as server:
        started = time.monotonic()
        assert error_of(limits=limits, **variables, **{where: f"{server.url}/"})
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("source", [False, True], ids=["own", "of its source profile"])
@pytest.mark.parametrize(
    ("command", "message"),
    [("yes", "more than"), ("sleep 60", "did not end"), ("sh -c 'yes >&2'", "more than")],
)
def test_a_credential_process_ends(
    error_of: Ask, monkeypatch: pytest.MonkeyPatch, command: str, message: str, *, source: bool
) -> None:
    monkeypatch.setattr(session, "_PROCESS", 0.5)
    role = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = a\n"
    first = f"[default]\n{role}[profile a]\n" if source else "[default]\n"
    assert message in error_of(f"{first}credential_process = {command}\n")
