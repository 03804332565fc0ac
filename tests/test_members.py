"""Which accounts a file and a command line mean."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.aws import Aws, Memory
from provisioner.members import Census, Narrowed, census
from provisioner.model import Refused, Target
from provisioner.sandbox.seed import Member

from .conftest import Bench

MANAGEMENT, ARCHIVE, WORKLOAD, CLOSED = "123456789012", "111122223333", "444455556666", "777788889999"
EVERYONE = Narrowed()
POLICY = "password_policy: {minimum_password_length: 14}\n"


def tags(member: Member) -> dict[str, str]:
    """Every third account is of production."""
    return {"environment": "production" if int(member.id) % 3 == 0 else "test"}


UNITS = {"Workloads": 6, "Workloads/Prod": 4, "Sandbox": 3, "Suspended": 1}


@pytest.fixture
def members(bench: Bench) -> dict[str, Member]:
    """24 accounts, by their id."""
    found = bench.world.organization(accounts=24, units=UNITS, tags=tags)
    bench.world.set(page_size=5, empty_pages=True)
    return {each.id: each for each in found}


def find(bench: Bench, accounts: str, narrowed: Narrowed = EVERYONE, more: str = "") -> Census:
    run = bench.run(f"{POLICY}accounts: {accounts}\n{more}")
    aws = Aws(Target(MANAGEMENT, "us-east-1"), run.cloud, Memory())
    return census(aws, run.baseline.general, narrowed)


def ids(found: Census) -> set[str]:
    return {each.id for each in found.accounts}


def asked(bench: Bench) -> set[str]:
    return {call.operation for call in bench.world.calls if call.service == "organizations"}


def in_unit(members: dict[str, Member], *paths: str) -> set[str]:
    """The active accounts in these units and below."""
    return {
        each.id
        for each in members.values()
        if each.state == "ACTIVE" and any(f"{each.unit}/".startswith(f"{path}/") for path in paths)
    }


def test_all_are_the_active_ones_and_the_others_are_named(bench: Bench, members: dict[str, Member]) -> None:
    found = find(bench, "{all: true}")
    assert ids(found) == {each.id for each in members.values() if each.state == "ACTIVE"}
    assert [each.id for each in found.accounts] == sorted(ids(found))
    left = {x.account: x.why for x in found.left_out}
    assert left[CLOSED] in {"is suspended", "is closed"}
    assert set(left) == {each.id for each in members.values() if each.state != "ACTIVE"}
    assert asked(bench) == {"ListAccounts"}, "no more than is needed"


def test_listed_accounts_need_no_question(bench: Bench) -> None:
    found = find(bench, f"{{ids: ['{WORKLOAD}', '{ARCHIVE}']}}")
    assert ids(found) == {WORKLOAD, ARCHIVE}
    assert asked(bench) == set()


def test_units_by_name_and_by_id_and_those_below(bench: Bench, members: dict[str, Member]) -> None:
    by_name = find(bench, "{organizational_units: [Workloads]}")
    assert ids(by_name) == in_unit(members, "Workloads")
    assert len(ids(by_name)) == 11
    unit = next(each for account in by_name.accounts for each in account.units if each.startswith("ou-"))
    assert ids(find(bench, f"{{organizational_units: [{unit}]}}")) <= ids(by_name)
    assert ids(find(bench, "{organizational_units: [Workloads/Prod]}")) == in_unit(members, "Workloads/Prod")
    assert ids(find(bench, "{organizational_units: [r-sand]}")) == {
        each.id for each in members.values() if each.state == "ACTIVE"
    }


def test_tags(bench: Bench, members: dict[str, Member]) -> None:
    production = {
        each.id
        for each in members.values()
        if each.state == "ACTIVE" and dict(each.tags).get("environment") == "production"
    }
    assert 3 < len(production) < 20
    assert ids(find(bench, "{tags: {environment: production}}")) == production
    assert ids(find(bench, "{tags: {environment: production, no: such}}")) == set()


def test_exclusions_win_over_all_else(bench: Bench, members: dict[str, Member]) -> None:
    text = f"{{all: true, exclude: {{organizational_units: [Workloads/Prod], ids: ['{WORKLOAD}']}}}}"
    found = ids(find(bench, text))
    everyone = {each.id for each in members.values() if each.state == "ACTIVE"}
    assert found == everyone - in_unit(members, "Workloads/Prod") - {WORKLOAD}


NARROWED = [
    (Narrowed(accounts=(WORKLOAD,)), {WORKLOAD}),
    (Narrowed(accounts=("workload", "log-archive")), {WORKLOAD, ARCHIVE}),
    (Narrowed(not_accounts=("management", "log-archive")), {WORKLOAD}),
    (Narrowed(units=("Workloads",)), {WORKLOAD}),
    (Narrowed(units=("Workloads",), not_accounts=(WORKLOAD,)), set()),
]


@pytest.mark.parametrize(("narrowed", "left"), NARROWED)
def test_the_command_line_leaves_fewer(bench: Bench, narrowed: Narrowed, left: set[str]) -> None:
    assert ids(find(bench, "{all: true}", narrowed)) == left


REFUSED = [
    ("{organizational_units: [Wrokloads]}", Narrowed(), "no unit Wrokloads; there are Workloads"),
    ("{all: true, exclude: {organizational_units: [No]}}", Narrowed(), "no unit No; there are Workloads"),
    ("{all: true}", Narrowed(units=("Prod",)), "--ou: the organization has no unit Prod"),
    ("{all: true}", Narrowed(accounts=("nobody",)), "--accounts: nobody: none of the 3 accounts"),
    ("{all: true}", Narrowed(not_accounts=(CLOSED,)), f"--not-accounts: {CLOSED}: none of the 3 accounts"),
    (
        "{organizational_units: [Workloads], ids: ['999999999999']}",
        Narrowed(),
        "the organization has no account 999999999999",
    ),
]


@pytest.mark.parametrize(("accounts", "narrowed", "text"), REFUSED)
def test_what_there_is_not_is_refused(bench: Bench, accounts: str, narrowed: Narrowed, text: str) -> None:
    with pytest.raises(Refused, match=text.split(";", maxsplit=1)[0]) as refused:
        find(bench, accounts, narrowed)
    assert text in str(refused.value)


def test_accounts_that_may_not_be_touched_are_left_out(bench: Bench) -> None:
    found = find(bench, "{all: true}", more=f"allowed_account_ids: ['{MANAGEMENT}', '{WORKLOAD}']\n")
    assert ids(found) == {MANAGEMENT, WORKLOAD}
    assert (ARCHIVE, "is not among `allowed_account_ids`") in {(x.account, x.why) for x in found.left_out}


def test_overrides_count_by_unit_tag_and_id(bench: Bench, members: dict[str, Member]) -> None:
    longer = "password_policy: {minimum_password_length: 20}"
    overrides = (
        f"overrides:\n- {{organizational_units: [Workloads], {longer}}}\n"
        f"- {{tags: {{environment: test}}, {longer}}}\n- {{ids: ['{WORKLOAD}'], {longer}}}\n"
    )
    for account in find(bench, "{all: true}", more=overrides).accounts:
        expected = [
            account.id in in_unit(members, "Workloads"),
            dict(members[account.id].tags).get("environment") == "test",
            account.id == WORKLOAD,
        ]
        assert account.overrides == tuple(place for place, counts in enumerate(expected) if counts)


def test_who_may_not_ask_for_all_is_told_so(bench: Bench) -> None:
    bench.world.deny("organizations", "ListAccounts")
    with pytest.raises(Exception, match="AccessDenied") as denied:
        find(bench, "{all: true}")
    response: Any = getattr(denied.value, "response", {})
    assert response["Error"]["Code"] == "AccessDeniedException"
