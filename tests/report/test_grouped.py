"""What is the same in many accounts is told once: nothing is lost, nothing is told twice, nothing unlike is told as one."""

from __future__ import annotations

import io
import json
import random
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from provisioner.engine.plan import Plan
from provisioner.model import (
    Call,
    Change,
    Difference,
    Failure,
    Finding,
    InSyncCounts,
    Kind,
    Note,
    Result,
    Skipped,
    Target,
)
from provisioner.report import failing, grouped, text
from provisioner.report.alike import _filled, _Own, _template, alike, general
from provisioner.report.grouped import _changes
from provisioner.report.totals import Cost, Totals

A, B, C, D, E = (f"{n}00000000{n}" for n in ("11", "22", "33", "44", "55"))
NAMES = {A: "dev", B: "test", C: "prod", D: "data"}
EAST, WEST = "us-east-1", "eu-west-1"

# Account ids that are parts of each other, as far as that goes, and Regions that begin alike.
ACCOUNTS = st.sampled_from([A, B, C, "123456789012", "234567890123", "000000000000"])
REGIONS = st.sampled_from([EAST, WEST, "us-east-2", "us-gov-east-1", "ap-east-1"])
WORDS = st.sampled_from(
    ["{a}", "{r}", "x", "-", "1", "$", "${account_id}", "${region}", "$$", "a", "/", A, EAST, "123456789012"]
)
TEXTS = st.lists(WORDS, max_size=4).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def filled(value: Any, target: Target) -> Any:
    """A template of these tests, as it is in *target*."""
    if isinstance(value, str):
        return value.replace("{a}", target.account).replace("{r}", target.region)
    if isinstance(value, dict):
        return {filled(k, target): filled(v, target) for k, v in value.items()}
    return [filled(each, target) for each in value] if isinstance(value, list) else value


def change(
    resource: str = "thing", have: Any = None, want: Any = 1, operation: str = "put_x", **more: Any
) -> Change:
    call = Call("s3", operation, {}, name=operation.title().replace("_", ""))
    return Change(resource, (Difference("field", have, want),), call, **more)


def result(account: str, region: str, *changes: Change, step: str = "a_step", **more: Any) -> Result:
    return Result(step, Target(account, region, home=region == EAST), list(changes), **more)


def shown(found: Iterable[RenderableType] | RenderableType, width: int = 200) -> str:
    """What a console without a terminal makes of it, without the blanks at the ends of lines."""
    console = Console(
        file=io.StringIO(), width=width, color_system=None, markup=False, highlight=False, emoji=False
    )
    if isinstance(found, Iterator):
        for line in found:
            console.print(line, soft_wrap=True)
    else:
        console.print(found)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines)


def told(*results: Result, unfold: bool = False, names: dict[str, str] = NAMES) -> str:
    return shown(grouped.changes(Plan(results), names, unfold=unfold))


@st.composite
def plans(draw: st.DrawFn) -> list[Result]:
    """Results of several accounts, made from a few templates, in any order; some accounts are central."""
    templates = draw(st.lists(st.tuples(TEXTS, VALUES, VALUES), min_size=1, max_size=3))
    central, archive = draw(st.sampled_from([("", ""), (A, ""), (A, B)]))
    places = draw(st.lists(st.tuples(ACCOUNTS, REGIONS), min_size=1, max_size=6, unique=True))
    found = []
    for account, region in places:
        target = Target(account, region, central=central, archive=archive)
        chosen = draw(st.lists(st.sampled_from(templates), max_size=3))
        changes = [change(*(filled(each, target) for each in template)) for template in chosen]
        found.append(Result(draw(st.sampled_from(["a_step", "b_step"])), target, changes))
    return found


def units(each: Result) -> list[tuple[Change, ...]]:
    return grouped._by_resource(each.changes)


