"""Checkpoints to bundles: runs on a workstation with torch, never on the device."""

from rap_edge.converters.make_bundle import make_bundle
from rap_edge.converters.showing import Example

__all__ = ["Example", "make_bundle"]
