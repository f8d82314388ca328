"""Signatures of bundles: OpenSSF model signing (OMS 1.0) by a P-256 key, nothing but that.

``bundle.sig`` is a sigstore bundle of version 0.3: a DSSE envelope around an in-toto statement that
lists the SHA-256 of every file. What `sign` writes, the ``model_signing`` tool verifies, and the
other way round. The envelope has one byte form, and what `sign` makes has one form altogether.
A statement of ``model_signing`` is written with other spaces: it is taken as it was signed, and the
mirrored twin of its signature, which holds for the same bytes, is taken too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from rap_edge.errors import BadSignature, UntrustedKey
from rap_edge.keys import PrivateKey, PublicKey, describe, fingerprint
from rap_edge.strict_json import Mismatch, decode, parse

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


@dataclass(frozen=True)
class Serialization:
    """How OMS read the files; a bundle has no file that it could have left out."""

    method: str
    hash_type: str
    allow_symlinks: bool
    ignore_paths: tuple[str, ...] = ()


def sign(name: str, digests: Mapping[str, str], key: PrivateKey) -> bytes:
    """Sign the files of a bundle: ``digests`` maps each path to its SHA-256 in hex.

    The same files, name and key give the same bytes where OpenSSL is 3.2 or newer (RFC 6979).
    """
    payload = _statement(name, digests)
    algorithm: ec.ECDSA
    try:
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        signature = key.sign(_pre_authentication(payload), algorithm)
    except UnsupportedAlgorithm:
        signature = key.sign(_pre_authentication(payload), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signature)
    low = utils.encode_dss_signature(r, min(s, _ORDER - s))
    return _envelope(fingerprint(key.public_key()), payload, low)


def verify(content: bytes, digests: Mapping[str, str], trusted: Mapping[str, PublicKey]) -> str:
    """Check ``bundle.sig`` against the digests of all files of a bundle.

    Returns the fingerprint of the key. Raises UntrustedKey if the key that it names is not among
    the ``trusted``, BadSignature if it is damaged or was made for other files.
    """
    hint, payload, signature = _open_envelope(content)
    if hint not in trusted:
        raise UntrustedKey(
            f"the signature is by key {hint[:16]}..., which is not trusted here "
            f"(trusted: {describe(trusted)}): name its publisher's public key (trust=, --trust)"
        )
    try:
        trusted[hint].verify(signature, _pre_authentication(payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise BadSignature(
            f"the signature was not made by key {hint[:16]}..., which it names: get it again"
        ) from error
    name, signed = _read_statement(payload)
    wrong = sorted(path for path in {*signed, *digests} if signed.get(path) != digests.get(path))
    if wrong:
        raise BadSignature(
            f"the signature was made for other files ({', '.join(wrong[:3])}): get the bundle again"
        )
    _, s = utils.decode_dss_signature(signature)
    if payload == _statement(name, digests) and s > _ORDER // 2:
        raise BadSignature("the signature is the mirrored twin of the one that was made")
    return hint


def _statement(name: str, digests: Mapping[str, str]) -> bytes:
    resources = [
        {"name": path, "algorithm": "sha256", "digest": digests[path]} for path in _ordered(digests)
    ]
    serialization = {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": ["bundle.sig"],
    }
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": _root(resources)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"resources": resources, "serialization": serialization},
    }
    return _json(statement)


def _read_statement(payload: bytes) -> tuple[str, dict[str, str]]:
    """Return the signed name and digests; raise BadSignature unless all is as OMS says."""
    try:
        statement = parse(payload.decode("utf-8"))
        _fields(statement, "_type", "subject", "predicateType", "predicate")
        _equal(statement["_type"], STATEMENT_TYPE)
        _equal(statement["predicateType"], PREDICATE_TYPE)
        _fields(statement["predicate"], "resources", "serialization")
        found = decode(Serialization, statement["predicate"]["serialization"])
        _equal((found.method, found.hash_type, found.allow_symlinks), ("files", "sha256", False))
        resources = statement["predicate"]["resources"]
        for resource in resources:
            _fields(resource, "name", "algorithm", "digest")
            _equal(resource["algorithm"], "sha256")
        (subject,) = statement["subject"]
        _fields(subject, "name", "digest")
        _equal(subject["digest"], {"sha256": _root(resources)})
        digests = {resource["name"]: resource["digest"] for resource in resources}
        _equal([resource["name"] for resource in resources], _ordered(digests))
    except (Mismatch, ValueError, TypeError, AttributeError) as error:
        raise BadSignature(f"the signed statement is not one of OMS 1.0 ({error})") from error
    return subject["name"], digests


def _envelope(hint: str, payload: bytes, signature: bytes) -> bytes:
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
    }
    material = {"publicKey": {"hint": hint}, "tlogEntries": []}
    return _json(
        {"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}
    )


def _open_envelope(content: bytes) -> tuple[str, bytes, bytes]:
    """Return hint, payload and signature; writing them again has to give the same bytes."""
    try:
        values = parse(content.decode("utf-8"))
        hint = values["verificationMaterial"]["publicKey"]["hint"]
        envelope = values["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signature = base64.b64decode(envelope["signatures"][0]["sig"], validate=True)
        r, s = utils.decode_dss_signature(signature)
        same = _envelope(hint, payload, utils.encode_dss_signature(r, s)) == content
    except (Mismatch, ValueError, TypeError, LookupError, binascii.Error, AttributeError) as error:
        raise BadSignature(f"bundle.sig is damaged: {error}; get the bundle again") from error
    if not (same and isinstance(hint, str)):
        raise BadSignature("bundle.sig is not as OMS writes it: get the bundle again")
    return hint, payload, signature


def _pre_authentication(payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (
        len(PAYLOAD_TYPE),
        PAYLOAD_TYPE.encode(),
        len(payload),
        payload,
    )


def _root(resources: list[dict[str, Any]]) -> str:
    digests = b"".join(bytes.fromhex(resource["digest"]) for resource in resources)
    return hashlib.sha256(digests).hexdigest()


def _ordered(paths: Mapping[str, str]) -> list[str]:
    """Order paths as OMS does: folder by folder."""
    return sorted(paths, key=lambda path: path.split("/"))


def _json(values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii")


def _fields(values: Any, *names: str) -> None:
    if not isinstance(values, dict) or set(values) != set(names):
        raise Mismatch(f"expected the keys {', '.join(names)}")


def _equal(value: Any, expected: Any) -> None:
    if value != expected:
        raise Mismatch(f"it says {str(value)[:60]!r}: expected {str(expected)[:60]!r}")
