"""Signatures: three different answers, and one form that the model_signing tool shares."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rap_edge
from rap_edge.bundle import (
    DEFAULT,
    MANIFEST,
    SIGNATURE,
    extract_bundle,
    open_bundle,
    sign_bundle,
    verify_bundle,
)
from rap_edge.cache import Cache
from rap_edge.errors import BadSignature, ConfigError, InvalidBundle, UnsignedBundle, UntrustedKey
from rap_edge.keys import (
    PROJECT,
    fingerprint,
    make_key_pair,
    read_private_key,
    read_public_key,
    trusted_keys,
)

if TYPE_CHECKING:
    from hostile.sample import Sample


def test_unsigned_wrongly_signed_and_untrusted_are_three_answers(
    folder: Path, trusted: list[Path], tmp_path: Path
) -> None:
    stranger, _ = make_key_pair(tmp_path / "stranger.pem")
    with pytest.raises(UntrustedKey, match="not trusted here"):
        verify_bundle(folder, [stranger])
    manifest = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(manifest + " ")
    with pytest.raises(BadSignature, match=r"made for other files \(manifest.json\)"):
        verify_bundle(folder, trusted)
    (folder / MANIFEST).write_text(manifest)
    (folder / SIGNATURE).unlink()
    with pytest.raises(UnsignedBundle, match="has no signature"):
        verify_bundle(folder, trusted)
    assert verify_bundle(folder, trusted, allow_unsigned=True).signed_by is None


def test_opening_takes_an_unsigned_bundle_and_no_wrong_signature(
    folder: Path, trusted: list[Path]
) -> None:
    assert open_bundle(folder, trusted).signed_by == fingerprint(read_public_key(trusted[0]))
    with pytest.raises(UntrustedKey):
        open_bundle(folder)
    (folder / SIGNATURE).unlink()
    assert open_bundle(folder).signed_by is None


def test_whoever_names_keys_asks_for_a_signature(
    folder: Path, trusted: list[Path], tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache")
    (folder / SIGNATURE).unlink()
    cache.install(folder, trust=trusted, allow_unsigned=True)
    for opened in (
        lambda: open_bundle(folder, trusted),
        lambda: open_bundle(folder, iter(trusted)),
        lambda: cache.open("sample", trusted),
        lambda: rap_edge.open(folder, trust=trusted),
    ):
        with pytest.raises(UnsignedBundle, match="has no signature"):
            opened()
    assert open_bundle(folder, trusted, allow_unsigned=True).signed_by is None
    assert cache.open("sample").signed_by is None


def test_what_was_verified_is_what_is_copied(
    folder: Path, trusted: list[Path], tmp_path: Path
) -> None:
    bundle = open_bundle(folder, trusted)
    manifest, signature = ((folder / name).read_bytes() for name in (MANIFEST, SIGNATURE))
    (folder / MANIFEST).write_bytes(b"other")
    (folder / SIGNATURE).write_bytes(b"other")
    copy = extract_bundle(bundle, tmp_path / "copy").path
    assert (copy / MANIFEST).read_bytes() == manifest
    assert (copy / SIGNATURE).read_bytes() == signature


def test_the_default_bundle_is_signed_by_the_project() -> None:
    assert verify_bundle().signed_by == fingerprint(read_public_key(PROJECT))
    assert list(trusted_keys()) == [open_bundle().signed_by]


def test_the_same_bundle_and_key_give_the_same_signature(folder: Path, sample: Sample) -> None:
    before = (folder / SIGNATURE).read_bytes()
    sign_bundle(folder, sample.key)
    assert (folder / SIGNATURE).read_bytes() == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["folder"]


def test_an_archive_is_signed_in_place(rapb: Path, sample: Sample, trusted: list[Path]) -> None:
    sign_bundle(rapb, sample.attacker)
    with pytest.raises(UntrustedKey):
        verify_bundle(rapb, trusted)
    sign_bundle(rapb, sample.key)
    assert rapb.read_bytes() == sample.archive


def test_a_damaged_bundle_is_not_signed(folder: Path, sample: Sample) -> None:
    (folder / "card.md").write_bytes(b"B sample.\n")
    with pytest.raises(InvalidBundle, match=r"card\.md"):
        sign_bundle(folder, sample.key)


def test_keys_are_private_and_never_overwritten(tmp_path: Path) -> None:
    public, key = make_key_pair(tmp_path / "key.pem")
    assert public.name == "key.pub.pem"
    if os.name == "posix":
        assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert fingerprint(read_private_key(tmp_path / "key.pem").public_key()) == fingerprint(key)
    with pytest.raises(FileExistsError):
        make_key_pair(tmp_path / "key.pem")
    (tmp_path / "other.pub.pem").touch()
    with pytest.raises(FileExistsError):
        make_key_pair(tmp_path / "other.pem")
    assert not (tmp_path / "other.pem").exists()


def test_what_is_no_key_is_refused_by_name(tmp_path: Path) -> None:
    make_key_pair(tmp_path / "key.pem")
    (tmp_path / "text.pem").write_text("no key")
    with pytest.raises(ConfigError, match="it is a private key"):
        read_public_key(tmp_path / "key.pem")
    with pytest.raises(ConfigError, match="not a private key"):
        read_private_key(tmp_path / "key.pub.pem")
    with pytest.raises(ConfigError, match="not a public key"):
        read_public_key(tmp_path / "text.pem")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_public_key(tmp_path / "nowhere.pem")


def test_no_private_key_is_in_the_package() -> None:
    package = Path(rap_edge.__file__).parent
    assert not [path for path in package.rglob("*.pem") if b"PRIVATE" in path.read_bytes()]


def test_model_signing_verifies_our_signature(folder: Path, trusted: list[Path]) -> None:
    verifying = pytest.importorskip("model_signing.verifying")
    config = verifying.Config().use_elliptic_key_verifier(public_key=trusted[0])
    config.verify(folder, folder / SIGNATURE)
    verifying.Config().use_elliptic_key_verifier(public_key=PROJECT).verify(
        DEFAULT, DEFAULT / SIGNATURE
    )


def test_we_verify_a_signature_of_model_signing(
    folder: Path, samples: Path, trusted: list[Path]
) -> None:
    signing = pytest.importorskip("model_signing.signing")
    (folder / SIGNATURE).unlink()
    config = signing.Config().use_elliptic_key_signer(private_key=samples / "trusted.pem")
    config.sign(folder, folder / SIGNATURE)
    payload = json.loads((folder / SIGNATURE).read_text())["dsseEnvelope"]["payload"]
    assert b"\n" in base64.b64decode(payload)  # theirs, not written as ours are
    assert verify_bundle(folder, trusted).signed_by
    shutil.copy(samples / "sample" / SIGNATURE, folder / SIGNATURE)
    assert verify_bundle(folder, trusted).signed_by
