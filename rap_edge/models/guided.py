"""The reference-guided VAE: the latent carries what moves, the portrait carries who it is.

The latent codes, for each of its frames, a map of four planes at a quarter of the resolution:
backward flow (2 planes), how far inside the lips a place is, and the light on the teeth there. All
four can be averaged: half way between a closed and an open mouth is a mouth half open.
The decoder warps the portrait by the flow and paints what the portrait cannot show. This departs
from RAP, whose VAE codes the pixels themselves (``rap_edge.models.plain``).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.config import VAEConfig
from rap_edge.models.cells import CellCodec
from rap_edge.models.layers import ResidualBlock, conv3x3
from rap_edge.models.placement import Placed, place
from rap_edge.models.unet import UNet
from rap_edge.models.vae import Portrait, State, VideoVAE
from rap_edge.models.warp import FineWarp, Warp, between

SCALE = 4
"""Pixels of the frame along one side of a sample of the motion and coordinate maps."""
PLANES = 4
"""Planes of a motion map: flow x, flow y, distance inside the lips (all in samples), teeth."""
PLACES = 4
"""Planes of a coordinate map: x, y, z on a neutral head, and how much of a place is head."""
PLACES_PER_UNIT = 16
"""About how many samples of the motion map one unit of a coordinate map spans."""
LIPS_EDGE, LIPS_SHARPNESS = -0.18, 12.0
"""Which distance is half mouth, half skin, because it is an average over a sample; and how fast one
becomes the other."""


def interior(motion: Tensor) -> Tensor:
    """Return how much of each sample of motion maps (..., 4, h, w) is mouth: (..., h, w), 0..1.

    Exact at a straight edge; the seam of closed lips counts up to a quarter.
    """
    return (motion[..., 2, :, :] + 0.5).clamp(0, 1)


class MotionEncoder(nn.Module):
    """See a frame beside the warped portrait and correct the motion map, twice with one network.

    Beside the pixels it is told where on a head each place lies, and how far that is from what the
    portrait has there: without that a short training never learns which way things moved.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.warp = FineWarp(config.resolution, SCALE)
        self.warp_places = Warp(config.resolution // SCALE)
        self.correct = UNet(2 * (3 * SCALE**2 + PLACES) + PLANES, PLANES, config.encoder_width)

    def forward(
        self, frames: Tensor, reference: Tensor, places: Tensor, reference_places: Tensor
    ) -> list[Tensor]:
        """Return the motion maps (N, 4, H / 4, W / 4) after each pass.

        frames, reference: (N, 3, H, W); places: their coordinates, (N, 4, H / 4, W / 4).
        """
        seen = F.pixel_unshuffle(frames, SCALE)
        side = seen.shape[2]
        motion = seen.new_zeros(len(frames), PLANES, side, side)
        passes = []
        for _ in range(2):
            flow = motion[:, :2].detach()
            warped = self.warp(reference, flow)
            moved = self.warp_places(reference_places, flow)
            off = (places - moved) * PLACES_PER_UNIT
            inputs = [seen, places, warped, off, motion.detach()]
            motion = motion.detach() + self.correct(torch.cat(inputs, 1))
            passes.append(motion)
        return passes


class PortraitEncoder(nn.Module):
    """Find where on a face each place of the portrait lies, and describe how it looks."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.locate = UNet(3 * SCALE**2, PLACES, config.width)
        self.describe = nn.Sequential(
            conv3x3(3 * SCALE**2, config.width),
            ResidualBlock(config.width),
            nn.SiLU(),
            conv3x3(config.width, config.width // 2),
        )

    def coordinates(self, reference: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 4, H / 4, W / 4): the place on a neutral head (x, y, z), and face."""
        located: Tensor = self.locate(F.pixel_unshuffle(reference, SCALE))
        return located

    def features(self, reference: Tensor) -> Tensor:
        described: Tensor = self.describe(F.pixel_unshuffle(reference, SCALE))
        return described


class Painter(nn.Module):
    """Warp the portrait and paint what it cannot show.

    Inside the lips the painted picture replaces the warped one; elsewhere a residual adds light,
    lids and what the head uncovers. The gate follows the decoded distance, because one learned from
    nothing saturates at "copy the portrait"; what is learned shapes it between the samples. A pixel
    is a channel of its sample until the very end.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        width = config.width
        self.warp_image = FineWarp(config.resolution, SCALE)
        self.warp_features = Warp(config.resolution // SCALE)
        self.stem = conv3x3(3 * SCALE**2 + width // 2 + PLANES, width)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(3)))
        self.paint = conv3x3(width, (3 + 3 + 1) * SCALE**2)
        nn.init.normal_(self.paint.weight, std=1e-3)
        assert self.paint.bias is not None
        nn.init.zeros_(self.paint.bias)

    def forward(self, motion: Tensor, image: Tensor, features: Tensor) -> Tensor:
        """motion: (N, 4, h, w); image, features of the portrait -> frames (N, 3, H, W)."""
        warped = self.warp_image(image, motion[:, :2])
        moved = self.warp_features(features, motion[:, :2])
        x = self.body(self.stem(torch.cat([warped, moved, motion], 1)))
        painted, residual, edge = self.paint(F.silu(x)).split(
            [3 * SCALE**2, 3 * SCALE**2, SCALE**2], 1
        )
        inside = self.enlarged(motion[:, 2:3]) - LIPS_EDGE
        gate = torch.sigmoid(LIPS_SHARPNESS * inside + edge).repeat(1, 3, 1, 1)
        shown = warped + residual
        return F.pixel_shuffle(shown + gate * (painted - shown), SCALE)

    @staticmethod
    def enlarged(plane: Tensor) -> Tensor:
        """Interpolate (N, 1, h, w); the pixels of a sample are its channels: (N, 16, h, w)."""
        rows = between(plane, SCALE, 2)
        return torch.cat([pixel for row in rows for pixel in between(row, SCALE, 3)], 1)


class GuidedVAE(VideoVAE):
    """See the module. Neither direction needs a past: the state is empty."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.codec = CellCodec(PLANES * config.time_stride, config.channels)
        self.map_codec = CellCodec(PLACES, config.reference_channels)
        self.motion_encoder = MotionEncoder(config)
        self.portrait_encoder = PortraitEncoder(config)
        self.painter = Painter(config)
        self.placed = Placed(config.resolution // SCALE)

    def portrait(self, reference: Tensor) -> Portrait:
        coordinates = self.portrait_encoder.coordinates(reference)
        features = self.portrait_encoder.features(reference)
        placement = place(coordinates)
        code = self.map_codec.encode(self.placed.moved(coordinates, placement))
        return Portrait(reference, features, code, placement)

    def encoder_state(self, n: int) -> State:
        return ()

    def decoder_state(self, n: int) -> State:
        return ()

    def encode_step(self, frames: Tensor, portrait: Portrait, state: State) -> tuple[Tensor, State]:
        stride = self.config.time_stride
        reference = portrait.image.repeat_interleave(stride, 0)
        motion = self.motion_maps(frames.flatten(0, 1), reference)[-1]
        groups = motion.unflatten(0, (-1, stride)).flatten(1, 2)
        return self.code(groups, portrait.placement), state

    def code(self, groups: Tensor, placement: Tensor) -> Tensor:
        """Code motion maps of the portrait (N, stride * 4, h, w) as latents."""
        return self.codec.encode(self.placed.motion_into_head(groups, placement))

    def decoded(self, latent: Tensor, placement: Tensor) -> Tensor:
        """Undo ``code``."""
        return self.placed.motion_into_portrait(self.codec.decode(latent), placement)

    def motion_maps(self, frames: Tensor, reference: Tensor) -> list[Tensor]:
        """Run the motion encoder over frames and their references, (N, 3, H, W) each."""
        with torch.no_grad():
            both = self.portrait_encoder.coordinates(torch.cat([frames, reference])).float()
        maps: list[Tensor] = self.motion_encoder(frames, reference, *both.chunk(2))
        return maps

    def decode_step(self, latent: Tensor, portrait: Portrait, state: State) -> tuple[Tensor, State]:
        stride = self.config.time_stride
        groups = self.decoded(latent, portrait.placement)
        motion = groups.unflatten(1, (stride, PLANES)).flatten(0, 1)
        image = portrait.image.repeat_interleave(stride, 0)
        features = portrait.features.repeat_interleave(stride, 0)
        frames = self.painter(motion, image, features)
        return frames.unflatten(0, (-1, stride)), state
