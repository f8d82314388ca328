"""Keys: P-256 pairs that sign bundles, and the public ones that a reader trusts.

The project's public key is in this package; its private half is not in the repository.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rap_edge.errors import ConfigError

PROJECT = Path(__file__).parent / "rap-edge.pub.pem"
MAX_KEY_BYTES = 1 << 14

PublicKey = ec.EllipticCurvePublicKey
PrivateKey = ec.EllipticCurvePrivateKey


def trusted_keys(paths: Iterable[str | os.PathLike[str]] = ()) -> dict[str, PublicKey]:
    """Load the keys to trust, by fingerprint: those named, or the project's if none is.

    Raises ConfigError for a file that is not the PEM of a P-256 public key.
    """
    keys = [read_public_key(Path(path)) for path in paths] or [read_public_key(PROJECT)]
    return {fingerprint(key): key for key in keys}


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a public key's PEM, as 64 hex digits; OMS calls it the hint."""
    return hashlib.sha256(public_pem(key)).hexdigest()


def public_pem(key: PublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form)


def read_public_key(path: Path) -> PublicKey:
    """Load a public key; raise ConfigError if the file holds anything else."""
    content = _read(path)
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = ": it is a private key" if b"PRIVATE KEY" in content else ""
        raise ConfigError(f"{path} is not a public key in PEM form{hint}") from error
    if not isinstance(key, PublicKey) or key.curve.name != "secp256r1":
        raise ConfigError(f"{path} is not a P-256 key: make one with `rap-edge bundle keygen`")
    return key


def read_private_key(path: Path, password: str | None = None) -> PrivateKey:
    """Load a private key; raise ConfigError if it is none, or the password is not its own."""
    content = _read(path)
    try:
        key = serialization.load_pem_private_key(
            content, None if password is None else password.encode()
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = "it is a public key" if b"PUBLIC KEY" in content else error
        raise ConfigError(f"{path} is not a private key that can be opened: {why}") from error
    if not isinstance(key, PrivateKey) or key.curve.name != "secp256r1":
        raise ConfigError(f"{path} is not a P-256 key: make one with `rap-edge bundle keygen`")
    return key


def make_key_pair(private: Path) -> tuple[Path, PublicKey]:
    """Write a new private key, readable by its owner only, and its public half beside it.

    A folder that is missing is made. Returns the path of the public half, ``NAME.pub.pem``. Raises
    FileExistsError rather than write over a file, and leaves neither half behind then.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    public = private.with_name(private.name.removesuffix(".pem") + ".pub.pem")
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    private.parent.mkdir(parents=True, exist_ok=True)
    _write_new(private, pem, 0o600)
    try:
        _write_new(public, public_pem(key.public_key()), 0o644)
    except BaseException:
        private.unlink()
        raise
    return public, key.public_key()


def describe(keys: Mapping[str, PublicKey]) -> str:
    """Name keys by the beginnings of their fingerprints."""
    return ", ".join(hint[:16] for hint in keys)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(content)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): expected a key") from error
