"""The section `organization_services` of the YAML file."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from ...baseline import AccountId, Baseline, Contradiction, Control, InvalidValue
from ...baseline.problem import did_you_mean
from ...steps.registry import section

# These have calls of their own, which also tell Organizations. Source: each service's page "…and AWS Organizations".
_OWN_CALLS: Final = (
    *("cloudtrail.amazonaws.com", "guardduty.amazonaws.com", "macie.amazonaws.com"),
    "securityhub.amazonaws.com",
)

Principal = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9.-]*\.amazonaws\.com(\.cn)?$",
        max_length=128,
        json_schema_extra={"want": "a service principal such as 'config.amazonaws.com'"},
    ),
]


# Those with an effective policy in each account, which can be invalid there; the other two are evaluated by IAM.
AUTHORIZATION: Final = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def _each_once(principals: list[str]) -> list[str]:
    repeated = [index for index, each in enumerate(principals) if each in principals[:index]]
    if repeated:
        text = "is listed twice; keep one of them"
        raise InvalidValue.several((i, f"'{principals[i]}' {text}") for i in repeated)
    return principals


@section("organization_services")
class OrganizationServices(Control):
    """AWS services that may act in all accounts of the organization, and the accounts that administer them.

    Nothing is taken away: other services keep their access, and other accounts what they administer.
    """

    once = True

    trusted_access: Annotated[
        list[Principal],
        AfterValidator(_each_once),
        Field(max_length=100, description="The service principals that have access to the organization."),
    ]
    delegated_administrators: Annotated[
        dict[Principal, AccountId],
        Field(
            max_length=100,
            description="The member account that administers each service. Another one that is there is an error, and stays.",
        ),
    ] = {}  # noqa: RUF012 - pydantic copies it

    policy_types: Annotated[
        list[str],
        AfterValidator(_each_once),
        Field(
            max_length=50,
            description="The types of policies that can be used, by AWS's name, such as SERVICE_CONTROL_POLICY. Others that"
            " are enabled stay. `verify` names accounts in which the policies of a type are invalid.",
        ),
    ] = []  # noqa: RUF012 - pydantic copies it

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Administrators that a service's own section makes, services without access, and unknown types of policies."""
        where = ("organization_services", "delegated_administrators")
        for principal in self.delegated_administrators:
            if principal in _OWN_CALLS:
                text = "this service has a call of its own for its administrator: name it in the service's section"
                yield Contradiction((*where, principal), text)
            elif principal not in self.trusted_access:
                text = f"AWS wants trusted access first: add '{principal}' to `trusted_access`, too"
                yield Contradiction((*where, principal), text)
        if self.policy_types:
            from ...aws.service_models import enum  # loads a model

            known = enum("organizations", "PolicyType")
            for index, each in enumerate(self.policy_types):
                if each not in known:
                    hint = did_you_mean(each, known) or f"one of {', '.join(known)}"
                    text = f"AWS's model (botocore) knows no `{each}`; {hint}"
                    yield Contradiction(("organization_services", "policy_types", index), text)