def spelled(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@settings(max_examples=300, deadline=None)
@given(plans())
def test_every_change_is_in_exactly_one_group_which_says_what_is_there(found: list[Result]) -> None:
    literally = _Own("", "", escape=True)
    there = [(id(each), spelled(literally.said(_changes(unit)))) for each in found for unit in units(each)]
    groups = alike(((each, units(each)) for each in found), _changes)
    told = [
        (id(each), spelled(_filled(_template(group, _changes), each.target)))
        for group in groups
        for each in group.results
    ]
    assert sorted(told) == sorted(there)
    assert all(each.step == group.step for group in groups for each in group.results)
    kept = {id(each) for result in found for each in result.changes}
    assert all(id(each) in kept for group in groups for each in group.one), "a change was copied"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["{a}", "{r}", "x"]), max_size=3).map("/".join), unique=True),
    st.lists(st.tuples(ACCOUNTS, REGIONS), min_size=1, max_size=6, unique=True),
)
def test_what_differs_only_by_account_and_region_is_one_group(
    templates: list[str], places: list[tuple[str, str]]
) -> None:
    made = [result(*place, *(change(filled(each, Target(*place))) for each in templates)) for place in places]
    found = alike(((each, units(each)) for each in made), _changes)
    assert [len(group.results) for group in found] == [len(places)] * len(templates)


@settings(max_examples=100, deadline=None)
@given(plans(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_in_which_accounts_come_does_not_count(
    found: list[Result], chance: random.Random, unfold: bool
) -> None:
    before = told(*found, unfold=unfold)
    chance.shuffle(found)
    assert told(*found, unfold=unfold) == before


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ACCOUNTS, REGIONS), min_size=2, max_size=30, unique=True))
def test_unfolded_every_place_is_named_once(places: list[tuple[str, str]]) -> None:
    lines = (
        told(*(result(*each, change()) for each in places), unfold=True).split("\n  ~ thing")[0].splitlines()
    )
    assert all(len(line) <= 80 for line in lines)
    said = re.sub(r"\n      ", " ", "\n".join(lines[1:]))
    named: list[tuple[str, str]] = []
    for line in said.splitlines():
        regions, _, accounts = line.strip().removeprefix("in ").partition(":")
        whose = [each.strip()[:12] for each in accounts.split(",")] if accounts else [lines[0].split()[1]]
        named += [(account.strip(","), region) for account in whose for region in regions.split(", ")]
    assert sorted(named) == sorted(places)


@settings(max_examples=100, deadline=None)
@given(plans())
def test_one_place_is_told_as_in_the_report_of_one_account(found: list[Result]) -> None:
    one = found[0]
    one.changes.sort(key=lambda each: each.resource)
    assert told(one, names={}) == shown(text.changes(Plan((one,))))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (A, "${account_id}"),
        (f"bucket-{A}-logs", "bucket-${account_id}-logs"),
        (f"logs{A}", "logs${account_id}"),
        (f"1{A}", f"1{A}"),
        (f"{A}0", f"{A}0"),
        (f"arn:aws:iam::{A}:role/x-{EAST}", "arn:aws:iam::${account_id}:role/x-${region}"),
        (f"{EAST}a", f"{EAST}a"),
        ("us-east-11", "us-east-11"),
        (f"a{EAST}", f"a{EAST}"),
        (f"config.{EAST}.amazonaws.com", "config.${region}.amazonaws.com"),
        (B, B),
        (int(A), int(A)),
        ({A: [A, {"x": EAST}]}, {"${account_id}": ["${account_id}", {"x": "${region}"}]}),
        ((A, None, True), ["${account_id}", None, True]),
    ],
)
def test_only_whole_names_of_the_place_itself_are_replaced(value: Any, expected: Any) -> None:
    assert general(value, Target(A, EAST), account=True, region=True) == expected


def test_what_aws_itself_writes_with_a_dollar_is_no_placeholder() -> None:
    unlike = [result(A, EAST, change(want="${account_id}")), result(B, EAST, change(want=B))]
    assert len(alike(((each, units(each)) for each in unlike), _changes)) == 2
    like = [result(A, EAST, change(want="${aws:username}")), result(B, EAST, change(want="${aws:username}"))]
    assert "field  (none) → ${aws:username}" in told(*like)


UNLIKE = {
    "resource": change("other"),
    "value": change(want=2),
    "true is not 1": change(want=True),
    "operation": change(operation="put_y"),
    "action": change(action="create"),
    "consent": change(consent="replace"),
    "what is lost": change(consent="replace", loses="all"),
    "a second change": None,
}


@pytest.mark.parametrize("other", UNLIKE.values(), ids=UNLIKE.keys())
def test_changes_that_differ_in_anything_are_told_apart(other: Change | None) -> None:
    theirs = [other] if other is not None else [change(), change(operation="put_y")]
    found = told(
        result(A, EAST, change(consent="replace" if other and other.loses else None)),
        result(B, EAST, *theirs),
    )
    assert f"a_step  {A} (dev) {EAST}" in found
    assert f"a_step  {B} (test) {EAST}" in found


