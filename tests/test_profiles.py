"""Tests of the profiles that `provision init` writes: each is valid, converges, and says what it should."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner.cli.init.profiles import profile_names, profile_text

from .cli.test_commands import run_command
from .conftest import ROOT

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("profile", profile_names())
def test_a_profile_is_valid_and_converges(capfd: Any, profile: str) -> None:
    file = str(ROOT / "provisioner" / "profiles" / f"{profile}.yaml")
    assert run_command(capfd, "validate", file)[0] == 0
    code, out, err = run_command(capfd, "apply", file, "--sandbox", "--yes")
    assert (code, "AWS shows what was asked" in out) == (0, True), err
    code, out, _ = run_command(capfd, "diff", file, "--sandbox")
    assert (code, out.startswith("No changes.")) == (0, True)


def test_each_control_of_cis_that_the_profile_names_is_one_of_its_version() -> None:
    text = profile_text("cis-5.0")
    body = text[text.index("organization_name:") :]
    named = set(re.findall(r"(?<![\d.])([1-5]\.\d+(?:\.\d+)?)(?![\d.]*\d)", "\n".join(_comments(body))))
    last = {"1": 21, "3": 9, "4": 16}
    for each in named:
        chapter, number, *_ = each.split(".")
        assert int(number) <= last.get(chapter, 7), each
    assert {
        "1.7",
        "1.8",
        "1.16",
        "1.19",
        "2.1.3",
        "2.1.4",
        "3.1",
        "3.2",
        "3.3",
        "3.8",
        "4.16",
        "5.1.1",
    } <= named


def _comments(text: str) -> list[str]:
    return [found.group(1) for line in text.splitlines() if (found := re.search(r"(?:^|\s)# (.*)", line))]
