"""How well a checkpoint's VAE shows held-out people: from label latents, and encoded from pixels.

Beside both stands the floor, "copy the portrait". The only part of the evaluation that needs torch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rap_edge.evaluation.fidelity import VAEResult, fidelity
from rap_edge.evaluation.metrics import Video
from rap_edge.evaluation.truth import TruthClip
from rap_edge.models.checkpoint import load_checkpoint
from rap_edge.models.guided import GuidedVAE
from rap_edge.models.vae import Portrait, VideoVAE
from rap_edge.reference import to_uint8
from rap_edge.training.pictures import LABELS, joined


def load_vae(checkpoint: Path) -> VideoVAE:
    """Load the VAE of a checkpoint folder."""
    return load_checkpoint(checkpoint).vae


@torch.no_grad()
def vae_result(vae: VideoVAE, clip: TruthClip) -> VAEResult:
    """Code and decode a truth clip, cut to the length that the VAE's stride asks for."""
    stride = vae.config.time_stride
    n = (len(clip.frames) - 1) // stride * stride + 1
    truth, landmarks = clip.frames[:n], clip.landmarks[:n]
    portrait = vae.portrait(to_tensor(clip.reference[None]))
    copied = np.broadcast_to(clip.reference, truth.shape)
    return VAEResult(
        clip=clip.name,
        copy=fidelity(truth, copied, landmarks),
        labels=(
            fidelity(truth, from_labels(vae, clip, n, portrait), landmarks)
            if isinstance(vae, GuidedVAE)
            else None
        ),
        pixels=fidelity(truth, from_pixels(vae, truth, portrait), landmarks),
    )


def from_pixels(vae: VideoVAE, frames: Video, portrait: Portrait) -> Video:
    """Encode frames (F, H, H, 3) and decode them, group by group, so that memory stays small."""
    stride = vae.config.time_stride
    padded = np.concatenate([np.repeat(frames[:1], stride - 1, axis=0), frames])
    coder, painter, shown = vae.encoder_state(1), vae.decoder_state(1), []
    for start in range(0, len(padded), stride):
        group = to_tensor(padded[start : start + stride])[None]
        latent, coder = vae.encode_step(group, portrait, coder)
        decoded, painter = vae.decode_step(latent, portrait, painter)
        shown.append(to_uint8(decoded[0]))
    return np.concatenate(shown)[stride - 1 :]


def from_labels(vae: GuidedVAE, clip: TruthClip, n_frames: int, portrait: Portrait) -> Video:
    """Code the rig's labels as latents and decode them -> (F, H, H, 3) uint8."""
    stride = vae.config.time_stride
    maps = motion_maps(clip, n_frames)
    padded = torch.cat([maps[:1].repeat(stride - 1, 1, 1, 1), maps])
    groups = padded.unflatten(0, (-1, stride)).flatten(1, 2)
    latents = vae.code(groups, portrait.placement.expand(len(groups), -1, -1))
    state, shown = vae.decoder_state(1), []
    for latent in latents:
        decoded, state = vae.decode_step(latent[None], portrait, state)
        shown.append(to_uint8(decoded[0]))
    return np.concatenate(shown)[stride - 1 :]


def motion_maps(clip: TruthClip, n_frames: int) -> Tensor:
    """Return what the guided VAE codes, (F, 4, H / 4, W / 4): flow, distance from lips, teeth."""
    return joined(*(getattr(clip, name)[:n_frames].astype(np.float32) for name in LABELS))


def to_tensor(pictures: Video) -> Tensor:
    """(F, H, W, 3) uint8 -> (F, 3, H, W) in [-1, 1]."""
    pixels = torch.from_numpy(np.ascontiguousarray(pictures))
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
