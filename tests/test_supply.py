"""The data page and `rap-edge train` make the same shards."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from rap_edge.cli.group import app
from rap_edge.training import dataset, supply
from rap_edge.training.recipe import RECIPES, Recipe

PAGE = Path(__file__).parents[1] / "docs/data.md"


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What is to be built, by folder, instead of building it."""
    found: dict[str, Any] = {}

    def build(folder: Path, plan: object, n_clips: int, make: object, jobs: int) -> None:
        found[folder.name] = (plan, n_clips, make)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dataset, "build", build)
    monkeypatch.setattr(supply.HeadModel, "load", lambda folder: SimpleNamespace(names=("jaw",)))
    return found


def test_the_commands_of_the_page_make_the_shards_of_the_recipe(ordered: dict[str, Any]) -> None:
    clips = Recipe.read(RECIPES / "live.json").clips
    supply.make_shards(Path("data"), Path.cwd() / "shards", clips, jobs=1)
    trained, _ = dict(ordered), ordered.clear()
    for command in re.findall(r"^    rap-edge (data make .*)$", PAGE.read_text(), re.MULTILINE):
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 0, result.output
    assert ordered == trained
