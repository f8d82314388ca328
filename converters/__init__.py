"""Checkpoints to bundles: runs on a workstation with torch, never on the device."""

from rap_edge.converters.make_bundle import Papers, make_bundle

__all__ = ["Papers", "make_bundle"]
