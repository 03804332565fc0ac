"""Credentials that sign calls: the caller's own, or those of a role that was assumed in another account.

One client serves all accounts, so the credentials are chosen when a request is signed: `signing` sets them for the
current thread. A request outside of a `signing` block is refused.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.credentials import Credentials, ReadOnlyCredentials

from ..model import Refused
from .errors import Incomplete, Interrupted

CALLER: Final = ""  # the account of the caller's own credentials
_RENEW_BEFORE: Final = timedelta(minutes=5)  # credentials expire
_NO_DATE: Final = datetime.min.replace(tzinfo=UTC)
_OWN: Final = ReadOnlyCredentials("", "", "")  # a placeholder for the caller's own credentials
_signing: ContextVar[ReadOnlyCredentials | None] = ContextVar("signing", default=None)


@dataclass(frozen=True)
class Role:
    """The role to assume in every account but the caller's. *region* is the Region of the STS endpoint."""

    caller: str
    partition: str
    region: str
    name: str
    external_id: str | None = None
    session_tags: Mapping[str, str] = field(default_factory=dict)

    def arn(self, account: str) -> str:
        """Return the ARN of the role in *account*."""
        return f"arn:{self.partition}:iam::{account}:role/{self.name}"

    def request(self, account: str) -> dict[str, Any]:
        """Return the parameters of AssumeRole, for an hour: AWS's maximum where a role assumes a role."""
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
class _Assumed:
    """The credentials of one account's role. The lock is held while they are renewed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    credentials: ReadOnlyCredentials | None = None
    expires: datetime = _NO_DATE


def _assumed(account: str, answer: Any) -> tuple[ReadOnlyCredentials, datetime]:
    """Return the credentials in the answer of AssumeRole, and when they expire."""
    try:
        given, arn = answer["Credentials"], answer["AssumedRoleUser"]["Arn"]
        key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        owner, expires = arn.split(":")[4], given["Expiration"]
    except (LookupError, TypeError) as error:
        raise Incomplete("AWS answered AssumeRole without credentials; run again") from error
    if owner != account:
        raise Refused(f"asked for account {account}, AWS let us into another: {arn}")
    return ReadOnlyCredentials(*key, account), expires


class Keyring:
    """The credentials of every account of the run. *find* loads the caller's own, as botocore does by default."""

    def __init__(self, find: Callable[[], Credentials | None]):
        self._find = find
        self._own: Credentials | None = None
        self._assumed: dict[str, _Assumed] = {}  # by account
        self._left: Counter[str] = Counter()  # how often each account was left
        self._lock = threading.Lock()
        self.role: Role | None = None

    def load_credentials(self) -> Credentials:
        """Return the credentials that botocore gives to each client. botocore's session calls this once."""
        self._own = self._find()
        return _KeyringCredentials(self)

    def account_of(self, account: str) -> str:
        """Return *account* if a role is to be assumed in it, else CALLER."""
        return account if self.role is not None and account not in {CALLER, self.role.caller} else CALLER

    @contextmanager
    def signing(self, credentials: ReadOnlyCredentials | None) -> Iterator[None]:
        """Sign this thread's requests with *credentials* until the block ends; None is the caller's own."""
        token = _signing.set(credentials or _OWN)
        try:
            yield
        finally:
            _signing.reset(token)

    def ensure(
        self, account: str, assume: Callable[[dict[str, Any]], Any], visit: int | None = None
    ) -> ReadOnlyCredentials | None:
        """Return credentials of the account that are valid for five more minutes, or None for the caller's own.

        *assume* sends the given parameters of AssumeRole to STS. Raises what *assume* raises, Incomplete where its
        answer has no credentials, Refused where they are of another account, and Interrupted if the account was left
        since *visit*.
        """
        if self.role is None or self.account_of(account) == CALLER:
            return None
        with self._lock:
            if visit not in (None, self._left[account]):
                raise Interrupted(f"account {account} was left before the call was made")
            assumed = self._assumed.setdefault(account, _Assumed())
        with assumed.lock:
            if assumed.credentials is None or datetime.now(UTC) + _RENEW_BEFORE >= assumed.expires:
                assumed.credentials, assumed.expires = _assumed(account, assume(self.role.request(account)))
            return assumed.credentials

    def expire(self, account: str, used: ReadOnlyCredentials) -> None:
        """Have the account's credentials renewed before the next call, unless another thread has renewed *used* since."""
        with self._lock:
            assumed = self._assumed.get(account)
        if assumed is not None:
            with assumed.lock:
                if assumed.credentials is used:
                    assumed.credentials = None

    def leave(self, account: str) -> None:
        """Forget the account's credentials. Calls of the visit that ends here get no new ones."""
        with self._lock:
            self._left[account] += 1
            self._assumed.pop(account, None)

    def visit(self, account: str) -> int:
        """Return the number of the visit to the account that is under way."""
        with self._lock:
            return self._left[account]

    def current(self) -> ReadOnlyCredentials | None:
        """Return the credentials to sign with now; None where the caller has none."""
        credentials = _signing.get()
        if credentials is None:
            raise RuntimeError("a call to AWS did not say with which credentials it is made")
        if credentials is not _OWN:
            return credentials
        return self._own.get_frozen_credentials() if self._own else None


class _KeyringCredentials(Credentials):
    """The credentials of a botocore client, which asks the keyring at each signature."""

    def __init__(self, keyring: Keyring):
        super().__init__("", "", method="provision")
        self._keyring = keyring

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the credentials that `signing` set."""
        return self._keyring.current()  # type: ignore[return-value] # None is to have none, as in botocore
