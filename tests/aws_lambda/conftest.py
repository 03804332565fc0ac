"""An organization behind HTTP, and a Lambda function that is deployed with a file for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from provisioner.aws import cloud
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World

from ..conftest import EXAMPLE, ThreadClock

SECRET = "top-secret"
WORKLOAD = "444455556666"
TEXT = (
    EXAMPLE.replace("name: default\n    recording_group", 'name: "${env:RECORDER}"\n    recording_group')
    + f"""
accounts: {{ all: true }}
overrides: [{{ ids: ["{WORKLOAD}"], password_policy: {{ minimum_password_length: 20 }} }}]
"""
)


# A rule of the organization, which AWS makes in accounts that have a recorder.
WITH_RULE = TEXT.replace(
    "password_policy:\n",
    "  organization_rules:\n    ebs: {source_identifier: EC2_EBS_ENCRYPTION_BY_DEFAULT}\npassword_policy:\n",
    1,
)


def rule_after_recorders(world: World) -> bool:
    """Whether the rule of the organization was put once, after the recorder of each account."""
    names = [each.operation for each in world.writes]
    recorders = [place for place, each in enumerate(names) if each == "PutConfigurationRecorder"]
    assert len(recorders) == 3
    [rule] = [place for place, each in enumerate(names) if each == "PutOrganizationConfigRule"]
    return rule > max(recorders)


class Time:
    """A Lambda context that returns the seconds given as the time left, and then the last of them again."""

    def __init__(self, *seconds: float):
        self._seconds = chain(seconds, repeat(seconds[-1]))

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * next(self._seconds))


PLENTY = Time(900)


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    with open_sandbox(None) as world, serving(world) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        patch.setattr(cloud, "RealClock", lambda stop: ThreadClock())
        patch.setenv("RECORDER", SECRET)
        patch.setenv("PROVISION_ENV", "RECORDER")
        yield world


@pytest.fixture
def world(served: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    served.reset()
    (tmp_path / "baseline.yaml").write_text(TEXT)
    monkeypatch.setenv("PROVISION_FILE", str(tmp_path / "baseline.yaml"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return served


@pytest.fixture
def event_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment allows events with a file of their own."""
    monkeypatch.setenv("PROVISION_ALLOW_EVENT_BASELINE", "1")
