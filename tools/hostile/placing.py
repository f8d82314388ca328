"""How a case comes onto the disk: files of a folder, or the bytes of a ``.rapb``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from hostile.judge import Case
from hostile.sample import Sample, packed, signed
from rap_edge.bundle import MANIFEST

Tweak = Callable[[Path], object]


def folder_case(
    name: str, files: Mapping[str, bytes], tweak: Tweak = lambda _: None, unsigned: bool = False
) -> Case:
    """A folder of files, changed by ``tweak`` once it is there."""

    def write(scratch: Path) -> Path:
        folder = scratch / "bundle"
        for path, content in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        tweak(folder)
        return folder

    return Case(name, write, unsigned)


def archive_case(name: str, content: bytes, unsigned: bool = False) -> Case:
    """A single file."""

    def write(scratch: Path) -> Path:
        place = scratch / "bundle.rapb"
        place.write_bytes(content)
        return place

    return Case(name, write, unsigned)


def either_case(
    random: Random, name: str, files: Mapping[str, bytes], unsigned: bool = False
) -> Case:
    """The same files in one form or the other."""
    if random.random() < 0.5:
        return folder_case(name, files, unsigned=unsigned)
    return archive_case(f"{name}, packed", packed(files), unsigned)


def served_case(
    random: Random, name: str, sample: Sample, changed: Mapping[str, bytes | None]
) -> Case:
    """With digests to match: unsigned and forgiven, or signed by a key that nobody trusts."""
    files = sample.remade(changed)
    assert files[MANIFEST] != sample.files[MANIFEST]
    if random.random() < 0.8:
        return either_case(random, name, files, unsigned=True)
    return either_case(random, f"{name}, signed anew", signed(files, sample.attacker))


def damaged(random: Random, content: bytes) -> bytes:
    """Change bytes: flip, cut, insert, repeat, move or remove some; never without an effect."""
    changed = content
    while changed == content:
        at = random.randrange(len(content) + 1)
        size = random.choice((1, 1, 1, 2, 4, 16, 64, 1024))
        piece = content[at : at + size]
        changed = random.choice((
            content[:at] + bytes(b ^ random.randrange(256) for b in piece) + content[at + size :],
            content[:at] + content[at + size :],
            content[:at] + random.randbytes(size) + content[at:],
            content[:at] + piece + content[at:],
            content[:at],
            content + random.randbytes(size),
            random.randbytes(size) + content,
            content[:at] + bytes(len(piece)) + content[at + size :],
        ))  # fmt: skip
    return changed


def some_file(random: Random, sample: Sample) -> str:
    return random.choice(sorted(sample.files))
