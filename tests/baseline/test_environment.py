"""Tests of `${env:NAME}`: which variables a file may read, and into which fields."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.baseline import BaselineError, General, Section, parse
from provisioner.baseline.placeholders import Environment
from provisioner.steps.registry import all_sections

from ..conftest import one_in

HEAD = "organization_name: acme\nhome_region: us-east-1\npassword_policy: {minimum_password_length: 14}\n"
VALUE = "gotcha-4711"

OF_AWS = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_PROFILE",
    "aws_session",
]
SECRETS = [
    "GITHUB_TOKEN",
    "token",
    "CLIENT_SECRET",
    "Database_Password",
    "PGPASSWORD",
    "API_KEY",
    "DEPLOY_KEY_2",
    "APIKEY",
    "MYSQL_PASSWD",
    "GPG_PASSPHRASE",
    "DB_CREDS",
    "SMTP_PASS",
    "SSHPASS",
    "MYSQL_PWD",
    "NPM_AUTH",
    "PROXY_AUTHORIZATION",
    "SESSION_COOKIE",
    "Service_Jwt",
    "API_BEARER",
    "GOOGLE_APPLICATION_CREDENTIALS",
]
NO_SECRETS = ["TEAM", "AUTHOR", "GIT_AUTHOR_NAME", "PWD", "OLDPWD", "REGION_2"]


def problems(text: str, env: dict[str, str] | Environment) -> str:
    """The message about the file, or an empty text."""
    try:
        parse(text, "baseline.yaml", all_sections(), env)
    except BaselineError as error:
        return str(error)
    return ""


def texts(kind: type[Section], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The path of every field of a section that takes a text directly or in a mapping of its own."""
    schema = kind.model_json_schema()

    def inside(part: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
        for each in part.get("anyOf", []):
            yield from inside(each, path)
        for key, each in part.get("properties", {}).items():
            yield from inside(each, (*path, key))
        if part.get("type") == "string":
            yield path

    yield from dict.fromkeys(inside(schema, path))


def nested(path: tuple[str, ...], value: str) -> str:
    """The YAML of a value at a path."""
    return "".join(f"{{{part}: " for part in path[1:]) + f'"{value}"' + "}" * (len(path) - 1)


# Every field of every section that takes a text, with the sections that the file has already left out.
FIELDS = [
    path
    for key, kind in {"": General, **all_sections()}.items()
    for path in texts(kind, (key,) if key else ())
    if path[0] not in {"organization_name", "home_region", "password_policy"}
]
TAKES_SECRETS = {("accounts", "external_id")}


def test_the_fields_that_take_secrets_are_among_all_fields() -> None:
    assert set(FIELDS) > TAKES_SECRETS
    assert len(FIELDS) > len(all_sections())


@pytest.mark.parametrize("path", FIELDS[:: one_in(3)], ids=".".join)
def test_only_secret_fields_take_a_secret(path: tuple[str, ...]) -> None:
    for name in (SECRETS[0], SECRETS[-1]):
        found = problems(f"{HEAD}{path[0]}: {nested(path, f'${{env:{name}}}')}\n", {name: VALUE})
        assert ("is a secret" in found) == (path not in TAKES_SECRETS), found
        assert VALUE not in found
    found = problems(
        f"{HEAD}{path[0]}: {nested(path, '${env:AWS_SESSION_TOKEN}')}\n", {"AWS_SESSION_TOKEN": VALUE}
    )
    assert "one of AWS's own" in found


PLACES = [
    "accounts: {all: true, session_tags: {team: '%s'}}",
    "accounts: {all: true, role_name: 'x-%s'}",
    "accounts: {ids: ['%s']}",
    "accounts: {all: true, exclude: {ids: ['%s']}}",
    "accounts: {all: true, rollout: {waves: ['%s', rest]}}",
    "allowed_account_ids: ['%s']",
    "regions: ['%s']",
    "accounts: {all: true}\noverrides: [{ids: ['123456789012'], password_policy: {max_password_age: '%s'}}]",
    "accounts: {all: true}\noverrides: [{tags: {a: '%s'}, password_policy: {max_password_age: 3}}]",
    "log_buckets: {logs: {name: 'a-%s'}}",
    "log_buckets: {logs: {name: logs, tags: {a: 'x%sx'}}}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", [*OF_AWS, *SECRETS])
def test_no_other_place_takes_a_credential(place: str, name: str) -> None:
    found = problems(HEAD + place % f"${{env:{name}}}", {name: VALUE})
    assert f"environment variable '{name}' is " in found
    assert VALUE not in found


@pytest.mark.parametrize("name", OF_AWS)
def test_a_secret_field_takes_no_variable_of_aws(name: str) -> None:
    text = f"{HEAD}accounts: {{all: true, external_id: '${{env:{name}}}'}}"
    assert f"'{name}' is one of AWS's own" in problems(text, {name: VALUE})


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_field_takes_a_secret(name: str) -> None:
    text = f"{HEAD}accounts: {{all: true, external_id: '${{env:{name}}}'}}"
    read = parse(text, "baseline.yaml", all_sections(), {name: VALUE})
    assert read.general.accounts
    assert read.general.accounts.external_id == VALUE
    assert read.secrets == {VALUE: f"${{env:{name}}}"}


@pytest.mark.parametrize("name", NO_SECRETS)
def test_other_variables_are_read_everywhere(name: str) -> None:
    text = f"{HEAD}accounts: {{all: true, role_name: '${{env:{name}}}'}}"
    assert problems(text, {name: VALUE}) == ""


@pytest.mark.parametrize("name", ["AWS_LENGTH", "PIN_KEY"])
def test_a_refused_variable_is_not_read_as_a_number_either(name: str) -> None:
    text = f"organization_name: acme\npassword_policy: {{minimum_password_length: '${{env:{name}}}'}}"
    found = problems(f"home_region: us-east-1\n{text}", {name: "4711"})
    assert f"environment variable '{name}' is " in found
    assert "4711" not in found


def test_a_hint_names_no_variable_that_cannot_be_read() -> None:
    text = HEAD + "accounts: {all: true, role_name: '${env:WS_SESSION}'}"
    assert "did you mean" not in problems(text, {"AWS_SESSION": VALUE})
    assert "did you mean 'WS_SESSIONS'?" in problems(text, {"WS_SESSIONS": VALUE})


def test_only_listed_variables_are_there() -> None:
    env = Environment({"A": "1", "B": "2", "AWS_C": "3"}, ["A", "AWS_C"], "the deployment")
    assert dict(env) == {"A": "1"}
    assert (len(env), env.get("B"), "AWS_C" in env) == (1, None, False)
    assert Environment.of(env) is env
    assert set(Environment.of(os.environ)) == {
        name for name in os.environ if not name.upper().startswith("AWS_")
    }
