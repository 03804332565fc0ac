"""Tests of the selection of accounts by the file and the command line."""

from __future__ import annotations

import re
from copy import copy
from typing import Any
from unicodedata import normalize

import pytest
from moto.organizations.models import organizations_backends

from provisioner.aws import Aws, ReadCache
from provisioner.fleet.accounts import AccountFilter, NotInOrganization, SelectedAccounts, select_accounts
from provisioner.model import Refused, Target
from provisioner.sandbox.seed import Member

from ..conftest import Bench

MANAGEMENT, ARCHIVE, WORKLOAD, CLOSED = "123456789012", "111122223333", "444455556666", "777788889999"
NO_FILTER = AccountFilter()
POLICY = "password_policy: {minimum_password_length: 14}\n"


def tags(member: Member) -> dict[str, str]:
    """Every third account is a production account."""
    return {"environment": "production" if int(member.id) % 3 == 0 else "test"}


UNITS = {"Workloads": 6, "Workloads/Prod": 4, "Sandbox": 3, "Suspended": 1}


@pytest.fixture
def members(bench: Bench) -> dict[str, Member]:
    """24 accounts by id."""
    found = bench.world.organization(accounts=24, units=UNITS, tags=tags)
    bench.world.set(page_size=5, empty_pages=True)
    return {each.id: each for each in found}


def find(bench: Bench, accounts: str, only: AccountFilter = NO_FILTER, more: str = "") -> SelectedAccounts:
    run = bench.run(f"{POLICY}accounts: {accounts}\n{more}")
    aws = Aws(Target(MANAGEMENT, "us-east-1"), run.cloud, ReadCache())
    return select_accounts(aws, run.baseline.general, only)


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


def test_all_selects_active_accounts_and_skips_the_others(bench: Bench, members: dict[str, Member]) -> None:
    found = find(bench, "{all: true}")
    assert ids(found) == {each.id for each in members.values() if each.state == "ACTIVE"}
    assert [each.id for each in found.accounts] == sorted(ids(found))
    left = {x.account: x.why for x in found.skipped}
    assert left[CLOSED] in {"is suspended", "is closed"}
    assert set(left) == {each.id for each in members.values() if each.state != "ACTIVE"}
    assert asked(bench) == {"ListAccounts"}, "no more than is needed"


def test_listed_accounts_need_no_read(bench: Bench) -> None:
    found = find(bench, f"{{ids: ['{WORKLOAD}', '{ARCHIVE}']}}")
    assert ids(found) == {WORKLOAD, ARCHIVE}
    assert asked(bench) == set()


def test_units_by_name_and_id_include_those_below(bench: Bench, members: dict[str, Member]) -> None:
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


def test_exclusions_take_precedence(bench: Bench, members: dict[str, Member]) -> None:
    text = f"{{all: true, exclude: {{organizational_units: [Workloads/Prod], ids: ['{WORKLOAD}']}}}}"
    found = ids(find(bench, text))
    everyone = {each.id for each in members.values() if each.state == "ACTIVE"}
    assert found == everyone - in_unit(members, "Workloads/Prod") - {WORKLOAD}


FILTERS = [
    (AccountFilter(accounts=(WORKLOAD,)), {WORKLOAD}),
    (AccountFilter(accounts=("workload", "log-archive")), {WORKLOAD, ARCHIVE}),
    (AccountFilter(not_accounts=("management", "log-archive")), {WORKLOAD}),
    (AccountFilter(units=("Workloads",)), {WORKLOAD}),
    (AccountFilter(units=("Workloads",), not_accounts=(WORKLOAD,)), set()),
]


@pytest.mark.parametrize(("only", "left"), FILTERS)
def test_command_line_selects_fewer(bench: Bench, only: AccountFilter, left: set[str]) -> None:
    assert ids(find(bench, "{all: true}", only)) == left


UNIT, ACCOUNT = "the organization has no such unit", "the organization has no such account"
REFUSED = [
    (
        "{organizational_units: [Wrokloads]}",
        NO_FILTER,
        f"accounts.organizational_units[0]: {UNIT}; did you mean 'Workloads'?",
    ),
    (
        "{organizational_units: [Workloads], exclude: {organizational_units: [No]}}",
        NO_FILTER,
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
        NO_FILTER,
        f"accounts.ids[0]: {ACCOUNT}",
    ),
    ("{all: true, exclude: {ids: ['999999999999']}}", NO_FILTER, f"accounts.exclude.ids[0]: {ACCOUNT}"),
    ("{all: true, log_archive: '999999999999'}", NO_FILTER, f"accounts.log_archive: {ACCOUNT}"),
    (
        "{all: true, log_archive: '777788889999'}",
        NO_FILTER,
        "accounts.log_archive: this account is closed",
    ),
    (
        f"{{ids: ['{WORKLOAD}'], exclude: {{ids: ['{ARCHIVE}']}}}}",
        NO_FILTER,
        "accounts.exclude.ids[0]: is not among `accounts.ids`",
    ),
]


