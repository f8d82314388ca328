"""Opening a bundle and verifying every byte of it, beside a zip of the same files.

Whoever ships a zip unpacks it into a folder before anything can be opened; (a) without and (b) with
a look at the SHA-256 of each file. Ours checks the signature, the manifest and every digest, of the
folder and of the ``.rapb``, and writes nothing. The files are in the page cache: this is the cost
of the processor, not of a disk.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rap_edge.benchmarks.components.contest import Contender, Settings, Turn, contest
from rap_edge.benchmarks.components.rows import Rows
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.bundle import Bundle, extract_bundle, open_bundle
from rap_edge.errors import ParityError

NAME = "bundle"
FOLDER, SINGLE = "rap-edge folder, verified", "rap-edge .rapb, verified"
PACKINGS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}


@dataclass
class Unpacking:
    """Unpacks a zip into a new folder each turn; the one before is removed out of the time."""

    archive: Path
    scratch: Path
    digests: Mapping[str, str]  # file -> SHA-256; empty to compare nothing
    turns: int = field(default=0)

    def start(self) -> Turn:
        shutil.rmtree(self._folder, ignore_errors=True)
        self.turns += 1
        return self.unpack

    def unpack(self) -> None:
        with zipfile.ZipFile(self.archive) as archive:
            archive.extractall(self._folder)
        for name, digest in self.digests.items():
            if hashlib.sha256((self._folder / name).read_bytes()).hexdigest() != digest:
                raise ParityError(f"{name} is not the file that was packed: the disk may be full")

    @property
    def _folder(self) -> Path:
        return self.scratch / f"{self.archive.stem}-{bool(self.digests)}-{self.turns}"


def measure(settings: Settings) -> list[Result]:
    """Let ours, folder and ``.rapb``, and the zips take turns."""
    bundle = settings.bundle
    with TemporaryDirectory() as scratch:
        folder, single = Path(scratch) / "folder", Path(scratch) / "bundle.rapb"
        extract_bundle(bundle, folder)
        extract_bundle(bundle, single)
        zips = {name: pack(folder, Path(scratch) / f"{name}.zip", name) for name in PACKINGS}
        contenders = [
            _ours(name, path, settings.trust) for name, path in ((FOLDER, folder), (SINGLE, single))
        ]
        sizes = {FOLDER: _megabytes(folder), SINGLE: _megabytes(single)}
        for name, path in zips.items():
            for digests in ({}, digests_of(bundle)):
                unpacking = Unpacking(path, Path(scratch), digests)
                label = f"zip {name}, unpacked{' and verified' if digests else ''}"
                contenders.append(Contender(label, unpacking.start))
                sizes[label] = _megabytes(path)
        rows = Rows(NAME, "ms_per_call", contest(contenders, settings.seconds))
    others = [one.name for one in contenders[2:]]
    return [
        *(
            rows.beside(ours, other, {"megabytes": sizes[ours]})
            for ours in (FOLDER, SINGLE)
            for other in others
        ),
        *(rows.alone(other, {"megabytes": sizes[other]}) for other in others),
    ]


def pack(folder: Path, target: Path, packing: str) -> Path:
    """Write a zip of all files of a folder."""
    with zipfile.ZipFile(target, "w", PACKINGS[packing]) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def digests_of(bundle: Bundle) -> dict[str, str]:
    """Return the SHA-256 of every file of a bundle that is here."""
    listed = {entry.path: entry.sha256 for entry in bundle.manifest.files}
    return {name: listed[name] for name in bundle.files}


def _ours(name: str, path: Path, trust: Sequence[Path]) -> Contender:
    return Contender(name, partial(partial, lambda: open_bundle(path, trust).verify()))


def _megabytes(path: Path) -> Value:
    files = path.rglob("*") if path.is_dir() else [path]
    return Value(sum(file.stat().st_size for file in files if file.is_file()) / 1e6)