def org(account: str, region: str, *changes: Change, step: str = "config_recorder") -> Result:
    target = Target(account, region, home=region == EAST, central=D, archive=A)
    return Result(step, target, list(changes))


def test_the_account_that_others_name_is_told_with_them() -> None:
    """The bucket is in the archive account, for all; each writes to it with a role of its own."""
    bucket = f"logs-{A}"
    made = [
        org(each, EAST, change("channel", want=[bucket, f"arn:aws:iam::{each}:role/x"]))
        for each in (A, B, C, D)
    ]
    found = told(*made)
    assert "config_recorder  4 accounts" in found
    assert f'field  (none) → ["{bucket}", "arn:aws:iam::${{account_id}}:role/x"]' in found
    alone = told(
        made[0], made[1], org(C, EAST, change("channel", want=[f"logs-{C}", f"arn:aws:iam::{C}:role/x"]))
    )
    assert "config_recorder  2 accounts" in alone
    assert f"config_recorder  {C} (prod) {EAST}" in alone


def test_places_are_counted_as_they_are() -> None:
    names = dict.fromkeys([A, B, C, D, E], "n")

    def heading(*places: tuple[str, str], step: str = "config_recorder") -> str:
        found = [result(*each, change(), step=step) for each in places]
        return told(*found, names=names).splitlines()[0].removeprefix(step).strip()

    assert heading((A, EAST)) == f"{A} (n) {EAST}"
    assert told(result(A, "", change()), names=names).splitlines()[0] == f"a_step  {A} (n)"
    assert heading((A, EAST), (A, WEST)) == f"{A} (n), 2 Regions"
    assert heading((A, EAST), (B, EAST)) == f"2 accounts in {EAST}"
    assert heading((A, EAST), (B, EAST), step="password_policy") == "2 accounts"
    assert heading((A, EAST), (B, EAST), (A, WEST), (B, WEST)) == "2 accounts, 2 Regions"
    assert heading((A, EAST), (B, EAST), (A, WEST)) == "2 accounts, 2 Regions (3 places)"


def test_a_group_of_many_names_three_and_says_how_to_see_the_others() -> None:
    accounts = [f"{300000000000 + n}" for n in range(1412)]
    found = told(*(result(each, EAST, change(want=f"b-{each}"), step="password_policy") for each in accounts))
    assert found == (
        "password_policy  1,412 accounts\n"
        "    300000000000, 300000000001, 300000000002\n"
        "      and 1,409 more (--unfold names them)\n"
        "  ~ thing\n"
        "    ~ s3:PutX\n"
        "        field  (none) → b-${account_id}\n"
    )


def test_steps_come_as_they_are_carried_out_and_large_groups_first() -> None:
    found = told(
        result(A, EAST, change("p"), step="password_policy"),
        result(A, EAST, change("small"), step="config_rules"),
        result(B, EAST, change("large"), step="config_rules"),
        result(C, EAST, change("large"), step="config_rules"),
        result(D, EAST, change("t"), step="cloudtrail"),
        result(D, EAST, change("b"), step="log_buckets"),
    )
    assert re.findall(r"^  ~ (\w+)", found, re.MULTILINE) == ["b", "t", "large", "small", "p"]


def test_resources_that_change_in_the_same_places_are_one_group() -> None:
    rules = [change("rule one", want=1), change("rule two", want=2), change("rule three", want=3)]
    found = told(result(A, EAST, *rules), result(B, EAST, *rules), result(C, EAST, *rules[:2]))
    blocks = [block.splitlines() for block in found.split("\n\n")]
    assert [[line.strip() for line in block if line.startswith("  ~")] for block in blocks if block] == [
        ["~ rule one", "~ rule two"],
        ["~ rule three"],
    ]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=20) | st.just("\x1b]0;owned\x07\x1b[2J\n\u202e"))
