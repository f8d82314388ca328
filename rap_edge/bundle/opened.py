"""An opened bundle: its manifest was checked, its signature too, and its files are as listed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rap_edge import __version__, golden
from rap_edge.bundle.storage import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    MAX_SIGNATURE_BYTES,
    MAX_SUBSET_BYTES,
    SIGNATURE,
    SUBSET,
    Storage,
    open_storage,
)
from rap_edge.bundle.subset import files_of, read_subset
from rap_edge.errors import InvalidBundle, NotSupported, UnsignedBundle
from rap_edge.graph_policy import check_graph
from rap_edge.manifest import FileEntry, Manifest, Variant
from rap_edge.versions import is_below

DEFAULT = Path(__file__).parents[1] / "bundles" / "default"
THREADS = 4  # that compare digests

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. Every file is compared with its digest when it is read."""

    path: Path
    manifest: Manifest
    variants: tuple[Variant, ...] = field(repr=False)  # that are present, best first
    signed_by: str | None  # fingerprint of the trusted key; None if there is no signature
    storage: Storage = field(repr=False, compare=False)
    manifest_bytes: bytes = field(repr=False, compare=False)  # as they were checked
    signature_bytes: bytes | None = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def files(self) -> dict[str, int]:
        """The listed files that are present, with their sizes."""
        return files_of(self.manifest, self.variants)

    def read(self, path: str) -> bytes:
        """Read one file of the bundle, or raise InvalidBundle if it is not the listed one."""
        entry = self._entry(path)
        content = self.storage.read(path, entry.size)
        self._compare(entry, len(content), hashlib.sha256(content).hexdigest())
        return content

    def read_graph(self, variant: Variant, graph: str) -> dict[str, bytes]:
        """Read the files of one graph, by path and the main file first.

        Raises InvalidBundle if a file is not the listed one, or for a graph that does what a graph
        of a bundle may not (rap_edge.graph_policy).
        """
        path = variant.files[graph]
        files = {name: self.read(name) for name in self.manifest.graph_files(path)}
        check_graph(path, files)
        return files

    def golden(self) -> golden.Vectors | None:
        """Read the golden vectors, None if there are none; raise InvalidBundle if they are bad."""
        path = self.manifest.golden
        return None if path is None else golden.read(self.read(path), self.manifest.graphs)

    def verify(self) -> None:
        """Compare the digest of every file; raise InvalidBundle at the first that differs."""
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(self._verify, self.files):
                pass

    def _verify(self, path: str) -> None:
        entry = self._entry(path)
        size, digest = 0, hashlib.sha256()
        for block in self.storage.blocks(path, entry.size):
            size += len(block)
            digest.update(block)
        self._compare(entry, size, digest.hexdigest())

    def _entry(self, path: str) -> FileEntry:
        entry = self.manifest.entry(path)
        if entry is None:
            raise InvalidBundle(f"{path!r} is not listed in {self.path / MANIFEST}")
        return entry

    def _compare(self, entry: FileEntry, size: int, digest: str) -> None:
        if (size, digest) != (entry.size, entry.sha256):
            differs = "its content differs (SHA-256)"
            if size != entry.size:
                differs = f"it has {size} bytes instead of {entry.size}"
            raise InvalidBundle(
                f"{self.path / entry.path} is not the file that the manifest lists: {differs}; "
                "get the bundle again"
            )


def open_bundle(
    path: PathLike | None = None, trust: Iterable[PathLike] = (), allow_unsigned: bool = False
) -> Bundle:
    """Open the bundle in a folder or a ``.rapb`` file, or the default one.

    Args:
        path: the folder or file; None is the bundle that comes with the package.
        trust: public keys (PEM files) to trust instead of the project's. Whoever names keys asks
            for a signature; without any a bundle that nobody signed is taken as it is.
        allow_unsigned: take a bundle that nobody signed although keys are named.

    A signature that is there must be right in any case. Raises InvalidBundle if the bundle is
    damaged, incomplete or none; UnsignedBundle, BadSignature or UntrustedKey, which are
    InvalidBundle too, for its signature; NotSupported if it asks for a newer rap-edge. Contents are
    verified as they are read.
    """
    place, trust = DEFAULT if path is None else Path(path), tuple(trust)
    storage = open_storage(place, links_allowed=path is None)
    return open_stored(place, storage, trust, allow_unsigned=allow_unsigned or not trust)


