"""Motion shards coded as latents: what the transformer is trained on, small enough for memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError
from rap_edge.models.cells import CELL, CellMoments
from rap_edge.models.checkpoint import save_tensors
from rap_edge.models.guided import PLACES, PLANES, GuidedVAE
from rap_edge.models.placement import place
from rap_edge.reference import SILENCE
from rap_edge.training.pictures import LABELS, coordinates_of, motion_map, to_picture
from rap_edge.training.shards import LEFT_SAMPLES, Shard, paths
from rap_edge.training.spoken import log_mel
from rap_edge.training.windows import draw_window

MOUTH_WEIGHT = 4.0
PLANE_WEIGHTS = (1.0, 1.0, 1.0, 2.5)
"""How much an error in each plane of a motion map counts: teeth are thin and faint, but seen."""


class LatentWindow(NamedTuple):
    """What one step of the transformer's training sees."""

    latents: Tensor
    """(N, T, C, h, w)"""
    hops: Tensor
    """(N, H, M)"""
    reference_map: Tensor
    """(N, C_ref, h, w)"""
    region: Tensor
    """(N, T, h, w): 1 on the face, more on the mouth."""

    def to(self, device: torch.device) -> LatentWindow:
        return LatentWindow(*(part.to(device) for part in self))

    def augment(self, rng: np.random.Generator) -> LatentWindow:
        """Blur what is known of the portrait, and give the sound another level."""
        n = len(self.hops)
        level = torch.from_numpy(rng.normal(0, 0.7, (n, 1, 1))).float()
        blur = torch.from_numpy(rng.uniform(0, 0.3, (n, 1, 1, 1))).float()
        noise = torch.randn_like(self.reference_map) * blur
        return self._replace(hops=self.hops + level, reference_map=self.reference_map + noise)


def clips_of(folder: Path) -> Iterator[tuple[Shard, int]]:
    for path in paths(folder):
        shard = Shard(path)
        for clip in range(len(shard)):
            yield shard, clip


def groups_of(shard: Shard, clip: int, stride: int) -> Tensor:
    """Return a clip's motion maps, grouped as latents: (T, stride * 4, h, w)."""
    motion = motion_map(*(shard.part(name)[clip] for name in LABELS))
    repeated = torch.cat([motion[:1].repeat(stride - 1, 1, 1, 1), motion])
    return repeated.unflatten(0, (-1, stride)).flatten(1, 2)


def mouth_cells(groups: Tensor) -> Tensor:
    """Return which cells hold lips in some frame: (T, h, w), 0 or 1."""
    lips = groups.unflatten(1, (-1, PLANES))[:, :, 2].amax(1, keepdim=True)
    return (F.max_pool2d(lips, CELL) > -1)[:, 0].float()


def fit_codecs(vae: GuidedVAE, folder: Path, clips: int = 400) -> None:
    """Set the codecs of ``vae`` to the principal components of the first clips of a folder.

    Cells of the mouth count eight times, so that the components are spent where lips move.
    """
    stride = vae.config.time_stride
    weights = torch.tensor(PLANE_WEIGHTS).repeat(stride)
    motions, places = CellMoments(PLANES * stride), CellMoments(PLACES)
    for count, (shard, clip) in enumerate(clips_of(folder)):
        if count == clips:
            break
        coordinates = coordinates_of(shard, clip)
        placement = place(coordinates)
        groups = groups_of(shard, clip, stride)
        placed = vae.placed.motion_into_head(groups, placement.expand(len(groups), -1, -1))
        motions.add(placed * weights[:, None, None], 1 + 7 * mouth_cells(placed))
        places.add(vae.placed.moved(coordinates, placement))
    vae.codec.fit(motions, weights)
    vae.map_codec.fit(places)


