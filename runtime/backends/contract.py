"""What a backend found in a graph, against what the manifest says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rap_edge.errors import InvalidBundle
from rap_edge.manifest import TensorSpec

Found = Mapping[str, tuple[object, str]]
"""Shape and dtype of tensors by name; a shape that is not static is whatever it is."""

MOST_TOLD = 400
"""Characters of a runtime's own message."""


def check_tensors(graph: str, kind: str, found: Found, expected: Sequence[TensorSpec]) -> None:
    """Raise InvalidBundle unless the inputs or outputs are those of the manifest."""
    wanted = {tensor.name: (tuple(tensor.shape), tensor.dtype) for tensor in expected}
    if found != wanted:
        raise InvalidBundle(
            f"graph {graph} has {kind}s {found}: expected {wanted}, as the manifest says"
        )


def short(error: Exception) -> str:
    """Return a runtime's message on one line, without what goes on and on."""
    text = " ".join(str(error).split())
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}..."
