"""What a run found and did in numbers: a file for Prometheus' node_exporter, and a line for CloudWatch.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .notice_history import time_of
from .records import Drift, RunReport

NAMESPACE: Final = "provision"
_SERIES: Final = 5_000  # of one metric; what is more is counted for the account `other`
_LINE: Final = re.compile(r"provision_(?P<name>\w+)\{(?P<labels>.*)\} (?P<value>[0-9.e+-]+)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPES: Final = {"\\": r"\\", "\n": r"\n", '"': r"\""}

Labels = tuple[tuple[str, str], ...]
Place = tuple[str, str, str]  # account, Region, step

_HELP: Final[Mapping[str, tuple[str, str]]] = {
    "last_run_timestamp_seconds": ("gauge", "When the last run ended."),
    "last_success_timestamp_seconds": ("gauge", "When the last run ended that could read and do everything."),
    "last_run_exit_code": ("gauge", "The exit code of the last run."),
    "duration_seconds": ("gauge", "How long the last run took."),
    "accounts": ("gauge", "Accounts of the last run by state."),
    "paused": ("gauge", "Whether repairs are paused."),
    "drift": ("gauge", "Differences that the last run has left."),
    "danger": ("gauge", "Additions of others that defeat the baseline, of those differences."),
    "contested": ("gauge", "Differences of the last run that come back again and again."),
    "failed_checks": ("gauge", "Checks of verify that failed in the last run."),
    "unreadable": ("gauge", "What the last run could not read or change."),
    "drift_total": ("counter", "Differences that runs have found, each once."),
    "repaired_total": ("counter", "Differences that runs have repaired."),
    "unreadable_total": ("counter", "What runs could not read or change."),
    "runs_total": ("counter", "Runs by exit code."),
    "api_calls_total": ("counter", "Calls to AWS."),
    "api_writes_total": ("counter", "Calls to AWS that can change it."),
    "api_throttled_total": ("counter", "Calls that AWS throttled."),
}


def write_prometheus(path: Path, report: RunReport) -> str:
    """Write the file for node_exporter's textfile collector; why it could not be written, or an empty text.

    Counters go on from what the file says, and so does the last success if this run is none.
    The file is replaced at once, and is readable by everybody, as node_exporter is another user; it has account ids, steps
    and numbers in it. The name must end with `.prom`, which the file that is written first does not.
    """
    earlier = ""
    try:
        earlier = _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        return f"{path}: {error.strerror}; name a file that can be read and written"
    try:
        _replace(path, prometheus_text(report, earlier))
    except OSError as error:
        return f"{path}: {error.strerror}; name a file that can be written"
    return ""


def succeeded(report: RunReport) -> bool:
    """Whether the run could read everything, and did all that it may do."""
    return report.ended.exit_code in {0, 2}


@dataclass
class Numbers:
    """Counts by account, Region and step."""

    left: Counter[Place] = field(default_factory=Counter)
    found: Counter[Place] = field(default_factory=Counter)  # first by this run
    repaired: Counter[Place] = field(default_factory=Counter)
    dangers: Counter[Place] = field(default_factory=Counter)
    contested: Counter[Place] = field(default_factory=Counter)
    failed_checks: Counter[Place] = field(default_factory=Counter)
    unreadable: Counter[Place] = field(default_factory=Counter)


def numbers(report: RunReport) -> Numbers:
    """Count what the run found and did."""
    counts = Numbers()
    for drift in report.drifts:
        place = (drift.address.account, drift.address.region, drift.address.step)
        counts.left[place] += drift.state != "repaired"
        counts.found[place] += _is_new(drift, report)
        counts.repaired[place] += drift.state == "repaired"
        counts.dangers[place] += drift.danger
        counts.contested[place] += drift.contested
    for check in report.ended.failed_checks:
        counts.failed_checks[check.address.account, check.address.region, check.address.step] += 1
    for failure in report.ended.failures:
        counts.unreadable[failure.account, failure.region, failure.step] += 1
    return counts


def prometheus_text(report: RunReport, earlier: str = "") -> str:
    """The text of the file; *earlier* is that of the one before."""
    before = _parsed(earlier)
    lines: list[str] = []
    for name, values in _metrics(report, before).items():
        kind, about = _HELP[name]
        full = f"{NAMESPACE}_{name}"
        series = [f"{full}{_shown(labels)} {value:.15g}" for labels, value in values.items()]
        if series:
            lines += [f"# HELP {full} {about}", f"# TYPE {full} {kind}", *series]
    return "\n".join(lines) + "\n"


def _metrics(
    report: RunReport, before: Mapping[str, Mapping[Labels, float]]
) -> dict[str, Mapping[Labels, float]]:
    """The values of each metric by its labels."""
    ended, counts = report.ended, numbers(report)
    run: Labels = (("file", report.started.file), ("account", report.started.account))
    now = time_of(ended.time).timestamp()
    success = {run: now} if succeeded(report) else before.get("last_success_timestamp_seconds", {})

    def gauge(places: Counter[Place]) -> Mapping[Labels, float]:
        return _bounded({}, _by_labels(report, places))

    def counter(name: str, added: Iterable[tuple[Labels, float]]) -> Mapping[Labels, float]:
        return _bounded(before.get(name, {}), added)

    return {
        "last_run_timestamp_seconds": {run: now},
        "last_success_timestamp_seconds": success,
        "last_run_exit_code": {run: ended.exit_code},
        "duration_seconds": {run: ended.cost.seconds},
        "accounts": {(*run, ("state", state)): count for state, count in ended.accounts.items()},
        "paused": {run: bool(ended.paused)},
        "drift": gauge(counts.left),
        "danger": gauge(counts.dangers),
        "contested": gauge(counts.contested),
        "failed_checks": gauge(counts.failed_checks),
        "unreadable": gauge(counts.unreadable),
        "drift_total": counter("drift_total", _by_labels(report, counts.found)),
        "repaired_total": counter("repaired_total", _by_labels(report, counts.repaired)),
        "unreadable_total": counter("unreadable_total", _by_labels(report, counts.unreadable)),
        "runs_total": counter("runs_total", [((*run, ("exit_code", str(ended.exit_code))), 1)]),
        "api_calls_total": counter("api_calls_total", [(run, ended.cost.calls)]),
        "api_writes_total": counter("api_writes_total", [(run, ended.cost.writes)]),
        "api_throttled_total": counter("api_throttled_total", [(run, ended.cost.throttled)]),
    }


def _by_labels(report: RunReport, places: Counter[Place]) -> Iterator[tuple[Labels, float]]:
    for (account, region, step), count in sorted(places.items()):
        if count:
            file = report.started.file
            yield (("file", file), ("account", account), ("region", region), ("step", step)), count


def _bounded(before: Mapping[Labels, float], added: Iterable[tuple[Labels, float]]) -> Mapping[Labels, float]:
    """The sums, with so many series at most; the rest goes to an account `other`, by step."""
    values = dict(before)
    for labels, value in added:
        known = dict(labels)
        if labels not in values and len(values) >= _SERIES:
            known |= {name: other for name, other in (("account", "other"), ("region", "")) if name in known}
        key = tuple(known.items())
        values[key] = values.get(key, 0) + value
    return values


def _is_new(drift: Drift, report: RunReport) -> bool:
    """Whether this run is the first to find it."""
    return not drift.since or time_of(drift.since) >= time_of(report.started.time)


def _parsed(text: str) -> dict[str, dict[Labels, float]]:
    """The values of a file of ours, by metric and labels; a line that is not understood is passed over."""
    found: dict[str, dict[Labels, float]] = {}
    for line in text.split("\n"):  # and not at other separators, which may be in a value
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        with suppress(ValueError):
            labels = tuple((name, _unescaped(value)) for name, value in _LABEL.findall(match["labels"]))
            found.setdefault(match["name"], {})[labels] = float(match["value"])
    return found


def _shown(labels: Labels) -> str:
    shown = (f'{name}="{"".join(_ESCAPES.get(c, c) for c in value)}"' for name, value in labels)
    return "{" + ",".join(shown) + "}"


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)


def _read(path: Path) -> str:
    """The earlier file. Raises OSError for one that cannot be read, or is no plain file: a pipe would wait for a writer."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(number, encoding="utf-8", errors="replace", newline="\n") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "is not a plain file")
        return file.read()


