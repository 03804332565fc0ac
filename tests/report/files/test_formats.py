"""Tests of Markdown, JUnit and CSV: what they tell, and that no text of AWS is taken for markup or a formula."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.model import Account, Failure, Outcome
from provisioner.report.csv import COLUMNS, to_csv
from provisioner.report.entries import CHANGES, entries
from provisioner.report.json import DocumentJson
from provisioner.report.junit import to_junit
from provisioner.report.markdown import LIMIT, to_markdown

from .samples import EAST, ROLE, A, B, change, document, everything, result

ATTACKS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</details></code>**bold** @octocat #1 | a | b |",
    "``` ````` `x`",
    '=HYPERLINK("http://x")',
    "@SUM(1)",
    "-1+cmd|' /C calc'!A0",
    "+1",
    " \t=1",
    "x;=1",
    'x"; "+1;;@SUM(1)',
    "\N{FULLWIDTH EQUALS SIGN}1",
    "a\nb\r\n\n# c\u2028d\x00\x1b[31m\u202e\ud800\ufffe",
    "${account_id} $$ ${region}",
    "]]>&lt;&#0;",
]
TEXTS = st.sampled_from(ATTACKS) | st.text(st.characters(exclude_categories=()), max_size=40)


def hostile(text: str) -> DocumentJson:
    """A document in which AWS and others say *text* wherever they can."""
    changes = [change(text, text, {text: [text] * 9}, loses=text, consent="x")]
    failure = Failure(text, text, "iam", "GetRole", text, text, text, untried=(text,))
    results = (result(ROLE, changes=changes, withheld=changes, failures=[failure], request_ids=[text]),)
    return document([Outcome(Account(A, text), (EAST,), results)], message=text)


class _Tags(HTMLParser):
    """The tags of an HTML text, and the text in `code`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert [name for name, _ in attrs if name != "open"] == []


def outside_of_fences(text: str) -> str:
    """What GitHub reads as Markdown or HTML. Each fence that begins must end."""
    kept, fence = [], ""
    for line in text.split("\n"):
        run = re.match("`{3,}", line)
        if fence:
            if line == fence:
                fence = ""
        elif run:
            fence = run[0]
        else:
            kept.append(line)
    assert fence == ""
    return "\n".join(kept)


@given(TEXTS)
def test_markdown_of_hostile_texts_has_only_our_markup(text: str) -> None:
    found = to_markdown(hostile(text))
    outside = outside_of_fences(found)
    assert set(_Tags(outside).tags) <= {"details", "summary", "code", "b", "sub"}
    bare = re.sub("<code>[^<]*</code>", "", outside)
    assert "@octocat" not in bare
    assert "**" not in bare
    for line in outside.split("\n"):
        assert line.startswith("#") <= bool(re.match("#{3,4} ", line))
        assert line.count("<details") <= 1


def test_markdown_shows_each_kind_and_its_diff() -> None:
    found = to_markdown(everything())
    assert found.startswith("### ‼ provision verify\n")
    assert "#### ‼ 1 danger\n\n<details open><summary>‼ <b>a_role</b> <code>role</code> in" in found
    assert "- Length: DAILY\n+ Length: ${account_id} in ${region}" in found
    assert "<code>2 accounts, 2 Regions</code>" in found
    assert '+       "Sid": "New",' in found
    assert "hint: ask" in found
    assert "<b>" not in re.sub("<b>[a-z_]+</b>", "", found)


def test_markdown_is_bounded_and_counts_what_is_left_out() -> None:
    accounts = [f"{number:012}" for number in range(600)]
    outcomes = [
        Outcome(Account(each), (EAST,), (result(ROLE, each, changes=[change(f"thing {n}", "🙂" * n, "y")]),))
        for n, each in enumerate(accounts)
    ]
    found = to_markdown(document(outcomes))
    assert len(found.encode("utf-16-le")) // 2 <= LIMIT
    left = re.search(r"_([0-9]+) entries of 600 left out", found)
    assert left is not None
    assert int(left[1]) + found.count("<details") == 600
    outside_of_fences(found)


@given(TEXTS)
def test_junit_of_hostile_texts_is_valid_xml(text: str) -> None:
    found = to_junit(hostile(text))
    root = ET.fromstring(found.encode())
    assert {each.tag for each in root.iter()} <= {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "skipped",
    }


def test_junit_has_a_suite_for_each_account_and_a_case_for_each_step_or_check() -> None:
    root = ET.fromstring(to_junit(everything()).encode())
    suites = {each.get("name"): each for each in root}
    assert list(suites) == [
        "organization",
        f"{A} (dev)",
        f"{B} (prod <b>)",
        "444444444444 (quiet)",
        "333333333333",
    ]
    for suite in [*suites.values(), root]:
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(len(list(suite.iter(tag))))
    names = [each.get("name") for each in suites[f"{B} (prod <b>)"]]
    assert "c_rules: recorder: delivers in eu-west-1" in names
    [failed] = suites[f"{B} (prod <b>)"].findall(".//testcase/error")
    assert failed.text is not None
    assert "hint: ask" in failed.text
    assert suites["333333333333"].find("testcase/skipped") is not None


@given(TEXTS)
def test_csv_of_hostile_texts_has_no_formula(text: str) -> None:
    found = hostile(text)
    lines = list(csv.reader(io.StringIO(to_csv(found), newline=""), strict=True))
    assert {len(line) for line in lines} == {len(COLUMNS)}
    for line in lines:
        # As a spreadsheet reads it whose language has a comma in numbers, and so a semicolon between cells.
        for cell in [*line, *(part.lstrip('" ') for each in line for part in each.split(";"))]:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "|", "%"))
            assert cell.isprintable()


def test_csv_has_a_line_for_each_field_and_each_other_entry() -> None:
    found = everything()
    lines = list(csv.DictReader(io.StringIO(to_csv(found), newline="")))
    fields = sum(len(e.about["differences"]) if e.kind in CHANGES else 1 for e in entries(found))
    assert len(lines) == fields
    danger = next(each for each in lines if each["state"] == "danger")
    assert (danger["account"], danger["name"], danger["consent"]) == (A, "dev", "remove-foreign-statements")
    failed = next(each for each in lines if each["state"] == "failed")
    assert (failed["hint"], failed["request_id"], failed["call"]) == ("ask", "id-1", "iam:GetRole")


@pytest.mark.parametrize("make", [to_csv, to_junit, to_markdown])
def test_a_document_without_anything_to_tell(make: object) -> None:
    empty = document([Outcome(Account(A), (EAST,))])
    assert make(empty)  # type: ignore[operator]
