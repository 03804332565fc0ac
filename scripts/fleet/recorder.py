"""What AWS answers, recorded from the strict sandbox: three of its accounts stand for all.

The management account stands for itself, one member for all that are in sync, and one for all that have drifted. A
question is asked of the sandbox once; its answer is kept with marks where account, Region and request number go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.seed import MANAGEMENT, MEMBERS
from provisioner.sandbox.world import World

from . import pages
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
# Writes that bring a drifted account back, and which of its drifts they remove.
REPAIRS: Final = {
    ("iam", "UpdateAccountPasswordPolicy"): "policy",
    ("config", "StartConfigurationRecorder"): "recorder",
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


class Recorder:
    """Asks the sandbox what nobody has asked before. Takes no writes but repairs. *disabled* are Regions."""

    def __init__(self, world: World, disabled: Collection[str]) -> None:
        self.world = world
        self._disabled = {*disabled}
        self._mood: Mood = _serene
        self._keys = {MANAGEMENT: ("SANDBOX", "sandbox")}
        self._keys |= {account: self._assume(account) for account in MEMBERS}
        world.interrupt(lambda call, phase: self._mood(call) if phase == "before" else None)

    def record(self, question: Question, mood: Mood | None = None) -> Recorded:
        """The answer to *question*, or what *mood* makes of it, in the form of the service."""
        sets_policy = b"Action=UpdateAccountPasswordPolicy&" in question.body
        was = self.password_policy(IN_SYNC) if sets_policy else {}
        self._mood = mood or _refused_write
        try:
            operation = question.headers.get("X-Amz-Target", "").rpartition(".")[2]
            with pages.cut(operation, question.body) as (body, more):
                answer = self._exchange(replace(question, body=body))
        finally:
            self._mood = _serene
        call = self.world.calls[-1]
        self.world.calls.clear()
        if sets_policy and was != self.password_policy(IN_SYNC):
            self.set_password_policy(IN_SYNC, was)
            return self.record(question, _no_repair)
        body = pages.with_token(answer.body, more if answer.status == 200 else None)
        lines = [f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Answered'}"]
        for name, value in answer.headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                lines.append(f"{name}: {value}")
        head = "".join(f"{line}\r\n" for line in lines).encode()
        numbers = _numbers(head, body)
        head, body = _marked(head, question, numbers), _marked(body, question, numbers)
        if question.method == "HEAD":
            return Recorded(call, answer.status, head, b"", answer.headers.get("content-length", "0"))
        return Recorded(call, answer.status, head, body)

    def query(self, account: str, service: str, version: str, **params: str) -> str:
        """The answer of a service that speaks AWS's query protocol. Raises ValueError where it refuses."""
        body = urlencode({"Version": version, **params}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._taken(Question(account, HOME, service, "POST", "/", kind, body))

    def json(self, account: str, region: str, service: str, target: str, body: bytes) -> str:
        """The answer of a service that speaks JSON. Raises ValueError where it refuses."""
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return self._taken(Question(account, region, service, "POST", "/", headers, body))

    def _taken(self, question: Question) -> str:
        answer = self._exchange(question)
        if answer.status != 200:
            raise ValueError(answer.body.decode())
        text: str = answer.body.decode()
        return text

    def _exchange(self, question: Question) -> Any:
        key, token = self._keys[question.account]
        scope = f"{key}/20300101/{question.region}/{question.service}/aws4_request"
        headers = {name: value for name, value in question.headers.items() if name.lower() != "host"}
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        headers["X-Amz-Security-Token"] = token
        url = f"http://127.0.0.1{question.path}"
        # It stands for others, and answers although it may itself be none of the organization's.
        stands_for_others = {ELSEWHERE} if question.region == ELSEWHERE else set()
        self.world.disabled = self._disabled - stands_for_others
        return self.world.exchange(question.method, url, headers, question.body)

    def _assume(self, account: str) -> tuple[str, str]:
        arn = f"arn:aws:iam::{account}:role/{ROLE}"
        given = {"Action": "AssumeRole", "RoleArn": arn, "RoleSessionName": SESSION.decode()}
        text = self.query(MANAGEMENT, "sts", "2011-06-15", **given)
        key, token = (re.search(f"<{tag}>(.*?)</{tag}>", text) for tag in ("AccessKeyId", "SessionToken"))
        if key is None or token is None:
            raise ValueError(text)
        return key[1], token[1]

    def password_policy(self, account: str) -> dict[str, str]:
        """The account's password policy, in the words of UpdateAccountPasswordPolicy; empty where there is none."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        body = b"Action=GetAccountPasswordPolicy&Version=2010-05-08"
        answer = self._exchange(Question(account, HOME, "iam", "POST", "/", kind, body))
        text = answer.body.decode() if answer.status == 200 else ""
        fields = dict(re.findall(r"<([A-Z]\w+)>([^<]+)</\1>", text.partition("</PasswordPolicy>")[0]))
        return {name: value for name, value in fields.items() if name != "ExpirePasswords"}

    def set_password_policy(self, account: str, fields: Mapping[str, str]) -> None:
        """The account has that password policy."""
        self.query(account, "iam", "2010-05-08", Action="UpdateAccountPasswordPolicy", **fields)


def _serene(call: WireCall) -> Fault | None:  # noqa: ARG001 - of all calls
    return None


def _refused_write(call: WireCall) -> Fault | None:
    if not call.writes or (call.service, call.operation) in REPAIRS:
        return None
    text = f"{call.service}:{call.operation}: this server takes no writes but those that repair its own drift"
    return Fault("FleetTakesNoSuchWrite", 400, text)


def _no_repair(call: WireCall) -> Fault:
    text = f"{call.service}:{call.operation}: its values are not those of the file"
    return Fault("FleetTakesRepairsOnly", 400, text)


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
