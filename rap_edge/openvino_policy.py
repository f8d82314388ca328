"""What an OpenVINO IR of a bundle may hold: layers of the list in `rap_edge.operators`."""

from __future__ import annotations

import re
from xml.parsers import expat

from rap_edge.errors import InvalidBundle
from rap_edge.operators import IR, MAX_IR_OPSET

MAX_XML_BYTES = 32 << 20
MAX_DEPTH = 24
PARTS = ("net", "layers", "layer", "data", "input", "output", "port", "dim", "edges", "edge")
INFORMATION = "rt_info"  # what is below it is not run; any element may be there


def check_ir(name: str, content: bytes, weights_bytes: int) -> None:
    """Raise InvalidBundle unless the XML of an IR holds nothing but what a bundle may.

    That is: no document type and no entity, no subgraph (a ``body``), no layer of an extension, and
    no constant that lies outside the ``weights_bytes`` of its ``.bin``.
    """
    try:
        if len(content) > MAX_XML_BYTES:
            raise _Refused(f"it has {len(content)} bytes")
        _Reader(weights_bytes).read(content)
    except (_Refused, expat.ExpatError) as error:
        raise InvalidBundle(
            f"{name} is not a graph that a bundle may hold: {error}; get the bundle again"
        ) from error


class _Refused(ValueError):
    pass


class _Reader:
    """Walks the elements of one IR and keeps the path to the current one."""

    def __init__(self, weights_bytes: int) -> None:
        self._weights_bytes = weights_bytes
        self._open: list[str] = []

    def read(self, content: bytes) -> None:
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _: self._open.pop()
        for handler in (
            "StartDoctypeDeclHandler",
            "EntityDeclHandler",
            "ExternalEntityRefHandler",
            "ProcessingInstructionHandler",
        ):
            setattr(parser, handler, _refuse)
        parser.Parse(content, True)

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise _Refused(f"it has more than {MAX_DEPTH} levels")
        if not self._open and element != "net":
            raise _Refused(f"it begins with {element[:40]!r}: expected 'net'")
        if INFORMATION not in self._open and element not in (*PARTS, INFORMATION):
            raise _Refused(f"it has an element {element[:40]!r}")
        if INFORMATION not in self._open and element == "layer":
            _check_layer(attributes)
        if element == "data" and {"offset", "size"} & set(attributes):
            self._check_constant(attributes)
        self._open.append(element)

    def _check_constant(self, attributes: dict[str, str]) -> None:
        offset, size = attributes.get("offset", ""), attributes.get("size", "")
        if not all(re.fullmatch(r"\d{1,12}", number, re.ASCII) for number in (offset, size)):
            raise _Refused(f"it has a constant at {offset[:40]!r} of {size[:40]!r} bytes")
        if int(offset) + int(size) > self._weights_bytes:
            raise _Refused(
                f"it has a constant up to byte {int(offset) + int(size)}: its weights have "
                f"{self._weights_bytes}"
            )


def _check_layer(attributes: dict[str, str]) -> None:
    kind, version = attributes.get("type", ""), attributes.get("version", "")
    if kind not in IR:
        raise _Refused(f"it has a layer of type {kind[:40]!r}")
    opset = re.fullmatch(r"opset(\d{1,2})", version, re.ASCII)
    if opset is None or not 0 < int(opset[1]) <= MAX_IR_OPSET:
        raise _Refused(
            f"it has a layer of {version[:40]!r}: expected a numbered opset, {MAX_IR_OPSET} at most"
        )


def _refuse(*_: object) -> None:
    raise _Refused("it has a document type, an entity or an instruction")
