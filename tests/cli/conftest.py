"""Fixtures for commands that run against an endpoint on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def credentials(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
