"""The certificates to trust in connections to others than AWS: those that the AWS tools are set to trust."""

from __future__ import annotations

import ssl
from pathlib import Path

import botocore.session
from botocore.httpsession import get_cert_path

from .configuration import ca_bundle, configuration_errors


def tls_context(profile: str | None = None) -> ssl.SSLContext:
    """Return a context that trusts AWS_CA_BUNDLE, the profile's `ca_bundle` or REQUESTS_CA_BUNDLE, else botocore's.

    Raises ConfigurationError for a file without certificates.
    """
    session = botocore.session.Session(profile=profile)
    with configuration_errors(session, profile=profile):
        bundle = ca_bundle(session) or str(get_cert_path(verify=True))
        folder = Path(bundle).is_dir()
        return ssl.create_default_context(
            cafile=None if folder else bundle, capath=bundle if folder else None
        )
