"""What a shared object asks for and what it offers: its ELF header, symbols and versions.

The layout is that of the System V ABI; .gnu.version_r is in the Linux Standard Base, "Symbol
Versioning".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

AARCH64 = 183  # EM_AARCH64
SHT_DYNSYM, SHT_GNU_VERNEED = 11, 0x6FFFFFFE
SHN_UNDEF = 0
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
NEED = struct.Struct("<HHIII")
NEED_VERSION = struct.Struct("<IHHII")


class NotElf(ValueError):
    """The bytes are no 64-bit little-endian ELF file."""


@dataclass(frozen=True)
class SharedObject:
    machine: int  # EM_*
    exports: frozenset[str]
    needs: frozenset[str]  # versions of symbols, such as GLIBC_2.17


@dataclass(frozen=True)
class Section:
    kind: int
    data: bytes
    strings: bytes  # of the section that it links to
    n_entries: int  # of those sections that count them in sh_info


def read(data: bytes) -> SharedObject:
    """Read a shared object. Raises NotElf for bytes that are none, or end too early."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise NotElf(f"the file begins with {data[:6]!r}: expected a 64-bit little-endian ELF file")
    try:
        machine = HEADER.unpack_from(data)[2]
        sections = list(_sections(data))
        exports = frozenset(n for s in sections if s.kind == SHT_DYNSYM for n in _exports(s))
        needs = frozenset(n for s in sections if s.kind == SHT_GNU_VERNEED for n in _needs(s))
    except (struct.error, IndexError, ValueError) as error:
        raise NotElf(f"the ELF file of {len(data)} bytes ends too early: {error}") from None
    return SharedObject(machine, exports, needs)


def newest_glibc(needs: frozenset[str]) -> tuple[int, ...]:
    """Return the newest version of glibc that symbols ask for; () if none does."""
    versions = [need.removeprefix("GLIBC_") for need in needs if need.startswith("GLIBC_")]
    return max((tuple(int(part) for part in v.split(".")) for v in versions), default=())


def _sections(data: bytes) -> Iterator[Section]:
    fields = HEADER.unpack_from(data)
    start, size, count = fields[6], fields[11], fields[12]
    table = [SECTION.unpack_from(data, start + i * size) for i in range(count)]
    bodies = [data[offset : offset + length] for _, _, _, _, offset, length, *_ in table]
    for entry, body in zip(table, bodies, strict=True):
        yield Section(entry[1], body, bodies[entry[6]], entry[7])


def _exports(section: Section) -> Iterator[str]:
    whole = len(section.data) // SYMBOL.size * SYMBOL.size
    for name, _, _, where, _, _ in SYMBOL.iter_unpack(section.data[:whole]):
        if where != SHN_UNDEF and name:
            yield _text(section.strings, name)


def _needs(section: Section) -> Iterator[str]:
    at = 0
    for _ in range(section.n_entries):
        _, n_versions, _, first, following = NEED.unpack_from(section.data, at)
        inner = at + first
        for _ in range(n_versions):
            _, _, _, name, step = NEED_VERSION.unpack_from(section.data, inner)
            yield _text(section.strings, name)
            inner += step
        at += following


def _text(strings: bytes, at: int) -> str:
    return strings[at : strings.index(b"\0", at)].decode() if at < len(strings) else ""
