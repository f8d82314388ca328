"""coremltools, imported when it is needed and without its noise."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

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


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings, log lines and progress bars of coremltools and torch.export quiet.

    coremltools warns of every torch that is newer than itself, and of what only a Mac has.
    """
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    sinks = (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()))
    try:
        with warnings.catch_warnings(), sinks[0], sinks[1]:
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
