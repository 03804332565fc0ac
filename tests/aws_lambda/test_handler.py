"""Tests of the Lambda function, alone and called by the example's state machine, on an organization behind HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner.aws_lambda import handler
from provisioner.aws_lambda.answer import MAX_BYTES, accounts_answer
from provisioner.model import Account, Call, Change, Difference, Outcome, Refused, Result, Target
from provisioner.report.json import account_json
from provisioner.sandbox.world import World

from ..conftest import EXAMPLE, ROOT
from .conftest import PLENTY, SECRET, TEXT, WITH_RULE, WORKLOAD, Time, rule_after_recorders

MACHINE = json.loads((ROOT / "scripts" / "step-functions.example.json").read_text())


def organization(command: str = "diff", **given: Any) -> dict[str, Any]:
    return handler({"part": "organization", "command": command, **given}, PLENTY)


def summary(accounts: int, *, in_sync: int = 0, drifted: int = 0, changed: int = 0) -> dict[str, Any]:
    """A summary without failures."""
    return {"accounts": accounts, "in_sync": in_sync, "drifted": drifted, "changed": changed, "failed": []}


def fields(results: list[dict[str, Any]]) -> list[list[Any]]:
    """The differences in each account."""
    return [[(c["resource"], c["differences"]) for c in each["changes"]] for each in results]


def accounts(
    begun: Mapping[str, Any], command: str = "diff", time: Time = PLENTY, **given: Any
) -> dict[str, Any]:
    shared = {key: begun[key] for key in ("failed_needs", "overrides")}
    event = {"part": "accounts", "command": command, **shared, "Items": begun["accounts"], **given}
    return handler(event, time)


def test_a_run_in_parts_applies_the_baseline(world: World) -> None:
    diff = organization()
    assert diff["accounts"] == [
        {"id": "111122223333"},
        {"id": "123456789012"},
        {"id": WORKLOAD, "overrides": [0]},
    ]
    assert (diff["failed_needs"], diff["skipped"]) == ({}, 1)
    assert diff["result"]["state"] == "drifted"
    assert world.writes == []
    begun = organization("apply")
    assert begun["result"]["state"] == "changed"
    assert "CreateBucket" in {each["call"]["operation"] for each in begun["result"]["changes"]}
    drifted = accounts(begun)
    assert drifted["summary"] == summary(3, drifted=3)
    done = accounts(begun, "apply")
    assert done["summary"] == summary(3, changed=3)
    assert fields(done["results"]) == fields(drifted["results"])
    password = next(each for each in done["results"][2]["changes"] if each["step"] == "password_policy")
    length = {"field": "MinimumPasswordLength", "have": None, "want": 20}
    assert (password["account"], length in password["differences"]) == (WORKLOAD, True)
    assert SECRET not in json.dumps([drifted, done])
    assert "${env:RECORDER}" in json.dumps(done)
    writes = len(world.writes)
    again = accounts(organization("apply"), "apply")
    assert again["summary"] == summary(3, in_sync=3)
    assert accounts(begun, "verify")["unfinished"] == []
    assert len(world.writes) == writes


def test_a_failed_account_does_not_stop_others(world: World) -> None:
    begun = organization("apply")
    world.deny("sts", "AssumeRole")
    done = accounts(begun, "apply")
    assert done["summary"]["failed"] == ["111122223333", WORKLOAD]
    assert "role/OrganizationAccountAccessRole" in done["results"][0]["failures"][0]["doing"]


@pytest.mark.usefixtures("event_baseline")
def test_loosening_needs_allow_in_the_event(world: World) -> None:
    begun = organization("apply")
    accounts(begun, "apply")
    exact = TEXT.replace("password_policy:\n", "password_policy:\n  exact: true\n", 1).replace(
        "minimum_password_length: 14", "minimum_password_length: 8"
    )
    held = accounts(begun, "apply", baseline=exact)
    assert held["summary"]["failed"] == ["111122223333", "123456789012"]
    consent = held["results"][0]["withheld"][0]["consent"]
    allowed = accounts(begun, "apply", baseline=exact, allow=[consent])
    assert allowed["summary"] == summary(3, in_sync=1, changed=2)


def test_an_account_above_max_changes_fails_unchanged(world: World) -> None:
    begun = organization("apply")
    writes = len(world.writes)
    held = accounts(begun, "apply", max_changes="4")
    assert len(held["summary"]["failed"]) == 3
    assert "no more than 4 are allowed" in held["results"][0]["failures"][0]["message"]
    assert held["results"][0]["changes"] == []
    assert len(world.writes) == writes
    assert accounts(begun, "apply", max_changes="10")["summary"] == summary(3, changed=3)
    assert accounts(begun, "apply", max_changes="0%")["summary"] == summary(3, in_sync=3)


def test_accounts_without_time_are_unfinished(world: World) -> None:
    begun = organization()
    some = accounts(begun, time=Time(900, 900, 900, 50))
    assert len(some["results"]) == 2
    assert some["unfinished"] == begun["accounts"][2:]
    rest = accounts({**begun, "accounts": some["unfinished"]}, results=some["results"])
    assert rest["summary"]["accounts"] == 3
    assert rest["unfinished"] == []
    with pytest.raises(Refused, match="no account could be finished in time"):
        accounts(begun, time=Time(900, 50))
    with pytest.raises(Refused, match="50 s are left"):
        accounts(begun, time=Time(50))


def test_a_stopped_account_is_unfinished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = organization("apply")
    first = accounts({**begun, "accounts": begun["accounts"][:2]}, "apply")
    assert first["summary"]["failed"] == []
    bells: list[Callable[[], None]] = []

    class Alarm:
        """A timer that the test fires."""

        def __init__(self, seconds: float, ring: Callable[[], None]):
            assert seconds == 900 - 20
            bells.append(ring)

        def start(self) -> None: ...

        def cancel(self) -> None: ...

    monkeypatch.setattr("provisioner.aws_lambda.deployment.Timer", Alarm)
    world.interrupt(lambda call, phase: bells[-1]() if call.account == WORKLOAD and call.writes else None)
    done = accounts(begun, "apply")
    assert [each["account"] for each in done["results"]] == ["111122223333", "123456789012"]
    assert done["unfinished"] == [{"id": WORKLOAD, "overrides": [0]}]
    assert done["summary"]["failed"] == []
    with pytest.raises(Refused, match="no account could be finished in time"):
        accounts({**begun, "accounts": done["unfinished"]}, "apply")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({}, "`part`: want one of organization, accounts, after_accounts, got None"),
        ({"part": "organization", "command": "destroy"}, "want one of diff, apply, verify, got 'destroy'"),
        ({"part": "accounts", "alow": []}, "the event has a `alow`"),
        ({"part": "accounts", "allow": "all"}, "`allow`: want a list"),
        ({"BatchInput": {"part": "accounts", "asked": {"max_changes": 3}}}, "`max_changes`: want a text"),
        ({"part": "accounts", "max_changes": "all"}, "`max_changes`: want `10` or `30%`, got 'all'"),
    ],
)
def test_a_wrong_event_is_refused(world: World, event: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        handler(event, PLENTY)
    assert world.calls == []


@pytest.mark.usefixtures("event_baseline")
def test_only_allowed_accounts_are_touched(world: World) -> None:
    text = f'allowed_account_ids: ["111122223333"]\n{TEXT}'
    with pytest.raises(Refused, match="the function is in account 123456789012"):
        organization(baseline=text)
    text = f'allowed_account_ids: ["123456789012"]\n{TEXT}'
    assert organization(baseline=text)["accounts"] == [{"id": "123456789012"}]
    with pytest.raises(Refused, match="does not name 444455556666"):
        handler({"part": "accounts", "baseline": text, "Items": [{"id": WORKLOAD}]}, PLENTY)


@pytest.mark.usefixtures("event_baseline")
def test_a_file_for_one_account(world: World) -> None:
    text = EXAMPLE.replace("is_organization_trail: true", "is_organization_trail: false")
    begun = organization("apply", baseline=text)
    assert begun["accounts"] == [{"id": "123456789012"}]
    assert accounts(begun, "apply", baseline=text)["summary"] == summary(1, changed=1)


@pytest.mark.parametrize(
    ("accounts", "items", "cut_off"), [(1, 40, 0), (3, 25, 15), (15, 5, 35), (50, 1, 39), (250, 0, 40)]
)
def test_an_answer_is_cut_below_the_limit_of_a_state(accounts: int, items: int, cut_off: int) -> None:
    long = Change("é" * 500, (Difference("field", None, "x"),), Call("s3", "put", {"Policy": "p" * 500}))
    many = tuple(Result("step", Target(WORKLOAD, "us-east-1"), [long]) for _ in range(40))
    found = [account_json(Outcome(Account(f"{n:012}"), results=many), "diff") for n in range(accounts)]
    answer = accounts_answer([], [], found)
    assert len(json.dumps(answer)) <= MAX_BYTES < 256 * 1024
    assert {len(each["changes"]) for each in answer["results"]} == {items}
    assert {each["cut_off"] for each in answer["results"]} == {cut_off}
    assert all(set(each) == set(vars(found[0])) for each in answer["results"])


def test_an_answer_with_too_many_accounts_is_refused() -> None:
    with pytest.raises(Refused, match="fewer accounts"):
        accounts_answer([], [], [account_json(Outcome(Account(f"{n:012}")), "diff") for n in range(5000)])


def test_the_function_does_not_import_the_command_line() -> None:
    code = "import sys, provisioner.aws_lambda; print([m for m in sys.modules if m.split('.')[0] in ('rich', 'click', 'structlog', 'distributed') or m.startswith('provisioner.cli')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Machine:
    """Interprets the example as Step Functions does. It calls `handler`; states pass JSON of at most 256 KiB."""

    def __init__(self, time: Time):
        self.time = time
        self.batches: list[Any] = []

    def run(self, machine: Mapping[str, Any], given: Any) -> Any:
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            given = json.loads(json.dumps(given))
            assert len(json.dumps(given)) < 256 * 1024
            kind = state["Type"]
            if kind == "Succeed":
                return given
            if kind == "Fail":
                raise RuntimeError(state["Error"], self.value(state["CausePath"], given))
            if kind == "Choice":
                name = next((c["Next"] for c in state["Choices"] if self.holds(c, given)), state["Default"])
                continue
            given = self.after(state, given)
            if state.get("End"):
                return given
            name = state["Next"]

    def after(self, state: Mapping[str, Any], given: Any) -> Any:
        """The output of a Pass, a Task or a Map."""
        made = self.filled(state["Parameters"], given) if "Parameters" in state else given
        if state["Type"] == "Task":
            assert state["Resource"].endswith(":::lambda:invoke")
            made = {"Payload": json.loads(json.dumps(handler(made["Payload"], self.time)))}
            made = self.filled(state["ResultSelector"], made)
        if state["Type"] == "Map":
            batcher = state["ItemBatcher"]
            items, size = self.value(state["ItemsPath"], given), batcher["MaxItemsPerBatch"]
            shared = self.filled(batcher["BatchInput"], given)
            self.batches = [
                {"BatchInput": shared, "Items": items[at : at + size]} for at in range(0, len(items), size)
            ]
            made = [self.run(state["ItemProcessor"], each) for each in self.batches]
        if "ResultPath" in state:
            made = {**given, state["ResultPath"].removeprefix("$."): made}
        return self.value(state.get("OutputPath", "$"), made)

    def filled(self, template: Any, given: Any) -> Any:
        if not isinstance(template, dict):
            return template
        return {
            key.removesuffix(".$"): self.value(each, given)
            if key.endswith(".$")
            else self.filled(each, given)
            for key, each in template.items()
        }

    def value(self, path: str, given: Any) -> Any:
        if path.startswith("States.JsonToString("):
            return json.dumps(self.value(path[len("States.JsonToString(") : -1], given))
        for part in path.replace("[0]", ".0").split(".")[1:]:
            given = given[int(part)] if part.isdigit() else given[part]
        return given

    def holds(self, choice: Mapping[str, Any], given: Any) -> bool:
        try:
            found = self.value(choice["Variable"], given)
        except (KeyError, IndexError):
            return choice.get("IsPresent") is False
        return bool(choice["IsPresent"] if "IsPresent" in choice else found == choice["StringEquals"])


def test_the_example_applies_the_baseline(world: World) -> None:
    machine = Machine(Time(900))
    end = machine.run(MACHINE, {"command": "apply"})
    assert end["organization"]["result"]["state"] == "changed"
    assert [each["summary"]["changed"] for each in end["accounts"]] == [3]
    assert [item["id"] for each in machine.batches for item in each["Items"]] == [
        "111122223333",
        "123456789012",
        WORKLOAD,
    ]
    writes = len(world.writes)
    again = Machine(Time(900)).run(MACHINE, {"command": "apply", "allow": [], "max_changes": "0"})
    assert [each["summary"]["in_sync"] for each in again["accounts"]] == [3]
    verified = Machine(Time(900)).run(MACHINE, {"command": "verify"})
    assert verified["organization"]["result"]["state"] == "in_sync"
    assert len(world.writes) == writes


def test_the_example_makes_rules_of_the_organization_after_the_accounts(world: World, tmp_path: Path) -> None:
    (tmp_path / "baseline.yaml").write_text(WITH_RULE)
    shown = Machine(Time(900)).run(MACHINE, {})
    assert [shown[each]["result"]["state"] for each in ("organization", "after_accounts")] == [
        "drifted",
        "in_sync",
    ]
    made = Machine(Time(900)).run(MACHINE, {"command": "apply"})
    assert [made[each]["result"]["state"] for each in ("organization", "after_accounts")] == ["changed"] * 2
    assert rule_after_recorders(world)
    again = Machine(Time(900)).run(MACHINE, {"command": "apply", "max_changes": "0"})
    assert again["after_accounts"]["result"]["state"] == "in_sync"
    world.deny("config", "PutOrganizationConfigRule")
    world.memory["config_OrganizationConfigRule"].clear()
    with pytest.raises(RuntimeError, match="OrganizationFailed"):
        Machine(Time(900)).run(MACHINE, {"command": "apply"})


def test_the_example_resumes_unfinished_accounts(world: World) -> None:
    machine = Machine(Time(900, 900, 900, 50, 900))
    end = machine.run(MACHINE, {})
    (slice_,) = end["accounts"]
    assert slice_["summary"]["accounts"] == 3
    assert slice_["unfinished"] == []


def test_the_example_fails_if_an_account_failed(world: World) -> None:
    world.deny("sts", "AssumeRole")
    with pytest.raises(RuntimeError, match="AccountsFailed") as failed:
        Machine(Time(900)).run(MACHINE, {})
    assert json.loads(failed.value.args[1])["failed"] == ["111122223333", WORKLOAD]


def test_every_state_of_the_example_is_defined_and_used() -> None:
    for machine in (MACHINE, MACHINE["States"]["Accounts"]["ItemProcessor"]):
        states = machine["States"]
        named = {machine["StartAt"]} | {
            each[key]
            for state in states.values()
            for each in (state, *state.get("Choices", ()))
            for key in ("Next", "Default")
            if key in each
        }
        assert named == set(states)
