"""Tests of report files: whole or not there, for this user only, and a failure that stops nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from provisioner.report import files
from provisioner.report.files import REPORT_KINDS, check_output, write_reports

from .samples import OWN, RUN, STEPS, everything


def test_each_kind_is_written_for_this_user_only(tmp_path: Path) -> None:
    outputs = [(kind, str(tmp_path / f"report.{kind}")) for kind in REPORT_KINDS]
    (tmp_path / "report.md").write_text("old")
    (tmp_path / "report.md").chmod(0o644)
    assert write_reports(outputs, everything(), RUN, OWN, steps=STEPS) == []
    assert {each.name for each in tmp_path.iterdir()} == {Path(path).name for _, path in outputs}
    for _, path in outputs:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
        assert len(Path(path).read_text("utf-8")) > 500


def test_a_link_stays_one_and_a_device_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.md").symlink_to("real/report.md")
    assert write_reports([("md", str(tmp_path / "link.md")), ("md", "/dev/null")], everything()) == []
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real" / "report.md").is_file()


def test_a_failure_is_told_and_the_other_reports_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = str(tmp_path / "good.csv"), str(tmp_path / "nope" / "bad.html")
    messages = write_reports([("html", bad), ("csv", good)], everything(), steps=STEPS)
    assert messages == [f"--output html={bad}: No such file or directory; the report is not written"]
    assert Path(good).is_file()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    before = Path(good).read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    [message] = write_reports([("csv", good)], everything())
    assert message == f"--output csv={good}: No space left on device; the report is not written"
    assert Path(good).read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["good.csv"]


def test_a_report_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: Any) -> str:
        raise KeyError("x")

    monkeypatch.setattr(files, "_to_text", fail)
    [message] = write_reports([("md", str(tmp_path / "x"))], everything())
    assert "the report cannot be made: KeyError" in message


@pytest.mark.parametrize(
    ("kind", "path", "wrong"),
    [
        ("pdf", "x", "there is no report 'pdf': want html, md, junit, csv"),
        ("md", "", "want a file: md=FILE"),
        ("md", "{tmp}", "{tmp} is a folder: name a file in it"),
        ("md", "{tmp}/a/b.md", "the folder {tmp}/a is not there: make it first"),
        ("md", "a" * 300, "a" * 60 + "…: File name too long"),
        ("html", "{tmp}/x.html", ""),
    ],
)
def test_output_is_checked_before(tmp_path: Path, kind: str, path: str, wrong: str) -> None:
    assert check_output(kind, path.format(tmp=tmp_path)) == wrong.format(tmp=tmp_path)


def test_a_pipe_gets_the_report_and_one_that_nobody_reads_is_told(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    [message] = write_reports([("md", str(pipe))], everything())
    assert message.endswith("the report is not written")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream:
        assert write_reports([("csv", f"/dev/fd/{writer}")], everything()) == []
        os.close(writer)
        assert stream.read().startswith(b"state,account,")
