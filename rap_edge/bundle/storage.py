"""Where a bundle's files lie: a folder, or one memory-mapped ``.rapb``; neither follows a link."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from rap_edge.archive import MAX_MEMBERS, Member, parse
from rap_edge.errors import InvalidBundle
from rap_edge.manifest_check import RESERVED

MANIFEST, SIGNATURE, SUBSET = RESERVED
SUFFIX = ".rapb"
MAX_MANIFEST_BYTES = 1 << 20
MAX_SIGNATURE_BYTES = 1 << 18
MAX_SUBSET_BYTES = 1 << 14
BLOCK_BYTES = 1 << 20
MAX_FOLDERS = 4 * MAX_MEMBERS


class Storage(Protocol):
    """Files by name. Nothing is said about their contents: whoever reads compares digests."""

    def sizes(self) -> Mapping[str, int]:
        """List every file with its size; raise InvalidBundle for anything that is no file."""

    def read(self, name: str, limit: int) -> bytes:
        """Read a file of at most ``limit`` bytes into memory of its own."""

    def blocks(self, name: str, limit: int) -> Iterator[bytes | memoryview]:
        """Yield a file of at most ``limit`` bytes in pieces that memory has room for."""


def open_storage(path: Path, links_allowed: bool = False) -> Storage:
    """Open a folder or a ``.rapb``; raise InvalidBundle if ``path`` is neither."""
    if path.is_dir():
        return Folder(path, links_allowed)
    return Archive.open(path)


@dataclass(frozen=True)
class Folder:
    """A bundle as a folder of plain files.

    Hard links are refused, because whoever holds another name can change the file. Package
    installers (uv, conda) make them, so in the package's own folder they are allowed.
    """

    path: Path
    links_allowed: bool = False

    def sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        folders = [self.path]
        for folder in folders:
            entries = 0
            for entry in _entries(folder):
                entries += 1
                if entry.is_dir(follow_symlinks=False) and not entry.is_symlink():
                    folders.append(Path(entry.path))
                else:
                    status = entry.stat(follow_symlinks=False)
                    self._require_plain(Path(entry.path), status)
                    found[Path(entry.path).relative_to(self.path).as_posix()] = status.st_size
                if len(found) > MAX_MEMBERS or len(folders) > MAX_FOLDERS:
                    raise InvalidBundle(f"{self.path} has too many files to be a bundle")
            if not entries and folder != self.path:
                raise InvalidBundle(f"{folder} is an empty folder: remove it")
        return found

    def read(self, name: str, limit: int) -> bytes:
        return b"".join(self.blocks(name, limit))

    def blocks(self, name: str, limit: int) -> Iterator[bytes]:
        left = limit
        try:
            with self._opened(name) as file:
                while block := file.read(BLOCK_BYTES):
                    left -= len(block)
                    if left < 0:
                        raise InvalidBundle(
                            f"{self.path / name} has more than {limit} bytes: get the bundle again"
                        )
                    yield block
        except OSError as error:
            raise InvalidBundle(f"{self.path / name} cannot be read ({error.strerror})") from error

    def _opened(self, name: str) -> BinaryIO:
        place = self.path
        for part in name.split("/")[:-1]:
            place = place / part
            if not stat.S_ISDIR(place.lstat().st_mode):
                raise InvalidBundle(f"{place} is a link: a bundle holds plain files only")
        place = self.path / name
        file = _open(place, getattr(os, "O_NOFOLLOW", 0))
        try:
            self._require_plain(place, os.fstat(file.fileno()))
        except InvalidBundle:
            file.close()
            raise
        return file

    def _require_plain(self, place: Path, status: os.stat_result) -> None:
        if stat.S_ISLNK(status.st_mode):
            raise InvalidBundle(f"{place} is a link: a bundle holds plain files only")
        if not stat.S_ISREG(status.st_mode):
            raise InvalidBundle(f"{place} is not a plain file: remove it")
        if status.st_nlink > 1 and not self.links_allowed:
            raise InvalidBundle(
                f"{place} is a hard link: it has another name by which it can be changed; "
                "copy the bundle without links (cp -r)"
            )


@dataclass(frozen=True)
class Archive:
    """A bundle as one file, mapped into memory."""

    path: Path
    content: memoryview = field(repr=False)
    members: Mapping[str, Member] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Map a file and check the form of its zip; raise InvalidBundle if it is not one."""
        try:
            with _open(path) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise InvalidBundle(f"{path} is not a folder or a {SUFFIX} file")
                if not os.fstat(file.fileno()).st_size:
                    raise InvalidBundle(f"{path} is empty: get the bundle again")
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except FileNotFoundError as error:
            raise InvalidBundle(
                f"{path} does not exist: expected a folder or a {SUFFIX} file; check the path"
            ) from error
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InvalidBundle(
                f"{path} is not a folder or a {SUFFIX} file that can be read ({why})"
            ) from error
        try:
            return cls(path, content, parse(content))
        except InvalidBundle as error:
            raise InvalidBundle(f"{path} cannot be used: {error}") from error

    def sizes(self) -> dict[str, int]:
        return {name: member.size for name, member in self.members.items()}

    def read(self, name: str, limit: int) -> bytes:
        """Copy first and check the copy, so that a change of the file under the map is seen."""
        copy = bytes(self._find(name, limit).raw(self.content))
        self._check(name, memoryview(copy))
        return copy

    def blocks(self, name: str, limit: int) -> Iterator[memoryview]:
        """Yield the whole content without a copy."""
        yield self._check(name, self._find(name, limit).raw(self.content))

    def _check(self, name: str, content: memoryview) -> memoryview:
        try:
            return self.members[name].check(content)
        except InvalidBundle as error:
            raise InvalidBundle(f"{self.path}: {error}") from error

    def _find(self, name: str, limit: int) -> Member:
        member = self.members.get(name)
        if member is None:
            raise InvalidBundle(f"{self.path} has no {name}: get the bundle again")
        if member.size > limit:
            raise InvalidBundle(f"{name} in {self.path} has more than {limit} bytes")
        return member


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open(place: Path, flags: int = 0) -> BinaryIO:
    """Open a file for reading, without waiting for the other end if it is a pipe."""
    for name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    return os.fdopen(os.open(place, os.O_RDONLY | flags), "rb")


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise InvalidBundle(f"{folder} cannot be read ({error.strerror})") from error
