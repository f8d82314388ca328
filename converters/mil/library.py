"""coremltools, imported when it is needed and without its noise."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rap_edge.converters.quiet import quiet
from rap_edge.errors import NotSupported


def library(module: str = "coremltools") -> Any:
    """Import coremltools or one of its modules; raise NotSupported if it is not installed."""
    with quiet():
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != "coremltools":
                raise
            raise NotSupported(
                "coremltools is not installed - Core ML programs are made and read with it - "
                "pip install 'rap-edge[coreml]'"
            ) from error
