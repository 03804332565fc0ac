"""What AWS answers, recorded from the strict sandbox: three of its accounts stand for all.

The management account stands for itself, one member for all that are in sync, and one for all that have drifted. A
question is asked of the sandbox once; its answer is kept with marks where account, Region and request number go.
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
ELSEWHERE: Final = "sa-east-1"  # stands for every Region but the home
ROLE: Final = "OrganizationAccountAccessRole"
SESSION: Final = b"fleet0bench"
# Marks in a recorded answer. What takes the place of the first two is 12 characters long. Region, session and the end
# of credentials follow.
ACCOUNT, NUMBER, REGION, NAME, UNTIL = b"\0A\0", b"\0N\0", b"\0R\0", b"\0S\0", b"\0U\0"
# A real token is about that long. The account is in it, so that another account's token is noticed.
TOKEN: Final = b"IQoJb3JpZ2luX2VjE"
_CREDENTIALS: Final = {
    b"AccessKeyId": b"ASIA" + ACCOUNT + b"FLEE",
    b"SecretAccessKey": secret(ACCOUNT.decode()).encode(),
    b"SessionToken": TOKEN + ACCOUNT + b"//////////wEaCXVzLWVhc3QtMSJHMEUC" * 16,
    b"Expiration": UNTIL,
}
_OF_THE_CONNECTION: Final = {"content-length", "connection", "transfer-encoding", "status"}

Mood = Callable[[WireCall], Fault | None]  # what the server says instead of the sandbox's answer


@dataclass(frozen=True)
class Question:
    """One request. *account* and *region* are those that stand for the caller's, also in *path* and *body*."""

    account: str
    region: str
    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Recorded:
    """What the sandbox answered, with marks, and which call it took the question for."""

    call: WireCall
    status: int
    head: bytes  # status line and headers, but for Content-Length
    body: bytes
    length: str | None = None  # of the body that the answer to a HEAD does not bring
    repairs: Drift | None = None


class Recorder:
    """Asks the sandbox what nobody has asked before. Takes no writes but repairs. *disabled* are Regions."""

    def __init__(self, world: World, disabled: Collection[str]) -> None:
        self.world = world
        self._disabled = {*disabled}
        self._mood: Mood = _serene
        self.drifts: tuple[Drift, ...] = ()
        self._keys = {MANAGEMENT: ("SANDBOX", "sandbox")}
        self._keys |= {account: self._assume(account) for account in MEMBERS}
        world.interrupt(lambda call, phase: self._mood(call) if phase == "before" else None)

    def record(self, question: Question, mood: Mood | None = None) -> Recorded:
        """The answer to *question*, or what *mood* makes of it, in the form of the service."""
        self._mood = mood or self._refused_write
        try:
            operation = question.headers.get("X-Amz-Target", "").rpartition(".")[2]
            with pages.cut(operation, question.body) as (body, more):
                answer = self._exchange(replace(question, body=body))
        finally:
            self._mood = _serene
        call = self.world.calls[-1]
        self.world.calls.clear()
        repairs = next((each for each in self.drifts if each.repaired_by(call)), None)
        body = pages.with_token(answer.body, more if answer.status == 200 else None)
        lines = [f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Answered'}"]
        for name, value in answer.headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                lines.append(f"{name}: {value}")
        head = "".join(f"{line}\r\n" for line in lines).encode()
        numbers = _numbers(head, body)
        head, body = _marked(head, question, numbers), _marked(body, question, numbers)
        if question.method == "HEAD":
            return Recorded(
                call, answer.status, head, b"", answer.headers.get("content-length", "0"), repairs
            )
        return Recorded(call, answer.status, head, body, repairs=repairs)

    def query(self, account: str, service: str, version: str, **params: str) -> str:
        """The answer of a service that speaks AWS's query protocol. Raises ValueError where it refuses."""
        body = urlencode({"Version": version, **params}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._taken(Question(account, HOME, service, "POST", "/", kind, body))

    def keys(self, account: str) -> dict[str, str]:
        """Credentials for boto3, of one of the accounts that stand for others."""
        key, token = self._keys[account]
        return {"aws_access_key_id": key, "aws_secret_access_key": "x", "aws_session_token": token}

    def writes(self, question: Question) -> bool:
        """The question would change something."""
        url, headers = self._addressed(question)
        ask = understand(
            self.world, question.method, normal_url(url, credential(headers)), headers, question.body
        )
        return WireCall(ask.account, ask.region, ask.service, ask.operation).writes

    def _refused_write(self, call: WireCall) -> Fault | None:
        if not call.writes or any(each.repaired_by(call) for each in self.drifts):
            return None
        name = f"{call.service}:{call.operation}"
        if any((call.service, call.operation) == each.repair for each in self.drifts):
            return Fault("FleetTakesRepairsOnly", 400, f"{name}: its values are not those of the file")
        text = f"{name}: this server takes no writes but those that repair its own drift"
        return Fault("FleetTakesNoSuchWrite", 400, text)

    def _taken(self, question: Question) -> str:
        answer = self._exchange(question)
        if answer.status != 200:
            raise ValueError(answer.body.decode())
        text: str = answer.body.decode()
        return text

    def _exchange(self, question: Question) -> Any:
        # It stands for others, and answers although it may itself be none of the organization's.
        stands_for_others = {ELSEWHERE} if question.region == ELSEWHERE else set()
        self.world.disabled = self._disabled - stands_for_others
        url, headers = self._addressed(question)
        return self.world.exchange(question.method, url, headers, question.body)

    def _addressed(self, question: Question) -> tuple[str, dict[str, str]]:
        """Where the question goes, and its headers, with credentials of the account."""
        key, token = self._keys[question.account]
        scope = f"{key}/20300101/{question.region}/{question.service}/aws4_request"
        headers = {name: value for name, value in question.headers.items() if name.lower() != "host"}
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        headers["X-Amz-Security-Token"] = token
        return f"http://127.0.0.1{question.path}", headers

    def _assume(self, account: str) -> tuple[str, str]:
        arn = f"arn:aws:iam::{account}:role/{ROLE}"
        given = {"Action": "AssumeRole", "RoleArn": arn, "RoleSessionName": SESSION.decode()}
        text = self.query(MANAGEMENT, "sts", "2011-06-15", **given)
        key, token = (re.search(f"<{tag}>(.*?)</{tag}>", text) for tag in ("AccessKeyId", "SessionToken"))
        if key is None or token is None:
            raise ValueError(text)
        return key[1], token[1]


def _serene(call: WireCall) -> Fault | None:  # noqa: ARG001 - of all calls
    return None


def _numbers(head: bytes, body: bytes) -> list[bytes]:
    """The request ids in an answer."""
    found = re.findall(rb"(?im)^x-amzn?-request-?id: (\S{24,})\r$", head)
    return [*found, *re.findall(rb"<RequestId>(\S{24,})</RequestId>", body)]


def _marked(text: bytes, question: Question, numbers: list[bytes]) -> bytes:
    """The text with marks for what is the asker's own."""
    for number in numbers:
        text = text.replace(number, number[:-12] + NUMBER)
    if question.service == "sts" and b"Action=AssumeRole&" in question.body:
        for tag, value in _CREDENTIALS.items():
            text = re.sub(b"<%b>.*?</%b>" % (tag, tag), b"<%b>%b</%b>" % (tag, value, tag), text)
        text = text.replace(SESSION, NAME)
    for account in MEMBERS:
        text = text.replace(account.encode(), ACCOUNT)
    return text.replace(ELSEWHERE.encode(), REGION) if question.region == ELSEWHERE else text
