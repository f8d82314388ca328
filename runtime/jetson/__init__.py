"""Reads what a Jetson tells of itself: module, release, power mode, clocks and power rails.

Formats are those of the Jetson Linux Developer Guide ("Platform Power and Performance",
"tegrastats Utility"). Parsers take text and never raise: what they do not know they leave out.
"""

from rap_edge.runtime.jetson.machine import Jetson, read_jetson

__all__ = ["Jetson", "read_jetson"]
