"""A model whose every graph was found to compute rightly here: of others no speed is told."""

from __future__ import annotations

from rap_edge.bundle import Bundle
from rap_edge.errors import BackendFailed, BackendUnavailable, NotSupported
from rap_edge.runtime import Model, open_model

REFUSALS = (BackendUnavailable, BackendFailed, NotSupported)
"""What says why something cannot be measured."""


def open_checked(bundle: Bundle, backend: str, precision: str, threads: int) -> Model:
    """Open a variant on a backend, or on one of its devices, as `rap_edge.open` names it.

    Raises BackendUnavailable if a graph did not answer its golden vectors as it should, or was not
    asked, or does not run here.
    """
    model = open_model(bundle, backend, precision, threads=threads)
    unchecked = sorted(set(model.graphs) - model.verified)
    if unchecked:
        raise BackendUnavailable(
            f"the bundle has no golden vectors for {', '.join(unchecked)}: expected them for every "
            "graph, speed without a check is not told; convert it again"
        )
    return model
