"""What CloudTrail takes as event selectors and insight selectors of a trail, as tables. Pure: data only.

`selector_checks` reads these tables for `validate` and for the sandbox. Each row names the page of AWS that it comes
from: of the CloudTrail API Reference (`API …`), or of the CloudTrail User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OPERATORS: Final = tuple(f"{no}{each}" for no in ("", "Not") for each in ("Equals", "StartsWith", "EndsWith"))
READ_WRITE_TYPES: Final = ("All", "ReadOnly", "WriteOnly")  # API EventSelector
EXCLUDABLE: Final = ("kms.amazonaws.com", "rdsdata.amazonaws.com")  # API EventSelector
INSIGHT_TYPES: Final = ("ApiCallRateInsight", "ApiErrorRateInsight")  # API InsightSelector
INSIGHT_CATEGORIES: Final = ("Management", "Data")  # API InsightSelector
# "Quotas in AWS CloudTrail", and API PutEventSelectors.
MOST_SELECTORS: Final = 5  # basic ones
MOST_RESOURCES: Final = 250  # in all basic selectors
MOST_VALUES: Final = 500  # in all conditions of advanced selectors

_API: Final = "API AdvancedFieldSelector"
_FILTERING: Final = 'User Guide, "Filtering data events by using advanced event selectors"'
_NETWORK: Final = 'User Guide, "Logging network activity events"'


@dataclass(frozen=True)
class Rule:
    """What one field takes in selectors of one event category. Without *values* it takes any, by *pattern*.

    *single*: the field occurs once, with one value.
    """

    source: str
    operators: tuple[str, ...] = OPERATORS
    values: tuple[str, ...] = ()
    pattern: str = ".+"
    required: bool = False
    single: bool = False


def _category(name: str) -> Rule:
    return Rule(_API, ("Equals",), (name,), required=True, single=True)


READ_ONLY: Final = Rule(_API, ("Equals",), ("true", "false"), single=True)
_SOURCE: Final = r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?"

# By event category and field.
GRAMMAR: Final[Mapping[str, Mapping[str, Rule]]] = {
    "Management": {
        "eventCategory": _category("Management"),
        "readOnly": READ_ONLY,
        "eventSource": Rule(_API, ("NotEquals",), EXCLUDABLE),
    },
    "Data": {
        "eventCategory": _category("Data"),
        "readOnly": READ_ONLY,
        "resources.type": Rule(_API, ("Equals",), required=True, single=True),
        "resources.ARN": Rule(_API),
        "eventName": Rule(_API),
        "eventSource": Rule(_API),
        "eventType": Rule(_API),
        "userIdentity.arn": Rule(_API),
        "sessionCredentialFromConsole": Rule(_FILTERING, ("Equals", "NotEquals"), ("true",)),
    },
    "NetworkActivity": {
        "eventCategory": _category("NetworkActivity"),
        "eventSource": Rule(_NETWORK, ("Equals",), pattern=_SOURCE, required=True, single=True),
        "eventName": Rule(_API),
        "errorCode": Rule(_API, ("Equals",), ("VpceAccessDenied",)),
        "vpcEndpointId": Rule(_API),
        # One page of AWS lists it, another leaves it out.
        "userIdentity.arn": Rule("API AdvancedEventSelector"),
    },
}
FIELDS: Final = tuple(dict.fromkeys(field for fields in GRAMMAR.values() for field in fields))
# Categories of event data stores, which a trail refuses (API AdvancedFieldSelector).
STORE_ONLY: Final = ("Insight", "ConfigurationItem", "Evidence", "ActivityAuditLog")
