"""Tests of the state file: persistence, ownership, atomic writes and several processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from provisioner.sandbox import SandboxError, open_sandbox
from provisioner.sandbox.store import STAMP

from .cases import ACCOUNT, Aws, make_bucket, make_channel, make_trail, managed_rule

_START = """
import json, os, sys
from pathlib import Path
import boto3
from provisioner.sandbox import open_sandbox
def client(name): return boto3.client(name, region_name="us-east-1")
"""


def start(script: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """A new process that runs *script*."""
    command = [sys.executable, "-c", _START + textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


def run(script: str, *arguments: object, **options: Any) -> str:
    process = start(script, *arguments, **options)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox" / "state"


def test_state_is_saved(path: Path) -> None:
    with open_sandbox(path):
        aws = Aws()
        make_trail(aws, IsMultiRegionTrail=True)
        make_channel_in(aws)
        aws.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    seen = run(
        """
        with open_sandbox(Path(sys.argv[1])) as world:
            trail = client("cloudtrail").get_trail(Name="trl")["Trail"]
            config = client("config")
            recorder = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
            events = client("cloudtrail").lookup_events()["Events"]
            client("cloudtrail").start_logging(Name="trl")
            print(json.dumps([trail["S3BucketName"], recorder["recordingMode"]["recordingFrequency"],
                              events[0]["EventName"], world.notice]))
        """,
        path,
    )
    assert json.loads(seen) == ["bkt", "DAILY", "CreateKey", None]
    with open_sandbox(path):
        assert Aws().cloudtrail.get_trail_status(Name="trl")["IsLogging"]


def make_channel_in(aws: Aws) -> None:
    mode = {"recordingFrequency": "DAILY"}
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    recorder = {"name": "default", "roleARN": role, "recordingMode": mode}
    aws.config.put_configuration_recorder(ConfigurationRecorder=recorder)


def test_file_is_private_and_small(path: Path) -> None:
    with open_sandbox(path):
        aws = Aws()
        make_channel(aws)
        aws.config.put_config_rule(ConfigRule=managed_rule())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_size < 200_000
    assert sorted(p.name for p in path.parent.iterdir()) == ["state", "state.lock"]


def test_a_read_does_not_write(path: Path) -> None:
    with open_sandbox(path):
        aws = Aws()
        make_bucket(aws)
        before = path.stat()
        aws.s3.head_bucket(Bucket="bkt")
        aws.iam.list_roles()
        assert path.stat().st_ino == before.st_ino


def test_a_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    (tmp_path / "other").write_bytes(b"")
    path.symlink_to(tmp_path / "other")
    with pytest.raises(SandboxError, match="symbolic link"), open_sandbox(path):
        pass


def test_a_link_in_place_of_the_lock_is_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.with_name("state.lock").symlink_to(tmp_path / "other")
    with pytest.raises(SandboxError, match="symbolic link"), open_sandbox(path):
        pass
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(path: Path, mode: int) -> None:
    with open_sandbox(path):
        pass
    path.chmod(mode)
    with pytest.raises(SandboxError, match="others may write"), open_sandbox(path):
        pass


def test_a_directory_that_others_may_write_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o777)
    with pytest.raises(SandboxError, match="others may write"), open_sandbox(path):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(path: Path) -> None:
    with open_sandbox(path):
        pass
    os.chown(path, 12345, 12345)
    with pytest.raises(SandboxError, match="another user"), open_sandbox(path):
        pass


def test_a_file_that_is_no_state_is_not_overwritten(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"my thesis")
    with pytest.raises(SandboxError, match="no state of a sandbox"), open_sandbox(path):
        pass
    assert path.read_bytes() == b"my thesis"


@pytest.mark.parametrize("content", [b"provision sandbox 0, moto 1.0\n", STAMP + b"damaged", b""])
def test_unreadable_file_is_replaced_with_a_notice(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)
    with open_sandbox(path) as world:
        assert "started empty" in (world.notice or "")
        assert Aws().organizations.describe_organization()
    with open_sandbox(path) as world:
        assert world.notice is None


def test_no_write_is_lost_after_a_kill(path: Path) -> None:
    process = start(
        """
        with open_sandbox(Path(sys.argv[1])):
            s3 = client("s3")
            for number in range(1000):
                s3.create_bucket(Bucket=f"bkt{number}")
                print(number, flush=True)
        """,
        path,
    )
    assert process.stdout
    while (line := process.stdout.readline().strip()) != "20":
        assert line
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    last = int(rest.split()[-1]) if rest.split() else 20
    with open_sandbox(path) as world:
        found = {one["Name"] for one in Aws().s3.list_buckets()["Buckets"]}
        assert world.notice is None
    assert found >= {f"bkt{number}" for number in range(last + 1)}


def test_two_processes_see_each_others_writes(path: Path) -> None:
    other = start(
        """
        with open_sandbox(Path(sys.argv[1])):
            s3 = client("s3")
            for line in sys.stdin:
                print(len(s3.list_buckets()["Buckets"]), flush=True)
                s3.create_bucket(Bucket=line.strip())
                print("made", flush=True)
        """,
        path,
        bufsize=1,
    )
    assert other.stdin
    assert other.stdout
    with open_sandbox(path):
        aws = Aws()
        for number in range(3):
            make_bucket(aws, name=f"here{number}")
            print(f"there{number}", file=other.stdin, flush=True)
            assert int(other.stdout.readline()) == 2 * number + 1
            assert other.stdout.readline().strip() == "made"
            assert len(aws.s3.list_buckets()["Buckets"]) == 2 * number + 2
    other.communicate()


def test_writes_of_many_processes_are_all_kept(path: Path) -> None:
    script = """
    with open_sandbox(Path(sys.argv[1])):
        s3 = client("s3")
        for number in range(10):
            s3.create_bucket(Bucket=f"bkt-{sys.argv[2]}-{number}")
    """
    others = [start(script, path, number) for number in range(3)]
    assert [other.communicate(timeout=60) and other.returncode for other in others] == [0, 0, 0]
    with open_sandbox(path):
        assert len(Aws().s3.list_buckets()["Buckets"]) == 30


def test_reset_is_saved(path: Path) -> None:
    with open_sandbox(path) as world:
        aws = Aws()
        make_trail(aws)
        world.propagation = 3
        world.reset()
        assert aws.s3.list_buckets()["Buckets"] == []
        assert world.propagation == 0
    with open_sandbox(path):
        assert Aws().cloudtrail.describe_trails()["trailList"] == []


def test_real_credentials_are_hidden_and_restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile real]\nregion = eu-west-1\naws_access_key_id = AKIAREAL\naws_secret_access_key = s\n"
    )
    mine = {
        "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_PROFILE": "real",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": "https://other.example",
        "AWS_ENDPOINT_URL_S3": "https://other.example",
        "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/real",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
        "MOTO_ACCOUNT_ID": "000000000000",
    }
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    kept = boto3.DEFAULT_SESSION
    with open_sandbox(None):
        found = boto3.Session().get_credentials()
        assert found
        assert found.access_key == "SANDBOX"
        assert boto3.client("s3", region_name="us-east-1").meta.endpoint_url == "https://s3.amazonaws.com"
        assert boto3.client("sts", region_name="us-east-1").get_caller_identity()["Account"] == ACCOUNT
    assert {name: os.environ.get(name) for name in mine} == mine
    assert "AWS_SESSION_TOKEN" not in os.environ
    assert boto3.DEFAULT_SESSION is kept


def test_earlier_client_reaches_the_sandbox_only() -> None:
    early = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="AKIAREAL", aws_secret_access_key="s"
    )
    with open_sandbox(None) as world:
        early.create_bucket(Bucket="bkt")
        assert [call.operation for call in world.calls] == ["CreateBucket"]
        other = boto3.client("s3", region_name="us-east-1", endpoint_url="https://s3.example")
        with pytest.raises(Exception, match="Could not connect"):
            other.list_buckets()


def test_the_environment_is_restored_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    with pytest.raises(ZeroDivisionError), open_sandbox(None):
        1 / 0  # noqa: B018
    assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
    with open_sandbox(None):
        pass


def test_one_sandbox_at_a_time() -> None:
    with open_sandbox(None), pytest.raises(SandboxError, match="open in this process"), open_sandbox(None):
        pass


def test_nothing_is_left_in_moto() -> None:
    with open_sandbox(None):
        make_bucket(Aws())
    with open_sandbox(None), pytest.raises(ClientError, match="404"):
        Aws().s3.head_bucket(Bucket="bkt")


def test_unknown_rule() -> None:
    with (
        pytest.raises(SandboxError, match=r"no such sandbox rule: `s3\.nonsense`"),
        open_sandbox(None, without=["s3.nonsense"]),
    ):
        pass


def test_importing_the_package_imports_neither_moto_nor_boto() -> None:
    script = (
        "import provisioner.sandbox\nprint([m for m in ('moto', 'boto3', 'botocore') if m in sys.modules])"
    )
    command = [sys.executable, "-c", "import sys\n" + script]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
