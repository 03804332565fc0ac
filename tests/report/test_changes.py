"""Tests of the report on changes, notes, skipped places, and changes that were withheld or that AWS does not show yet."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.model import Failure, Finding, Kind, Note, Result, Skipped, Target
from provisioner.report.changes import changes, notes, repaired, skipped, unseen, withheld
from provisioner.report.failures import failures
from provisioner.report.findings import findings
from provisioner.report.places import View

from .samples import EAST, UNFOLDED, VIEW, A, B, C, D, change, rendered, result


def test_order_is_by_step_then_largest_group_first() -> None:
    made = [
        result(A, EAST, change("p"), step="password_policy"),
        result(A, EAST, change("small"), step="config_rules"),
        result(B, EAST, change("large"), step="config_rules"),
        result(C, EAST, change("large"), step="config_rules"),
        result(D, EAST, change("t"), step="cloudtrail"),
        result(D, EAST, change("b"), step="log_buckets"),
    ]
    found = rendered(changes(made, VIEW))
    assert re.findall(r"^  ~ (\w+)", found, re.MULTILINE) == ["b", "t", "large", "small", "p"]


def test_resources_with_the_same_places_share_a_heading() -> None:
    rules = [change("rule one", want=1), change("rule two", want=2), change("rule three", want=3)]
    made = [result(A, EAST, *rules), result(B, EAST, *rules), result(C, EAST, *rules[:2])]
    blocks = [block.splitlines() for block in rendered(changes(made, VIEW)).split("\n\n")]
    assert [[line.strip() for line in block if line.startswith("  ~")] for block in blocks if block] == [
        ["~ rule one", "~ rule two"],
        ["~ rule three"],
    ]


@settings(max_examples=60)
@given(st.text(st.characters(), max_size=20) | st.just("\x1b]0;owned\x07\x1b[2J\n\u202e"))
def test_control_characters_from_aws_are_escaped(name: str) -> None:
    made = [
        Result(
            "config_rules",
            Target(account, name or EAST),
            [change(name, name, {"a": [name * 9]}, consent="x", loses=name)],
            [Note(Kind.FOREIGN, name, name)],
            withheld=[change(name, consent="x", loses=name)],
            findings=[Finding(name, "check", ok=False, detail=name)],
            failures=[Failure(name, name, "s3", "Put", name, name, name)] if failed else [],
        )
        for account in (A, B)
        for failed in (False, True)
    ]
    skips = [Skipped(A, "", name), Skipped(B, name, name)]
    for view in (View({A: name, B: name}), View({A: name, B: name}, unfold=True)):
        parts = [
            changes(made, view),
            notes(made, view),
            withheld(made, view),
            unseen(made, view),
            skipped(skips, view),
            failures(made, view),
            findings(made, view),
            [repaired(made[0], made[0].changes[0])],
        ]
        text = "".join(rendered(part) for part in parts)
        assert all(c == "\n" or not unicodedata.category(c).startswith("C") for c in text)


def test_equal_notes_are_shown_once_with_the_number_of_places() -> None:
    def noted(account: str, kind: Kind = Kind.WARNING) -> Result:
        note = Note(kind, f"bucket b-{account}", "may cost")
        return result(account, EAST, notes=[note], step="password_policy")

    made = [noted(A), noted(B), noted(C, Kind.FOREIGN)]
    assert rendered(notes(made, VIEW)).splitlines() == [
        "! warning: bucket b-${account_id}: may cost (2 accounts)",
        f"· foreign: bucket b-{C}: may cost ({C} (prod) {EAST})",
    ]
    assert f"    in {EAST}: {A} (dev), {B} (test)" in rendered(notes(made, UNFOLDED))


def test_skipped_accounts_are_named_and_skipped_regions_counted() -> None:
    disabled = "is disabled"
    numbered = [f"{300000000000 + n}" for n in range(40)]
    found = [
        Skipped(account, region, disabled)
        for account in numbered[:17]
        for region in ("me-south-1", "ap-east-1")
    ]
    found += [Skipped(A, "", "is suspended"), Skipped(B, "me-south-1", "has no macie2")]
    assert rendered(skipped(found, VIEW)).splitlines() == [
        f"· skipped: {A} (dev): suspended",
        "· skipped in 17 accounts: ap-east-1, me-south-1: disabled",
        f"· skipped in {B} (test): me-south-1: has no macie2",
    ]
    assert numbered[16] in rendered(skipped(found, UNFOLDED))
    regions = [Skipped(A, f"xx-east-{n}", disabled) for n in range(1, 18)]
    assert rendered(skipped(regions, VIEW)).splitlines() == [
        f"· skipped in {A} (dev): xx-east-1, xx-east-10, xx-east-11",
        "    and 14 more (--unfold names them): disabled",
    ]
    assert "xx-east-9" in rendered(skipped(regions, UNFOLDED))
    many = [Skipped(each, "", "is not among `allowed_account_ids`") for each in numbered]
    assert "and 37 more (--unfold names them)" in rendered(skipped(many, View()))
    assert numbered[-1] in rendered(skipped(many, View(unfold=True)))


def test_withheld_change_shows_what_would_be_lost_and_the_flag() -> None:
    made = [
        result(
            account,
            EAST,
            step="password_policy",
            withheld=[change(f"trail {account}", consent="replace-trail", loses="the old one")],
        )
        for account in (A, B)
    ]
    assert rendered(withheld(made, VIEW)).splitlines() == [
        "! password_policy  2 accounts: trail ${account_id}: s3:PutX was not called: the old one",
        "    hint: to have it, give `--allow replace-trail`",
        f"    {A} (dev), {B} (test)",
    ]


def test_unseen_change_shows_resource_and_field() -> None:
    late = [result(each, EAST, change(f"role {each}"), step="password_policy") for each in (A, B)]
    assert rendered(unseen(late, VIEW)).splitlines()[0] == (
        "! AWS does not show yet: password_policy  2 accounts: role ${account_id}: field"
    )
