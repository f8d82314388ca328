"""Exported graphs keep to the operators of ``rap_edge.operators``."""

from __future__ import annotations

from onnx import ModelProto

from rap_edge.errors import NotSupported
from rap_edge.operators import ALLOWED, DOMAINS

__all__ = ["ALLOWED", "require_allowed"]


def require_allowed(model: ModelProto) -> None:
    """Raise NotSupported that names every operator of a graph which is not on the list."""
    used = {(node.domain, node.op_type) for node in model.graph.node}
    foreign = sorted(
        f"{domain}.{op}".lstrip(".") for domain, op in used if op not in DOMAINS.get(domain, ())
    )
    if foreign:
        raise NotSupported(
            f"graph {model.graph.name!r} uses {', '.join(foreign)} - expected operators that every "
            "backend runs (rap_edge.operators) - write the module with those"
        )
