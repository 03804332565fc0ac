"""Tests of what a test leaves behind for the next one in the same process: nothing."""

from __future__ import annotations

import os

import pytest

from provisioner.sandbox import open_sandbox


@pytest.mark.parametrize("turn", ["first", "second"])
def test_variables_set_inside_of_a_sandbox_end_with_their_test(
    monkeypatch: pytest.MonkeyPatch, turn: str
) -> None:
    assert os.environ.get("AWS_SESSION_TOKEN") != "sandbox"
    with open_sandbox(None):
        monkeypatch.setenv("AWS_SESSION_TOKEN", "of another account")
