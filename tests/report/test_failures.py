"""Tests of the report on failures: places, request ids, hints, and steps that did not run."""

from __future__ import annotations

from provisioner.model import Failure, Result
from provisioner.report.failures import failures

from .samples import EAST, UNFOLDED, VIEW, A, B, C, rendered, result


def denied(account: str, region: str = EAST, step: str = "config_role") -> Result:
    message = f"User: arn:aws:sts::{account}:assumed-role/x is not authorized (id-{account}-{region})"
    failure = Failure("reading", message, "iam", "GetRole", "AccessDenied", f"id-{account}-{region}", "ask")
    return result(account, region, step=step, failures=[failure])


def test_equal_failures_are_shown_once_then_the_blocked_steps() -> None:
    made = [denied(A), denied(B), result(C, EAST, step="config_role")]
    made += [
        result(each, EAST, step=step, blocked_by="config_role")
        for each in (A, B)
        for step in ("config_recorder", "config_rules")
    ]
    assert rendered(failures(made, VIEW)).splitlines() == [
        (
            "! config_role  2 accounts: reading: iam:GetRole: AccessDenied: User:"
            " arn:aws:sts::${account_id}:assumed-role/x is not authorized (${request_id})"
        ),
        "    hint: ask",
        f"    {A} (dev), {B} (test)",
        f"! config_recorder, config_rules  2 accounts in {EAST}: not run: config_role failed",
        f"    {A} (dev), {B} (test)",
    ]


def test_failure_in_one_place_has_its_request_id() -> None:
    assert rendered(failures([denied(A)], VIEW)).splitlines() == [
        (
            f"! config_role  {A} (dev) {EAST}: reading: iam:GetRole: AccessDenied: User:"
            f" arn:aws:sts::{A}:assumed-role/x is not authorized (${{request_id}})"
        ),
        "    hint: ask",
        f"    request id: id-{A}-{EAST}",
    ]


def test_unfolded_each_place_has_its_request_id() -> None:
    both = [denied(A), denied(B)]
    found = rendered(failures(both, UNFOLDED))
    assert f"    {A} (dev) {EAST}: request id: id-{A}-{EAST}" in found
    assert f"    {B} (test) {EAST}: request id: id-{B}-{EAST}" in found
    assert "id-" not in rendered(failures(both, VIEW))


def test_each_failure_of_a_step_is_shown() -> None:
    several = [Failure("bucket a", "no"), Failure("bucket b", "not either")]
    assert rendered(failures([result(A, EAST, failures=several)], VIEW)).splitlines() == [
        f"! a_step  {A} (dev) {EAST}: bucket a: no",
        f"! a_step  {A} (dev) {EAST}: bucket b: not either",
    ]
