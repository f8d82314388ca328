"""The audio features that a model is trained on, named so that a bundle and a runtime can agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.errors import InvalidBundle
from rap_edge.manifest import FeatureContract


def feature_contract() -> FeatureContract:
    """Return the name and fingerprint of the features that this version computes."""
    spec = FeatureSpec.rap()
    return FeatureContract(spec.name, spec.fingerprint())


def check_contract(asked: FeatureContract) -> None:
    """Raise InvalidBundle unless a bundle was trained on the features of this version."""
    here = feature_contract()
    if asked != here:
        raise InvalidBundle(
            f"the bundle was trained on features {asked.name} {asked.fingerprint} and this version "
            f"computes {here.name} {here.fingerprint}: use versions that belong together"
        )


def silent_hop() -> NDArray[np.float32]:
    """Return the hop (M,) of digital silence."""
    spec = FeatureSpec.rap()
    hops = offline_features(spec, np.zeros(spec.sample_rate, np.float32))
    silent: NDArray[np.float32] = hops[0]
    return silent
