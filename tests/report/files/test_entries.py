"""Tests of entries: one for each thing of a document, and equal ones in one group that can be filled in again."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given, settings

from provisioner.model import Account, Finding, Outcome, Target
from provisioner.report.entries import KINDS, Entry, entries, grouped
from provisioner.report.grouping import escaped, fill

from ..test_json import OUTCOMES
from .samples import CENTRAL, EAST, RECORDER, A, B, C, document, everything, result


def test_each_thing_of_a_document_is_an_entry() -> None:
    counts = Counter(each.kind for each in entries(everything()))
    assert counts == {
        "danger": 1,
        "failed": 1,
        "not_run": 1,
        "check_failed": 11,
        "withheld": 1,
        "change": 6,
        "check_pending": 1,
        "note": 1,
        "skipped": 2,
        "check_passed": 2,
    } | {"check_failed": counts["check_failed"], "check_passed": counts["check_passed"]}


@settings(max_examples=60)
@given(OUTCOMES)
def test_groups_have_every_entry_once_and_give_it_back(found: Outcome) -> None:
    own = list(entries(document([found])))
    groups = grouped(own, CENTRAL)
    assert Counter(id(each) for group in groups for each in group.entries) == Counter(map(id, own))
    for group in groups:
        for each in group.entries:
            assert each.kind == group.kind
            if "check" not in each.about:  # times are left out of these
                target = Target(each.account if each.row else "", each.region)
                assert fill(group.template, target) == escaped(json.loads(json.dumps(each.about)))
    ranks = [list(KINDS).index(each.kind) for each in groups]
    assert ranks == sorted(ranks)


def test_equal_differences_of_many_places_are_one_group() -> None:
    [group] = [
        each for each in grouped(entries(everything())) if each.step == RECORDER and each.kind == "change"
    ]
    assert {(each.account, each.region) for each in group.entries} == {
        (account, region) for account in (A, B) for region in (EAST, "eu-west-1")
    }
    assert group.template["differences"] == [["Length", "DAILY", "${account_id} in ${region}"]]


def test_checks_that_differ_in_their_time_are_one_group_and_a_single_one_keeps_it() -> None:
    def outcome(account: str, time: str) -> Outcome:
        found = Finding("r", "c", True, f"{time} UTC, 5 minutes ago")
        return Outcome(Account(account), (EAST,), (result(RECORDER, account, findings=[found]),))

    both = document([outcome(A, "2026-11-30 03:12"), outcome(C, "2026-11-30 03:14")], command="verify")
    details = {
        len(g.entries): g.template["detail"] for g in grouped(entries(both)) if g.template["check"] == "c"
    }
    assert details == {2: "…"}
    one = document([outcome(A, "2026-11-30 03:12")], command="verify")
    [single] = [g for g in grouped(entries(one)) if g.template["check"] == "c"]
    assert single.template["detail"] == "2026-11-30 03:12 UTC, 5 minutes ago"


def test_resource_is_empty_where_there_is_none() -> None:
    assert Entry("skipped", A, "", A, "", {"text": "x"}).resource == ""
