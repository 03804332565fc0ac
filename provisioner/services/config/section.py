"""The YAML section `config`: what AWS Config records, where it delivers, and the rules it evaluates."""

from collections.abc import Iterator
from glob import escape
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from ...baseline import (
    NO_SETTING,
    Baseline,
    Contradiction,
    Control,
    ForOrganization,
    InvalidValue,
    NotInFullProfile,
    Switchable,
    Text,
)
from ...baseline.partitions import partition_of, region_of
from ...compare.spelling import CONTROL_TOWER
from ...steps.references import NAMED_BY_AWS, Refers, check_key_region, check_references, find
from ...steps.registry import section
from ...steps.settings import Settings
from .aggregator_section import Aggregator
from .conformance_pack_section import ConformancePack, PackName
from .organization_section import (
    OrganizationConformancePack,
    OrganizationPackName,
    OrganizationRule,
    OrganizationRuleName,
)
from .recording_section import Recorder
from .regional_section import Regional
from .rule_section import Frequency, Rule, RuleName

BEIJING: Final = "cn-north-1"
RoleName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9+=,.@_-]{1,64}$",
        json_schema_extra={"want": "the name of a role: up to 64 letters, digits and any of +=,.@_-"},
    ),
]


class DeliveryChannel(Control):
    """Where the recorder delivers its history and snapshots: one channel in each Region."""

    name: Annotated[str, NO_SETTING] = Field(
        "default",
        min_length=1,
        max_length=256,
        description="The name of a new channel. One that exists is adopted under its own name.",
    )
    s3_bucket_name: Annotated[Text, Refers("bucket")] = Field(
        description="A key of `log_buckets`, or the name of a bucket there."
    )
    s3_key_prefix: str | None = Field(
        None,
        max_length=512,
        pattern=r"^([^/].*[^/]|[^/])?$",
        description="What comes before `AWSLogs/` in the bucket; an empty text is nothing. If left out, AWS's is kept.",
        json_schema_extra={"want": "a prefix without / at its ends"},
    )
    s3_kms_key_arn: Annotated[
        str | None,
        Refers("key", NAMED_BY_AWS),
        NotInFullProfile("an alternative of the bucket's own encryption"),
    ] = Field(
        None,
        pattern=r"^(arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+|[A-Za-z0-9_-]+)$",
        description="The key that encrypts deliveries: one of the file, by its name there, or the ARN of another in"
        " `home_region`. If left out, AWS's is kept.",
        json_schema_extra={"want": "the ARN of a KMS key, or a key's name in the file"},
    )
    sns_topic_arn: Annotated[str | None, NotInFullProfile("topics that the user makes")] = Field(
        None,
        pattern=r"^arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$",
        description="A topic for notifications of changes and deliveries. Each Region needs its own: write"
        " `${region}` in it. If left out, AWS's is kept.",
        json_schema_extra={"want": "the ARN of an SNS topic"},
    )
    delivery_frequency: Frequency | None = Field(
        None,
        description="How often a snapshot is delivered. If AWS delivers more often, that is stricter and stays,"
        " unless `exact`.",
    )


