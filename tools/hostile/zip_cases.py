"""Zips that other programs read, and that are not the one form of a bundle."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from random import Random

from hostile.judge import Case
from hostile.placing import archive_case, some_file
from hostile.sample import Sample
from rap_edge.archive import ordered, parse
from rap_edge.manifest_check import RESERVED

OUTSIDE = ("../x", "/etc/x", "a/../../x", "C:x", "a\\b", "nul", "\u00e9", "a//b", "./a", "")


def rewritten(random: Random, sample: Sample) -> Case:
    """The right contents by Python's own zip writer, with one thing that a zip may have."""
    kind = random.choice(sorted(_KINDS))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name is there twice
        for name in ordered(sample.files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            _KINDS[kind](random, info)
            with file.open(info, "w", force_zip64=kind == "zip64") as stream:
                stream.write(sample.files[name])
        if kind == "twice":
            file.writestr(zipfile.ZipInfo(some_file(random, sample)), b"again")
        if kind == "comment":
            file.comment = random.randbytes(random.randrange(1, 99))
    return archive_case(f"zip with {kind}", buffer.getvalue())


def _deflate(random: Random, info: zipfile.ZipInfo) -> None:
    info.compress_type = random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))


def _link(random: Random, info: zipfile.ZipInfo) -> None:
    info.external_attr = 0o120777 << 16


def _outside(random: Random, info: zipfile.ZipInfo) -> None:
    if info.filename not in RESERVED:
        info.filename = random.choice(OUTSIDE)


_KINDS: dict[str, Callable[[Random, zipfile.ZipInfo], object]] = {
    "plain": lambda random, info: None,
    "compression": _deflate,
    "links": _link,
    "dates": lambda random, info: setattr(info, "date_time", (2026, 1, 2, 3, 4, 6)),
    "extra": lambda random, info: setattr(info, "extra", b"\x99\x99\x01\x00x"),
    "comments": lambda random, info: setattr(info, "comment", b"x"),
    "names": _outside,
    "zip64": lambda random, info: None,
    "twice": lambda random, info: None,
    "comment": lambda random, info: None,
}


def forged_field(random: Random, sample: Sample) -> Case:
    """One field of a local header, of the directory or of the end, in place."""
    content = bytearray(sample.archive)
    end = len(content) - 22
    count, _, directory = struct.unpack_from("<HLL", content, end + 10)
    places = [m.offset for m in parse(memoryview(sample.archive)).values()]
    where = random.choice(("local", "central", "end"))
    if where == "end":
        at = end + random.choice((4, 6, 8, 10, 12, 16, 20))
    elif where == "central":
        at = directory
        for _ in range(random.randrange(count)):
            at += 46 + struct.unpack_from("<H", content, at + 28)[0]
        at += random.choice((4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 30, 32, 34, 36, 38, 42))
    else:
        at = random.choice(places) - random.randrange(1, 64)
    value = random.choice((0, 1, 0xFF, 0xFFFF, random.randrange(1 << 16)))
    struct.pack_into("<H", content, at, value)
    if bytes(content) == sample.archive:
        content[at] ^= 0xFF
    return archive_case(f"{where} field at {at}", bytes(content))


def consistent_lie(random: Random, sample: Sample) -> Case:
    """Change contents and mend every checksum of the zip, so that only digests can tell."""
    content = bytearray(sample.archive)
    members = parse(memoryview(sample.archive))
    member = random.choice([m for m in members.values() if m.size])
    content[member.offset + random.randrange(member.size)] ^= 1 << random.randrange(8)
    crc = zlib.crc32(content[member.offset : member.offset + member.size])
    old, new = struct.pack("<L", member.crc), struct.pack("<L", crc)
    return archive_case(f"{member.name} with mended checksums", bytes(content).replace(old, new))


def forged_checksum(random: Random, sample: Sample) -> Case:
    """Change a checksum wherever the zip has it, and no content."""
    member = random.choice(list(parse(memoryview(sample.archive)).values()))
    old, new = struct.pack("<L", member.crc), random.randbytes(4)
    content = sample.archive.replace(old, new)
    if content == sample.archive:
        content += new
    return archive_case(f"another checksum of {member.name}", content)


def overlapping(random: Random, sample: Sample) -> Case:
    """Let one entry of the directory point at another's header."""
    content = bytearray(sample.archive)
    directory = struct.unpack_from("<L", content, len(content) - 6)[0]
    (length,) = struct.unpack_from("<H", content, directory + 28)
    second = directory + 46 + length
    struct.pack_into("<L", content, second + 42, 0)
    struct.pack_into("<L", content, second + 24, random.randrange(1 << 32))
    return archive_case("overlapping entries", bytes(content))


def embedded(random: Random, sample: Sample) -> Case:
    """A whole bundle within other bytes, as self-extracting archives are."""
    before, after = random.choice(((b"#!/bin/sh\n", b""), (b"", b"\0" * 22), (sample.archive, b"")))
    return archive_case("embedded archive", before + sample.archive + after)


FAMILY = (rewritten, forged_field, consistent_lie, forged_checksum, overlapping, embedded)
