"""Tests of who is named for a difference by `diff --who` and by the page of `diff`: nobody but who made that one."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving

from .test_commands import run_command
from .test_repair import HEAD, POLICY, Command, command, weaken

__all__ = ["command"]  # a fixture
pytestmark = pytest.mark.usefixtures("home")


def actors(command: Command, home: Path, *flags: str) -> tuple[list[Any], bool]:
    """The actors of each difference on the page of `diff`, and whether each says since when it is known."""
    command("diff", *flags, "-o", f"html={home / 'page.html'}")
    found = re.search(
        r'<script[^>]* id="data"[^>]*>(.*?)</script>', (home / "page.html").read_text(), re.DOTALL
    )
    assert found
    data = json.loads(found[1])
    groups = [each for each in data["groups"] if "f" in each]
    return [[data["actors"][number][2] for number, _ in each.get("w", ())] for each in groups], all(
        each.get("n") for each in groups
    )


def test_who_made_what_was_repaired_since_is_not_named_for_what_differs_now(
    command: Command, home: Path
) -> None:
    command("apply", "--yes")
    weaken(home)
    command("repair")
    weaken(home)
    assert actors(command, home) == ([[]], True)
    assert actors(command, home, "--who") == ([["UpdateAccountPasswordPolicy"]], True)


def test_an_event_from_before_a_run_found_all_in_sync_is_not_named(
    capfd: Any, home: Path, credentials: None
) -> None:
    file = home / "baseline.yaml"
    file.write_text(HEAD + POLICY)
    with open_sandbox(None) as world, serving(world) as server:
        url = ("--endpoint-url", server.url)
        iam = botocore.session.get_session().create_client("iam", "us-east-1", endpoint_url=server.url)

        def weakened() -> None:
            iam.update_account_password_policy(MinimumPasswordLength=6, PasswordReusePrevention=12)

        run_command(capfd, "apply", str(file), "--yes", *url)
        world.clock = lambda: time.time() - 3600
        weakened()
        world.clock = time.time
        world.set(event_delay=300.0)
        assert "changed by" in run_command(capfd, "diff", str(file), "--who", *url)[1]
        run_command(capfd, "repair", str(file), *url)
        weakened()
        code, out, err = run_command(capfd, "diff", str(file), "--who", *url)
    assert (code, "changed by" in out) == (2, False)
    assert "CloudTrail shows an event after some minutes" in err


def test_the_digest_is_the_last_line_whatever_is_asked_for(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home)
    for flags in ((), ("--who",), ("--unfold",)):
        out = command("diff", *flags)[1]
        assert re.fullmatch(r"plan sha256:[0-9a-f]{64}", out.splitlines()[-1]), flags
