"""What a bundle says about itself: ``manifest.json`` as frozen dataclasses, JSON both ways.

The contract of a graph (names, shapes, dtypes) is the same for every variant; a variant says which
file computes it for one backend and precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError, InvalidBundle
from rap_edge.strict_json import Mismatch, decode, encode, parse

FORMAT_VERSION = 1
DTYPES = ("float32", "float16", "uint8", "int32", "int64")
MAX_FILES = 256
MAX_FILE_BYTES = 1 << 30
MAX_ELEMENTS = 1 << 28  # of one tensor

_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{i}" for p in ("com", "lpt") for i in range(1, 10))}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a graph; the shape is static."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class GraphSpec:
    """The contract of one graph. ``state.x`` inputs are fed from ``next_state.x`` outputs."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class Variant:
    """The files that compute every graph on one backend at one precision."""

    backend: str
    precision: str
    files: Mapping[str, str]  # name of the graph -> path in the bundle


@dataclass(frozen=True)
class FileEntry:
    """One file of the bundle; every file but the manifest has an entry."""

    path: str
    size: int
    sha256: str
    role: str  # graph, card, licence, ...
    licence: str  # SPDX expression; LicenseRef-NAME of a licence text


@dataclass(frozen=True)
class FeatureContract:
    """The audio features that the audio encoder was trained on."""

    name: str
    fingerprint: str


@dataclass(frozen=True)
class Manifest:
    """Everything that ``manifest.json`` holds."""

    format_version: int
    name: str
    minimum_runtime: str
    config: ModelConfig
    features: FeatureContract
    graphs: Mapping[str, GraphSpec]
    variants: tuple[Variant, ...]
    files: tuple[FileEntry, ...] = ()
    card: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Parse and check ``manifest.json``; raise InvalidBundle at the first thing wrong."""
        try:
            manifest = decode(cls, parse(text))
        except (Mismatch, ConfigError) as error:
            raise InvalidBundle(
                f"manifest.json cannot be used: {error}; get the bundle again"
            ) from error
        manifest.check()
        return manifest

    def check(self) -> None:
        """Raise InvalidBundle unless the parts agree with each other."""
        _require(
            self.format_version == FORMAT_VERSION,
            f"format_version is {self.format_version}: this version reads {FORMAT_VERSION}",
        )
        _check_files(self.files)
        for name, graph in self.graphs.items():
            _check_tensors(name, graph)
        paths = {entry.path for entry in self.files}
        _require(bool(self.variants), "variants is empty: expected at least one")
        for variant in self.variants:
            _check_variant(variant, set(self.graphs), paths)
        _require(self.card is None or self.card in paths, f"card {self.card!r} is not in files")


def check_path(path: str) -> None:
    """Raise InvalidBundle unless ``path`` is a plain relative name on every operating system."""
    parts = PurePosixPath(path).parts
    plain = (
        path.isascii()
        and path.isprintable()
        and not set(path) & set('\\:*?"<>|')
        and "/".join(parts) == path
        and not path.startswith("/")
    )
    for part in parts:
        stem = part.split(".")[0].lower()
        plain = plain and part != ".." and not part.endswith((".", " ")) and stem not in _RESERVED
    _require(plain and bool(parts), f"file name {path!r} is not a plain relative name")


def _check_files(files: tuple[FileEntry, ...]) -> None:
    _require(len(files) <= MAX_FILES, f"files has {len(files)} entries: expected <= {MAX_FILES}")
    seen: set[str] = set()
    for entry in files:
        check_path(entry.path)
        folded = entry.path.casefold()
        _require(folded != "manifest.json", "manifest.json lists itself")
        _require(folded not in seen, f"{entry.path} is listed twice")
        seen.add(folded)
        _require(
            0 <= entry.size <= MAX_FILE_BYTES,
            f"{entry.path} is said to have {entry.size} bytes: expected 0 to {MAX_FILE_BYTES}",
        )
        hexadecimal = len(entry.sha256) == 64 and set(entry.sha256) <= set("0123456789abcdef")
        _require(hexadecimal, f"sha256 of {entry.path} is {entry.sha256!r}: expected 64 hex digits")


def _check_tensors(graph: str, spec: GraphSpec) -> None:
    for tensors in (spec.inputs, spec.outputs):
        names = [tensor.name for tensor in tensors]
        _require(len(names) == len(set(names)), f"graph {graph} repeats a tensor in {names}")
    for tensor in (*spec.inputs, *spec.outputs):
        where = f"tensor {tensor.name} of graph {graph}"
        _require(tensor.dtype in DTYPES, f"{where} is {tensor.dtype}: expected one of {DTYPES}")
        elements = 1
        for size in tensor.shape:
            _require(size > 0, f"{where} has shape {tensor.shape}: expected sizes of 1 or more")
            elements *= size
        _require(elements <= MAX_ELEMENTS, f"{where} has {elements} elements: expected less")


def _check_variant(variant: Variant, graphs: set[str], paths: set[str]) -> None:
    where = f"variant {variant.backend}/{variant.precision}"
    _require(
        set(variant.files) == graphs,
        f"{where} has files for {sorted(variant.files)}: expected {sorted(graphs)}",
    )
    for path in variant.files.values():
        _require(path in paths, f"{where} names {path!r}, which is not in files")


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise InvalidBundle(f"manifest.json cannot be used: {problem}; get the bundle again")
