"""Golden vectors: one set of inputs and outputs of every graph, to test a backend with.

``golden.npz`` is an uncompressed zip in the form of `rap_edge.archive`, which
``numpy.load`` reads too: ``graph/tensor.npy`` for each tensor, and ``aliases.json``, which names
the tensors that equal one that is stored. Sizes follow from the contracts of the graphs and are
compared before anything is made of the contents.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge.archive import Member, build, parse
from rap_edge.errors import InvalidBundle
from rap_edge.manifest import GraphSpec, TensorSpec
from rap_edge.strict_json import Mismatch, decode, encode
from rap_edge.strict_json import parse as parse_json

ALIASES = "aliases.json"
MAX_ALIASES_BYTES = 1 << 18

Array = NDArray[Any]
Vectors = Mapping[str, Mapping[str, Array]]  # graph -> tensor -> value, inputs and outputs


@dataclass(frozen=True)
class Aliases:
    """Tensors, as ``graph/tensor``, that equal a tensor that is stored."""

    equal: Mapping[str, str]


def write(vectors: Vectors) -> bytes:
    """Return the contents of ``golden.npz``; the same vectors give the same bytes."""
    files: dict[str, bytes] = {}
    stored: dict[bytes, str] = {}
    equal: dict[str, str] = {}
    for graph in sorted(vectors):
        for tensor in sorted(vectors[graph]):
            name = f"{graph}/{tensor}"
            value = np.ascontiguousarray(vectors[graph][tensor])
            content = _header(value.dtype.name, vectors[graph][tensor].shape) + value.tobytes()
            if content in stored:
                equal[name] = stored[content]
            else:
                stored[content] = name
                files[f"{name}.npy"] = content
    files[ALIASES] = encode(Aliases(equal)).encode("utf-8")
    return b"".join(build(files))


def read(content: bytes | memoryview, graphs: Mapping[str, GraphSpec]) -> Vectors:
    """Read golden vectors of every tensor of every graph, without a copy.

    Raises InvalidBundle if a tensor is missing, is not of the shape and dtype of its graph's
    contract, or something else is there.
    """
    archive = memoryview(content)
    try:
        return _read(archive, parse(archive), graphs)
    except (InvalidBundle, Mismatch, UnicodeDecodeError) as error:
        raise InvalidBundle(f"the golden vectors cannot be used: {error}") from error


def compare(
    outputs: Mapping[str, Array],
    expected: Mapping[str, Array],
    tolerance: float,
    tolerance_levels: float = 0.0,
    contract: GraphSpec | None = None,
) -> list[str]:
    """Name every output that is further from the expected one than allowed; none if all agree.

    ``expected`` may hold inputs too: ``contract`` says which outputs have to be there, and without
    it those that are there are compared, one at least. Floats may differ by ``tolerance`` of the
    largest expected value, uint8 by ``tolerance_levels``, other integers not at all. NaN and other
    shapes fail.
    """
    names = list(outputs) if contract is None else [tensor.name for tensor in contract.outputs]
    failures = [f"{name} is not an output" for name in outputs if name not in names]
    failures += [f"{name} is missing" for name in names if name not in outputs]
    if not names:
        failures.append("there are no outputs")
    for name in (name for name in names if name in outputs):
        value, wanted = outputs[name], expected[name]
        if value.shape != wanted.shape or value.dtype != wanted.dtype:
            failures.append(f"{name} is {value.dtype} {value.shape}: expected {wanted.dtype} "
                            f"{wanted.shape}")  # fmt: skip
            continue
        allowed = tolerance_levels if wanted.dtype == np.uint8 else 0.0
        if wanted.dtype.kind == "f":
            allowed = tolerance * float(np.abs(wanted.astype(np.float64)).max(initial=0.0))
        with np.errstate(invalid="ignore"):  # infinity less itself
            difference = np.abs(value.astype(np.float64) - wanted.astype(np.float64))
        largest = float(difference.max(initial=0.0))
        if not largest <= allowed:  # NaN fails
            failures.append(f"{name} differs by {largest:.4g}: expected {allowed:.4g} at most")
    return failures


def _read(
    archive: memoryview, members: Mapping[str, Member], graphs: Mapping[str, GraphSpec]
) -> Vectors:
    if ALIASES not in members or members[ALIASES].size > MAX_ALIASES_BYTES:
        raise InvalidBundle(f"{ALIASES} is missing or too large")
    text = bytes(members[ALIASES].content(archive)).decode("utf-8")
    equal = decode(Aliases, parse_json(text)).equal
    specs = dict(_specs(graphs))
    stored = {f"{name}.npy" for name in specs} - {f"{name}.npy" for name in equal}
    if not set(equal) <= set(specs) or stored | {ALIASES} != set(members):
        raise InvalidBundle("its tensors are not those of the graphs")
    vectors: dict[str, dict[str, Array]] = {graph: {} for graph in graphs}
    for name, spec in specs.items():
        member = members.get(f"{equal.get(name, name)}.npy")
        if member is None:
            raise InvalidBundle(f"{name} equals {equal[name]!r}, which is not there")
        graph, _, tensor = name.partition("/")
        vectors[graph][tensor] = _tensor(archive, member, spec)
    return vectors


def _specs(graphs: Mapping[str, GraphSpec]) -> Iterator[tuple[str, TensorSpec]]:
    for graph, spec in graphs.items():
        for tensor in (*spec.inputs, *spec.outputs):
            yield f"{graph}/{tensor.name}", tensor


def _tensor(archive: memoryview, member: Member, spec: TensorSpec) -> Array:
    header = _header(spec.dtype, spec.shape)
    dtype = np.dtype(spec.dtype).newbyteorder("<")
    expected = len(header) + int(np.prod(spec.shape, dtype=np.int64)) * dtype.itemsize
    if member.size != expected:
        raise InvalidBundle(f"{member.name} has {member.size} bytes: expected {expected}")
    content = member.content(archive)
    if content[: len(header)] != header:
        raise InvalidBundle(f"{member.name} is not {spec.dtype} {spec.shape}")
    return np.frombuffer(content, dtype, offset=len(header)).reshape(spec.shape)


def _header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the header of an .npy file, format 1.0, padded to a multiple of 64 bytes."""
    description = np.dtype(dtype).newbyteorder("<").str
    text = f"{{'descr': '{description}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    padding = -(10 + len(text) + 1) % 64
    encoded = (text + " " * padding + "\n").encode("ascii")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(encoded)) + encoded
