"""The recipe: train the coarse network, collect its false alarms, train the refinement."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from numpy.random import Generator
from rich.progress import Progress
from torch import Tensor, nn

from rap_edge.locate import REFINE_SIZE, WINDOW, decode
from rap_edge.models.locator import CoarseLocator, Locators, RefineLocator
from rap_edge.portrait import Crop, cut
from rap_edge.training.locator.portraits import Image
from rap_edge.training.locator.scenes import (
    CoarseExample,
    RefineExample,
    Scenes,
    damaged_crop,
    damaged_window,
)

Batch = tuple[Tensor, ...]
Example = TypeVar("Example", CoarseExample, RefineExample)


@dataclass(frozen=True)
class Recipe:
    """Steps and sizes; the defaults take about five minutes of one free core."""

    coarse_steps: int = 700
    refine_steps: int = 1800
    batch: int = 64
    fresh: int = 20  # examples of a batch that are newly drawn
    kept: int = 3000  # examples that are kept to be shown again, each time damaged otherwise
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    mined_pictures: int = 150
    mined_share: float = 0.1
    seed: int = 0


def train(scenes: Scenes, recipe: Recipe, progress: Progress) -> Locators:
    """Train both networks; the same seed and threads give the same weights."""
    torch.manual_seed(recipe.seed)
    locators = Locators()
    fit(locators.coarse, _coarse_batches(scenes, recipe), coarse_loss, recipe, progress)
    alarms = false_alarms(locators.coarse.eval(), scenes, recipe)
    progress.console.print(f"{len(alarms)} false alarms of the coarse network collected")
    fit(locators.refine, _refine_batches(scenes, alarms, recipe), refine_loss, recipe, progress)
    return locators.eval()


def fit(
    network: nn.Module,
    batches: tuple[int, Iterator[Batch]],
    loss_of: Callable[[nn.Module, Batch], Tensor],
    recipe: Recipe,
    progress: Progress,
) -> None:
    """Minimise a loss over the batches with AdamW, one learning-rate cycle and bf16 autocast."""
    steps, stream = batches
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=steps, pct_start=0.1
    )
    task = progress.add_task(type(network).__name__, total=steps)
    recent: list[float] = []
    for step, batch in enumerate(stream, start=1):
        loss = loss_of(network.train(), batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        recent.append(loss.item())
        progress.advance(task)
        if step % 200 == 0 or step == steps:
            progress.console.print(
                f"{type(network).__name__} {step} of {steps}: loss {np.mean(recent):.4f}"
            )
            recent.clear()


def coarse_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Focal loss of the scores (CornerNet, arXiv 1808.01244, eq. 1) and L1 loss of the boxes."""
    assert isinstance(network, CoarseLocator)
    image, heat, boxes, weight = batch
    with torch.autocast("cpu", torch.bfloat16):
        cells = network.cells(image)
    cells = cells.float()
    logit, found = cells[:, 0], cells[:, 1:].permute(0, 2, 3, 1)
    p = torch.sigmoid(logit)
    hit = nn.functional.logsigmoid(logit) * (1 - p) ** 2
    quiet = nn.functional.logsigmoid(-logit) * p**2 * (1 - heat) ** 4
    is_centre = heat == 1
    focal = -torch.where(is_centre, hit, quiet).sum() / is_centre.sum().clamp(min=1)
    distance = (found - boxes).abs().sum(-1) * weight
    return focal + distance.sum() / weight.sum().clamp(min=1)


def refine_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy of the score; for faces, robust distance of correction and landmarks."""
    assert isinstance(network, RefineLocator)
    image, correction, contour, is_face = batch
    with torch.autocast("cpu", torch.bfloat16):
        head, points = network.heads(image)
    head, points = head.float(), points.float().unflatten(1, (-1, 2))
    score = nn.functional.binary_cross_entropy_with_logits(head[:, 3], is_face)
    faces = is_face.sum().clamp(min=1)
    away = nn.functional.smooth_l1_loss(head[:, :3], correction, beta=0.02, reduction="none")
    astray = nn.functional.smooth_l1_loss(points, contour, beta=0.02, reduction="none")
    per_face = 8 * away.sum(1) + 8 * astray.mean((1, 2))
    return score + (per_face * is_face).sum() / faces


def _coarse_batches(scenes: Scenes, recipe: Recipe) -> tuple[int, Iterator[Batch]]:
    rng = np.random.default_rng([recipe.seed, 1])
    batches = _batches(rng, scenes.coarse, damaged_window, recipe)
    return recipe.coarse_steps, islice(batches, recipe.coarse_steps)


def _refine_batches(
    scenes: Scenes, alarms: list[Image], recipe: Recipe
) -> tuple[int, Iterator[Batch]]:
    def draw(rng: Generator) -> RefineExample:
        if alarms and rng.random() < recipe.mined_share:
            return scenes.no_face(alarms[int(rng.integers(len(alarms)))])
        return scenes.refine(rng)

    rng = np.random.default_rng([recipe.seed, 2])
    batches = _batches(rng, draw, damaged_crop, recipe)
    return recipe.refine_steps, islice(batches, recipe.refine_steps)


def _batches(
    rng: Generator,
    draw: Callable[[Generator], Example],
    damaged: Callable[[Generator, Example], Example],
    recipe: Recipe,
) -> Iterator[Batch]:
    """Yield batches for ever: a part is newly drawn, the rest drawn before and damaged anew."""
    drawn = deque((draw(rng) for _ in range(recipe.batch)), maxlen=recipe.kept)
    while True:
        drawn.extend(draw(rng) for _ in range(recipe.fresh))
        chosen = rng.integers(0, len(drawn), recipe.batch)
        chosen[: recipe.fresh] = len(drawn) - 1 - np.arange(recipe.fresh)
        yield _stack([damaged(rng, drawn[i]) for i in chosen])


def _stack(examples: list[tuple[object, ...]]) -> Batch:
    """Stack examples field by field; pictures stay uint8, the rest becomes float32."""
    fields = [np.stack([np.asarray(v) for v in field]) for field in zip(*examples, strict=True)]
    return tuple(
        torch.from_numpy(f if f.dtype == np.uint8 else f.astype(np.float32)) for f in fields
    )


@torch.no_grad()
def false_alarms(coarse: CoarseLocator, scenes: Scenes, recipe: Recipe) -> list[Image]:
    """Return the crops that the coarse network takes for faces in pictures without any."""
    rng, crops = np.random.default_rng([recipe.seed, 3]), []
    for _ in range(recipe.mined_pictures):
        picture = scenes.backgrounds.draw(rng, 2 * WINDOW, 2 * WINDOW)
        window = np.ascontiguousarray(cut(picture, Crop(0, 0, 2 * WINDOW), WINDOW))
        scores, boxes = coarse(torch.from_numpy(window[None]))
        for box in decode(scores[0].numpy(), boxes[0].numpy(), threshold=0.1):
            side = 2 * box.side
            crop = Crop(2 * box.x - side / 2, 2 * box.y - side / 2, side)
            crops.append(cut(picture, crop, REFINE_SIZE))
    return crops
