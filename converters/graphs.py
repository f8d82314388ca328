"""Every graph of a model as data, once: module, names, example inputs, how exact it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from rap_edge.config import ModelConfig
from rap_edge.converters.parity import Bound, in_torch
from rap_edge.eyes import SIDE
from rap_edge.locate import REFINE_SIZE, WINDOW
from rap_edge.manifest import GraphSpec, TensorSpec
from rap_edge.models.dit import denoiser
from rap_edge.models.eyes import EyeFinder
from rap_edge.models.locator import Locators
from rap_edge.models.model import RapModel
from rap_edge.models.vae import Portrait, VideoVAE

FLOAT = Bound(1e-4)
MAP = Bound(1e-3)
"""The rounding of where the head lies shows at the head's edge."""
GUIDES = ("reference_features", "reference_placement")


@dataclass(frozen=True)
class GraphSource:
    """A graph before its conversion; shapes and dtypes are those of the example inputs."""

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]
    bounds: Mapping[str, Bound] = field(default_factory=dict)  # of outputs in fp32, if not FLOAT

    def bound(self, output: str) -> Bound:
        """Return how near to torch an output has to be in fp32."""
        return self.bounds.get(output, FLOAT)


class PortraitGraph(nn.Module):
    """A cropped photo to what is computed once per avatar."""

    def __init__(self, vae: VideoVAE) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, reference: Tensor) -> tuple[Tensor, ...]:
        """reference: (1, H, W, 3) uint8 -> map, image, and what else a guided decoder needs."""
        portrait = self.vae.portrait(reference.permute(0, 3, 1, 2).float() / 127.5 - 1)
        guides = (portrait.features, portrait.placement) if portrait.features.numel() else ()
        return portrait.map, portrait.image, *guides


class DecoderGraph(nn.Module):
    """One latent to finished frames: clamped, uint8, channels last."""

    def __init__(self, vae: VideoVAE) -> None:
        super().__init__()
        self.vae = vae

    def forward(
        self, latent: Tensor, image: Tensor, features: Tensor, placement: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        """latent: (1, 1, C, h, w) -> frames (F, H, W, 3) uint8, and the state after them."""
        portrait = Portrait(image, features, latent.new_zeros(0), placement)
        video, following = self.vae.decode_step(latent[:, 0], portrait, state)
        pixels = ((video[0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(0, 2, 3, 1), *following


class PlainDecoderGraph(DecoderGraph):
    """A decoder that needs no portrait."""

    def forward(self, latent: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        none = latent.new_zeros(0)
        return super().forward(latent, none, none, none, *state)


def contract(source: GraphSource) -> GraphSpec:
    """Return names, shapes and dtypes of a graph's inputs and outputs, whatever it becomes."""
    examples = {name: value.numpy() for name, value in source.inputs.items()}
    inputs, outputs = (
        tuple(TensorSpec(name, value.shape, value.dtype.name) for name, value in values.items())
        for values in (examples, in_torch(source, examples))
    )
    return GraphSpec(inputs, outputs)


def graphs_of(
    model: RapModel, locators: Locators | None = None, eyes: EyeFinder | None = None
) -> tuple[GraphSource, ...]:
    """List the graphs of a model, and those that find faces and eyes if they are given."""
    torch.manual_seed(0)
    portrait = _portrait(model)
    with torch.no_grad():
        values = portrait.module(*portrait.inputs.values())
    example = dict(zip(portrait.outputs, values, strict=True))
    model_graphs = (
        portrait,
        _audio(model),
        _denoiser(model, example["reference_map"]),
        _decoder(model, example),
    )
    faces = () if locators is None else _locators(locators)
    return model_graphs + faces + (() if eyes is None else (_eyes(eyes),))


def _portrait(model: RapModel) -> GraphSource:
    vae = model.config.vae
    reference = torch.randint(0, 256, (1, vae.resolution, vae.resolution, 3), dtype=torch.uint8)
    guides = GUIDES if vae.kind == "guided" else ()
    return GraphSource(
        "portrait",
        PortraitGraph(model.vae),
        {"reference": reference},
        ("reference_map", "reference_image", *guides),
        {"reference_map": MAP},
    )


def _audio(model: RapModel) -> GraphSource:
    config = model.config
    tokens = config.sampler.window * config.tokens_per_latent
    hops = config.audio.window_hops(tokens, config.timeline.hops_per_frame)
    example = torch.randn(1, hops, config.audio.n_mels) * 4 - 6
    return GraphSource("audio", model.audio, {"hops": example}, ("tokens",))


def _denoiser(model: RapModel, reference_map: Tensor) -> GraphSource:
    config = model.config
    tokens = config.sampler.window * config.tokens_per_latent
    inputs = {
        "latent": torch.randn(1, config.sampler.window, *_latent_shape(config)),
        "timestep": torch.rand(1, config.dit.width) * 2 - 1,
        "tokens": torch.randn(1, tokens, config.audio.width),
        "reference_map": reference_map,
    }
    network = denoiser(model.dit, config.sampler.guidance)
    return GraphSource("denoiser", network, inputs, ("clean",))


def _decoder(model: RapModel, portrait: dict[str, Tensor]) -> GraphSource:
    vae = model.config.vae
    state = {f"state.{i}": value for i, value in enumerate(model.vae.decoder_state(1))}
    latent = {"latent": torch.randn(1, 1, *_latent_shape(model.config))}
    outputs = ("frames", *(f"next_{name}" for name in state))
    if vae.kind == "plain":
        return GraphSource("decoder", PlainDecoderGraph(model.vae), latent | state, outputs)
    seen = {name: portrait[name] for name in ("reference_image", *GUIDES)}
    return GraphSource("decoder", DecoderGraph(model.vae), latent | seen | state, outputs)


def _locators(locators: Locators) -> tuple[GraphSource, ...]:
    return (
        GraphSource("locator", locators.coarse, _picture(WINDOW), ("scores", "boxes")),
        GraphSource(
            "locator_refine", locators.refine, _picture(REFINE_SIZE), ("correction", "score")
        ),
    )


def _eyes(finder: EyeFinder) -> GraphSource:
    return GraphSource("eyes", finder, _picture(SIDE), ("points",))


def _picture(side: int) -> dict[str, Tensor]:
    return {"image": torch.randint(0, 256, (1, side, side, 3), dtype=torch.uint8)}


def _latent_shape(config: ModelConfig) -> tuple[int, int, int]:
    return config.vae.channels, config.vae.grid, config.vae.grid
