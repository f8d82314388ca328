"""The shards that a recipe asks for, made when they are not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rap_edge.training import dataset, generate
from rap_edge.training.rig import HeadModel
from rap_edge.training.speech import corpus
from rap_edge.training.speech.texts import Split

HELD_OUT_SHARE = 16
"""One held-out clip for this many of training."""
CLIPS_PER_SHARD: dict[dataset.Kind, int] = {"speech": 20, "video": 8, "motion": 8}
SEEDS: dict[dataset.Kind, int] = {"speech": 0, "video": 0, "motion": 1}


def make_shards(data: Path, shards: Path, clips: dict[dataset.Kind, int], jobs: int) -> None:
    """Make ``shards/<kind>_<split>`` for every kind in ``clips``; what is there is kept."""
    for kind, count in clips.items():
        splits: tuple[tuple[Split, int], ...] = (
            ("train", count),
            ("heldout", max(8, count // HELD_OUT_SHARE)),
        )
        for split, n in splits:
            folder = shards / f"{kind}_{split}"
            plan = dataset.Plan(kind, split, SEEDS[kind], CLIPS_PER_SHARD[kind])
            dataset.build(folder, plan, n, maker(kind, split, data, shards), jobs)


def maker(
    kind: dataset.Kind, split: Split, data: Path, shards: Path
) -> Callable[[Path, list[int]], None]:
    """Return what writes one shard of a kind."""
    if kind == "speech":
        names = HeadModel.load(data / "heads" / "ict").names
        return corpus.Maker(split, names, data / "speech")
    return generate.Maker(kind, split, data, shards / "fits")
