"""Find the caller's own credentials as every AWS tool does, and say in one message what is wrong where that fails.

botocore's credential providers raise whatever happens to them: errors of the file system, of JSON, of a subprocess. Here
each becomes a ConfigurationError that names the variable, or the profile with its setting, and the remedy.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import botocore.session
from botocore.credentials import AssumeRoleProvider, CredentialResolver, Credentials, ReadOnlyCredentials
from botocore.exceptions import (
    ClientError,
    InvalidConfigError,
    MissingDependencyException,
    ParamValidationError,
)

from .configuration import ANY_ERROR, named, profile_chain, unreadable_files
from .errors import DENIED, ConfigurationError, code_of, is_outage, is_throttle
from .hints import NO_CREDENTIALS, describe
from .session import LimitedSession

# What a key or token may consist of: it becomes a part of a header.
_SIGNABLE: Final = re.compile(r"[\x21-\x7e]+")
_FIELDS: Final = ("access_key_id", "secret_access_key", "session_token")
# Settings of a profile by which somebody meant it to have credentials.
_MEANT: Final = ("sso_", "role_", "source_profile", "credential_", "web_identity_", "mfa_serial", "login_")
_NO_HEADER: Final = "Invalid header value"  # of Python's http.client
_LONGEST: Final = 500  # characters of what a process or a metadata service says
_WEB_IDENTITY: Final = "AWS_WEB_IDENTITY_TOKEN_FILE"
_CONTAINER: Final = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
# By botocore's name of the credential provider: its settings in a profile, and the remedy.
_OF_PROFILE: Final = {
    "assume-role": (
        "`role_arn` with `source_profile` or `credential_source`",
        "name a profile that exists and leads to credentials, and a role that they may assume",
    ),
    "assume-role-with-web-identity": (
        "`web_identity_token_file` with `role_arn`",
        "name a file with a token, and a role that takes it",
    ),
    "custom-process": (
        "`credential_process`",
        "run its command by hand: it must print the JSON document that `aws configure export-credentials` prints",
    ),
    "sso": (
        "`sso_session` or `sso_start_url`",
        "sign in again: `aws sso login{profile}`; `aws configure sso` completes the profile",
    ),
    "login": ("`login_session`", "sign in again: `aws login{profile}`"),
    "shared-credentials-file": (
        "`aws_access_key_id` and `aws_secret_access_key`",
        "an access key needs its secret key: set both",
    ),
}
# By the beginning of a setting of a profile, the provider that reads it.
_READS: Final = {
    "sso_": "sso",
    "web_identity_token_file": "assume-role-with-web-identity",
    "credential_process": "custom-process",
    "login_session": "login",
}
_OF_PROFILE_FILE: Final = {"config-file": _OF_PROFILE["shared-credentials-file"]}
_OF_ENVIRONMENT: Final = {
    "env": (
        "AWS_ACCESS_KEY_ID",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_SESSION_TOKEN if they are temporary, or unset all",
    ),
    "iam-role": ("the role of this EC2 instance", "attach a role to the instance, or set AWS_PROFILE"),
    "ec2-credentials-file": ("AWS_CREDENTIAL_FILE", "correct the file, or unset the variable"),
    "boto-config": ("BOTO_CONFIG", "correct the file, or unset the variable"),
}


class CallerCredentials(Credentials):
    """The caller's own credentials, of one of botocore's providers. Reading them raises ConfigurationError."""

    def __init__(self, found: Credentials, session: botocore.session.Session):
        super().__init__("", "", method=found.method)
        self._found, self._session = found, session

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the credentials, renewed where they expire."""
        with _errors_of(self._session, self.method):
            frozen = self._found.get_frozen_credentials()
        for field, value in zip(_FIELDS, frozen, strict=False):
            if not value and field == "session_token":
                continue  # an empty one is none, as in every AWS tool
            if not _SIGNABLE.fullmatch(value if isinstance(value, str) else ""):
                where, _ = _source(self._session, self.method)
                named = f"AWS_{field.upper()}" if self.method == "env" else f"{where}: `aws_{field}`"
                raise ConfigurationError(
                    f"{named} holds a space, a line break or another character that no key has, or nothing",
                    "copy it again, without quotes and line breaks",
                )
        return frozen


def find_credentials(session: LimitedSession, resolver: CredentialResolver) -> Credentials | None:
    """Return the credentials of the first provider that has some, or None where none has. Raises ConfigurationError."""
    for provider in resolver.providers:
        session.limit(provider)
    for provider in resolver.providers:
        if isinstance(provider, AssumeRoleProvider):
            # botocore's own prompter reads stdin where there is no terminal.
            provider._prompter = _ask_for_mfa_code  # type: ignore[attr-defined] # noqa: SLF001
        with _errors_of(session, provider.METHOD or ""):
            found = provider.load()
        if found is not None:
            return CallerCredentials(found, session)
    _check_half_keys(session)
    return None


