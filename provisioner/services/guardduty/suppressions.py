"""What others made in a detector so that GuardDuty shows fewer findings.

Source: GuardDuty User Guide, "Suppression rules", "Customizing threat detection with entity lists and IP address lists".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...aws import Aws
from ...model import Change, Changes
from ...steps.suppressions import suppression
from .state import BAD_REQUEST, DETECTOR, SERVICE, Detector, administrator_of

_ON: Final = frozenset(("ACTIVE", "ACTIVATING"))
_NO_FINDINGS: Final = "keeps GuardDuty from making findings of what is in it"


def ensure_unsuppressed(aws: Aws, detector: Detector) -> Changes:
    """Offer to end each filter that archives new findings, and each list of addresses and domains that are trusted.

    A member has neither: only its administrator makes them, for all its members (GuardDuty User Guide, "Understanding the
    relationship between GuardDuty administrator account and member accounts"). A Region without such lists refuses to list
    them, with the one code that GuardDuty has.
    """
    if administrator_of(aws, detector)():
        return
    read, key = aws.read(SERVICE), {"DetectorId": detector.id}
    filters, addresses = read.list_filters(**key), read.list_ip_sets(**key)
    entities = read.list_trusted_entity_sets(**key)
    found = {
        name: read.get_filter(**key, FilterName=name)
        for name in filters.value("FilterNames", BAD_REQUEST) or ()
    }
    for name, reading in found.items():
        if reading.get("Action") == "ARCHIVE":
            call = aws.write(SERVICE).update_filter(**key, FilterName=name, Action="NOOP")
            yield suppression(DETECTOR, "suppression rule", name, "archives new findings unseen", call)
    ids = {
        "IpSetId": addresses.value("IpSetIds", BAD_REQUEST) or [],
        "TrustedEntitySetId": entities.value("TrustedEntitySetIds", BAD_REQUEST) or [],
    }
    yield from _trusted(aws, key, ids)


def _trusted(aws: Aws, key: dict[str, str], ids: dict[str, list[str]]) -> Iterator[Change]:
    """The changes that delete trusted lists, given by the parameter that names one of their kind; their files stay."""
    read, write = aws.read(SERVICE), aws.write(SERVICE)
    get = {"IpSetId": read.get_ip_set, "TrustedEntitySetId": read.get_trusted_entity_set}
    delete = {"IpSetId": write.delete_ip_set, "TrustedEntitySetId": write.delete_trusted_entity_set}
    readings = [
        (param, one, get[param](**key, **{param: one})) for param, several in ids.items() for one in several
    ]
    for param, one, reading in readings:
        if reading.get("Status") in _ON:
            call = delete[param](**key, **{param: one})
            yield suppression(DETECTOR, "trusted list", reading.get("Name"), _NO_FINDINGS, call)