@section("config")
class Config(Settings, Switchable):
    """AWS Config in each Region: one recorder, one delivery channel, rules and packs; and an aggregator in one account."""

    same_for_all_accounts = (("delivery_channel", "s3_bucket_name"), ("delivery_channel", "s3_key_prefix"))

    role_name: Annotated[RoleName | None, NotInFullProfile("an alternative of the service-linked role")] = (
        Field(
            None,
            description="The name of a role of your own for AWS Config, which is created and repaired. If left out,"
            " AWS Config has AWSServiceRoleForConfig, which Security Hub's Config.1 asks for.",
        )
    )
    role_arn: Annotated[str | None, NotInFullProfile("an alternative of the service-linked role")] = Field(
        None,
        pattern=r"^arn:[a-z0-9-]+:iam::[0-9]{12}:role/[\x21-\x7e]+$",
        description="The ARN of a role that exists and is not changed.",
        json_schema_extra={"want": "the ARN of an IAM role"},
    )
    recorder: Recorder = Field(default=Recorder(), description="What is recorded, and how often.")
    delivery_channel: DeliveryChannel = Field(description="Where it is delivered.")
    retention_period_in_days: int | None = Field(
        None,
        ge=30,
        le=2557,
        description="Days that AWS Config itself keeps its history; seven years (2557) if never set. If AWS"
        " keeps it longer, that is stricter and stays, unless `exact`.",
    )
    rules: dict[RuleName, Rule] = Field(
        default={}, description="Managed rules of AWS and rules of your own, by a name of your choice."
    )
    conformance_packs: dict[PackName, ConformancePack] = Field(
        default={}, description="Packs of rules, by a name of your choice."
    )
    organization_rules: Annotated[dict[OrganizationRuleName, OrganizationRule], ForOrganization()] = Field(
        default={}, description="Rules in all accounts of the organization, by a name of your choice."
    )
    organization_conformance_packs: Annotated[
        dict[OrganizationPackName, OrganizationConformancePack], ForOrganization()
    ] = Field(
        default={},
        description="Packs of rules in all accounts of the organization, by a name of your choice.",
    )
    aggregator: Aggregator | None = Field(
        None, description="One place that shows all accounts and Regions. Not touched if left out."
    )

    @property
    def remediated_rules(self) -> list[str]:
        """The names of the rules that have a remediation."""
        return [name for name, rule in self.rules.items() if rule.remediation]

    @property
    def for_organization(self) -> list[str]:
        """The names of the rules and packs of the organization."""
        return [*self.organization_rules, *self.organization_conformance_packs]

    def controls(self) -> Iterator[tuple[str, Control]]:
        """Those of the recorder, the channel, the rules, the packs and the aggregator."""
        yield "configuration recorder *", self.recorder
        yield "delivery channel *", self.delivery_channel
        yield from ((f"config rule {escape(name)}", rule) for name, rule in self.rules.items())
        yield from (
            (f"conformance pack {escape(name)}", pack) for name, pack in self.conformance_packs.items()
        )
        for name, each in self.organization_rules.items():
            yield f"organization rule {escape(name)}", each
        for name, pack in self.organization_conformance_packs.items():
            yield f"organization conformance pack {escape(name)}", pack
        if self.aggregator:
            yield "configuration aggregator *", self.aggregator

    @model_validator(mode="after")
    def _check_role(self) -> Self:
        if self.role_name and self.role_arn:
            raise InvalidValue("role_arn", "goes without `role_name`: drop one of the two")
        if self.aggregator and self.aggregator.role_name == self.role_name:
            raise InvalidValue(("aggregator", "role_name"), "is the recorder's role too: choose another")
        if (self.role_name or "").startswith(CONTROL_TOWER):
            raise InvalidValue(
                "role_name", "AWS Control Tower owns the roles of that name: give it as `role_arn`"
            )
        return self

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Report a wrong bucket, a key or topic in the wrong Region, and settings for a home Region outside of `regions`."""
        channel, general = self.delivery_channel, baseline.general
        path = ("config", "delivery_channel")
        yield from check_references(baseline, self, ("config",))
        bucket = find(baseline, "bucket", channel.s3_bucket_name)
        if bucket is not None and bucket.resource.object_lock is not None:
            message = "AWS Config cannot deliver to a bucket with Object Lock: take another bucket"
            yield Contradiction((*path, "s3_bucket_name"), message)
        yield from check_key_region(baseline, channel.s3_kms_key_arn, (*path, "s3_kms_key_arn"))
        topic_region = region_of(channel.sns_topic_arn)
        if topic_region and baseline.region in general.named_regions and topic_region != baseline.region:
            message = (
                f"the topic is in {topic_region}, and AWS Config takes a topic of its own Region only, such as"
                f" {baseline.region}: write `${{region}}` in the ARN, and make a topic in each Region"
            )
            yield Contradiction((*path, "sns_topic_arn"), message)
        # "Delivery channel cannot be cross-Region for the China (Beijing) Region": PutDeliveryChannel in
        # docs.amazonaws.cn, AWS Config API Reference.
        china = baseline.partition == partition_of(BEIJING)
        if china and general.covers(BEIJING) and general.home_region != BEIJING:
            message = (
                f"AWS Config in {BEIJING} delivers to a bucket in {BEIJING} only, and the buckets are in `home_region`,"
                f" {general.home_region}: make {BEIJING} the home Region, or leave it out of `regions`"
            )
            yield Contradiction((*path, "s3_bucket_name"), message)
        yield from self._wrong_account(baseline)
        for kind, name, each in self._regional():
            for index, region in enumerate(each.regions or ()):
                if not general.covers(region):
                    message = f"'{region}' is none of the file's `regions`: add it there, or drop it here"
                    yield Contradiction(("config", kind, name, "regions", index), message)
        yield from self._functions_elsewhere(baseline)
        if not general.covers(general.home_region):
            message = "is for `home_region`, which is none of `regions`: add it"
            for field in self._only_in_home_region():
                yield Contradiction(("config", *field), message)

    def _wrong_account(self, baseline: Baseline) -> Iterator[Contradiction]:
        """The role is in one account, and the file is for others: a service takes a role of its own account only."""
        owner, general = (self.role_arn or "::::").split(":")[4], baseline.general
        if owner in {"", baseline.account_id} or general.overrides:  # one may be for that account only
            return
        accounts = general.accounts
        known = accounts.ids if accounts and accounts.listed else general.allowed_account_ids
        if (accounts is not None and known is None) or (known and set(known) != {owner}):
            message = (
                f"the role is in account {owner}, and AWS Config takes a role of its own account: write"
                " `${account_id}` in the ARN, and make a role in each account"
            )
            yield Contradiction(("config", "role_arn"), message)

    def _functions_elsewhere(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Each rule in the baseline's Region whose Lambda function is in another one."""
        region, general = baseline.region, baseline.general
        functions: dict[tuple[str, str, str], tuple[Regional, str | None]] = {
            ("rules", name, "source_identifier"): (each, each.source_identifier)
            for name, each in self.rules.items()
            if each.owner == "CUSTOM_LAMBDA"
        }
        for name, each in self.organization_rules.items():
            functions["organization_rules", name, "lambda_function_arn"] = each, each.lambda_function_arn
        for path, (rule, function) in functions.items():
            here = rule.regions is None or region in rule.regions
            here = here and (not rule.home_region_only or region == general.home_region)
            found = region_of(function)
            if here and found not in {"", region} and region in general.named_regions:
                message = (
                    f"the function is in {found}, and AWS Config invokes those of its own Region only, such as"
                    f" {region}: write `${{region}}` in the ARN, or name the Regions in `regions`"
                )
                yield Contradiction(("config", *path), message)

    def _only_in_home_region(self) -> Iterator[tuple[str, ...]]:
        """The paths of the fields that are set and have an effect in the home Region only."""
        group = self.recorder.recording_group
        if group and group.include_global_resource_types:
            yield "recorder", "recording_group", "include_global_resource_types"
        for field, name, each in self._regional():
            if each.home_region_only:
                yield field, name, "home_region_only"

    def _regional(self) -> Iterator[tuple[str, str, Regional]]:
        """Each rule and pack, with the field that has it, and its name."""
        yield from (("rules", name, each) for name, each in self.rules.items())
        yield from (("conformance_packs", name, each) for name, each in self.conformance_packs.items())
        yield from (("organization_rules", name, each) for name, each in self.organization_rules.items())
        packs = self.organization_conformance_packs.items()
        yield from (("organization_conformance_packs", name, each) for name, each in packs)