def _check_half_keys(session: botocore.session.Session) -> None:
    """Raise ConfigurationError where there are no credentials, but a part of some, or a profile that should have some."""
    environment = [f"AWS_{each.upper()}" for each in _FIELDS if os.environ.get(f"AWS_{each.upper()}")]
    profile = [f"`aws_{each}`" for each in _FIELDS if session.get_scoped_config().get(f"aws_{each}")]
    for have, place, method in ((environment, "", "env"), (profile, _profile(session), "config-file")):
        if have:
            lacks = f"AWS_{_FIELDS[0].upper()}" if method == "env" else f"`aws_{_FIELDS[0]}`"
            where = f"{place} has" if place else "there is"
            text = f"{where} {' and '.join(have)}, and no {lacks}"
            raise ConfigurationError(text, _source(session, method)[1])
    if unused := [f"`{each}`" for each in session.get_scoped_config() if each.startswith(_MEANT)]:
        text = f"{_profile(session)} has {', '.join(unused)}, and these alone give no credentials"
        raise ConfigurationError(text, "`aws configure` or `aws configure sso` completes it")
    unreadable = "; ".join(unreadable_files())
    if session.profile is not None:
        raise ConfigurationError(
            f"{_profile(session)} has no credentials{unreadable and f' ({unreadable})'}",
            "`aws configure` puts some there; or set AWS_PROFILE or `--profile` to another one",
        )
    if unreadable:
        raise ConfigurationError(
            unreadable, f"name a file that can be read, or unset the variable; or {NO_CREDENTIALS}"
        )


@contextmanager
def _errors_of(session: botocore.session.Session, method: str) -> Iterator[None]:
    """Raise what a credential provider raises as a ConfigurationError; throttling and outages as they are."""
    try:
        yield
    except ConfigurationError:
        raise
    except ANY_ERROR as error:
        if (is_throttle(error) or is_outage(error)) and _NO_HEADER not in str(error):
            raise
        where, hint = _source(session, *_failed(session, method, error))
        text = _explained(error)
        if method == "env":
            where = named(session, text).rstrip(": ") or where
        if isinstance(error, MissingDependencyException):
            hint = f"`{sys.executable} -m pip install 'botocore[crt]'`"
        if isinstance(error, EOFError):
            hint = "run it in a terminal, or set temporary credentials: `aws configure export-credentials` prints them"
        if isinstance(error, ClientError) and code_of(error) not in DENIED:
            hint = describe("", error).hint or hint
        raise ConfigurationError(f"{where}: {text}", hint) from (None if _NO_HEADER in str(error) else error)


def _explained(error: Exception) -> str:
    """What is wrong, on one line, and without a secret."""
    if _NO_HEADER in str(error):  # followed by the token
        return "its token holds a line break"
    if isinstance(error, IndexError | TypeError | AttributeError):
        return "it gives no credentials in the form that AWS documents"
    known: dict[str, Any] = getattr(error, "kwargs", {})  # of botocore's errors
    text = " ".join(str(known.get("error_msg", error)).split()).rstrip(".")[:_LONGEST]
    return f"there is no {text}" if isinstance(error, KeyError) else text or "it failed, and did not say why"


def _failed(session: botocore.session.Session, method: str, error: Exception) -> tuple[str, str]:
    """Return the provider that failed and its profile: those at the end of a chain of `source_profile`, or *method* itself."""
    own = session.profile or "default"
    refused = isinstance(error, ClientError) and error.operation_name == "AssumeRole"
    if (
        method != "assume-role"
        or refused
        or isinstance(error, InvalidConfigError | ParamValidationError | EOFError)
    ):
        return method, own
    last = profile_chain(session)[-1]
    settings = session.full_config["profiles"].get(last, {})
    found = next((by for start, by in _READS.items() for each in settings if each.startswith(start)), "")
    return (found, last) if found else (method, own)


def _source(session: botocore.session.Session, method: str, at: str = "") -> tuple[str, str]:
    """Return where a provider's credentials come from, as the user has set it, and the remedy.

    *at* is the profile, if it is another one than that in use, which leads there.
    """
    if method == "container-role":
        name = next((each for each in _CONTAINER if each in os.environ), _CONTAINER[0])
        return name, "outside of a container, unset it; inside, look whether its role is attached"
    if method == "assume-role-with-web-identity" and _WEB_IDENTITY in os.environ:
        return (
            f"{_WEB_IDENTITY} with AWS_ROLE_ARN",
            "name a file with a token, and a role that takes it, or unset both",
        )
    if setting := {**_OF_PROFILE, **_OF_PROFILE_FILE}.get(method):
        led = at not in {"", session.profile or "default"}
        named = at if led else session.profile
        where = f"profile `{at}`, to which {_profile(session)} leads" if led else _profile(session)
        profile = f" --profile {named}" if named else ""
        return f"{where}, {setting[0]}", setting[1].format(profile=profile)
    return _OF_ENVIRONMENT.get(method, (method, "correct it, or remove it"))


def _profile(session: botocore.session.Session) -> str:
    """The profile in use, with the variable that names it."""
    name = next((n for n in ("AWS_DEFAULT_PROFILE", "AWS_PROFILE") if os.environ.get(n)), "")
    by = f" (of {name})" if name and os.environ[name] == session.profile else ""
    return f"profile `{session.profile or 'default'}`{by}"


def _ask_for_mfa_code(prompt: str) -> str:
    """Ask for the MFA code on the terminal. Raises EOFError where there is none."""
    try:
        os.close(os.open(os.ctermid(), os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise EOFError(
            f"`mfa_serial` asks for a code, and there is no terminal ({prompt.strip(': ')})"
        ) from None
    return getpass.getpass(prompt)
