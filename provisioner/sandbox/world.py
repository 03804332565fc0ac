"""One open sandbox: every request, in process or over HTTP, passes `World.exchange`."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

from . import denial, responses, rule, seed, store, wire
from .ask import Request
from .callers import caller
from .dispatch import dispatch
from .model import Fault, Refused, Response, WireCall
from .switches import Switches


class World(Switches):
    """A sandbox: an organization with its accounts, and the state of each."""

    account_id = seed.MANAGEMENT

    def __init__(self, path: Path | None = None, *, without: Collection[str] = ()) -> None:
        self.calls: list[WireCall] = []
        self.notice: str | None = None
        self.memory: dict[str, Any] = {}
        self.dirty = False  # a read has changed the state, as AWS does by itself over time
        self._set_switches()
        self._rules = rule.rule_set(without)
        self._lock = RLock()
        self._file = store.StateFile(path) if path else None

    @property
    def writes(self) -> list[WireCall]:
        """The calls of operations that change something, including failed ones."""
        return [call for call in self.calls if call.writes]

    def regions_written(self, account: str) -> set[str]:
        """The Regions in which the account has successful writes."""
        return {region for owner, region in self.memory.get("written", {}) if owner == account}

    def reset(self) -> None:
        """Restore the initial state: no resources, no recorded calls, no faults."""
        with self._locked():
            self._populate()
            self._save()
            self.calls.clear()
            self._set_switches()

    def organization(
        self,
        accounts: int = 50,
        *,
        units: Mapping[str, int] | None = None,
        states: Mapping[str, str] | None = None,
        tags: seed.Tags | None = None,
    ) -> tuple[seed.Member, ...]:
        """Grow the organization to that many accounts, in nested OUs and with tags, and return all of them.

        *units* is the number of new accounts in each OU: `{"Workloads": 30, "Workloads/Prod": 10}`; the rest are in the root.
        *states* is the `State` of new accounts by OU, if not ACTIVE; by default those in `Suspended` are SUSPENDED. Each account
        has the role OrganizationAccountAccessRole. Ids, names and tags are the same each time. Raises `SandboxError` if there are
        more accounts already, or *units* has more than there are to be.
        """
        with self._locked():
            found = seed.add_accounts(accounts, units, states, tags)
            self._save()
        return found

    def standalone(self, account: str) -> None:
        """Create an account outside of the organization, with the role OrganizationAccountAccessRole.

        Raises `SandboxError` if the account is in the organization.
        """
        with self._locked():
            seed.add_standalone(account)
            self._save()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Load this world's state into moto until the block ends, and clear moto after it."""
        store.forget()
        try:
            with self._file.locked() if self._file else nullcontext():
                if not self._load(self._file.read() if self._file else None):
                    self._populate()
                    self._save()
            yield
        finally:
            store.forget()
            if self._file:
                self._file.close()

    def exchange(self, method: str, url: str, headers: Any, body: Any, account: str = "") -> Response:
        """The response to one HTTP request; its effect is saved before it is returned."""
        plain = {str(k): v.decode() if isinstance(v, bytes) else str(v) for k, v in headers.items()}
        named = next((v for k, v in plain.items() if k.lower() == "x-amz-account-id"), account)
        aws_url = wire.normal_url(url, wire.credential(plain), named)
        with self._locked():
            return self._answer(wire.understand(self, method, aws_url, plain, body))

    def _answer(self, request: Request) -> Response:
        who, params = caller(request).arn, dict(request.params)
        call = WireCall(
            request.account, request.region, request.service, request.operation, params, caller=who
        )
        place = len(self.calls)
        self.calls.append(call)
        code: str | None = "ConnectionError"
        try:
            answer = self._interrupted(request, call, "before")
            if answer is None:
                answer = self._effect(request, call)
                code = responses.error_code(request, answer)
                answer = self._interrupted(request, replace(call, code=code), "after") or answer
            code = responses.error_code(request, answer)
            return answer
        finally:
            self.calls[place] = replace(call, code=code)

    def moto(self, request: Request) -> Response:
        """Moto's response to the request."""
        return dispatch(request)

    def _effect(self, request: Request, call: WireCall) -> Response:
        """The response, with its effect recorded and saved."""
        try:
            self._check_access(request)
        except Refused as error:
            return self._refused(request, responses.error_response(request, error), writes=call.writes)
        service = (request.account, request.service)
        question = f"{request.operation} {dict(request.params)}" if self.flapping else request.operation
        if not call.writes and (old := self._stale_state(service, question)):
            return self._stale_response(request, old)
        old = store.capture(self.memory) if call.writes and self.stale_reads else None
        answer = self._refused(request, self._perform(request, writes=call.writes), writes=call.writes)
        if old is not None and answer.status < 300:
            self._stale[service] = (old, Counter())
        if call.writes or self.dirty or request.operation.startswith("AssumeRole"):
            self._save()
        return answer

    def _stale_state(self, service: tuple[str, str], question: str) -> bytes | None:
        """The state before the last write to a service, if this read is to be answered from it."""
        old, reads = self._stale.get(service, (None, Counter[str]()))
        if old is None or reads[question] >= self.stale_reads:
            return None
        reads[question] += 1
        return None if self.flapping and reads[question] % 2 == 0 else old

    def _stale_response(self, request: Request, old: bytes) -> Response:
        now = store.capture(self.memory)
        self.memory = store.restore(old)
        try:
            return self._perform(request, writes=False)
        finally:
            self.dirty = False
            self.memory = store.restore(now)

    def _perform(self, request: Request, *, writes: bool) -> Response:
        """The response of the rules and moto; a successful write is recorded in the event history."""
        try:
            answer = self._rules_around_moto(request)
            if writes and answer.status < 300:
                request.saved("written")[request.account, request.region] = True
                for part in self._rules.find("*", "written", "after"):
                    part(request, {"ResponseElements": responses.elements(request, answer)})
        except Refused as error:
            return responses.error_response(request, error)
        except Exception as defect:  # noqa: BLE001 a defect of the sandbox must not look like an AWS outage
            where = traceback.extract_tb(defect.__traceback__)[-1]
            text = f"{type(defect).__name__}: {defect} in {Path(where.filename).name}:{where.lineno}"
            return responses.error_response(request, Refused("SandboxDefect", text, 501))
        return answer

    def _refused(self, request: Request, answer: Response, *, writes: bool) -> Response:
        """The same response; a write that was refused is recorded in the event history."""
        if writes and answer.status >= 300:
            for part in self._rules.find("*", "refused", "after"):
                part(request, {"Code": responses.error_code(request, answer)})
        return answer

    def _check_access(self, request: Request) -> None:
        """Raise `Refused` for a caller that AWS does not know or does not let in. Not affected by stale reads."""
        if self.expired:
            raise denial.expired(request.protocol)
        for part in self._rules.find("*", "*", "before"):
            part(request)
        for one in self._denials:
            if one.fits(request):
                raise one.refusal(request)

    def _rules_around_moto(self, request: Request) -> Response:
        """The response of moto, or of the rule that replaces it, between the other rules of the operation."""
        find = self._rules.find
        for part in find(request.service, request.operation, "before"):
            part(request)
        own = find(request.service, request.operation, "instead")
        result = own[-1](request) if own else request.moto()
        ends = find(request.service, request.operation, "after")
        if isinstance(result, Response):
            if result.status >= 300 or not ends:
                return result
            if request.protocol not in {"json", "rest-json"}:
                for part in ends:
                    part(request, {})
                return result
            result = json.loads(result.body or b"{}")
        for part in ends:
            part(request, result)
        return responses.success(request, result)

    def _interrupted(self, request: Request, call: WireCall, phase: Any) -> Response | None:
        for interrupt in self._interrupts:
            fault = interrupt(call, phase)
            if isinstance(fault, Fault):
                return responses.error_response(request, Refused(fault.code, fault.message, fault.status))
        return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the locks of this process and of the state file, with the newest state loaded."""
        with self._lock, self._file.locked() if self._file else nullcontext():
            if self._file and (blob := self._file.changed()) is not None:
                self._load(blob)
            yield

    def _load(self, blob: bytes | None) -> bool:
        """Load a saved state into moto; False if there is none that can be used."""
        if blob is None:
            return False
        if not blob.startswith(store.STAMP):
            self.notice = "the saved sandbox is of another version: started empty"
            return False
        try:
            self.memory = store.restore(blob[len(store.STAMP) :])
        except Exception as broken:  # noqa: BLE001 a damaged pickle raises anything
            self.notice = f"the saved sandbox cannot be read ({type(broken).__name__}): started empty"
            return False
        return True

    def _populate(self) -> None:
        store.forget()
        self.memory = {}
        seed.populate(self.memory)

    def _save(self) -> None:
        self.dirty = False
        if self._file:
            self._file.write(store.capture(self.memory))