@pytest.mark.parametrize(("accounts", "only", "text"), REFUSED)
def test_unknown_units_and_accounts_are_refused(
    bench: Bench, accounts: str, only: AccountFilter, text: str
) -> None:
    with pytest.raises(Refused) as refused:
        find(bench, accounts, only)
    assert text in str(refused.value)


def test_all_mistakes_in_the_file_are_reported_at_once(bench: Bench) -> None:
    more = "overrides: [{ids: ['999999999999'], password_policy: {minimum_password_length: 20}}]\n"
    with pytest.raises(NotInOrganization) as refused:
        find(bench, "{all: true, exclude: {ids: ['888888888888']}}", more=more)
    assert [path for path, _ in refused.value.found] == [
        ("accounts", "exclude", "ids", 0),
        ("overrides", 0, "ids", 0),
    ]


def test_error_names_the_first_of_many_units(bench: Bench) -> None:
    bench.world.organization(accounts=40, units={f"Unit{number:02}": 2 for number in range(12)})
    with pytest.raises(Refused, match=r"there are Unit00, .*Unit07 and 5 more"):
        find(bench, "{all: true}", AccountFilter(units=("Xyz",)))
    bench.world.organization(accounts=41, units={"Workloads/Prod": 1})
    with pytest.raises(Refused, match="did you mean 'Workloads/Prod'"):
        find(bench, "{all: true}", AccountFilter(units=("Prod",)))


LEFT = [
    (NO_FILTER, {CLOSED}),
    (AccountFilter(accounts=("workload",)), set()),
    (AccountFilter(accounts=("workload", "closed")), {CLOSED}),
    (AccountFilter(not_accounts=("closed",)), set()),
    (AccountFilter(units=("Workloads",)), set()),
]


@pytest.mark.parametrize(("only", "left"), LEFT)
def test_only_selected_accounts_are_reported_as_skipped(
    bench: Bench, only: AccountFilter, left: set[str]
) -> None:
    assert {each.account for each in find(bench, "{all: true}", only).skipped} == left
    assert find(bench, f"{{all: true, exclude: {{ids: ['{CLOSED}']}}}}", NO_FILTER).skipped == ()


def test_accounts_that_are_not_allowed_are_skipped(bench: Bench) -> None:
    found = find(bench, "{all: true}", more=f"allowed_account_ids: ['{MANAGEMENT}', '{WORKLOAD}']\n")
    assert ids(found) == {MANAGEMENT, WORKLOAD}
    assert (ARCHIVE, "is not among `allowed_account_ids`") in {(x.account, x.why) for x in found.skipped}


def test_overrides_by_unit_tag_and_id(bench: Bench, members: dict[str, Member]) -> None:
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
        assert account.overrides == tuple(index for index, matches in enumerate(expected) if matches)


def test_denied_list_of_accounts_is_an_error(bench: Bench) -> None:
    bench.world.deny("organizations", "ListAccounts")
    with pytest.raises(Exception, match="AccessDenied") as denied:
        find(bench, "{all: true}")
    response: Any = getattr(denied.value, "response", {})
    assert response["Error"]["Code"] == "AccessDeniedException"


def rename(account: str, name: str) -> None:
    """Give an account of the sandbox's organization another name."""
    [organization] = [
        each for each in organizations_backends[MANAGEMENT].values() if getattr(each, "accounts", None)
    ]
    next(each for each in organization.accounts if each.id == account).name = name


SAME_NAME = [
    AccountFilter(accounts=("twin",)),
    AccountFilter(not_accounts=("twin",)),
    AccountFilter(accounts=("management", "twin"), units=("Workloads",)),
]


@pytest.mark.parametrize("only", SAME_NAME)
@pytest.mark.parametrize("other", [ARCHIVE, CLOSED])
def test_a_name_of_two_accounts_is_refused_with_their_ids(
    bench: Bench, only: AccountFilter, other: str
) -> None:
    rename(WORKLOAD, "twin")
    rename(other, "twin")
    with pytest.raises(Refused) as refused:
        find(bench, "{all: true}", only)
    assert f"twin: {ARCHIVE if other == ARCHIVE else WORKLOAD} and " in str(refused.value)
    assert {WORKLOAD, other} <= set(re.findall(r"\d{12}", str(refused.value)))
    named = AccountFilter(accounts=(WORKLOAD,))
    assert ids(find(bench, "{all: true}", named)) == {WORKLOAD}


