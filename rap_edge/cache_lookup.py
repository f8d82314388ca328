"""Where bundles are installed, and an installed bundle by its name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rap_edge.bundle import Bundle, open_bundle
from rap_edge.errors import InvalidBundle

if TYPE_CHECKING:
    from rap_edge.cache import Cache

PathLike = str | os.PathLike[str]

DEFAULT = "default"  # the bundle that comes with the package


def default_root() -> Path:
    """Return the folder for installed bundles: RAP_EDGE_CACHE, or the user's of the platform."""
    from platformdirs import user_cache_path

    named = os.environ.get("RAP_EDGE_CACHE")
    return Path(named) if named else user_cache_path("rap-edge") / "bundles"


def open_named(path: PathLike | None = None, trust: Iterable[PathLike] = ()) -> Bundle:
    """Open a bundle as `open_bundle` does, or the installed one of a name that is no path.

    What is there under the path wins; only a bare name, without folders, is looked up. None and
    "default" are the bundle that comes with the package.
    """
    if path is None or not _is_bare_name(path):
        return open_bundle(path, trust)
    if str(path) == DEFAULT:
        return open_bundle(None, trust)
    found = open_installed(path, trust)
    if found is None:
        names = ", ".join(_installed_names()) or "nothing"
        raise InvalidBundle(
            f"{str(path)!r} is neither a path nor an installed bundle: expected a folder, a .rapb "
            f"file or a name of `rap-edge bundle list` ({names} is installed)"
        )
    return found


def open_installed(name: PathLike, trust: Iterable[PathLike] = ()) -> Bundle | None:
    """Open the current bundle of a name that is no path; return None if none is installed."""
    cache = _cache() if _is_bare_name(name) else None
    if cache is None or not cache.holds(str(name)):
        return None
    return cache.open(str(name), trust)


def _is_bare_name(path: PathLike) -> bool:
    return Path(path).name == str(path) and not os.path.lexists(path)


def _installed_names() -> list[str]:
    cache = _cache()
    return [] if cache is None else [b.name for b in cache.installed() if b.current]


def _cache() -> Cache | None:
    """Return the cache if something was ever installed; looking makes no folder."""
    root = default_root()
    if not (root / "state.json").is_file():
        return None
    from rap_edge.cache import Cache

    return Cache(root)
