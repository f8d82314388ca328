"""An opened bundle: its manifest was checked, its signature too, and its files are as listed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rap_edge import __version__, golden
from rap_edge.bundle.storage import MANIFEST, SIGNATURE, SUBSET, Storage, open_storage
from rap_edge.bundle.subset import MAX_SUBSET_BYTES, files_of, read_subset
from rap_edge.errors import InvalidBundle, NotSupported, UnsignedBundle
from rap_edge.graph_policy import check_graph
from rap_edge.manifest import Manifest, Variant
from rap_edge.versions import numbers

MAX_MANIFEST_BYTES = 1 << 20
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

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def files(self) -> dict[str, int]:
        """The listed files that are present, with their sizes."""
        return files_of(self.manifest, self.variants)

    def read(self, path: str) -> bytes:
        """Read one file of the bundle, or raise InvalidBundle if it is not the listed one."""
        return bytes(self._verified(path, copied=True))

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

        def check(path: str) -> None:
            self._verified(path)

        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(check, self.files):
                pass

    def _verified(self, path: str, copied: bool = False) -> bytes | memoryview:
        entry = self.manifest.entry(path)
        if entry is None:
            raise InvalidBundle(f"{path!r} is not listed in {self.path / MANIFEST}")
        reader = self.storage.read if copied else self.storage.view
        content = reader(path, entry.size)
        if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise InvalidBundle(
                f"{self.path / path} is not the file that the manifest lists "
                f"({len(content)} of {entry.size} bytes, or other content): get the bundle again"
            )
        return content


def open_bundle(path: PathLike | None = None, trust: Iterable[PathLike] = ()) -> Bundle:
    """Open the bundle in a folder or a ``.rapb`` file, or the default one.

    A bundle without a signature is taken as it is; one that has a signature must have a right one.

    Args:
        path: the folder or file; None is the bundle that comes with the package.
        trust: public keys (PEM files) to trust instead of the project's.

    Raises InvalidBundle if it is damaged, incomplete or not a bundle; BadSignature or UntrustedKey,
    which are InvalidBundle too, for its signature; NotSupported if it asks for a newer rap-edge.
    Contents are verified as they are read.
    """
    place = DEFAULT if path is None else Path(path)
    return open_stored(place, open_storage(place, links_allowed=path is None), trust)


def verify_bundle(
    path: PathLike | None = None, trust: Iterable[PathLike] = (), allow_unsigned: bool = False
) -> Bundle:
    """Open a bundle and compare every byte of it; raise InvalidBundle if one is not as signed.

    Raises UnsignedBundle, BadSignature or UntrustedKey where the signature is what is wrong.
    """
    bundle = open_bundle(path, trust)
    if bundle.signed_by is None and not allow_unsigned:
        raise UnsignedBundle(
            f"{bundle.path} has no signature: expected {SIGNATURE} by a trusted key; get it from "
            "its publisher, or allow it with --allow-unsigned"
        )
    bundle.verify()
    graphs = {path: (v, graph) for v in bundle.variants for graph, path in v.files.items()}
    for variant, graph in graphs.values():
        bundle.read_graph(variant, graph)
    bundle.golden()
    return bundle


def open_stored(
    path: Path, storage: Storage, trust: Iterable[PathLike] = (), check_signature: bool = True
) -> Bundle:
    """Open a bundle whose files lie in ``storage``; ``path`` names it in messages."""
    sizes = storage.sizes()
    if MANIFEST not in sizes:
        raise InvalidBundle(f"{path} has no {MANIFEST}: it is not a bundle")
    content = storage.read(MANIFEST, MAX_MANIFEST_BYTES)
    try:
        manifest = Manifest.from_json(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidBundle(f"{path / MANIFEST} is not UTF-8 text: get it again") from error
    signed_by = None
    if check_signature and SIGNATURE in sizes:
        signed_by = _check_signature(storage, manifest, content, trust)
    _check_runtime(manifest)
    variants = manifest.variants
    if SUBSET in sizes:
        variants = read_subset(manifest, storage.read(SUBSET, MAX_SUBSET_BYTES))
    _check_listing(path, sizes, files_of(manifest, variants))
    return Bundle(path, manifest, variants, signed_by, storage)


def digests_of(manifest: Manifest, content: bytes) -> dict[str, str]:
    """Map every file that a signature covers to its SHA-256; ``content`` is the manifest's own."""
    listed = {entry.path: entry.sha256 for entry in manifest.files}
    return {MANIFEST: hashlib.sha256(content).hexdigest(), **listed}


def _check_signature(
    storage: Storage, manifest: Manifest, content: bytes, trust: Iterable[PathLike]
) -> str:
    from rap_edge import signing  # cryptography is loaded for bundles that are signed
    from rap_edge.keys import trusted_keys

    signature = storage.read(SIGNATURE, signing.MAX_SIGNATURE_BYTES)
    return signing.verify(signature, digests_of(manifest, content), trusted_keys(trust))


def _check_runtime(manifest: Manifest) -> None:
    if numbers(manifest.minimum_runtime) > numbers(__version__):
        raise NotSupported(
            f"bundle {manifest.name!r} needs rap-edge {manifest.minimum_runtime} or newer and this "
            f"is {__version__}: pip install --upgrade rap-edge"
        )


def _check_listing(path: Path, found: Mapping[str, int], listed: Mapping[str, int]) -> None:
    for name, size in listed.items():
        if found.get(name) != size:
            raise InvalidBundle(
                f"{path / name} has {found.get(name, 'no')} bytes: expected {size}; "
                "the bundle is incomplete or damaged, get it again"
            )
    extra = sorted(set(found) - set(listed) - {MANIFEST, SIGNATURE, SUBSET})
    if extra:
        raise InvalidBundle(f"{path / extra[0]} is not listed in the manifest: remove it")
