"""The three stages between log-mel hops and frames, each a pure ``step(input, state)``.

    hops (F, M) ─► AudioStage ─► tokens ─► DenoiseStage ─► latents ─► DecodeStage ─► frames

A stage holds what never changes (graphs, the reference); a state is a value that ``step`` takes and
returns, so an offline pass and a stream are the same steps from ``initial()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import ModelConfig
from rap_edge.runtime.backends import Array, Graph
from rap_edge.sampling import Chunk, Tails, chunk_at, chunk_noise, denoise_chunk, timestep_embedding

STATE, NEXT_STATE = "state.", "next_state."


@dataclass(frozen=True)
class AudioState:
    """Hops that later chunks still need, and which chunk is next."""

    hops: NDArray[np.float32]  # (F, M)
    first_hop: int  # index in the stream of hops[0]; negative before the stream
    chunk: int


@dataclass(frozen=True)
class Spoken:
    """A chunk and its audio tokens."""

    chunk: Chunk
    tokens: Array  # (1, L, D)


class AudioStage:
    """Hops to audio tokens, one window of hops a chunk."""

    def __init__(self, config: ModelConfig, graph: Graph, silence: NDArray[np.float32]) -> None:
        """``silence`` (M,) is the hop of digital silence, which fills the time before a stream."""
        self._config = config
        self._graph = graph
        self._silence = silence
        (hops,) = graph.spec.inputs
        self._window_hops = hops.shape[1]
        self._left_hops = config.audio.left_hops(config.timeline.hops_per_frame)

    def initial(self) -> AudioState:
        first_hop = self._first_hop(0)
        return AudioState(np.tile(self._silence, (-first_hop, 1)), first_hop, 0)

    def step(self, hops: NDArray[np.float32], state: AudioState) -> tuple[list[Spoken], AudioState]:
        """Encode every chunk that the hops (F, M) complete, together with those in ``state``."""
        held = np.concatenate([state.hops, hops])
        first, index = state.first_hop, state.chunk
        spoken: list[Spoken] = []
        while (start := self._first_hop(index) - first) + self._window_hops <= len(held):
            window = held[start : start + self._window_hops]
            tokens = self._graph.run({"hops": window[None]})["tokens"]
            spoken.append(Spoken(chunk_at(index, self._config.sampler), tokens))
            index += 1
        needed = self._first_hop(index) - first
        return spoken, AudioState(held[needed:].copy(), first + needed, index)

    def _first_hop(self, index: int) -> int:
        chunk = chunk_at(index, self._config.sampler)
        return self._config.timeline.first_hop(chunk.first) - self._left_hops


class DenoiseStage:
    """Audio tokens to the chunk's new latents; the state is the noisy tails of the chunk before."""

    def __init__(self, config: ModelConfig, graph: Graph, reference_map: Array, seed: int) -> None:
        self._sampler = config.sampler
        self._graph = graph
        self._reference_map = reference_map
        self._seed = seed
        tensors = {tensor.name: tensor.shape for tensor in graph.spec.inputs}
        self._latent_shape = tensors["latent"][2:]  # (C, H, W)
        self._time_width = tensors["timestep"][1]

    def initial(self) -> Tails[Array] | None:
        return None

    def step(self, spoken: Spoken, state: Tails[Array] | None) -> tuple[Array, Tails[Array]]:
        """Return the new latents (T, C, H, W) of a chunk and the tails for the next one."""
        chunk = spoken.chunk

        def predict(latent: Array, time: float) -> Array:
            inputs = {
                "latent": latent,
                "timestep": timestep_embedding(time, self._time_width)[None],
                "tokens": spoken.tokens,
                "reference_map": self._reference_map,
            }
            return self._graph.run(inputs)["clean"]

        noise = chunk_noise(self._seed, chunk, self._latent_shape, self._sampler)[None]
        latents, tails = denoise_chunk(predict, noise, state, self._sampler)
        return latents[0, chunk.inherited :], tails


class DecodeStage:
    """One latent to the frames that it covers; the state is what the graph feeds back to itself."""

    def __init__(self, graph: Graph, reference: Mapping[str, Array]) -> None:
        names = {tensor.name for tensor in graph.spec.inputs}
        self._graph = graph
        self._reference = {name: value for name, value in reference.items() if name in names}
        self._fed_back = sorted(name for name in names if name.startswith(STATE))

    def initial(self) -> dict[str, Array]:
        return {
            tensor.name: np.zeros(tensor.shape, tensor.dtype)
            for tensor in self._graph.spec.inputs
            if tensor.name in self._fed_back
        }

    def step(
        self, latent: Array, state: Mapping[str, Array]
    ) -> tuple[NDArray[np.uint8], dict[str, Array]]:
        """Decode a latent (C, H, W) to frames (F, H, W, 3); latent 0 shows the last only."""
        outputs = self._graph.run({"latent": latent[None, None], **self._reference, **state})
        following = {
            name: outputs[NEXT_STATE + name.removeprefix(STATE)] for name in self._fed_back
        }
        return outputs["frames"], following