def test_a_hostile_name_reaches_no_terminal(name: str) -> None:
    made = [
        Result(
            "config_rules",
            Target(account, name or EAST),
            [change(name, name, {"a": [name * 9]}, consent="x", loses=name)],
            [Note(Kind.FOREIGN, name, name)],
            withheld=[change(name, consent="x", loses=name)],
            findings=[Finding(name, "check", ok=False, detail=name)],
            failure=Failure(name, name, "s3", "Put", name, name, name) if failed else None,
        )
        for account in (A, B)
        for failed in (False, True)
    ]
    plan, names = Plan(tuple(made)), {A: name, B: name}
    for unfold in (False, True):
        for part in (
            grouped.changes(plan, names, unfold=unfold),
            grouped.notes(plan, names, unfold=unfold),
            grouped.withheld(made, names, unfold=unfold),
            grouped.unseen(made, names, unfold=unfold),
            grouped.skipped([Skipped(A, "", name), Skipped(B, name, name)], names, unfold=unfold),
            failing.failures(made, names, unfold=unfold),
            failing.verified(made, names, unfold=unfold),
        ):
            assert all(c == "\n" or not unicodedata.category(c).startswith("C") for c in shown(part))


def test_notes_are_told_once_with_the_number_of_places() -> None:
    def noted(account: str, kind: Kind = Kind.WARNING) -> Result:
        return result(
            account, EAST, notes=[Note(kind, f"bucket b-{account}", "may cost")], step="password_policy"
        )

    plan = Plan((noted(A), noted(B), noted(C, Kind.FOREIGN)))
    assert shown(grouped.notes(plan, NAMES, unfold=False)).splitlines() == [
        "! warning: bucket b-${account_id}: may cost (2 accounts)",
        f"· foreign: bucket b-{C}: may cost ({C} (prod) {EAST})",
    ]
    assert f"    in {EAST}: {A} (dev), {B} (test)" in shown(grouped.notes(plan, NAMES, unfold=True))


def denied(account: str, region: str = EAST, step: str = "config_role") -> Result:
    said = f"User: arn:aws:sts::{account}:assumed-role/x is not authorized (id-{account}-{region})"
    failure = Failure("reading", said, "iam", "GetRole", "AccessDenied", f"id-{account}-{region}", "ask")
    return result(account, region, step=step, failure=failure)


def test_who_failed_where_doing_what_and_why() -> None:
    made = [denied(A), denied(B), result(C, EAST, step="config_role")]
    made += [
        result(each, EAST, step=s, blocked_by="config_role")
        for each in (A, B)
        for s in ("config_recorder", "config_rules")
    ]
    found = shown(failing.failures(made, NAMES, unfold=False))
    assert found.splitlines() == [
        "failed                         why",
        (
            "config_role                    reading: iam:GetRole: AccessDenied: User:"
            " arn:aws:sts::${account_id}:assumed-role/x is not authorized (${request_id})"
        ),
        "2 accounts                     hint: ask",
        f"{A} (dev),",
        f"  {B} (test)",
        "",
        "config_recorder, config_rules  not run: config_role failed",
        f"2 accounts in {EAST}",
        f"{A} (dev),",
        f"  {B} (test)",
    ]


def test_request_ids_are_told_when_unfolded() -> None:
    table = failing.failures([denied(A), denied(B)], NAMES, unfold=True)
    found = shown(table)
    assert f"{A} (dev) {EAST}" in found
    assert f"  id-{A}-{EAST}" in found
    assert f"  id-{B}-{EAST}" in found
    assert "id-" not in shown(failing.failures([denied(A), denied(B)], NAMES, unfold=False))


def test_without_a_failure_there_is_no_row() -> None:
    assert failing.failures([result(A, EAST, change())], NAMES, unfold=False).row_count == 0


def test_verify_tells_what_does_not_work_then_what_is_too_early_and_counts_the_rest() -> None:
    def looked(account: str, state: bool | None, detail: str, *changes: Change) -> Result:
        return result(
            account,
            EAST,
            *changes,
            step="config_rules",
            findings=[Finding("rule r", "evaluation", state, detail)],
        )

    made = [
        looked(A, None, "started at 14:26 UTC, just now"),
        looked(B, None, "started at 2026-01-02 14:27 UTC, 3 minutes ago"),
        looked(C, False, "failed at 14:27 UTC, just now", change()),
    ]
    assert shown(failing.verified(made, NAMES, unfold=False)) == (
        f"config_rules  {C} (prod) {EAST}\n"
        "  FAIL  configured: differs: thing: field (none) → 1 (s3:PutX)\n"
        "  FAIL  rule r: evaluation: failed at 14:27 UTC, just now\n"
        "\n"
        f"config_rules  2 accounts in {EAST}\n"
        f"    {A} (dev), {B} (test)\n"
        "  wait  rule r: evaluation: started at …\n"
    )
    others = InSyncCounts(steps=40, resources=90, proofs=60)
    assert failing.proof(made, others).plain == (
        "Does not work: config_rules. 102 checks held, 2 did not; 2 too early to tell"
    )
    assert failing.proof([], others).plain == "Works. 100 checks held"
    assert shown(failing.verified([], NAMES, unfold=False)) == ""


