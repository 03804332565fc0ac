"""The condition keys of all services, `aws:...`, to find a misspelt one.

AWS adds keys, so that one that is not in the list may still be right: only one that looks like a misspelt one of the list
is wrong. Source: "AWS global condition context keys" in the IAM User Guide.
"""

from __future__ import annotations

import difflib
from typing import Final

_CLOSE: Final = 0.7  # similarity of two keys, of which one is the other, misspelt
_NAMES: Final = """
    AssumedRoot CalledVia CalledViaFirst CalledViaLast ChatbotSourceArn CurrentTime Ec2InstanceSourcePrivateIPv4
    Ec2InstanceSourceVpc EpochTime FederatedProvider IsMcpServiceAction MultiFactorAuthAge MultiFactorAuthPresent
    PrincipalAccount PrincipalArn PrincipalIsAWSService PrincipalOrgID PrincipalOrgPaths PrincipalServiceName
    PrincipalServiceNamesList PrincipalTag/ PrincipalType Referer RequestTag/ RequestedRegion ResourceAccount
    ResourceOrgID ResourceOrgPaths ResourceTag/ SecureTransport SignInSessionArn SourceAccount SourceArn
    SourceIdentity SourceIp SourceOrgID SourceOrgPaths SourceVpc SourceVpcArn SourceVpce TagKeys TokenIssueTime
    UserAgent ViaAWSMCPService ViaAWSService VpcSourceIp VpceAccount VpceOrgID VpceOrgPaths userid username
"""
_KNOWN: Final = {name.lower(): name for name in _NAMES.split()}  # keys have no upper and lower case


def intended(key: str) -> str:
    """The key of all services of which *key* is a misspelling, or an empty text. Keys that end in a slash need a tag."""
    prefix, _, name = key.partition(":")
    word, slash, tag = name.lower().partition("/")
    if prefix.lower() != "aws" or (f"{word}/" in _KNOWN and tag) or (word in _KNOWN and not slash):
        return ""
    near = difflib.get_close_matches(word + slash, _KNOWN, 1, _CLOSE)
    if not near:
        return ""
    meant = _KNOWN[near[0]]
    return f"aws:{meant}{(name.partition('/')[2] or 'TAG') if meant.endswith('/') else ''}"
