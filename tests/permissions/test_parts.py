"""Whose policy says what: the caller's, and that of the role in each account; and what is said beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.fleet.fleet import Fleet
from provisioner.sandbox import WireCall
from provisioner.sandbox.authorize import authorize
from provisioner.sandbox.rules.account import regions
from provisioner.steps.permission import ANY_ACCOUNT, ANY_REGION

from ..conftest import EXAMPLE, Bench
from .sample import (
    EVERYTHING,
    REGIONS,
    Caller,
    actions,
    assert_well_formed,
    break_everything,
    least,
    make_surroundings,
    role_least,
    without,
)
from .test_enough import told

CALLER, ARCHIVE, WORKLOAD = "123456789012", "111122223333", "444455556666"
ALL = "accounts: {all: true}\n"
ARCHIVED = f"accounts: {{all: true, log_archive: '{ARCHIVE}'}}\n"
LISTED = f"accounts: {{ids: ['{WORKLOAD}'], log_archive: '{ARCHIVE}'}}\n"
ROLE = "OrganizationAccountAccessRole"
EVERY_REGION = EXAMPLE.replace(REGIONS, "regions: all")


def by_sid(policy: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in policy["Statement"]}


def services(policy: Mapping[str, Any]) -> set[str]:
    return {each.split(":")[0] for each in actions(policy)}


# --- the way into the accounts ---


def entering(text: str, account: str = CALLER) -> tuple[Any, Any]:
    """The roles that may be assumed, and the condition."""
    found = by_sid(least(EXAMPLE + text, "diff", account=account)).get("AccountsEnter", {})
    return found.get("Resource"), found.get("Condition")


INSIDE = {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
WAYS = [
    (ALL, (f"arn:aws:iam::*:role/{ROLE}", INSIDE)),
    ("accounts: {all: true, role_name: a/b}\n", ("arn:aws:iam::*:role/a/b", INSIDE)),
    ("accounts: {organizational_units: [Prod]}\n", (f"arn:aws:iam::*:role/{ROLE}", INSIDE)),
    (LISTED, ([f"arn:aws:iam::{each}:role/{ROLE}" for each in (ARCHIVE, WORKLOAD)], None)),
    (f"accounts: {{ids: ['{WORKLOAD}', '{CALLER}']}}\n", (f"arn:aws:iam::{WORKLOAD}:role/{ROLE}", None)),
    (f"accounts: {{ids: ['{CALLER}']}}\n", (None, None)),
    (
        f"accounts: {{ids: ['{WORKLOAD}', '{ARCHIVE}'], exclude: {{ids: ['{ARCHIVE}']}}}}\n",
        (f"arn:aws:iam::{WORKLOAD}:role/{ROLE}", None),
    ),
    (
        f"{ALL}allowed_account_ids: ['{CALLER}', '{WORKLOAD}']\n",
        (f"arn:aws:iam::{WORKLOAD}:role/{ROLE}", None),
    ),
    (
        f"{LISTED}allowed_account_ids: ['{CALLER}', '{ARCHIVE}']\n",
        (f"arn:aws:iam::{ARCHIVE}:role/{ROLE}", None),
    ),
    (f"accounts: {{ids: ['{WORKLOAD}'], exclude: {{ids: ['{WORKLOAD}']}}}}\n", (None, None)),
]


@pytest.mark.parametrize(("text", "expected"), WAYS)
def test_the_role_may_be_assumed_where_the_file_leads_and_nowhere_else(text: str, expected: Any) -> None:
    assert entering(text) == expected


def test_any_account_is_any_of_the_organization(bench: Bench) -> None:
    gate = authorize(least(EXAMPLE + ALL, "diff"))

    def assume(account: str, role: str = ROLE, caller: str = CALLER) -> bool:
        params = {"RoleArn": f"arn:aws:iam::{account}:role/{role}", "RoleSessionName": "provision"}
        return gate(WireCall(caller, "us-east-1", "sts", "AssumeRole", params), "before") is None

    assert assume(WORKLOAD)
    assert not assume("999999999999"), "of nobody's organization"
    assert not assume(WORKLOAD, "Administrator")
    assert not assume("999999999999", caller="999999999998"), "two that are in none are not in the same"


def test_session_tags_are_asked_for_apart() -> None:
    assert "sts:TagSession" not in actions(least(EXAMPLE + ALL, "diff"))
    tagged = "accounts: {all: true, session_tags: {run: baseline}}\n"
    assert by_sid(least(EXAMPLE + tagged, "diff"))["AccountsEnter"]["Action"] == [
        "sts:AssumeRole",
        "sts:TagSession",
    ]


UNITS = {"organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent"}
UNITS |= {"organizations:ListAccountsForParent", "organizations:ListAccounts"}
TAGS = {"organizations:ListAccounts", "organizations:ListTagsForResource"}
LONGER = "password_policy: {minimum_password_length: 20}"
ASKED = [
    (ALL, {"organizations:ListAccounts"}),
    (LISTED, set()),
    ("accounts: {organizational_units: [Prod]}\n", UNITS),
    ("accounts: {all: true, exclude: {organizational_units: [Prod]}}\n", UNITS),
    ("accounts: {tags: {a: b}}\n", TAGS),
    (f"{LISTED}overrides: [{{tags: {{a: b}}, {LONGER}}}]\n", TAGS),
    (f"{ALL}overrides: [{{organizational_units: [Prod], {LONGER}}}]\n", UNITS),
    (f"{ALL}overrides: [{{ids: ['{WORKLOAD}'], {LONGER}}}]\n", {"organizations:ListAccounts"}),
]


@pytest.mark.parametrize(("text", "asked"), ASKED)
def test_no_more_is_asked_of_the_organization_than_the_file_needs(text: str, asked: set[str]) -> None:
    policy = least(EXAMPLE + text, "diff")
    ours = {each for each in actions(policy) if each.startswith("organizations:List")}
    assert ours - {"organizations:ListAWSServiceAccessForOrganization"} == asked


# --- who takes which step ---


def test_the_buckets_are_in_the_policy_of_who_makes_them() -> None:
    buckets = by_sid(least(EXAMPLE + ALL, "diff"))["LogBucketsRead"]["Resource"]
    assert buckets == [f"arn:aws:s3:::acme-{name}-{CALLER}" for name in ("cloudtrail", "config")]
    assert "s3" not in services(least(EXAMPLE + ARCHIVED, "diff"))
    assert "s3" not in services(role_least(EXAMPLE + ARCHIVED, "diff"))
    buckets = by_sid(role_least(EXAMPLE + ARCHIVED, "diff", account=ARCHIVE))["LogBucketsRead"]["Resource"]
    assert buckets == [f"arn:aws:s3:::acme-{name}-{ARCHIVE}" for name in ("cloudtrail", "config")]
    assert "s3" in services(least(EXAMPLE + ARCHIVED, "diff", account=ARCHIVE)), (
        "the caller itself keeps the logs"
    )


def test_the_log_archive_that_the_file_is_not_for_has_the_buckets_and_nothing_else() -> None:
    assert services(role_least(EXAMPLE + LISTED, "verify", "apply", account=ARCHIVE)) == {
        "s3",
        "organizations",
    }


def test_the_callers_own_account_is_in_its_policy_where_it_can_be_one_of_them() -> None:
    assert "config" in services(least(EXAMPLE + ALL, "apply"))
    assert "config" in services(least(EXAMPLE + ALL, "apply", account=ANY_ACCOUNT))
    assert "config" in services(least(EXAMPLE + LISTED, "apply", account=WORKLOAD))
    assert "config" not in services(least(EXAMPLE + LISTED, "apply"))
    assert "config" not in services(least(EXAMPLE + LISTED, "apply", account=ANY_ACCOUNT))
    excluded = f"accounts: {{all: true, exclude: {{ids: ['{CALLER}']}}}}\n"
    assert services(least(EXAMPLE + excluded, "apply")) >= {"cloudtrail", "s3"}
    assert "config" not in services(least(EXAMPLE + excluded, "apply"))


def test_what_exists_once_is_in_no_policy_of_a_role() -> None:
    assert services(role_least(EXAMPLE + ALL, "verify", "apply")) == {"config", "iam"}
    assert services(role_least(EXAMPLE + ARCHIVED, "apply", account=WORKLOAD)) == {"config", "iam"}


ORGANIZATIONS = [EXAMPLE, EVERYTHING, EVERY_REGION]


@pytest.mark.parametrize("text", ORGANIZATIONS, ids=["example", "everything", "every-region"])
@pytest.mark.parametrize("accounts", [ARCHIVED, LISTED], ids=["all", "listed"])
def test_every_statement_is_well_formed(text: str, accounts: str) -> None:
    tags = "{organizational_units: [Prod], tags: {a: b}}"
    whole = f"{text}\n{accounts}overrides: [{{{tags[1:-1]}, {LONGER}}}]\n"
    for account in (CALLER, ANY_ACCOUNT):
        assert_well_formed(least(whole, "verify", "apply", account=account))
    for account in (ARCHIVE, WORKLOAD, ANY_ACCOUNT):
        policy = role_least(whole, "verify", "apply", account=account)
        assert_well_formed(policy)
        assert ANY_ACCOUNT not in json.dumps(policy)


# --- overrides ---


def test_a_policy_is_enough_for_every_override_that_may_count() -> None:
    overrides = (
        "overrides:\n- {organizational_units: [Prod], config: {role_name: of-prod}}\n"
        "- {tags: {a: b}, config: {role_name: of-tagged}}\n"
        f"- {{ids: ['{WORKLOAD}'], config: {{role_name: of-one}}}}\n"
    )
    text = EXAMPLE + ALL + overrides

    def roles(policy: Mapping[str, Any]) -> set[str]:
        passed = by_sid(policy)["ConfigRolePass"]["Resource"]
        return {each.rpartition("/")[2] for each in ([passed] if isinstance(passed, str) else passed)}

    own = "AWSServiceRoleForConfig"
    assert roles(role_least(text)) == {own, "of-prod", "of-tagged", "of-one"}
    assert roles(role_least(text, account=WORKLOAD)) == {"of-one"}, (
        "of two the later one counts, and this is sure"
    )
    assert roles(role_least(text, account=ARCHIVE)) == {own, "of-prod", "of-tagged"}
    assert roles(least(text)) == {own, "of-prod", "of-tagged"}
    listed = LISTED.replace(WORKLOAD, CALLER) + overrides
    assert roles(least(EXAMPLE + listed)) == {own, "of-prod", "of-tagged"}


def test_a_policy_is_enough_for_two_overrides_together() -> None:
    """One gives a rule of the home Region a tag, the other brings the rule to every Region."""
    rule = "config: {rules: {iam-root-access-key-check: {%s}}}"
    overrides = (
        f"overrides: [{{tags: {{a: b}}, {rule % 'tags: {team: security}'}}},"
        f" {{organizational_units: [Prod], {rule % 'home_region_only: false'}}}]\n"
    )
    two = EXAMPLE.replace(REGIONS, "regions: [us-east-1, eu-west-1]")
    policy = role_least(two + ALL + overrides)
    tagging = next(each for each in policy["Statement"] if "config:TagResource" in each["Action"])
    assert tagging["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}


def test_overrides_that_are_wrong_together_ask_for_nothing() -> None:
    overrides = (
        "overrides: [{tags: {a: b}, config: {role_name: ours}},"
        f" {{tags: {{c: d}}, config: {{role_arn: 'arn:aws:iam::{WORKLOAD}:role/theirs'}}}}]\n"
    )
    assert_well_formed(role_least(EXAMPLE + ALL + overrides))


def test_a_section_that_only_an_override_has_is_in_the_policy() -> None:
    text = EXAMPLE[: EXAMPLE.index("password_policy:")]
    assert "iam:UpdateAccountPasswordPolicy" not in actions(role_least(text + ALL))
    override = f"overrides: [{{tags: {{a: b}}, {LONGER}}}]\n"
    assert "iam:UpdateAccountPasswordPolicy" in actions(role_least(text + ALL + override))


# --- all Regions ---


@pytest.mark.parametrize("policy", [least(EVERY_REGION), role_least(EVERY_REGION + ALL)], ids=["one", "role"])
def test_all_regions_are_no_condition(policy: dict[str, Any]) -> None:
    text = json.dumps(policy)
    assert ANY_REGION not in text
    assert '"all"' not in text
    assert "aws:RequestedRegion" not in text
    statements = by_sid(policy)
    assert ":config:*:" in statements["ConfigRulesWrite"]["Resource"]
    assert statements["RegionsRead"]["Action"] == ["account:ListRegions"]


def test_what_is_of_the_home_region_only_stays_there() -> None:
    rules = EVERY_REGION[EVERY_REGION.index("  rules:") : EVERY_REGION.index("password_policy:")]
    only = "  rules: {root: {source_identifier: IAM_ROOT_ACCESS_KEY_CHECK, home_region_only: true}}\n"
    statements = by_sid(least(EVERY_REGION.replace(rules, only)))
    assert statements["ConfigRulesWrite"]["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": "us-east-1"}
    }
    assert "Condition" not in statements["ConfigRecorderWrite"]


def test_a_role_that_is_named_after_its_region_may_be_of_any() -> None:
    text = EVERY_REGION.replace(
        "config:\n  recorder:",
        f"config:\n  role_arn: 'arn:aws:iam::{CALLER}:role/config-${{region}}'\n  recorder:",
    )
    assert f"arn:aws:iam::{CALLER}:role/config-*" in by_sid(least(text))["ConfigRolePass"]["Resource"]


def test_it_is_enough_for_all_regions_of_one_account(bench: Bench) -> None:
    text = EVERYTHING.replace(REGIONS, "regions: all")
    make_surroundings(bench)
    for region in {*regions("aws")} - {"us-east-1", "eu-west-1"}:
        bench.world.disable(region)
    caller, policy = Caller(bench.world), least(text, "verify", "apply")
    for broken in (False, True):
        if broken:
            break_everything(bench, "audit", "us-east-1", "eu-west-1")
        there = bench.run(text)
        run = Fleet(there.cloud, there.baseline, there.identity).whole()
        assert run.regions == ["eu-west-1", "us-east-1"]
        with caller.held_to(policy):
            assert [str(r.failure) for r in run.send(run.rehearse()) if not r.ok] == []
            assert run.settle([]) == []
            assert [str(r.failure) for r in run.verify() if not r.ok] == []
    assert caller.denied == []


def test_which_regions_are_all_is_asked_by_who_goes_there(bench: Bench) -> None:
    there = bench.run(EVERY_REGION)
    caller = Caller(bench.world)
    with (
        caller.held_to(without(least(EVERY_REGION), "account:ListRegions")),
        pytest.raises(ClientError, match="ListRegions"),
    ):
        Fleet(there.cloud, there.baseline, there.identity).whole()
    assert caller.denied == ["account:ListRegions"]


# --- the command ---

SECRET = "nobody-must-see-this"
FILE = EXAMPLE + (
    f"accounts: {{all: true, log_archive: '{ARCHIVE}', external_id: '${{env:EXTERNAL_ID}}', role_name: baseline,"
    " session_tags: {run: baseline}}\n"
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("EXTERNAL_ID", SECRET)
    path = tmp_path / "baseline.yaml"
    path.write_text(FILE)
    return str(path)


def show(capfd: Any, *arguments: str) -> tuple[dict[str, Any], str]:
    """What is printed, and the notes; the secret is nowhere."""
    code, out, err = told(capfd, *arguments)
    assert code == 0, err
    assert SECRET not in out + err
    assert all(line.startswith("note: ") for line in err.splitlines())
    return json.loads(out), err


def known(text: str) -> str:
    """The file's text with a value for what comes from the environment."""
    return text.replace("${env:EXTERNAL_ID}", SECRET)


