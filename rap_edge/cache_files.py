"""The files of the cache: contents by digest, and the state that says what is current."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rap_edge.bundle.storage import MANIFEST, SUBSET, Folder
from rap_edge.bundle.subset import files_of, read_subset
from rap_edge.errors import InvalidBundle, NotSupported
from rap_edge.manifest import Manifest
from rap_edge.strict_json import Mismatch, decode, encode, parse

STATE_VERSION = 1
HEAD_LIMIT = 1 << 20  # bytes of a manifest, a signature or a subset


@dataclass
class State:
    """Which bundle is current for each name, which was before, and how long ago each was used."""

    schema_version: int = STATE_VERSION
    current: dict[str, str] = field(default_factory=dict)  # name -> id
    last_good: dict[str, str] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)  # id -> count of the last use

    @classmethod
    def load(cls, path: Path) -> State:
        """Read the state, an empty one if there is none; raise InvalidBundle if it is damaged."""
        try:
            return decode(cls, parse(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except (Mismatch, UnicodeDecodeError) as error:
            raise InvalidBundle(
                f"{path} is damaged ({error}): remove the cache's folder and install again"
            ) from error

    def save(self, path: Path) -> None:
        write_whole(path, encode(self).encode("utf-8"))

    def use(self, identity: str) -> None:
        self.used[identity] = 1 + max(self.used.values(), default=0)

    def install(self, name: str, identity: str) -> None:
        """Make a bundle current; the one before it is the last good one."""
        before = self.current.get(name)
        if before not in (None, identity):
            self.last_good[name] = str(before)
        self.current[name] = identity
        self.use(identity)

    def current_of(self, name: str) -> str:
        if name not in self.current:
            offered = ", ".join(sorted(self.current)) or "nothing"
            raise NotSupported(f"no bundle {name!r} is installed: there is {offered}")
        return self.current[name]

    def swap(self, name: str) -> None:
        current = self.current_of(name)
        if name not in self.last_good:
            raise NotSupported(f"there is no bundle {name!r} before the current one to go back to")
        self.current[name], self.last_good[name] = self.last_good[name], current
        self.use(self.current[name])

    def protected(self, name: str, identity: str) -> set[str]:
        """What may not go when ``identity`` is installed: all current and last good, then."""
        last_good = dict(self.last_good)
        if self.current.get(name) != identity:
            last_good.pop(name, None)
        return {identity, *self.current.values(), *last_good.values()}

    def forget(self, identity: str) -> None:
        self.used.pop(identity, None)
        self.last_good = {name: i for name, i in self.last_good.items() if i != identity}


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
        try:
            with self.place(digest).open("rb") as file:
                return hashlib.sha256(file.read()).hexdigest() == digest
        except OSError:
            return False

    def keep_only(self, digests: set[str]) -> None:
        """Remove every content that no bundle refers to, and what an interruption left."""
        for place in self.root.glob("*/*"):
            if place.name not in digests:
                with suppress(OSError):
                    place.unlink()

    def storage(self, head: Folder) -> BlobStorage:
        """Show the contents as the files of a bundle; ``head`` holds its manifest."""
        try:
            manifest = Manifest.from_json(head.read(MANIFEST, HEAD_LIMIT).decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InvalidBundle(f"{head.path} is damaged: install the bundle again") from error
        variants = manifest.variants
        if SUBSET in head.sizes():
            variants = read_subset(manifest, head.read(SUBSET, HEAD_LIMIT))
        digests = {entry.path: entry.sha256 for entry in manifest.files}
        return BlobStorage(self, head, {n: digests[n] for n in files_of(manifest, variants)})


@dataclass(frozen=True)
class BlobStorage:
    """The files of one installed bundle (a `rap_edge.bundle.storage.Storage`)."""

    blobs: Blobs
    head: Folder
    digests: Mapping[str, str]

    def sizes(self) -> dict[str, int]:
        places = {name: self.blobs.place(digest) for name, digest in self.digests.items()}
        found = {name: place.stat().st_size for name, place in places.items() if place.exists()}
        return {**self.head.sizes(), **found}

    def read(self, name: str, limit: int) -> bytes:
        digest = self.digests.get(name)
        if digest is None:
            return self.head.read(name, limit)
        return Folder(self.blobs.root).read(f"{digest[:2]}/{digest}", limit)

    def view(self, name: str, limit: int) -> bytes:
        return self.read(name, limit)


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
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
