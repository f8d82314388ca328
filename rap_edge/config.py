"""The nouns of rap-edge: frozen configuration of one model, with JSON both ways.

Three configurations are named: ``live`` (the default bundle), ``tiny`` (tests) and ``paper``
(RAP's published sizes, arXiv 2508.05115, as far as they are known).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from rap_edge import strict_json
from rap_edge.errors import ConfigError
from rap_edge.timeline import Timeline


@dataclass(frozen=True)
class AudioConfig:
    """Log-mel features and the encoder that turns them into tokens."""

    sample_rate: int = 16000
    hop_samples: int = 160
    n_mels: int = 80
    tokens_per_frame: int = 2
    width: int = 256
    shapes: int = 33  # mouth shapes of a frame: all that the transformer hears of it
    dilations: tuple[int, ...] = (1, 1, 2, 4, 8, 8)  # of the residual blocks, in tokens
    lookahead_hops: int = 8  # 80 ms at 10 ms a hop

    STEM_HOPS: ClassVar[int] = 8  # receptive field of the stem: kernel 5, then kernel 4

    def token_hops(self, hops_per_frame: int) -> int:
        return hops_per_frame // self.tokens_per_frame

    def window_hops(self, tokens: int, hops_per_frame: int = 4) -> int:
        """Hops that the encoder reads to give ``tokens`` tokens."""
        inner = tokens + 2 * sum(self.dilations)
        return self.token_hops(hops_per_frame) * (inner - 1) + self.STEM_HOPS

    def left_hops(self, hops_per_frame: int = 4) -> int:
        """Hops read before the first hop of the first token."""
        return (
            self.window_hops(1, hops_per_frame)
            - self.token_hops(hops_per_frame)
            - self.lookahead_hops
        )


@dataclass(frozen=True)
class VAEConfig:
    """A causal video VAE: 32x32 in space, ``time_stride`` frames a latent, latent 0 one frame."""

    kind: Literal["guided", "plain"] = "guided"
    resolution: int = 256
    space_stride: int = 32
    time_stride: int = 4
    channels: int = 64
    width: int = 32  # channels of the decoder at its working resolution
    encoder_width: int = 32
    reference_channels: int = 32  # of the reference's map at latent resolution, for the DiT

    @property
    def grid(self) -> int:
        """Cells of a latent along one side."""
        return self.resolution // self.space_stride


@dataclass(frozen=True)
class DiTConfig:
    """The diffusion transformer and its hybrid audio attention.

    Block ``i`` of ``depth`` blends ``alpha_i`` of window attention with ``1 - alpha_i`` of full
    attention, ``alpha_i = clip(alpha_slope * i / (depth - 1) + alpha_offset, 0, 1)``: (1, 0) is the
    paper's best setting, (0, 0) is full attention only, (0, 1) window attention only.
    """

    width: int = 256
    depth: int = 6
    heads: int = 4
    mlp_ratio: float = 4.0
    patch: int = 2
    alpha_slope: float = 1.0
    alpha_offset: float = 0.0


@dataclass(frozen=True)
class SamplerConfig:
    """Windows of ``window`` latents; a chunk inherits ``overlap`` noisy ones of the one before."""

    window: int = 5
    overlap: int = 3
    steps: int = 2
    shift: float = 1.0  # > 1 spends more of the steps at high noise
    guidance: float = 1.0  # classifier-free, on audio, inside the denoiser graph; 1 is none
    temperature: float = 1.0  # of the noise; less is nearer to the mean that the audio tells
    free_channels: int = 0  # leading latent channels whose noise stays whole: how the head moves
    noise_span: int = 1  # latents over which the noise changes; 1 draws each by itself

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.window:
            raise ConfigError(
                f"sampler.overlap is {self.overlap}: expected 0 to {self.window - 1}, "
                "less than sampler.window"
            )
        if self.temperature < 0 or self.free_channels < 0:
            raise ConfigError(
                f"sampler.temperature is {self.temperature} and sampler.free_channels is "
                f"{self.free_channels}: expected 0 or more"
            )
        if self.steps < 1 or self.noise_span < 1:
            raise ConfigError(
                f"sampler.steps is {self.steps} and sampler.noise_span is {self.noise_span}: "
                "expected 1 or more"
            )

    @property
    def advance(self) -> int:
        """Latents that a chunk after the first adds."""
        return self.window - self.overlap


@dataclass(frozen=True)
class ModelConfig:
    """Everything that defines a model; stored as JSON beside its weights."""

    name: str = "live"
    fps: int = 25
    audio: AudioConfig = field(default_factory=AudioConfig)
    vae: VAEConfig = field(default_factory=VAEConfig)
    dit: DiTConfig = field(default_factory=DiTConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)

    @property
    def timeline(self) -> Timeline:
        return Timeline(
            self.audio.sample_rate, self.audio.hop_samples, self.fps, self.vae.time_stride
        )

    @property
    def tokens_per_latent(self) -> int:
        return self.audio.tokens_per_frame * self.vae.time_stride

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Build from ``to_dict``'s form; an unknown key is refused by name."""
        try:
            return strict_json.decode(cls, values)
        except strict_json.Mismatch as error:
            raise ConfigError(f"configuration: {error}") from error


LIVE = ModelConfig(
    sampler=SamplerConfig(guidance=1.5, shift=3.0, temperature=0.3, free_channels=2, noise_span=20)
)

TINY = ModelConfig(
    name="tiny",
    audio=AudioConfig(width=32, dilations=(1, 2)),
    vae=VAEConfig(resolution=64, channels=8, width=8, encoder_width=8, reference_channels=8),
    dit=DiTConfig(width=32, depth=2, heads=2, patch=1),
)

PAPER = ModelConfig(
    name="paper",
    vae=VAEConfig(
        kind="plain", resolution=512, time_stride=8, channels=128, reference_channels=128
    ),
    audio=AudioConfig(width=1536),
    dit=DiTConfig(width=1536, depth=30, heads=12, mlp_ratio=8960 / 1536, patch=1),
    sampler=SamplerConfig(window=11, overlap=3, steps=16, guidance=5.0, shift=5.0),
)

CONFIGS = {config.name: config for config in (LIVE, TINY, PAPER)}
