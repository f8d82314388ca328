"""An opened bundle: graphs that are ready to run, and where they run."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rap_edge.bundle import Bundle
from rap_edge.cache_lookup import open_named
from rap_edge.config import ModelConfig
from rap_edge.errors import BackendUnavailable, InvalidBundle, NotSupported
from rap_edge.features import check_contract, silent_hop
from rap_edge.portrait import Crop, cut
from rap_edge.runtime import lifetime
from rap_edge.runtime.avatar import Avatar
from rap_edge.runtime.backends import BACKENDS, Graph, Placement
from rap_edge.runtime.backends.target import Target
from rap_edge.runtime.blinks import closed_references
from rap_edge.runtime.choice import candidates
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.placement.automatic import automatic
from rap_edge.runtime.placement.graphs import open_graphs
from rap_edge.runtime.placement.selftest import UNTESTED, golden_vectors
from rap_edge.runtime.turns import Admission, Turns

if TYPE_CHECKING:
    from PIL.Image import Image

REQUIRED_GRAPHS = ("portrait", "audio", "denoiser", "decoder")


@dataclass(frozen=True, eq=False)
class Model:
    """Weights of one bundle on one backend, immutable: share it between threads and avatars."""

    bundle: Bundle
    graphs: Mapping[str, Graph]
    silence: NDArray[np.float32]  # (M,) the hop of digital silence
    verified: frozenset[str] = frozenset()  # graphs that answered the golden vectors as they should
    turns: Turns = field(default_factory=Turns)  # of the streams, to compute
    admission: Admission = field(default_factory=Admission)

    def __post_init__(self) -> None:
        lifetime.remember_model(self)

    def __repr__(self) -> str:
        manifest = self.bundle.manifest
        placed = {f"{place.backend}/{place.precision}" for place in self.placement.values()}
        return f"Model({manifest.name} {manifest.version}, {', '.join(sorted(placed))})"

    @property
    def config(self) -> ModelConfig:
        return self.bundle.manifest.config

    @property
    def placement(self) -> dict[str, Placement]:
        """Where each graph really runs, and whether it was found to compute rightly there."""
        return {name: self._placement(graph) for name, graph in self.graphs.items()}

    def _placement(self, graph: Graph) -> Placement:
        if graph.name in self.verified:
            return replace(graph.placement, verified=True)
        return replace(graph.placement, note=UNTESTED)

    @property
    def backend(self) -> str:
        """Names of the backends that run the graphs, joined by commas."""
        return ",".join(sorted({place.backend for place in self.placement.values()}))

    def avatar(
        self,
        portrait: str | os.PathLike[str] | Image | NDArray[np.uint8],
        crop: Crop | None = None,
        *,
        blinks: bool = True,
    ) -> Avatar:
        """Make an avatar of the largest face in a photo.

        Args:
            portrait: a picture file, a PIL image, or (H, W, 3) uint8 RGB.
            crop: the square to animate; None finds the face and places the square around it.
            blinks: shut the eyes now and then, if the bundle can find them and they are seen.

        Raises NoFaceFound if there is no face, PortraitError if the picture cannot be used.
        """
        from rap_edge.photo import read_photo

        photo = read_photo(portrait)
        if crop is None:
            crop = self._locate(photo)
        size = self.config.vae.resolution
        image = cut(photo, crop, size)
        with self.turns.soon():
            reference = self.graphs["portrait"].run({"reference": image[None]})
            if blinks:
                reference = {**reference, **closed_references(self.graphs, image, reference)}
        for array in (image, *reference.values()):
            array.setflags(write=False)
        return Avatar(self, image, crop, reference)

    def _locate(self, photo: NDArray[np.uint8]) -> Crop:
        if "locator" not in self.graphs:
            raise NotSupported(
                f"bundle {self.bundle.name!r} has no graph 'locator' to find the face with: "
                "pass crop=Crop(x, y, side)"
            )
        from rap_edge.locate import find_face

        face, found = find_face(photo, lambda name, inputs: self.graphs[name].run(inputs))
        if found > 1:
            warnings.warn(f"{found} faces in the photo: the largest is animated", stacklevel=3)
        return face.crop


def open_model(
    path: str | os.PathLike[str] | Bundle | None = None,
    backend: str = "auto",
    precision: str | None = None,
    strict: bool = True,
    threads: int | None = None,
    trust: Iterable[str | os.PathLike[str]] = (),
) -> Model:
    """Open a bundle on the fastest or the first of its variants; see `rap_edge.open`."""
    if threads is not None and threads < 1:
        raise NotSupported(f"threads is {threads}: expected 1 or more, or None")
    target = Target.parse(backend)
    bundle = path if isinstance(path, Bundle) else open_named(path, trust)
    _check_model(bundle)
    threads = threads or physical_cores()
    vectors = golden_vectors(bundle)
    choices = candidates(bundle.variants, target, precision, strict)
    if target.is_auto:
        choices = automatic(bundle, choices, threads, vectors)
    failure: BackendUnavailable | None = None
    for choice in choices:
        named = strict and not target.is_auto
        try:
            graphs = open_graphs(bundle, choice, threads, vectors, named)
        except BackendUnavailable as error:
            failure = failure or error
        else:
            return Model(bundle, graphs, silent_hop(), frozenset(vectors) & frozenset(graphs))
    raise failure or BackendUnavailable(f"no backend of {list(BACKENDS)} is installed")


def _check_model(bundle: Bundle) -> None:
    missing = sorted(set(REQUIRED_GRAPHS) - set(bundle.manifest.graphs))
    if missing:
        raise InvalidBundle(f"bundle {bundle.name!r} lacks the graphs {missing}: get it again")
    check_contract(bundle.manifest.features)
