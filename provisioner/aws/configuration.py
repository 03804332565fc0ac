"""Settings of the AWS tools (variables, profiles, certificates, proxies): say in one message which of them is wrong.

botocore raises whatever happens to it while it reads them; here that becomes a ConfigurationError.
"""

from __future__ import annotations

import configparser
import os
import re
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError, ConfigParseError, ProfileNotFound

from .errors import ConfigurationError, lacks_files

# What botocore's readers of settings and credential providers raise.
ANY_ERROR: Final = (
    *(BotoCoreError, ClientError, OSError, ValueError, LookupError, TypeError, AttributeError),
    *(RuntimeError, EOFError),  # credentials that are expired when they are new; no terminal to ask on
)
# What botocore reads beside those of AWS.
_OTHER_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSLKEYLOGFILE")
# Of the aws command only: botocore reads none of them, so none can be at fault.
_OF_THE_COMMAND: Final = ("AWS_CLI_", "AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_SDK_LOAD_CONFIG")
_ENDPOINT: Final = re.compile(r"endpoint[_-]url|, service ", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"(?<=://)[^/\s]*@")
_LARGEST: Final = 16 * 1024 * 1024  # bytes of a file that a setting names
_OF_URL: Final = re.compile(r"IPv6 URL|^Port |netloc")  # in Python's errors


@contextmanager
def configuration_errors(session: botocore.session.Session, **flags: str | None) -> Iterator[None]:
    """Raise what botocore raises for a wrong setting as a ConfigurationError that names the setting.

    *flags* are the values of flags of the command line, by name with `_` for `-`.
    """
    try:
        _check_files(_variables())
        _check_files(_of_profile(session))
        yield
    except ConfigurationError:
        raise
    except ProfileNotFound as error:
        profile = error.kwargs["profile"]
        names = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")  # in the order in which botocore looks
        by_variable = next((f"{name}: " for name in names if os.environ.get(name) == profile), "")
        raise ConfigurationError(
            f"{named(session, str(error), **flags) or by_variable}there is no profile `{profile}`",
            "`aws configure list-profiles` shows those that there are",
        ) from error
    except ConfigParseError as error:
        name = named(session, str(error), **flags)
        text = f"{name}`{error.kwargs['path']}`: {_unparsable(error.kwargs.get('error'))}"
        raise ConfigurationError(text, "correct it: `aws configure` writes such a file") from None
    except ANY_ERROR as error:
        if lacks_files(error):
            raise
        name = named(session, str(error), **flags)
        if not name and isinstance(error, BotoCoreError | ClientError):
            raise
        if not name and isinstance(error, AttributeError | TypeError):  # botocore expects a section there
            name = f"profile `{session.profile or 'default'}`, a setting has a form that it must not have: "
        url = ", to one such as http://127.0.0.1:4566" if _ENDPOINT.search(name) else ""
        raise ConfigurationError(
            f"{name}{without_password(str(error)).rstrip('.')}", f"correct it{url}, or leave it out"
        ) from error


def _unparsable(error: object) -> str:
    """Why a file of settings cannot be read, without a line of it, which may hold a secret."""
    match error:
        case configparser.DuplicateOptionError():
            return f"line {error.lineno}: `[{error.section}]` has `{error.option}` twice"
        case configparser.DuplicateSectionError():
            return f"line {error.lineno}: there are two sections `[{error.section}]`"
        case configparser.MissingSectionHeaderError() if error.line.startswith("\ufeff"):
            return "it begins with a byte order mark: save it as UTF-8 without one"
        case configparser.MissingSectionHeaderError():
            return f"line {error.lineno}: there is no section, such as `[default]`, before this line"
        case configparser.ParsingError():
            return f"line {error.errors[0][0]}: want `name = value`"
        case UnicodeDecodeError():
            return "it is not UTF-8"
    return "an indented line is no `name = value`"


def named(session: botocore.session.Session, text: str, **flags: str | None) -> str:
    """Return the flag, variable or setting of the profile whose value occurs in an error's *text*, with a colon."""
    values = _settings(session, flags)
    occurs = (n for n, v in values.items() if v and _occurs(v, text))
    found = max(occurs, key=lambda n: len(values[n]), default="")
    # Python's errors of URLs do not repeat them.
    wrong = (n for n, v in values.items() if v and _ENDPOINT.search(n) and not is_endpoint(v))
    found = found or (next(wrong, "") if _OF_URL.search(text) else "")
    return f"{found}: " if found else ""


def _occurs(value: str, text: str) -> bool:
    """Whether the text has the value, and not as a part of a word."""
    before, after = (r"(?<![\w-])" if value[0].isalnum() else "", r"(?![\w-])" if value[-1].isalnum() else "")
    return re.search(before + re.escape(value) + after, text) is not None


