"""Bundles on their way to disk: whole or not at all, a folder or a ``.rapb`` by the name."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rap_edge.archive import build
from rap_edge.bundle.opened import (
    Bundle,
    PathLike,
    digests_of,
    open_bundle,
    open_stored,
    read_manifest,
)
from rap_edge.bundle.storage import (
    MANIFEST,
    SIGNATURE,
    SUBSET,
    SUFFIX,
    flush_folder,
    open_storage,
)
from rap_edge.bundle.subset import Subset, choose, files_of
from rap_edge.errors import InvalidBundle, NotSupported
from rap_edge.manifest import FileEntry, Manifest, check_path

if TYPE_CHECKING:
    from rap_edge.keys import PrivateKey


@dataclass(frozen=True)
class Part:
    """A file on its way into a bundle."""

    content: bytes
    role: str
    licence: str


def write_bundle(out: PathLike, manifest: Manifest, parts: Mapping[str, Part]) -> Bundle:
    """Write a bundle whole or not at all; ``parts`` maps paths in the bundle to their contents.

    A name that ends in ``.rapb`` gives the single-file form. The manifest's ``files`` are filled in
    here. The same contents give the same bytes. An existing bundle at ``out`` is replaced; any
    other existing file or folder that is not empty is refused.
    """
    target = Path(out)
    entries = tuple(_entry(path, parts[path]) for path in sorted(parts))
    complete = replace(manifest, files=entries)
    contents = {path: part.content for path, part in parts.items()}
    write_files(target, {MANIFEST: _manifest_bytes(complete), **contents})
    return open_bundle(target)


def sign_bundle(path: PathLike, key: PrivateKey) -> None:
    """Sign a whole bundle, folder or ``.rapb``, in place; an earlier signature is replaced.

    Every file is compared with its digest first. Raises InvalidBundle for a damaged bundle and for
    a part of one.
    """
    from rap_edge.signing import sign

    target = Path(path)
    storage = open_storage(target)
    bundle = open_stored(target, storage, check_signature=False)
    if SUBSET in storage.sizes():
        raise InvalidBundle(f"{target} is a part of a bundle: sign the whole one")
    bundle.verify()
    signature = sign(bundle.name, digests_of(bundle.manifest, bundle.manifest_bytes), key)
    if target.is_dir():
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
            new = Path(scratch) / SIGNATURE
            _write_file(new, [signature])
            new.replace(target / SIGNATURE)
        flush_folder(target)
        return
    contents = {name: bundle.read(name) for name in bundle.files}
    write_files(target, {MANIFEST: bundle.manifest_bytes, SIGNATURE: signature, **contents})


def extract_bundle(bundle: Bundle, out: PathLike, labels: Sequence[str] = ()) -> Bundle:
    """Write some variants of a bundle, all without ``labels``, as a folder or a ``.rapb``.

    Manifest and signature stay as they are; ``subset.json`` says what is there. Raises NotSupported
    for a variant that the bundle does not have.
    """
    _require_present(bundle, labels)
    chosen = tuple(v for v in choose(bundle.manifest, labels) if v in bundle.variants)
    files = {name: bundle.read(name) for name in files_of(bundle.manifest, chosen)}
    files[MANIFEST] = bundle.manifest_bytes
    if bundle.signature_bytes is not None:
        files[SIGNATURE] = bundle.signature_bytes
    if len(chosen) < len(bundle.manifest.variants):
        subset = Subset(tuple(variant.label for variant in chosen))
        files[SUBSET] = subset.to_json().encode("utf-8")
    target = Path(out)
    write_files(target, files)
    return open_stored(target, open_storage(target), check_signature=False)


def _require_present(bundle: Bundle, labels: Sequence[str]) -> None:
    known = {variant.label for variant in bundle.manifest.variants}
    present = [variant.label for variant in bundle.variants]
    for label in labels:
        if label not in known:
            raise NotSupported(
                f"{bundle.path} has no variant {label!r}: it offers {', '.join(present)}"
            )
        if label not in present:
            raise InvalidBundle(
                f"{bundle.path} is a part of a bundle, without {label}: it offers "
                f"{', '.join(present)}; take it from the whole bundle"
            )


def write_files(target: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a bundle to ``target``, whole or not at all.

    A ``.rapb`` is replaced at once. A folder cannot be: if the machine stops between two renames,
    the old bundle is left whole under ``.NAME.*/old`` beside it, the new one under ``.NAME.*/new``.
    """
    require_writable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        if target.suffix == SUFFIX:
            _write_file(new, build(files))
        else:
            _write_folder(new, files)
        if target.is_dir() or new.is_dir():
            _swap(new, target, old)
        else:
            new.replace(target)
        flush_folder(target.parent)


def _manifest_bytes(manifest: Manifest) -> bytes:
    """Encode a manifest; raise InvalidBundle unless it can be read again."""
    try:
        content = manifest.to_json().encode("utf-8")
    except (ValueError, TypeError, RecursionError) as error:  # NaN, or what JSON has no form for
        raise InvalidBundle(
            f"the manifest cannot be written ({error}): expected JSON with finite numbers; "
            "mend provenance and quality"
        ) from error
    read_manifest(content)
    return content


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        destination = folder / path
        destination.parent.mkdir(parents=True, exist_ok=True)
        _write_file(destination, [content])
    for place in [folder, *(place for place in folder.rglob("*") if place.is_dir())]:
        flush_folder(place)


def _write_file(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def _entry(path: str, part: Part) -> FileEntry:
    check_path(path)
    digest = hashlib.sha256(part.content).hexdigest()
    return FileEntry(path, len(part.content), digest, part.role, part.licence)


def require_writable(out: PathLike) -> None:
    """Raise InvalidBundle if a bundle cannot take the place of what is at ``out``.

    An empty folder, or a bundle and nothing else, can be replaced. Worth asking before long work.
    """
    target = Path(out)
    if target.is_symlink():
        raise InvalidBundle(f"{target} is a link: choose another name")
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        open_stored(target, open_storage(target), check_signature=False)
    except (InvalidBundle, NotSupported) as error:
        raise InvalidBundle(
            f"{target} exists and is not a bundle that could be replaced ({error}): choose another "
            "name, or remove it by hand if it is an old or damaged bundle"
        ) from error


def _swap(new: Path, target: Path, old: Path) -> None:
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    if old.is_dir():
        with suppress(OSError):
            shutil.rmtree(old)
