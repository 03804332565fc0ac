"""Settings of the AWS tools (variables, profiles, certificates, proxies): say in one message which of them is wrong.

botocore raises whatever happens to it while it reads them; here that becomes a ConfigurationError.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from .errors import ConfigurationError

# What botocore's readers of settings and credential providers raise.
ANY_ERROR: Final = (
    *(BotoCoreError, ClientError, OSError, ValueError, LookupError, TypeError, AttributeError),
    *(RuntimeError, EOFError),  # credentials that are expired when they are new; no terminal to ask on
)
# What botocore reads beside those of AWS.
_OTHER_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
_ENDPOINT: Final = re.compile(r"endpoint[_-]url|, service ", re.IGNORECASE)


@contextmanager
def configuration_errors(session: botocore.session.Session, **flags: str | None) -> Iterator[None]:
    """Raise what botocore raises for a wrong setting as a ConfigurationError that names the setting.

    *flags* are the values of flags of the command line, by name with `_` for `-`.
    """
    try:
        yield
    except ConfigurationError:
        raise
    except ProfileNotFound as error:
        raise ConfigurationError(
            f"{_named(session, str(error), flags)}there is no profile `{error.kwargs['profile']}`",
            "`aws configure list-profiles` shows those that there are",
        ) from error
    except ANY_ERROR as error:
        name = _named(session, str(error), flags)
        if not name and isinstance(error, BotoCoreError | ClientError):
            raise
        url = ", to one such as http://127.0.0.1:4566" if _ENDPOINT.search(name) else ""
        raise ConfigurationError(
            f"{name}{str(error).rstrip('.')}", f"correct it{url}, or leave it out"
        ) from error


def _named(session: botocore.session.Session, text: str, flags: dict[str, str | None]) -> str:
    """Return the flag, variable or setting of the profile whose value occurs in an error's *text*, with a colon."""
    values = {f"--{name.replace('_', '-')}": value or "" for name, value in flags.items()}
    values |= {
        n: v for n, v in os.environ.items() if n.startswith(("AWS_", "BOTO")) or n.upper() in _OTHER_VARIABLES
    }
    with suppress(BotoCoreError):  # if the file cannot be read, that is the error at hand
        profile = session.profile or "default"
        settings = session.full_config["profiles"].get(profile, {})
        values |= {f"profile `{profile}`, `{key}`": str(value) for key, value in settings.items()}
        services = session.full_config.get("services", {}).get(settings.get("services"), {})
        for key, value in services.items():
            values |= {f"profile `{profile}`, service `{key}`": str(each) for each in value.values()}
    found = max((n for n, v in values.items() if v and v in text), key=lambda n: len(values[n]), default="")
    return f"{found}: " if found else ""


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
            f"{_named(session, path, {})}`{path}`: {why}",
            "name a file of certificates in PEM form, or unset it for those of botocore",
        ) from error
    return path


def check_proxies() -> None:
    """Raise ConfigurationError if a variable names a proxy that is no HTTP proxy: botocore would retry it for a minute."""
    for name, value in os.environ.items():
        if not value or name.upper() not in {"HTTPS_PROXY", "HTTP_PROXY"}:
            continue
        try:
            url = urlsplit(value if "://" in value else f"http://{value}")
            usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
        except ValueError:  # of brackets or the port
            usable = False
        if not usable:
            raise ConfigurationError(
                f"{name}: no URL of an HTTP proxy",
                "set one such as http://proxy.example.com:3128, or unset it",
            )
