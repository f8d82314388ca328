"""Batches of frames with their portrait and labels, drawn from video shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rap_edge.errors import ConfigError, MediaError
from rap_edge.models.guided import SCALE
from rap_edge.training.shards import LIPS_PER_PX, Shard, paths


class Picture(NamedTuple):
    """Frames with what they were made from; pictures are in [-1, 1]."""

    frames: Tensor
    """(N, 3, H, W)"""
    reference: Tensor
    """(N, 3, H, W)"""
    motion: Tensor
    """(N, 4, H / 4, W / 4): flow x and y and distance inside the lips in samples, teeth."""
    coordinates: Tensor
    """(N, 4, H / 4, W / 4) of the reference."""

    def to(self, device: torch.device) -> Picture:
        return Picture(*(part.to(device) for part in self))

    def augment(self, rng: np.random.Generator) -> Picture:
        """Change the light of each sample, frame and portrait alike; mirror half of the batches."""
        n = len(self.frames)
        tint = 1 + 0.1 * rng.standard_normal((n, 3, 1, 1))
        gain = torch.from_numpy(tint * rng.uniform(0.65, 1.25, (n, 1, 1, 1))).float()
        gamma = torch.from_numpy(rng.uniform(0.8, 1.25, (n, 1, 1, 1))).float()
        lit = [
            ((((part + 1) / 2) ** gamma * gain).clamp(0, 1) * 2 - 1)
            for part in (self.frames, self.reference)
        ]
        picture = self._replace(frames=lit[0], reference=lit[1])
        return picture.mirror() if rng.random() < 0.5 else picture

    def mirror(self) -> Picture:
        sign = torch.tensor([-1.0, 1.0, 1.0, 1.0])[:, None, None]
        frames, reference, *maps = (part.flip(3) for part in self)
        return Picture(frames, reference, *(part * sign for part in maps))


def motion_map(flow: NDArray[Any], lips: NDArray[Any], teeth: NDArray[Any]) -> Tensor:
    """Join labels (F, h, w, ...) as shards hold them into motion maps (F, 4, h, w)."""
    return joined(flow, lips.astype(np.float32) / LIPS_PER_PX, teeth.astype(np.float32) / 255)


def joined(flow: NDArray[Any], lips: NDArray[Any], teeth: NDArray[Any]) -> Tensor:
    """Join the rig's labels (F, h, w, ...), in px, into motion maps (F, 4, h, w)."""
    planes = [flow / SCALE, lips[..., None] / SCALE, teeth[..., None]]
    return torch.from_numpy(np.concatenate(planes, -1).astype(np.float32)).permute(0, 3, 1, 2)


def to_picture(image: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 RGB -> (3, H, W) in [-1, 1]."""
    return torch.from_numpy(image.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)


class PictureSource:
    """Single frames of a folder of video shards."""

    def __init__(self, folder: Path) -> None:
        self.shards = [Shard(path) for path in paths(folder)]
        if not self.shards:
            raise ConfigError(f"{folder} has no shards: run rap-edge data make video first")
        self.sizes = np.array([len(shard) for shard in self.shards])

    def clip(self, rng: np.random.Generator) -> tuple[Shard, int]:
        shard = int(rng.choice(len(self.shards), p=self.sizes / self.sizes.sum()))
        return self.shards[shard], int(rng.integers(self.sizes[shard]))

    def draw(self, rng: np.random.Generator, n: int) -> Picture:
        """Draw ``n`` frames, each of a clip of its own."""
        drawn = [self.one(*self.clip(rng), rng) for _ in range(n)]
        return Picture(*(torch.stack(parts) for parts in zip(*drawn, strict=True)))

    def one(self, shard: Shard, clip: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
        last = shard.part("flow").get_shape()[1] - 1
        frame = int(rng.integers(last + 1))
        return (
            to_picture(read_frame(shard, clip, frame)),
            to_picture(shard.part("reference")[clip]),
            motion_at(shard, clip, frame),
            coordinates_of(shard, clip)[0],
        )


LABELS = ("flow", "lips", "teeth")


def motion_at(shard: Shard, clip: int, frame: int) -> Tensor:
    """Read the motion map (4, h, w) of one frame."""
    return motion_map(*(shard.part(name)[clip, frame : frame + 1] for name in LABELS))[0]


def coordinates_of(shard: Shard, clip: int) -> Tensor:
    """Read the coordinate map (1, 4, h, w) of a clip's portrait."""
    coordinates = torch.from_numpy(shard.part("coordinates")[clip].astype(np.float32))
    return coordinates.permute(2, 0, 1)[None]


def read_frame(shard: Shard, clip: int, frame: int) -> NDArray[np.uint8]:
    """Decode one frame of a video shard: (H, W, 3) uint8 RGB."""
    ends = shard.part("jpeg_ends")[clip]
    start = int(ends[frame - 1]) if frame else 0
    data = shard.part("jpeg")[clip, start : int(ends[frame])]
    image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise MediaError(f"frame {frame} of clip {clip} in {shard.path} is no JPEG: make it again")
    return np.asarray(image, np.uint8)


class ClipSource(PictureSource):
    """Runs of frames of a folder of video shards, for the plain VAE."""

    def __init__(self, folder: Path, side: int) -> None:
        super().__init__(folder)
        self.side = side

    def run(self, rng: np.random.Generator, n: int, frames: int) -> Tensor:
        """Draw ``n`` runs cut to the same random square: (N, F, 3, side, side)."""
        runs = []
        for _ in range(n):
            shard, clip = self.clip(rng)
            first = int(rng.integers(shard.part("flow").get_shape()[1] - frames + 1))
            images = [read_frame(shard, clip, first + i) for i in range(frames)]
            y, x = rng.integers(images[0].shape[0] - self.side + 1, size=2)
            cut = [image[y : y + self.side, x : x + self.side] for image in images]
            runs.append(torch.stack([to_picture(image) for image in cut]))
        return torch.stack(runs)
