"""A Core ML specification, written without coremltools: frames = relu(latent), and a weight."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from hostile.wire import message

BLOB = "@model_path/weights/weight.bin"
OPSET = "CoreML7"
_FLOAT32 = 11


def weights(mark: int = 0xDEADBEEF) -> bytes:
    """One blob of 16 bytes, as Core ML stores it: its head at byte 64, its contents at 128."""
    head = struct.pack("<LLQQ", mark, 2, 16, 128)
    return struct.pack("<LL", 1, 2) + bytes(56) + head + bytes(40) + bytes(16)


def operation(kind: str, blob: tuple[str, int] | None = None) -> bytes:
    made = message((1, kind), (3, _named("frames")))
    if blob is None:
        binding = message((1, "latent"))
        return made + message((2, message((1, "x"), (2, message((1, binding))))))
    value = message((2, _type()), (5, message((1, blob[0]), (2, blob[1]))))
    return made + message((5, message((1, "val"), (2, value))))


def feature(name: str, kind: int = 5) -> bytes:
    """Describe an input or output; kind 5 is an array."""
    array = message((1, 1), (1, 4), (2, 65568)) if kind == 5 else b""
    return message((1, name), (3, message((kind, array))))


def specification(
    operations: Sequence[bytes] | None = None,
    function: str = "main",
    opset: str = OPSET,
    block: str | None = None,
    functions: int = 1,
    version: int = 8,
    description: bytes = b"",
    model: bytes = b"",
) -> bytes:
    """Write ``model.mlmodel``; what is given replaces a part of a right one or ends it."""
    if operations is None:
        operations = (operation("const", (BLOB, 64)), operation("relu"))
    inner = message((2, "frames"), *((3, made) for made in operations))
    body = message((1, _named("latent")), (2, opset))
    body += message((3, message((1, opset if block is None else block), (2, inner))))
    program = message((1, 1), *[(2, message((1, function), (2, body)))] * functions)
    described = message((1, feature("latent")), (10, feature("frames"))) + description
    return message((1, version), (2, described), (502, program)) + model


def _type() -> bytes:
    size = message((1, message((1, 4))))
    return message((1, message((1, _FLOAT32), (2, 1), (3, size))))


def _named(name: str) -> bytes:
    return message((1, name), (2, _type()))
