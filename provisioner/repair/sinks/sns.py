"""Publish a message to an SNS topic.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

from typing import Any, Final

from ...aws.as_caller import call_as_caller
from ...aws.cloud import Cloud
from ...baseline.notices import SnsTopic
from ..messages import Message

_SUBJECT: Final = 100  # characters, of ASCII without control characters
_BYTES: Final = 250_000  # of the message; SNS takes 256 KB with the attributes


def send(topic: SnsTopic, message: Message, cloud: Cloud) -> str:
    """Publish the text, with trigger, phase, run and account as attributes for filter policies. Raises botocore's errors."""
    subject = f"provision: {message.title}".encode("ascii", "replace").decode()
    params: dict[str, Any] = {
        "TopicArn": topic.topic_arn,
        "Subject": subject if len(subject) <= _SUBJECT else f"{subject[: _SUBJECT - 3]}...",
        "Message": f"{message.title}\n\n{message.text}".encode()[:_BYTES].decode(errors="ignore"),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": str(value)}
            for name, value in (
                ("trigger", message.trigger),
                ("phase", message.phase),
                ("run", message.data["run"]),
                ("account", message.data["account"]),
            )
            if value
        },
    }
    if topic.topic_arn.endswith(".fifo"):
        params |= {"MessageGroupId": message.trigger, "MessageDeduplicationId": message.id[:128]}
    call_as_caller(cloud, "sns", topic.topic_arn.split(":")[3], "publish", params)
    return ""
