"""CloudTrail keeps the event history, with and without a trail."""

from __future__ import annotations

from ...steps.event_history import keeps_event_history

keeps_event_history("cloudtrail", "lookup_events", "LookupEvents")
