"""Tests of metrics: the Prometheus file, the line for CloudWatch, and OpenTelemetry against a collector on this machine."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.repair import metrics, otel
from provisioner.repair.metrics import emf_line, prometheus_text, write_prometheus
from provisioner.repair.otel import export_otel, is_asked
from provisioner.repair.records import Address
from provisioner.report.json_objects import FailureJson

from . import servers
from .notice_samples import ACCOUNT, BUCKET, TRAIL, at, drift, report

PLACE = f'file="b.yaml",account="{ACCOUNT}",region="us-east-1"'
RUN = f'file="b.yaml",account="{ACCOUNT}"'
SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*\})? ([0-9.e+-]+)')


def values(text: str) -> dict[str, float]:
    """The samples of the text, which must be of the format: TYPE and HELP before the samples of a metric, all together."""
    found: dict[str, float] = {}
    seen: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            _, kind, name, _ = line.split(" ", 3)
            if kind == "HELP":
                assert name not in seen
                seen.append(name)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] == seen[-1]
        assert match[1] + (match[2] or "") not in found
        found[match[1] + (match[2] or "")] = float(match[3])
    assert text.endswith("\n")
    return found


FAILURE = FailureJson("config", ACCOUNT, "us-east-1", "reading", "denied")
MIXED = report(
    1,
    [drift(state="repaired"), drift(BUCKET, "withheld", why="remove-foreign-deny"), drift(BUCKET)],
    failures=[FAILURE],
    exit_code=3,
)


def test_file_has_what_the_run_found_and_did() -> None:
    found = values(prometheus_text(MIXED))
    assert found[f"provision_last_run_timestamp_seconds{{{RUN}}}"] == at(1).timestamp()
    assert f"provision_last_success_timestamp_seconds{{{RUN}}}" not in found
    assert found[f"provision_last_run_exit_code{{{RUN}}}"] == 3
    assert found[f"provision_duration_seconds{{{RUN}}}"] == 60
    assert found[f'provision_drift{{{PLACE},step="log_buckets"}}'] == 2
    assert f'provision_drift{{{PLACE},step="cloudtrail"}}' not in found
    assert found[f'provision_danger{{{PLACE},step="log_buckets"}}'] == 1
    assert found[f'provision_repaired_total{{{PLACE},step="cloudtrail"}}'] == 1
    assert found[f'provision_unreadable_total{{{PLACE},step="config"}}'] == 1
    assert found[f"provision_api_calls_total{{{RUN}}}"] == 100
    assert found[f'provision_runs_total{{{RUN},exit_code="3"}}'] == 1


def test_counters_go_on_and_differences_are_counted_once() -> None:
    first = prometheus_text(MIXED)
    stays = drift(BUCKET, since=at(1).isoformat())
    found = values(prometheus_text(report(2, [stays, drift(state="repaired")]), first))
    assert found[f'provision_repaired_total{{{PLACE},step="cloudtrail"}}'] == 2
    assert found[f'provision_drift_total{{{PLACE},step="log_buckets"}}'] == 2
    assert found[f'provision_drift{{{PLACE},step="log_buckets"}}'] == 1
    assert found[f'provision_unreadable_total{{{PLACE},step="config"}}'] == 1
    assert f'provision_unreadable{{{PLACE},step="config"}}' not in found
    assert found[f"provision_api_calls_total{{{RUN}}}"] == 200


@pytest.mark.parametrize(("exit_code", "success"), [(0, 2), (2, 2), (1, 1), (3, 1), (130, 1)])
def test_last_success_is_kept_when_a_run_fails(exit_code: int, success: float) -> None:
    first = prometheus_text(report(1))
    found = values(prometheus_text(report(2, exit_code=exit_code), first))
    assert found[f"provision_last_success_timestamp_seconds{{{RUN}}}"] == at(success).timestamp()
    assert found[f"provision_last_run_timestamp_seconds{{{RUN}}}"] == at(2).timestamp()


def test_labels_are_escaped_and_read_again() -> None:
    run = report(1, [drift(state="repaired")], file='a"b\\c\nd.yaml')
    again = values(prometheus_text(run, prometheus_text(run)))
    name = f'provision_repaired_total{{file="a\\"b\\\\c\\nd.yaml",account="{ACCOUNT}",region="us-east-1",step="cloudtrail"}}'
    assert again[name] == 2


def test_damaged_file_of_before_is_passed_over() -> None:
    text = 'provision_drift_total{file="b.yaml"} x\n\x00\nprovision_repaired_total{} \nprovision_runs_total{a="b"} 1.2.3\n'
    assert values(prometheus_text(report(1), text))


def test_number_of_series_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_SERIES", 10)
    drifts = [drift(Address(f"{i:012}", "us-east-1", "cloudtrail", "t")) for i in range(100)]
    found = values(prometheus_text(report(1, drifts)))
    series = {name: value for name, value in found.items() if name.startswith("provision_drift{")}
    assert len(series) == 11
    assert series['provision_drift{file="b.yaml",account="other",region="",step="cloudtrail"}'] == 90


def test_file_is_replaced_at_once_and_readable_by_node_exporter(tmp_path: Path) -> None:
    path = tmp_path / "provision.prom"
    path.write_text("half a li")
    before = os.umask(0o077)
    try:
        assert write_prometheus(path, report(1)) == ""
        assert write_prometheus(path, report(2)) == ""
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["provision.prom"]
    assert values(path.read_text())[f'provision_runs_total{{{RUN},exit_code="0"}}'] == 2


def test_file_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    error = write_prometheus(tmp_path / "none" / "x.prom", report(1))
    assert error.endswith("none/x.prom: No such file or directory; name a file that can be written")
    (tmp_path / "folder.prom").mkdir()
    assert "Is a directory" in write_prometheus(tmp_path / "folder.prom", report(1))
    assert [each.name for each in tmp_path.iterdir()] == ["folder.prom"]


def test_prometheus_reads_the_file() -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    families = {each.name: each for each in parser.text_string_to_metric_families(prometheus_text(MIXED))}
    assert families["provision_repaired"].type == "counter"
    assert families["provision_drift"].type == "counter" or "provision_drift" in families


def test_line_for_cloudwatch_has_the_form_of_its_specification() -> None:
    line = emf_line(MIXED)
    assert "\n" not in line
    data = json.loads(line)
    [directive] = data["_aws"]["CloudWatchMetrics"]
    assert data["_aws"]["Timestamp"] == at(1).timestamp() * 1000
    assert directive["Namespace"] == "provision"
    assert all(name in data for name in directive["Dimensions"][0])
    assert all(isinstance(data[each["Name"]], int | float) for each in directive["Metrics"])
    assert (data["drift"], data["repaired"], data["danger"], data["unreadable"]) == (2, 1, 1, 1)


def test_otel_is_asked_for_by_its_own_variables() -> None:
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    assert is_asked(asked)
    assert not is_asked({})
    assert not is_asked({**asked, "OTEL_SDK_DISABLED": "true"})
    assert export_otel(report(1)) == ""


def test_otel_that_is_not_installed_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    assert "pip install 'provision-baseline[otel]'" in export_otel(report(1))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert export_otel(report(1)) == otel._GRPC


@pytest.fixture
def collector_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    for name in [each for each in os.environ if each.startswith(("OTEL_", "TRACE"))]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_collector_gets_trace_and_metrics(collector_variables: pytest.MonkeyPatch) -> None:
    trace_pb = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    metrics_pb = pytest.importorskip("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")
    with servers.hook(body=b"") as found:
        collector_variables.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        collector_variables.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        collector_variables.setenv("OTEL_SERVICE_NAME", "audit")
        collector_variables.setenv("TRACEPARENT", f"00-{'a' * 32}-{'b' * 16}-01")
        assert export_otel(MIXED) == ""
    bodies = {each.path: each.body for each in found.received}
    assert bodies.keys() == {"/v1/traces", "/v1/metrics"}
    trace = trace_pb.ExportTraceServiceRequest.FromString(bodies["/v1/traces"]).resource_spans[0]
    names = {each.key: each.value.string_value for each in trace.resource.attributes}
    assert names["service.name"] == "audit"
    [span] = trace.scope_spans[0].spans
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == (
        "provision repair",
        "a" * 32,
        "b" * 16,
    )
    assert span.end_time_unix_nano - span.start_time_unix_nano == 60 * 10**9
    assert len(span.events) == 3
    measured = metrics_pb.ExportMetricsServiceRequest.FromString(bodies["/v1/metrics"]).resource_metrics[0]
    assert {"provision.run.drift", "provision.drift", "provision.repaired"} <= {
        each.name for each in measured.scope_metrics[0].metrics
    }


def test_collector_that_hangs_or_refuses_is_told_in_time(
    collector_variables: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with servers.raw(servers.hang) as hangs:
        collector_variables.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", hangs.url)
        began = time.monotonic()
        assert export_otel(report(1), 0.5) == "OpenTelemetry: not sent in 0 s"
        assert time.monotonic() - began < 1.5
    with servers.hook(400) as refuses:
        collector_variables.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", refuses.url)
        assert "trace and metrics not taken" in export_otel(report(1))
    assert capfd.readouterr().err == ""


def test_exporters_that_are_off_send_nothing(collector_variables: pytest.MonkeyPatch) -> None:
    with servers.hook() as found:
        collector_variables.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        collector_variables.setenv("OTEL_TRACES_EXPORTER", "none")
        collector_variables.setenv("OTEL_METRICS_EXPORTER", "none")
        assert export_otel(replace(MIXED, drifts=())) == ""
    assert not found.received
    assert TRAIL.account == ACCOUNT


@pytest.mark.parametrize("name", ["a\u2028b", "a\x0bb\x0c", "a\x85b", "a\rb\r\nc", 'a"\\n\\', "a\x1e} 5"])
def test_counters_go_on_whatever_the_name_of_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "p.prom"
    run = replace(MIXED, started=replace(MIXED.started, file=name))
    for _ in range(3):
        assert write_prometheus(path, run) == ""
    [runs] = [line for line in path.read_bytes().split(b"\n") if line.startswith(b"provision_runs_total{")]
    assert runs.endswith(b" 3")


def test_what_is_no_plain_file_is_told_and_left(tmp_path: Path) -> None:
    pipe, folder, link = tmp_path / "pipe.prom", tmp_path / "folder.prom", tmp_path / "link.prom"
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to("/dev/zero")
    for path in (pipe, folder, link):
        assert str(path) in write_prometheus(path, MIXED)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()