def verify_bundle(
    path: PathLike | None = None, trust: Iterable[PathLike] = (), allow_unsigned: bool = False
) -> Bundle:
    """Open a bundle and compare every byte of it; raise InvalidBundle if one is not as signed.

    Raises UnsignedBundle, BadSignature or UntrustedKey where the signature is what is wrong.
    """
    place = DEFAULT if path is None else Path(path)
    storage = open_storage(place, links_allowed=path is None)
    bundle = open_stored(place, storage, trust, allow_unsigned=allow_unsigned)
    verify_contents(bundle)
    return bundle


def verify_contents(bundle: Bundle) -> None:
    """Compare every byte of an opened bundle, and look into its graphs and golden vectors."""
    bundle.verify()
    graphs = {path: (v, graph) for v in bundle.variants for graph, path in v.files.items()}
    for variant, graph in graphs.values():
        bundle.read_graph(variant, graph)
    bundle.golden()


def open_stored(
    path: Path,
    storage: Storage,
    trust: Iterable[PathLike] = (),
    check_signature: bool = True,
    allow_unsigned: bool = True,
) -> Bundle:
    """Open a bundle whose files lie in ``storage``; ``path`` names it in messages."""
    sizes = storage.sizes()
    if MANIFEST not in sizes:
        raise InvalidBundle(f"{path} has no {MANIFEST}: it is not a bundle")
    content = storage.read(MANIFEST, MAX_MANIFEST_BYTES)
    manifest = read_manifest(content)
    signature = storage.read(SIGNATURE, MAX_SIGNATURE_BYTES) if SIGNATURE in sizes else None
    signed_by = None
    if check_signature and signature is not None:
        signed_by = _check_signature(signature, manifest, content, trust)
    if signature is None and not allow_unsigned:
        raise UnsignedBundle(
            f"{path} has no signature: expected {SIGNATURE} by a trusted key; get it from "
            "its publisher, or allow it with --allow-unsigned"
        )
    _check_runtime(manifest)
    variants = manifest.variants
    if SUBSET in sizes:
        variants = read_subset(manifest, storage.read(SUBSET, MAX_SUBSET_BYTES))
    _check_listing(path, sizes, files_of(manifest, variants))
    return Bundle(path, manifest, variants, signed_by, storage, content, signature)


def read_manifest(content: bytes) -> Manifest:
    """Parse and check the bytes of ``manifest.json``; raise as `Manifest.from_json` does."""
    if len(content) > MAX_MANIFEST_BYTES:
        raise InvalidBundle(
            f"{MANIFEST} has {len(content)} bytes: expected {MAX_MANIFEST_BYTES} at most"
        )
    try:
        return Manifest.from_json(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidBundle(f"{MANIFEST} is not UTF-8 text: get the bundle again") from error


def digests_of(manifest: Manifest, content: bytes) -> dict[str, str]:
    """Map every file that a signature covers to its SHA-256; ``content`` is the manifest's own."""
    listed = {entry.path: entry.sha256 for entry in manifest.files}
    return {MANIFEST: hashlib.sha256(content).hexdigest(), **listed}


def _check_signature(
    signature: bytes, manifest: Manifest, content: bytes, trust: Iterable[PathLike]
) -> str:
    from rap_edge import signing  # cryptography is loaded for bundles that are signed
    from rap_edge.keys import trusted_keys

    return signing.verify(signature, digests_of(manifest, content), trusted_keys(trust))


def _check_runtime(manifest: Manifest) -> None:
    if is_below(__version__, manifest.minimum_runtime):
        raise NotSupported(
            f"bundle {manifest.name!r} needs rap-edge {manifest.minimum_runtime} or newer and this "
            f"is {__version__}: pip install --upgrade rap-edge"
        )


def _check_listing(path: Path, found: Mapping[str, int], listed: Mapping[str, int]) -> None:
    for name, size in listed.items():
        if name not in found:
            raise InvalidBundle(f"{path / name} is missing: the bundle is incomplete, get it again")
        if found[name] != size:
            raise InvalidBundle(
                f"{path / name} has {found[name]} bytes: expected {size}; "
                "the bundle is damaged, get it again"
            )
    extra = sorted(set(found) - set(listed) - {MANIFEST, SIGNATURE, SUBSET})
    if extra:
        raise InvalidBundle(f"{path / extra[0]} is not listed in the manifest: remove it")
