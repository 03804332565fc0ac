"""Filters of others that archive Macie's findings. Source: Amazon Macie User Guide, "Suppressing Macie findings"."""

from __future__ import annotations

from ...aws import Aws
from ...model import Changes
from ...steps.suppressions import suppression
from .state import SERVICE, TITLE, if_enabled


def ensure_unsuppressed(aws: Aws) -> Changes:
    """Offer to end each filter that archives new findings; such findings are not published either."""
    reading = aws.read(SERVICE).list_findings_filters()
    for each in if_enabled(lambda: reading.get("findingsFilterListItems")) or ():
        if each["action"] == "ARCHIVE":
            call = aws.write(SERVICE).update_findings_filter(id=each["id"], action="NOOP")
            effect = "archives new findings, and publishes them nowhere"
            yield suppression(TITLE, "suppression rule", each["name"], effect, call)
