"""One open sandbox: every request passes `World.exchange`, whichever door it came through."""

from __future__ import annotations

import json
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

from . import answers, denial, rule, seed, store, wire
from .ask import Ask
from .callers import caller
from .dispatch import dispatch
from .switches import Switches
from .words import Answer, Fault, Refused, WireCall


class World(Switches):
    """A small AWS: an organization, its accounts, and what was done to them."""

    account_id = seed.MANAGEMENT

    def __init__(self, path: Path | None = None, *, without: Collection[str] = ()) -> None:
        self.calls: list[WireCall] = []
        self.notice: str | None = None
        self.memory: dict[str, Any] = {}
        self.dirty = False  # a read has changed something: time goes by for what AWS does by itself
        self._set_switches()
        self._book = rule.book(without)
        self._lock = RLock()
        self._file = store.File(path) if path else None

    @property
    def writes(self) -> list[WireCall]:
        """The calls whose operation changes something, whether they succeeded or not."""
        return [call for call in self.calls if call.writes]

    def regions_written(self, account: str) -> set[str]:
        """The Regions in which something was changed in the account."""
        return {region for owner, region in self.memory.get("written", {}) if owner == account}

    def reset(self) -> None:
        """The sandbox is as new: no calls, no faults, and the accounts hold nothing."""
        with self._alone():
            self._plant()
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
        """The organization has so many accounts, in nested OUs and with tags; the answer is all of them.

        *units* is how many new accounts are in which OU: `{"Workloads": 30, "Workloads/Prod": 10}`; the rest are in
        the root. *states* is the `State` of the new accounts of an OU that are not ACTIVE; without it those in
        `Suspended` are SUSPENDED. Each has the role OrganizationAccountAccessRole. Ids, names and tags are the
        same each time. Raises `SandboxError` for less than there are, or more in *units* than there shall be.
        """
        with self._alone():
            found = seed.grow(accounts, units, states, tags)
            self._save()
        return found

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Moto holds this world's state until the block ends, and nothing after it."""
        store.forget()
        try:
            with self._file.locked() if self._file else nullcontext():
                if not self._load(self._file.read() if self._file else None):
                    self._plant()
                    self._save()
            yield
        finally:
            store.forget()
            if self._file:
                self._file.close()

    def exchange(self, method: str, url: str, headers: Any, body: Any, account: str = "") -> Answer:
        """The answer to one HTTP request; its effect is on disk before it is given."""
        plain = {str(k): v.decode() if isinstance(v, bytes) else str(v) for k, v in headers.items()}
        target = wire.normal_url(url, wire.credential(plain), plain.get("x-amz-account-id", account))
        with self._alone():
            return self._answer(wire.understand(self, method, target, plain, body))

    def _answer(self, ask: Ask) -> Answer:
        who, params = caller(ask).arn, dict(ask.params)
        call = WireCall(ask.account, ask.region, ask.service, ask.operation, params, caller=who)
        place = len(self.calls)
        self.calls.append(call)
        code: str | None = "ConnectionError"
        try:
            answer = self._interrupted(ask, call, "before")
            if answer is None:
                answer = self._effect(ask, call)
                code = answers.error_code(ask, answer)
                answer = self._interrupted(ask, replace(call, code=code), "after") or answer
            code = answers.error_code(ask, answer)
            return answer
        finally:
            self.calls[place] = replace(call, code=code)

    def moto(self, ask: Ask) -> Answer:
        """What moto answers to the request."""
        return dispatch(ask)

    def _effect(self, ask: Ask, call: WireCall) -> Answer:
        """The answer, with its effect recorded and saved."""
        try:
            self._let_in(ask)
        except Refused as error:
            return answers.refuse(ask, error)
        if not call.writes and (old := self._stale.before(ask, self.stale_reads)):
            return self._in_the_past(ask, old)
        was = store.capture(self.memory) if call.writes and self.stale_reads else None
        answer = self._perform(ask, writes=call.writes)
        if call.writes and answer.status < 300:
            self._stale.wrote(ask, was)
        if call.writes or self.dirty or ask.operation.startswith("AssumeRole"):
            self._save()
        return answer

    def _in_the_past(self, ask: Ask, old: bytes) -> Answer:
        now = store.capture(self.memory)
        self.memory = store.restore(old)
        try:
            return self._perform(ask, writes=False)
        finally:
            self.dirty = False
            self.memory = store.restore(now)

    def _perform(self, ask: Ask, *, writes: bool) -> Answer:
        """What AWS would do; a write that succeeded is in the event history."""
        try:
            answer = self._rules_around_moto(ask)
            if writes and answer.status < 300:
                ask.note("written")[ask.account, ask.region] = True
                for part in self._book.written():
                    part(ask, {})
        except Refused as error:
            return answers.refuse(ask, error)
        except Exception as defect:  # noqa: BLE001 a mistake of ours must not look like an AWS that is away
            where = traceback.extract_tb(defect.__traceback__)[-1]
            text = f"{type(defect).__name__}: {defect} in {Path(where.filename).name}:{where.lineno}"
            return answers.refuse(ask, Refused("SandboxDefect", text, 501))
        return answer

    def _let_in(self, ask: Ask) -> None:
        """Raise `Refused` for a caller that AWS does not know, or not now. Stale reads do not reach back here."""
        denial.check_credentials(ask)
        for part in self._book.gate():
            part(ask)
        denial.check(self._denials, ask)

    def _rules_around_moto(self, ask: Ask) -> Answer:
        find = self._book.find
        for part in find(ask.service, ask.operation, "before"):
            part(ask)
        own = find(ask.service, ask.operation, "instead")
        result = own[-1](ask) if own else ask.moto()
        ends = find(ask.service, ask.operation, "after")
        if isinstance(result, Answer):
            if result.status >= 300 or not ends:
                return result
            if ask.protocol not in {"json", "rest-json"}:
                for part in ends:
                    part(ask, {})
                return result
            result = json.loads(result.body or b"{}")
        for part in ends:
            part(ask, result)
        return answers.succeed(ask, result)

    def _interrupted(self, ask: Ask, call: WireCall, phase: Any) -> Answer | None:
        for interrupt in self._interrupts:
            fault = interrupt(call, phase)
            if isinstance(fault, Fault):
                return answers.refuse(ask, Refused(fault.code, fault.message, fault.status))
        return None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else reads or writes meanwhile, and the state is the newest."""
        with self._lock, self._file.locked() if self._file else nullcontext():
            if self._file and (blob := self._file.changed()) is not None:
                self._load(blob)
            yield

    def _load(self, blob: bytes | None) -> bool:
        """Whether moto now holds what was in the file."""
        if blob is None:
            return False
        if not blob.startswith(store.STAMP):
            self.notice = "the saved sandbox is of another version: started empty"
            return False
        try:
            self.memory = store.restore(blob[len(store.STAMP) :])
        except Exception as broken:  # noqa: BLE001 whatever a damaged pickle raises
            self.notice = f"the saved sandbox cannot be read ({type(broken).__name__}): started empty"
            return False
        return True

    def _plant(self) -> None:
        store.forget()
        self.memory = {}
        seed.plant(self.memory)

    def _save(self) -> None:
        self.dirty = False
        if self._file:
            self._file.write(store.capture(self.memory))
