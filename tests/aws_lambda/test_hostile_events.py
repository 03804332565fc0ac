"""Tests of what whoever may invoke the function cannot do: choose the file, enter other accounts, read variables."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.aws_lambda import handler
from provisioner.aws_lambda.answer import accounts_answer
from provisioner.aws_lambda.event import Request, parse_event
from provisioner.baseline import BaselineError
from provisioner.fleet.accounts import AccountFilter
from provisioner.fleet.fleet import Command, Fleet, Job
from provisioner.fleet.remote import open_fleet
from provisioner.model import Account, Refused
from provisioner.sandbox.world import World

from ..conftest import EXAMPLE
from .conftest import PLENTY, TEXT, WORKLOAD

OWN = "123456789012"
STRANGER = "999988887777"
ONE = EXAMPLE.replace("is_organization_trail: true", "is_organization_trail: false")
COMMANDS: tuple[Command, ...] = ("diff", "apply", "verify")


def deploy(text: str, folder: Path) -> None:
    (folder / "baseline.yaml").write_text(text)


def accounts(*ids: str, command: str = "apply", **given: Any) -> dict[str, Any]:
    items = [{"id": each} for each in ids]
    return handler({"part": "accounts", "command": command, "Items": items, **given}, PLENTY)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "selects",
    [
        "",  # one account
        f'accounts: {{ ids: ["{OWN}"] }}',
        f'accounts: {{ ids: ["{OWN}", "{WORKLOAD}"], exclude: {{ ids: ["{WORKLOAD}"] }} }}',
        f'accounts: {{ all: true, exclude: {{ ids: ["{WORKLOAD}"] }} }}',
        f'accounts: {{ all: true }}\nallowed_account_ids: ["{OWN}"]',
    ],
)
def test_an_account_that_the_file_is_not_for_is_refused(
    world: World, tmp_path: Path, selects: str, command: str
) -> None:
    deploy(f"{ONE}\n{selects}\n", tmp_path)
    for ids in ([WORKLOAD], [OWN, WORKLOAD]):
        with pytest.raises(Refused, match=WORKLOAD):
            accounts(*ids, command=command)
    assert {each.service for each in world.calls} == {"sts"}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_account_that_cannot_be_entered_fails_and_nothing_is_written_elsewhere(
    world: World, command: str
) -> None:
    done = accounts(STRANGER, command=command)
    assert done["summary"]["failed"] == [STRANGER]
    assert f"arn:aws:iam::{STRANGER}:role/" in done["results"][0]["failures"][0]["doing"]
    assert {each.operation for each in world.calls} == {"GetCallerIdentity", "AssumeRole"}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_job_of_another_account_runs_with_the_credentials_of_this_one(
    world: World, tmp_path: Path, command: Command
) -> None:
    """Whatever makes the job: the fleet itself does not take its own account for another."""
    fleet = open_job_fleet(tmp_path)
    outcome = fleet.run_job(Job(command, Account(WORKLOAD)))
    fleet.cloud.close(wait=True)
    assert outcome.failed
    assert f"the credentials are of account {OWN}" in str(outcome.results)
    assert {each.service for each in world.calls} == {"sts"}


def open_job_fleet(folder: Path) -> Fleet:
    from provisioner.aws import Options
    from provisioner.baseline import load
    from provisioner.steps.registry import all_sections

    deploy(ONE, folder)
    fleet = open_fleet(load(folder / "baseline.yaml", all_sections(), {}), Options(own_connections=True))
    assert [each.id for each in fleet.select(AccountFilter()).accounts] == [OWN]
    return fleet


ITEMS: list[Any] = [
    ["123456789012"],
    [None],
    [{}],
    [{"id": 123456789012}],
    [{"id": "12345678901"}],
    [{"id": "\uff11" * 12}],
    [{"id": "123456789012\n"}],
    [{"id": "../../123456789012"}],
    [{"id": "123456789012:role/x"}],
    [{"id": OWN, "role": "admin"}],
    [{"id": OWN}, {"id": OWN}],
    [{"id": OWN, "overrides": 0}],
    [{"id": OWN, "overrides": ["0"]}],
    [{"id": OWN, "overrides": [-1]}],
    [{"id": OWN, "overrides": [True]}],
]
WORDS = [*get_type_hints(Request), "Items", "asked", "BatchInput", "id", "account", "state"]
WRONG = [
    *({"Items": items} for items in ITEMS),
    {"overrides": {"x": []}},
    {"overrides": {OWN: [1.5]}},
    {"allow": [1]},
    {"failed_needs": {"cloudtrail": 1}},
    *({"results": [each]} for each in (1, None, [], {}, {"account": OWN}, {"account": OWN, "state": 1})),
    *({"asked": each} for each in (1, "part", [["part", "organization"]])),
    *({"BatchInput": each} for each in (1, "", [], {"asked": 1})),
]


@pytest.mark.parametrize("event", WRONG, ids=json.dumps)
def test_a_malformed_event_is_refused_before_any_call(world: World, event: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="the event's `"):
        handler({"part": "accounts", "command": "apply", **event}, PLENTY)
    assert world.calls == []


HOSTILE = "x\n[ERROR] forged \x1b[2K\u2028\x9b\u202e"


def test_an_error_is_one_line_of_the_log(world: World) -> None:
    events = ({HOSTILE: 1}, {"allow": HOSTILE}, {"Items": [{"id": HOSTILE}]}, {"overrides": {HOSTILE: [0]}})
    for event in events:
        with pytest.raises(Refused) as refused:
            handler({"part": "accounts", **event}, PLENTY)
        assert str(refused.value).isprintable()


def test_an_answer_has_no_control_characters(world: World) -> None:
    name = f"a_{HOSTILE}"
    results = [{"account": OWN, "state": "failed", name: [{name: name}]}]
    answer = accounts(results=results)
    assert "forged" in str(answer["results"])
    assert all(each.isprintable() for each in strings(answer))


def strings(value: Any) -> list[str]:
    """Every text in a nested value, names included."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return (
        [value]
        if isinstance(value, str)
        else [x for y in value for x in strings(y)]
        if isinstance(value, list)
        else []
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.just(OWN),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(WORDS), below, max_size=3),
    max_leaves=8,
)