def test_an_account_whose_name_is_the_id_of_another_is_not_meant_by_it(bench: Bench) -> None:
    rename(ARCHIVE, WORKLOAD)
    assert ids(find(bench, "{all: true}", AccountFilter(accounts=(WORKLOAD,)))) == {WORKLOAD}
    assert ids(find(bench, "{all: true}", AccountFilter(not_accounts=(WORKLOAD,)))) == {MANAGEMENT, ARCHIVE}


def unit_id(bench: Bench, path: str) -> str:
    """The id of a unit of the sandbox at the root."""
    listed = bench.client("organizations").list_organizational_units_for_parent(ParentId="r-sand")
    return next(each["Id"] for each in listed["OrganizationalUnits"] if each["Name"] == path)


@pytest.mark.parametrize("name", ["ou-prod", "r-and-d", "ou-sand-0123abcd", "r-sand2"])
def test_a_unit_whose_name_looks_like_an_id_is_found_and_suggested(bench: Bench, name: str) -> None:
    bench.world.organization(accounts=8, units={name: 2})
    assert len(ids(find(bench, f"{{organizational_units: ['{name}']}}"))) == 2
    with pytest.raises(Refused, match=f"did you mean '{name}'"):
        find(bench, f"{{organizational_units: ['{name}x']}}")


def test_an_id_means_its_unit_even_if_another_has_it_as_its_name(bench: Bench) -> None:
    workloads = unit_id(bench, "Workloads")
    bench.world.organization(accounts=8, units={workloads: 3})
    assert ids(find(bench, f"{{organizational_units: [{workloads}]}}")) == {WORKLOAD}


def test_a_path_of_two_units_is_refused_with_their_ids(bench: Bench) -> None:
    bench.world.organization(accounts=8, units={"A/B": 2})
    nested = bench.client("organizations").list_organizational_units_for_parent(ParentId=unit_id(bench, "A"))
    second = bench.client("organizations").create_organizational_unit(ParentId="r-sand", Name="A/B")
    both = sorted([nested["OrganizationalUnits"][0]["Id"], second["OrganizationalUnit"]["Id"]])
    with pytest.raises(Refused, match=f"{both[0]} and {both[1]} have that name: give the id"):
        find(bench, "{organizational_units: [A/B]}")
    assert len(ids(find(bench, f"{{organizational_units: [{nested['OrganizationalUnits'][0]['Id']}]}}"))) == 2


@pytest.mark.parametrize("flag", ["accounts", "not_accounts"])
def test_an_id_of_no_account_does_not_mean_the_one_that_has_it_as_its_name(bench: Bench, flag: str) -> None:
    rename(ARCHIVE, "999999999999")
    only = AccountFilter(**{flag: ("999999999999",)})
    with pytest.raises(Refused, match="none of the 3 accounts"):
        find(bench, "{all: true}", only)


def test_an_account_that_is_on_two_pages_is_done_once_and_a_closed_one_not_at_all(bench: Bench) -> None:
    """Accounts move from page to page while they are read."""
    [organization] = [
        each for each in organizations_backends[MANAGEMENT].values() if getattr(each, "accounts", None)
    ]
    accounts = {each.id: each for each in organization.accounts}
    closed = copy(accounts[WORKLOAD])
    closed.status = closed.state = "SUSPENDED"
    organization.accounts += [copy(accounts[ARCHIVE]), closed]
    found = find(bench, "{all: true}")
    assert [each.id for each in found.accounts] == [ARCHIVE, MANAGEMENT]
    assert {each.account for each in found.skipped} == {WORKLOAD, CLOSED}


def test_a_letter_of_another_script_is_named_where_the_words_look_the_same(bench: Bench) -> None:
    cyrillic = "Wrk-Pr\N{CYRILLIC SMALL LETTER O}d"
    bench.world.organization(accounts=5, units={"Wrk-Prod": 1})
    with pytest.raises(Refused, match=r"U\+006F LATIN SMALL LETTER O in place of U\+043E CYRILLIC SMALL"):
        find(bench, f"{{organizational_units: ['{cyrillic}']}}")


def test_letters_that_are_composed_otherwise_are_told(bench: Bench) -> None:
    bench.world.organization(accounts=5, units={normalize("NFD", "Größe"): 1})
    with pytest.raises(Refused, match="otherwise composed of Unicode's characters"):
        find(bench, "{organizational_units: [Größe]}")
