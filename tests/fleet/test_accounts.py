"""Which accounts a file and a command line mean."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.aws import Aws, Memory
from provisioner.fleet.accounts import AccountFilter, NotInOrganization, SelectedAccounts, select_accounts
from provisioner.model import Refused, Target
from provisioner.sandbox.seed import Member

from ..conftest import Bench

MANAGEMENT, ARCHIVE, WORKLOAD, CLOSED = "123456789012", "111122223333", "444455556666", "777788889999"
EVERYONE = AccountFilter()
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


def find(bench: Bench, accounts: str, narrowed: AccountFilter = EVERYONE, more: str = "") -> SelectedAccounts:
    run = bench.run(f"{POLICY}accounts: {accounts}\n{more}")
    aws = Aws(Target(MANAGEMENT, "us-east-1"), run.cloud, Memory())
    return select_accounts(aws, run.baseline.general, narrowed)


def ids(found: SelectedAccounts) -> set[str]:
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
    left = {x.account: x.why for x in found.skipped}
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
    (AccountFilter(accounts=(WORKLOAD,)), {WORKLOAD}),
    (AccountFilter(accounts=("workload", "log-archive")), {WORKLOAD, ARCHIVE}),
    (AccountFilter(not_accounts=("management", "log-archive")), {WORKLOAD}),
    (AccountFilter(units=("Workloads",)), {WORKLOAD}),
    (AccountFilter(units=("Workloads",), not_accounts=(WORKLOAD,)), set()),
]


@pytest.mark.parametrize(("narrowed", "left"), NARROWED)
def test_the_command_line_leaves_fewer(bench: Bench, narrowed: AccountFilter, left: set[str]) -> None:
    assert ids(find(bench, "{all: true}", narrowed)) == left


UNIT, ACCOUNT = "the organization has no such unit", "the organization has no such account"
REFUSED = [
    (
        "{organizational_units: [Wrokloads]}",
        AccountFilter(),
        f"accounts.organizational_units[0]: {UNIT}; did you mean 'Workloads'?",
    ),
    (
        "{organizational_units: [Workloads], exclude: {organizational_units: [No]}}",
        AccountFilter(),
        f"accounts.exclude.organizational_units[0]: {UNIT}; there are Workloads",
    ),
    ("{all: true}", AccountFilter(units=("Prod",)), f"--ou Prod: {UNIT}; there are Workloads"),
    ("{all: true}", AccountFilter(accounts=("nobody",)), "--accounts nobody: none of the 3 accounts that"),
    ("{all: true}", AccountFilter(accounts=("Workload",)), "did you mean 'workload'?"),
    (
        f"{{ids: ['{ARCHIVE}']}}",
        AccountFilter(not_accounts=(WORKLOAD,)),
        f"--not-accounts {WORKLOAD}: none of the 1 account that",
    ),
    (
        "{organizational_units: [Workloads], ids: ['999999999999']}",
        AccountFilter(),
        f"accounts.ids[0]: {ACCOUNT}",
    ),
    ("{all: true, exclude: {ids: ['999999999999']}}", AccountFilter(), f"accounts.exclude.ids[0]: {ACCOUNT}"),
    ("{all: true, log_archive: '999999999999'}", AccountFilter(), f"accounts.log_archive: {ACCOUNT}"),
    (
        "{all: true, log_archive: '777788889999'}",
        AccountFilter(),
        "accounts.log_archive: this account is closed",
    ),
    (
        f"{{ids: ['{WORKLOAD}'], exclude: {{ids: ['{ARCHIVE}']}}}}",
        AccountFilter(),
        "accounts.exclude.ids[0]: is not among `accounts.ids`",
    ),
]


@pytest.mark.parametrize(("accounts", "narrowed", "text"), REFUSED)
def test_what_there_is_not_is_refused(
    bench: Bench, accounts: str, narrowed: AccountFilter, text: str
) -> None:
    with pytest.raises(Refused) as refused:
        find(bench, accounts, narrowed)
    assert text in str(refused.value)


def test_all_that_is_wrong_in_the_file_is_told_at_once(bench: Bench) -> None:
    more = "overrides: [{ids: ['999999999999'], password_policy: {minimum_password_length: 20}}]\n"
    with pytest.raises(NotInOrganization) as mistaken:
        find(bench, "{all: true, exclude: {ids: ['888888888888']}}", more=more)
    assert [path for path, _ in mistaken.value.found] == [
        ("accounts", "exclude", "ids", 0),
        ("overrides", 0, "ids", 0),
    ]


def test_of_many_units_some_are_named(bench: Bench) -> None:
    bench.world.organization(accounts=40, units={f"Unit{number:02}": 2 for number in range(12)})
    with pytest.raises(Refused, match=r"there are Unit00, .*Unit07 and 5 more"):
        find(bench, "{all: true}", AccountFilter(units=("Xyz",)))
    bench.world.organization(accounts=41, units={"Workloads/Prod": 1})
    with pytest.raises(Refused, match="did you mean 'Workloads/Prod'"):
        find(bench, "{all: true}", AccountFilter(units=("Prod",)))


LEFT = [
    (AccountFilter(), {CLOSED}),
    (AccountFilter(accounts=("workload",)), set()),
    (AccountFilter(accounts=("workload", "closed")), {CLOSED}),
    (AccountFilter(not_accounts=("closed",)), set()),
    (AccountFilter(units=("Workloads",)), set()),
]


@pytest.mark.parametrize(("narrowed", "left"), LEFT)
def test_only_what_was_asked_for_is_left_out(bench: Bench, narrowed: AccountFilter, left: set[str]) -> None:
    assert {each.account for each in find(bench, "{all: true}", narrowed).skipped} == left
    assert find(bench, f"{{all: true, exclude: {{ids: ['{CLOSED}']}}}}", AccountFilter()).skipped == ()


def test_accounts_that_may_not_be_touched_are_left_out(bench: Bench) -> None:
    found = find(bench, "{all: true}", more=f"allowed_account_ids: ['{MANAGEMENT}', '{WORKLOAD}']\n")
    assert ids(found) == {MANAGEMENT, WORKLOAD}
    assert (ARCHIVE, "is not among `allowed_account_ids`") in {(x.account, x.why) for x in found.skipped}


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
