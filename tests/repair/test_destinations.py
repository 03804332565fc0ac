"""Tests of what `journal` and `notices` of a file name in AWS: a missing one is told, and fails `verify` only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from provisioner.sandbox import open_sandbox

from ..cli.test_commands import run_command

HEAD = "organization_name: acme\nhome_region: us-east-1\npassword_policy: {minimum_password_length: 14}\n"
TOPIC = "arn:aws:sns:{}:123456789012:alarms"
BUS = "arn:aws:events:{}:123456789012:event-bus/audit"

Client = Callable[[str, str], Any]
Make = Callable[[Client], Any]
# The file's text, the key in it, and what makes what it names.
DESTINATIONS: dict[str, tuple[str, str, Make]] = {
    "bucket": (
        "journal: {s3_bucket_name: acme-journal}",
        "journal.s3_bucket_name",
        lambda client: client("s3", "us-east-1").create_bucket(Bucket="acme-journal"),
    ),
    "topic": (
        f"notices: {{mail: {{sns: {{topic_arn: '{TOPIC.format('us-east-1')}'}}}}}}",
        "notices.mail.sns.topic_arn",
        lambda client: client("sns", "us-east-1").create_topic(Name="alarms"),
    ),
    "topic of another Region": (
        f"notices: {{mail: {{sns: {{topic_arn: '{TOPIC.format('eu-west-1')}'}}}}}}",
        "notices.mail.sns.topic_arn",
        lambda client: client("sns", "eu-west-1").create_topic(Name="alarms"),
    ),
    "bus": (
        "notices: {siem: {event_bridge: {event_bus_name: audit}}}",
        "notices.siem.event_bridge.event_bus_name",
        lambda client: client("events", "us-east-1").create_event_bus(Name="audit"),
    ),
    "bus by ARN": (
        f"notices: {{siem: {{event_bridge: {{event_bus_name: '{BUS.format('eu-west-1')}'}}}}}}",
        "notices.siem.event_bridge.event_bus_name",
        lambda client: client("events", "eu-west-1").create_event_bus(Name="audit"),
    ),
}
ONE_ACCOUNT, MANY = "", "accounts: {all: true}\n"


def client(service: str, region: str) -> Any:
    return botocore.session.get_session().create_client(service, region_name=region)


@pytest.mark.parametrize("accounts", [ONE_ACCOUNT, MANY], ids=["one account", "many"])
@pytest.mark.parametrize("case", DESTINATIONS)
def test_one_that_is_missing_is_told_until_it_is_made(
    home: Path, capfd: Any, case: str, accounts: str
) -> None:
    text, key, make = DESTINATIONS[case]
    file = home / "baseline.yaml"
    file.write_text(HEAD + accounts + text)
    given = [str(file), "--sandbox", "--quiet"]
    assert run_command(capfd, "apply", *given, "--yes")[0] == 0
    told = f"make it, or correct `{key}`"
    code, _, err = run_command(capfd, "diff", *given[:-1])
    assert (code, told in err) == (0, True)
    code, out, _ = run_command(capfd, "verify", *given)
    assert (code, told in out) == (2, True)
    with open_sandbox(home / "state" / "provision" / "sandbox" / "state"):
        make(client)
    for command in ("diff", "verify"):
        assert run_command(capfd, command, *given) == (0, "", ""), command


@pytest.mark.parametrize("case", DESTINATIONS)
def test_one_that_nobody_may_look_at_fails_nothing(home: Path, capfd: Any, case: str) -> None:
    text, _, make = DESTINATIONS[case]
    file = home / "baseline.yaml"
    file.write_text(HEAD + text)
    given = [str(file), "--sandbox", "--quiet"]
    assert run_command(capfd, "apply", *given, "--yes")[0] == 0
    with open_sandbox(home / "state" / "provision" / "sandbox" / "state") as world:
        make(client)
        for service in ("s3", "sns", "events"):
            world.deny(service, "*")
    for command in ("diff", "verify"):
        assert run_command(capfd, command, *given)[0] == 0, command