def _settings(session: botocore.session.Session, flags: dict[str, str | None]) -> dict[str, str]:
    """Return the value of each flag, variable and setting of the profile, by the name that messages give it."""
    values = {f"--{name.replace('_', '-')}": value or "" for name, value in flags.items()}
    values |= _variables()
    with suppress(BotoCoreError):  # if the file cannot be read, that is the error at hand
        values |= _of_profile(session)
    return values


def _variables() -> dict[str, str]:
    """Return the value of each variable that botocore reads."""
    return {
        n: v
        for n, v in os.environ.items()
        if (n.startswith(("AWS_", "BOTO")) and not n.startswith(_OF_THE_COMMAND))
        or n.upper() in _OTHER_VARIABLES
    }


def _of_profile(session: botocore.session.Session) -> dict[str, str]:
    """Return the value of each setting of the profile, and of those to which it leads, by the name that messages give it.

    Raises botocore's ConfigParseError.
    """
    values: dict[str, str] = {}
    for profile in profile_chain(session):
        settings = session.full_config["profiles"].get(profile, {})
        for key, value in settings.items():
            below = (
                {f"{key}.{name}": each for name, each in value.items()}
                if isinstance(value, dict)
                else {key: value}
            )
            values |= {f"profile `{profile}`, `{name}`": str(each) for name, each in below.items()}
        services = session.full_config.get("services", {}).get(settings.get("services"), {})
        for key, value in services.items():
            each = value.get("endpoint_url") if isinstance(value, dict) else value
            values[f"profile `{profile}`, service `{key}`"] = str(each or "")
    return values


def profile_chain(session: botocore.session.Session) -> list[str]:
    """Return the profile in use and those to which its `source_profile` leads. Raises botocore's ConfigParseError."""
    profiles, chain = session.full_config["profiles"], [session.profile or "default"]
    while (name := str(profiles.get(chain[-1], {}).get("source_profile"))) in profiles and name not in chain:
        chain.append(name)
    return chain


def _check_files(settings: dict[str, str]) -> None:
    """Raise ConfigurationError if a setting names a file that is not small: whoever reads it reads it whole."""
    for name, value in settings.items():
        try:
            status = Path(value).expanduser().stat()
        except (OSError, ValueError, RuntimeError):
            continue  # most are no paths, and what reads a file says what is wrong with it
        program = name.endswith("`credential_process`")  # is run, not read
        device = stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)
        if value != os.devnull and not program and (device or status.st_size > _LARGEST):
            why = "is a device" if device else f"has {status.st_size:,} bytes"
            text = f"{name}: `{value}` {why}, and would be read to its end"
            raise ConfigurationError(text, "name another file")


def unreadable_files() -> list[str]:
    """Return the files of settings that a variable names and that cannot be read, with the reason: botocore skips them."""
    found = []
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        if path := os.environ.get(name):
            try:
                os.read(descriptor := os.open(os.path.expanduser(path), os.O_RDONLY | os.O_NONBLOCK), 1)  # noqa: PTH111 - as botocore
                os.close(descriptor)
            except OSError as error:
                found.append(f"{name} `{path}`: {error.strerror}")
    return found


def ca_bundle(session: botocore.session.Session) -> str | None:
    """Return the file or folder of certificates that the user names, if any. Raises ConfigurationError if it is none."""
    bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if not bundle:
        return None
    path = str(bundle)
    try:
        if Path(path).is_dir():
            return path
        ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        why = (
            "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror or "cannot be read"
        )
        raise ConfigurationError(
            f"{named(session, path)}`{path}`: {why}",
            "name a file of certificates in PEM form, or unset it for those of botocore",
        ) from error
    return path


def check_proxies() -> None:
    """Raise ConfigurationError if a variable names a proxy that is no HTTP proxy: botocore would retry it for a minute."""
    for name, value in os.environ.items():
        if not value or name.upper() not in {"HTTPS_PROXY", "HTTP_PROXY"}:
            continue
        if not is_http_url(value if "://" in value else f"http://{value}"):
            raise ConfigurationError(
                f"{name}: no URL of an HTTP proxy",
                "set one such as http://proxy.example.com:3128, or unset it",
            )


def is_endpoint(text: str) -> bool:
    """Whether requests can be sent to the URL, and it has no user and password, which AWS has no use for."""
    return is_http_url(text) and "@" not in urlsplit(text).netloc


def without_password(text: str) -> str:
    """The text with user and password of each URL left out, as every error would show them."""
    return _PASSWORD.sub("***@", text)


def is_http_url(text: str) -> bool:
    """Whether requests can be sent to the URL."""
    if re.search(r"[^\x21-\x7e]", text):  # a space, or what a request has encoded only
        return False
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:  # of brackets or the port
        return False
