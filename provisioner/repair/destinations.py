"""The bucket, topics and buses that `journal` and `notices` of the file name: whether AWS has them.

They are not made by this tool. A run goes on without them, so `diff` warns of one that is missing, and `verify` fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from ..aws import Identity
from ..aws.as_caller import call_as_caller
from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..aws.threads import start_daemon
from ..baseline import Baseline
from ..model import Finding, Kind, Note, Result, Target

_MISSING: Final = {"NoSuchBucket", "NotFound", "ResourceNotFoundException"}


class _Destination(NamedTuple):
    """One of them: the key of the file that names it, what it is, and the read that finds it."""

    key: str
    title: str
    service: str
    region: str
    operation: str
    params: dict[str, Any]


def look_at_destinations(cloud: Cloud, baseline: Baseline, identity: Identity) -> Callable[[], list[Result]]:
    """Start to look for each of them, with the caller's own credentials; return a function that has what was found.

    There is a result for each key of the file, as if it were a step.
    """
    target = Target(identity.account, baseline.general.home_region, identity.partition)
    looking = [
        (each.key.partition(".")[0], start_daemon(partial(_look, cloud, each), Exception))
        for each in _destinations(baseline, identity.account)
    ]

    def found() -> list[Result]:
        findings: dict[str, list[Finding]] = {}
        for key, each in looking:
            findings.setdefault(key, []).append(each.result())
        return [Result(key, target, findings=each, is_step=False) for key, each in findings.items()]

    return found


def as_warnings(results: Iterable[Result]) -> Iterator[Result]:
    """What `diff` shows of the results: a warning of each that is missing."""
    for result in results:
        if found := [each for each in result.findings if each.ok is False]:
            notes = [Note(Kind.WARNING, each.resource, each.detail) for each in found]
            yield Result(result.step, result.target, notes=notes, is_step=False)


def _destinations(baseline: Baseline, account: str) -> Iterator[_Destination]:
    general = baseline.general
    home = general.home_region
    if journal := general.journal:
        name = journal.s3_bucket_name
        params = {"Bucket": name, "Prefix": f"{journal.s3_key_prefix}/", "MaxKeys": 1}
        params["ExpectedBucketOwner"] = journal.bucket_owner or account
        key = "journal.s3_bucket_name"
        yield _Destination(key, f"bucket {name}", "s3", home, "list_objects_v2", params)
    for name, sink in general.notices.items():
        if sink.sns:
            topic = sink.sns.topic_arn
            key, region = f"notices.{name}.sns.topic_arn", topic.split(":")[3]
            params = {"TopicArn": topic}
            yield _Destination(key, f"topic {topic}", "sns", region, "get_topic_attributes", params)
        if sink.event_bridge:
            bus = sink.event_bridge.event_bus_name
            key, region = (
                f"notices.{name}.event_bridge.event_bus_name",
                (sink.arn or f":::{home}").split(":")[3],
            )
            yield _Destination(key, f"event bus {bus}", "events", region, "describe_event_bus", {"Name": bus})


def _look(cloud: Cloud, one: _Destination) -> Finding:
    ok: bool | None = True
    detail = f"in {one.region}"
    try:
        call_as_caller(cloud, one.service, one.region, one.operation, one.params)
    except ClientError as error:
        code = code_of(error)
        ok, detail = None, f"cannot tell: {code}"
        if code in _MISSING:
            ok, detail = False, f"does not exist in {one.region}: make it, or correct `{one.key}`"
    except (BotoCoreError, OSError, RuntimeError, ValueError) as error:
        ok, detail = None, f"cannot tell: {error}"
    return Finding(one.title, "exists", ok, detail)
