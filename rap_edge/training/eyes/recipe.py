"""The recipe of the eye finder: robust distance of its points, on damaged squares of portraits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn

from rap_edge.eyes import BROW, SIDE
from rap_edge.models.eyes import EyeFinder
from rap_edge.training.eyes.examples import Example, damaged, drawn, plain
from rap_edge.training.locator.portraits import Portrait
from rap_edge.training.locator.recipe import Batch, fit
from rap_edge.training.locator.recipe import Recipe as Schedule

BROW_WEIGHT = 0.3  # where the skin of the lid begins need not be exact


@dataclass(frozen=True)
class Recipe:
    """Steps and sizes; the defaults take about fifteen minutes of one free core."""

    steps: int = 2400
    batch: int = 32
    fresh: int = 10  # examples of a batch that are newly drawn
    kept: int = 3000  # examples that are kept to be shown again, each time damaged otherwise
    learning_rate: float = 3e-3
    seed: int = 0


def train(portraits: list[Portrait], recipe: Recipe, progress: Progress) -> EyeFinder:
    """Train the finder; the same seed and threads give the same weights."""
    torch.manual_seed(recipe.seed)
    finder = EyeFinder()
    batches = recipe.steps, islice(_batches(portraits, recipe), recipe.steps)
    schedule = Schedule(learning_rate=recipe.learning_rate)
    fit(finder, batches, loss, schedule, progress)
    return finder.eval()


def loss(network: nn.Module, batch: Batch) -> Tensor:
    """Robust distance in px, of brows with less weight."""
    assert isinstance(network, EyeFinder)
    image, points = batch
    away = SIDE * (network(image) - points)
    per_point = nn.functional.smooth_l1_loss(away, torch.zeros_like(away), reduction="none")
    weight = torch.ones(per_point.shape[2])
    weight[BROW] = BROW_WEIGHT
    return (per_point.sum(-1) * weight).mean()


def errors(
    finder: EyeFinder, portraits: list[Portrait]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return x and y of what the finder is off for people: (N, 2, POINTS, 2) px of the square."""
    examples = [plain(portrait) for portrait in portraits]
    images = torch.from_numpy(np.stack([example.image for example in examples]))
    with torch.no_grad():
        found = finder(images).double().numpy()
    return np.asarray(SIDE * (found - np.stack([example.points for example in examples])))


def _batches(portraits: list[Portrait], recipe: Recipe) -> Iterator[Batch]:
    """Yield batches for ever: a part is newly drawn, the rest drawn before and damaged anew."""
    rng = np.random.default_rng([recipe.seed, 3])
    kept: deque[Example] = deque((drawn(rng, portraits) for _ in range(recipe.batch)), recipe.kept)
    while True:
        kept.extend(drawn(rng, portraits) for _ in range(recipe.fresh))
        chosen = rng.integers(0, len(kept), recipe.batch)
        chosen[: recipe.fresh] = len(kept) - 1 - np.arange(recipe.fresh)
        shown = [damaged(rng, kept[i]) for i in chosen]
        yield (
            torch.from_numpy(np.stack([example.image for example in shown])),
            torch.from_numpy(np.stack([example.points for example in shown])).float(),
        )
