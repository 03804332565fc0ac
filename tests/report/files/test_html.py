"""Tests of the page: its structure, its data, and that no text of AWS is taken for HTML. In a browser: `test_browser.py`."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given

from provisioner.model import Account, Outcome
from provisioner.report.entries import KINDS, entries
from provisioner.report.history import History, read_history
from provisioner.report.html.data import STATES, page_data
from provisioner.report.html.page import WORDS, to_html
from provisioner.report.json import DocumentJson

from .samples import CENTRAL, DENIED, EAST, OWN, RUN, STEPS, WEST, A, B, document, drift, everything, result
from .test_formats import TEXTS, hostile

NAMES = [each.name for each in STEPS]


class _Page(HTMLParser):
    """The elements of a page with their attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside] = self.texts.get(self._inside, "") + data


def page(
    found: DocumentJson, records: list[Any] | None = None, own: list[Any] | None = None
) -> tuple[_Page, dict[str, Any]]:
    parsed = _Page(to_html(found, read_history(records or [], own or []), STEPS))
    data: dict[str, Any] = json.loads(parsed.texts["data"])
    return parsed, data


def test_page_asks_nobody_and_its_policy_allows_just_what_is_in_it() -> None:
    parsed, _ = page(everything(), RUN)
    for tag, attributes in parsed.elements:
        assert tag not in {"link", "iframe", "img", "object", "form", "base"}
        assert not {"src", "srcset", "style", "onclick", "onload"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    [policy] = [
        a["content"] or "" for _, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for name in ("style", "script"):
        [digest] = re.findall("'sha256-(.*?)'", rules[f"{name}-src"])
        assert b64decode(digest) == sha256(parsed.texts[name].encode()).digest()
    assert not re.search(r"https?://(?!www\.w3\.org/)", parsed.texts["script"] + parsed.texts["style"])
    assert not re.search("innerHTML|outerHTML|insertAdjacentHTML|document.write|eval", parsed.texts["script"])


def test_ids_are_unique_and_labels_name_one() -> None:
    parsed, _ = page(everything())
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {a["aria-labelledby"] for _, a in parsed.elements if "aria-labelledby" in a}
    assert named <= set(ids)
    used = set(re.findall(r'byId\("([a-z-]+)"\)', parsed.texts["script"]))
    assert used <= set(ids)


@given(TEXTS)
def test_hostile_texts_are_data_only(text: str) -> None:
    parsed, data = page(hostile(text), [*RUN, drift(A, state=text, why=text, run=text)])
    plain, _ = page(hostile("x"), [*RUN, drift(A, state="x", why="x", run="x")])
    assert Counter(tag for tag, _ in parsed.elements) == Counter(tag for tag, _ in plain.elements)
    assert parsed.texts["script"] == plain.texts["script"]
    for group in data["groups"]:
        for each in (group["t"], *group["d"], *(x for field in group.get("f", ()) for x in field)):
            assert each.isprintable()


def places(found: list[list[Any]], data: dict[str, Any]) -> set[tuple[str, str]]:
    """The accounts and Regions of compact places."""
    named = set()
    for regions, ranges in found:
        for first, many in zip(ranges[::2], ranges[1::2], strict=True):
            for row in range(first, first + many):
                for region in regions:
                    named.add((data["accounts"][row][0], data["regions"][region] if region >= 0 else ""))
    return named


def test_every_entry_is_in_the_data_in_its_place() -> None:
    found = everything()
    _, data = page(found)
    kinds = list(KINDS)
    want = {(e.kind, e.step, e.row, e.region) for e in entries(found)}
    have = set()
    for group in data["groups"]:
        step = NAMES[group["s"]] if group["s"] >= 0 else group["o"]
        have |= {(kinds[group["k"]], step, *place) for place in places(group["p"], data)}
    assert have == want


def cell(data: dict[str, Any], account: str, step: str) -> list[str]:
    """The states of a step in an account, one for each Region of a regional step."""
    [row] = [each[4] for each in data["accounts"] if each[0] == account]
    return [data["states"][letter] for letter in data["cells"][data["rows"][row][NAMES.index(step)]]]


@pytest.mark.parametrize(
    ("account", "step", "states"),
    [
        (A, "a_role", ["danger"]),
        (B, "a_role", ["failed"]),
        (A, "b_recorder", ["check_failed", "skipped", "check_failed"]),
        (B, "c_rules", ["not_run", "nowhere", "in_sync"]),
        (A, "d_trail", ["nowhere"]),
        ("", "d_trail", ["check_failed"]),
        ("", "b_recorder", ["nowhere"]),
        ("333333333333", "e_policy", ["skipped"]),
        ("444444444444", "b_recorder", ["in_sync", "nowhere", "in_sync"]),
    ],
)
def test_state_of_a_cell(account: str, step: str, states: list[str]) -> None:
    _, data = page(everything())
    assert data["regions"] == [WEST, "me-south-1", EAST]
    assert cell(data, account, step) == states


def test_nothing_is_in_sync_in_an_account_that_could_not_be_entered() -> None:
    outcome = Outcome(Account(A), (), (result("account", A, failures=[DENIED]),))
    other = Outcome(Account(B), (EAST,))
    _, data = page(document([outcome, other]))
    assert [cell(data, A, name)[0] for name in NAMES] == ["unread", "unread", "unread", "nowhere", "unread"]
    assert cell(data, B, "a_role") == ["in_sync"]


def test_equal_rows_and_cells_are_there_once() -> None:
    outcomes = [Outcome(Account(f"{number:012}"), (EAST, WEST)) for number in range(1000)]
    _, data = page(document(outcomes))
    assert (len(data["accounts"]), len(data["rows"]), len(data["cells"])) == (1001, 2, 3)


def test_history_says_what_drifted_when_and_who_did_it() -> None:
    _, data = page(everything(), RUN, OWN)
    assert [each[0] for each in data["runs"]] == ["run-1"]
    assert len(data["history"]) == 3
    unknown = data["history"][0]
    assert unknown[11:] == ["555555555555 us-east-1", [[[2], [-1, 1]]]]
    assert unknown[6] is True
    assert {actor[0] for actor in data["actors"]} == {f"arn:aws:iam::{each}:user/eve" for each in (A, B)}
    [recorder] = [each for each in data["groups"] if each["t"] == "recorder" and "w" in each]
    assert (recorder["n"], recorder["q"]) == ("2026-11-29T02:00:00Z", True)
    assert sorted(count for _, count in recorder["w"]) == [1, 1]


def test_history_is_of_objects_or_mappings_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from provisioner.repair import records

    address = records.Address(A, EAST, "b_recorder", "recorder")
    line = records.Drift("run-1", "2026-11-29T02:00:00Z", address, [], "update", "repaired")
    assert read_history([line]).drifts[0]["state"] == "repaired"
    monkeypatch.setattr("provisioner.report.history.MAX_DRIFTS", 2)
    found = read_history([drift(A), drift(B), drift(CENTRAL)])
    assert (len(found.drifts), found.left_out) == (2, 1)


def test_nobody_is_named_for_a_difference_but_by_the_run_that_found_it_and_by_its_field() -> None:
    _, data = page(everything(), RUN)  # eve's was repaired: who made what differs now is not known
    assert [each for each in data["groups"] if each.get("w") or each.get("n") or each.get("q")] == []
    other = drift(A, differences=[{"field": "Role", "have": 1, "want": 2}])
    _, data = page(everything(), RUN, [other])
    assert [each["w"] for each in data["groups"] if each.get("w")] == []


def test_each_state_has_words_and_the_data_is_plain_json() -> None:
    assert set(WORDS) == set(STATES)
    data = page_data(everything(), History(), STEPS)
    assert json.loads(json.dumps(data)) == data


def test_a_document_without_steps_or_accounts() -> None:
    _, data = page(document([Outcome(Account(A), ())]))
    assert data["groups"] == []
    assert "nothing to run" in to_html(document([Outcome(Account(A))]), History(), STEPS[1:2])
    assert to_html(document([Outcome(Account(A))]), History(), [])
