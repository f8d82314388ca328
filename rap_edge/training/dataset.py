"""A folder of shards that is made once: what it holds, and which shards are still missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rap_edge.errors import ConfigError
from rap_edge.training.speech.texts import Split

Kind = Literal["speech", "video", "motion"]

_FILE = "dataset.json"


@dataclass(frozen=True)
class Plan:
    """What a folder holds: its kind and split, the seed and the number of clips in every shard."""

    kind: Kind
    split: Split
    seed: int
    clips_per_shard: int

    def shard(self, folder: Path, index: int) -> Path:
        return folder / f"{self.kind}-{index:05d}.safetensors"

    def clip_seed(self, index: int) -> int:
        """Return the seed of the clip ``index`` of the whole folder."""
        return (self.seed << 24) + index


def claim(folder: Path, plan: Plan) -> None:
    """Write down what the folder holds; raise ConfigError if it already holds something else."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _FILE
    wanted = asdict(plan)
    if file.exists() and (found := json.loads(file.read_text("utf8"))) != wanted:
        raise ConfigError(f"{folder} holds {found} - expected {wanted} - use another folder")
    file.write_text(json.dumps(wanted, indent=1) + "\n", "utf8")


def build(
    folder: Path, plan: Plan, n_clips: int, make: Callable[[Path, list[int]], None], jobs: int
) -> None:
    """Make the missing shards of a folder with ``jobs`` processes and a progress bar.

    ``make`` (which must pickle) writes one shard from its path and the seeds of its clips.
    """
    claim(folder, plan)
    per_shard = plan.clips_per_shard
    todo: list[tuple[Path, list[int]]] = []
    for index in range(-(-n_clips // per_shard)):
        path = plan.shard(folder, index)
        numbers = range(index * per_shard, min((index + 1) * per_shard, n_clips))
        if not path.exists():
            todo.append((path, [plan.clip_seed(number) for number in numbers]))
    missing = sum(len(seeds) for _, seeds in todo)
    label = f"{plan.kind} {plan.split}"
    each(make, todo, jobs, label, [len(seeds) for _, seeds in todo], n_clips - missing)


def each(
    task: Callable[..., None],
    calls: Sequence[tuple[Any, ...]],
    jobs: int,
    label: str,
    sizes: Sequence[int] | None = None,
    done_before: int = 0,
) -> None:
    """Call ``task`` with each tuple of arguments in ``jobs`` processes, under a progress bar.

    ``sizes`` says how much of the bar each call is worth. The first failure ends everything.
    """
    worth = list(sizes or [1] * len(calls))
    with _progress() as progress:
        bar = progress.add_task(label, total=sum(worth) + done_before, completed=done_before)
        if jobs <= 1:
            for call, size in zip(calls, worth, strict=True):
                task(*call)
                progress.advance(bar, size)
            return
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            running = {pool.submit(task, *c): size for c, size in zip(calls, worth, strict=True)}
            try:
                for finished in as_completed(running):
                    finished.result()
                    progress.advance(bar, running[finished])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn())
