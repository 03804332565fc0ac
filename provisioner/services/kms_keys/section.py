"""The section `kms_keys` of the YAML file. Fields are those of KMS's API, in snake_case."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from ...baseline import NO_SETTING, Baseline, Contradiction, Control, InvalidValue
from ...baseline.section import AsWritten
from ...compare.stricter import lower
from ...steps.references import NAMED_BY_AWS, provides
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags

MARK: Final = "provision:kms_key"  # the tag by which a key is found that has lost its alias, or has none yet
POLICY_BYTES: Final = 32768
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_ROTATION = Guarded(lower, "rotate-key-less-often", "the key's material is used for longer")


def _without_mark(tags: dict[str, str]) -> dict[str, str]:
    if MARK in tags:
        raise InvalidValue(MARK, "is the tag by which provision finds its keys: choose another")
    if len(tags) > 49:
        raise InvalidValue((), f"want at most 49 tags, as the key also has `{MARK}`")
    return tags


class Key(Settings):
    """One symmetric key. It costs about a dollar a month, and the requests that are made with it."""

    alias: Annotated[str, NO_SETTING] = Field(
        min_length=7,
        max_length=256,
        pattern=r"^alias/[A-Za-z0-9/_-]+$",
        description="The key's name. A key that has this alias is adopted, and an alias is never moved unasked.",
        json_schema_extra={"want": "`alias/` and letters, digits and any of /_-"},
    )
    description: str | None = Field(None, max_length=8192, description="Not touched if left out.")
    rotation_period_in_days: Annotated[int | None, _ROTATION] = Field(
        None,
        ge=90,
        le=2560,
        description="Days after which KMS makes new key material. CIS asks for rotation. Not touched if left out.",
    )
    tags: Annotated[Tags, AfterValidator(_without_mark)] = {}  # noqa: RUF012 - pydantic copies a default
    uses: list[Literal["cloudwatch", "logs"]] = Field(
        default=[],
        description="What uses the key besides the services whose settings in the file name it: `cloudwatch` for alarms that"
        " notify an encrypted topic, `logs` for encrypted log groups of the account.",
    )
    policy_statements: Annotated[list[dict[str, Any]], AsWritten] = Field(
        default=[],
        description="Statements to add to the generated ones of the key policy, such as of those who may read the logs, in"
        " AWS's spelling or in snake_case; each with a `Sid`.",
    )

    @property
    def name(self) -> str:
        """The alias: the name by which other sections may refer to the key too."""
        return self.alias

    @property
    def title(self) -> str:
        """The key's name in a plan."""
        return f"key {self.alias}"

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The `policy_statements` in AWS's spelling."""
        from ...compare.policy_spelling import to_aws_spelling  # rarely needed

        return [to_aws_spelling(each) for each in self.policy_statements]


@section("kms_keys")
class KmsKeys(Control):
    """The KMS keys that other sections name, each under a key of your choice: `kms_key_id: trail`.

    They are in `home_region`, in the account of the log buckets. A key's policy is generated for what uses it.
    """

    once = True

    model_config = ConfigDict(extra="allow")  # any key, but only a Key under it
    __pydantic_extra__: dict[str, Key]

    @property
    def root(self) -> dict[str, Key]:
        """The keys by their name in the file."""
        return self.__pydantic_extra__

    def controls(self) -> Iterator[tuple[str, Control]]:
        """Those of the keys."""
        yield from ((each.title, each) for each in self.root.values())

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Two keys of one alias, a name that means another key, an alias of AWS, and statements that AWS would refuse."""
        names: dict[str, str] = {}
        for name, key in self.root.items():
            path = ("kms_keys", name)
            if not _NAME.fullmatch(name) or re.fullmatch(NAMED_BY_AWS, name):
                text = "want a name of letters, digits and any of _-, that is no key id"
                yield Contradiction(path, text)
            if key.alias in names:
                yield Contradiction((*path, "alias"), f"is the alias of `{names[key.alias]}` too")
            if key.alias.startswith("alias/aws/"):
                text = "AWS reserves aliases that start with `alias/aws/`: choose another"
                yield Contradiction((*path, "alias"), text)
            names[key.alias] = name
            for below, text in _statement_problems(key, baseline.archive_account):
                yield Contradiction((*path, "policy_statements", *below), text)


@provides("key", "kms_keys", archive=True)
def _keys(baseline: Baseline) -> Mapping[str, Key]:
    return baseline[KmsKeys].root if KmsKeys in baseline else {}


def _statement_problems(key: Key, account: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What AWS would refuse in the extra statements."""
    if not key.policy_statements:
        return
    # Imported here because few files have such statements, and the imports take time.
    from ...compare.policy_check import problems
    from ...steps.delivery import SID_SUFFIX

    yield from problems(
        key.policy_statements, of_key=True, account=account, reserved=SID_SUFFIX, most=POLICY_BYTES
    )
