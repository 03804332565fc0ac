"""A run as a trace and metrics of OpenTelemetry, for whoever has installed the extra `otel`.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/; the parent of the trace comes from
TRACEPARENT (https://opentelemetry.io/docs/specs/otel/context/env-carriers/).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

from .. import __version__
from ..aws.threads import leave_signals_to_main, try_start
from . import notice_texts as texts
from .metrics import Place, metrics_of_run, numbers, succeeded
from .notice_history import time_of
from .records import RunReport

SECONDS: Final = 10.0
_MISSING: Final = (
    "OTEL_… is set, and OpenTelemetry is not installed: `pip install 'provision-baseline[otel]'`, or unset it"
)
_GRPC: Final = "OTEL_EXPORTER_OTLP_PROTOCOL: the extra `otel` has no grpc: set `http/protobuf`, and the port of it, mostly 4318"
_EVENTS: Final = 100  # differences in the trace; the SDK keeps 128
_SERIES: Final = 1_000  # of one metric
_ASKED: Final = (
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    *("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER"),
)


def is_asked(environment: Mapping[str, str]) -> bool:
    """Whether the environment says where OpenTelemetry's data goes, and does not turn it off."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and any(environment.get(each) for each in _ASKED)


def export_otel(report: RunReport, seconds: float = SECONDS) -> str:
    """Send the run's trace and metrics, if the environment asks for it, in so many seconds at most.

    Returns why they could not be sent; an empty text if they were, or nobody asked.
    """
    if not is_asked(os.environ):
        return ""
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
        return _GRPC
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401 - whether both are there
    except ImportError:
        return _MISSING
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())  # it would print to stderr
    errors = [f"OpenTelemetry: not sent in {seconds:.0f} s"]

    def work() -> None:
        leave_signals_to_main()
        try:
            failed = [
                kind
                for kind, send in (("trace", _send_trace), ("metrics", _send_metrics))
                if not send(report)
            ]
        except (OSError, ValueError, LookupError, RuntimeError, TypeError) as error:  # of wrong settings
            errors[0] = f"OpenTelemetry: {texts.short(str(error)) or type(error).__name__}"
        else:
            endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
            errors[0] = f"OpenTelemetry: {' and '.join(failed)} not taken; check {endpoint}" if failed else ""

    thread = threading.Thread(target=work, name="otel", daemon=True)
    if not try_start(thread):
        return "OpenTelemetry: the system allows no thread for it"
    thread.join(seconds)
    return errors[0]


def _send_trace(report: RunReport) -> bool:
    """Send one span, from the begin of the run to its end, with an event for each of its first differences."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor, SpanExportResult
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    kind = os.environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    if kind == "none":
        return True
    carrier = {name: os.environ.get(name.upper(), "") for name in ("traceparent", "tracestate")}
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    span = provider.get_tracer("provision", __version__).start_span(
        f"provision {report.started.command}",
        TraceContextTextMapPropagator().extract({k: v for k, v in carrier.items() if v}),
        attributes=_attributes(report),
        start_time=_nanoseconds(report.started.time),
    )
    for drift in report.drifts[:_EVENTS]:
        place = _named((drift.address.account, drift.address.region, drift.address.step))
        about = {"resource": texts.short(drift.address.resource), "state": drift.state, **place}
        span.add_event("drift", about, _nanoseconds(drift.time))
    if not succeeded(report):
        span.set_status(Status(StatusCode.ERROR, texts.short(report.ended.message)))
    span.end(_nanoseconds(report.ended.time))
    spans = memory.get_finished_spans()  # none if the sampler leaves it out
    exporter: Any = ConsoleSpanExporter(out=sys.stderr) if kind == "console" else _otlp_spans()
    done = not spans or exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()
    return done


def _send_metrics(report: RunReport) -> bool:
    """Send the numbers of the run as gauges, some of them by account, Region and step."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import (
        ConsoleMetricExporter,
        InMemoryMetricReader,
        MetricExportResult,
    )

    kind = os.environ.get("OTEL_METRICS_EXPORTER") or "otlp"
    if kind == "none":
        return True
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], _resource(), shutdown_on_exit=False)
    meter, counts = provider.get_meter("provision", __version__), numbers(report)
    of_run = {"account": report.started.account}
    for name, value in metrics_of_run(report).items():
        meter.create_gauge(f"provision.run.{name}", "s" if name == "duration" else "1").set(value, of_run)
    by_place = {"drift": counts.left, "repaired": counts.repaired, "unreadable": counts.unreadable}
    for name, places in by_place.items():
        gauge = meter.create_gauge(f"provision.{name}", "1")
        for place, count in places.most_common(_SERIES):
            gauge.set(count, _named(place))
    exporter: Any = ConsoleMetricExporter(out=sys.stderr) if kind == "console" else _otlp_metrics()
    data = reader.get_metrics_data()
    done = data is None or exporter.export(data) is MetricExportResult.SUCCESS
    exporter.shutdown()
    provider.shutdown()
    return done


def _otlp_spans() -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _otlp_metrics() -> Any:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()


def _resource() -> Any:
    """OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come first; the SDK would let ours win."""
    from opentelemetry.sdk.resources import Resource

    given = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in given
    return Resource.create(
        {"service.version": __version__} | ({} if named else {"service.name": "provision"})
    )


def _attributes(report: RunReport) -> dict[str, Any]:
    started = report.started
    about = {"run": started.run, "file": texts.short(started.file), "partition": started.partition}
    return {
        **{f"provision.{name}": value for name, value in (about | metrics_of_run(report)).items()},
        "cloud.provider": "aws",
        "cloud.account.id": started.account,
    }


def _named(place: Place) -> dict[str, str]:
    return dict(zip(("account", "region", "step"), place, strict=True))


def _nanoseconds(time: str) -> int:
    return max(0, int(time_of(time).timestamp() * 1_000_000)) * 1_000
