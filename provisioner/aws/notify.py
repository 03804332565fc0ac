"""The two calls by which a run tells people what it did. They are no Change: they set nothing that a baseline has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .errors import BotoCoreError, ClientError, is_outage, is_throttle
from .guard import notices_allowed

if TYPE_CHECKING:
    from .cloud import Cloud

_ATTEMPTS: Final = 3


def notify(cloud: Cloud, service: str, region: str, operation: str, params: Mapping[str, Any]) -> Any:
    """Make one of the calls in `guard.NOTICES` with the caller's own credentials, and return AWS's answer.

    It is tried three times for throttling and outages, so it may arrive twice. Raises botocore's errors, and RuntimeError
    for any other operation that writes.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            with cloud.keyring.signing(None), notices_allowed():
                return getattr(cloud.client(service, region), operation)(**params)
        except (ClientError, BotoCoreError) as error:
            if attempt >= _ATTEMPTS or not (is_throttle(error) or is_outage(error)):
                raise
            cloud.clock.sleep(0.3 * 2.0**attempt)
