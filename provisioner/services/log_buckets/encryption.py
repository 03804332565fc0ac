"""The default encryption of a log bucket. A stronger one stays, unless log services cannot use its key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from ...compare.values import differences
from ...model import Changes, Kind, Note, Refused, update
from ...steps.existing import Existing
from .key import read_key
from .names import LOG_DELIVERY
from .state import Bucket, left_out

_ALGORITHMS: Final = ["AES256", "aws:kms", "aws:kms:dsse"]  # from the weakest to the strictest


def encryption(bucket: Bucket) -> Changes:
    """Bring the default encryption to the baseline, with the key that the file names if it can be used."""
    if key := read_key(bucket):
        if key.ok is False:
            raise Refused(key.text)
        if key.ok is None:
            yield Note(Kind.WARNING, bucket.title, key.text)
    yield from _default_encryption(bucket, key)
    yield from _access_log_warning(bucket)


def _default_encryption(bucket: Bucket, named: Existing | None) -> Changes:
    section, rule = bucket.want.server_side_encryption, _encryption_rule(bucket)
    have = {**rule["ApplyServerSideEncryptionByDefault"], "BucketKeyEnabled": rule["BucketKeyEnabled"]}
    want: dict[str, Any] = {"SSEAlgorithm": section.sse_algorithm}
    if section.kms_master_key_id:
        answer = (named.answer if named else None) or {"Arn": section.kms_master_key_id}
        want["KMSMasterKeyID"] = answer["Arn"]
    algorithm, key = have["SSEAlgorithm"], have.get("KMSMasterKeyID")
    # Only aws:kms can use a bucket key.
    if section.sse_algorithm == "aws:kms" and (
        "bucket_key_enabled" in section.model_fields_set or algorithm != "aws:kms"
    ):
        want["BucketKeyEnabled"] = section.bucket_key_enabled
    stronger = algorithm in _ALGORITHMS[_ALGORITHMS.index(section.sse_algorithm) + 1 :]
    unusable = _why_unusable(bucket, key)
    text = f"encryption is {algorithm} with {key or 'the key aws/s3'}"
    stays = not bucket.fresh and "sse_algorithm" not in section.model_fields_set
    if stronger and unusable and stays:
        text = f"{algorithm} with {unusable}, so that nothing is delivered"
        yield left_out(bucket, "server_side_encryption", text)
        return
    if stronger and unusable:
        text = f"{text}, {unusable}: nothing is delivered with it; it is replaced by {section.sse_algorithm}"
        yield Note(Kind.WARNING, bucket.title, text)
    elif stronger and (stays or not bucket.want.exact):
        stricter = f"{text}; the baseline asks for {section.sse_algorithm}"
        yield Note(Kind.STRICTER, bucket.title, stricter, permanent=stays)
        if not section.kms_master_key_id and not _is_known_key(bucket, key):
            text = (
                f"{text}, which is not known as a key of yours: its owner could lock the logs away; if it is yours, name "
                "it in `server_side_encryption`, else set `exact: true`"
            )
            yield Note(Kind.WARNING, bucket.title, text)
        # The stronger algorithm stays, with the key that the file names, if any.
        del want["SSEAlgorithm"]
        want.pop("BucketKeyEnabled", None)
    changed = differences(have, want)
    if not changed:
        return
    default = {"SSEAlgorithm": algorithm, **want}
    rule = {name: value for name, value in rule.items() if name != "BucketKeyEnabled"}
    if "BucketKeyEnabled" in default:
        rule["BucketKeyEnabled"] = default.pop("BucketKeyEnabled")
    rule["ApplyServerSideEncryptionByDefault"] = default
    call = bucket.put("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [rule]})
    call = call.using(*(named.uses if named else ()))
    change = replace(update(bucket.title, changed, call), enables=bool(unusable))
    if stronger and not unusable and bucket.want.exact:
        change = replace(change, consent="weaken-encryption", loses="new logs get a weaker encryption")
    yield change


def _access_log_warning(bucket: Bucket) -> Iterator[Note]:
    """A warning where access logs arrive under a KMS key: AWS documents AES256 only, and others work with a key policy."""
    have = _encryption_rule(bucket)["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    algorithms = {have, bucket.want.server_side_encryption.sse_algorithm}
    if bucket.receives_access_logs and algorithms != {"AES256"}:
        text = (
            f"access logs of other buckets arrive here, and AWS supports AES256 only for that: set it, or see that the "
            f"key's policy allows `{LOG_DELIVERY}` `kms:GenerateDataKey` and `kms:Decrypt`"
        )
        yield Note(Kind.WARNING, bucket.title, text)


def _encryption_rule(bucket: Bucket) -> dict[str, Any]:
    """The rule of the bucket's default encryption. Every bucket, a new one too, has at least AES256."""
    rules = (bucket.have("get_bucket_encryption") or {}).get("Rules") or [{}]
    least = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    return {**least, **rules[0]}


def _why_unusable(bucket: Bucket, key: str | None) -> str:
    """Why log services certainly cannot use the key: AWS's own key, or one of another Region; else an empty text."""
    parts = (key or "").split(":")
    if key is None or "alias/aws/" in key:
        return "AWS's own key, which log services cannot use"
    if len(parts) > 5 and (parts[1], parts[3]) != (bucket.aws.partition, bucket.aws.region):
        return f"a key in {parts[3]}, which S3 cannot use in {bucket.aws.region}"
    return ""


def _is_known_key(bucket: Bucket, key: str | None) -> bool:
    """Whether the key is by its ARN one of an account that the run knows. An id alone means one of the writer's account."""
    aws, parts = bucket.aws, (key or "").split(":")
    return len(parts) > 5 and parts[4] in {aws.account, aws.central, aws.archive}
