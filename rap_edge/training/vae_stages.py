"""The stages that train the reference-guided VAE on two cores: labels first, then pixels.

On pixels alone this decoder does not learn in hours on a CPU; with the rig's flow and distances
as labels it does (docs/training.md). ``Joint`` trains all of it on pixels: the last stage on a CPU,
the only one that a GPU needs after ``Coordinates``.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.models.guided import SCALE, GuidedVAE, interior
from rap_edge.models.placement import Placed, place
from rap_edge.training.loop import Metrics, Stage
from rap_edge.training.losses import mouth_weight, pixel_loss, psnr
from rap_edge.training.pictures import Picture, PictureSource

HELD_OUT_BATCHES = 12


class PictureStage(Stage):
    """A stage over single frames with their portrait and labels."""

    def __init__(self, vae: GuidedVAE, train: PictureSource, heldout: PictureSource) -> None:
        self.vae, self.train, self.heldout = vae, train, heldout

    def draw(self, rng: np.random.Generator, batch: int) -> Picture:
        return self.train.draw(rng, batch).augment(rng).to(self.device)

    @property
    def device(self) -> torch.device:
        return next(self.modules.parameters()).device

    def heldout_batches(self) -> list[Picture]:
        rng = np.random.default_rng(0)
        return [self.heldout.draw(rng, 8).to(self.device) for _ in range(HELD_OUT_BATCHES)]


def tilted(rng: np.random.Generator, *maps: Tensor) -> list[Tensor]:
    """Turn, scale and shift maps (N, K, S, S) of the same pictures alike, whatever their size."""
    n = len(maps[0])
    angle, size = 0.15 * rng.standard_normal(n), np.exp(0.1 * rng.standard_normal(n))
    turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], 1)
    linear = (size[:, None] * turn).reshape(n, 2, 2)
    affine = np.concatenate([linear, 0.1 * rng.standard_normal((n, 2, 1))], 2)
    theta = torch.from_numpy(affine).to(maps[0])
    return [Placed(part.shape[-1]).to(part.device).moved(part, theta) for part in maps]


class Coordinates(PictureStage):
    """The portrait encoder learns where on a head each place of a portrait lies."""

    name = "coordinates"

    def __init__(self, vae: GuidedVAE, train: PictureSource, heldout: PictureSource) -> None:
        super().__init__(vae, train, heldout)
        self.modules = nn.ModuleDict({"locate": vae.portrait_encoder.locate})

    def error(self, picture: Picture) -> Tensor:
        located = self.vae.portrait_encoder.coordinates(picture.reference)
        return F.smooth_l1_loss(located.float(), picture.coordinates, reduction="none", beta=0.1)

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        picture = self.draw(rng, batch)
        reference, coordinates = tilted(rng, picture.reference, picture.coordinates)
        shown = picture._replace(reference=reference, coordinates=coordinates)
        return 10 * self.error(shown).mean(), {}

    def validate(self) -> Metrics:
        truth, errors, codes = [], [], []
        for picture in self.heldout_batches():
            located = self.vae.portrait_encoder.coordinates(picture.reference)
            errors.append((located - picture.coordinates).square().mean((0, 2, 3)))
            truth.append(picture.coordinates.square().mean((0, 2, 3)))
            seen, true = (self.coded_map(part) for part in (located, picture.coordinates))
            codes.append((seen - true).square().mean())
        explained = 1 - torch.stack(errors).mean(0) / torch.stack(truth).mean(0)
        named = dict(zip(("x", "y", "z", "face"), explained.tolist(), strict=True))
        return {**named, "map_error": float(torch.stack(codes).mean().sqrt())}

    def coded_map(self, coordinates: Tensor) -> Tensor:
        placed = self.vae.placed.moved(coordinates, place(coordinates))
        code: Tensor = self.vae.map_codec.encode(placed)
        return code


class MotionEncoding(PictureStage):
    """The encoder learns the motion map of a frame, densely, at both of its passes."""

    name = "motion"

    def __init__(self, vae: GuidedVAE, train: PictureSource, heldout: PictureSource) -> None:
        super().__init__(vae, train, heldout)
        self.modules = nn.ModuleDict({"correct": vae.motion_encoder.correct})

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        picture = self.draw(rng, batch)
        weight = mouth_weight(picture.motion, 1)
        total = picture.motion.new_zeros(())
        for motion in self.vae.motion_maps(picture.frames, picture.reference):
            error = F.smooth_l1_loss(motion.float(), picture.motion, reduction="none", beta=1.0)
            total = total + 4 * (error * weight).mean()
        return total, {}

    def validate(self) -> Metrics:
        errors, mouths, lips = [], [], []
        for picture in self.heldout_batches():
            motion = self.vae.motion_maps(picture.frames, picture.reference)[-1]
            error = (motion - picture.motion).square()
            mouth = F.max_pool2d(interior(picture.motion)[:, None], 5, 1, 2)
            errors.append(error[:, :2].mean())
            mouths.append((error[:, :2] * mouth).sum() / (2 * mouth.sum() + 1e-3))
            lips.append(error[:, 2][picture.motion[:, 2] > -1].mean())
        names = ("flow_px", "mouth_flow_px", "lips_px")
        each = zip(names, (errors, mouths, lips), strict=True)
        return {name: SCALE * float(torch.stack(e).mean().sqrt()) for name, e in each}


class Painting(PictureStage):
    """The painter learns to finish the warped portrait, from coded labels."""

    name = "painting"

    def __init__(self, vae: GuidedVAE, train: PictureSource, heldout: PictureSource) -> None:
        super().__init__(vae, train, heldout)
        describe = vae.portrait_encoder.describe
        self.modules = nn.ModuleDict({"painter": vae.painter, "describe": describe})

    def coded(self, picture: Picture, noise: float = 0.0) -> Tensor:
        """Pass the labels through the latent, four equal frames a group, noisy."""
        with torch.no_grad():
            return self.through_latent(picture.motion, place(picture.coordinates), noise)

    def through_latent(self, motion: Tensor, placement: Tensor, noise: float = 0.0) -> Tensor:
        stride = self.vae.config.time_stride
        latent = self.vae.code(motion.repeat(1, stride, 1, 1), placement)
        latent = latent + noise * torch.randn_like(latent)
        return self.vae.decoded(latent, placement)[:, -motion.shape[1] :].float()

    def paint(self, picture: Picture, motion: Tensor) -> Tensor:
        features = self.vae.portrait_encoder.features(picture.reference)
        frames: Tensor = self.vae.painter(motion, picture.reference, features)
        return frames.float()

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        picture = self.draw(rng, batch)
        painted = self.paint(picture, self.coded(picture, 0.1 * rng.random()))
        weight = mouth_weight(picture.motion, SCALE)
        return pixel_loss(painted, picture.frames, weight), {}

    def validate(self) -> Metrics:
        return self.fidelity(self.coded)

    def fidelity(self, code: object) -> Metrics:
        assert callable(code)
        errors, inside = [], []
        for picture in self.heldout_batches():
            error = (self.paint(picture, code(picture)).clamp(-1, 1) - picture.frames).square()
            mouth = F.interpolate(interior(picture.motion)[:, None], scale_factor=float(SCALE))
            errors.append(error.mean((1, 2, 3)))
            inside.append((error * mouth).sum() / (3 * mouth.sum() + 1e-3))
        each = 10 * torch.log10(4 / torch.cat(errors))
        return {"psnr": float(each.mean()), "inside_psnr": psnr(torch.stack(inside))}


class Joint(Painting):
    """Encoder and painter together on pixels, the labels still in view."""

    name = "joint"

    def __init__(self, vae: GuidedVAE, train: PictureSource, heldout: PictureSource) -> None:
        super().__init__(vae, train, heldout)
        self.modules["correct"] = vae.motion_encoder.correct

    def encoded(self, picture: Picture) -> tuple[Tensor, Tensor]:
        """Return the motion seen in the pixels, and the same through the latent."""
        motion = self.vae.motion_maps(picture.frames, picture.reference)[-1].float()
        return motion, self.through_latent(motion, place(picture.coordinates))

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        picture = self.draw(rng, batch)
        seen, coded = self.encoded(picture)
        weight = mouth_weight(picture.motion, SCALE)
        labelled = self.paint(picture, self.coded(picture, 0.1 * rng.random()))
        pixels = pixel_loss(self.paint(picture, coded), picture.frames, weight)
        labels = F.smooth_l1_loss(seen, picture.motion, beta=0.25)
        loss = pixels + pixel_loss(labelled, picture.frames, weight) + 4 * labels
        return loss, {"pixels": float(pixels.detach())}

    def validate(self) -> Metrics:
        labels = self.fidelity(self.coded)
        pixels = self.fidelity(lambda picture: self.encoded(picture)[1])
        return {**labels, **{f"encoded_{name}": value for name, value in pixels.items()}}