def test_the_command_prints_the_policy_of_the_caller(capfd: Any, file: str) -> None:
    policy, notes = show(capfd, file, "--account", CALLER)
    assert policy == least(known(FILE), "apply")
    assert "it assumes baseline in each account: `--member` prints that role's policy" in notes
    assert "the flag --ou needs organizations:ListAccounts, ListRoots" in notes
    assert "no account was named" not in notes
    policy, notes = show(capfd, file, "--for", "diff")
    assert policy == least(known(FILE), "diff", account=ANY_ACCOUNT)
    assert (
        "fits any, the one it is attached in, but for those that the file names: narrow it with --account"
        in notes
    )
    assert "allowed_account_ids" not in notes


def test_the_command_prints_the_policy_of_the_role(capfd: Any, file: str) -> None:
    policy, notes = show(capfd, file, "--member")
    assert policy == role_least(known(FILE), "apply")
    assert f"account {ARCHIVE} is the log archive, and needs more: --member --account {ARCHIVE}" in notes
    assert "ListAccountAliases" not in notes
    policy, notes = show(capfd, file, "--member", "--account", ARCHIVE, "--for", "diff", "--for", "verify")
    assert policy == role_least(known(FILE), "diff", "verify", account=ARCHIVE)
    assert notes == ""


def test_the_command_prints_who_may_assume_the_role(capfd: Any, file: str) -> None:
    caller = f"arn:aws:iam::{CALLER}:role/aws-reserved/sso.amazonaws.com/baseline"
    policy, notes = show(capfd, file, "--trust", caller)
    assert policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ProvisionEnters",
                "Effect": "Allow",
                "Principal": {"AWS": caller},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "${env:EXTERNAL_ID}"}},
            },
            {
                "Sid": "ProvisionTags",
                "Effect": "Allow",
                "Principal": {"AWS": caller},
                "Action": "sts:TagSession",
            },
        ],
    }
    assert "the external id is not shown: put it in the place of ${env:EXTERNAL_ID}" in notes
    assert "name the caller's role" not in notes


