"""The training loop: seeded, resumable, averaged, logged, on any number of processes.

A step's data depend on (seed, rank, step) alone, so a run that was stopped and resumed sees what an
unbroken one would have seen. Under ``torchrun`` the gradients are averaged over the processes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

Metrics = dict[str, float]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a stage trains; ``steps`` is what more compute multiplies."""

    steps: int
    batch: int
    rate: float = 1e-3
    warmup: int = 100
    cool_from: float = 0.5  # share of the steps after which the rate falls, linearly
    final_rate: float = 0.02  # of ``rate``, at the last step
    decay: float = 0.01
    averaging: float = 0.998
    clip: float = 1.0
    validate_every: int = 500
    save_every: int = 500

    def rate_at(self, step: int) -> float:
        left = (1 - step / self.steps) / (1 - self.cool_from)
        return self.rate * min(1.0, (step + 1) / self.warmup, max(self.final_rate, left))


class Stage(ABC):
    """One thing to train: modules, a loss on a batch drawn by a generator, and a validation."""

    name: str
    modules: nn.ModuleDict

    @abstractmethod
    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        """Draw a batch and return its loss and what to log of it."""

    @abstractmethod
    def validate(self) -> Metrics:
        """Measure on held-out people; called without gradients and with averaged weights."""


@dataclass(frozen=True)
class Place:
    """Where a run computes: device, whether in bfloat16, and its share of a distributed run."""

    device: torch.device
    bf16: bool
    rank: int = 0
    world: int = 1

    @classmethod
    def here(cls) -> Place:
        """The GPU if there is one, else the CPU; bfloat16 where the hardware multiplies it."""
        ranked = dist.is_available() and dist.is_initialized()
        rank, world = (dist.get_rank(), dist.get_world_size()) if ranked else (0, 1)
        if torch.cuda.is_available():
            device = torch.device("cuda", rank % torch.cuda.device_count())
            return cls(device, torch.cuda.is_bf16_supported(), rank, world)
        return cls(torch.device("cpu"), torch.cpu._is_avx512_bf16_supported(), rank, world)


class Run:
    """One stage in training: weights, their average, optimizer and step, on disk and back."""

    def __init__(self, stage: Stage, schedule: Schedule, folder: Path, place: Place) -> None:
        self.stage, self.schedule, self.folder, self.place = stage, schedule, folder, place
        stage.modules.to(place.device).train()
        self.weights = dict(stage.modules.named_parameters())
        self.average = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.optimizer = torch.optim.AdamW(
            self.weights.values(), betas=(0.9, 0.98), weight_decay=schedule.decay
        )
        self.step = 0

    @property
    def state_path(self) -> Path:
        return self.folder / f"{self.stage.name}.training.pt"

    def save(self) -> None:
        state = {
            "step": self.step,
            "weights": self.stage.modules.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }
        partial = self.state_path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.state_path)

    def resume(self) -> None:
        """Continue from the last saved step, if there is one."""
        if not self.state_path.exists():
            return
        state = torch.load(self.state_path, self.place.device, weights_only=True)
        self.stage.modules.load_state_dict(state["weights"])
        self.average, self.step = state["average"], state["step"]
        self.optimizer.load_state_dict(state["optimizer"])

    def advance(self, seed: int) -> tuple[float, Metrics]:
        """Take one optimizer step."""
        rng = np.random.default_rng([seed, self.place.rank, self.step])
        torch.manual_seed(int(rng.integers(2**62)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate_at(self.step)
        with torch.autocast(self.place.device.type, torch.bfloat16, enabled=self.place.bf16):
            loss, metrics = self.stage.loss(rng, self.schedule.batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.share_gradients()
        nn.utils.clip_grad_norm_(self.weights.values(), self.schedule.clip)
        self.optimizer.step()
        self.step += 1
        keep = min(self.schedule.averaging, self.step / (self.step + 9))
        with torch.no_grad():
            for name, weight in self.weights.items():
                self.average[name].lerp_(weight, 1 - keep)
        return float(loss.detach()), metrics

    def share_gradients(self) -> None:
        """Average the gradients over all processes."""
        if self.place.world == 1:
            return
        given = [weight for weight in self.weights.values() if weight.grad is not None]
        flat = torch.cat([weight.grad.flatten() for weight in given])  # type: ignore[union-attr]
        dist.all_reduce(flat)
        parts = (flat / self.place.world).split([weight.numel() for weight in given])
        for weight, part in zip(given, parts, strict=True):
            weight.grad = part.view_as(weight)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Use the averaged weights inside the block."""
        trained = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.load(self.average)
        self.stage.modules.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.load(trained)
            self.stage.modules.train()

    @torch.no_grad()
    def load(self, weights: dict[str, Tensor]) -> None:
        for name, weight in self.weights.items():
            weight.copy_(weights[name])


def train(stage: Stage, schedule: Schedule, folder: Path, place: Place, seed: int = 0) -> None:
    """Train ``stage`` to the end of ``schedule``; its modules are left with averaged weights."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(stage, schedule, folder, place)
    run.resume()
    first = place.rank == 0
    writer = SummaryWriter(str(folder / "log" / stage.name)) if first else None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), disable=not first) as progress:
        bar = progress.add_task(stage.name, total=schedule.steps, completed=run.step)
        while run.step < schedule.steps:
            loss, metrics = run.advance(seed)
            progress.update(bar, completed=run.step)
            if writer is None:
                continue
            if run.step % 20 == 0:
                log(writer, "train/", {"loss": loss, **metrics}, run.step)
            if run.step % schedule.validate_every == 0 or run.step == schedule.steps:
                with run.averaged():
                    measured = stage.validate()
                log(writer, "heldout/", measured, run.step)
                progress.console.print(f"{stage.name} {run.step}: {shown(measured)}")
            if run.step % schedule.save_every == 0 or run.step == schedule.steps:
                run.save()
    run.load(run.average)
    stage.modules.eval()
    if writer is not None:
        writer.close()


def log(writer: SummaryWriter, prefix: str, metrics: Metrics, step: int) -> None:
    for name, value in metrics.items():
        writer.add_scalar(prefix + name, value, step)


def shown(metrics: Metrics) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
