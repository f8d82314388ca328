"""The rules of a manifest: its parts agree with each other, its names and sizes are sane."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from rap_edge.errors import InvalidBundle
from rap_edge.versions import LEAST, is_least, is_semver

if TYPE_CHECKING:
    from rap_edge.manifest import FileEntry, GraphSpec, Manifest, TensorSpec, Variant

FORMAT_VERSION = 2
DTYPES = ("float32", "float16", "uint8", "int32", "int64")
ROLES = ("graph", "golden", "card", "licence", "document", "input")
SYSTEMS = ("linux", "macos", "windows")
RESERVED = ("manifest.json", "bundle.sig", "subset.json")  # never among the files
MAX_FILES = 256
MAX_FILE_BYTES = 1 << 30
MAX_TOTAL_BYTES = 4 << 30  # of all files
MAX_PATH = 160  # characters
MAX_NAME = 128  # characters of any other name
MAX_ELEMENTS = 1 << 28  # of one tensor
MAX_TENSORS = 64  # of one graph, inputs or outputs
MAX_RANK = 8
MAX_GRAPHS = 64
MAX_VARIANTS = 64

_DEVICES = {"con", "prn", "aux", "nul", *(f"{p}{i}" for p in ("com", "lpt") for i in range(1, 10))}


def check_path(path: str) -> None:
    """Raise InvalidBundle unless ``path`` is a plain relative name on every operating system."""
    parts = PurePosixPath(path).parts
    plain = (
        len(path) <= MAX_PATH
        and path.isascii()
        and path.isprintable()
        and not set(path) & set('\\:*?"<>|')
        and "/".join(parts) == path
        and not path.startswith("/")
    )
    for part in parts:
        stem = part.split(".")[0].rstrip(" ").lower()
        plain = plain and part != ".." and not part.endswith((".", " ")) and stem not in _DEVICES
    _require(plain and bool(parts), f"file name {path[:MAX_PATH]!r} is not a plain relative name")


def check_manifest(manifest: Manifest) -> None:
    """Raise InvalidBundle at the first rule that is broken."""
    _require(
        manifest.format_version == FORMAT_VERSION,
        f"format_version is {manifest.format_version}: this version reads {FORMAT_VERSION}",
    )
    _check_names("name", (manifest.name,))
    _require(
        is_semver(manifest.version),
        f"version is {manifest.version!r}: expected MAJOR.MINOR.PATCH, such as 1.0.0",
    )
    _check_least("minimum_runtime", manifest.minimum_runtime)
    _check_files(manifest.files)
    roles = {entry.path: entry.role for entry in manifest.files}
    for what, path in (("card", manifest.card), ("golden", manifest.golden)):
        listed = path is None or roles.get(path) == what
        _require(listed, f"{what} {path!r} is not in files with the role {what!r}")
    for path in (manifest.pinned.portrait, manifest.pinned.speech) if manifest.pinned else ():
        _require(roles.get(path) == "input", f"pinned {path!r} is not in files as an 'input'")
    _check_graphs(manifest.graphs)
    _check_variants(manifest)


def _check_files(files: tuple[FileEntry, ...]) -> None:
    _require(len(files) <= MAX_FILES, f"files has {len(files)} entries: expected <= {MAX_FILES}")
    seen: set[str] = set()
    for entry in files:
        check_path(entry.path)
        folded = entry.path.casefold()
        _require(folded not in RESERVED, f"{entry.path} is not to be listed")
        _require(folded not in seen, f"{entry.path} is listed twice")
        seen.add(folded)
        _require(
            0 <= entry.size <= MAX_FILE_BYTES,
            f"{entry.path} is said to have {entry.size} bytes: expected 0 to {MAX_FILE_BYTES}",
        )
        hexadecimal = len(entry.sha256) == 64 and set(entry.sha256) <= set("0123456789abcdef")
        _require(hexadecimal, f"sha256 of {entry.path} is {entry.sha256!r}: expected 64 hex digits")
        _require(
            entry.role in ROLES,
            f"role of {entry.path} is {entry.role!r}: expected one of {', '.join(ROLES)}",
        )
        _check_names(f"licence of {entry.path}", (entry.licence,))
    total = sum(entry.size for entry in files)
    _require(total <= MAX_TOTAL_BYTES, f"files have {total} bytes: expected <= {MAX_TOTAL_BYTES}")
    parents = {str(above) for path in seen for above in PurePosixPath(path).parents}
    both = sorted(parents & (seen | set(RESERVED)))
    _require(not both, f"{', '.join(both)} is both a file and a folder")


def _check_graphs(graphs: Mapping[str, GraphSpec]) -> None:
    _require(len(graphs) <= MAX_GRAPHS, f"graphs has {len(graphs)}: expected <= {MAX_GRAPHS}")
    _check_names("name of a graph", tuple(graphs))
    for name, graph in graphs.items():
        for tensors in (graph.inputs, graph.outputs):
            names = tuple(tensor.name for tensor in tensors)
            _check_names(f"tensor of graph {name}", names)
            _require(len(names) == len(set(names)), f"graph {name} repeats a tensor in {names}")
            _require(len(names) <= MAX_TENSORS, f"graph {name} has more than {MAX_TENSORS} tensors")
        for tensor in (*graph.inputs, *graph.outputs):
            _check_tensor(f"tensor {tensor.name} of graph {name}", tensor)


def _check_tensor(where: str, tensor: TensorSpec) -> None:
    _require(tensor.dtype in DTYPES, f"{where} is {tensor.dtype}: expected one of {DTYPES}")
    _require(len(tensor.shape) <= MAX_RANK, f"{where} has rank {len(tensor.shape)}: expected less")
    elements = 1
    for size in tensor.shape:
        _require(size > 0, f"{where} has shape {tensor.shape}: expected sizes of 1 or more")
        elements *= size
        _require(elements <= MAX_ELEMENTS, f"{where} has {elements} elements: expected less")


def _check_variants(manifest: Manifest) -> None:
    variants = manifest.variants
    _require(bool(variants), "variants is empty: expected at least one")
    _require(len(variants) <= MAX_VARIANTS, f"variants has {len(variants)}: expected less")
    labels = [variant.label for variant in variants]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    _require(not twice, f"variant {', '.join(twice)} is there twice: expected other precisions")
    for variant in variants:
        where = f"variant {variant.label}"
        _check_names(f"backend and precision of {where}", (variant.backend, variant.precision))
        _check_variant_files(manifest, variant, where)
        _check_requires(variant, where)
        _check_tolerances(manifest, variant, where)


def _check_variant_files(manifest: Manifest, variant: Variant, where: str) -> None:
    _require(
        set(variant.files) == set(manifest.graphs),
        f"{where} has files for {sorted(variant.files)}: expected {sorted(manifest.graphs)}",
    )
    for path in variant.files.values():
        files = manifest.graph_files(path)
        _require(bool(files), f"{where} names {path!r}, which is not in files")


def _check_requires(variant: Variant, where: str) -> None:
    requires = variant.requires
    for package, least in requires.packages.items():
        _check_least(f"least version of {package} of {where}", least)
    for system in requires.os:
        _require(system in SYSTEMS, f"{where} requires os {system!r}: expected one of {SYSTEMS}")
    _require(requires.memory_mb >= 0, f"{where} requires {requires.memory_mb} MB: expected >= 0")


def _check_tolerances(manifest: Manifest, variant: Variant, where: str) -> None:
    """Golden vectors need a tolerance for every output that is not to be equal exactly."""
    for name, values in (
        ("tolerances", variant.tolerances),
        ("tolerances_levels", variant.tolerances_levels),
    ):
        for graph, value in values.items():
            _require(graph in manifest.graphs, f"{where} has {name} for {graph!r}: no such graph")
            _require(value >= 0, f"{name} of {graph} of {where} is {value}: expected >= 0")
    for graph, spec in manifest.graphs.items() if manifest.golden else ():
        kinds = {tensor.dtype for tensor in spec.outputs}
        missing = (kinds & {"float32", "float16"} and graph not in variant.tolerances) or (
            "uint8" in kinds and graph not in variant.tolerances_levels
        )
        _require(not missing, f"{where} has no tolerance for {graph}, which has golden vectors")


def _check_least(what: str, version: str) -> None:
    _require(is_least(version), f"{what} is {version!r}: expected {LEAST}, such as 1.18")


def _check_names(what: str, names: tuple[str, ...]) -> None:
    for name in names:
        plain = 0 < len(name) <= MAX_NAME and name.isascii() and name.isprintable()
        _require(plain, f"{what} is {name[:MAX_NAME]!r}: expected 1 to {MAX_NAME} ASCII characters")


def _require(condition: object, problem: str) -> None:
    if not condition:
        raise InvalidBundle(f"manifest.json cannot be used: {problem}; get the bundle again")
