"""The AWS API that a step sees: reads that start at once in the background, and writes that are only described.

Nothing is read twice in a run: a repeated read is answered from memory, until a write to that service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from ..model import Call, Target
from .errors import ClientError, Incomplete, OutcomeUnknown, code_of
from .reading import ReadCache, Reader, Reading

if TYPE_CHECKING:
    from .cloud import Cloud

_CALLER_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?:iam|sts)::(?P<account>[0-9]{12}):.+")
# One endpoint in a partition, and the same answer in each Region: it is asked once.
_GLOBAL = frozenset({"organizations"})
_CONFIRM_PAUSES = (1.0, 1.0, 2.0, 4.0, *[8.0] * 22)  # seconds, three minutes in all
_CHANGE_PAUSES = (1.0, 1.0, 2.0, 4.0, *[8.0] * 7)  # seconds, a minute in all


class Writer:
    """Describes requests to one service: ``write.put_x(A=1)`` returns a Call, and sends nothing."""

    def __init__(self, service: str, region: str | None):
        self._service = service
        self._region = region

    def __getattr__(self, operation: str) -> Callable[..., Call]:
        return lambda **params: Call(self._service, operation, params, self._region)


@dataclass(frozen=True)
class Identity:
    """The caller: its account, the partition, and its ARN."""

    account: str
    partition: str
    arn: str


class Aws:
    """AWS as one target sees it: its account, and its Region unless a call names another."""

    def __init__(self, target: Target, cloud: Cloud, memory: ReadCache, readers: Executor | None = None):
        self.target = target
        self.account, self.region, self.partition = target.account, target.region, target.partition
        self.central, self.archive = target.central or target.account, target.archive or target.account
        self._cloud = cloud
        self._memory = memory
        self._readers = readers or cloud.readers
        # The resources that the step has created, perhaps, and may fill with defaults of ours.
        self.created: set[str] = set()
        # The names that AWS has given to resources of this run, by those in the file: it may not show new ones at once.
        self.made = memory.made
        # A read that nobody awaits must not enter the account again.
        self._visit = cloud.visit(target.account)

    def read(self, service: str, region: str | None = None) -> Reader:
        """Return a Reader of *service*."""
        asked_in = cached_in = region or self.region
        if service in _GLOBAL:
            asked_in, cached_in = self._cloud.event_region(service, asked_in), ""

        def ask(operation: str, params: dict[str, Any]) -> Reading:
            key = (service, cached_in, operation, repr(sorted(params.items())))

            def call(**changed: Any) -> Any:
                given = {**params, **changed}
                return self._cloud.read(self.target, service, asked_in, operation, given, self._visit)

            return Reading(self._memory.ask(key, lambda: self._readers.submit(call)), operation, call)

        return Reader(ask)

    def offers(self, service: str, region: str | None = None) -> bool:
        """Whether *service* exists in the Region, as far as botocore knows."""
        return self._cloud.offers(service, region or self.region)

    def event_region(self, service: str) -> str:
        """The Region in whose event bus calls to *service* are seen: this one, or that of a global service."""
        return self._cloud.event_region(service, self.region)

    def write(self, service: str, region: str | None = None) -> Writer:
        """Return a Writer for *service*."""
        return Writer(service, region)

    def send(self, call: Call) -> Any:
        """Make the call, and return AWS's answer.

        Raises OutcomeUnknown where AWS must be read again to know what it has now, and what `Cloud.write` raises.
        """
        self._check(call)
        try:
            return self._cloud.write(self.target, call)
        except ClientError as error:
            if code_of(error) in call.done and call.done_text in str(error):
                raise OutcomeUnknown(error, already_exists=True) from error
            raise
        finally:
            self._memory.forget(call.service)

    def fire(self, call: Call) -> Any:
        """Make a call of `verify --fire`, and return AWS's answer. Raises RuntimeError for any other operation that writes."""
        self._check(call)
        try:
            return self._cloud.write(self.target, call, fire=True)
        finally:
            self._memory.forget(call.service)

    def rehearse(self, call: Call) -> Any:
        """Check the call against AWS's own model, and return an answer of pending values."""
        self._check(call)
        return self.pending(call)

    def pending(self, call: Call) -> Any:
        """Return an answer to the call in which every value is still unknown."""
        from .check import pending

        return pending(self._model(call).output_shape)

    def _check(self, call: Call) -> None:
        """Check the call's parameters against botocore's model of the operation."""
        from .check import check

        check(dict(call.params), self._model(call))

    def _model(self, call: Call) -> Any:
        service_model = self._cloud.client(call.service, call.region or self.region).meta.service_model
        return service_model.operation_model(self.operation_name(call))

    def forget(self) -> None:
        """Forget all answers, so that everything is read again."""
        self._memory.clear()

    def call(self, service: str, name: str, params: Mapping[str, Any], region: str) -> Call:
        """Return a request by AWS's name of its operation."""
        return Call(service, xform_name(name), params, region)

    def operation_name(self, call: Call) -> str:
        """Return the name of the call's operation as CloudTrail and IAM write it, such as `UpdateTrail`."""
        meta = self._cloud.client(call.service, call.region or self.region).meta
        return str(meta.method_to_api_mapping[call.operation])

    def confirm(self, reading: Reading, in_sync: Callable[[], bool]) -> None:
        """Make sure that *reading* is what AWS has, for a setting of which AWS may answer with an earlier value.

        An answer that is not *in_sync* counts once two in a row are the same; the last one is then that of *reading*.
        Raises Incomplete if they still differ after three minutes.
        """
        for pause in _CONFIRM_PAUSES:
            if in_sync():
                return
            self.pause(pause)
            if not reading.refresh():
                return
        raise Incomplete(
            "AWS answers the same question now with one value and now with another; run again in some minutes"
        )

    def await_changes(self, readings: Sequence[Reading], until: str) -> None:
        """Ask again until each of *readings* has another answer, for a minute at most. Each then has the last one.

        *until* tells the user what is waited for.
        """
        from .options import Waiting

        left = [each for each in readings if not each.refresh()]
        waited = 0.0
        for pause in _CHANGE_PAUSES:
            if not left or self._cloud.stop.is_set():
                return
            self._cloud.on_wait(Waiting(self.target, "", until, waited, sum(_CHANGE_PAUSES)))
            self.pause(pause)
            waited += pause
            left = [each for each in left if not each.refresh()]

    def pause(self, seconds: float) -> None:
        """Sleep for *seconds*, or less if the user interrupts."""
        self._cloud.clock.sleep(seconds)


def identify(cloud: Cloud, region: str) -> Identity:
    """Return the owner of the credentials, whom GetCallerIdentity names, mostly of STS in *region*.

    Raises botocore's errors for credentials that are missing, wrong or expired, and Incomplete for half an answer.
    """
    answer = cloud.ask_sts(region, "get_caller_identity", {})
    found = _CALLER_ARN.fullmatch(str(answer.get("Arn")))
    if found is None or answer.get("Account") != found["account"]:
        raise Incomplete("AWS answered GetCallerIdentity without an account and its ARN; run again")
    return Identity(found["account"], found["partition"], answer["Arn"])
