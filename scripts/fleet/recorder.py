"""Record answers of the sandbox, in which three sample accounts represent all accounts.

These are the management account, a member in sync, and a member that has drifted. The sandbox is asked once for each
request; its answer is kept with marks in place of account, Region and request number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.seed import MANAGEMENT, MEMBERS
from provisioner.sandbox.wire import credential, normal_url, understand
from provisioner.sandbox.world import World

from . import pages
from .drift import Drift
from .signatures import secret

IN_SYNC, DRIFTED = MEMBERS
HOME: Final = "us-east-1"
OTHER_REGION: Final = "sa-east-1"  # the sample of all Regions but the home Region
ROLE: Final = "OrganizationAccountAccessRole"
SESSION: Final = b"fleet0bench"
# Marks in a recorded answer. Account and request number are 12 characters long; UNTIL is the end of credentials.
ACCOUNT, NUMBER, REGION, SESSION_NAME, UNTIL = b"\0A\0", b"\0N\0", b"\0R\0", b"\0S\0", b"\0U\0"
# The session token holds the account, so that the token of another account is noticed, and is as long as a real one.
TOKEN: Final = b"IQoJb3JpZ2luX2VjE"
_CREDENTIALS: Final = {
    b"AccessKeyId": b"ASIA" + ACCOUNT + b"FLEE",
    b"SecretAccessKey": secret(ACCOUNT.decode()).encode(),
    b"SessionToken": TOKEN + ACCOUNT + b"//////////wEaCXVzLWVhc3QtMSJHMEUC" * 16,
    b"Expiration": UNTIL,
}
_CONNECTION_HEADERS: Final = {"content-length", "connection", "transfer-encoding", "status"}


@dataclass(frozen=True)
class Request:
    """One request. *account* and *region* are the samples, also in *path* and *body*."""

    account: str
    region: str
    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Recorded:
    """The answer of the sandbox, with marks, and the call that it understood."""

    call: WireCall
    status: int
    head: bytes  # status line and headers, without Content-Length
    body: bytes
    length: str | None = None  # Content-Length of an answer to HEAD, which has no body
    repairs: Drift | None = None


class Recorder:
    """Sends requests to the sandbox. Refuses writes other than repairs. *disabled*: the Regions that are not enabled."""

    def __init__(self, world: World, disabled: Collection[str]) -> None:
        self.world = world
        self._disabled = {*disabled}
        self._fault: Callable[[WireCall], Fault | None] | None = None
        self.drifts: tuple[Drift, ...] = ()
        self._keys = {MANAGEMENT: ("SANDBOX", "sandbox")}
        self._keys |= {account: self._assume_role(account) for account in MEMBERS}
        world.interrupt(lambda call, phase: self._fault(call) if self._fault and phase == "before" else None)

    def record(self, request: Request, fault: Callable[[WireCall], Fault] | None = None) -> Recorded:
        """The answer to *request*, or the error that *fault* makes of it, in the protocol of the service."""
        self._fault = fault or self._refused_write
        try:
            operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
            with pages.one_page(operation, request.body) as (body, next_token):
                answer = self._exchange(replace(request, body=body))
        finally:
            self._fault = None
        call = self.world.calls[-1]
        self.world.calls.clear()
        body = pages.with_token(answer.body, next_token if answer.status == 200 else None)
        lines = [f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Answered'}"]
        lines += [f"{k}: {v}" for k, v in answer.headers.items() if k.lower() not in _CONNECTION_HEADERS]
        head = "".join(f"{line}\r\n" for line in lines).encode()
        ids = _request_ids(head, body)
        head, body = _marked(head, request, ids), _marked(body, request, ids)
        length = None
        if request.method == "HEAD":
            length, body = answer.headers.get("content-length", "0"), b""
        repairs = next((each for each in self.drifts if each.repaired_by(call)), None)
        return Recorded(call, answer.status, head, body, length, repairs)

    def keys(self, account: str) -> dict[str, str]:
        """Credentials of a sample account, for boto3."""
        key, token = self._keys[account]
        return {"aws_access_key_id": key, "aws_secret_access_key": "x", "aws_session_token": token}

    def writes(self, request: Request) -> bool:
        """Whether the request is a write."""
        url, headers = self._addressed(request)
        normal = normal_url(url, credential(headers), request.account)
        ask = understand(self.world, request.method, normal, headers, request.body)
        return WireCall(ask.account, ask.region, ask.service, ask.operation).writes

    def _refused_write(self, call: WireCall) -> Fault | None:
        if not call.writes or any(each.repaired_by(call) for each in self.drifts):
            return None
        name = f"{call.service}:{call.operation}"
        if any((call.service, call.operation) == each.repair for each in self.drifts):
            return Fault("FleetTakesRepairsOnly", 400, f"{name}: its values are not those of the file")
        text = f"{name}: this server takes no writes but those that repair its own drift"
        return Fault("FleetTakesNoSuchWrite", 400, text)

    def _exchange(self, request: Request) -> Any:
        # The sample Region must answer for others even if it is not enabled itself.
        sample = {OTHER_REGION} if request.region == OTHER_REGION else set()
        self.world.disabled = self._disabled - sample
        url, headers = self._addressed(request)
        return self.world.exchange(request.method, url, headers, request.body)

    def _addressed(self, request: Request) -> tuple[str, dict[str, str]]:
        """The URL and the headers of the request, with credentials of its account."""
        key, token = self._keys[request.account]
        scope = f"{key}/20300101/{request.region}/{request.service}/aws4_request"
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        headers["X-Amz-Security-Token"] = token
        return f"http://127.0.0.1{request.path}", headers

    def _assume_role(self, account: str) -> tuple[str, str]:
        """Access key and session token. Raises ValueError if the sandbox refuses."""
        arn = f"arn:aws:iam::{account}:role/{ROLE}"
        params = {"Action": "AssumeRole", "RoleArn": arn, "RoleSessionName": SESSION.decode()}
        body = urlencode({"Version": "2011-06-15", **params}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._exchange(Request(MANAGEMENT, HOME, "sts", "POST", "/", headers, body))
        text = answer.body.decode()
        key, token = (re.search(f"<{tag}>(.*?)</{tag}>", text) for tag in ("AccessKeyId", "SessionToken"))
        if key is None or token is None:
            raise ValueError(text)
        return key[1], token[1]


def _request_ids(head: bytes, body: bytes) -> list[bytes]:
    found = re.findall(rb"(?im)^x-amzn?-request-?id: (\S{24,})\r$", head)
    return [*found, *re.findall(rb"<RequestId>(\S{24,})</RequestId>", body)]


def _marked(text: bytes, request: Request, ids: list[bytes]) -> bytes:
    """The text with marks in place of what differs from caller to caller."""
    for each in ids:
        text = text.replace(each, each[:-12] + NUMBER)
    accounts = {request.account} & {
        *MEMBERS
    }  # others that an answer names, such as an administrator, are no callers
    if request.service == "sts" and b"Action=AssumeRole&" in request.body:
        accounts = {*MEMBERS}
        for tag, value in _CREDENTIALS.items():
            text = re.sub(b"<%b>.*?</%b>" % (tag, tag), b"<%b>%b</%b>" % (tag, value, tag), text)
        text = text.replace(SESSION, SESSION_NAME)
    for account in accounts:
        text = text.replace(account.encode(), ACCOUNT)
    return text.replace(OTHER_REGION.encode(), REGION) if request.region == OTHER_REGION else text
