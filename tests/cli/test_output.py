"""Tests of `--output`: which files a command writes, and its exit code where it cannot."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from ..conftest import ROOT
from .test_commands import run_command

FILE = str(ROOT / "baseline.yaml")

pytestmark = pytest.mark.usefixtures("home")


def test_diff_apply_and_verify_write_reports(capfd: Any, tmp_path: Path) -> None:
    paths = {kind: tmp_path / f"report.{kind}" for kind in ("html", "md", "junit", "csv")}
    outputs = [text for kind, path in paths.items() for text in ("-o", f"{kind}={path}")]
    code, out, _ = run_command(capfd, "diff", FILE, "--sandbox", "--json", *outputs)
    assert code == 2
    assert json.loads(out)["type"] == "report"
    assert "### ~ provision diff (sandbox)" in paths["md"].read_text()
    code, _, _ = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--quiet", *outputs)
    assert code == 0
    assert "### ↻ provision apply (sandbox)" in paths["md"].read_text()
    code, _, _ = run_command(capfd, "verify", FILE, "--sandbox", "--quiet", *outputs)
    assert code == 0
    assert "### ✓ provision verify (sandbox)" in paths["md"].read_text()
    suites = ET.fromstring(paths["junit"].read_bytes())
    assert (suites.get("failures"), suites.get("errors")) == ("0", "0")
    assert int(suites.get("tests", "0")) > 10
    assert paths["html"].read_text().startswith("<!doctype html>")


def test_a_report_that_cannot_be_written_stops_nothing(capfd: Any) -> None:
    bad = ("-o", "md=/dev/full")
    code, _, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes", *bad)
    assert code == 1
    assert "--output md=/dev/full: No space left on device; the report is not written" in err
    assert run_command(capfd, "diff", FILE, "--sandbox")[0] == 0  # everything was applied


def test_differences_count_more_than_a_lost_report(capfd: Any) -> None:
    code, _, err = run_command(capfd, "diff", FILE, "--sandbox", "-o", "md=/dev/full")
    assert (code, "the report is not written" in err) == (2, True)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (["pdf=x"], "there is no report 'pdf'"),
        (["html"], "want KIND=FILE"),
        (["html=/nope/x.html"], "the folder /nope is not there"),
        (["html=x", "md=x"], "x is named twice"),
    ],
)
def test_a_wrong_output_is_one_error_before_aws_is_called(capfd: Any, given: list[str], wrong: str) -> None:
    outputs = [text for each in given for text in ("--output", each)]
    code, out, err = run_command(capfd, "diff", FILE, *outputs)
    assert (code, out) == (1, "")
    assert wrong in err
    assert "Traceback" not in err
