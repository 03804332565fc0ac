"""The calls that a run makes for itself: to tell people what it did, and to keep its journal.

They are no Change: they set nothing that a baseline has. All are made with the caller's own credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .errors import BotoCoreError, ClientError, is_outage, is_throttle
from .guard import run_writes_allowed

if TYPE_CHECKING:
    from .cloud import Cloud

_ATTEMPTS: Final = 3


def call_as_caller(cloud: Cloud, service: str, region: str, operation: str, params: Mapping[str, Any]) -> Any:
    """Make a read, or one of the calls in `guard.RUN_WRITES`, with the caller's own credentials; return AWS's answer.

    It is tried three times for throttling and outages, so it may arrive twice. Raises botocore's errors, and RuntimeError
    for any other operation that writes.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            with cloud.keyring.signing(None), run_writes_allowed():
                return getattr(cloud.client(service, region), operation)(**params)
        except (ClientError, BotoCoreError) as error:
            if attempt >= _ATTEMPTS or not (is_throttle(error) or is_outage(error)):
                raise
            cloud.clock.sleep(0.3 * 2.0**attempt)
