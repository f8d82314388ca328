"""The diffusion transformer: a window of noisy latents, audio and a reference to clean latents."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.config import AudioConfig, DiTConfig, ModelConfig
from rap_edge.models.layers import HybridAttention, SelfAttention, rotary_angles


def alpha_at(block: int, config: DiTConfig) -> float:
    """Return the weight of window attention in ``block``: linear in depth, clipped to [0, 1]."""
    depth = max(config.depth - 1, 1)
    return min(1.0, max(0.0, config.alpha_slope * block / depth + config.alpha_offset))


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return x * (1 + scale) + shift


class Hearing(nn.Module):
    """Tokens of the audio encoder to one narrow token a frame: the mouth shapes that are heard.

    What a frozen encoder knows beyond them helps nobody speak (docs/training.md).
    """

    def __init__(self, config: AudioConfig, width: int) -> None:
        super().__init__()
        self.tokens = config.tokens_per_frame
        self.shapes = nn.Linear(self.tokens * config.width, config.shapes)
        self.widen = nn.Linear(config.shapes, width)
        nn.init.normal_(self.widen.weight)  # shapes are 0.1 to 0.3 large

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (N, F * L, D), L for each frame -> (N, F, width)."""
        widened: Tensor = self.widen(self.shapes(self.frames(tokens)))
        return widened

    def frames(self, tokens: Tensor) -> Tensor:
        """Join the tokens of each frame: (N, F * L, D) -> (N, F, L * D)."""
        return tokens.unflatten(1, (-1, self.tokens)).flatten(2)


class LatentAudio(nn.Module):
    """Let every audio token of a latent know all of that latent's audio.

    Attention averages tokens, and a latent codes several frames in one vector: without this, which
    sound belongs to which of them is lost. The successor of RAP makes its tokens by such a network
    (SoulX-FlashHead's audio projection); here it corrects what is heard and starts as nothing.
    """

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.gather = nn.Linear(tokens * width, width)
        self.spread = nn.Linear(width, tokens * width)
        nn.init.zeros_(self.spread.weight)
        nn.init.zeros_(self.spread.bias)

    def forward(self, audio: Tensor) -> Tensor:
        """(N, T * L, D) -> the same shape."""
        latents = audio.unflatten(1, (-1, self.tokens)).flatten(2)
        return audio + self.spread(F.gelu(self.gather(latents))).reshape_as(audio)


class Block(nn.Module):
    """Self-attention, hybrid audio attention and a feed-forward layer, modulated by solver time."""

    def __init__(self, config: DiTConfig, alpha: float) -> None:
        super().__init__()
        width, hidden = config.width, round(config.width * config.mlp_ratio)
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.attention = SelfAttention(width, config.heads)
        self.norm2 = nn.LayerNorm(width)
        self.hybrid = HybridAttention(width, config.heads, alpha)
        self.norm3 = nn.LayerNorm(width, elementwise_affine=False)
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.modulation = nn.Parameter(torch.zeros(6, 1, width))

    def forward(
        self, x: Tensor, audio: Tensor, time: Tensor, cosine: Tensor, sine: Tensor, window: int
    ) -> Tensor:
        """time: (N, 6, 1, D), shared by all blocks; each adds its own ``modulation``."""
        shift1, scale1, gate1, shift3, scale3, gate3 = (time + self.modulation).unbind(1)
        h = self.attention(modulate(self.norm1(x), shift1, scale1), cosine, sine)
        x = x + (1 + gate1) * h
        x = x + self.hybrid(self.norm2(x), audio, window)
        h = F.gelu(self.expand(modulate(self.norm3(x), shift3, scale3)), approximate="tanh")
        return x + (1 + gate3) * self.contract(h)


