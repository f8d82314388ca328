"""A recipe: which stages, for how long. More compute is one number, ``budget``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from rap_edge import strict_json
from rap_edge.config import CONFIGS
from rap_edge.errors import ConfigError
from rap_edge.training.dataset import Kind
from rap_edge.training.loop import Schedule

RECIPES = Path(__file__).parent / "recipes"
STAGES = ("speech", "coordinates", "motion", "painting", "joint", "denoising", "plain")


@dataclass(frozen=True)
class Recipe:
    """Schedules of the stages in the order in which they run; the clips they are trained on."""

    config: str
    seed: int
    clips: dict[Kind, int]
    stages: dict[str, Schedule]
    frozen: tuple[str, ...] = ()  # "audio": the transformer leaves the audio encoder as it is

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe file.

        Raises:
            ConfigError: it is not JSON, or names a configuration, stage or setting that does not
                exist.
        """
        try:
            recipe = strict_json.decode(cls, strict_json.parse(path.read_text("utf8")))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} is not a recipe: {error}") from error
        unknown = sorted(set(recipe.stages) - set(STAGES))
        if unknown:
            raise ConfigError(f"{path} names a stage {unknown[0]!r}: expected one of {STAGES}")
        if recipe.config not in CONFIGS:
            raise ConfigError(
                f"{path} names a config {recipe.config!r}: expected one of {list(CONFIGS)}"
            )
        return recipe

    def with_budget(self, budget: float) -> Recipe:
        """Multiply the steps of every stage by ``budget``."""
        if budget <= 0:
            raise ConfigError(f"budget is {budget}: expected a number above 0, 1 is the recipe's")
        stages = {
            name: dataclasses.replace(stage, steps=max(1, round(stage.steps * budget)))
            for name, stage in self.stages.items()
        }
        return dataclasses.replace(self, stages=stages)
