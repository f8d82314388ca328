"""The files of the cache: contents by digest, and what each bundle says about itself."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rap_edge.bundle.opened import read_manifest
from rap_edge.bundle.storage import (
    BLOCK_BYTES,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SUBSET,
    Folder,
    flush_folder,
)
from rap_edge.bundle.subset import files_of, read_subset
from rap_edge.errors import InvalidBundle
from rap_edge.manifest import FileEntry, Manifest, Variant


@dataclass(frozen=True)
class Head:
    """What an installed bundle says about itself, read once and compared with its ID."""

    files: Mapping[str, bytes]  # manifest.json, bundle.sig, subset.json
    manifest: Manifest
    variants: tuple[Variant, ...]  # that are installed

    @classmethod
    def load(cls, folder: Path) -> Head:
        """Read the head of the bundle whose ID is the folder's name.

        Raises InvalidBundle if anything of it is missing or changed; contents are not looked at.
        """
        try:
            source = Folder(folder)
            files = {name: source.read(name, MAX_MANIFEST_BYTES) for name in source.sizes()}
        except InvalidBundle as error:
            raise InvalidBundle(f"{error}: install the bundle again") from error
        if identity_of(files) != folder.name or MANIFEST not in files:
            raise InvalidBundle(f"{folder} is damaged: install the bundle again")
        manifest = read_manifest(files[MANIFEST])
        variants = manifest.variants
        if SUBSET in files:
            variants = read_subset(manifest, files[SUBSET])
        return cls(files, manifest, variants)

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """The files that are installed."""
        wanted = files_of(self.manifest, self.variants)
        return tuple(entry for entry in self.manifest.files if entry.path in wanted)


def identity_of(files: Mapping[str, bytes]) -> str:
    """Return the ID of a bundle: the SHA-256 of the names and digests of its head."""
    lines = "".join(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()


@dataclass(frozen=True)
class Blobs:
    """Contents by their SHA-256."""

    root: Path

    def place(self, digest: str) -> Path:
        return self.root / digest[:2] / digest

    def add(self, digest: str, read: Callable[[], bytes]) -> bool:
        """Write a content that is missing or damaged; ``read`` gives it, already verified.

        Returns whether it was written.
        """
        if self.is_whole(digest):
            return False
        write_whole(self.place(digest), read())
        return True

    def is_whole(self, digest: str) -> bool:
        """Read a content and compare its digest."""
        found = hashlib.sha256()
        try:
            with self.place(digest).open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    found.update(block)
        except OSError:
            return False
        return found.hexdigest() == digest

    def has(self, entry: FileEntry) -> bool:
        """Say whether a content of the right size is there, without reading it."""
        try:
            return self.place(entry.sha256).stat().st_size == entry.size
        except OSError:
            return False

    def keep_only(self, digests: set[str]) -> None:
        """Remove every content that no bundle refers to, and what an interruption left."""
        for place in self.root.glob("*/*"):
            if place.name not in digests:
                with suppress(OSError):
                    place.unlink()

    def storage(self, head: Head) -> BlobStorage:
        """Show the contents as the files of a bundle."""
        return BlobStorage(self, head.files, {entry.path: entry for entry in head.entries})


@dataclass(frozen=True)
class BlobStorage:
    """The files of one installed bundle (a `rap_edge.bundle.storage.Storage`)."""

    blobs: Blobs
    head: Mapping[str, bytes]
    entries: Mapping[str, FileEntry]

    def sizes(self) -> dict[str, int]:
        found = {name: entry.size for name, entry in self.entries.items() if self.blobs.has(entry)}
        return {**{name: len(content) for name, content in self.head.items()}, **found}

    def read(self, name: str, limit: int) -> bytes:
        return b"".join(self.blocks(name, limit))

    def blocks(self, name: str, limit: int) -> Iterator[bytes]:
        if name in self.head:
            yield self.head[name]
            return
        if name not in self.entries:
            raise InvalidBundle(f"{name} is not installed: install the whole bundle")
        digest = self.entries[name].sha256
        yield from Folder(self.blobs.root).blocks(f"{digest[:2]}/{digest}", limit)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, through to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    flush_folder(path.parent)
