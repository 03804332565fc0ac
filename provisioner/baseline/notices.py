"""`notices` of the file: who is told what a run found and did, and how. Sends nothing itself."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from .partitions import partition_of
from .section import NOT_NULL, SECRET, AsWritten, InvalidValue, Section, without_null

Trigger = Literal[
    "drifted",
    "repaired",
    "contested",
    "danger",
    "check_failed",
    "run_failed",
    "paused",
    "expiring",
    "expired",
]
"""What a notice is about.

drifted: a difference that the run has left, whatever the reason; repaired: one that it has removed; contested: one that
comes back again and again; danger: others added what defeats the baseline; check_failed: a check of `verify` failed;
run_failed: something could not be read or changed; paused: somebody has paused repairs; expiring: an exception ends within
a week; expired: it has ended, and is still in the file.
"""
# All of them: a difference that was repaired is only `repaired`, so nothing is told twice, and who stops a trail is to be
# known even where it was started again. A run that finds nothing sends nothing.
DEFAULT: Final[tuple[Trigger, ...]] = get_args(Trigger)
_LONGEST_URL: Final = 2048


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check_url(secret: SecretStr) -> SecretStr:
    """Refuse what cannot be posted to safely. The messages do not repeat the URL, which is a secret."""
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable() and " " not in text and len(text) <= _LONGEST_URL):
        raise InvalidValue((), f"want a URL of at most {_LONGEST_URL} ASCII characters without spaces")
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:  # of brackets or the port
        host, port = "", 0
    if not host or port == 0 or url.scheme not in {"http", "https"}:
        raise InvalidValue((), "want a URL; copy it whole, from `https://` on")
    if url.scheme == "http" and not is_loopback(host):
        raise InvalidValue(
            (), "http:// can be read on its way: write https://; http:// is for this machine only"
        )
    if "@" in url.netloc:
        raise InvalidValue(
            (), "a user name or password in a URL is not sent: leave it out, and use a URL with a token"
        )
    if url.fragment:
        raise InvalidValue((), "what follows a `#` in a URL is not sent: leave it out")
    return secret


def _check_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 16:
        raise InvalidValue((), "want at least 16 characters, which `openssl rand -hex 32` makes")
    return secret


def _check_source(source: str) -> str:
    if source.lower().startswith("aws."):
        raise InvalidValue((), "EventBridge keeps sources that begin with `aws.` for AWS: choose another")
    return source


Url = Annotated[
    SecretStr,
    SECRET,
    AsWritten,
    AfterValidator(_check_url),
    Field(json_schema_extra={"want": "an https URL"}),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class SnsTopic(Section):
    """An SNS topic: for mail, text messages, chat, or what else subscribes to it."""

    topic_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}([.]fifo)?$",
        description="The topic's ARN. It may be in another account, whose topic policy then allows the caller.",
        json_schema_extra={"want": "the ARN of an SNS topic"},
    )


class EventBridgeBus(Section):
    """An EventBridge bus, for rules that go by `detail-type` and the fields of the event."""

    event_bus_name: str = Field(
        pattern=r"^([/._A-Za-z0-9-]{1,256}|arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[/._A-Za-z0-9-]{1,256})$",
        description="The bus: its name for one in the caller's account and `home_region`, such as `default`; else its ARN.",
        json_schema_extra={"want": "the name or the ARN of an event bus, such as 'default'"},
    )
    source: Annotated[str, AfterValidator(_check_source)] = Field(
        "provision",
        pattern=r"^[/._A-Za-z0-9-]{1,256}$",
        description="The `source` of the events.",
    )


class Webhook(Section):
    """An HTTPS URL that takes JSON."""

    url: Url = Field(
        description="Where to post. A secret: best `${env:NAME}`. http:// only for this machine."
    )
    format: Literal["slack", "json"] = Field(
        "json",
        description="`slack`: `{text: …}`, which Slack, Mattermost and others take; `json`: all fields.",
    )
    signing_secret: (
        Annotated[
            SecretStr,
            SECRET,
            AsWritten,
            AfterValidator(_check_secret),
            Field(json_schema_extra={"want": "text of at least 16 characters"}),
        ]
        | None
    ) = Field(
        None,
        description="Sign each request: the header `X-Provision-Signature` is then `sha256=` and the HMAC-SHA256, in hex, of"
        " `X-Provision-Timestamp`, a dot and the body.",
    )


class Ping(Section):
    """A dead-man's switch such as healthchecks.io, which tells somebody if no run has ended in time."""

    url: Url = Field(
        description="`/start` is added to it when a run begins, and `/0` or another exit code when it ends. A secret: best"
        " `${env:NAME}`."
    )


