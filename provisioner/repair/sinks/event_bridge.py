"""Put a message on an EventBridge bus, as an event with all fields.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

from typing import Final

from ...aws.as_caller import call_as_caller
from ...aws.cloud import Cloud
from ...baseline.notices import EventBridgeBus
from ...report import words
from ..messages import Message

DETAIL_TYPE: Final = "Provision Notice"


def send(bus: EventBridgeBus, message: Message, cloud: Cloud, region: str) -> str:
    """Put the event, on a bus in *region* unless the file has its ARN. Raises botocore's errors.

    PutEvents answers with success where it has refused the entry: then why, in the answer's words.
    """
    name = bus.event_bus_name
    entry = {
        "Source": bus.source,
        "DetailType": DETAIL_TYPE,
        "Detail": message.to_json(),
        "EventBusName": name,
    }
    where = name.split(":")[3] if name.startswith("arn:") else region
    answer = call_as_caller(cloud, "events", where, "put_events", {"Entries": [entry]})
    if not answer.get("FailedEntryCount"):
        return ""
    refused = (answer.get("Entries") or [{}])[0]
    return words.clean(f"{refused.get('ErrorCode', 'refused')}: {refused.get('ErrorMessage', '')}")
