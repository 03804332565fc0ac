"""The actions of KMS, which a key policy may name.

Source: "Actions, resources, and condition keys for AWS Key Management Service" in the Service Authorization Reference. A
test compares them with it, so that a new action is added here.
"""

from __future__ import annotations

from typing import Final

_OF_KMS: Final = """
    CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateGrant CreateKey
    Decapsulate Decrypt DeleteAlias DeleteCustomKeyStore DeleteImportedKeyMaterial
    DeriveSharedSecret DescribeCustomKeyStores DescribeKey DisableKey DisableKeyRotation
    DisconnectCustomKeyStore EnableKey EnableKeyRotation Encapsulate Encrypt GenerateDataKey
    GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext
    GenerateMac GenerateRandom GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus
    GetParametersForImport GetPublicKey ImportKeyMaterial ListAliases ListGrants ListKeyPolicies
    ListKeyRotations ListKeys ListResourceTags ListRetirableGrants PutKeyPolicy ReEncryptFrom
    ReEncryptTo ReplicateKey RetireGrant RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion Sign
    SynchronizeMultiRegionKey TagResource UntagResource UpdateAlias UpdateCustomKeyStore
    UpdateKeyDescription UpdatePrimaryRegion Verify VerifyMac
"""
KEY_ACTIONS: Final = frozenset(_OF_KMS.split())
