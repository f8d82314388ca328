"""An uncompressed zip that has exactly one byte form for given files.

Any zip program reads it. This reader takes only what `build` would have written: it reads the
names, sizes and checksums from the central directory, lays the archive out again, and compares
every byte that is not content. Contents begin at multiples of 64 bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rap_edge.errors import InvalidBundle
from rap_edge.manifest_check import MAX_FILES, RESERVED, check_path

ALIGNMENT = 64
MAX_BYTES = (1 << 32) - 1  # beyond it a zip needs other headers: such a bundle is a folder
MAX_MEMBERS = MAX_FILES + len(RESERVED)

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_PADDING = struct.Struct("<3H")  # an extra field of Android's zipalign: id, length, alignment
_PADDING_ID = 0xD935
_VERSION, _DATE = 10, (1 << 5) | 1  # of zip, 1.0; 1980-01-01, the first day that a zip can name


@dataclass(frozen=True)
class Member:
    """One file of an archive: where its content lies and what its CRC-32 is."""

    name: str
    size: int
    crc: int
    offset: int = 0  # of the content

    def raw(self, archive: memoryview) -> memoryview:
        """Return the content, without a copy and unchecked."""
        return archive[self.offset : self.offset + self.size]

    def content(self, archive: memoryview) -> memoryview:
        """Return the content, without a copy; raise InvalidBundle if its checksum is another."""
        return self.check(self.raw(archive))

    def check(self, content: memoryview) -> memoryview:
        if zlib.crc32(content) != self.crc:
            raise InvalidBundle(f"{self.name} is damaged: its checksum differs, get it again")
        return content


def build(files: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the archive of ``files`` in pieces; raise InvalidBundle if it would be too large."""
    members = [Member(name, len(files[name]), zlib.crc32(files[name])) for name in ordered(files)]
    headers, tail = _lay_out(members)
    for member, header in zip(members, headers, strict=True):
        yield header
        yield files[member.name]
    yield tail


def parse(archive: memoryview) -> dict[str, Member]:
    """List an archive; raise InvalidBundle unless it is what `build` makes of these files."""
    if not _END.size <= len(archive) <= MAX_BYTES:
        raise InvalidBundle(f"it has {len(archive)} bytes: expected a zip of less than 4 GiB")
    found = _central_directory(archive)
    headers, tail = _lay_out(found)
    members, place = {}, 0
    for member, header in zip(found, headers, strict=True):
        _expect(archive, place, header, f"the header of {member.name}")
        members[member.name] = Member(member.name, member.size, member.crc, place + len(header))
        place += len(header) + member.size
    _expect(archive, place, tail, "the directory at its end")
    if place + len(tail) != len(archive):
        raise InvalidBundle("its directory does not end where the file ends: get it again")
    return members


def ordered(names: Iterable[str]) -> list[str]:
    """Order names as an archive has them: manifest, signature, subset, then by their bytes."""
    rank = {name: place for place, name in enumerate(RESERVED)}
    return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))


def _central_directory(archive: memoryview) -> list[Member]:
    """Read names, sizes and checksums, and nothing else: the rest is compared afterwards."""
    _, _, _, _, count, size, place, _ = _END.unpack_from(archive, len(archive) - _END.size)
    if not 0 < count <= MAX_MEMBERS or place + size + _END.size != len(archive):
        raise InvalidBundle("it has no zip directory at its end: it is cut off or no bundle")
    members = []
    for _ in range(count):
        if place + _CENTRAL.size > len(archive):
            raise InvalidBundle("its zip directory is cut off: get it again")
        fields = _CENTRAL.unpack_from(archive, place)
        crc, size, name_length = fields[7], fields[9], fields[10]
        place += _CENTRAL.size
        members.append(Member(_name(archive[place : place + name_length]), size, crc))
        place += name_length
    names = [member.name for member in members]
    if names != ordered(names) or len(set(names)) != count:
        raise InvalidBundle("its files are not in order, each once: get it again")
    return members


def _name(raw: memoryview) -> str:
    try:
        name = bytes(raw).decode("ascii")
    except UnicodeDecodeError as error:
        raise InvalidBundle(f"it has a file {bytes(raw)!r}: expected an ASCII name") from error
    check_path(name)
    return name


def _lay_out(members: Sequence[Member]) -> tuple[list[bytes], bytes]:
    """Return the header before each content, and all that follows the last content."""
    headers, directory, place = [], [], 0
    for member in members:
        name = member.name.encode("ascii")
        entry = (0, 0, 0, _DATE, member.crc, member.size, member.size, len(name))
        extra = _padding(place + _LOCAL.size + len(name))
        header = _LOCAL.pack(b"PK\3\4", _VERSION, *entry, len(extra)) + name + extra
        central = (b"PK\1\2", _VERSION, _VERSION, *entry, 0, 0, 0, 0, 0, place)
        directory.append(_CENTRAL.pack(*central) + name)
        headers.append(header)
        place += len(header) + member.size
        if place > MAX_BYTES:
            raise InvalidBundle("its files have 4 GiB or more: write a folder instead")
    size, count = sum(map(len, directory)), len(members)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, size, place, 0)
    return headers, b"".join((*directory, end))


def _padding(place: int) -> bytes:
    """Return the shortest extra field after which the content is aligned."""
    zeros = -(place + _PADDING.size) % ALIGNMENT
    return _PADDING.pack(_PADDING_ID, 2 + zeros, ALIGNMENT) + bytes(zeros)


def _expect(archive: memoryview, place: int, expected: bytes, what: str) -> None:
    if archive[place : place + len(expected)] != expected:
        raise InvalidBundle(f"{what} is not as a bundle has it: get it again, or pack it anew")
