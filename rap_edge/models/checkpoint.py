"""Checkpoints: ``config.json`` and ``model.safetensors`` in one folder, each written whole."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError
from rap_edge.models.model import RapModel

FILES = ("config.json", "model.safetensors")
"""What a checkpoint folder holds."""


def save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file beside ``path`` and move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial)
    partial.replace(path)


def save_checkpoint(model: RapModel, folder: Path, half: bool = False) -> None:
    """Save ``model``, its weights last; with ``half`` its floats as fp16, half the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "config.partial"
    partial.write_text(json.dumps(model.config.to_dict(), indent=2) + "\n")
    partial.replace(folder / "config.json")
    tensors = {
        name: tensor.half() if half and tensor.is_floating_point() else tensor
        for name, tensor in model.state_dict().items()
    }
    save_tensors(tensors, folder / "model.safetensors")


def load_checkpoint(folder: Path) -> RapModel:
    """Load a model in fp32, in evaluation mode.

    Raises:
        ConfigError: the folder is no checkpoint, or its weights do not fit its configuration.
    """
    try:
        config = ModelConfig.from_dict(json.loads((folder / "config.json").read_text()))
        tensors = load_file(folder / "model.safetensors")
    except (OSError, json.JSONDecodeError, SafetensorError) as error:
        raise ConfigError(
            f"{folder} is not a checkpoint ({error}): expected config.json and model.safetensors"
        ) from error
    model = RapModel(config)
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise ConfigError(f"the weights of {folder} do not fit its config.json: {error}") from error
    return model.eval().requires_grad_(False)
