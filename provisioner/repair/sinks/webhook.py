"""Post a message to a webhook, as JSON or in the form that Slack takes, with a signature if the file has a secret.

A receiver checks a signature with the body as it came, and refuses an old timestamp:

    want = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    hmac.compare_digest(f"sha256={want}", headers["X-Provision-Signature"])

https://api.slack.com/reference/messaging/payload and .../reference/surfaces/formatting#escaping
"""

from __future__ import annotations

import hmac
import json
from datetime import datetime
from typing import Final

from ...baseline.notices import Webhook
from ..messages import Message
from .post import Connector, post

_SLACK: Final = 3500  # characters; Slack cuts at 40,000, and asks for less than 4,000


def send(hook: Webhook, message: Message, connect: Connector, now: datetime, seconds: float) -> str:
    """Post the message, and return why it was not taken; an empty text if it was."""
    body = (slack(message) if hook.format == "slack" else message.to_json()).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Provision-Id": message.id}
    if hook.signing_secret is not None:
        headers |= signature(hook.signing_secret.get_secret_value(), body, now)
    return post(hook.url.get_secret_value(), body, headers, connect, seconds)


def signature(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that prove to a receiver with the same secret from whom and when the body is."""
    timestamp = str(int(now.timestamp()))
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, "sha256").hexdigest()
    return {"X-Provision-Timestamp": timestamp, "X-Provision-Signature": f"sha256={signed}"}


def slack(message: Message) -> str:
    """The payload for Slack: nothing in the text becomes a link or mentions somebody.

    Slack's servers look for bare URLs too, and open them, unless told not to: whoever drifts chooses the user agent in it.
    """
    text = f"*{_escaped(message.title)}*\n{_escaped(message.text)}"
    if len(text) > _SLACK:
        text = f"{text[:_SLACK].rpartition(chr(10))[0]}\n… cut: `provision history` has all of it"
    plain = {"parse": "none", "unfurl_links": False, "unfurl_media": False}
    return json.dumps({"text": text, "mrkdwn": True, **plain}, ensure_ascii=False)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
