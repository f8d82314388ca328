"""Where bundles are installed, and an installed bundle by its name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from rap_edge.bundle import Bundle, open_bundle

PathLike = str | os.PathLike[str]


def default_root() -> Path:
    """Return the folder for installed bundles: RAP_EDGE_CACHE, or the user's of the platform."""
    from platformdirs import user_cache_path

    named = os.environ.get("RAP_EDGE_CACHE")
    return Path(named) if named else user_cache_path("rap-edge") / "bundles"


def open_named(path: PathLike | None = None, trust: Iterable[PathLike] = ()) -> Bundle:
    """Open a bundle as `open_bundle` does, or the installed one of a name that is no path.

    What is there under the path wins; only a bare name, without folders, is looked up.
    """
    if path is None or Path(path).name != str(path) or os.path.lexists(path):
        return open_bundle(path, trust)
    root = default_root()
    if (root / "state.json").is_file():
        from rap_edge.cache import Cache

        cache = Cache(root)
        if cache.holds(str(path)):
            return cache.open(str(path), trust)
    return open_bundle(path, trust)
