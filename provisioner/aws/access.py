"""AWS as a step sees it: reads that begin when they are asked for, and writes that are only described.

Nothing is read twice in a run: a second question is answered from the first, until a write to that service.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..model import Call, Target
from .errors import ClientError, Incomplete, OutcomeUnknown, code_of

if TYPE_CHECKING:
    from .cloud import Cloud

Key = tuple[str, str, str, str]


class Readers(Protocol):
    """Those who carry a question to AWS: threads, or nobody but who asks."""

    def submit(self, ask: Callable[..., Any], /, *question: Any) -> Future[Any]:
        """The answer, on its way."""


class SynchronousExecutor:
    """No readers: who asks waits for each answer. For those that have company enough in other accounts."""

    def submit(self, ask: Callable[..., Any], /, *question: Any) -> Future[Any]:
        """The answer, which is there."""
        answer: Future[Any] = Future()
        try:
            answer.set_result(ask(*question))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is looked at
            answer.set_exception(error)
        return answer


class Memory:
    """The answers of one account in one run, by question."""

    def __init__(self) -> None:
        self._answers: dict[Key, Future[Any]] = {}
        self._lock = threading.Lock()

    def ask(self, key: Key, begin: Callable[[], Future[Any]]) -> Future[Any]:
        """The answer under way or already there; else *begin* asks AWS."""
        with self._lock:
            if key not in self._answers:
                self._answers[key] = begin()
            return self._answers[key]

    def forget(self, service: str) -> None:
        """A write to *service* has made its answers old."""
        with self._lock:
            for key in [key for key in self._answers if key[0] == service]:
                del self._answers[key]

    def clear(self) -> None:
        """No answer is known any more."""
        with self._lock:
            self._answers.clear()


class Reading:
    """A question on its way. It is answered when one of the methods is called."""

    def __init__(self, answer: Future[Any], operation: str):
        self._answer = answer
        self._operation = operation

    def all(self) -> Any:
        """The whole answer. Raises what AWS answered, or what the network did."""
        return self._answer.result()

    def get(self, key: str) -> Any:
        """The value of *key*, which the service's model promises. Raises Incomplete without it."""
        return self._promised(self.all(), key)

    def found(self, *absent: str) -> Any:
        """The whole answer, or None if AWS answers with one of the *absent* codes."""
        try:
            return self.all()
        except ClientError as error:
            if code_of(error) and code_of(error) in absent:
                return None
            raise

    def value(self, key: str, *absent: str) -> Any:
        """The value of *key*, or None if AWS answers with one of the *absent* codes."""
        answer = self.found(*absent)
        return None if answer is None else self._promised(answer, key)

    def _promised(self, answer: Any, key: str) -> Any:
        if key not in answer:
            raise Incomplete(
                f"AWS answered {self._operation} without `{key}`, as a broken connection would; run again"
            )
        return answer[key]


class Reader:
    """Asks a service: ``read.get_trail(Name=n)`` is a Reading, already on its way."""

    def __init__(self, ask: Callable[[str, dict[str, Any]], Reading]):
        self._ask = ask

    def __getattr__(self, operation: str) -> Callable[..., Reading]:
        return lambda **params: self._ask(operation, params)


class Writer:
    """Names a request without making it: ``write.put_x(A=1)`` is a Call."""

    def __init__(self, service: str, region: str | None):
        self._service = service
        self._region = region

    def __getattr__(self, operation: str) -> Callable[..., Call]:
        return lambda **params: Call(self._service, operation, params, self._region)


@dataclass(frozen=True)
class Identity:
    """Who calls, and in which partition. *arn* is the caller's."""

    account: str
    partition: str
    arn: str


class Aws:
    """AWS as seen from one target."""

    def __init__(
        self,
        target: Target,
        cloud: Cloud,
        memory: Memory,
        readers: Readers | None = None,
    ):
        self.target = target
        self._readers: Readers = readers or cloud.readers
        self.account, self.region, self.partition = target.account, target.region, target.partition
        self.central, self.archive = target.central or target.account, target.archive or target.account
        self._cloud = cloud
        self._memory = memory

    def read(self, service: str, region: str | None = None) -> Reader:
        """Ask *service*, in the Region of the target unless another is named."""
        where = region or self.region

        def ask(operation: str, params: dict[str, Any]) -> Reading:
            key = (service, where, operation, repr(sorted(params.items())))
            question = (self.target, service, where, operation, params)
            answer = self._memory.ask(key, lambda: self._readers.submit(self._cloud.read, *question))
            return Reading(answer, operation)

        return Reader(ask)

    def write(self, service: str, region: str | None = None) -> Writer:
        """Describe a request to *service*."""
        return Writer(service, region)

    def send(self, call: Call) -> Any:
        """Make the call for real. Raises Again when it must be found out what AWS has now."""
        region = call.region or self.region
        self._checked(call)
        try:
            return self._cloud.write(
                self.target, call.service, region, call.operation, dict(call.params), call.waits
            )
        except ClientError as error:
            if code_of(error) in call.done:
                raise OutcomeUnknown(error, by_others=True) from error
            raise
        finally:
            self._memory.forget(call.service)

    def rehearse(self, call: Call) -> Any:
        """Check the call against AWS's own model, and answer with pending values."""
        from .check import pending

        return pending(self._checked(call).output_shape)

    def _checked(self, call: Call) -> Any:
        from .check import check

        meta = self._cloud.client(call.service, call.region or self.region).meta
        model = meta.service_model.operation_model(meta.method_to_api_mapping[call.operation])
        check(dict(call.params), model)
        return model

    def forget(self) -> None:
        """Everything is read anew from here on."""
        self._memory.clear()

    def operation_name(self, call: Call) -> str:
        """AWS's name of the call's operation, as in CloudTrail and IAM: `UpdateTrail`."""
        meta = self._cloud.client(call.service, call.region or self.region).meta
        return str(meta.method_to_api_mapping[call.operation])

    def pause(self, seconds: float) -> None:
        """Let *seconds* pass, or less if the user interrupts."""
        self._cloud.clock.sleep(seconds)


def identify(cloud: Cloud, region: str) -> Identity:
    """Who the credentials belong to: one call to STS in *region*.

    Raises botocore's errors for credentials that are missing, wrong or expired.
    """
    answer = cloud.read(Target("", region), "sts", region, "get_caller_identity", {})
    return Identity(answer["Account"], answer["Arn"].split(":")[1], answer["Arn"])
