"""The training loop resumes exactly, shares gradients, and the losses are what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rap_edge.errors import ConfigError
from rap_edge.training.loop import Metrics, Place, Run, Schedule, Stage, train
from rap_edge.training.losses import flow_matching_loss, pixel_loss
from rap_edge.training.recipe import RECIPES, Recipe

CPU = Place(torch.device("cpu"), bf16=False)
SCHEDULE = Schedule(steps=8, batch=4, validate_every=4, save_every=4, averaging=0.9)


class Line(Stage):
    """Fit y = 3 x."""

    name = "line"

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.modules = nn.ModuleDict({"line": nn.Linear(1, 1)})

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        x = torch.from_numpy(rng.standard_normal((batch, 1))).float() + 0.1 * torch.randn(batch, 1)
        return (self.modules["line"](x) - 3 * x).square().mean(), {}

    def validate(self) -> Metrics:
        return {"slope": float(self.modules["line"].weight)}


def weights(stage: Stage) -> list[float]:
    return [float(p.detach()) for p in stage.modules.parameters()]


def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = Line()
    train(unbroken, SCHEDULE, tmp_path / "a", CPU)
    run = Run(Line(), SCHEDULE, tmp_path / "b", CPU)
    (tmp_path / "b").mkdir()
    for _ in range(4):
        run.advance(0)
    run.save()
    resumed = Line()
    train(resumed, SCHEDULE, tmp_path / "b", CPU)
    assert weights(resumed) == weights(unbroken)


def test_training_learns_and_leaves_averaged_weights(tmp_path: Path) -> None:
    stage = Line()
    train(stage, Schedule(steps=300, batch=16, rate=0.05, warmup=5), tmp_path, CPU)
    assert weights(stage)[0] == pytest.approx(3, abs=0.1)
    assert not stage.modules.training


def test_rate_warms_up_holds_and_falls() -> None:
    schedule = Schedule(steps=1000, batch=1, rate=1.0, warmup=10, cool_from=0.5)
    rates = [schedule.rate_at(step) for step in (0, 9, 400, 750, 999)]
    assert rates == pytest.approx([0.1, 1.0, 1.0, 0.5, 0.02])


PROGRAM = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_training import Line, SCHEDULE, weights
from rap_edge.training.loop import train
from rap_edge.training.pipeline import join_processes
place = join_processes()
stage = Line()
train(stage, SCHEDULE, Path(sys.argv[1]) / str(place.rank), place)
result = f"{place.world} {weights(stage)}"
(Path(sys.argv[1]) / f"rank{place.rank}.txt").write_text(result)
torch.distributed.barrier()
torch.distributed.destroy_process_group()
"""


def test_two_processes_stay_equal_and_see_different_data(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(program), str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = ((tmp_path / f"rank{rank}.txt").read_text() for rank in (0, 1))
    assert first.startswith("2 ")
    assert first == second
    alone = Line()
    train(alone, SCHEDULE, tmp_path / "alone", CPU)
    assert f"2 {weights(alone)}" != first


def test_flow_matching_loss_has_three_terms() -> None:
    clean = torch.zeros(1, 3, 2, 2, 2)
    predicted = clean.clone()
    predicted[:, 1] = 2.0  # a jump up and back: the change is 2 twice
    region = torch.zeros(1, 3, 2, 2)
    region[0, 1, 0, 0] = 1
    whole, inside, change = flow_matching_loss(predicted, clean, torch.ones(2, 1, 1), region)
    assert float(whole) == pytest.approx(4 / 3)
    assert float(inside) == pytest.approx(4)
    assert float(change) == pytest.approx(4)


def test_pixel_loss_counts_level_and_edges() -> None:
    truth = torch.zeros(1, 3, 4, 4)
    flat = pixel_loss(truth + 0.5, truth, torch.ones(1, 1, 4, 4))
    assert float(flat) == pytest.approx(0.5)
    edge = truth.clone()
    edge[..., 2:] = 0.5
    assert float(pixel_loss(edge, truth, torch.ones(1, 1, 4, 4))) > 0.25


def test_recipes_are_read_and_scaled() -> None:
    recipe = Recipe.read(RECIPES / "live.json")
    doubled = recipe.with_budget(2.0)
    assert doubled.stages["motion"].steps == 2 * recipe.stages["motion"].steps
    with pytest.raises(ConfigError, match="budget is 0"):
        recipe.with_budget(0)


def test_recipes_with_unknown_stages_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(
        '{"config": "live", "seed": 0, "clips": {}, "stages": {"dance": {"steps": 1, "batch": 1}}}'
    )
    with pytest.raises(ConfigError, match="dance"):
        Recipe.read(path)