@given(JSON | st.dictionaries(st.sampled_from(WORDS), JSON).map(lambda event: {"part": "accounts", **event}))
def test_any_other_event_is_refused_and_nothing_else_is_raised(event: Any) -> None:
    with suppress(Refused):
        request = parse_event(event)
        accounts_answer(request.results, request.items, [])


def test_an_override_that_the_file_does_not_have_is_refused(world: World) -> None:
    for event in ({"Items": [{"id": OWN, "overrides": [1]}]}, {"overrides": {OWN: [7]}}):
        with pytest.raises(Refused, match="begin with `organization` again"):
            handler({"part": "accounts", "command": "apply", **event}, PLENTY)
    assert {each.service for each in world.calls} == {"sts"}


@pytest.mark.parametrize("value", [None, "", "0", "false", "yes"])
@pytest.mark.parametrize("place", ["event", "asked", "batch"])
def test_an_event_brings_no_file_unless_the_deployment_allows_it(
    world: World, monkeypatch: pytest.MonkeyPatch, value: str | None, place: str
) -> None:
    if value is not None:
        monkeypatch.setenv("PROVISION_ALLOW_EVENT_BASELINE", value)
    given: dict[str, Any] = {"baseline": TEXT}
    wrapped = {"event": given, "asked": {"asked": given}, "batch": {"BatchInput": given}}[place]
    with pytest.raises(Refused, match="PROVISION_ALLOW_EVENT_BASELINE=1"):
        handler({"part": "organization", "command": "apply", **wrapped}, PLENTY)
    assert world.calls == []


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DATABASE", "RECORDER_2", "PATH"]
)
@pytest.mark.parametrize("own", [False, True], ids=["deployed", "event"])
@pytest.mark.usefixtures("event_baseline")
def test_only_listed_variables_are_read(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, own: bool
) -> None:
    monkeypatch.setenv(name, "hidden-value")
    monkeypatch.setenv("PROVISION_ENV", "RECORDER, AWS_SECRET_ACCESS_KEY\nAWS_SESSION_TOKEN")
    text = TEXT.replace("${env:RECORDER}", f"${{env:{name}}}")
    deploy(TEXT if own else text, tmp_path)
    with pytest.raises(BaselineError, match=name) as refused:
        handler({"part": "organization", **({"baseline": text} if own else {})}, PLENTY)
    assert "hidden-value" not in str(refused.value)
    assert ("AWS's own" if name.startswith("AWS_") else "PROVISION_ENV") in str(refused.value)
    assert world.calls == []


def test_a_deployment_that_lists_nothing_reads_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROVISION_ENV")
    with pytest.raises(BaselineError, match="'RECORDER' is not among those that PROVISION_ENV lists"):
        handler({"part": "organization"}, PLENTY)


@pytest.mark.parametrize("part", ["organization", "accounts"])
def test_apply_of_a_file_with_a_rollout_is_refused_and_the_other_commands_are_not(
    world: World, tmp_path: Path, part: str
) -> None:
    deploy(TEXT.replace("all: true }", "all: true, rollout: { waves: [1, rest] } }"), tmp_path)
    with pytest.raises(Refused, match=r"`accounts\.rollout` is not done by this function"):
        handler({"part": part, "command": "apply"}, PLENTY)
    assert world.calls == []
    for command in ("diff", "verify"):
        handler({"part": part, "command": command}, PLENTY)