def _replace(path: Path, text: str) -> None:
    """Write beside the file, then rename: a reader sees the old one or the new one."""
    number, name = tempfile.mkstemp(".tmp", f".{path.name}.", path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            os.fchmod(number, 0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def emf_line(report: RunReport) -> str:
    """One JSON line in CloudWatch's embedded metric format, with the caller's account as dimension. No line break."""
    values, ended = metrics_of_run(report), report.ended
    definitions = [{"Name": name, "Unit": "Seconds" if name == "duration" else "Count"} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["account"]], "Metrics": definitions}
    line: dict[str, Any] = {
        "_aws": {
            "Timestamp": int(time_of(ended.time).timestamp() * 1000),
            "CloudWatchMetrics": [directive],
        },
        "account": report.started.account,
        "run": report.started.run,
        "file": report.started.file,
        "message": ended.message,
        **values,
    }
    return json.dumps(line)


def metrics_of_run(report: RunReport) -> dict[str, float]:
    """The numbers of a run as a whole."""
    counts, ended = numbers(report), report.ended
    return {
        "drift": counts.left.total(),
        "repaired": counts.repaired.total(),
        "danger": counts.dangers.total(),
        "contested": counts.contested.total(),
        "failed_checks": counts.failed_checks.total(),
        "unreadable": counts.unreadable.total(),
        "success": int(succeeded(report)),
        "exit_code": ended.exit_code,
        "duration": ended.cost.seconds,
        "api_calls": ended.cost.calls,
        "api_throttled": ended.cost.throttled,
    }
