"""Tests of the section `kms_keys`: what `validate` refuses."""

from __future__ import annotations

import pytest

from provisioner.baseline import BaselineError

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