class AudioDiT(nn.Module):
    """Predict the clean latents of a window (x_1) from its noisy ones.

    The reference's map at latent resolution is repeated in time and concatenated along channels
    (RAP section 3.1); there is no text, no keypoint and no motion input. Time modulation is one
    projection shared by all blocks plus a table per block (PixArt-alpha, arXiv 2310.00426).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dit, vae, window = config.dit, config.vae, config.sampler.window
        self.window, self.patch, self.side = window, dit.patch, vae.grid // dit.patch
        cell = dit.patch**2
        self.embed = nn.Linear(cell * (vae.channels + vae.reference_channels), dit.width)
        self.place = nn.Parameter(torch.randn(1, 1, self.side**2, dit.width) * 0.02)
        self.hearing = Hearing(config.audio, dit.width)
        self.audio_place = nn.Parameter(torch.randn(1, window * vae.time_stride, dit.width) * 0.02)
        self.latent_audio = LatentAudio(vae.time_stride, dit.width)
        self.no_audio = nn.Parameter(torch.zeros(1, 1, dit.width))
        self.time = nn.Sequential(
            nn.Linear(dit.width, dit.width), nn.SiLU(), nn.Linear(dit.width, 6 * dit.width)
        )
        self.blocks = nn.ModuleList(Block(dit, alpha_at(block, dit)) for block in range(dit.depth))
        self.norm = nn.LayerNorm(dit.width, elementwise_affine=False)
        self.out = nn.Linear(dit.width, cell * vae.channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        angles = rotary_angles(window, self.side, self.side, dit.width // dit.heads)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)

    def forward(
        self,
        latent: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        reference_map: Tensor,
        dropped: Tensor | None = None,
    ) -> Tensor:
        """Predict x_1.

        Args:
            latent: (N, T, C, H, W), x_t.
            timestep: (N, D), ``rap_edge.sampling.timestep_embedding``.
            tokens: (N, T * L, D) of the audio encoder.
            reference_map: (N, C_ref, H, W).
            dropped: (N,) bool, samples whose audio is replaced by the learned "no audio".
        """
        heard = self.hearing(tokens)
        if dropped is not None:
            heard = torch.where(dropped[:, None, None], self.no_audio, heard)
        reference = reference_map[:, None].expand(-1, latent.shape[1], -1, -1, -1)
        x = self.embed(self.patchify(torch.cat([latent, reference], 2))) + self.place
        x = x.flatten(1, 2)
        time = self.time(timestep).unflatten(-1, (6, 1, -1))
        audio = self.latent_audio(heard) + self.audio_place
        for block in self.blocks:
            x = block(x, audio, time, self.cosine, self.sine, self.window)
        x = self.out(modulate(self.norm(x), time[:, 0], time[:, 1]))
        return self.unpatchify(x.unflatten(1, (self.window, -1)))

    def patchify(self, x: Tensor) -> Tensor:
        """(N, T, C, H, W) -> (N, T, H * W / patch^2, C * patch^2)."""
        return F.pixel_unshuffle(x, self.patch).flatten(3).transpose(2, 3)

    def unpatchify(self, x: Tensor) -> Tensor:
        """Undo ``patchify``."""
        x = x.transpose(2, 3).unflatten(3, (self.side, self.side))
        return F.pixel_shuffle(x, self.patch)


class GuidedDiT(nn.Module):
    """The transformer with classifier-free guidance on audio, as one network.

    x_1 = free + scale * (spoken - free), where ``free`` hears nothing. Both run as one batch.
    """

    def __init__(self, dit: AudioDiT, scale: float) -> None:
        super().__init__()
        self.dit, self.scale = dit, scale

    def forward(
        self, latent: Tensor, timestep: Tensor, tokens: Tensor, reference_map: Tensor
    ) -> Tensor:
        """Predict x_1; the arguments are those of ``AudioDiT``."""
        n = len(latent)
        both = (torch.cat([part, part]) for part in (latent, timestep, tokens, reference_map))
        dropped = torch.arange(2 * n, device=latent.device) >= n
        spoken, free = self.dit(*both, dropped).split(n)
        return torch.as_tensor(free + self.scale * (spoken - free))


def denoiser(dit: AudioDiT, guidance: float) -> AudioDiT | GuidedDiT:
    """Return what a solver step calls: the transformer, guided unless ``guidance`` is 1."""
    return dit if guidance == 1 else GuidedDiT(dit, guidance)
