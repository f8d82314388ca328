"""The three stages between log-mel hops and frames, each a pure ``step(input, state)``.

    hops (H, M) ─► AudioStage ─► tokens ─► DenoiseStage ─► latents ─► DecodeStage ─► frames

A stage holds what never changes (graphs, the reference) and buffers of its own to run a graph in;
a state is a value that ``step`` takes and returns, so an offline pass and a stream are the same
steps from the same start, and a stream goes back by taking up an older value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import ModelConfig
from rap_edge.runtime.backends import Array, Graph
from rap_edge.runtime.blinks import HALF, SHUT
from rap_edge.runtime.levels import Level
from rap_edge.sampling import (
    Chunk,
    Tails,
    chunk_noise,
    denoise_chunk,
    retime,
    timestep_embedding,
)

STATE, NEXT_STATE = "state.", "next_state."


class AudioStage:
    """Hops to audio tokens, one window of hops a chunk."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph.bind()

    def step(self, hops: NDArray[np.float32]) -> Array:
        """Encode a window of hops (H, M) to tokens (1, L, D), which the next step overwrites."""
        self._graph.inputs["hops"][0] = hops
        self._graph.run()
        return self._graph.outputs["tokens"]


@dataclass(frozen=True, eq=False)
class Motion:
    """What the next chunk continues from: the noisy past of the window."""

    latent: int  # index of the next latent, which decides its noise
    tails: Tails[Array] | None  # None at the start
    steps: int  # of the solver that made the tails


class DenoiseStage:
    """Audio tokens to the chunk's new latents."""

    def __init__(self, config: ModelConfig, graph: Graph, reference_map: Array, seed: int) -> None:
        self._sampler = config.sampler
        self._seed = seed
        self._graph = graph.bind({"reference_map": reference_map})
        self._latent_shape = self._graph.inputs["latent"].shape[2:]  # (C, H, W)
        self._time_width = self._graph.inputs["timestep"].shape[1]

    def initial(self) -> Motion:
        return Motion(0, None, self._sampler.steps)

    def step(
        self, tokens: Array, motion: Motion, level: Level, stir: float = 1.0
    ) -> tuple[Array, Motion]:
        """Return the new latents (T, C, H, W) of a chunk and what the next one continues from.

        The first chunk of all gives a whole window of latents. ``stir`` scales the noise that
        decides how the head moves.
        """
        sampler = level.sampler(self._sampler)
        tails = motion.tails
        if tails is not None and motion.steps != sampler.steps:
            tails = retime(tails, replace(sampler, steps=motion.steps), sampler)
        inherited = 0 if tails is None else sampler.overlap
        chunk = Chunk(motion.latent - inherited, sampler.window, inherited)
        self._graph.inputs["tokens"][...] = tokens
        latents, tails = denoise_chunk(self._predict, self._noise(chunk, stir), tails, sampler)
        return latents[0, inherited:], Motion(chunk.new.stop, tails, sampler.steps)

    def _predict(self, latent: Array, time: float) -> Array:
        self._graph.inputs["latent"][...] = latent
        self._graph.inputs["timestep"][0] = timestep_embedding(time, self._time_width)
        self._graph.run()
        return self._graph.outputs["clean"]

    def _noise(self, chunk: Chunk, stir: float) -> Array:
        """Return the noise of the new latents (1, T, C, H, W): the others are inherited."""
        noise = np.zeros((1, chunk.n, *self._latent_shape), np.float32)
        new = Chunk(chunk.new.start, len(chunk.new), 0)
        noise[0, chunk.inherited :] = chunk_noise(
            self._seed, new, self._latent_shape, self._sampler
        )
        noise[:, :, : self._sampler.free_channels] *= np.float32(stir)
        return noise


class DecodeStage:
    """One latent to the frames that it covers; the state is what the graph feeds back to itself.

    ``reference`` is what the graph draws from, by its inputs, and the same with the lids half and
    wholly shut under `HALF` and `SHUT`, if the avatar can blink.
    """

    def __init__(self, graph: Graph, reference: Mapping[str, Array]) -> None:
        names = {tensor.name for tensor in graph.spec.inputs}
        self._graph = graph.bind({name: reference[name] for name in names & set(reference)})
        self._fed_back = sorted(name for name in self._graph.inputs if name.startswith(STATE))
        self._lids = [
            {name: reference[prefix + name] for name in names if prefix + name in reference}
            for prefix in (HALF, SHUT)
        ]
        self._shut = np.empty_like(self._graph.outputs["frames"]) if self.can_blink else None

    @property
    def is_stateful(self) -> bool:
        return bool(self._fed_back)

    @property
    def can_blink(self) -> bool:
        return all(self._lids)

    def initial(self) -> dict[str, Array]:
        return {name: np.zeros_like(self._graph.inputs[name]) for name in self._fed_back}

    def step(
        self,
        latent: Array,
        state: Mapping[str, Array],
        out: NDArray[np.uint8],
        blinks: bool = False,
    ) -> dict[str, Array]:
        """Decode a latent (C, H, W) to frames (F, H, W, 3) in ``out``; return the next state.

        In frames of a latent that ``blinks`` the lids are shut, in the first and the last one half.
        """
        self._graph.inputs["latent"][0, 0] = latent
        for name in self._fed_back:
            self._graph.inputs[name][...] = state[name]
        following: dict[str, Array] = {}
        if self.is_stateful or not blinks or self._shut is None:
            self._graph.run({"frames": out})
            following = {name: self._next(name).copy() for name in self._fed_back}
        if blinks and self._shut is not None:
            half, shut = self._lids
            self._graph.run({"frames": out}, half)
            self._graph.run({"frames": self._shut}, shut)
            out[1:-1] = self._shut[1:-1]
        return following

    def _next(self, name: str) -> Array:
        return self._graph.outputs[NEXT_STATE + name.removeprefix(STATE)]
