"""A TLS certificate for this machine, issued by a certificate authority (CA) made for it."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.httpsession  # noqa: TID251 - its CA bundle is what every AWS tool reads
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


def server_context(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """The context of a server, and the CA bundle for clients: the usual one, whose size costs time, and the new CA."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, name = _name("Fleet bench CA"), _name("127.0.0.1")
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    root = _signed(issuer, issuer, authority, authority, x509.BasicConstraints(ca=True, path_length=None))
    leaf = _signed(name, issuer, key, authority, x509.SubjectAlternativeName(names))
    private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    own, bundle = folder / "server.pem", folder / "authorities.pem"
    own.write_bytes(private + leaf.public_bytes(_PEM))
    own.chmod(0o600)
    usual = Path(str(botocore.httpsession.get_cert_path(True)))
    bundle.write_bytes(usual.read_bytes() + b"\n" + root.public_bytes(_PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    return context, bundle


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(by, hashes.SHA256())
    )
