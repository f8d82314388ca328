"""A bundle on disk: a folder of graphs and papers with a manifest that vouches for every byte.

Nothing in a bundle is executed on load, and no byte is used before its digest was compared: graphs
reach a backend as the verified bytes, never as a path.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rap_edge import __version__
from rap_edge.errors import InvalidBundle, NotSupported
from rap_edge.manifest import FileEntry, Manifest, check_path

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 20
DEFAULT = Path(__file__).parent / "bundles" / "default"


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: its folder and its checked manifest."""

    path: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    def read(self, path: str) -> bytes:
        """Read one file of the bundle, or raise InvalidBundle if it is not the listed one."""
        entry = next((e for e in self.manifest.files if e.path == path), None)
        if entry is None:
            raise InvalidBundle(f"{path!r} is not listed in {self.path / MANIFEST}")
        content = _read(self.path, path, entry.size)
        if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise InvalidBundle(
                f"{self.path / path} is not the file that the manifest lists "
                f"({len(content)} of {entry.size} bytes, or other content): get the bundle again"
            )
        return content

    def verify(self) -> None:
        """Compare the digest of every file; raise InvalidBundle at the first that differs."""
        for entry in self.manifest.files:
            self.read(entry.path)


@dataclass(frozen=True)
class Part:
    """A file on its way into a bundle."""

    content: bytes
    role: str
    licence: str


def open_bundle(path: str | os.PathLike[str] | None = None) -> Bundle:
    """Open the bundle in the folder ``path``, or the default one.

    Raises InvalidBundle if it is damaged, incomplete or not a bundle, and NotSupported if it asks
    for a newer rap-edge. Contents are verified as they are read.
    """
    folder = DEFAULT if path is None else Path(path)
    if not folder.is_dir():
        raise InvalidBundle(f"{folder} is not a folder: expected a bundle with a {MANIFEST}")
    content = _read(folder, MANIFEST, MAX_MANIFEST_BYTES)
    try:
        manifest = Manifest.from_json(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidBundle(f"{folder / MANIFEST} is not UTF-8 text: get it again") from error
    _check_runtime(manifest)
    _check_folder(folder, manifest)
    return Bundle(folder, manifest)


def write_bundle(
    out: str | os.PathLike[str], manifest: Manifest, parts: Mapping[str, Part]
) -> Bundle:
    """Write a bundle whole or not at all; ``parts`` maps paths in the bundle to their contents.

    The manifest's ``files`` are filled in here. An existing bundle at ``out`` is replaced; any
    other existing file or folder that is not empty is refused.
    """
    target = Path(out)
    if target.exists() and not _replaceable(target):
        raise InvalidBundle(f"{target} exists and is not a bundle: choose another folder")
    complete = replace(manifest, files=tuple(_entry(path, part) for path, part in parts.items()))
    complete.check()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        new = Path(scratch) / "new"
        for path, part in parts.items():
            destination = new / path
            destination.parent.mkdir(parents=True, exist_ok=True)
            destination.write_bytes(part.content)
        (new / MANIFEST).write_text(complete.to_json(), encoding="utf-8")
        _swap(new, target, Path(scratch) / "old")
    return open_bundle(target)


def _entry(path: str, part: Part) -> FileEntry:
    check_path(path)
    digest = hashlib.sha256(part.content).hexdigest()
    return FileEntry(path, len(part.content), digest, part.role, part.licence)


def _replaceable(target: Path) -> bool:
    if target.is_symlink() or not target.is_dir():
        return False
    return (target / MANIFEST).is_file() or not any(target.iterdir())


def _swap(new: Path, target: Path, old: Path) -> None:
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    with suppress(OSError):
        shutil.rmtree(old)


def _read(folder: Path, path: str, limit: int) -> bytes:
    """Read a regular file without following links, at most ``limit`` bytes and one more."""
    place = folder
    try:
        for part in path.split("/"):
            place = place / part
            if stat.S_ISLNK(place.lstat().st_mode):
                raise InvalidBundle(f"{place} is a link: a bundle holds plain files only")
        if not stat.S_ISREG(place.lstat().st_mode):
            raise InvalidBundle(f"{place} is not a plain file")
        with place.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise InvalidBundle(f"{place} cannot be read ({error.strerror})") from error
    if len(content) > limit:
        raise InvalidBundle(f"{place} has more than {limit} bytes")
    return content


def _check_runtime(manifest: Manifest) -> None:
    def numbers(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split(".") if part.isdigit())

    if numbers(manifest.minimum_runtime) > numbers(__version__):
        raise NotSupported(
            f"bundle {manifest.name!r} needs rap-edge {manifest.minimum_runtime} or newer and this "
            f"is {__version__}: pip install --upgrade rap-edge"
        )


def _check_folder(folder: Path, manifest: Manifest) -> None:
    for entry in manifest.files:
        place = folder / entry.path
        size = place.lstat().st_size if place.exists() else None
        if size != entry.size:
            raise InvalidBundle(
                f"{place} has {'no' if size is None else size} bytes: expected {entry.size}; "
                "the bundle is incomplete or damaged, get it again"
            )
    listed = {MANIFEST, *(entry.path for entry in manifest.files)}
    for place in folder.rglob("*"):
        path = place.relative_to(folder).as_posix()
        if not place.is_dir() and path not in listed:
            raise InvalidBundle(f"{place} is not listed in the manifest: remove it")
        if place.is_symlink():
            raise InvalidBundle(f"{place} is a link: a bundle holds plain files only")