def test_what_is_left_out_is_counted_by_region_and_named_by_account() -> None:
    off = "is disabled"
    found = [
        Skipped(f"{300000000000 + n}", region, off)
        for n in range(17)
        for region in ("me-south-1", "ap-east-1")
    ]
    found += [Skipped(A, "", "is suspended"), Skipped(B, "me-south-1", "has no macie2")]
    assert shown(grouped.skipped(found, NAMES, unfold=False)).splitlines() == [
        f"· left out: {A} (dev): suspended",
        "· left out in 17 accounts: ap-east-1, me-south-1: disabled",
        f"· left out in {B} (test): me-south-1: has no macie2",
    ]
    assert "300000000016" in shown(grouped.skipped(found, NAMES, unfold=True))
    regions = [Skipped(A, f"xx-east-{n}", off) for n in range(1, 18)]
    assert shown(grouped.skipped(regions, NAMES, unfold=False)).splitlines() == [
        f"· left out in {A} (dev): xx-east-1, xx-east-10, xx-east-11",
        "    and 14 more (--unfold names them): disabled",
    ]
    assert "xx-east-9" in shown(grouped.skipped(regions, NAMES, unfold=True))
    many = [Skipped(f"{300000000000 + n}", "", "is not among `allowed_account_ids`") for n in range(40)]
    assert "and 37 more (--unfold names them)" in shown(grouped.skipped(many, unfold=False))
    assert "300000000039" in shown(grouped.skipped(many, unfold=True))


@pytest.mark.parametrize(
    ("standing", "cost", "expected"),
    [
        (
            Totals(41, 5, 2, 1, regions={"a", "b", "c", "d"}),
            Cost(12.34, 1118, throttled=3),
            "41 accounts in sync, 5 drifted, 2 failed, 1 left out (48 accounts, 4 Regions, 12.3 s, 1,118 calls, 3 throttled)",
        ),
        (
            Totals(drifted=1, regions={"a"}),
            Cost(1, 1),
            "1 account drifted (1 account, 1 Region, 1.0 s, 1 call)",
        ),
        (Totals(), Cost(1, 1), "0 accounts in sync (0 accounts, 1.0 s, 1 call)"),
        (
            Totals(2, organization="drifted", regions={"a"}),
            Cost(1, 2, writes=1),
            "2 accounts in sync, the organization itself drifted (2 accounts, 1 Region, 1.0 s, 2 calls, 1 write)",
        ),
    ],
)
def test_the_summary_says_how_the_accounts_stand(standing: Totals, cost: Cost, expected: str) -> None:
    plan = Plan((result(A, EAST, change()),))
    line, digest = (each.plain for each in grouped.summary(plan, plan.digest, standing, cost))
    assert line == f"Plan: 0 to add, 1 to change, 0 to destroy. {expected}"
    assert digest == f"plan {plan.digest}"


def test_what_was_not_allowed_and_what_is_not_seen_yet_are_told_once() -> None:
    lost = change(f"trail {A}", consent="replace-trail", loses="the old one")
    made = [result(A, EAST, step="password_policy", withheld=[lost])]
    made += [
        result(
            B,
            EAST,
            step="password_policy",
            withheld=[change(f"trail {B}", consent="replace-trail", loses="the old one")],
        )
    ]
    assert shown(grouped.withheld(made, NAMES, unfold=False)).splitlines() == [
        "! password_policy  2 accounts: trail ${account_id}: s3:PutX was not called: the old one",
        "    hint: to have it, give `--allow replace-trail`",
        f"    {A} (dev), {B} (test)",
    ]
    late = [result(each, EAST, change(f"role {each}"), step="password_policy") for each in (A, B)]
    assert shown(grouped.unseen(late, NAMES, unfold=False)).splitlines()[0] == (
        "! AWS does not show yet: password_policy  2 accounts: role ${account_id}: field"
    )
