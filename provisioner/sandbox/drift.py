"""Break resources in the sandbox as somebody with console access could: `@breaks` registers the ways, per step."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from ..compare.policy_eval import as_list
from . import intercept, rule
from .model import SandboxError
from .policy_text import to_policy
from .seed import MANAGEMENT

if TYPE_CHECKING:
    from .world import World


@dataclass(frozen=True)
class Break:
    """One way to break a resource.

    *resource* and *field* are the names under which `diff` then shows it; *field* is empty if more than one field shows
    or the resource is gone. *asked* is the path in the baseline, below the section, that asks for the field
    (`*.versioning.status`; `*` is any key); several paths are separated by spaces.
    """

    resource: str
    field: str
    sentence: str
    do: Callable[[], Any]
    paths: str = ""
    stricter: bool = False  # AWS is then stricter than the baseline: no drift, and nothing to repair
    consent: str = ""  # the `--allow` name without which it is shown only, as others may need what it added

    @property
    def repaired(self) -> bool:
        """`apply` repairs it without being asked."""
        return not self.stricter and not self.consent


@dataclass(frozen=True)
class Administrator:
    """An administrator of one account in one Region, whose calls break resources."""

    account: str
    region: str
    home: bool = True
    session: boto3.Session = field(default_factory=boto3.Session)

    @classmethod
    def of(cls, account: str, region: str, keys: Mapping[str, str], *, home: bool) -> Administrator:
        """An administrator with credentials of the account, in the form that `boto3.Session` takes."""
        return cls(account, region, home, boto3.Session(**keys))  # type: ignore[arg-type] # typed by position

    def client(self, service: str, region: str = "") -> Any:
        """A client of the service, in this Region unless another is named."""
        key = (service, region or self.region)
        if key not in self._clients:
            self._clients[key] = self.session.client(service, region_name=key[1])  # type: ignore[call-overload]
        return self._clients[key]

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Any]:
        return {}


Breaking = Callable[[Administrator], Iterator[Break]]


@dataclass(frozen=True)
class Breaks:
    """The function that lists the ways to break the resources of a step; *regional*: in every Region, not only at home."""

    step: str
    regional: bool
    found: Breaking


BREAKS: list[Breaks] = []


def breaks(step: str, *, regional: bool = False) -> Callable[[Breaking], Breaking]:
    """Register a function that lists the ways to break those resources of a step that exist now."""

    def register(found: Breaking) -> Breaking:
        BREAKS.append(Breaks(step, regional, found))
        return found

    return register


def every_break(admin: Iterable[Administrator], step: str = "") -> Iterator[tuple[str, Administrator, Break]]:
    """Yield each possible break, of one *step* or of all, with its step and the administrator who can do it.

    Regional steps are broken by all *admin*, the others only by those in the home Region.
    """
    rule.import_rules()
    for each in sorted(BREAKS, key=lambda found: found.step):
        for one in admin if step in {"", each.step} else ():
            if each.regional or one.home:
                yield from ((each.step, one, found) for found in each.found(one))


def drift(world: World | None, seed: int | None, count: int = 3) -> list[str]:
    """Break up to *count* resources chosen at random, and return a sentence for each.

    The same *seed* breaks the same resources of the same sandbox. Raises `SandboxError` if no sandbox is open, so that
    nothing is ever broken in AWS itself.
    """
    if not intercept.is_open():
        raise SandboxError("no sandbox is open: drift breaks things in a sandbox only")
    account = world.account_id if world else MANAGEMENT
    regions = sorted(world.regions_written(account)) if world else ["us-east-1"]
    home = regions[0] if regions else "us-east-1"
    session = boto3.Session()
    admin = [
        Administrator(account, region, home=region == home, session=session)
        for region in dict.fromkeys(["us-east-1", *regions])
    ]
    found = sorted(
        ((one, hand) for _, hand, one in every_break(admin) if one.repaired),
        key=lambda each: (each[0].sentence, each[1].region),
    )
    random.Random(seed).shuffle(found)  # noqa: S311 must be reproducible
    sentences: list[str] = []
    touched: set[tuple[str, str]] = set()
    for one, hand in found:
        if len(sentences) == count:
            break
        # AWS may refuse: a channel cannot be changed while its bucket's policy is broken.
        if (one.resource, hand.region) not in touched and carry_out(one):
            touched.add((one.resource, hand.region))
            sentences.append(one.sentence)
    return sentences


def carry_out(one: Break) -> bool:
    """Carry out a break; False if AWS refused."""
    try:
        one.do()
    except ClientError:
        return False
    return True


def breaks_of(resource: str) -> Callable[..., Break]:
    """Return a function that makes breaks of one resource, each from a field, a sentence and an API call."""

    def make(
        field: str,
        sentence: str,
        call: Callable[..., Any],
        paths: str = "",
        *,
        stricter: bool = False,
        consent: str = "",
        **params: Any,
    ) -> Break:
        return Break(resource, field, sentence, partial(call, **params), paths, stricter, consent)

    return make


def trusted_access_break(admin: Administrator, principal: str, service: str) -> Iterator[Break]:
    """Disable the trusted access of a service in the organization, if it is enabled."""
    client = admin.client("organizations")
    read = client.list_aws_service_access_for_organization
    found = read_or_none(read, "AWSOrganizationsNotInUseException", "AccessDeniedException") or {}
    if any(each["ServicePrincipal"] == principal for each in found.get("EnabledServicePrincipals", ())):
        text = f"took the organization's trusted access from {service}"
        off = partial(client.disable_aws_service_access, ServicePrincipal=principal)
        yield Break("organization", f"trusted access for {principal}", text, off)


def create_delivery_bucket(
    admin: Administrator, name: str, principal: str, condition: Mapping[str, Any]
) -> None:
    """Create a bucket to which a service principal may deliver logs, in the account and Region of *admin*."""
    s3 = admin.client("s3")
    where = {"CreateBucketConfiguration": {"LocationConstraint": admin.region}}
    s3.create_bucket(Bucket=name, **({} if admin.region == "us-east-1" else where))
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": ["s3:GetBucketAcl", "s3:ListBucket", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": condition,
    }
    s3.put_bucket_policy(Bucket=name, Policy=to_policy(allow))


def allow_paths_too(s3: Any, bucket: str, old: str, new: str) -> None:
    """Let each statement of a bucket's policy that has a path with *old* have the same path with *new*, too."""
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    for each in policy["Statement"]:
        paths = as_list(each["Resource"])
        each["Resource"] = [*paths, *(path.replace(old, new) for path in paths if old in path)]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def read_or_none(call: Callable[..., Any], *absent: str, **params: Any) -> Any:
    """The result of a call, or None if it fails with one of the *absent* error codes."""
    try:
        return call(**params)
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return None
        raise
