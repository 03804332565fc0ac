"""The part of the section `alarms` on who hears them: what SNS takes as an endpoint, for `validate` and the sandbox.

Source: API Subscribe, `Endpoint`; "Amazon SNS FIFO topics": a queue in FIFO order goes with such a topic only, and alarms
notify none.
"""

import re
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from ...baseline import InvalidValue, Section

_EMAIL: Final = (r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", "an e-mail address")
# By protocol: a pattern, and in words what it stands for.
_FORMS: Final = {
    "email": _EMAIL,
    "email-json": _EMAIL,
    "http": (r"http://[^\s/]+(/\S*)?", "a URL that begins with `http://`"),
    "https": (r"https://[^\s/]+(/\S*)?", "a URL that begins with `https://`"),
    "sms": (r"\+?[0-9][0-9 ().-]{2,}", "a phone number such as `+15550100`"),
    "sqs": (
        r"arn:[^:]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+",
        "the ARN of an SQS queue that is not FIFO, as `arn:PARTITION:sqs:REGION:ACCOUNT:NAME`",
    ),
    "lambda": (
        r"arn:[^:]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?",
        "the ARN of a Lambda function, as `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`",
    ),
}


def endpoint_problem(protocol: str, endpoint: str) -> str:
    """Why SNS refuses the endpoint, or an empty text."""
    pattern, want = _FORMS.get(protocol, (".*", ""))
    return "" if re.fullmatch(pattern, endpoint) else f"`{protocol}` wants {want}, got '{endpoint}'"


class Subscription(Section):
    """Who gets the notifications. E-mail and HTTPS must be confirmed by the recipient."""

    protocol: Literal["email", "email-json", "https", "sms", "sqs", "lambda"] = Field(
        description="As SNS has it."
    )
    endpoint: str = Field(
        min_length=3, max_length=2048, description="An address, a URL, a number or an ARN, by protocol."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problem := endpoint_problem(self.protocol, self.endpoint):
            raise InvalidValue("endpoint", problem)
        return self