def test_a_trust_policy_of_a_whole_account_and_nothing_asked(capfd: Any, file: str) -> None:
    Path(file).write_text(EXAMPLE + ALL)
    policy, notes = show(capfd, file, "--trust", CALLER, "--partition", "aws-us-gov")
    root = f"arn:aws-us-gov:iam::{CALLER}:root"
    enter = {
        "Sid": "ProvisionEnters",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "sts:AssumeRole",
    }
    assert policy["Statement"] == [enter]
    assert "better name the caller's role by its ARN" in notes
    assert "external id" not in notes


def test_an_external_id_that_stands_in_the_file_is_printed(capfd: Any, file: str) -> None:
    Path(file).write_text(EXAMPLE + "accounts: {all: true, external_id: handshake}\n")
    policy, notes = show(capfd, file, "--trust", CALLER)
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": "handshake"}}
    assert "external id" not in notes


WRONG = [
    (
        FILE,
        ("--trust", "everybody"),
        "want the ARN of the caller's role or user, or the 12 digits of its account",
    ),
    (
        FILE,
        ("--trust", f"arn:aws:sts::{CALLER}:assumed-role/a/b"),
        "want the ARN of the caller's role or user",
    ),
    (FILE, ("--trust", CALLER, "--member"), "it is the same in every account"),
    (FILE, ("--trust", CALLER, "--account", CALLER), "it is the same in every account"),
    (EXAMPLE, ("--member",), "is for one account: add `accounts: {all: true}`, or drop the flag"),
    (EXAMPLE, ("--trust", CALLER), "is for one account: add `accounts: {all: true}`, or drop the flag"),
    (EXAMPLE + LISTED, ("--member", "--account", CALLER), "is not for it: add it there, or drop the flag"),
    (
        f"{EXAMPLE}accounts: {{all: true, exclude: {{ids: ['{WORKLOAD}']}}}}\n",
        ("--member", "--account", WORKLOAD),
        "is not for it",
    ),
]


@pytest.mark.parametrize(("text", "flags", "message"), WRONG)
def test_what_makes_no_sense_is_refused(
    capfd: Any, file: str, text: str, flags: tuple[str, ...], message: str
) -> None:
    Path(file).write_text(text)
    code, out, err = told(capfd, file, *flags)
    assert (code, out) == (1, "")
    assert message in err
    assert SECRET not in err
