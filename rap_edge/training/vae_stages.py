"""The stages that train the reference-guided VAE on two cores: labels first, then pixels.

On pixels alone this decoder does not learn in hours on a CPU; with the rig's flow and masks as
labels it does (docs/training.md). ``Joint`` trains all of it on pixels: the last stage on a CPU,
the only one that a GPU needs after ``Coordinates``.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.models.guided import SCALE, GuidedVAE
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
        loss = 10 * self.error(self.draw(rng, batch)).mean()
        return loss, {}

    def validate(self) -> Metrics:
        truth, errors, codes = [], [], []
        for picture in self.heldout_batches():
            located = self.vae.portrait_encoder.coordinates(picture.reference)
            errors.append((located - picture.coordinates).square().mean((0, 2, 3)))
            truth.append(picture.coordinates.square().mean((0, 2, 3)))
            codec = self.vae.map_codec
            difference = codec.encode(located) - codec.encode(picture.coordinates)
            codes.append(difference.square().mean())
        explained = 1 - torch.stack(errors).mean(0) / torch.stack(truth).mean(0)
        named = dict(zip(("x", "y", "z", "face"), explained.tolist(), strict=True))
        return {**named, "map_error": float(torch.stack(codes).mean().sqrt())}


class MotionEncoding(PictureStage):
    """The encoder learns the motion map of a frame, densely, at both of its passes."""

    name = "motion"

    def __init__(self, vae: GuidedVAE, train: PictureSource, heldout: PictureSource) -> None:
        super().__init__(vae, train, heldout)
        self.modules = nn.ModuleDict({"correct": vae.motion_encoder.correct})

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        picture = self.draw(rng, batch)
        weight = mouth_weight(picture.motion[:, 2:3], 1)
        total = picture.motion.new_zeros(())
        for motion in self.vae.motion_maps(picture.frames, picture.reference):
            error = F.smooth_l1_loss(motion.float(), picture.motion, reduction="none", beta=1.0)
            total = total + 4 * (error * weight).mean()
        return total, {}

    def validate(self) -> Metrics:
        errors, mouths, masks = [], [], []
        for picture in self.heldout_batches():
            motion = self.vae.motion_maps(picture.frames, picture.reference)[-1]
            error = (motion - picture.motion).square()
            mouth = F.max_pool2d(picture.motion[:, 2:3], 5, 1, 2)
            errors.append(error[:, :2].mean())
            mouths.append((error[:, :2] * mouth).sum() / (2 * mouth.sum() + 1e-3))
            masks.append(error[:, 2].mean() / picture.motion[:, 2].var())
        rms = [SCALE * float(torch.stack(e).mean().sqrt()) for e in (errors, mouths)]
        interior = 1 - float(torch.stack(masks).mean())
        return {"flow_px": rms[0], "mouth_flow_px": rms[1], "interior_r2": interior}


def blurred(picture: Picture, share: float) -> Tensor:
    """Mix a ``share`` of the neighbour's motion into the mouth's.

    The transformer predicts averages of mouths; the painter has to make one mouth of them.
    """
    interior = torch.maximum(picture.motion[:, 2:3], picture.neighbour[:, 2:3])
    mouth = F.max_pool2d(interior, 7, 1, 3) * share
    return picture.motion + mouth * (picture.neighbour - picture.motion)


class Painting(PictureStage):
    """The painter learns to finish the warped portrait, from coded labels."""

    name = "painting"

    def __init__(self, vae: GuidedVAE, train: PictureSource, heldout: PictureSource) -> None:
        super().__init__(vae, train, heldout)
        describe = vae.portrait_encoder.describe
        self.modules = nn.ModuleDict({"painter": vae.painter, "describe": describe})

    def coded(self, picture: Picture, noise: float = 0.0, share: float = 0.0) -> Tensor:
        """Pass the labels through the latent, four equal frames a group, noisy and blurred."""
        stride = self.vae.config.time_stride
        with torch.no_grad():
            motion = blurred(picture, share)
            latent = self.vae.codec.encode(motion.repeat(1, stride, 1, 1))
            latent = latent + noise * torch.randn_like(latent)
            maps = self.vae.codec.decode(latent)
        return maps[:, -picture.motion.shape[1] :].float()

    def paint(self, picture: Picture, motion: Tensor) -> Tensor:
        features = self.vae.portrait_encoder.features(picture.reference)
        frames: Tensor = self.vae.painter(motion, picture.reference, features)
        return frames.float()

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        picture = self.draw(rng, batch)
        share = max(0.0, rng.uniform(-0.4, 0.6))
        painted = self.paint(picture, self.coded(picture, 0.1 * rng.random(), share))
        weight = mouth_weight(picture.motion[:, 2:3], SCALE)
        return pixel_loss(painted, picture.frames, weight), {}

    def validate(self) -> Metrics:
        return self.fidelity(self.coded)

    def fidelity(self, code: object) -> Metrics:
        assert callable(code)
        errors, inside = [], []
        for picture in self.heldout_batches():
            error = (self.paint(picture, code(picture)).clamp(-1, 1) - picture.frames).square()
            mouth = F.interpolate(picture.motion[:, 2:3], scale_factor=float(SCALE))
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
        stride, planes = self.vae.config.time_stride, picture.motion.shape[1]
        motion = self.vae.motion_maps(picture.frames, picture.reference)[-1]
        latent = self.vae.codec.encode(motion.repeat(1, stride, 1, 1))
        return motion.float(), self.vae.codec.decode(latent)[:, -planes:].float()

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        picture = self.draw(rng, batch)
        seen, coded = self.encoded(picture)
        weight = mouth_weight(picture.motion[:, 2:3], SCALE)
        labelled = self.paint(picture, self.coded(picture, 0.1 * rng.random()))
        pixels = pixel_loss(self.paint(picture, coded), picture.frames, weight)
        labels = F.smooth_l1_loss(seen, picture.motion, beta=0.25)
        loss = pixels + pixel_loss(labelled, picture.frames, weight) + 4 * labels
        return loss, {"pixels": float(pixels.detach())}

    def validate(self) -> Metrics:
        labels = self.fidelity(self.coded)
        pixels = self.fidelity(lambda picture: self.encoded(picture)[1])
        return {**labels, **{f"encoded_{name}": value for name, value in pixels.items()}}