class NoticeSink(Section):
    """One who is told: an SNS topic, an EventBridge bus, a webhook or a ping."""

    sns: Annotated[SnsTopic | None, NOT_NULL] = Field(
        None, description="Publish to an SNS topic.", json_schema_extra=without_null
    )
    event_bridge: Annotated[EventBridgeBus | None, NOT_NULL] = Field(
        None, description="Put events on an EventBridge bus.", json_schema_extra=without_null
    )
    webhook: Annotated[Webhook | None, NOT_NULL] = Field(
        None, description="Post to a URL.", json_schema_extra=without_null
    )
    ping: Annotated[Ping | None, NOT_NULL] = Field(
        None,
        description="Tell a dead-man's switch that a run begins and ends.",
        json_schema_extra=without_null,
    )
    on: list[Trigger] = Field(
        default=list(DEFAULT),
        min_length=1,
        description="What to tell; everything, where left out. `drifted` is a difference that the run has left, `repaired` one"
        " that it has removed, `contested` one that comes back, `danger` what others added against the baseline.",
    )

    @field_validator("on")
    @classmethod
    def _each_once(cls, on: list[Trigger]) -> list[Trigger]:
        repeated = [index for index, trigger in enumerate(on) if trigger in on[:index]]
        if repeated:
            raise InvalidValue.several((i, f"'{on[i]}' is listed twice; keep one of them") for i in repeated)
        return on

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in ("sns", "event_bridge", "webhook", "ping") if getattr(self, name)]
        if not kinds:
            raise InvalidValue((), "say how to tell: `sns`, `event_bridge`, `webhook` or `ping`")
        if len(kinds) > 1:
            raise InvalidValue(kinds[1], f"is beside `{kinds[0]}`: give each a name of its own in `notices`")
        if self.ping and "on" in self.model_fields_set:
            raise InvalidValue("on", "a ping is sent for every run, whatever it finds: leave out `on`")
        return self

    @property
    def arn(self) -> str:
        """The ARN of the topic or bus; empty for a bus of which the file has the name, and for other sinks."""
        text = (
            (self.sns and self.sns.topic_arn)
            or (self.event_bridge and self.event_bridge.event_bus_name)
            or ""
        )
        return text if text.startswith("arn:") else ""


Notices = Annotated[dict[Name, NoticeSink], Field(max_length=20)]


def in_other_partitions(
    notices: Mapping[str, NoticeSink], home_region: str
) -> list[tuple[tuple[str, ...], str]]:
    """The path of each topic and bus that is not in the partition of the file, and the error message."""
    home = partition_of(home_region)
    return [
        (
            ("notices", name, *(("sns", "topic_arn") if each.sns else ("event_bridge", "event_bus_name"))),
            f"the ARN is not of {home}, where `home_region` is, and credentials count in one partition only",
        )
        for name, each in notices.items()
        if each.arn and each.arn.split(":")[1] != home
    ]


def secrets_of(notices: Mapping[str, NoticeSink]) -> Iterator[tuple[str, str]]:
    """Each URL and signing secret, and what is shown in its place."""
    for name, each in notices.items():
        held: Any
        for kind, held in (("webhook", each.webhook), ("ping", each.ping)):
            for field in ("url", "signing_secret"):
                if secret := getattr(held, field, None):
                    yield secret.get_secret_value(), f"${{notices.{name}.{kind}.{field}}}"
