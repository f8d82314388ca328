"""What a bundle says about itself: ``manifest.json`` as frozen dataclasses, JSON both ways.

The contract of a graph (names, shapes, dtypes) is the same for every variant; a variant says which
files compute it for one backend and precision, what they need and what they lose against fp32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError, InvalidBundle, NotSupported
from rap_edge.manifest_check import DTYPES, FORMAT_VERSION, check_manifest, check_path
from rap_edge.quality import Quality
from rap_edge.quantization import Quantization
from rap_edge.strict_json import Mismatch, decode, encode, parse

__all__ = [
    "DTYPES",
    "FORMAT_VERSION",
    "FeatureContract",
    "FileEntry",
    "GraphSpec",
    "Manifest",
    "PinnedPaths",
    "Requires",
    "TensorSpec",
    "Variant",
    "check_path",
]


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
class Requires:
    """What a variant needs of a machine; what is left empty is not asked for."""

    packages: Mapping[str, str] = field(default_factory=dict)  # import name -> least version
    os: tuple[str, ...] = ()  # linux, macos, windows
    isa: tuple[str, ...] = ()  # avx512_vnni, ...: wanted for its speed, never refused without
    memory_mb: int = 0


@dataclass(frozen=True)
class Variant:
    """The files that compute every graph on one backend at one precision.

    A graph's files are the one that is named here; below it, if it names a folder; and beside an
    OpenVINO ``.xml`` the ``.bin`` of that name. Tolerances hold for the golden vectors: of floats
    relative to the largest value of an output, of uint8 in levels.
    """

    backend: str
    precision: str
    files: Mapping[str, str]  # name of the graph -> path of its main file or folder
    requires: Requires = field(default_factory=Requires)
    quantization: Quantization | None = None
    quality: Quality | None = None  # against fp32; None for fp32 itself
    tolerances: Mapping[str, float] = field(default_factory=dict)  # graph -> relative
    tolerances_levels: Mapping[str, float] = field(default_factory=dict)  # graph -> levels
    speed: Mapping[str, float] = field(default_factory=dict)  # machine -> times real time

    @property
    def label(self) -> str:
        """The name of the variant in its bundle: backend/precision."""
        return f"{self.backend}/{self.precision}"


@dataclass(frozen=True)
class FileEntry:
    """One file of the bundle; every file but the manifest and the signature has an entry."""

    path: str
    size: int
    sha256: str
    role: str  # graph, golden, card, licence, document or input
    licence: str  # SPDX expression; LicenseRef-NAME of a licence text


@dataclass(frozen=True)
class FeatureContract:
    """The audio features that the audio encoder was trained on."""

    name: str
    fingerprint: str


@dataclass(frozen=True)
class PinnedPaths:
    """The inputs of benchmarks, the same on every machine."""

    portrait: str  # path of a photo of a face
    speech: str  # path of a recording


@dataclass(frozen=True)
class Manifest:
    """Everything that ``manifest.json`` holds; variants are listed best first."""

    format_version: int
    name: str
    minimum_runtime: str
    config: ModelConfig
    features: FeatureContract
    graphs: Mapping[str, GraphSpec]
    variants: tuple[Variant, ...]
    files: tuple[FileEntry, ...] = ()
    version: str = "0.1.0"  # of the bundle, by its publisher (semver)
    card: str | None = None
    golden: str | None = None  # path of the golden vectors (rap_edge.golden)
    pinned: PinnedPaths | None = None  # what benchmarks feed it (rap_edge.benchmarks.pinned)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return encode(self)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Parse and check ``manifest.json``.

        Raises InvalidBundle at the first thing wrong, NotSupported for another format version,
        which is looked at before anything else.
        """
        try:
            values = parse(text)
            _check_format(values)
            manifest = decode(cls, values)
        except (Mismatch, ConfigError) as error:
            raise InvalidBundle(
                f"manifest.json cannot be used: {error}; get the bundle again"
            ) from error
        manifest.check()
        return manifest

    def check(self) -> None:
        """Raise InvalidBundle unless the parts agree with each other."""
        check_manifest(self)

    def entry(self, path: str) -> FileEntry | None:
        """Return the entry of a file, None if it is not listed."""
        return next((entry for entry in self.files if entry.path == path), None)

    def variant(self, label: str) -> Variant:
        """Return the variant of a label; raise NotSupported if there is none."""
        for variant in self.variants:
            if variant.label == label:
                return variant
        offered = ", ".join(variant.label for variant in self.variants)
        raise NotSupported(f"bundle {self.name!r} has no variant {label!r}: it offers {offered}")

    def graph_files(self, path: str) -> tuple[str, ...]:
        """List the files of a graph whose variant names ``path``, the main file first."""
        return graph_files(path, tuple(entry.path for entry in self.files))


def graph_files(path: str, listed: tuple[str, ...]) -> tuple[str, ...]:
    """List those of the ``listed`` files that make up the graph at ``path``; none if it is bare."""
    if path not in listed:
        return tuple(sorted(name for name in listed if name.startswith(f"{path}/")))
    weights = path.removesuffix(".xml") + ".bin"
    return (path, weights) if path.endswith(".xml") and weights in listed else (path,)


def _check_format(values: Any) -> None:
    found = values.get("format_version") if isinstance(values, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or found == FORMAT_VERSION:
        return  # decoding names what else is wrong
    if found > FORMAT_VERSION:
        raise NotSupported(
            f"format_version is {found} and this rap-edge reads {FORMAT_VERSION}: "
            "pip install --upgrade rap-edge"
        )
    raise NotSupported(
        f"format_version is {found} and this rap-edge reads {FORMAT_VERSION}: "
        "get a newer bundle, or make it again with `rap-edge convert`"
    )
