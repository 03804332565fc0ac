"""Answer requests, bytes in and bytes out. The answer to a request that was seen before is a lookup and a join."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from time import monotonic
from typing import Final

from provisioner.sandbox.seed import MANAGEMENT

from . import replies
from .faults import FAULTS, Faults
from .recorder import (
    DRIFTED,
    HOME,
    IN_SYNC,
    OTHER_REGION,
    ROLE,
    SESSION,
    TOKEN,
    Recorded,
    Recorder,
    Request,
)
from .replies import Reply
from .signatures import signed
from .state import State

_ASSUMED: Final = re.compile(rb"(?:^|&)RoleArn=arn%3Aaws%3Aiam%3A%3A(\d{12})%3Arole%2F([^&]+)")
_SESSION: Final = re.compile(rb"(^|&)RoleSessionName=([^&]+)")
_DURATION: Final = re.compile(rb"(?:^|&)DurationSeconds=(\d+)")
_TOKEN: Final = TOKEN.lower()
_SAMPLES: Final = {each: each.encode() for each in (MANAGEMENT, IN_SYNC, DRIFTED)}

# Fault or "", sample account, Region, service, request line, X-Amz-Target, body.
Key = tuple[str, str, bytes, bytes, bytes, bytes, bytes]


class Organization:
    """Answers for all accounts. *accounts* begin with the management account, *regions* with the home Region."""

    def __init__(
        self,
        recorder: Recorder,
        accounts: Sequence[str],
        regions: Sequence[str],
        state: State,
        faults: Faults,
    ):
        self.replies: dict[Key, Reply] = {}
        self.resets = 0
        self.recordings = 0  # answers that the sandbox gave
        self.unsigned: Callable[[bytes], bytes] = lambda head: b""
        self.checks_signatures = False
        self.accounts, self.regions, self.state = accounts, [*regions, "other Regions"], state
        self._recorder = recorder
        self._recorded: dict[tuple[Key, str], Recorded] = {}
        self._account_index = {each.encode(): index for index, each in enumerate(accounts)}
        self._region_index = {each.encode(): index for index, each in enumerate(regions)}
        self._intervals = [1 / each for each in state.rates]
        services = {each.regional: each.service.encode() for each in recorder.drifts}
        self._account_drift, self._region_drift = services.get(False, b""), services.get(True, b"")
        self._faults = faults
        self._denied = faults.account.encode(), faults.region.encode()
        self._random = Random(1)  # noqa: S311 - it must be reproducible
        self._number = 0

    def __call__(self, head: bytes, low: bytes, body: bytes) -> bytes | None:
        """The answer to a request, or None to reset the connection. *low* is *head* in lower case."""
        at = low.find(b"credential=")
        scope = low[at + 11 : low.find(b"/aws4_request", at)].split(b"/")
        if at < 0 or len(scope) != 4:
            return self.unsigned(head)
        key_id, _, region, service = scope
        id_, account, fault = _SAMPLES[MANAGEMENT], 0, ""
        if key_id.startswith(b"asia"):
            id_ = key_id[4:16]
            account = self._account_index.get(id_, 0)
            if not account or _TOKEN + id_ not in low:  # no token, or that of another account
                fault = "unknown"
            elif region == self._denied[1]:
                fault = "denied"
        if self.checks_signatures and not fault and not signed(head, body, id_.decode() if account else None):
            fault = "unsigned"
        at_region = self._region_index.get(region, len(self._region_index))
        if service == b"sts" and b"Action=AssumeRole&" in body:
            return self._assume_role(head, body, region, at_region, fault or ("denied" if account else ""))
        sample = self._sample(service, account, at_region)
        line = head[: head.find(b"\r\n")]
        if account:
            body, line = (text.replace(id_, _SAMPLES[sample]) for text in (body, line))
        at = low.find(b"\r\nx-amz-target:")
        target = low[at + 15 : at + 120].partition(b"\r")[0] if at > 0 else b""
        key = (fault, sample, region, service, line, target, body)
        reply = self._reply(key, account, at_region, head)
        return reply.filled(id_, b"%012d" % self._number) if reply else None

    def _sample(self, service: bytes, account: int, region: int) -> str:
        """The sample account that answers for this one, given the service and the Region."""
        if not account:
            return MANAGEMENT
        state = self.state
        if service == self._account_drift and state.account_drift[account]:
            return DRIFTED
        if service == self._region_drift and state.region_drift[account] == region + 1:
            return DRIFTED
        return IN_SYNC

    def _reply(self, key: Key, account: int, region: int, head: bytes) -> Reply | None:
        """The reply to send, which a rate limit or an injected fault may replace; None for a reset connection."""
        reply = self._known(key, region, head)
        self._number += 1
        if not self._within_rate(reply, account, region):
            return self._given(("throttled", *key[1:]), region, head)
        chance = self._random.random() if self._faults.resets or self._faults.errors else 1.0
        reset = chance < self._faults.resets
        if not reset and chance < self._faults.resets + self._faults.errors:
            return self._given(("broken", *key[1:]), region, head)
        state = self.state
        if reply.repairs is not None and not reply.repairs.regional:
            state.account_drift[account] = 0
        elif reply.repairs is not None and state.region_drift[account] == region + 1:
            state.region_drift[account] = 0
        if reset:  # after the effect: the caller cannot know whether there was one
            self.resets += 1
            return None
        reply.given += 1
        return reply

    def _within_rate(self, reply: Reply, account: int, region: int) -> bool:
        """Take a call from the bucket, which holds the calls of one second and at least one."""
        state, now = self.state, monotonic()
        bucket = (account * state.regions + region) * len(state.rates) + reply.bucket
        interval = self._intervals[reply.bucket]
        due = max(state.due[bucket], now)
        if due - now + interval > max(1.0001, interval):
            return False
        state.due[bucket] = due + interval
        state.given[bucket] += 1
        return True

    def _given(self, key: Key, region: int, head: bytes) -> Reply:
        reply = self._known(key, region, head)
        reply.given += 1
        return reply

    def _known(self, key: Key, region: int, head: bytes) -> Reply:
        return self.replies.get(key) or self._record(key, region, head)

    def _assume_role(
        self, head: bytes, body: bytes, region: bytes, at_region: int, fault: str
    ) -> bytes | None:
        """Credentials of a member, for a caller in the management account."""
        assumed, named, duration = _ASSUMED.search(body), _SESSION.search(body), _DURATION.search(body)
        account, role = assumed.groups() if assumed else (b"", b"")
        if role != ROLE.encode() or account not in self._account_index or account == self._denied[0]:
            fault = fault or "denied"
        sample = body.replace(account, _SAMPLES[IN_SYNC]) if account else body
        sample = _SESSION.sub(rb"\1RoleSessionName=" + SESSION, sample)
        line = head[: head.find(b"\r\n")]
        key = (fault, MANAGEMENT, region, b"sts", line, b"", sample)
        reply = self._reply(key, 0, at_region, head)
        if reply is None:
            return None
        session, seconds = named[2] if named else b"", int(duration[1]) if duration else 3600
        return replies.with_session(reply, account, b"%012d" % self._number, session, seconds)

    def _record(self, key: Key, at_region: int, head: bytes) -> Reply:
        """Ask the sandbox, as the sample account in the sample Region, and keep the reply."""
        fault, sample, region, service, line, target, body = key
        in_other = 0 < at_region < len(self._region_index)
        if in_other:
            line, body = (text.replace(region, OTHER_REGION.encode()) for text in (line, body))
        asked_in = OTHER_REGION if in_other else region.decode() if at_region else HOME
        method, path, _ = line.decode().split(" ")
        headers = _headers(head)
        request = Request(sample, asked_in, service.decode(), method, path, headers, body)
        if sample == DRIFTED and self._recorder.writes(request):
            # The drifted sample must stay drifted, so the repair is made in the one in sync.
            sample = IN_SYNC
            line, body = (text.replace(_SAMPLES[DRIFTED], _SAMPLES[IN_SYNC]) for text in (line, body))
            request = replace(request, account=sample, path=line.decode().split(" ")[1], body=body)
        if "X-Amz-Account-Id" in headers:  # that of the caller
            headers["X-Amz-Account-Id"] = sample
        common = (fault, sample, b"", service, line, target, body), asked_in
        recorded = self._recorded.get(common)
        if recorded is None:
            recorded = self._recorded[common] = self._recorder.record(request, FAULTS.get(fault))
            self.recordings += 1
        if service == b"sts" and b"Action=AssumeRole&" in body:
            reply = replies.credentials_reply(recorded)
        else:
            reply = replies.reply(recorded, region)
        self.replies[key] = reply
        return reply


def _headers(head: bytes) -> dict[str, str]:
    lines = (each.partition(":") for each in head.decode("latin-1").split("\r\n")[1:])
    return {name.title(): value.strip() for name, _, value in lines}
