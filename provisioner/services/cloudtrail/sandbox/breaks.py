"""Ways to break a trail, or the trusted access that it needs, by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....compare.policy_eval import as_list
from ....sandbox.drift import (
    Administrator,
    Break,
    breaks,
    breaks_of,
    create_delivery_bucket,
    trusted_access_break,
)
from .trails import PRINCIPAL


@breaks("cloudtrail")
def trail_breaks(admin: Administrator) -> Iterator[Break]:
    """Break each setting of the trails at home in this Region, their selectors, tags and logging, and delete them."""
    client = admin.client("cloudtrail")
    for found in client.describe_trails(includeShadowTrails=False)["trailList"]:
        trail = _Trail(admin, client, found)
        yield from trail.settings()
        yield from trail.recording()
        yield from trail.tags()
        # Its key is a resource of its own in a plan, and is gone with it.
        gone = breaks_of("" if found.get("KmsKeyId") else trail.what)
        yield gone("", f"deleted {trail.what}", client.delete_trail, Name=trail.name)


@breaks("cloudtrail_trusted_access")
def trusted_access_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable trusted access for CloudTrail."""
    yield from trusted_access_break(admin, PRINCIPAL, "CloudTrail")


class _Trail:
    def __init__(self, admin: Administrator, client: Any, found: dict[str, Any]):
        self.admin, self.client, self.found = admin, client, found
        self.name = found["Name"]
        self.what = f"trail {self.name}"
        self.broken = breaks_of(self.what)

    def update(self, field: str, sentence: str, asked: str, **params: Any) -> Break:
        return self.broken(field, sentence, self.client.update_trail, asked, Name=self.name, **params)

    def settings(self) -> Iterator[Break]:
        found, what, region = self.found, self.what, self.admin.region
        if found["LogFileValidationEnabled"]:
            text, asked = f"turned off log file validation of {what}", "enable_log_file_validation"
            yield self.update("EnableLogFileValidation", text, asked, EnableLogFileValidation=False)
        if found["IsMultiRegionTrail"]:
            text = f"made {what} watch {region} only"
            yield self.update("IsMultiRegionTrail", text, "is_multi_region_trail", IsMultiRegionTrail=False)
            text = f"made {what} watch {region} only, and not what is global"
            off = {"IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": False}
            yield self.update("I", text, "is_multi_region_trail include_global_service_events", **off)
        if found.get("IsOrganizationTrail"):
            text = f"made {what} watch this account only"
            yield self.update("IsOrganizationTrail", text, "is_organization_trail", IsOrganizationTrail=False)
        if found.get("S3KeyPrefix"):
            text = f"moved the log files of {what} to another prefix"
            yield self.broken("S3KeyPrefix", text, self._remove_prefix, "s3_key_prefix")
        if found.get("KmsKeyId"):
            text, key = f"made {what} encrypt with no key", {"Name": self.name, "KmsKeyId": ""}
            of_key = breaks_of(f"KMS key of {what}")
            yield of_key("KmsKeyId", text, self.client.update_trail, "kms_key_id", **key)
        yield self.broken("S3BucketName", f"sent the log files of {what} to another bucket", self._redirect)

    def _remove_prefix(self) -> None:
        """Remove the key prefix, and let the trail write without it too, so that it goes on delivering."""
        s3, bucket = self.admin.client("s3"), self.found["S3BucketName"]
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        below = f"/{self.found['S3KeyPrefix']}/AWSLogs"
        for each in policy["Statement"]:
            paths = as_list(each["Resource"])
            if any(below in path for path in paths):
                each["Resource"] = [*paths, *(path.replace(below, "/AWSLogs") for path in paths)]
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        self.client.update_trail(Name=self.name, S3KeyPrefix="")

    def _redirect(self) -> None:
        """Make the trail deliver to another bucket."""
        bucket = f"attacker-{self.admin.account}"
        source = {"StringEquals": {"aws:SourceArn": self.found["TrailARN"]}}
        create_delivery_bucket(self.admin, bucket, PRINCIPAL, source)
        self.client.update_trail(Name=self.name, S3BucketName=bucket)

    def recording(self) -> Iterator[Break]:
        client, name, what = self.client, self.name, self.what
        if client.get_trail_status(Name=name)["IsLogging"]:
            yield self.broken("logging", f"stopped logging of {what}", client.stop_logging, Name=name)
        selectors = client.get_event_selectors(TrailName=name)
        if advanced := selectors.get("AdvancedEventSelectors"):
            yield from self._advanced(advanced)
        if selectors.get("EventSelectors"):
            put, asked = client.put_event_selectors, "event_selectors"
            reads = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
            text, trail = f"made {what} log reads only", {"TrailName": name}
            yield self.broken("EventSelectors", text, put, asked, EventSelectors=[reads], **trail)
            partition = self.found["TrailARN"].split(":")[1]
            data = {"Type": "AWS::Lambda::Function", "Values": [f"arn:{partition}:lambda"]}
            wide = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [data]}
            text = f"made {what} log the use of functions too"
            yield self.broken("", text, put, asked, stricter=True, EventSelectors=[wide], **trail)
        if self.found.get("HasInsightSelectors"):
            none = {"TrailName": name, "InsightSelectors": []}
            text, put = f"ended the insights of {what}", client.put_insight_selectors
            yield self.broken("InsightSelectors", text, put, "insight_selectors", **none)

    def _advanced(self, selectors: list[dict[str, Any]]) -> Iterator[Break]:
        """Record less, and more."""
        put, asked, trail = (
            self.client.put_event_selectors,
            "advanced_event_selectors",
            {"TrailName": self.name},
        )
        reads = [*selectors[0]["FieldSelectors"], {"Field": "readOnly", "Equals": ["true"]}]
        less = [{**selectors[0], "FieldSelectors": reads}, *selectors[1:]]
        text = f"made {self.what} log reads only"
        yield self.broken("AdvancedEventSelectors", text, put, asked, AdvancedEventSelectors=less, **trail)
        functions = [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]},
        ]
        more = [*selectors, {"Name": "theirs", "FieldSelectors": functions}]
        text = f"made {self.what} log the use of functions too"
        yield self.broken("", text, put, asked, stricter=True, AdvancedEventSelectors=more, **trail)

    def tags(self) -> Iterator[Break]:
        arn, remove = self.found["TrailARN"], self.client.remove_tags
        [listed] = self.client.list_tags(ResourceIdList=[arn])["ResourceTagList"]
        for key in (tag["Key"] for tag in listed["TagsList"]):
            tag = {"ResourceId": arn, "TagsList": [{"Key": key}]}
            yield self.broken(f"tag {key}", f"removed the tag {key} of {self.what}", remove, "tags", **tag)
