"""Look at what the file names and others make: a KMS key, an SNS topic, a log group, an IAM role or user, or an SSM document.

Each function starts its read at once, and returns a function that waits for the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ..aws import Aws, Reading
from ..aws.errors import DENIED, ClientError, code_of
from .roles import ask_role

# SNS says with codes of its own that a topic's owner has not let a caller in.
_DENIED: Final = DENIED | {"AuthorizationError", "AuthorizationErrorException"}
_NAME_ANOTHER: Final = "make it, or name another"


class Existing(NamedTuple):
    """What is known of a thing. *ok* is None where this account may not look at it; *error* is AWS's answer then.

    *detail* says how it is and *remedy* what to do about it, in words that follow the thing's name. *answer* is AWS's.
    *uses* is what Call.using takes for a thing that the file itself makes.
    """

    what: str
    name: str
    ok: bool | None
    detail: str
    remedy: str = ""
    answer: Mapping[str, Any] | None = None
    error: ClientError | None = None
    uses: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One sentence: what it is, how it is, and what to do."""
        return f"the {self.what} `{self.name}` {self.detail}" + (f": {self.remedy}" if self.remedy else "")

    def but(self, detail: str, remedy: str) -> Existing:
        """The same thing, which cannot be used, and why."""
        return self._replace(ok=False, detail=detail, remedy=remedy)


Look = Callable[[], Existing]


def key(aws: Aws, name: str, region: str | None = None) -> Look:
    """A KMS key, by ARN, id or alias, that a log service is to encrypt with. *answer* is its KeyMetadata.

    Source: "KMS key policy" and "Key states" in the KMS Developer Guide.
    """
    region = region or aws.region
    reading = aws.read("kms", region).describe_key(KeyId=name)

    def look() -> Existing:
        found = _look("key", name, reading, "KeyMetadata", "NotFoundException", "InvalidArnException")
        if found.answer is None:
            return found.but(f"does not exist in {region}", found.remedy) if found.ok is False else found
        state = found.answer.get("KeyState", "Enabled")
        spec = found.answer.get("KeySpec", "SYMMETRIC_DEFAULT")
        if state != "Enabled":
            return found.but(f"is {state}", "enable it, or name another")
        if found.answer.get("KeyManager") == "AWS":
            return found.but("is AWS's own, which log services cannot use", "name one of yours")
        if spec != "SYMMETRIC_DEFAULT":
            return found.but(f"is {spec}, and log services encrypt with SYMMETRIC_DEFAULT", "name another")
        return found._replace(detail="is enabled")

    return look


def topic(aws: Aws, arn: str) -> Look:
    """An SNS topic."""
    reading = aws.read("sns", arn.split(":")[3]).get_topic_attributes(TopicArn=arn)
    return lambda: _look("topic", arn, reading, "", "NotFound", "NotFoundException")


def log_group(aws: Aws, arn: str) -> Look:
    """A log group, by its ARN, with or without `:*` at its end."""
    # The only read for one log group by its whole name.
    read = aws.read("logs", arn.split(":")[3])
    reading = read.list_tags_for_resource(resourceArn=arn.removesuffix(":*"))
    return lambda: _look("log group", arn, reading, "", "ResourceNotFoundException")


def role(aws: Aws, region: str, arn: str) -> Look:
    """A role of this account. *region* is as for `ask_role`."""
    reading = ask_role(aws, region, arn.rpartition("/")[2])
    return lambda: _is_named(_look("role", arn, reading, "Role", "NoSuchEntity"), arn)


def user(aws: Aws, region: str, arn: str) -> Look:
    """A user of this account. *region* is as for `ask_role`."""
    reading = aws.read("iam", region).get_user(UserName=arn.rpartition("/")[2])
    return lambda: _is_named(_look("user", arn, reading, "User", "NoSuchEntity"), arn)


def document(aws: Aws, name: str) -> Look:
    """A document of Systems Manager in this Region, by its name, or by its ARN where another account shares it."""
    reading = aws.read("ssm").describe_document(Name=name)
    return lambda: _look("document", name, reading, "Document", "InvalidDocument")


def is_foreign(aws: Aws, arn: str) -> bool:
    """Whether an ARN is of another account. An id or a name is of this one."""
    parts = arn.split(":")
    return parts[0] == "arn" and parts[4] != aws.account


def _is_named(found: Existing, arn: str) -> Existing:
    """What was found by its name, if its path is that of the ARN too."""
    if found.answer and found.answer["Arn"] != arn:
        return found.but(f"does not exist, but `{found.answer['Arn']}` does", "correct it")
    return found


def _look(what: str, name: str, reading: Reading, part: str, *absent: str) -> Existing:
    """Wait for the answer, or its *part*. Raises every error but those that mean that it is absent, or closed to us."""
    try:
        found = reading.value(part, *absent) if part else reading.found(*absent)
    except ClientError as error:
        if code_of(error) not in _DENIED:
            raise
        return Existing(
            what, name, None, f"cannot be looked at, AWS answers with {code_of(error)}", error=error
        )
    if found is None:
        return Existing(what, name, ok=False, detail="does not exist", remedy=_NAME_ANOTHER)
    return Existing(what, name, ok=True, detail="exists", answer=found)
