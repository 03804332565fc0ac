"""Whose credentials sign a call: the caller's own, or those of a role that was assumed in another account.

One client serves all accounts. So the credentials are chosen when a request is signed: those that were named with
`signing`. Where none were named, nothing is signed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.credentials import Credentials, ReadOnlyCredentials

from ..model import Refused

CALLER: Final = ""  # the account whose credentials the run was started with
_EARLY: Final = timedelta(minutes=5)  # before their end, credentials are renewed
_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_OWN: Final = ReadOnlyCredentials("", "", "")  # stands for the caller's own
_signing: ContextVar[ReadOnlyCredentials | None] = ContextVar("signing", default=None)


@dataclass(frozen=True)
class Role:
    """The role to assume in every account but the caller's. *region* is where STS is asked."""

    caller: str
    partition: str
    region: str
    name: str
    external_id: str | None = None
    session_tags: Mapping[str, str] = field(default_factory=dict)

    def arn(self, account: str) -> str:
        """The role in that account."""
        return f"arn:{self.partition}:iam::{account}:role/{self.name}"

    def request(self, account: str) -> dict[str, Any]:
        """The parameters of AssumeRole. An hour is what AWS gives at most where a role assumes a role."""
        params: dict[str, Any] = {
            "RoleArn": self.arn(account),
            "RoleSessionName": "provision",
            "DurationSeconds": 3600,
        }
        if self.external_id is not None:
            params["ExternalId"] = self.external_id
        if self.session_tags:
            params["Tags"] = [{"Key": key, "Value": value} for key, value in self.session_tags.items()]
        return params


@dataclass
class _Key:
    """The credentials of one account, and who may renew them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    credentials: ReadOnlyCredentials | None = None
    until: datetime = _NEVER


class Keyring:
    """The credentials of every account that the run is in. *find* loads the caller's own, as every AWS tool does."""

    def __init__(self, find: Callable[[], Credentials | None]):
        self._find = find
        self._own: Credentials | None = None
        self._found = False
        self._keys: dict[str, _Key] = {}
        self._lock = threading.Lock()
        self.role: Role | None = None

    def load_credentials(self) -> Credentials:
        """What botocore gives to each client that it makes."""
        self._load()
        return _Chosen(self)

    def whose(self, account: str) -> str:
        """The account to act as: the caller's, unless a role is to be assumed in another one."""
        return account if self.role is not None and account not in {CALLER, self.role.caller} else CALLER

    @contextmanager
    def signing(self, credentials: ReadOnlyCredentials | None) -> Iterator[None]:
        """Until the block ends, what this thread sends is signed with these; None is the caller's own."""
        token = _signing.set(credentials or _OWN)
        try:
            yield
        finally:
            _signing.reset(token)

    def ensure(self, account: str, assume: Callable[[dict[str, Any]], Any]) -> ReadOnlyCredentials | None:
        """The account's credentials, good for five minutes more; *assume* asks STS for them. None: the caller's own.

        Raises what *assume* raises, and Refused where AWS lets us into another account than the one that was meant.
        """
        if self.role is None or self.whose(account) == CALLER:
            return None
        with self._lock:
            key = self._keys.setdefault(account, _Key())
        with key.lock:
            if key.credentials is None or datetime.now(UTC) + _EARLY >= key.until:
                answer = assume(self.role.request(account))
                given, who = answer["Credentials"], answer["AssumedRoleUser"]["Arn"]
                if who.split(":")[4] != account:
                    raise Refused(f"asked for account {account}, AWS let us into another: {who}")
                key.credentials = ReadOnlyCredentials(
                    given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], account
                )
                key.until = given["Expiration"]
            return key.credentials

    def drop(self, account: str, used: ReadOnlyCredentials | None = None) -> None:
        """The account's credentials are forgotten; with *used*, only if nobody has renewed these since."""
        with self._lock:
            key = self._keys.get(account)
            if key is not None and used in (None, key.credentials):
                del self._keys[account]

    def current(self) -> ReadOnlyCredentials | None:
        """The credentials to sign with now; None where the caller has none."""
        named = _signing.get()
        if named is None:
            raise RuntimeError("a call to AWS did not say with which credentials it is made")
        if named is not _OWN:
            return named
        own = self._load()
        return own.get_frozen_credentials() if own else None

    def _load(self) -> Credentials | None:
        with self._lock:
            if not self._found:
                self._own, self._found = self._find(), True
            return self._own


class _Chosen(Credentials):
    """What a client takes for its credentials: at each signature it asks the keyring."""

    def __init__(self, keyring: Keyring):
        super().__init__("", "", method="provision")
        self._keyring = keyring

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Those that were named with `signing`."""
        return self._keyring.current()  # type: ignore[return-value] # None is to have none, as in botocore
