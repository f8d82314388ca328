"""Libraries that convert warn of versions newer than themselves and of what is not installed."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings, log lines and progress bars to themselves; errors are raised as ever."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    sinks = (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()))
    try:
        with warnings.catch_warnings(), sinks[0], sinks[1]:
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