@torch.no_grad()
def code_clips(vae: GuidedVAE, folder: Path, path: Path) -> None:
    """Write every clip of a folder: log-mel, and both ways round latents, map and region.

    The maps are what the portrait encoder sees in the pictures, as at inference.
    """
    rows: dict[str, list[Tensor]] = {"latents": [], "hops": [], "map": [], "region": []}
    for shard, clip in clips_of(folder):
        groups = groups_of(shard, clip, vae.config.time_stride)
        picture = to_picture(shard.part("reference")[clip])[None]
        face = coordinates_of(shard, clip)[:, 3:]
        seen = [
            code_clip(vae, groups, picture, face),
            code_clip(vae, mirrored(groups), picture.flip(3), face.flip(3)),
        ]
        for name, both in zip(("latents", "map", "region"), zip(*seen, strict=True), strict=True):
            rows[name].append(torch.stack(both).half().cpu())
        rows["hops"].append(torch.from_numpy(log_mel(shard.part("audio")[clip])).half())
    if not rows["hops"]:
        raise ConfigError(f"{folder} has no shards: run rap-edge data make motion first")
    save_tensors({name: torch.stack(values) for name, values in rows.items()}, path)


def code_clip(
    vae: GuidedVAE, groups: Tensor, picture: Tensor, face: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return latents (T, C, h, w), map (C_ref, h, w) and region (T, h, w) of one clip."""
    device = vae.codec.deviation.device
    portrait = vae.portrait(picture.to(device))
    each = portrait.placement.expand(len(groups), -1, -1)
    placed = vae.placed.motion_into_head(groups.to(device), each)
    covered = F.max_pool2d(vae.placed.moved(face.to(device), portrait.placement), CELL)
    region = (covered[:, 0] > 0.3) + MOUTH_WEIGHT * mouth_cells(placed)
    return vae.codec.encode(placed), portrait.map[0], region


def mirrored(groups: Tensor) -> Tensor:
    """Mirror groups of motion maps (T, stride * 4, h, w): left becomes right, in place and flow."""
    sign = torch.ones(groups.shape[1])
    sign[::PLANES] = -1
    return groups.flip(3) * sign[:, None, None]


class LatentSource:
    """Windows of coded clips in memory."""

    def __init__(self, path: Path, config: ModelConfig, vae: GuidedVAE) -> None:
        self.rows, self.config, self.vae = load_file(path), config, vae
        self.deviation = vae.codec.deviation.cpu()

    def decode(self, latents: Tensor) -> Tensor:
        with torch.no_grad():
            return self.vae.codec.to(latents.device).decode(latents)

    def draw(self, rng: np.random.Generator, n: int) -> LatentWindow:
        """Draw ``n`` windows; some streams start with their clip, out of silence."""
        drawn = [self.one(int(rng.integers(len(self.rows["map"]))), rng) for _ in range(n)]
        return LatentWindow(*(torch.stack(parts) for parts in zip(*drawn, strict=True)))

    def one(self, clip: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
        window, side = self.config.sampler.window, int(rng.integers(2))
        latents, reference_map, region = (
            self.rows[name][clip, side] for name in ("latents", "map", "region")
        )
        first = draw_window(rng, len(latents), window)
        hops = self.window_of_hops(clip, first)
        if first == 0 and rng.random() < 0.3:
            timeline = self.config.timeline
            start = self.config.audio.left_hops() - timeline.first_hop(0)
            hops[:start] = SILENCE
        cut = slice(first, first + window)
        return latents[cut].float(), hops, reference_map.float(), region[cut].float()

    def window_of_hops(self, clip: int, first: int) -> Tensor:
        """Return a copy of the hops that the audio encoder reads for a window."""
        timeline, audio = self.config.timeline, self.config.audio
        tokens = self.config.sampler.window * self.config.tokens_per_latent
        begin = LEFT_SAMPLES // timeline.hop_samples + timeline.first_hop(first)
        begin -= audio.left_hops(timeline.hops_per_frame)
        length = audio.window_hops(tokens, timeline.hops_per_frame)
        return self.rows["hops"][clip, begin : begin + length].float()
