"""Tests of telling: every sink in its own thread, ten seconds for all, no exception, and what is recorded."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.aws.cloud import Cloud
from provisioner.baseline import General
from provisioner.baseline.notices import NoticeSink
from provisioner.repair import tell as telling
from provisioner.repair.notice_history import PING
from provisioner.repair.records import Noticed, Record, RunReport
from provisioner.repair.tell import ping_start, tell
from provisioner.sandbox.model import Fault

from ..conftest import Bench
from . import servers
from .notice_samples import ACCOUNT, BUCKET, TRAIL, at, drift, report

REPAIRED = report(0, [drift(state="repaired")])


def general(**sinks: Any) -> General:
    notices = {name: NoticeSink.model_validate(sink, strict=False) for name, sink in sinks.items()}
    return General(organization_name="acme", home_region="us-east-1", notices=notices)


def hook(found: servers.Hook, **given: Any) -> dict[str, Any]:
    return {"webhook": {"url": f"{found.url}/hook", **given}}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Half a second for all sinks. Afterwards no thread is left."""
    monkeypatch.setattr(telling, "SECONDS", 0.5)
    yield 0.5
    until = time.monotonic() + 3
    while any(each.name == "notice" for each in threading.enumerate()):
        assert time.monotonic() < until, "a thread of a sink is left"
        time.sleep(0.02)


def told(run: RunReport, sinks: General, cloud: Cloud | None = None, records: tuple[Record, ...] = ()) -> Any:
    return list(tell(run, records, sinks, cloud, at(0)))


def test_no_sinks_read_no_journal() -> None:
    def records() -> Iterator[Record]:
        raise AssertionError
        yield

    assert list(tell(REPAIRED, records(), general(), None, at(0))) == []


def test_what_was_sent_is_recorded_for_each_sink() -> None:
    with servers.hook() as found:
        noticed = told(REPAIRED, general(a=hook(found), b=hook(found, format="slack")))
    assert sorted(noticed, key=lambda each: each.sink) == [  # they are recorded as they answer
        Noticed("run-0", at(0).isoformat(), str(TRAIL), "repaired", "new", sink, runs=["run-0"])
        for sink in ("a", "b")
    ]
    assert len(found.received) == 2
    assert told(REPAIRED, general(), records=(REPAIRED.started, *noticed, REPAIRED.ended)) == []


def test_sink_that_hangs_costs_the_others_nothing_and_the_run_no_more_than_the_time_for_all(
    short: float,
) -> None:
    with servers.raw(servers.hang) as hangs, servers.hook() as works, servers.hook(500) as fails:
        sinks = general(hangs=hook(hangs), hangs_too=hook(hangs), fails=hook(fails), works=hook(works))
        began = time.monotonic()
        noticed = told(REPAIRED, sinks)
        assert time.monotonic() - began < short + 0.5
    errors = {each.sink: each.error for each in noticed}
    assert errors.keys() == {"hangs", "hangs_too", "fails", "works"}
    assert errors["works"] == ""
    assert errors["fails"] == "it answers 500"
    assert "no answer" in errors["hangs"] or "not sent" in errors["hangs"]
    assert len(works.received) == 1


def test_thousand_accounts_are_one_request_and_a_record_each() -> None:
    drifts = [drift(replace(TRAIL, account=f"{i:012}"), "repaired") for i in range(1000)]
    with servers.hook() as found:
        noticed = told(report(0, drifts), general(a=hook(found)))
    assert len(found.received) == 1
    assert len(noticed) == 1000


def test_most_urgent_is_sent_first() -> None:
    danger = drift(BUCKET, "withheld", why="remove-foreign-deny")
    with servers.hook() as found:
        told(
            report(0, [drift(state="repaired"), danger, drift()], paused="until noon"), general(a=hook(found))
        )
    ids = [each.headers["X-Provision-Id"] for each in found.received]
    assert ids == ["run-0-danger-new", "run-0-drifted-new", "run-0-paused-new", "run-0-repaired-new"]


def test_pings_say_begin_and_end_in_that_order() -> None:
    with servers.hook() as found:
        sinks = general(dead_man={"ping": {"url": f"{found.url}/uuid"}})
        run = report(0, exit_code=3)
        noticed = list(tell(run, [], sinks, None, at(0), ping_start(sinks, run.started)))
    assert noticed == []
    assert [each.path for each in found.received] == ["/uuid/start", "/uuid/3"]
    assert found.received[1].body == b"run run-0: exit code 3: 1 account changed"


