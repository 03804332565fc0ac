"""Tests of the sandbox over HTTP: the same state and rules, for other programs."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from provisioner.sandbox import SandboxError, open_sandbox
from provisioner.sandbox.serve import Server, serve, serving
from provisioner.sandbox.world import World

from .cases import (
    ACCOUNT,
    MEMBER,
    Aws,
    make_bucket,
    make_trail,
    outcome,
    session,
    tls_only,
    trail_statements,
    trust,
)

FAKE = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    with serving(world) as served:
        yield served


class Outside(Aws):
    """Clients that use the sandbox over HTTP."""

    def __init__(self, url: str, region: str = "us-east-1", **keys: str) -> None:
        super().__init__(region, keys)
        self.url = url

    def __getattr__(self, service: str) -> Any:
        if service.startswith("_"):
            raise AttributeError(service)
        keys = self.keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        retries: Any = {"total_max_attempts": 1}
        where: Any = {"region_name": self.region, "endpoint_url": self.url, **keys}
        return session().client(service, config=Config(retries=retries), **where)


@pytest.fixture
def outside(server: Server) -> Outside:
    return Outside(server.url)


def test_http_and_in_process_share_state(outside: Outside, aws: Aws, world: World) -> None:
    make_trail(outside)
    aws.cloudtrail.start_logging(Name="trl")
    assert outside.cloudtrail.get_trail_status(Name="trl")["IsLogging"]
    outside.cloudtrail.stop_logging(Name="trl")
    assert not aws.cloudtrail.get_trail_status(Name="trl")["IsLogging"]
    assert [call.operation for call in world.writes][-2:] == ["StartLogging", "StopLogging"]


def test_http_follows_the_rules(outside: Outside) -> None:
    make_bucket(outside, tls_only("bkt"))
    outside.s3.put_object(Bucket="bkt", Key="a/b c", Body=b"text" * 5000)
    assert outside.s3.get_object(Bucket="bkt", Key="a/b c")["Body"].read() == b"text" * 5000
    trail = {"Name": "trl", "S3BucketName": "bkt"}
    assert (
        outcome(lambda a: a.cloudtrail.create_trail(**trail), outside)
        == "InsufficientS3BucketPolicyException"
    )
    assert outcome(lambda a: a.s3.head_bucket(Bucket="none"), outside) == "404"
    assert outside.s3.get_public_access_block(Bucket="bkt")
    assert len(outside.ec2.describe_regions()["Regions"]) == 17
    assert len(outside.account.list_regions()["Regions"]) > 17


def test_region_partition_and_account_come_from_the_signature(
    outside: Outside, aws: Aws, world: World
) -> None:
    Outside(outside.url, "eu-west-1").logs.create_log_group(logGroupName="g")
    assert world.calls[-1].region == "eu-west-1"
    role = {"RoleName": "r", "AssumeRolePolicyDocument": trust()}
    made = Outside(outside.url, "us-gov-west-1").iam.create_role(**role)["Role"]["Arn"]
    assert made == f"arn:aws-us-gov:iam::{ACCOUNT}:role/r"
    member = Outside(outside.url, **aws.of(MEMBER).keys)
    assert member.sts.get_caller_identity()["Account"] == MEMBER


def test_a_connection_is_kept_alive(server: Server) -> None:
    address = server.server_address
    connection = http.client.HTTPConnection(str(address[0]), int(address[1]))
    headers = {
        "X-Amz-Target": "CloudTrail_20131101.DescribeTrails",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/cloudtrail/aws4_request, S=x",
    }
    sockets = set()
    for _ in range(3):
        connection.request("POST", "/", b"{}", headers)
        response = connection.getresponse()
        assert json.loads(response.read()) == {"trailList": []}
        assert connection.sock
        sockets.add(connection.sock.fileno())
    assert len(sockets) == 1
    connection.close()


def test_a_client_that_waits_for_100_continue_gets_it(server: Server) -> None:
    head = b"PUT /b/k HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    with socket.create_connection((str(server.server_address[0]), int(server.server_address[1]))) as sent:
        sent.settimeout(10)
        sent.sendall(head)
        assert sent.recv(99) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_latency_overlaps(world: World) -> None:
    with serving(world, latency=0.3) as server:
        client = Outside(server.url).cloudtrail
        threads = [threading.Thread(target=client.describe_trails) for _ in range(6)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 0.3 <= time.monotonic() - started < 1.2


def test_an_injected_reset_ends_the_connection(outside: Outside, world: World) -> None:
    def reset(call: Any, phase: str) -> None:
        if call.operation == "DescribeTrails" and phase == "before":
            raise ConnectionError

    world.interrupt(reset)
    with pytest.raises(ConnectionClosedError):
        outside.cloudtrail.describe_trails()


def test_only_this_machine_is_served(world: World) -> None:
    with pytest.raises(SandboxError, match="this machine only"), serving(world, host="0.0.0.0"):
        pass


def test_port_in_use(server: Server, world: World) -> None:
    with (
        pytest.raises(SandboxError, match="choose another port"),
        serving(world, port=int(server.server_address[1])),
    ):
        pass


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """`serve` in another process: the process, its URL and its state file."""
    path = tmp_path / "sandbox" / "state"
    script = "import sys; from pathlib import Path; from provisioner.sandbox.serve import serve;"
    script += "serve(Path(sys.argv[1]), port=0, ready=lambda url: print(url, flush=True))"
    command = [sys.executable, "-c", script, str(path)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert started.stdout
    yield started, started.stdout.readline().strip(), path
    if started.poll() is None:
        started.kill()
    started.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly(process: tuple[subprocess.Popen[str], str, Path], number: int) -> None:
    started, url, path = process
    make_bucket(Outside(url), *trail_statements("bkt"))
    with open_sandbox(path):
        aws = Aws()
        aws.cloudtrail.create_trail(Name="trl", S3BucketName="bkt")
        assert [t["Name"] for t in Outside(url).cloudtrail.describe_trails()["trailList"]] == ["trl"]
        with pytest.raises(ClientError, match="TrailAlreadyExists"):
            Outside(url).cloudtrail.create_trail(Name="trl", S3BucketName="bkt")
    started.send_signal(number)
    assert started.wait(5) == 0


def test_serve_an_open_world(world: World, aws: Aws) -> None:
    urls: list[str] = []

    def ready(url: str) -> None:
        urls.append(url)
        make_bucket(Outside(url))
        os.kill(os.getpid(), signal.SIGTERM)

    serve(None, port=0, ready=ready, world=world)
    assert aws.s3.head_bucket(Bucket="bkt")
    assert urls


@pytest.mark.skipif(shutil.which("aws") is None, reason="no aws command here")
def test_the_aws_command_works(server: Server, aws: Aws) -> None:
    def command(*words: str) -> Any:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | FAKE
        run = ["aws", "--endpoint-url", server.url, "--output", "json", *words]
        done = subprocess.run(run, capture_output=True, text=True, env=environment, check=False)
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout + done.stderr

    make_trail(aws)
    aws.cloudtrail.start_logging(Name="trl")
    command("cloudtrail", "stop-logging", "--name", "trl")
    assert not aws.cloudtrail.get_trail_status(Name="trl")["IsLogging"]
    assert "make_bucket: other" in command("s3", "mb", "s3://other")
    assert "InsufficientS3BucketPolicy" in command(
        "cloudtrail", "create-trail", "--name", "two", "--s3-bucket-name", "other"
    )
    assert len(command("organizations", "list-accounts")["Accounts"]) == 4


def test_the_example_that_serve_prints_needs_nothing_else(tmp_path: Path) -> None:
    """Another client, which reads only what AWS's own tools read, gets all that it needs from the lines that are printed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env = {**kept, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "provisioner", "sandbox", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as server:
        assert server.stderr is not None
        printed: list[str] = []
        for line in server.stderr:
            printed.append(line.strip())
            if line.startswith("Ctrl-C"):
                break
        exports = "\n".join(each for each in printed if each.startswith("export "))
        [example] = [each for each in printed if each.startswith("aws ")]
        _, service, operation = example.split()
        calls = (
            "import botocore.session; make = botocore.session.Session().create_client;"
            " print(make('config').describe_configuration_recorders());"  # of a Region
            f" make('{service}').{operation.replace('-', '_')}()"
        )
        script = f'{exports}\n"{sys.executable}" -c "{calls}"'
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, env=env, check=False, timeout=60
        )
        server.send_signal(signal.SIGINT)
    assert "ConfigurationRecorders" in done.stdout, done.stderr
    assert "NoSuchEntity" in done.stderr, "the new sandbox has no password policy, and says so"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "localhost:4566"}, 200),
        ({"Host": "LOCALHOST"}, 200),
        ({"Host": "[::1]:4566"}, 200),
        ({"Host": "bkt.localhost:4566"}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:4566"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "evil.example@127.0.0.1.x"}, 403),
        ({"Host": "notlocalhost"}, 403),
        ({"Host": "10.0.0.1"}, 403),
        ({"Host": "["}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example:80@127.0.0.1"}, 403),
        ({"Referer": "https://evil.example/page"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/", "/_sandbox"])
def test_a_web_page_of_another_host_is_refused(
    server: Server, world: World, headers: dict[str, str], status: int, path: str
) -> None:
    """A browser sends the name under which it found the server: a page whose name is pointed here gets no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    body = "Action=GetCallerIdentity&Version=2011-06-15" if path == "/" else None
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sts/aws4_request"}
    connection.request("POST" if body else "GET", path, body, {**form, **signed, **headers})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert (answer.status == 403 and "the sandbox is for this machine" in text) == (status == 403), text
    assert bool(world.calls) == (status == 200 and path == "/")
