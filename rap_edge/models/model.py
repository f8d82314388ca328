"""The whole model: VAE, audio encoder and transformer, built from one configuration."""

from __future__ import annotations

from torch import nn

from rap_edge.config import ModelConfig, VAEConfig
from rap_edge.models.audio import AudioEncoder
from rap_edge.models.dit import AudioDiT
from rap_edge.models.guided import GuidedVAE
from rap_edge.models.plain import PlainVAE
from rap_edge.models.vae import VideoVAE


def build_vae(config: VAEConfig) -> VideoVAE:
    return GuidedVAE(config) if config.kind == "guided" else PlainVAE(config)


class RapModel(nn.Module):
    """The networks of one configuration; ``rap_edge.reference`` runs them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.vae = build_vae(config.vae)
        self.audio = AudioEncoder(config.audio, config.timeline.hops_per_frame)
        self.dit = AudioDiT(config)