def test_ping_that_fails_is_told_and_is_no_matter_of_its_own() -> None:
    sinks = general(dead_man={"ping": {"url": f"http://127.0.0.1:{servers.closed_port()}"}})
    began = time.monotonic()
    started = ping_start(sinks, REPAIRED.started)
    assert time.monotonic() - began < 0.3  # it does not wait
    [noticed] = tell(REPAIRED, [], sinks, None, at(0), started)
    assert (noticed.about, noticed.sink) == (PING, "dead_man")
    assert noticed.error == "it cannot be reached: Connection refused"


def test_ping_that_hangs_delays_nothing(short: float) -> None:
    with servers.raw(servers.hang) as found:
        sinks = general(dead_man={"ping": {"url": found.url}})
        began = time.monotonic()
        started = ping_start(sinks, REPAIRED.started)
        assert list(tell(REPAIRED, [], sinks, None, at(0), started))
        assert time.monotonic() - began < short + 1.2
        found.stop.set()


def test_sandbox_calls_nobody_but_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError

    monkeypatch.setattr("socket.create_connection", refuse)
    sinks = general(
        a={"webhook": {"url": "https://hooks.example.test/x"}},
        b={"ping": {"url": "https://hc.example.test/x"}},
    )
    run = report(0, [drift()], sandbox=True)
    noticed = list(tell(run, [], sinks, None, at(0), ping_start(sinks, run.started)))
    assert {each.error for each in noticed} == {
        "not sent: a run in the sandbox calls no one but this machine"
    }


def test_topic_and_bus_are_reached_with_the_credentials_of_the_run(bench: Bench) -> None:
    bench.client("sns").create_topic(Name="alarms")
    cloud = Cloud(clock=bench.clock, workers=1)
    bench.clouds.append(cloud)
    sinks = general(
        topic={"sns": {"topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"}},
        bus={"event_bridge": {"event_bus_name": "default"}},
        gone={"sns": {"topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:gone"}},
    )
    bench.world.calls.clear()
    errors = {each.sink: each.error for each in told(REPAIRED, sinks, cloud)}
    assert (errors["topic"], errors["bus"]) == ("", "")
    assert "NotFound" in errors["gone"]
    made = sorted((x.service, x.operation) for x in bench.world.calls)
    assert made == [("events", "PutEvents"), ("sns", "Publish"), ("sns", "Publish")]


def test_missing_permission_is_told_with_its_remedy(bench: Bench) -> None:
    bench.client("sns").create_topic(Name="alarms")
    cloud = Cloud(clock=bench.clock, workers=1)
    bench.clouds.append(cloud)
    text = "User: x is not authorized to perform: SNS:Publish on resource: y because no identity-based policy allows it"
    bench.world.interrupt(
        lambda call, phase: Fault("AuthorizationError", 403, text) if call.operation == "Publish" else None
    )
    sinks = general(topic={"sns": {"topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"}})
    [noticed] = told(REPAIRED, sinks, cloud)
    assert "not authorized to perform: SNS:Publish" in noticed.error
    assert noticed.error.endswith("; `provision permissions --for repair` prints what the caller needs")


def test_run_without_credentials_tells_that_too() -> None:
    sinks = general(topic={"sns": {"topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"}})
    [noticed] = told(report(0, exit_code=1), sinks)
    assert noticed.error == "the run has no credentials to send it with"


def test_wrong_certificates_are_an_error_of_the_sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
    [noticed] = told(REPAIRED, general(a={"webhook": {"url": "https://127.0.0.1:1/x"}}))
    assert "AWS_CA_BUNDLE" in noticed.error


def test_secret_is_nowhere_in_records_or_log(caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    with servers.hook(404, b"Cannot POST /hook/sEcReT") as found:
        sinks = general(
            a={"webhook": {"url": f"{found.url}/hook/sEcReT", "signing_secret": "sEcReT-0123456789"}},
            b={"ping": {"url": f"{found.url}/sEcReT"}},
        )
        noticed = list(tell(REPAIRED, [], sinks, None, at(0), ping_start(sinks, REPAIRED.started)))
    assert all(each.error for each in noticed)
    captured = capfd.readouterr()
    assert "sEcReT" not in repr(noticed) + repr(sinks) + caplog.text + captured.out + captured.err
    assert all(b"sEcReT" not in each.body for each in found.received)


def test_threads_leave_signals_to_the_main_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked: list[set[Any]] = []
    monkeypatch.setattr(
        telling.webhook,
        "send",
        lambda *given: str(blocked.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, [])))) and "",
    )
    told(REPAIRED, general(a={"webhook": {"url": "http://127.0.0.1/x"}}))
    assert blocked
    assert {signal.SIGINT, signal.SIGTERM} <= blocked[0]


def test_where_the_system_allows_no_thread_the_caller_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    [noticed] = told(REPAIRED, general(a={"webhook": {"url": "http://127.0.0.1/x"}}))
    assert "Connection refused" in noticed.error
