"""What the caller needs to find the SNS topics and EventBridge buses of a file, and to send its notices there."""

from __future__ import annotations

from collections.abc import Iterator

from ..baseline import Baseline
from ..compare.policy import arn
from ..steps.permission import ANY_ACCOUNT, DIFF, REPAIR, Permission, allow


def notice_permissions(baseline: Baseline, account: str = ANY_ACCOUNT) -> Iterator[Permission]:
    """Yield what it takes to find the file's topics and buses, and to publish and put events there.

    *account* is the caller's. A topic or bus of another account must allow the caller in its own policy too, and the key of
    an encrypted topic must allow `kms:Decrypt` and `kms:GenerateDataKey`; no file names that key.
    """
    general = baseline.general
    for sink in general.notices.values():
        if sink.sns:
            topic = [sink.sns.topic_arn]
            yield from allow("NoticesPublish", "sns", "Publish", on=topic, purposes=REPAIR)
            yield from allow("NoticesRead", "sns", "GetTopicAttributes", on=topic, purposes=DIFF)
        if sink.event_bridge:
            name = sink.event_bridge.event_bus_name
            bus = sink.arn or arn(
                baseline.partition, "events", general.home_region, account, f"event-bus/{name}"
            )
            yield from allow("NoticesPutEvents", "events", "PutEvents", on=[bus], purposes=REPAIR)
            yield from allow("NoticesReadBus", "events", "DescribeEventBus", on=[bus], purposes=DIFF)
