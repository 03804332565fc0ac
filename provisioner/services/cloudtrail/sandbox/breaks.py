"""Each way in which somebody may break the trail, or the trusted access that it needs, by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Break, Hands, answer, breaks
from .trails import PRINCIPAL

_ELSEWHERE = "attacker-{account}"


@breaks("cloudtrail")
def trail_breaks(hands: Hands) -> Iterator[Break]:
    """Every setting of each trail at home here, its selectors, tags and logging, and the trail gone."""
    client = hands.client("cloudtrail")
    for found in client.describe_trails(includeShadowTrails=False)["trailList"]:
        trail = _Trail(hands, client, found)
        yield from trail.settings()
        yield from trail.recording()
        yield from trail.tags()
        yield trail.broken("", f"deleted {trail.what}", client.delete_trail, Name=trail.name)


class _Trail:
    def __init__(self, hands: Hands, client: Any, found: dict[str, Any]):
        self.hands, self.client, self.found = hands, client, found
        self.name = found["Name"]
        self.what = f"trail {self.name}"

    def broken(self, field: str, sentence: str, call: Any, asked: str = "", **params: Any) -> Break:
        return Break(self.what, field, sentence, partial(call, **params), asked)

    def update(self, field: str, sentence: str, asked: str, **params: Any) -> Break:
        return self.broken(field, sentence, self.client.update_trail, asked, Name=self.name, **params)

    def settings(self) -> Iterator[Break]:
        found, what = self.found, self.what
        if found["LogFileValidationEnabled"]:
            yield self.update(
                "EnableLogFileValidation",
                f"turned off log file validation of {what}",
                "enable_log_file_validation",
                EnableLogFileValidation=False,
            )
        if found["IsMultiRegionTrail"]:
            text = f"made {what} watch {self.hands.region} only"
            yield self.update("IsMultiRegionTrail", text, "is_multi_region_trail", IsMultiRegionTrail=False)
            text = f"made {what} watch {self.hands.region} only, and not what is global"
            off = {"IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": False}
            yield self.update("I", text, "is_multi_region_trail include_global_service_events", **off)
        if found.get("IsOrganizationTrail"):
            text = f"made {what} watch this account only"
            yield self.update("IsOrganizationTrail", text, "is_organization_trail", IsOrganizationTrail=False)
        if found.get("S3KeyPrefix"):
            yield Break(
                what,
                "S3KeyPrefix",
                f"moved the log files of {what} to another prefix",
                self._to_bucket,
                "s3_key_prefix",
            )
        yield Break(what, "S3BucketName", f"sent the log files of {what} to another bucket", self._away)

    def _to_bucket(self) -> None:
        """The bucket's policy lets the trail write below another prefix, and it does."""
        s3, bucket = self.hands.client("s3"), self.found["S3BucketName"]
        text = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        s3.put_bucket_policy(
            Bucket=bucket, Policy=text.replace(f"/{self.found['S3KeyPrefix']}/AWSLogs", "/AWSLogs")
        )
        self.client.update_trail(Name=self.name, S3KeyPrefix="")
        s3.put_bucket_policy(Bucket=bucket, Policy=text)

    def _away(self) -> None:
        """The trail delivers to a bucket of somebody else's."""
        s3, name = self.hands.client("s3"), _ELSEWHERE.format(account=self.hands.account)
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": PRINCIPAL},
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        }
        source = {"StringEquals": {"aws:SourceArn": self.found["TrailARN"]}}
        statement = {**allow, "Action": ["s3:GetBucketAcl", "s3:PutObject"], "Condition": source}
        s3.create_bucket(Bucket=name, **_location(self.hands.region))
        s3.put_bucket_policy(
            Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
        self.client.update_trail(Name=self.name, S3BucketName=name)

    def recording(self) -> Iterator[Break]:
        client, name, what = self.client, self.name, self.what
        if client.get_trail_status(Name=name)["IsLogging"]:
            yield self.broken("logging", f"stopped logging of {what}", client.stop_logging, Name=name)
        selectors = client.get_event_selectors(TrailName=name)
        if selectors.get("EventSelectors"):
            narrow = [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]
            yield self.broken(
                "EventSelectors",
                f"made {what} log reads only",
                client.put_event_selectors,
                "event_selectors",
                TrailName=name,
                EventSelectors=narrow,
            )
            data = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}
            wide = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [data]}]
            put = partial(client.put_event_selectors, TrailName=name, EventSelectors=wide)
            yield Break(
                what, "", f"made {what} log the use of functions too", put, "event_selectors", stricter=True
            )
        if self.found.get("HasInsightSelectors"):
            yield self.broken(
                "InsightSelectors",
                f"ended the insights of {what}",
                client.put_insight_selectors,
                "insight_selectors",
                TrailName=name,
                InsightSelectors=[],
            )

    def tags(self) -> Iterator[Break]:
        arn = self.found["TrailARN"]
        [listed] = self.client.list_tags(ResourceIdList=[arn])["ResourceTagList"]
        for tag in listed["TagsList"]:
            yield self.broken(
                f"tag {tag['Key']}",
                f"removed the tag {tag['Key']} of {self.what}",
                self.client.remove_tags,
                "tags",
                ResourceId=arn,
                TagsList=[{"Key": tag["Key"]}],
            )


def _location(region: str) -> dict[str, Any]:
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


@breaks("cloudtrail_trusted_access")
def trusted_access_breaks(hands: Hands) -> Iterator[Break]:
    """CloudTrail may no longer act in the organization's accounts."""
    client = hands.client("organizations")
    read = client.list_aws_service_access_for_organization
    found = answer(read, "AWSOrganizationsNotInUseException", "AccessDeniedException") or {}
    if any(each["ServicePrincipal"] == PRINCIPAL for each in found.get("EnabledServicePrincipals", ())):
        text = "took the organization's trusted access from CloudTrail"
        off = partial(client.disable_aws_service_access, ServicePrincipal=PRINCIPAL)
        yield Break("organization", f"trusted access for {PRINCIPAL}", text, off)
